/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of kernel IPVS's through a tunnel: the client's packet in one from the director to
 * the server.
 */
#include "kernel.h"

#include <netinet/in.h>
#include <string.h>

/* A connection, and what leaves: packets that stand in the note's outlive it. */
struct tunnel {
	struct kconn k;
	struct pkt_spec inner;
};

static struct pkt_spec outer_of(struct env *t, const struct pkt_spec *inner)
{
	struct pkt_spec o = {
		.af = t->af,
		.src = who_addr(t->af, DIRECTOR),
		.dst = who_addr(t->af, SERVER1),
		.ttl = inner->ttl,
		.tos = inner->tos,
		.df = inner->df,
		.proto = t->af == AF_INET ? IPPROTO_IPIP : IPPROTO_IPV6,
		.quote = inner,
	};

	return by_way_of(o, SERVER_SIDE, SERVER1);
}

static void tunnel_to(struct env *t, struct tunnel *u, int proto)
{
	u->k = kconn_of(t, proto, CLIENT, 4000, CLIENT, 4000);
	u->k.note.flags |= NOTE_DIRECT | NOTE_TUNNEL | NOTE_PMTU_DISC;
	u->k.note.dport = u->k.note.vport;
	u->inner = translated(t, &u->k.c.in, CLIENT, 4000, VIP, 80);
	u->k.left = u->k.left_snat = outer_of(t, &u->inner);
}

/* Learnt from kernel IPVS's own packet, with a lease. */
static void tunnel_open(struct env *t, struct tunnel *u)
{
	kconn_renew(t, &u->k);
	lease_set(t, &u->k.c.in, 1000 * t->hz);
	arriving(t);
	send_blind(t, &u->k.c.in);
}

static void through_tunnel(struct env *t)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (int i = 0; i < 2; i++) {
		struct tunnel u;

		tunnel_to(t, &u, protos[i]);
		tunnel_open(t, &u);
		check_int(t, flow_flags(t, &u.k.c.in),
			  IVB_FLOW_KERNEL | IVB_FLOW_DIRECT | IVB_FLOW_TUNNEL, "flags");
		expect_fast(t, &u.k.c.in, &u.k.left);
		check_int(t, enter_seen(t)->mark, MARK_CARRIED, "mark");
		lease_set(t, &u.k.c.in, -1);
		expect_slow(t, &u.k.c.in, NULL, TCP_ACK);
	}
}

/* ECN marks go outside, but for the one that says that congestion was met (RFC 3168, 9.1.1). */
static void tunnel_tos(struct env *t)
{
	static const uint8_t tos[][2] = { { 0xb9, 0xb9 }, { 0xba, 0xba }, { 0xbb, 0xba } };
	struct tunnel u;

	tunnel_to(t, &u, IPPROTO_TCP);
	tunnel_open(t, &u);
	for (int i = 0; i < 3; i++) {
		u.k.c.in.tos = u.inner.tos = tos[i][0];
		u.k.left.tos = tos[i][1];
		expect_fast(t, &u.k.c.in, &u.k.left);
	}
}

/* Of a length that goes out by itself, but not in a tunnel. */
static void tunnel_mtu(struct env *t)
{
	const size_t room = t->af == AF_INET ? 1500 - 20 - 20 : 1500 - 40 - 40;
	struct pkt_spec answer;
	struct tunnel u;

	tunnel_to(t, &u, IPPROTO_TCP);
	tunnel_open(t, &u);
	u.k.c.in.payload_len = u.inner.payload_len = room - 20;
	u.k.c.in.df = u.inner.df = u.k.left.df = true;
	expect_fast(t, &u.k.c.in, &u.k.left);
	u.k.c.in.payload_len++;
	answer = icmp_answer(t, &u.k.c.in, t->af == AF_INET ? 3 : 2, t->af == AF_INET ? 4 : 0,
			     t->af == AF_INET ? 1480 : 1460, VIP);
	expect_icmp(t, &u.k.c.in, &answer, IVB_R_TOO_BIG);
}

/* Kernel IPVS puts datagrams together first. */
static void tunnel_fragments(struct env *t)
{
	struct pkt_spec in;
	struct tunnel u;

	tunnel_to(t, &u, IPPROTO_UDP);
	tunnel_open(t, &u);
	in = u.k.c.in;
	in.df = false;
	in.payload_len = 80;
	in.frag_len = 24;
	expect_slow(t, &in, NULL, 0);
	in.frag_start = 24;
	in.frag_len = 999;
	expect_pass(t, &in, IVB_R_PASS_FRAGMENT);
}

/* A packet that is not the note's teaches nothing; without the address there is no tunnel. */
static void tunnel_unknown(struct env *t)
{
	struct pkt_spec left;
	struct tunnel u;

	tunnel_to(t, &u, IPPROTO_TCP);
	left = u.k.left;
	u.inner.sport++;
	noted(t, SERVER_SIDE, &u.k.note);
	expect_leave(t, &left, &left);
	check_int(t, flows_count(t), 0, "flows");
	u.inner.sport--;
	tunnel_open(t, &u);
	tunnel_forget(t, &u.k);
	expect_slow(t, &u.k.c.in, NULL, TCP_ACK);
}

const struct test_case cases_tunnel[] = {
	{ "tunnel: carried", through_tunnel, BOTH },
	{ "tunnel: what the outer header takes over", tunnel_tos, BOTH },
	{ "tunnel: too long for it", tunnel_mtu, BOTH },
	{ "tunnel: fragments", tunnel_fragments, BOTH },
	{ "tunnel: packets and tunnels that are not known", tunnel_unknown, BOTH },
	{ 0 },
};
