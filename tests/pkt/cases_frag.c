/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fragments: carried in order; the first one seen decides for the whole datagram. */
#include "env.h"

#include <netinet/in.h>
#include <string.h>

/* A datagram of four parts: three fragments of 24, 16 and 16 bytes, and the rest. */
static const struct part {
	size_t start, len;
} parts[] = { { 0, 24 }, { 24, 16 }, { 40, 16 }, { 56, 999 } };

static struct pkt_spec part_of(const struct pkt_spec *whole, int n)
{
	struct pkt_spec part = *whole;

	part.frag_start = parts[n].start;
	part.frag_len = parts[n].len;
	part.df = false;
	return part;
}

static struct conn fragmented(struct env *t, int proto, uint16_t port)
{
	struct conn c = conn_of(t, proto, CLIENT, port, CLIENT, port, SERVER1);

	c.in.payload_len = c.out.payload_len = 80;
	c.reply_in.payload_len = c.reply_out.payload_len = 70;
	return c;
}

static void in_order(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	for (int n = 0; n < 4; n++) {
		struct pkt_spec in = part_of(&c.in, n), out = part_of(&c.out, n);

		if (n)
			out = by_way_of(out, SERVER_SIDE, SERVER1);
		expect_fast(t, &in, &out);
	}
	for (int n = 0; n < 4; n++) {
		struct pkt_spec in = part_of(&c.reply_in, n), out = part_of(&c.reply_out, n);

		if (n)
			out = by_way_of(out, CLIENT_SIDE, GATEWAY);
		expect_fast(t, &in, &out);
	}
	check_int(t, dest_counts(t, 0).conns, 1, "scheduled");
}

/* After the first one the others may come as they like; with SNAT they get its addresses, too. */
static void later_mixed(struct env *t)
{
	static const int order[] = { 0, 3, 1, 2, 1 };
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);

	c.out.src = who_addr(t->af, DIRECTOR);
	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	for (int i = 0; i < 5; i++) {
		struct pkt_spec in = part_of(&c.in, order[i]), out = part_of(&c.out, order[i]);

		if (i)
			out = by_way_of(out, SERVER_SIDE, SERVER1);
		expect_fast(t, &in, &out);
	}
}

static void tcp_fragments(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_TCP, 4000);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	for (int n = 0; n < 4; n++) {
		struct pkt_spec in = part_of(&c.in, n), out = part_of(&c.out, n);

		out = by_way_of(out, SERVER_SIDE, SERVER1);
		expect_fast(t, &in, &out);
	}
	check_int(t, conn_state(t, &c.in), IVB_S_ESTABLISHED, "state");
}

/* A later one first: the datagram is the stack's, and its first fragment is of no use to it. */
static void late_first(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);
	struct pkt_spec first = part_of(&c.in, 0), later = part_of(&c.in, 1), out;

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
	expect_drop(t, &first, IVB_R_FRAG_ORDER);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
	/* other datagrams of the same connection are not concerned */
	first.id = later.id = 0x4444;
	out = part_of(&c.out, 0);
	out.id = 0x4444;
	if (nexthop_known(t, &c.out.src, &c.out.dst))
		out = by_way_of(out, SERVER_SIDE, SERVER1);
	expect_fast(t, &first, &out);
	out = by_way_of(part_of(&c.out, 1), SERVER_SIDE, SERVER1);
	out.id = 0x4444;
	expect_fast(t, &later, &out);
}

/* Datagrams that are not ours pass whole. */
static void foreign(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);
	struct pkt_spec first = part_of(&c.in, 0), later = part_of(&c.in, 1);

	expect_next(t, &first);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
	later = part_of(&c.in, 3);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
}

/* The connection ends between two fragments: what is left of the datagram makes no new one. */
static void connection_gone(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);
	struct pkt_spec first = part_of(&c.in, 0), out = part_of(&c.out, 0);
	struct pkt_spec later = part_of(&c.in, 1);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	expect_out(t, &first, &out);
	conns_forget(t);
	expect_pass(t, &later, IVB_R_PASS_NOT_FIRST);
	check_int(t, flows_count(t), 0, "flows");
}

/* What was decided for a datagram does not outlive the time that reassembly has. */
static void decision_expires(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);
	struct pkt_spec first = part_of(&c.in, 0), out = part_of(&c.out, 0);
	struct pkt_spec later = part_of(&c.in, 1);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
	frags_age(t, 31 * t->hz);
	expect_out(t, &first, &out);
	frags_age(t, 31 * t->hz);
	expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
}

/* An IPv6 fragment header that fragments nothing (RFC 6946) is an extension header like others. */
static void atomic(struct env *t)
{
	struct conn c = fragmented(t, IPPROTO_UDP, 4000);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	c.in.frag_len = c.out.frag_len = 999;
	go_first(t, &c);
	go(t, &c, 0);
	check_int(t, frags_count(t), 0, "datagrams remembered");
}

const struct test_case cases_frag[] = {
	{ "fragments in order, both ways", in_order, BOTH },
	{ "fragments: first one first, then as they like", later_mixed, BOTH },
	{ "fragments of TCP", tcp_fragments, BOTH },
	{ "fragments: a later one first", late_first, BOTH },
	{ "fragments of others' datagrams", foreign, BOTH },
	{ "fragments: connection gone", connection_gone, BOTH },
	{ "fragments: a decision expires", decision_expires, BOTH },
	{ "fragments: atomic", atomic, V6 },
	{ 0 },
};
