/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which server a new connection gets, and what happens when there is none, or it is gone. */
#include "env.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const enum who servers[] = { SERVER1, SERVER2, SERVER3 };

/* Opens a connection a letter of order, from as many ports: A is the first server, and so on. */
static void expect_order(struct env *t, uint16_t port, const char *order)
{
	for (; *order; order++, port++) {
		enum who server = servers[*order - 'A'];
		struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, port, CLIENT, port, server);

		go_first(t, &c);
	}
}

static void rr(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b = dest_add(t, &s, SERVER2, 8080, 1),
		 c = dest_add(t, &s, SERVER3, 8080, 1);

	ring_write(t, &s, 3, 1, 0, 3, a, b, c);
	expect_order(t, 4000, "ABCABCABC");
	check_int(t, dest_counts(t, a).conns, 3, "scheduled to the first");
	check_int(t, dest_counts(t, b).inactive, 3, "inactive of the second");
	/* packets of known connections do not move the ring */
	expect_order(t, 4001, "BC");
	check_int(t, dest_counts(t, b).conns, 3, "scheduled to the second");
}

/* Weights 3, 2 and 1: passes over {A}, {A, B}, {A, B, C}. */
static void wrr(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 3), b = dest_add(t, &s, SERVER2, 8080, 2),
		 c = dest_add(t, &s, SERVER3, 8080, 1);

	ring_write(t, &s, 6, 3, 0, 1, a, 1, 2, a, b, 3, 3, a, b, c);
	expect_order(t, 4000, "AABABCAABABC");
	check_int(t, dest_counts(t, a).conns, 6, "scheduled to the first");
	check_int(t, dest_counts(t, b).conns, 4, "scheduled to the second");
	check_int(t, dest_counts(t, c).conns, 2, "scheduled to the third");
}

/* A segment is gone through several times: weights 5 and 2 are {A} x 3 and {A, B} x 2. */
static void wrr_long_segment(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 5), b = dest_add(t, &s, SERVER2, 8080, 2);

	ring_write(t, &s, 7, 2, 0, 1, a, 3, 2, a, b);
	expect_order(t, 4000, "AAAABABAAAABAB");
}

/* An update of the service switches to the other slice at once. */
static void slice_switch(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b;

	ring_write(t, &s, 1, 1, 0, 1, a);
	expect_order(t, 4000, "AA");
	s.value.sched++;
	b = dest_add(t, &s, SERVER2, 8080, 1);
	ring_write(t, &s, 2, 1, 0, 2, b, a);
	expect_order(t, 4002, "BABA");
}

static void expect_unreachable(struct env *t, int proto, uint16_t port)
{
	struct conn c = conn_of(t, proto, CLIENT, port, CLIENT, port, SERVER1);
	struct pkt_spec answer;

	c.in.flags = TCP_SYN;
	answer = icmp_answer(t, &c.in, t->af == AF_INET ? 3 : 1, t->af == AF_INET ? 3 : 4, 0, VIP);
	expect_icmp(t, &c.in, &answer, IVB_R_NO_DEST);
}

/* A service of a scheduler that compares: its pairs of slot and weight. */
static void compare_by(struct env *t, struct service *s, enum ivb_scheduler scheduler,
		       const uint32_t *slots, const uint32_t *weights, uint32_t n)
{
	uint32_t words[2 * 8];

	for (uint32_t i = 0; i < n; i++) {
		words[2 * i] = slots[i];
		words[2 * i + 1] = weights[i];
	}
	table_write(t, s, scheduler, n, words, 2 * n);
}

/* UDP connections count as inactive, so only lc and wlc see them. */
static void compared(struct env *t)
{
	static const struct {
		enum ivb_scheduler scheduler;
		const char *order;
	} cases[] = {
		{ IVB_SCHED_LC, "ABCABCA" },   { IVB_SCHED_WLC, "ABCBCBA" },
		{ IVB_SCHED_SED, "BBBBBBB" },  { IVB_SCHED_NQ, "AAAAAAA" },
		{ IVB_SCHED_FO, "BBBBBBB" },   { IVB_SCHED_OVF, "BBBBBBB" },
		{ IVB_SCHED_LBLC, "AAAAAAA" }, { IVB_SCHED_LBLCR, "AAAAAAA" },
	};
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	const uint32_t weights[] = { 1, 3, 2 };
	uint32_t slots[3];

	for (int i = 0; i < 3; i++)
		slots[i] = dest_add(t, &s, servers[i], 8080, weights[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		compare_by(t, &s, cases[i].scheduler, slots, weights, 3);
		expect_order(t, 4000, cases[i].order);
		conns_forget(t);
	}
}

/* Active connections weigh as 257. */
static void compared_active(struct env *t)
{
	static const struct {
		enum ivb_scheduler scheduler;
		const char *order;
	} cases[] = {
		{ IVB_SCHED_LC, "ABCAB" },
		{ IVB_SCHED_WLC, "ABCBC" },
		{ IVB_SCHED_SED, "BCBCA" },
		{ IVB_SCHED_NQ, "ABCBC" },
		{ IVB_SCHED_OVF, "BBBBC" },
		/* the second and third have as much in the end; the last one of the set takes it */
		{ IVB_SCHED_LBLC, "AABBBBCCCCCC" },
		{ IVB_SCHED_LBLCR, "AABBBBCCCCCB" },
	};
	struct service s = service_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_NEVER);
	const uint32_t weights[] = { 1, 3, 3 };
	uint32_t slots[3];

	for (int i = 0; i < 3; i++)
		slots[i] = dest_add(t, &s, servers[i], 8080, weights[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *order = cases[i].order;

		compare_by(t, &s, cases[i].scheduler, slots, weights, 3);
		for (uint16_t n = 0; order[n]; n++) {
			struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000 + n, CLIENT, 4000 + n,
						servers[order[n] - 'A']);

			go_first(t, &c);
		}
		conns_forget(t);
	}
}

/* Connections to whatever server. */
static void connect_blind(struct env *t, uint16_t port, uint16_t n)
{
	struct pkt_spec in;

	for (; n--; port++) {
		in = from(t, CLIENT_SIDE, CLIENT, port, VIP, 80);
		in.proto = IPPROTO_UDP;
		send_blind(t, &in);
	}
}

/*
 * By chance, but not only: where both lots fall on one server it gets the connection, else the one
 * that has fewer.
 */
static void two_choices(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	const uint32_t weights[] = { 2, 2 };
	uint32_t slots[2], first;

	for (int i = 0; i < 2; i++)
		slots[i] = dest_add(t, &s, servers[i], 8080, weights[i]);
	compare_by(t, &s, IVB_SCHED_TWOS, slots, weights, 2);
	connect_blind(t, 4000, 64);
	first = dest_counts(t, slots[0]).inactive;
	check_int(t, first + dest_counts(t, slots[1]).inactive, 64, "connections");
	check(t, first >= 16 && first <= 48, "about as many for each server: %u of 64", first);
	dest_limit(t, slots[0], 1, 0);
	connect_blind(t, 5000, 16);
	check(t, dest_counts(t, slots[0]).inactive <= first + 1, "it has a limit");
}

/* Overloaded servers are passed over, and rr and wrr go on behind the one that was taken. */
static void overloaded(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 3), b = dest_add(t, &s, SERVER2, 8080, 2),
		 c = dest_add(t, &s, SERVER3, 8080, 1);

	ring_write(t, &s, 6, 3, 0, 1, a, 1, 2, a, b, 3, 3, a, b, c);
	dest_limit(t, a, 2, 0);
	expect_order(t, 4000, "AABBCBBC");
	check_int(t, dest_counts(t, a).overloaded, 1, "the first has reached its limit");
	dest_limit(t, b, 5, 0);
	dest_limit(t, c, 3, 0);
	expect_order(t, 4010, "BC");
	expect_unreachable(t, IPPROTO_UDP, 4020);
	expect_unreachable(t, IPPROTO_UDP, 4020);
	check_int(t, dest_counts(t, b).overloaded, 1, "as has the second");
}

static void no_server(struct env *t)
{
	struct service s = service_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_NEVER);

	/* never any, and all of weight 0 */
	expect_unreachable(t, IPPROTO_TCP, 4000);
	dest_add(t, &s, SERVER1, 8080, 0);
	ring_write(t, &s, 0, 0);
	expect_unreachable(t, IPPROTO_TCP, 4000);
	service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_ALWAYS);
	expect_unreachable(t, IPPROTO_UDP, 4000);
	check_int(t, flows_count(t), 0, "flows");
}

/* The answer quotes 128 bytes of a long packet, all of a short one. */
static void unreachable_quotes(struct env *t)
{
	static const size_t lengths[] = { 0, 1, 7, 99, 100, 101, 1000 };

	service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80), answer;

		in.proto = IPPROTO_UDP;
		in.payload_len = lengths[i];
		answer = icmp_answer(t, &in, t->af == AF_INET ? 3 : 1, t->af == AF_INET ? 3 : 4, 0,
				     VIP);
		expect_icmp(t, &in, &answer, IVB_R_NO_DEST);
	}
}

/* A removed server: the client's packets are dropped, its replies pass, a SYN goes elsewhere. */
static void removed_server(struct env *t)
{
	struct service s = service_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b = dest_add(t, &s, SERVER2, 8080, 1);
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1), d;

	ring_write(t, &s, 1, 1, 0, 1, a);
	go_first(t, &c);
	back_first(t, &c);
	go(t, &c, TCP_ACK);
	dest_set_state(t, a, IVB_DEST_REMOVED);
	s.value.sched++;
	ring_write(t, &s, 1, 1, 0, 1, b);
	service_zone(t, &s, ZONE);
	expect_drop(t, &c.in, IVB_R_DEST_GONE);
	back(t, &c, TCP_ACK);
	d = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER2);
	go_first(t, &d);
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, dest_counts(t, a).active, 0, "active of the removed server");
	check_int(t, dest_counts(t, b).active, 1, "active of the other");
}

/* A connection to the first of two servers, which is then removed; or gets weight 0. */
static struct conn left_alone(struct env *t, int proto, bool removed)
{
	struct service s = service_add(t, proto, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b = dest_add(t, &s, SERVER2, 8080, 1);
	struct conn c = conn_of(t, proto, CLIENT, 4000, CLIENT, 4000, SERVER1);

	ring_write(t, &s, 1, 1, 0, 1, a);
	go_first(t, &c);
	back_first(t, &c);
	if (removed)
		dest_set_state(t, a, IVB_DEST_REMOVED);
	else
		dest_set_weight(t, a, 0);
	s.value.sched++;
	ring_write(t, &s, 1, 1, 0, 1, b);
	service_zone(t, &s, ZONE);
	return c;
}

/* UDP has no handshake to miss: it goes to another server at once, if there is one. */
static void removed_server_udp(struct env *t)
{
	struct conn c = left_alone(t, IPPROTO_UDP, true), d;

	back(t, &c, 0);
	d = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER2);
	go_first(t, &d);
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, dest_counts(t, 0).inactive, 0, "inactive of the removed server");
	check_int(t, dest_counts(t, 1).inactive, 1, "inactive of the other");
}

static void removed_service_udp(struct env *t)
{
	struct service s = simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	go_first(t, &c);
	dest_set_state(t, 0, IVB_DEST_REMOVED);
	s.value.num_dests = 0;
	service_zone(t, &s, ZONE);
	expect_drop(t, &c.in, IVB_R_DEST_GONE);
	service_zone(t, &s, ZONE + 1);
	expect_drop(t, &c.in, IVB_R_DEST_GONE);
	dest_set_state(t, 0, IVB_DEST_AVAILABLE);
	go(t, &c, 0);
}

static void expire_nodest(struct env *t)
{
	struct conn c, d;

	t->config.flags |= IVB_CONFIG_EXPIRE_NODEST;
	config_write(t);
	c = left_alone(t, IPPROTO_TCP, true);
	back(t, &c, TCP_ACK);
	c.in.flags = TCP_ACK;
	expect_pass(t, &c.in, IVB_R_PASS_NOT_FIRST);
	check_int(t, flows_count(t), 0, "flows");
	check_int(t, dest_counts(t, 0).active, 0, "active of the removed server");
	d = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER2);
	go_first(t, &d);
}

/* expire_nodest_conn and weight 0: only a SYN goes elsewhere. */
static void expire_nodest_quiesced(struct env *t)
{
	struct conn c, d;

	t->config.flags |= IVB_CONFIG_EXPIRE_NODEST;
	config_write(t);
	c = left_alone(t, IPPROTO_TCP, false);
	go(t, &c, TCP_ACK);
	d = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER2);
	go_first(t, &d);
	check_int(t, dest_counts(t, 0).active, 0, "active of the one of weight 0");
	check_int(t, dest_counts(t, 1).active, 1, "active of the other");
}

/* Weight 0: no new connections, those that are there go on. */
static void quiesced_server(struct env *t)
{
	struct service s = simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	go_first(t, &c);
	s.value.sched++;
	ring_write(t, &s, 0, 0);
	service_zone(t, &s, ZONE);
	go(t, &c, TCP_ACK);
	expect_unreachable(t, IPPROTO_TCP, 4001);
	go(t, &c, TCP_ACK);
}

/* The ring names a server that is another service's by now: the sender tries again. */
static void ring_out_of_date(struct env *t)
{
	struct service s = simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	struct service other = service_add(t, IPPROTO_TCP, VIP2, 80, IVB_SNAT_NEVER);
	uint32_t theirs = dest_add(t, &other, SERVER2, 8080, 1);
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	in.flags = TCP_SYN;
	ring_write(t, &s, 1, 1, 0, 1, theirs);
	expect_drop(t, &in, IVB_R_RACE);
	dest_set_state(t, 0, IVB_DEST_REMOVED);
	ring_write(t, &s, 1, 1, 0, 1, 0);
	expect_drop(t, &in, IVB_R_RACE);
	ring_write(t, &s, 1, 1, 0, 1, 1000000); /* no such slot */
	expect_unreachable(t, IPPROTO_TCP, 4000);
	check_int(t, flows_count(t), 0, "flows");
}

const struct test_case cases_sched[] = {
	{ "rr", rr, BOTH },
	{ "wrr", wrr, BOTH },
	{ "wrr, a segment gone through twice", wrr_long_segment, BOTH },
	{ "by counts: inactive connections", compared, BOTH },
	{ "by counts: active connections", compared_active, BOTH },
	{ "the power of two choices", two_choices, BOTH },
	{ "overloaded servers", overloaded, BOTH },
	{ "service update switches slices", slice_switch, BOTH },
	{ "no server: port unreachable", no_server, BOTH },
	{ "no server: how much is quoted", unreachable_quotes, BOTH },
	{ "removed server", removed_server, BOTH },
	{ "removed server, UDP", removed_server_udp, BOTH },
	{ "removed server, UDP: there is no other", removed_service_udp, BOTH },
	{ "removed server, expire_nodest_conn", expire_nodest, BOTH },
	{ "server of weight 0, expire_nodest_conn", expire_nodest_quiesced, BOTH },
	{ "server of weight 0", quiesced_server, BOTH },
	{ "ring out of date", ring_out_of_date, BOTH },
	{ 0 },
};
