/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds frames from descriptions: byte by byte, in the order in which they stand on the wire. */
#include "pkt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "tap.h"

static void put8(struct pkt *p, uint8_t v)
{
	if (p->len >= PKT_MAX)
		bail("test packet larger than %d bytes", PKT_MAX);
	p->data[p->len++] = v;
}

static void put16(struct pkt *p, uint16_t v)
{
	put8(p, v >> 8);
	put8(p, v & 0xff);
}

static void put32(struct pkt *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p, v & 0xffff);
}

static void put_bytes(struct pkt *p, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put8(p, ((const uint8_t *)data)[i]);
}

static void set16(struct pkt *p, size_t at, uint16_t v)
{
	p->data[at] = v >> 8;
	p->data[at + 1] = v & 0xff;
}

struct pkt_addr pkt_addr(const char *text)
{
	struct pkt_addr addr = { 0 };

	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, addr.byte) != 1)
		bail("'%s' is no address", text);
	return addr;
}

uint16_t pkt_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (sum & 0xffff) + (sum >> 16);
}

static size_t addr_len(int af)
{
	return af == AF_INET ? 4 : 16;
}

/* Checksum of an L4 datagram with the pseudo-header of spec. */
static uint16_t l4_checksum(const struct pkt_spec *spec, const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	if (spec->proto != IPPROTO_ICMP) {
		sum = pkt_sum(spec->src.byte, addr_len(spec->af), sum);
		sum = pkt_sum(spec->dst.byte, addr_len(spec->af), sum);
		sum += len + spec->proto;
	}
	sum = pkt_sum(data, len, sum);
	sum += spec->csum_error;
	return ~((sum & 0xffff) + (sum >> 16));
}

static void put_tcp(struct pkt *p, const struct pkt_spec *spec)
{
	put16(p, spec->sport);
	put16(p, spec->dport);
	put32(p, spec->seq);
	put32(p, spec->ack);
	put8(p, (5 + spec->tcp_options_len / 4) << 4);
	put8(p, spec->flags);
	put16(p, 0xfaf0);
	put32(p, 0);
	put_bytes(p, spec->tcp_options, spec->tcp_options_len);
}

static void put_ip(struct pkt *p, const struct pkt_spec *spec);

static void put_icmp(struct pkt *p, const struct pkt_spec *spec)
{
	put8(p, spec->type);
	put8(p, spec->code);
	put16(p, 0);
	put32(p, spec->rest);
	if (spec->quote) {
		static struct pkt quoted;
		size_t len;

		quoted.len = 0;
		put_ip(&quoted, spec->quote);
		len = quoted.len;
		if (spec->quote_len && spec->quote_len < len)
			len = spec->quote_len;
		put_bytes(p, quoted.data, len);
	}
}

/* The whole datagram above IP, with its checksum. */
static void put_l4(struct pkt *p, const struct pkt_spec *spec)
{
	size_t start = p->len, check = 0;
	uint16_t sum;

	switch (spec->proto) {
	case IPPROTO_TCP:
		put_tcp(p, spec);
		check = start + 16;
		break;
	case IPPROTO_UDP:
		put16(p, spec->sport);
		put16(p, spec->dport);
		put16(p, 8 + spec->payload_len);
		put16(p, 0);
		check = start + 6;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(p, spec);
		check = start + 2;
		break;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		if (spec->quote)
			put_ip(p, spec->quote);
		break;
	}
	for (size_t i = 0; i < spec->payload_len; i++)
		put8(p, (i % 2 ? spec->seed : spec->seed >> 8) + i / 2 * 7);
	if (!check || (spec->proto == IPPROTO_UDP && spec->no_csum))
		return;
	sum = l4_checksum(spec, p->data + start, p->len - start);
	if (spec->proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	set16(p, check, sum);
}

static void put_ext(struct pkt *p, const struct pkt_ext *ext, uint8_t next)
{
	put8(p, next);
	put8(p, ext->len / 8 - 1);
	if (ext->type == IPPROTO_ROUTING) {
		put8(p, ext->routing_type);
		put8(p, ext->segments_left);
		for (int i = 4; i < ext->len; i++)
			put8(p, 0);
		return;
	}
	/* PadN over the rest */
	put8(p, 1);
	put8(p, ext->len - 4);
	for (int i = 4; i < ext->len; i++)
		put8(p, 0);
}

static void put_ip6_header(struct pkt *p, const struct pkt_spec *spec, bool more)
{
	uint8_t chain[PKT_MAX_EXT + 2];
	unsigned int n = 0;

	for (unsigned int i = 0; i < spec->num_ext; i++)
		chain[n++] = spec->ext[i].type;
	if (spec->frag_len)
		chain[n++] = IPPROTO_FRAGMENT;
	chain[n] = spec->proto;

	put32(p, 6u << 28 | spec->tos << 20);
	put16(p, 0);
	put8(p, chain[0]);
	put8(p, spec->ttl);
	put_bytes(p, spec->src.byte, 16);
	put_bytes(p, spec->dst.byte, 16);
	for (unsigned int i = 0; i < spec->num_ext; i++)
		put_ext(p, &spec->ext[i], chain[i + 1]);
	if (spec->frag_len) {
		put8(p, spec->proto);
		put8(p, 0);
		put16(p, spec->frag_start | more);
		put32(p, spec->id);
	}
}

static void put_ip4_header(struct pkt *p, const struct pkt_spec *spec, bool more)
{
	put8(p, 0x45 + spec->options_len / 4);
	put8(p, spec->tos);
	put16(p, 0);
	put16(p, spec->id);
	put16(p, (spec->df ? 0x4000 : 0) | (more ? 0x2000 : 0) | spec->frag_start / 8);
	put8(p, spec->ttl);
	put8(p, spec->proto);
	put16(p, 0);
	put_bytes(p, spec->src.byte, 4);
	put_bytes(p, spec->dst.byte, 4);
	put_bytes(p, spec->options, spec->options_len);
}

static void put_ip(struct pkt *p, const struct pkt_spec *spec)
{
	struct pkt whole = { 0 };
	size_t start = p->len, len;
	bool more;

	put_l4(&whole, spec);
	len = whole.len;
	if (spec->l4_len && spec->l4_len < len)
		len = spec->l4_len;
	if (spec->frag_len && spec->frag_start + spec->frag_len < len)
		len = spec->frag_start + spec->frag_len;
	more = spec->frag_len && len < whole.len;

	if (spec->af == AF_INET)
		put_ip4_header(p, spec, more);
	else
		put_ip6_header(p, spec, more);
	p->l4 = p->len;
	put_bytes(p, whole.data + spec->frag_start, len - spec->frag_start);
	if (spec->af == AF_INET) {
		set16(p, start + 2, p->len - start);
		set16(p, start + 10, ~pkt_sum(p->data + start, p->l4 - start, 0));
	} else {
		set16(p, start + 4, p->len - start - 40);
	}
}

void pkt_build(struct pkt *pkt, const struct pkt_spec *spec)
{
	uint16_t type = spec->af == AF_INET ? 0x0800 : 0x86dd;

	memset(pkt, 0, sizeof(*pkt));
	put_bytes(pkt, spec->dmac, 6);
	put_bytes(pkt, spec->smac, 6);
	if (spec->vlan) {
		put16(pkt, 0x8100);
		put16(pkt, 42);
	}
	put16(pkt, spec->ethertype ? spec->ethertype : type);
	put_ip(pkt, spec);
	pkt->len -= spec->cut;
}
