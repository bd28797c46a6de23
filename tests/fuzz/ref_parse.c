/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 791, 792, 793, 768, 8200, 4443, read once more. */
#include "ref_parse.h"

#define ETH 14
#define L4_OFF_MAX 320 /* limits that the product sets itself */
#define EXT_MAX 6

static uint32_t be(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* end: of what is there of the IP packet */
static enum ref_verdict transport(const uint8_t *frame, size_t end, bool v6, struct ref_pkt *r)
{
	const uint8_t *l4 = frame + r->l4_off;
	bool icmp = r->proto == (v6 ? 58 : 1);
	bool tcp = r->proto == 6 && !r->quoted;

	if (r->proto != 6 && r->proto != 17 && !icmp)
		return REF_OTHER;
	if (r->later)
		return REF_OK;
	if (r->l4_off > L4_OFF_MAX || r->l4_off + (tcp ? 20 : 8) > end)
		return REF_MALFORMED;
	if (icmp) {
		r->flags = l4[0];
		return REF_OK;
	}
	r->sport = be(l4, 2);
	r->dport = be(l4 + 2, 2);
	r->l4_len = 8;
	if (tcp) {
		r->flags = l4[13];
		r->l4_len = (l4[12] >> 4) * 4;
	}
	return REF_OK;
}

/* 0: nothing special, 1: source route, -1: broken. What follows a source route is not looked at. */
static int options(const uint8_t *opt, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint8_t type = opt[at];

		if (type == 0)
			return 0;
		if (type == 131 || type == 137)
			return 1;
		if (type == 1) {
			at++;
			continue;
		}
		if (len - at < 2 || opt[at + 1] < 2 || opt[at + 1] > len - at)
			return -1;
		at += opt[at + 1];
	}
	return 0;
}

enum ref_verdict ref_parse4(const uint8_t *frame, size_t len, struct ref_pkt *r)
{
	const uint8_t *ip = frame + ETH;
	size_t head, total, end;
	uint16_t frag;
	int route;

	if (len < ETH + 20 || ip[0] >> 4 != 4)
		return REF_MALFORMED;
	head = (ip[0] & 15) * 4;
	total = be(ip + 2, 2);
	end = total ? ETH + total : len;
	if (head < 20 || end < ETH + head)
		return REF_MALFORMED;
	r->l3_len = end - ETH;
	if (end > len && r->quoted)
		end = len;
	if (end > len)
		return REF_MALFORMED;
	frag = be(ip + 6, 2);
	r->dont_fragment = frag & 0x4000;
	r->later = frag & 0x1fff;
	r->fragment = r->later || frag & 0x2000;
	r->frag_id = be(ip + 4, 2);
	r->ttl = ip[8];
	r->proto = r->frag_proto = ip[9];
	r->l4_off = ETH + head;
	/* nothing behind the options: whatever it is, there is nothing to carry */
	if (head > 20 && len == ETH + head && !r->quoted)
		return REF_MALFORMED;
	/* a quote is only asked whose it is */
	route = r->quoted ? 0 : options(ip + 20, head - 20);
	if (route < 0)
		return REF_MALFORMED;
	r->source_route = route;
	return transport(frame, end, false, r);
}

static bool is_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

enum ref_verdict ref_parse6(const uint8_t *frame, size_t len, struct ref_pkt *r)
{
	const uint8_t *ip = frame + ETH;
	size_t at = ETH + 40, payload, end, there;
	uint8_t next;
	int seen = 0;

	if (len < at || ip[0] >> 4 != 6)
		return REF_MALFORMED;
	payload = be(ip + 4, 2);
	end = payload ? at + payload : len;
	r->l3_len = end - ETH;
	if (end > len && !r->quoted)
		return REF_MALFORMED;
	there = end < len ? end : len;
	next = ip[6];
	r->ttl = ip[7];
	while (is_extension(next) && !r->later) {
		const uint8_t *ext = frame + at;
		uint16_t offset;

		if (seen++ == EXT_MAX)
			return REF_OTHER;
		if (at + 8 > there)
			return REF_MALFORMED;
		if (next == 43 && ext[3])
			r->source_route = true;
		if (next == 44) {
			offset = be(ext + 2, 2);
			if (offset & 0xfff9) {
				r->fragment = true;
				r->frag_id = be(ext + 4, 4);
				r->frag_proto = ext[0];
				r->later = offset & 0xfff8;
			}
			at += 8;
		} else {
			at += (ext[1] + 1) * 8;
		}
		next = ext[0];
		if (at > end || at > L4_OFF_MAX)
			return REF_MALFORMED;
	}
	r->proto = next;
	r->l4_off = at;
	/* only of TCP and UDP datagrams have we let the first fragment pass */
	if (r->later && next != 6 && next != 17)
		return REF_OTHER;
	return transport(frame, there, true, r);
}
