/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of kernel IPVS's that are routed directly: to the server's MAC, and nothing is
 * translated.
 */
#include "kernel.h"

#include <netinet/in.h>
#include <string.h>

static struct kconn direct_of(struct env *t, int proto, uint16_t port, enum who vip)
{
	struct kconn k = kconn_via(t, kconn_of(t, proto, CLIENT, port, CLIENT, port), vip);

	k.note.flags |= NOTE_DIRECT;
	k.note.dport = k.note.vport;
	k.left = by_way_of(translated(t, &k.c.in, CLIENT, port, vip, 80), SERVER_SIDE, SERVER1);
	k.left_snat = k.left;
	/* the flow that replies would have, did they come by here */
	k.c.reply_in.sport = 80;
	return k;
}

static void carried_direct(struct env *t)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

	for (int i = 0; i < 2; i++) {
		struct kconn k = direct_of(t, protos[i], 4000, VIP);

		kconn_first(t, &k);
		kconn_renew(t, &k);
		check_int(t, flow_flags(t, &k.c.in), IVB_FLOW_KERNEL | IVB_FLOW_DIRECT, "flags");
		lease_set(t, &k.c.in, 1000 * t->hz);
		arriving(t);
		/* the first one asks for the way to the server */
		if (!i)
			send_blind(t, &k.c.in);
		expect_fast(t, &k.c.in, &k.left);
		check_int(t, enter_seen(t)->mark, MARK_CARRIED, "mark");
		/* a wrong checksum is none of our business */
		k.c.in.csum_error = k.left.csum_error = 0x1234;
		expect_fast(t, &k.c.in, &k.left);
		lease_set(t, &k.c.in, -1);
		expect_slow(t, &k.c.in, NULL, TCP_ACK);
	}
}

/* The server answers the client itself; should a reply come by here, it is the stack's to route. */
static void replies(struct env *t)
{
	struct kconn k = direct_of(t, IPPROTO_TCP, 4000, VIP);

	kconn_first(t, &k);
	kconn_renew(t, &k);
	lease_set(t, &k.c.reply_in, 1000 * t->hz);
	arriving(t);
	expect_slow(t, &k.c.reply_in, NULL, TCP_ACK);
	expect_slow(t, &k.c.reply_in, NULL, TCP_SYN | TCP_ACK);
}

/* Whatever the policy, the server has to see client and service as they are. */
static void no_snat(struct env *t)
{
	struct kconn k = direct_of(t, IPPROTO_TCP, 4000, VIP);

	t->config.snat = IVB_SNAT_ALWAYS;
	config_snat_addr(t, SNAT_POOL);
	kconn_first(t, &k);
	kconn_renew(t, &k);
	check_int(t, flow_flags(t, &k.c.in), IVB_FLOW_KERNEL | IVB_FLOW_DIRECT, "flags");
}

/*
 * The server tells the two apart, but the flows of their replies would be one: the second is left
 * to kernel IPVS, and the first goes on.
 */
static void two_vips(struct env *t)
{
	struct kconn a = direct_of(t, IPPROTO_TCP, 4000, VIP);
	struct kconn b = direct_of(t, IPPROTO_TCP, 4000, VIP2);

	kconn_first(t, &a);
	kconn_first(t, &b);
	kconn_renew(t, &b);
	kconn_renew(t, &a);
	check_int(t, flows_count(t), 2, "flows");
	check(t, lease_left(t, &a.c.in) > 0, "the first's lease");
}

/* A first fragment and later ones; and what comes in no order. */
static void fragments(struct env *t)
{
	struct kconn k = direct_of(t, IPPROTO_UDP, 4000, VIP);
	struct pkt_spec in, out;

	kconn_first(t, &k);
	lease_set(t, &k.c.in, 1000 * t->hz);
	arriving(t);
	send_blind(t, &k.c.in);
	in = k.c.in;
	out = k.left;
	in.df = out.df = false;
	in.payload_len = out.payload_len = 80;
	in.frag_len = out.frag_len = 24;
	expect_fast(t, &in, &out);
	in.frag_start = out.frag_start = 24;
	in.frag_len = out.frag_len = 999;
	expect_fast(t, &in, &out);
	in.id = 7;
	expect_pass(t, &in, IVB_R_PASS_FRAGMENT);
	in.frag_start = 0;
	in.frag_len = 24;
	expect_slow(t, &in, NULL, 0);
}

const struct test_case cases_direct[] = {
	{ "direct routing: carried", carried_direct, BOTH },
	{ "direct routing: replies", replies, BOTH },
	{ "direct routing: no SNAT", no_snat, BOTH },
	{ "direct routing: two virtual addresses, one client's port", two_vips, BOTH },
	{ "direct routing: fragments", fragments, BOTH },
	{ 0 },
};
