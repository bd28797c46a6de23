/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that belong together: the two directions of a connection, and errors about them. */
#include "env.h"

#include <netinet/in.h>
#include <string.h>

struct conn conn_of(struct env *t, int proto, enum who client, uint16_t port, enum who source,
		    uint16_t sport, enum who server)
{
	struct conn c;

	c.in = from(t, CLIENT_SIDE, client, port, VIP, 80);
	c.reply_in = from(t, SERVER_SIDE, server, 8080, source, sport);
	/* what is not an address is smaller on the way back, so that both differ */
	c.reply_in.payload_len = 5;
	c.in.proto = c.reply_in.proto = proto;
	c.out = translated(t, &c.in, source, sport, server, 8080);
	c.reply_out = translated(t, &c.reply_in, VIP, 80, client, port);
	return c;
}

static void one(struct env *t, const struct pkt_spec *in, const struct pkt_spec *out, uint8_t flags)
{
	struct pkt_spec a = *in, b = *out;

	a.flags = b.flags = flags;
	expect_fast(t, &a, &b);
}

static enum who neighbour_of(struct env *t, const struct pkt_addr *addr)
{
	struct pkt_addr far = who_addr(t->af, FAR);

	for (enum who who = SERVER1; who <= SERVER3; who++) {
		struct pkt_addr server = who_addr(t->af, who);

		if (!memcmp(addr, &server, sizeof(server)))
			return who;
	}
	return memcmp(addr, &far, sizeof(far)) ? GATEWAY : ROUTER;
}

void go(struct env *t, const struct conn *c, uint8_t flags)
{
	struct pkt_spec out = by_way_of(c->out, SERVER_SIDE, neighbour_of(t, &c->out.dst));

	one(t, &c->in, &out, flags);
}

void back(struct env *t, const struct conn *c, uint8_t flags)
{
	struct pkt_spec out = by_way_of(c->reply_out, CLIENT_SIDE, GATEWAY);

	one(t, &c->reply_in, &out, flags);
}

static void first(struct env *t, const struct pkt_spec *in, const struct pkt_spec *out,
		  enum side side, enum who neighbour)
{
	struct pkt_spec a = *in, b = *out;

	nexthops_fresh(t);
	if (a.proto == IPPROTO_TCP)
		a.flags = b.flags = side == SERVER_SIDE ? TCP_SYN : TCP_SYN | TCP_ACK;
	if (nexthop_known(t, &b.src, &b.dst))
		b = by_way_of(b, side, neighbour);
	expect_out(t, &a, &b);
}

void go_first(struct env *t, const struct conn *c)
{
	first(t, &c->in, &c->out, SERVER_SIDE, neighbour_of(t, &c->out.dst));
}

void back_first(struct env *t, const struct conn *c)
{
	first(t, &c->reply_in, &c->reply_out, CLIENT_SIDE, GATEWAY);
}

struct pkt_spec icmp_answer(struct env *t, const struct pkt_spec *in, uint8_t type, uint8_t code,
			    uint32_t rest, enum who src)
{
	struct pkt_spec answer = {
		.af = t->af,
		.src = who_addr(t->af, src),
		.dst = in->src,
		.ttl = 64,
		.tos = t->af == AF_INET ? 0xc0 : 0, /* internetwork control, as the kernel's */
		.df = true,
		.proto = t->af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.type = type,
		.code = code,
		.rest = rest,
		.quote = in,
		.quote_len = 128,
	};

	memcpy(answer.dmac, in->smac, 6);
	memcpy(answer.smac, in->dmac, 6);
	return answer;
}

struct pkt_spec icmp_from(struct env *t, enum side side, enum who src, enum who dst, uint8_t type,
			  uint8_t code, const struct pkt_spec *quote, size_t len)
{
	struct pkt_spec spec = from(t, side, src, 0, dst, 0);

	spec.proto = t->af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	spec.payload_len = 0;
	spec.type = type;
	spec.code = code;
	spec.quote = quote;
	spec.quote_len = len;
	return spec;
}

struct pkt_spec requote(const struct pkt_spec *quoted, const struct pkt_spec *was)
{
	struct pkt_spec spec = *quoted;
	struct pkt a, b;
	size_t at = spec.proto == IPPROTO_TCP ? 16 : 6;
	uint32_t sum;

	spec.src = was->src;
	spec.dst = was->dst;
	spec.sport = was->sport;
	spec.dport = was->dport;
	/* as kernel IPVS: the quoted transport checksum is not touched */
	pkt_build(&a, quoted);
	pkt_build(&b, &spec);
	sum = (b.data[b.l4 + at] << 8 | b.data[b.l4 + at + 1]) +
	      (uint16_t) ~(a.data[a.l4 + at] << 8 | a.data[a.l4 + at + 1]);
	spec.csum_error = (sum & 0xffff) + (sum >> 16);
	return spec;
}
