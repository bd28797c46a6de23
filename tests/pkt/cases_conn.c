/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections without SNAT: made, carried both ways, refused, and what is kept of them. */
#include "env.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "tap.h"

static void tcp_connection(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in, out;
	union any_flow f;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	check(t, !nexthop_known(t, &c.out.src, &c.out.dst), "the first packet finds the next hop");
	go_first(t, &c);
	check(t, nexthop_known(t, &c.out.src, &c.out.dst), "the next hop is known then");
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, conn_state(t, &c.in), IVB_S_SYN_RECV, "state");
	check_int(t, dest_counts(t, 0).active, 1, "active");
	check_int(t, dest_counts(t, 0).conns, 1, "scheduled");

	in = c.reply_in;
	out = c.reply_out;
	in.flags = out.flags = TCP_SYN | TCP_ACK;
	expect_out(t, &in, &out);
	go(t, &c, TCP_ACK);
	check_int(t, conn_state(t, &c.in), IVB_S_ESTABLISHED, "state");
	go(t, &c, TCP_ACK | TCP_PSH);
	back(t, &c, TCP_ACK);
	/* 6 bytes behind the IP packet are Ethernet's padding */
	c.in.l4_len = c.out.l4_len = 20 + 17;
	c.in.payload_len = c.out.payload_len = 17 + 6;
	go(t, &c, TCP_ACK);

	check(t, flow_find(t, &c.in, &f), "forward flow");
	check_int(t, f.flow.packets, 4, "forward packets");
	check_int(t, f.flow.bytes, 4 * ((t->af == AF_INET ? 20 : 40) + 20 + 17), "forward bytes");
	check_int(t, f.flow.flags, IVB_FLOW_ESTABLISHED, "forward flags");
	check_int(t, ntohs(f.flow.dport), 8080, "new destination port");
	check(t, flow_find(t, &c.reply_in, &f), "reply flow");
	check_int(t, f.flow.packets, 2, "reply packets");
	check_int(t, f.flow.flags & IVB_FLOW_REPLY, IVB_FLOW_REPLY, "reply flags");
}

static void udp_connection(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	go_first(t, &c);
	check_int(t, conn_state(t, &c.in), IVB_S_UDP, "state");
	check_int(t, dest_counts(t, 0).active, 0, "active");
	check_int(t, dest_counts(t, 0).inactive, 1, "inactive");
	expect_out(t, &c.reply_in, &c.reply_out);
	go(t, &c, 0);
	back(t, &c, 0);
}

/* UDP's "no checksum" stays; a checksum that is wrong stays wrong by as much. */
static void checksums_kept(struct env *t)
{
	struct conn none = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct conn wrong = conn_of(t, IPPROTO_UDP, CLIENT, 4001, CLIENT, 4001, SERVER1);
	struct conn tcp = conn_of(t, IPPROTO_TCP, CLIENT, 4002, CLIENT, 4002, SERVER1);

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	none.in.no_csum = none.out.no_csum = true;
	none.reply_in.no_csum = none.reply_out.no_csum = true;
	go_first(t, &none);
	go(t, &none, 0);
	back_first(t, &none);
	wrong.in.csum_error = wrong.out.csum_error = 0x1234;
	tcp.in.csum_error = tcp.out.csum_error = 0x4321;
	tcp.reply_in.csum_error = tcp.reply_out.csum_error = 1;
	go_first(t, &wrong);
	go_first(t, &tcp);
	back_first(t, &tcp);
	go(t, &tcp, TCP_ACK);
	back(t, &tcp, TCP_ACK);
}

/* Payloads of every length up to 40 and TCP options: sums over odd lengths and longer headers. */
static void lengths(struct env *t)
{
	static const uint8_t options[] = { 2, 4,  5, 0xb4, 1, 3, 3, 7, 1, 1,
					   8, 10, 1, 2,	   3, 4, 5, 6, 7, 8 };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	expect_out(t, &c.reply_in, &c.reply_out);
	for (size_t len = 0; len <= 40; len++) {
		c.in.payload_len = c.out.payload_len = len;
		c.in.seed = c.out.seed = 0x8000 + len;
		c.in.tcp_options = c.out.tcp_options = options;
		c.in.tcp_options_len = c.out.tcp_options_len = len % 6 * 4;
		go(t, &c, TCP_ACK);
	}
}

/*
 * A packet whose checksum is this one before, or after, translation. Ones' complement has two
 * zeros: TCP writes 0x0000, UDP 0xffff.
 */
static void checksum_edge(struct env *t, int proto, uint16_t edge, bool before)
{
	size_t offset = proto == IPPROTO_TCP ? 16 : 6;
	static uint16_t port = 4000;
	struct conn c;
	struct pkt frame;

	c = conn_of(t, proto, CLIENT, port, CLIENT, port, SERVER1);
	port++;
	/* the checksum takes every value as 16 bits of the payload do */
	c.in.payload_len = c.out.payload_len = 2;
	c.in.flags = c.out.flags = TCP_SYN;
	for (unsigned int seed = 0; seed < 65536; seed++) {
		c.in.seed = c.out.seed = seed;
		pkt_build(&frame, before ? &c.in : &c.out);
		if (frame.data[frame.l4 + offset] == edge >> 8 &&
		    frame.data[frame.l4 + offset + 1] == (edge & 0xff)) {
			go_first(t, &c);
			return;
		}
	}
	check(t, false, "no packet with checksum %04x", edge);
}

static void checksum_edges(struct env *t)
{
	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	for (int before = 0; before < 2; before++) {
		checksum_edge(t, IPPROTO_TCP, 0x0000, before);
		checksum_edge(t, IPPROTO_TCP, 0xfffe, before);
		checksum_edge(t, IPPROTO_UDP, 0xffff, before);
		checksum_edge(t, IPPROTO_UDP, 0x0001, before);
	}
}

static void martian_sources(struct env *t)
{
	static const char *const sources[2][5] = {
		{ "0.0.0.0", "127.0.0.1", "224.0.0.1", "240.1.2.3", "255.255.255.255" },
		{ "::", "::1", "ff02::1", "ff0e::1", "ff05::2" },
	};
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	in.flags = TCP_SYN;
	for (int i = 0; i < 5; i++) {
		in.src = pkt_addr(sources[t->af == AF_INET6][i]);
		expect_drop(t, &in, IVB_R_MARTIAN);
	}
	in.src = in.dst;
	expect_drop(t, &in, IVB_R_MARTIAN);
	check_int(t, flows_count(t), 0, "flows");
}

static void table_full(struct env *t)
{
	struct conn c;

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	for (int i = 0; i < MAX_CONNS; i++) {
		c = conn_of(t, IPPROTO_UDP, CLIENT, 4000 + i, CLIENT, 4000 + i, SERVER1);
		go_first(t, &c);
	}
	c = conn_of(t, IPPROTO_UDP, CLIENT, 5000, CLIENT, 5000, SERVER1);
	expect_drop(t, &c.in, IVB_R_MAP_FULL);
	check_int(t, flows_count(t), 2 * MAX_CONNS, "flows");
	check_int(t, dest_counts(t, 0).conns, MAX_CONNS, "scheduled");
	/* law 5: those that were there go on */
	c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	go(t, &c, 0);
	back_first(t, &c);
}

/* Without SNAT the reply's tuple is given: two services, one server, one client port collide. */
static void two_services_one_server(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP2, 80);
	struct service s;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	s = service_add(t, IPPROTO_TCP, VIP2, 80, IVB_SNAT_NEVER);
	ring_write(t, &s, 1, 1, 0, 1, dest_add(t, &s, SERVER1, 8080, 1));
	go_first(t, &c);
	in.flags = TCP_SYN;
	expect_drop(t, &in, IVB_R_NO_PORT);
	check_int(t, flows_count(t), 2, "flows");
	/* the first one is unharmed */
	expect_out(t, &c.reply_in, &c.reply_out);
	go(t, &c, TCP_ACK);
}

/* The program that finds a flow whose connection is another's already lets the sender try again. */
static void recycled_slot(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct pkt_spec in = c.in;
	union any_flow f;

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &c);
	flow_find(t, &c.in, &f);
	f.flow.conn_gen++;
	flow_write(t, &c.in, &f);
	in.flags = TCP_FIN | TCP_ACK;
	expect_drop(t, &in, IVB_R_RACE);
	f.flow.conn_gen--;
	f.flow.tag++;
	flow_write(t, &c.in, &f);
	expect_drop(t, &c.in, IVB_R_RACE);
	f.flow.tag--;
	flow_write(t, &c.in, &f);
	go(t, &c, TCP_ACK);
}

const struct test_case cases_conn[] = {
	{ "TCP connection", tcp_connection, BOTH },
	{ "UDP both ways", udp_connection, BOTH },
	{ "checksums that are none, or wrong", checksums_kept, BOTH },
	{ "lengths and TCP options", lengths, BOTH },
	{ "checksums at the edges", checksum_edges, BOTH },
	{ "martian sources", martian_sources, BOTH },
	{ "connection table full", table_full, BOTH },
	{ "two services, one server, one client port", two_services_one_server, BOTH },
	{ "flow of a recycled connection", recycled_slot, BOTH },
	{ 0 },
};
