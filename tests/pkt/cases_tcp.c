/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP states: every packet kind from either side in every state, and the lives of connections. */
#include "env.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[IVB_S_MAX_] = {
	[IVB_S_NONE] = "NO",	 [IVB_S_ESTABLISHED] = "ES", [IVB_S_SYN_SENT] = "SS",
	[IVB_S_SYN_RECV] = "SR", [IVB_S_FIN_WAIT] = "FW",    [IVB_S_TIME_WAIT] = "TW",
	[IVB_S_CLOSE] = "CL",	 [IVB_S_CLOSE_WAIT] = "CW",  [IVB_S_LAST_ACK] = "LA",
	[IVB_S_LISTEN] = "LI",	 [IVB_S_SYNACK] = "SA",	     [IVB_S_UDP] = "UD",
};

static uint32_t state_named(const char *name)
{
	for (uint32_t s = 0; s < IVB_S_MAX_; s++)
		if (!strncmp(name, state_names[s], 2))
			return s;
	return IVB_S_MAX_;
}

/*
 * Kernel IPVS's table (net/netfilter/ipvs/ip_vs_proto_tcp.c): the column is the old state.
 * A client's SYN in TW or CL is not in it: that starts a new connection.
 */
static const char columns[] = "ES SS SR FW TW CL CW LA LI SA";
static const struct transition {
	bool reply;
	uint8_t flags;
	const char *next;
} transitions[] = {
	{ false, TCP_SYN, "ES ES SR SR -- -- SR SR SR SR" },
	{ false, TCP_FIN | TCP_ACK, "CW SS TW TW TW CL CW LA LI TW" },
	{ false, TCP_ACK, "ES SS ES FW TW CL CW CL LI ES" },
	{ false, TCP_RST, "CL CL SR CL CL CL CL LA LI SR" },
	{ true, TCP_SYN | TCP_ACK, "ES SS SR SS SS SS SS SS LI SR" },
	{ true, TCP_FIN | TCP_ACK, "FW SS TW FW TW CL TW LA LI TW" },
	{ true, TCP_ACK, "ES SS ES FW TW CL CW LA ES ES" },
	{ true, TCP_RST | TCP_ACK, "CL SS CL CL TW CL CL CL CL CL" },
	/* RST beats SYN and FIN, SYN beats FIN; none of the four moves nothing */
	{ false, TCP_RST | TCP_FIN, "CL CL SR CL CL CL CL LA LI SR" },
	{ true, TCP_SYN | TCP_FIN, "ES SS SR SS SS SS SS SS LI SR" },
	{ false, TCP_PSH, "ES SS SR FW TW CL CW LA LI SA" },
};

static bool is_active(uint32_t state)
{
	return state == IVB_S_ESTABLISHED || state == IVB_S_SYN_SENT || state == IVB_S_SYN_RECV ||
	       state == IVB_S_SYNACK;
}

/* State, what the server is counted, and the stamp. */
static void expect_state(struct env *t, const struct conn *c, uint32_t want, const char *what)
{
	int32_t due = t->config.timeouts[want], left = conn_expires_in(t, &c->in);
	uint32_t got = conn_state(t, &c->in);

	check(t, got == want, "%s: state %s, expected %s", what,
	      got < IVB_S_MAX_ ? state_names[got] : "none", state_names[want]);
	check(t, left <= due + 2 && left > due - 5 * (int32_t)t->hz,
	      "%s: state %s ends in %d jiffies, expected %d", what, state_names[want], left, due);
	check_int(t, dest_counts(t, 0).active, is_active(want), "active");
	check_int(t, dest_counts(t, 0).inactive, !is_active(want), "inactive");
}

static void every_transition(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	char what[64];

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	back_first(t, &c);
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		const struct transition *tr = &transitions[i];

		for (size_t at = 0; at < sizeof(columns); at += 3) {
			const char *col = columns + at, *next = tr->next + at;

			if (next[0] == '-')
				continue;
			conn_set_state(t, &c.in, state_named(col));
			conn_expire_in(t, &c.in, 5 * t->hz);
			if (tr->reply)
				back(t, &c, tr->flags);
			else
				go(t, &c, tr->flags);
			snprintf(what, sizeof(what), "%.2s, %s sends %02x", col,
				 tr->reply ? "server" : "client", tr->flags);
			expect_state(t, &c, state_named(next), what);
		}
	}
}

struct step {
	bool reply;
	uint8_t flags;
	uint32_t state;
};

static void live(struct env *t, const struct step *steps)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	char what[32];

	env_reset_maps(t);
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	expect_state(t, &c, IVB_S_SYN_RECV, "first SYN");
	back_first(t, &c);
	for (int i = 0; steps[i].flags; i++) {
		if (steps[i].reply)
			back(t, &c, steps[i].flags);
		else
			go(t, &c, steps[i].flags);
		snprintf(what, sizeof(what), "packet %d", i + 3);
		expect_state(t, &c, steps[i].state, what);
	}
}

static void lives(struct env *t)
{
	static const struct step client_closes[] = {
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ false, TCP_ACK | TCP_PSH, IVB_S_ESTABLISHED },
		{ true, TCP_ACK, IVB_S_ESTABLISHED },
		{ false, TCP_FIN | TCP_ACK, IVB_S_CLOSE_WAIT },
		{ true, TCP_ACK, IVB_S_CLOSE_WAIT },
		{ true, TCP_FIN | TCP_ACK, IVB_S_TIME_WAIT },
		{ false, TCP_ACK, IVB_S_TIME_WAIT },
		{ 0 },
	};
	static const struct step server_closes[] = {
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ true, TCP_FIN | TCP_ACK, IVB_S_FIN_WAIT },
		{ false, TCP_ACK, IVB_S_FIN_WAIT },
		{ false, TCP_FIN | TCP_ACK, IVB_S_TIME_WAIT },
		{ true, TCP_ACK, IVB_S_TIME_WAIT },
		{ 0 },
	};
	static const struct step reset[] = {
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ true, TCP_RST, IVB_S_CLOSE },
		{ 0 },
	};
	static const struct step refused[] = { { true, TCP_RST | TCP_ACK, IVB_S_CLOSE }, { 0 } };
	/* the same ports again before the old connection is over */
	static const struct step reopened[] = {
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ true, TCP_ACK, IVB_S_ESTABLISHED },
		{ true, TCP_FIN | TCP_ACK, IVB_S_FIN_WAIT },
		{ false, TCP_SYN, IVB_S_SYN_RECV },
		{ true, TCP_SYN | TCP_ACK, IVB_S_SYN_RECV },
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ false, TCP_FIN | TCP_ACK, IVB_S_CLOSE_WAIT },
		{ 0 },
	};
	/* and the server acknowledges, which it has done before */
	static const struct step reopened_acked[] = {
		{ false, TCP_ACK, IVB_S_ESTABLISHED },
		{ true, TCP_ACK, IVB_S_ESTABLISHED },
		{ false, TCP_FIN | TCP_ACK, IVB_S_CLOSE_WAIT },
		{ false, TCP_SYN, IVB_S_SYN_RECV },
		{ true, TCP_ACK, IVB_S_ESTABLISHED },
		{ 0 },
	};

	live(t, client_closes);
	live(t, server_closes);
	live(t, reset);
	live(t, refused);
	live(t, reopened);
	live(t, reopened_acked);
}

/* A SYN on a connection that is over is scheduled afresh, and the old one's traffic counted. */
static void scheduled_afresh(struct env *t)
{
	static const uint32_t over[] = { IVB_S_TIME_WAIT, IVB_S_CLOSE };
	size_t ip = t->af == AF_INET ? 20 : 40;

	for (int i = 0; i < 2; i++) {
		struct service s;
		struct conn a, b;
		uint32_t one, two;

		env_reset_maps(t);
		s = service_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_ALWAYS);
		one = dest_add(t, &s, SERVER1, 8080, 1);
		two = dest_add(t, &s, SERVER2, 8080, 1);
		ring_write(t, &s, 2, 1, 0, 2, one, two);
		a = conn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000, SERVER1);
		b = conn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000, SERVER2);
		go_first(t, &a);
		back_first(t, &a);
		go(t, &a, TCP_ACK);
		conn_set_state(t, &a.in, over[i]);
		go_first(t, &b);
		check_int(t, flows_count(t), 2, "flows");
		check_int(t, conn_state(t, &b.in), IVB_S_SYN_RECV, "state");
		check_int(t, dest_counts(t, one).inactive, 0, "inactive of the first server");
		check_int(t, dest_counts(t, one).in_packets, 2, "its packets");
		check_int(t, dest_counts(t, one).in_bytes, 2 * (ip + 37), "its bytes");
		check_int(t, dest_counts(t, one).out_packets, 1, "its packets out");
		check_int(t, dest_counts(t, one).out_bytes, ip + 25, "its bytes out");
		check_int(t, dest_counts(t, two).active, 1, "active of the second");
		back_first(t, &b);
	}
}

/* A SYN on a connection that lives is a retransmission, or the server's to judge. */
static void not_scheduled_afresh(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	go(t, &c, TCP_SYN);
	expect_state(t, &c, IVB_S_SYN_RECV, "SYN repeated");
	back_first(t, &c);
	go(t, &c, TCP_SYN);
	expect_state(t, &c, IVB_S_SYN_RECV, "SYN repeated after SYN-ACK");
	go(t, &c, TCP_ACK);
	go(t, &c, TCP_SYN);
	expect_state(t, &c, IVB_S_ESTABLISHED, "SYN in an established connection");
	check_int(t, dest_counts(t, 0).conns, 1, "scheduled");
}

/* A connection in state NONE is being removed: the sender tries again. */
static void being_removed(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec fin = c.in;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	conn_set_state(t, &c.in, IVB_S_NONE);
	fin.flags = TCP_FIN | TCP_ACK;
	expect_drop(t, &fin, IVB_R_RACE);
	conn_set_state(t, &c.in, IVB_S_SYN_RECV);
}

const struct test_case cases_tcp[] = {
	{ "TCP: every transition", every_transition, BOTH },
	{ "TCP: lives", lives, BOTH },
	{ "TCP: scheduled afresh", scheduled_afresh, BOTH },
	{ "TCP: SYN repeated", not_scheduled_afresh, BOTH },
	{ "TCP: connection being removed", being_removed, BOTH },
	{ 0 },
};
