/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not ours is left alone: next, not a byte changed, counted only where it concerns us. */
#include "env.h"

#include <netinet/in.h>
#include <string.h>

static void no_service(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	in.flags = TCP_SYN;
	expect_next(t, &in);
	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	expect_next(t, &in); /* the same port, but UDP's */
	in.dport = 81;
	in.proto = IPPROTO_UDP;
	expect_next(t, &in);
	in.dport = 80;
	in.dst = who_addr(t->af, VIP2);
	expect_next(t, &in);
	check_int(t, flows_count(t), 0, "flows");
}

static void other_protocols(struct env *t)
{
	static const uint8_t protocols[] = { 4, 41, 47, 50, 51, 59, 132 };
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		in.proto = protocols[i];
		expect_next(t, &in);
	}
	/* ICMP that is no error, and the other family's ICMP */
	in.proto = t->af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	in.type = t->af == AF_INET ? 8 : 128;
	expect_next(t, &in);
	in.proto = t->af == AF_INET ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	in.type = t->af == AF_INET ? 1 : 3;
	expect_next(t, &in);
}

static void other_frames(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	in.flags = TCP_SYN;
	in.ethertype = 0x0806;
	expect_next(t, &in);
	in.ethertype = 0;
	in.vlan = true;
	expect_next(t, &in);
	in.vlan = false;
	in.dmac[5] ^= 0x80; /* another host's */
	expect_next(t, &in);
	memset(in.dmac, 0xff, 6);
	expect_next(t, &in);
	in.dmac[0] = 0x01; /* multicast */
	expect_next(t, &in);
}

static void truncated(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80), cut;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	in.flags = TCP_SYN;
	cut = in;
	cut.l4_len = 12; /* the IP packet ends within the TCP header */
	expect_pass(t, &cut, IVB_R_PASS_TRUNCATED);
	cut = in;
	cut.cut = 1; /* the frame ends before the IP packet */
	expect_pass(t, &cut, IVB_R_PASS_TRUNCATED);
	cut = in;
	cut.proto = IPPROTO_UDP;
	cut.l4_len = 7;
	expect_pass(t, &cut, IVB_R_PASS_TRUNCATED);
	check_int(t, flows_count(t), 0, "flows");
}

static void not_local(struct env *t)
{
	static const enum who vips[] = { VIP_ELSEWHERE, VIP_NOWHERE };

	for (int i = 0; i < 2; i++) {
		struct service s = service_add(t, IPPROTO_TCP, vips[i], 80, IVB_SNAT_NEVER);
		struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000 + i, vips[i], 80), out;

		ring_write(t, &s, 1, 1, 0, 1, dest_add(t, &s, SERVER1, 8080, 1));
		in.flags = TCP_SYN;
		expect_pass(t, &in, IVB_R_PASS_NOT_LOCAL);
		expect_pass(t, &in, IVB_R_PASS_NOT_LOCAL); /* from the answer that is kept */
		in.flags = TCP_ACK;
		expect_pass(t, &in, IVB_R_PASS_NOT_LOCAL);

		t->config.flags = IVB_CONFIG_ANY_VIP;
		config_write(t);
		expect_drop(t, &in, IVB_R_NO_FLOW);
		in.flags = TCP_SYN;
		out = translated(t, &in, CLIENT, 4000 + i, SERVER1, 8080);
		if (i) /* the next hop towards the server is known by now */
			out = by_way_of(out, SERVER_SIDE, SERVER1);
		expect_out(t, &in, &out);
		t->config.flags = 0;
		config_write(t);
	}
}

static void not_first(struct env *t)
{
	static const uint8_t flags[] = { TCP_ACK,	    TCP_RST,
					 TCP_FIN | TCP_ACK, TCP_SYN | TCP_ACK,
					 TCP_SYN | TCP_RST, TCP_SYN | TCP_FIN,
					 TCP_PSH | TCP_ACK, 0 };
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	for (size_t i = 0; i < sizeof(flags); i++) {
		in.flags = flags[i];
		expect_pass(t, &in, IVB_R_PASS_NOT_FIRST);
	}
	check_int(t, flows_count(t), 0, "flows");
}

static void other_zone(struct env *t)
{
	struct service s = service_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_NEVER);
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in = c.in;

	ring_write(t, &s, 1, 1, 0, 1, dest_add(t, &s, SERVER1, 8080, 1));
	service_zone(t, &s, ZONE + 1);
	in.flags = TCP_SYN;
	expect_next(t, &in);
	service_zone(t, &s, ZONE);
	go_first(t, &c);
}

const struct test_case cases_pass[] = {
	{ "no service", no_service, BOTH },
	{ "protocols that we do not carry", other_protocols, BOTH },
	{ "frames that are no IP, tagged, or for other hosts", other_frames, BOTH },
	{ "truncated headers", truncated, BOTH },
	{ "service address that is not local, and any-vip", not_local, BOTH },
	{ "not a first packet", not_first, BOTH },
	{ "service of another zone", other_zone, BOTH },
	{ 0 },
};
