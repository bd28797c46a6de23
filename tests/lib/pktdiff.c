/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares two frames: takes each apart into named fields, and prints those that differ. */
#include "pkt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

#include "tap.h"

struct field {
	char name[28];
	char value[64];
};

struct fields {
	unsigned int num;
	const char *prefix;
	struct field field[96];
};

static __attribute__((format(printf, 3, 4))) void add(struct fields *f, const char *name,
						      const char *fmt, ...)
{
	struct field *field = &f->field[f->num];
	va_list ap;

	if (f->num + 1 == sizeof(f->field) / sizeof(f->field[0]))
		return;
	snprintf(field->name, sizeof(field->name), "%s%s", f->prefix, name);
	va_start(ap, fmt);
	vsnprintf(field->value, sizeof(field->value), fmt, ap);
	va_end(ap);
	f->num++;
}

static unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void add_addr(struct fields *f, const char *name, int af, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	add(f, name, "%s", inet_ntop(af, addr, text, sizeof(text)));
}

static void add_mac(struct fields *f, const char *name, const uint8_t *m)
{
	add(f, name, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void add_ip(struct fields *f, const uint8_t *data, size_t len);

/* pseudo: the sum of the pseudo-header without the length, which is len */
static void add_l4(struct fields *f, uint8_t proto, const uint8_t *l4, size_t len, uint32_t pseudo)
{
	size_t head = proto == IPPROTO_TCP ? 20 : 8;

	add(f, "l4.length", "%zu", len);
	if (len < head)
		return;
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP) {
		add(f, "sport", "%u", get16(l4));
		add(f, "dport", "%u", get16(l4 + 2));
		add(f, "l4.check", "%04x", get16(l4 + (proto == IPPROTO_TCP ? 16 : 6)));
	}
	if (proto == IPPROTO_TCP) {
		add(f, "tcp.seq", "%u", get16(l4 + 4) << 16 | get16(l4 + 6));
		add(f, "tcp.ack", "%u", get16(l4 + 8) << 16 | get16(l4 + 10));
		add(f, "tcp.flags", "%02x", l4[13]);
	}
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) {
		add(f, "icmp.type", "%u", l4[0]);
		add(f, "icmp.code", "%u", l4[1]);
		add(f, "icmp.check", "%04x", get16(l4 + 2));
		add(f, "icmp.rest", "%08x", get16(l4 + 4) << 16 | get16(l4 + 6));
	}
	if (!*f->prefix)
		add(f, "l4.sum", "%s",
		    pkt_sum(l4, len, proto == IPPROTO_ICMP ? 0 : pseudo + len) == 0xffff ? "right"
											 : "wrong");
	if ((proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) && !*f->prefix && len > 8) {
		f->prefix = "quote.";
		add_ip(f, l4 + 8, len - 8);
		f->prefix = "";
	} else {
		add(f, "payload", "%zu bytes, sum %04x", len - head,
		    pkt_sum(l4 + head, len - head, 0));
	}
}

static void add_ip4(struct fields *f, const uint8_t *ip, size_t len)
{
	size_t head = (ip[0] & 15) * 4;

	add(f, "ip.ihl", "%zu", head);
	add(f, "ip.tos", "%02x", ip[1]);
	add(f, "ip.length", "%u", get16(ip + 2));
	add(f, "ip.id", "%04x", get16(ip + 4));
	add(f, "ip.frag", "%04x", get16(ip + 6));
	add(f, "ip.ttl", "%u", ip[8]);
	add(f, "ip.proto", "%u", ip[9]);
	add(f, "ip.check", "%04x", get16(ip + 10));
	add_addr(f, "ip.src", AF_INET, ip + 12);
	add_addr(f, "ip.dst", AF_INET, ip + 16);
	if (head < 20 || head > len)
		return;
	add(f, "ip.options", "sum %04x", pkt_sum(ip + 20, head - 20, 0));
	add(f, "ip.sum", "%s", pkt_sum(ip, head, 0) == 0xffff ? "right" : "wrong");
	if (!(get16(ip + 6) & 0x1fff))
		add_l4(f, ip[9], ip + head, len - head, pkt_sum(ip + 12, 8, 0) + ip[9]);
}

static void add_ip6(struct fields *f, const uint8_t *ip, size_t len)
{
	size_t at = 40;
	uint8_t next = ip[6];

	add(f, "ip6.first", "%02x%02x%02x%02x", ip[0], ip[1], ip[2], ip[3]);
	add(f, "ip6.length", "%u", get16(ip + 4));
	add(f, "ip6.next", "%u", next);
	add(f, "ip6.hops", "%u", ip[7]);
	add_addr(f, "ip6.src", AF_INET6, ip + 8);
	add_addr(f, "ip6.dst", AF_INET6, ip + 24);
	while (at + 8 <= len && (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS ||
				 next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT)) {
		uint8_t type = next;

		add(f, "ip6.ext", "%u: %02x%02x%02x%02x", type, ip[at], ip[at + 1], ip[at + 2],
		    ip[at + 3]);
		next = ip[at];
		if (type == IPPROTO_FRAGMENT && get16(ip + at + 2) & 0xfff8)
			return;
		at += type == IPPROTO_FRAGMENT ? 8 : (ip[at + 1] + 1) * 8;
	}
	if (at <= len)
		add_l4(f, next, ip + at, len - at, pkt_sum(ip + 8, 32, 0) + next);
}

static void add_ip(struct fields *f, const uint8_t *data, size_t len)
{
	if (len >= 20 && data[0] >> 4 == 4)
		add_ip4(f, data, len);
	else if (len >= 40 && data[0] >> 4 == 6)
		add_ip6(f, data, len);
	else
		add(f, "not IP", "%zu bytes", len);
}

static void take_apart(struct fields *f, const struct pkt *pkt)
{
	memset(f, 0, sizeof(*f));
	f->prefix = "";
	add(f, "frame length", "%zu", pkt->len);
	if (pkt->len < PKT_ETH_LEN)
		return;
	add_mac(f, "eth.dst", pkt->data);
	add_mac(f, "eth.src", pkt->data + 6);
	add(f, "eth.type", "%04x", get16(pkt->data + 12));
	add_ip(f, pkt->data + PKT_ETH_LEN, pkt->len - PKT_ETH_LEN);
}

void pkt_dump(const char *title, const struct pkt *pkt)
{
	char line[80];

	diag("%s (%zu bytes):", title, pkt->len);
	for (size_t at = 0; at < pkt->len && at < 256; at += 16) {
		int n = snprintf(line, sizeof(line), "  %04zx ", at);

		for (size_t i = at; i < at + 16 && i < pkt->len; i++)
			n += snprintf(line + n, sizeof(line) - n, " %02x", pkt->data[i]);
		diag("%s", line);
	}
}

bool pkt_same(const struct pkt *got, const struct pkt *want)
{
	static struct fields g, w;
	unsigned int same = 0;

	if (got->len == want->len && !memcmp(got->data, want->data, got->len))
		return true;
	take_apart(&g, got);
	take_apart(&w, want);
	for (unsigned int i = 0; i < g.num || i < w.num; i++) {
		const struct field *a = &g.field[i], *b = &w.field[i];

		if (!strcmp(a->name, b->name) && !strcmp(a->value, b->value))
			same++;
		else
			diag("  got %-14s %-28s expected %-14s %s", a->name, a->value, b->name,
			     b->value);
	}
	if (same == g.num && same == w.num)
		diag("  the headers are the same, other bytes differ");
	pkt_dump("  got", got);
	pkt_dump("  expected", want);
	return false;
}
