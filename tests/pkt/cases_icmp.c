/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors about packets that we have sent: translated, quote and all, to whoever sent them. */
#include "env.h"

#include <netinet/in.h>
#include <string.h>

#include "tap.h"

struct error {
	uint8_t type, code;
	uint32_t rest;
};

static const struct error errors[2][5] = {
	/* port unreachable, fragmentation needed, time exceeded, host unreachable, parameter */
	{ { 3, 3, 0 }, { 3, 4, 1400 }, { 11, 0, 0 }, { 3, 1, 0 }, { 12, 0, 0x14000000 } },
	{ { 1, 4, 0 }, { 2, 0, 1280 }, { 3, 0, 0 }, { 1, 3, 0 }, { 4, 1, 6 } },
};

/* An error from reporter about a packet to the server goes to the client, from the service. */
static void expect_to_client(struct env *t, const struct conn *c, enum who reporter,
			     const struct error *e, size_t len)
{
	struct pkt_spec quote = requote(&c->out, &c->in), in, out;

	in = icmp_from(t, SERVER_SIDE, reporter, VIP, e->type, e->code, &c->out, len);
	in.dst = c->out.src;
	in.rest = e->rest;
	out = in;
	out.src = c->in.dst;
	out.dst = c->in.src;
	out.ttl--;
	out.quote = &quote;
	expect_out(t, &in, &out);
}

/* An error about a packet to the client goes to the server. */
static void expect_to_server(struct env *t, const struct conn *c, enum who reporter,
			     const struct error *e, size_t len, bool snat)
{
	struct pkt_spec quote = requote(&c->reply_out, &c->reply_in), in, out;

	in = icmp_from(t, CLIENT_SIDE, reporter, VIP, e->type, e->code, &c->reply_out, len);
	in.rest = e->rest;
	out = in;
	/* with SNAT the server knows nobody but us */
	if (snat)
		out.src = c->reply_in.dst;
	out.dst = c->reply_in.src;
	out.ttl--;
	out.quote = &quote;
	expect_out(t, &in, &out);
}

static void both_ways(struct env *t, int proto, bool snat)
{
	struct conn c = conn_of(t, proto, CLIENT, 4000, snat ? DIRECTOR : CLIENT, 4000, SERVER1);
	size_t least = (t->af == AF_INET ? 20 : 40) + 8;

	simple(t, proto, snat ? IVB_SNAT_ALWAYS : IVB_SNAT_NEVER);
	go_first(t, &c);
	back_first(t, &c);
	c.out.ttl = 5; /* as it was when somebody gave it up */
	c.reply_out.ttl = 7;
	for (int i = 0; i < 5; i++) {
		const struct error *e = &errors[t->af == AF_INET6][i];

		/* the whole packet, and no more than RFC 792 asks for */
		expect_to_client(t, &c, SERVER1, e, 0);
		expect_to_client(t, &c, ROUTER, e, least);
		expect_to_server(t, &c, CLIENT, e, 0, snat);
		expect_to_server(t, &c, GATEWAY, e, least, snat);
	}
	if (proto == IPPROTO_TCP)
		check_int(t, conn_state(t, &c.in), IVB_S_SYN_RECV, "state"); /* never changed */
}

static void tcp_plain(struct env *t)
{
	both_ways(t, IPPROTO_TCP, false);
}

static void tcp_snat(struct env *t)
{
	both_ways(t, IPPROTO_TCP, true);
}

static void udp_plain(struct env *t)
{
	both_ways(t, IPPROTO_UDP, false);
}

static void udp_snat(struct env *t)
{
	both_ways(t, IPPROTO_UDP, true);
}

/* Quotes with options or extension headers, and of a first fragment. */
static void quoted_headers(struct env *t)
{
	static const uint8_t nops[] = { 1, 1, 1, 0 };
	struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	const struct error *e = errors[t->af == AF_INET6];

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	go_first(t, &c);
	if (t->af == AF_INET) {
		c.out.options = nops;
		c.out.options_len = sizeof(nops);
	} else {
		c.out.ext[0] = (struct pkt_ext){ IPPROTO_DSTOPTS, 16, 0, 0 };
		c.out.num_ext = 1;
	}
	expect_to_client(t, &c, ROUTER, e, 0);
	c.out.payload_len = 40;
	c.out.df = false;
	c.out.frag_len = 24;
	expect_to_client(t, &c, ROUTER, e, 0);
}

/* What is about nobody we know, or does not say about whom. */
static void not_ours(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	const struct error *e = errors[t->af == AF_INET6];
	size_t head = t->af == AF_INET ? 20 : 40;
	struct pkt_spec in, other;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	in = icmp_from(t, SERVER_SIDE, SERVER1, CLIENT, e->type, e->code, &c.out, 0);
	expect_next(t, &in); /* no such connection */
	go_first(t, &c);
	other = c.out;
	other.dport++;
	in.quote = &other;
	expect_next(t, &in);
	other = c.out;
	other.proto = 132;
	expect_next(t, &in);
	other.proto = IPPROTO_TCP;
	other.frag_start = 24;
	other.frag_len = 8;
	expect_next(t, &in); /* a later fragment has no ports */
	in.quote = &c.out;
	in.quote_len = head + 7;
	expect_pass(t, &in, IVB_R_PASS_TRUNCATED);
	in.quote_len = head - 1;
	expect_pass(t, &in, IVB_R_PASS_TRUNCATED);
	/* turned round: an error about what the client sent us, which we have never sent on */
	in = icmp_from(t, CLIENT_SIDE, GATEWAY, VIP, e->type, e->code, &c.in, 0);
	expect_next(t, &in);
	/* no error, but an echo or a redirect */
	in = icmp_from(t, SERVER_SIDE, SERVER1, CLIENT, t->af == AF_INET ? 5 : 137, 0, &c.out, 0);
	expect_next(t, &in);
	in.type = t->af == AF_INET ? 8 : 128;
	expect_next(t, &in);
}

static void implausible_mtu(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct error e = errors[t->af == AF_INET6][1];
	uint32_t least = t->af == AF_INET ? 576 : 1280;
	struct pkt_spec in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	in = icmp_from(t, SERVER_SIDE, ROUTER, CLIENT, e.type, e.code, &c.out, 0);
	for (uint32_t mtu = 1; mtu < least; mtu = mtu * 2 + 1) {
		in.rest = mtu;
		expect_drop(t, &in, IVB_R_ICMP_INVALID);
	}
	in.rest = least - 1;
	expect_drop(t, &in, IVB_R_ICMP_INVALID);
	e.rest = least;
	expect_to_client(t, &c, ROUTER, &e, 0);
	/* routers from before RFC 1191 say 0 */
	e.rest = 0;
	if (t->af == AF_INET)
		expect_to_client(t, &c, ROUTER, &e, 0);
}

/* No error about an error: its TTL used up, it is dropped without an answer (RFC 1122 3.2.2). */
static void ttl_of_an_error(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	const struct error *e = errors[t->af == AF_INET6];
	struct pkt_spec in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	in = icmp_from(t, SERVER_SIDE, ROUTER, CLIENT, e->type, e->code, &c.out, 0);
	in.ttl = 1;
	expect_drop(t, &in, IVB_R_TTL);
}

const struct test_case cases_icmp[] = {
	{ "ICMP errors about TCP", tcp_plain, BOTH },
	{ "ICMP errors about TCP with SNAT", tcp_snat, BOTH },
	{ "ICMP errors about UDP", udp_plain, BOTH },
	{ "ICMP errors about UDP with SNAT", udp_snat, BOTH },
	{ "ICMP errors: options and fragments quoted", quoted_headers, BOTH },
	{ "ICMP errors that are not ours", not_ours, BOTH },
	{ "ICMP errors: implausible MTU", implausible_mtu, BOTH },
	{ "ICMP errors: TTL used up", ttl_of_an_error, BOTH },
	{ 0 },
};
