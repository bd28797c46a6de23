/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that come in on connections of kernel IPVS: carried within leases, else kernel IPVS's. */
#include "kernel.h"

#include <netinet/in.h>
#include <string.h>

#define LONG 1000 /* seconds: no machine is slow enough to see that end */

static struct kconn opened(struct env *t, int proto, enum who source, uint16_t sport)
{
	struct kconn k = kconn_of(t, proto, CLIENT, 4000, source, sport);

	if (source != CLIENT) {
		t->config.snat = IVB_SNAT_ALWAYS;
		config_write(t);
	}
	kconn_open(t, &k);
	lease_set(t, &k.c.in, LONG * t->hz);
	lease_set(t, &k.c.reply_in, LONG * t->hz);
	return k;
}

/* What kernel IPVS is given of a reply: with SNAT undone. */
static void slow_back(struct env *t, const struct kconn *k, int flags)
{
	bool snat = memcmp(&k->c.in.src, &k->left_snat.src, sizeof(k->c.in.src));

	expect_slow(t, &k->c.reply_in, snat ? &k->undone : NULL, flags);
}

/* Both protocols, with SNAT and without. */
static void each(struct env *t, void (*run)(struct env *t, struct kconn *k))
{
	static const struct {
		int proto;
		enum who source;
		uint16_t sport;
	} kinds[] = {
		{ IPPROTO_TCP, CLIENT, 4000 },
		{ IPPROTO_TCP, DIRECTOR, 4000 },
		{ IPPROTO_UDP, CLIENT, 4000 },
		{ IPPROTO_UDP, DIRECTOR, 4000 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct kconn k;

		env_reset_maps(t);
		k = opened(t, kinds[i].proto, kinds[i].source, kinds[i].sport);
		run(t, &k);
		verify(t);
	}
}

static void lease_kind(struct env *t, struct kconn *k)
{
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK);
	expect_carried(t, &k->c.reply_in, &k->c.reply_out, TCP_ACK);
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK | TCP_PSH);
	/* each direction has its own */
	lease_set(t, &k->c.in, -1);
	expect_slow(t, &k->c.in, NULL, TCP_ACK);
	expect_carried(t, &k->c.reply_in, &k->c.reply_out, TCP_ACK);
	lease_set(t, &k->c.in, LONG * t->hz);
	lease_set(t, &k->c.reply_in, -1);
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK);
	slow_back(t, k, TCP_ACK);
	slow_back(t, k, TCP_ACK | TCP_PSH);
	lease_never(t, &k->c.in);
	lease_never(t, &k->c.reply_in);
	expect_slow(t, &k->c.in, NULL, TCP_ACK);
	slow_back(t, k, TCP_ACK);
}

static void leases(struct env *t)
{
	each(t, lease_kind);
}

/* Ages ago is not in the future, whatever the serial numbers. */
static void lease_long_ago(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, CLIENT, 4000);

	lease_set(t, &k.c.in, -(1 << 30));
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
}

static void server_kind(struct env *t, struct kconn *k)
{
	epoch_move(t, BUCKET + 1);
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK);
	epoch_move(t, BUCKET);
	expect_slow(t, &k->c.in, NULL, TCP_ACK);
	slow_back(t, k, TCP_ACK);
	/* the server is back, and kernel IPVS lets packets through to it */
	k->note.epoch = 1;
	kconn_renew(t, k);
	arriving(t);
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK);
	slow_back(t, k, TCP_ACK);
	kconn_renew_reply(t, k);
	arriving(t);
	expect_carried(t, &k->c.reply_in, &k->c.reply_out, TCP_ACK);
}

static void server_removed(struct env *t)
{
	each(t, server_kind);
}

static void syn(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);

	expect_slow(t, &k.c.in, NULL, TCP_SYN);
	expect_slow(t, &k.c.in, NULL, TCP_SYN | TCP_ACK);
	slow_back(t, &k, TCP_SYN);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_SYN | TCP_ACK);
	/* before the first lease as well: the SYN-ACK changes nothing in kernel IPVS */
	lease_never(t, &k.c.in);
	lease_never(t, &k.c.reply_in);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_SYN | TCP_ACK);
	expect_slow(t, &k.c.in, NULL, TCP_SYN);
}

/* FIN and RST are carried, and kernel IPVS gets a copy; without a lease it gets them. */
static void fin_rst(struct env *t)
{
	static const int flags[] = { TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK };
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		lease_set(t, &k.c.in, LONG * t->hz);
		lease_set(t, &k.c.reply_in, LONG * t->hz);
		expect_copied(t, &k.c.in, &k.c.out, flags[i]);
		expect_copied(t, &k.c.reply_in, &k.c.reply_out, flags[i]);
		lease_set(t, &k.c.in, -1);
		lease_set(t, &k.c.reply_in, -1);
		expect_slow(t, &k.c.in, NULL, flags[i]);
		slow_back(t, &k, flags[i]);
	}
}

/* Where no conntrack is at work FIN and RST go to kernel IPVS, until one is. */
static void fin_without_conntrack(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000);

	k.note.flags |= NOTE_NO_CT;
	kconn_open(t, &k);
	check(t, !flow_copies(t, &k.c.in) && !flow_copies(t, &k.c.reply_in), "no copies");
	lease_set(t, &k.c.in, LONG * t->hz);
	lease_set(t, &k.c.reply_in, LONG * t->hz);
	expect_slow(t, &k.c.in, NULL, TCP_FIN | TCP_ACK);
	slow_back(t, &k, TCP_RST);
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
	k.note.flags &= ~NOTE_NO_CT;
	kconn_renew(t, &k);
	arriving(t);
	check(t, flow_copies(t, &k.c.in) && flow_copies(t, &k.c.reply_in), "copies");
	expect_copied(t, &k.c.in, &k.c.out, TCP_FIN | TCP_ACK);
}

/* The copies come in by the same device. */
static void copies(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);

	t->how.mark = TAG_COPY;
	expect_slow(t, &k.c.in, NULL, TCP_FIN | TCP_ACK);
	slow_back(t, &k, TCP_FIN | TCP_ACK);
	slow_back(t, &k, TCP_RST);
	slow_back(t, &k, TCP_SYN | TCP_ACK);
	/* other marks are others' */
	t->how.mark = 0x1234;
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
}

/* A client on the director itself: replies are for its own stack. */
static void local_client(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);

	flow_flags_add(t, &k.c.in, IVB_FLOW_LOCAL);
	flow_flags_add(t, &k.c.reply_in, IVB_FLOW_LOCAL);
	slow_back(t, &k, TCP_ACK);
	slow_back(t, &k, TCP_SYN | TCP_ACK);
	slow_back(t, &k, TCP_FIN | TCP_ACK);
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
}

/* And so are ICMP errors about its packets, as if these had had no SNAT. */
static void local_client_icmp(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	struct pkt_spec quote, in, out;

	flow_flags_add(t, &k.c.in, IVB_FLOW_LOCAL);
	flow_flags_add(t, &k.c.reply_in, IVB_FLOW_LOCAL);
	quote = requote(&k.c.out, &k.left);
	in = icmp_from(t, SERVER_SIDE, ROUTER, DIRECTOR, t->af == AF_INET ? 3 : 2,
		       t->af == AF_INET ? 4 : 0, &k.c.out, 0);
	in.rest = 1400;
	out = in;
	out.dst = k.c.in.src;
	out.quote = &quote;
	expect(t, &in, -1, &out, IVB_R_PASS_KERNEL, IVB_R_NONE);
}

/* Kernel IPVS could not tell whose these replies are: they never go there. */
static void ambiguous(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);

	flow_flags_add(t, &k.c.reply_in, IVB_FLOW_AMBIGUOUS);
	lease_never(t, &k.c.reply_in);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_ACK);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_SYN | TCP_ACK);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_FIN | TCP_ACK);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_RST);
	/* the client's do */
	lease_set(t, &k.c.in, -1);
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
}

static size_t ip_len(const struct pkt_spec *spec)
{
	static struct pkt frame;

	pkt_build(&frame, spec);
	return frame.len - PKT_ETH_LEN;
}

static void check_traffic(struct env *t, const struct pkt_spec *key, uint64_t packets,
			  uint64_t bytes)
{
	union any_flow f;

	check(t, flow_find(t, key, &f), "no flow");
	check_int(t, f.flow.packets, packets, "packets");
	check_int(t, f.flow.bytes, bytes, "bytes");
}

/* What kernel IPVS does not see is counted here, and nothing else. */
static void accounting(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	struct pkt_spec whole = k.c.in, out = k.c.out;
	size_t in = ip_len(&k.c.in), back = ip_len(&k.c.reply_in);

	/* one each since the beginning */
	check_traffic(t, &k.c.in, 1, in);
	check_traffic(t, &k.c.reply_in, 1, back);
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_SYN | TCP_ACK);
	check_traffic(t, &k.c.in, 2, 2 * in);
	check_traffic(t, &k.c.reply_in, 2, 2 * back);
	/* kernel IPVS counts these */
	expect_copied(t, &k.c.in, &k.c.out, TCP_FIN | TCP_ACK);
	expect_copied(t, &k.c.reply_in, &k.c.reply_out, TCP_RST);
	expect_slow(t, &k.c.in, NULL, TCP_SYN);
	lease_set(t, &k.c.in, -1);
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
	check_traffic(t, &k.c.in, 2, 2 * in);
	check_traffic(t, &k.c.reply_in, 2, 2 * back);
	/* but not these, of which it gets no copies */
	flow_flags_add(t, &k.c.reply_in, IVB_FLOW_AMBIGUOUS);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_FIN | TCP_ACK);
	check_traffic(t, &k.c.reply_in, 3, 3 * back);
	/* a GSO packet is one */
	lease_set(t, &k.c.in, LONG * t->hz);
	whole.payload_len = out.payload_len = 3000;
	gso(1400);
	expect_carried(t, &whole, &out, TCP_ACK);
	gso(0);
	check_traffic(t, &k.c.in, 3, 2 * in + ip_len(&whole));
}

static void ttl(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	int type = t->af == AF_INET ? 11 : 3;
	struct pkt_spec answer;

	k.c.in.ttl = k.c.reply_in.ttl = 1;
	answer = icmp_answer(t, &k.c.in, type, 0, 0, VIP);
	expect_icmp(t, &k.c.in, &answer, IVB_R_TTL);
	answer = icmp_answer(t, &k.c.reply_in, type, 0, 0, DIRECTOR);
	expect_icmp(t, &k.c.reply_in, &answer, IVB_R_TTL);
	/* else kernel IPVS answers, or does not */
	lease_set(t, &k.c.in, -1);
	lease_set(t, &k.c.reply_in, -1);
	k.undone.ttl = 1;
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
	slow_back(t, &k, TCP_ACK);
}

static void too_big(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	int type = t->af == AF_INET ? 3 : 2, code = t->af == AF_INET ? 4 : 0;
	struct pkt_spec answer;

	nexthops_fresh(t);
	k.c.in.payload_len = k.c.reply_in.payload_len = k.undone.payload_len = 1500;
	answer = icmp_answer(t, &k.c.in, type, code, 1500, VIP);
	expect_icmp(t, &k.c.in, &answer, IVB_R_TOO_BIG);
	answer = icmp_answer(t, &k.c.reply_in, type, code, 1500, DIRECTOR);
	expect_icmp(t, &k.c.reply_in, &answer, IVB_R_TOO_BIG);
	nexthops_age(t, 2 * t->hz);
	expect_icmp(t, &k.c.reply_in, &answer, IVB_R_TOO_BIG);
	lease_set(t, &k.c.reply_in, -1);
	slow_back(t, &k, TCP_ACK);
}

static void source_route(struct env *t)
{
	static const uint8_t loose[] = { 131, 7, 4, 192, 0, 2, 1, 0 };
	static const struct pkt_ext todo = { IPPROTO_ROUTING, 24, 4, 1 };
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	struct pkt_spec *specs[] = { &k.c.in, &k.c.reply_in, &k.undone };

	for (int i = 0; i < 3; i++) {
		if (t->af == AF_INET) {
			specs[i]->options = loose;
			specs[i]->options_len = sizeof(loose);
		} else {
			specs[i]->ext[0] = todo;
			specs[i]->num_ext = 1;
		}
	}
	expect_drop(t, &k.c.in, IVB_R_IP_OPTIONS);
	expect_drop(t, &k.c.reply_in, IVB_R_IP_OPTIONS);
	lease_set(t, &k.c.in, -1);
	lease_set(t, &k.c.reply_in, -1);
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
	slow_back(t, &k, TCP_ACK);
}

/* IPv4 options that do not route, IPv6 extension headers: carried, and undone behind them. */
static void options(struct env *t)
{
	static const uint8_t record[] = { 7, 7, 4, 0, 0, 0, 0, 0 };
	static const struct pkt_ext dst = { IPPROTO_DSTOPTS, 24, 0, 0 };
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	struct pkt_spec *specs[] = { &k.c.in, &k.c.out, &k.c.reply_in, &k.c.reply_out, &k.undone };

	for (int i = 0; i < 5; i++) {
		specs[i]->options = t->af == AF_INET ? record : NULL;
		specs[i]->options_len = t->af == AF_INET ? sizeof(record) : 0;
		specs[i]->ext[0] = dst;
		specs[i]->num_ext = t->af == AF_INET6;
	}
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
	expect_carried(t, &k.c.reply_in, &k.c.reply_out, TCP_ACK);
	lease_set(t, &k.c.reply_in, -1);
	slow_back(t, &k, TCP_ACK);
}

/*
 * A checksum that is wrong stays wrong by as much; UDP's that is not there is not made up (IPv4).
 */
static void checksums(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_UDP, DIRECTOR, 4000);

	k.c.reply_in.csum_error = k.undone.csum_error = 0x1234;
	lease_set(t, &k.c.reply_in, -1);
	slow_back(t, &k, 0);
	if (t->af == AF_INET6)
		return;
	k.c.reply_in.csum_error = k.undone.csum_error = 0;
	k.c.reply_in.no_csum = k.undone.no_csum = true;
	slow_back(t, &k, 0);
}

/* `down --drain`: no first packets, while what is there goes on. */
static void drain(struct env *t)
{
	struct kconn k = opened(t, IPPROTO_TCP, DIRECTOR, 4000);
	struct pkt_spec first = from(t, CLIENT_SIDE, CLIENT2, 4001, VIP, 80);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	t->config.flags |= IVB_CONFIG_DRAIN;
	config_write(t);
	first.flags = TCP_SYN;
	expect_pass(t, &first, IVB_R_PASS_DRAIN);
	expect_carried(t, &k.c.in, &k.c.out, TCP_ACK);
	kconn_renew(t, &k);
	kconn_renew_reply(t, &k);
}

const struct test_case cases_kernel[] = {
	{ "kernel IPVS: leases", leases, BOTH },
	{ "kernel IPVS: a lease of long ago", lease_long_ago, BOTH },
	{ "kernel IPVS: server removed", server_removed, BOTH },
	{ "kernel IPVS: SYN and SYN-ACK", syn, BOTH },
	{ "kernel IPVS: FIN and RST", fin_rst, BOTH },
	{ "kernel IPVS: FIN and RST without conntrack", fin_without_conntrack, BOTH },
	{ "kernel IPVS: copies of FIN and RST", copies, BOTH },
	{ "kernel IPVS: client on the director", local_client, BOTH },
	{ "kernel IPVS: client on the director, ICMP errors", local_client_icmp, BOTH },
	{ "kernel IPVS: replies that it could not tell apart", ambiguous, BOTH },
	{ "kernel IPVS: packets and bytes", accounting, BOTH },
	{ "kernel IPVS: TTL", ttl, BOTH },
	{ "kernel IPVS: too big", too_big, BOTH },
	{ "kernel IPVS: source routes", source_route, BOTH },
	{ "kernel IPVS: options and extension headers", options, BOTH },
	{ "kernel IPVS: checksums when SNAT is undone", checksums, BOTH },
	{ "kernel IPVS: draining", drain, BOTH },
	{ 0 },
};
