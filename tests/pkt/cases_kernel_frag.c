/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments on connections of kernel IPVS: the first fragment seen decides for its datagram, which
 * kernel IPVS gets whole or not at all.
 */
#include "kernel.h"

#include <netinet/in.h>
#include <string.h>

#define LONG 1000

/* A datagram of three parts. */
static const struct part {
	size_t start, len;
} parts[] = { { 0, 24 }, { 24, 16 }, { 40, 999 } };

static struct pkt_spec part_of(const struct pkt_spec *whole, int n, uint32_t id)
{
	struct pkt_spec part = *whole;

	part.frag_start = parts[n].start;
	part.frag_len = parts[n].len;
	part.df = false;
	part.id = id;
	return part;
}

static struct kconn fragmented(struct env *t, int proto, bool snat)
{
	struct kconn k = kconn_of(t, proto, CLIENT, 4000, snat ? DIRECTOR : CLIENT, 4000);

	env_reset_maps(t);
	if (snat) {
		t->config.snat = IVB_SNAT_ALWAYS;
		config_write(t);
	}
	kconn_open(t, &k);
	lease_set(t, &k.c.in, LONG * t->hz);
	lease_set(t, &k.c.reply_in, LONG * t->hz);
	k.c.in.payload_len = k.c.out.payload_len = 80;
	k.c.reply_in.payload_len = k.c.reply_out.payload_len = k.undone.payload_len = 70;
	return k;
}

static void part_carried(struct env *t, const struct pkt_spec *in, const struct pkt_spec *out,
			 int n, uint32_t id)
{
	struct pkt_spec a = part_of(in, n, id), b = part_of(out, n, id);

	expect_carried(t, &a, &b, TCP_ACK);
}

/* The first is slow, and so are the others: what is not changed needs no more than to pass. */
static void part_slow(struct env *t, const struct pkt_spec *in, const struct pkt_spec *out, int n,
		      uint32_t id)
{
	struct pkt_spec a = part_of(in, n, id), b;

	a.flags = TCP_ACK;
	if (n && !out) {
		expect_pass(t, &a, IVB_R_PASS_FRAGMENT);
		return;
	}
	b = part_of(out ? out : in, n, id);
	expect_slow(t, &a, &b, TCP_ACK);
}

/* A lease that ends, or comes, within a datagram is of no concern to the rest of it. */
static void in_order(struct env *t)
{
	for (int i = 0; i < 4; i++) {
		bool snat = i & 1;
		struct kconn k = fragmented(t, i & 2 ? IPPROTO_TCP : IPPROTO_UDP, snat);
		const struct pkt_spec *undone = snat ? &k.undone : NULL;

		part_carried(t, &k.c.in, &k.c.out, 0, 1);
		part_carried(t, &k.c.reply_in, &k.c.reply_out, 0, 1);
		lease_set(t, &k.c.in, -1);
		lease_set(t, &k.c.reply_in, -1);
		part_carried(t, &k.c.in, &k.c.out, 1, 1);
		part_carried(t, &k.c.reply_in, &k.c.reply_out, 1, 1);

		part_slow(t, &k.c.in, NULL, 0, 2);
		part_slow(t, &k.c.reply_in, undone, 0, 2);
		lease_set(t, &k.c.in, LONG * t->hz);
		lease_set(t, &k.c.reply_in, LONG * t->hz);
		part_slow(t, &k.c.in, NULL, 2, 2);
		part_slow(t, &k.c.reply_in, undone, 2, 2);
		part_slow(t, &k.c.in, NULL, 1, 2);
		part_slow(t, &k.c.reply_in, undone, 1, 2);
		/* and other datagrams have nothing to do with it */
		part_carried(t, &k.c.in, &k.c.out, 2, 1);
		part_carried(t, &k.c.reply_in, &k.c.reply_out, 2, 1);
		part_carried(t, &k.c.in, &k.c.out, 0, 3);
	}
}

/*
 * A later one first: it passes as it came, so kernel IPVS gets the whole datagram; only of a reply
 * whose SNAT would have to be undone it has lost a part already.
 */
static void late_first(struct env *t)
{
	for (int i = 0; i < 4; i++) {
		bool snat = i & 1, lease = i & 2;
		struct kconn k = fragmented(t, IPPROTO_UDP, snat);
		struct pkt_spec reply = part_of(&k.c.reply_in, 0, 7), later;

		lease_set(t, &k.c.in, lease ? LONG * (int)t->hz : -1);
		lease_set(t, &k.c.reply_in, lease ? LONG * (int)t->hz : -1);
		part_slow(t, &k.c.in, NULL, 1, 7);
		part_slow(t, &k.c.in, NULL, 0, 7);
		part_slow(t, &k.c.in, NULL, 2, 7);
		later = part_of(&k.c.reply_in, 1, 7);
		expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
		if (snat)
			expect_drop(t, &reply, IVB_R_FRAG_ORDER);
		else
			part_slow(t, &k.c.reply_in, NULL, 0, 7);
		expect_pass(t, &later, IVB_R_PASS_FRAGMENT);
	}
}

/* What is too big for the way out and may be fragmented is the kernel's, which can do that. */
static void to_be_fragmented(struct env *t)
{
	struct kconn k = fragmented(t, IPPROTO_UDP, true);

	k.c.in.payload_len = k.c.reply_in.payload_len = k.undone.payload_len = 1500;
	k.c.in.df = k.c.reply_in.df = k.undone.df = false;
	nexthops_fresh(t);
	expect_slow(t, &k.c.in, NULL, 0);
	expect_slow(t, &k.c.reply_in, &k.undone, 0);
	nexthops_age(t, 2 * t->hz);
	expect_slow(t, &k.c.in, NULL, 0);
	expect_slow(t, &k.c.reply_in, &k.undone, 0);
}

/* Where the routing tables know no way for us, kernel IPVS may, or tells why not. */
static void no_way(struct env *t)
{
	const char *path =
		t->af == AF_INET ? "ipv4/conf/cli0/forwarding" : "ipv6/conf/cli0/forwarding";
	struct kconn k = fragmented(t, IPPROTO_TCP, true);

	ip_command(t, "route add unreachable %s", who_text(t->af, CLIENT));
	nexthops_age(t, 2 * t->hz);
	expect_slow(t, &k.c.reply_in, &k.undone, TCP_ACK);
	ip_command(t, "route del unreachable %s", who_text(t->af, CLIENT));
	sysctl_write(path, "0");
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
	sysctl_write(path, "1");
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
}

const struct test_case cases_kernel_frag[] = {
	{ "kernel IPVS: fragments in order", in_order, BOTH },
	{ "kernel IPVS: fragments, a later one first", late_first, BOTH },
	{ "kernel IPVS: packets to be fragmented", to_be_fragmented, V4 },
	{ "kernel IPVS: no way out", no_way, BOTH },
	{ 0 },
};
