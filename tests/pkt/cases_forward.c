/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways out and what stands in them: TTL, MTU, options, next hops, routes, devices. */
#include "env.h"

#include <netinet/in.h>
#include <string.h>

#include "tap.h"

#define TIME_EXCEEDED(t) ((t)->af == AF_INET ? 11 : 3)
#define TOO_BIG_TYPE(t) ((t)->af == AF_INET ? 3 : 2)
#define TOO_BIG_CODE(t) ((t)->af == AF_INET ? 4 : 0)

static void expect_time_exceeded(struct env *t, struct pkt_spec in, enum who src)
{
	struct pkt_spec answer;

	for (int ttl = 0; ttl < 2; ttl++) {
		in.ttl = ttl;
		answer = icmp_answer(t, &in, TIME_EXCEEDED(t), 0, 0, src);
		expect_icmp(t, &in, &answer, IVB_R_TTL);
	}
}

static void ttl(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct conn s = conn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 4000, SERVER1);
	struct pkt_spec syn = conn_of(t, IPPROTO_TCP, CLIENT, 4001, CLIENT, 4001, SERVER1).in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	go_first(t, &c);
	back_first(t, &c);
	c.in.ttl = c.reply_in.ttl = 2;
	c.out.ttl = c.reply_out.ttl = 1;
	go(t, &c, TCP_ACK);
	back(t, &c, TCP_ACK);
	/* the answer comes from where the packet was sent to; to a server without SNAT, from VIP */
	expect_time_exceeded(t, c.in, VIP);
	expect_time_exceeded(t, c.reply_in, VIP);
	go_first(t, &s);
	expect_time_exceeded(t, s.in, VIP);
	expect_time_exceeded(t, s.reply_in, DIRECTOR);
	/* traceroute -T */
	syn.flags = TCP_SYN;
	expect_time_exceeded(t, syn, VIP);
}

/* What is a router's to fragment is not ours: only with DF, and with IPv6, is there an answer. */
static void expect_too_big(struct env *t, struct pkt_spec in, uint32_t mtu, enum who src)
{
	struct pkt_spec answer = icmp_answer(t, &in, TOO_BIG_TYPE(t), TOO_BIG_CODE(t), mtu, src);

	expect_icmp(t, &in, &answer, IVB_R_TOO_BIG);
	if (t->af == AF_INET) {
		in.df = false;
		expect_drop(t, &in, IVB_R_TOO_BIG);
	}
}

static void mtu(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, FAR);
	size_t room = SMALL_MTU - (t->af == AF_INET ? 20 : 40) - 20;

	simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, FAR);
	go_first(t, &c);
	back_first(t, &c);
	c.in.payload_len = c.out.payload_len = room;
	go(t, &c, TCP_ACK);
	c.in.payload_len = room + 1;
	nexthops_fresh(t);
	expect_too_big(t, c.in, SMALL_MTU, VIP);
	/* and when the routing tables are asked */
	nexthops_age(t, 2 * t->hz);
	expect_too_big(t, c.in, SMALL_MTU, VIP);
	/* back to the client, with the device's MTU */
	c.reply_in.payload_len = c.reply_out.payload_len = room + 200;
	back(t, &c, TCP_ACK);
	c.reply_in.payload_len++;
	nexthops_fresh(t);
	expect_too_big(t, c.reply_in, 1500, VIP);
	nexthops_age(t, 2 * t->hz);
	expect_too_big(t, c.reply_in, 1500, VIP);
}

/* A GSO packet is as large as its headers and gso_size. */
static void mtu_gso(struct env *t)
{
	static const uint8_t options[12] = { 1, 1, 8, 10 };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, FAR);
	size_t room = SMALL_MTU - (t->af == AF_INET ? 20 : 40) - 20;

	simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, FAR);
	go_first(t, &c);
	c.in.payload_len = c.out.payload_len = 3000;
	gso(room);
	go(t, &c, TCP_ACK);
	gso(room + 1);
	expect_too_big(t, c.in, SMALL_MTU, VIP);
	/* TCP's options are headers, too */
	c.in.tcp_options = c.out.tcp_options = options;
	c.in.tcp_options_len = c.out.tcp_options_len = sizeof(options);
	gso(room - 12);
	go(t, &c, TCP_ACK);
	gso(room - 11);
	expect_too_big(t, c.in, SMALL_MTU, VIP);
}

static void mtu_gso_slow(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, FAR);
	size_t room = SMALL_MTU - (t->af == AF_INET ? 20 : 40) - 20;

	simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, FAR);
	go_first(t, &c);
	c.in.payload_len = c.out.payload_len = 3000;
	nexthops_age(t, 2 * t->hz);
	gso(room + 1);
	expect_too_big(t, c.in, SMALL_MTU, VIP);
	gso(room);
	expect_out(t, &c.in, &c.out);
}

static void options4(struct env *t)
{
	static const uint8_t nops[] = { 1, 1, 1, 0 };
	static const uint8_t record[] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	static const uint8_t loose[] = { 131, 7, 4, 192, 0, 2, 1, 0 };
	static const uint8_t strict[] = { 1, 137, 7, 4, 192, 0, 2, 1 };
	static const uint8_t broken[] = { 7, 60, 4, 0 };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	c.in.options = c.out.options = nops;
	c.in.options_len = c.out.options_len = sizeof(nops);
	go_first(t, &c);
	c.in.options = c.out.options = record;
	c.in.options_len = c.out.options_len = sizeof(record);
	go(t, &c, TCP_ACK);
	in = c.in;
	in.options = loose;
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	in.options = strict;
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	in.sport = 4001;
	in.flags = TCP_SYN;
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	in.options = broken;
	in.options_len = sizeof(broken);
	expect_pass(t, &in, IVB_R_PASS_TRUNCATED);
	in = c.reply_in;
	in.options = loose;
	in.options_len = sizeof(loose);
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	check_int(t, flows_count(t), 2, "flows");
}

static void extensions6(struct env *t)
{
	static const struct pkt_ext hop = { IPPROTO_HOPOPTS, 8, 0, 0 };
	static const struct pkt_ext dst = { IPPROTO_DSTOPTS, 24, 0, 0 };
	static const struct pkt_ext done = { IPPROTO_ROUTING, 24, 4, 0 };
	static const struct pkt_ext todo = { IPPROTO_ROUTING, 24, 4, 1 };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	c.in.ext[0] = c.out.ext[0] = hop;
	c.in.num_ext = c.out.num_ext = 1;
	go_first(t, &c);
	c.in.ext[1] = c.out.ext[1] = dst;
	c.in.ext[2] = c.out.ext[2] = done;
	c.in.num_ext = c.out.num_ext = 3;
	go(t, &c, TCP_ACK);
	in = c.in;
	in.ext[2] = todo;
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	in.sport = 4001;
	in.flags = TCP_SYN;
	expect_drop(t, &in, IVB_R_IP_OPTIONS);
	check_int(t, flows_count(t), 2, "flows");
	/* answers quote what came, extension headers and all */
	c.in.ttl = 1;
	expect_time_exceeded(t, c.in, VIP);
}

/* Younger than a second: MACs from the cache. Older: the kernel is asked, and the cache renewed. */
static void nexthop_cache(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	go(t, &c, TCP_ACK);
	nexthops_age(t, t->hz + 1);
	expect_out(t, &c.in, &c.out);
	go(t, &c, TCP_ACK);
	/* another CPU is writing: the packet goes all the same */
	nexthops_age(t, t->hz + 1);
	nexthops_lock(t, 1);
	expect_out(t, &c.in, &c.out);
	expect_out(t, &c.in, &c.out);
	nexthops_lock(t, 0);
	expect_out(t, &c.in, &c.out);
	go(t, &c, TCP_ACK);
}

/* The server's MAC changes: within a second the cache follows. */
static void nexthop_moves(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec moved = by_way_of(c.out, SERVER_SIDE, SERVER2);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	go(t, &c, TCP_ACK);
	neighbour_set(t, SERVER1, SERVER2);
	nexthops_age(t, 2 * t->hz);
	expect_out(t, &c.in, &c.out);
	expect_fast(t, &c.in, &moved);
	neighbour_set(t, SERVER1, SERVER1);
}

/* No neighbour entry: nothing to cache, the kernel resolves it packet by packet. */
static void nexthop_silent(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER_SILENT);

	simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, SERVER_SILENT);
	c.in.flags = c.out.flags = TCP_SYN;
	expect_out(t, &c.in, &c.out);
	expect_out(t, &c.in, &c.out);
	check(t, !nexthop_known(t, &c.out.src, &c.out.dst), "nothing is cached");
}

static void no_route(struct env *t)
{
	static const enum who nowhere[] = { SERVER_UNROUTED, SERVER_UNREACHABLE, DIRECTOR };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	for (int i = 0; i < 3; i++) {
		struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

		env_reset_maps(t);
		simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, nowhere[i]);
		in.flags = TCP_SYN;
		expect_drop(t, &in, IVB_R_NO_ROUTE);
		check_int(t, flows_count(t), 0, "flows");
	}
	/* the route goes while the connection lives */
	env_reset_maps(t);
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	back_first(t, &c);
	ip_command(t, "route add unreachable %s", who_text(t->af, CLIENT));
	nexthops_age(t, 2 * t->hz);
	expect_drop(t, &c.reply_in, IVB_R_NO_ROUTE);
	ip_command(t, "route del unreachable %s", who_text(t->af, CLIENT));
	expect_out(t, &c.reply_in, &c.reply_out);
}

static void not_forwarding(struct env *t)
{
	const char *path =
		t->af == AF_INET ? "ipv4/conf/cli0/forwarding" : "ipv6/conf/cli0/forwarding";
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in = c.in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	in.flags = TCP_SYN;
	sysctl_write(path, "0");
	expect_drop(t, &in, IVB_R_FWD_DISABLED);
	check_int(t, flows_count(t), 0, "flows");
	sysctl_write(path, "1");
	/* the service's address was asked for while the device did not forward */
	go_first(t, &c);
}

static void unattached(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER_OUTSIDE);

	simple_to(t, IPPROTO_TCP, IVB_SNAT_NEVER, SERVER_OUTSIDE);
	in.flags = TCP_SYN;
	expect_drop(t, &in, IVB_R_DEV_UNATTACHED);
	expect_drop(t, &in, IVB_R_DEV_UNATTACHED); /* with the next hop known */
	device_attach(t, OUTSIDE, ZONE + 1);
	expect_drop(t, &in, IVB_R_DEV_UNATTACHED);
	check_int(t, flows_count(t), 0, "flows");
	device_attach(t, OUTSIDE, ZONE);
	nexthops_age(t, 2 * t->hz);
	in = c.out;
	in.flags = c.in.flags = TCP_SYN;
	expect_out(t, &c.in, &in);
}

/* No more than a bucket of tokens a CPU; then drops alone, counted twice: why, and why silent. */
static void icmp_limit(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);
	uint32_t sent = 0, limited = 0;

	in.proto = IPPROTO_UDP;
	service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	while (sent + limited < 3000 && !limited)
		send_counting(t, &in, IVB_R_ICMP_SENT, &sent, IVB_R_ICMP_LIMITED, &limited);
	check(t, sent >= 50, "%u answers before the limit", sent);
	check_int(t, limited, 1, "limited");
	t->covered[IVB_R_ICMP_LIMITED] |= limited;
}

const struct test_case cases_forward[] = {
	{ "TTL used up", ttl, BOTH },
	{ "MTU", mtu, BOTH },
	{ "MTU and GSO", mtu_gso, BOTH },
	{ "MTU and GSO, next hop not known", mtu_gso_slow, BOTH },
	{ "IPv4 options", options4, V4 },
	{ "IPv6 extension headers", extensions6, V6 },
	{ "next hop: a second's cache", nexthop_cache, BOTH },
	{ "next hop: another MAC", nexthop_moves, BOTH },
	{ "next hop: no neighbour entry", nexthop_silent, BOTH },
	{ "no route to the server", no_route, BOTH },
	{ "forwarding switched off", not_forwarding, BOTH },
	{ "server behind a device that is not attached", unattached, BOTH },
	{ "limit of ICMP errors", icmp_limit, BOTH },
	{ 0 },
};
