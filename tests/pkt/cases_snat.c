/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source translation: who gets it, from which address, and with which port. */
#include "env.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The source port that a connection was given towards its server; 0: it is not there. */
static uint16_t port_given(struct env *t, const struct conn *c)
{
	union any_flow f;

	if (!flow_find(t, &c->in, &f))
		return 0;
	check_int(t, f.flow.flags & IVB_FLOW_SNAT, IVB_FLOW_SNAT, "flow says SNAT");
	return ntohs(f.flow.sport);
}

/* Sends the first packet without looking at what leaves: the port is not known beforehand. */
static struct conn open_any_port(struct env *t, int proto, enum who client, uint16_t port)
{
	struct conn c = conn_of(t, proto, client, port, DIRECTOR, 0, SERVER1);
	struct pkt_spec syn = c.in;

	if (proto == IPPROTO_TCP)
		syn.flags = TCP_SYN;
	send_blind(t, &syn);
	return conn_of(t, proto, client, port, DIRECTOR, port_given(t, &c), SERVER1);
}

static void port_kept(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000, SERVER1);
	struct conn u = conn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 4000, SERVER1);

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	go_first(t, &c);
	back_first(t, &c);
	go(t, &c, TCP_ACK);
	back(t, &c, TCP_ACK);
	go_first(t, &u);
	back_first(t, &u);
	check_int(t, flows_count(t), 4, "flows");
}

static void port_outside_the_range(struct env *t)
{
	uint16_t port;
	struct conn c;

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20099);
	c = open_any_port(t, IPPROTO_TCP, CLIENT, 4000);
	port = c.out.sport;
	check(t, port >= 20000 && port <= 20099, "port %u is not among those allowed", port);
	go(t, &c, TCP_ACK);
	back_first(t, &c);
	/* the edges of the range are kept */
	c = conn_of(t, IPPROTO_TCP, CLIENT, 20000, DIRECTOR, 20000, SERVER1);
	if (port != 20000)
		go_first(t, &c);
	c = conn_of(t, IPPROTO_TCP, CLIENT, 20099, DIRECTOR, 20099, SERVER1);
	if (port != 20099)
		go_first(t, &c);
}

/* The same connection gets the same port again, wherever the key is the same. */
static void port_is_keyed(struct env *t)
{
	uint16_t first, other = 0;
	struct conn c;

	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 29999);
	c = open_any_port(t, IPPROTO_UDP, CLIENT, 4000);
	first = c.out.sport;
	for (int i = 0; i < 2; i++) {
		env_reset_maps(t);
		simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
		snat_ports(t, 20000, 29999);
		t->config.hash_key += i;
		config_write(t);
		c = open_any_port(t, IPPROTO_UDP, CLIENT, 4000);
		if (!i)
			check_int(t, c.out.sport, first, "port under the same key");
		else
			other = c.out.sport;
	}
	check(t, other != first, "another key gives another port");
}

/* 64 clients with one source port: 64 ports, and every reply finds its own client. */
static void collisions(struct env *t)
{
	struct conn c[64];

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	for (int i = 0; i < 64; i++) {
		struct pkt_spec syn;

		c[i] = conn_of(t, IPPROTO_TCP, CLIENT, 5555, DIRECTOR, 0, SERVER1);
		c[i].in.src.byte[t->af == AF_INET ? 3 : 15] = 100 + i;
		syn = c[i].in;
		syn.flags = TCP_SYN;
		send_blind(t, &syn);
		c[i].out.src = who_addr(t->af, DIRECTOR);
		c[i].out.sport = c[i].reply_in.dport = port_given(t, &c[i]);
		c[i].reply_out.dst = c[i].in.src;
		c[i].reply_out.dport = 5555;
		check(t, c[i].out.sport >= 1024, "port %u", c[i].out.sport);
		for (int j = 0; j < i; j++)
			check(t, c[i].out.sport != c[j].out.sport, "a port given twice");
	}
	check_int(t, c[0].out.sport, 5555, "the first one keeps its port");
	check_int(t, flows_count(t), 128, "flows");
	for (int i = 0; i < 64; i++) {
		back_first(t, &c[i]);
		go(t, &c[i], TCP_ACK);
	}
	check_int(t, dest_counts(t, 0).active, 64, "active");
}

static void no_port(struct env *t)
{
	struct conn c;

	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20001);
	for (int i = 0; i < 2; i++)
		open_any_port(t, IPPROTO_UDP, CLIENT, 4000 + i);
	check_int(t, flows_count(t), 4, "flows");
	c = conn_of(t, IPPROTO_UDP, CLIENT, 4002, DIRECTOR, 0, SERVER1);
	expect_drop(t, &c.in, IVB_R_NO_PORT);
	check_int(t, flows_count(t), 4, "flows");
	/* none allowed at all */
	snat_ports(t, 1, 0);
	expect_drop(t, &c.in, IVB_R_NO_PORT);
}

/* The same port towards different servers. */
static void port_per_server(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_ALWAYS);
	struct conn a = conn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 4000, SERVER1);
	struct conn b = conn_of(t, IPPROTO_UDP, CLIENT2, 4000, DIRECTOR, 4000, SERVER2);
	uint32_t one = dest_add(t, &s, SERVER1, 8080, 1), two = dest_add(t, &s, SERVER2, 8080, 1);

	ring_write(t, &s, 2, 1, 0, 2, one, two);
	go_first(t, &a);
	go_first(t, &b);
	back_first(t, &a);
	back_first(t, &b);
}

/* The last FIN or RST of a flow was that many jiffies ago. */
static void seen_before(struct env *t, const struct pkt_spec *key, uint32_t jiffies)
{
	union any_flow f;

	if (flow_find(t, key, &f)) {
		f.flow.last_seen = jiffies_now(t) - jiffies;
		flow_write(t, key, &f);
	}
}

/* No other takes its port while one of its last packets may be under way on another CPU. */
static void port_not_yet(struct env *t, const struct conn *ended, const struct pkt_spec *next)
{
	const struct pkt_spec *keys[] = { &ended->in, &ended->reply_in };
	uint32_t state = conn_state(t, &ended->in);

	for (int i = 0; i < 2; i++) {
		seen_before(t, keys[i], 0u - t->hz); /* a second to come: this may take a while */
		seen_before(t, keys[!i], t->hz);
		expect_drop(t, next, IVB_R_NO_PORT);
		check_int(t, conn_state(t, &ended->in), state, "one whose packet is under way");
	}
	seen_before(t, keys[0], t->hz);
	seen_before(t, keys[1], t->hz);
}

/*
 * When all ports are taken: the next one that comes is refused, and ends a connection that has
 * ended anyway; so the one after it succeeds. Those that live keep their ports.
 */
static void port_of_ended(struct env *t)
{
	struct conn c[16], next;

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20015);
	for (int i = 0; i < 16; i++) {
		c[i] = open_any_port(t, IPPROTO_TCP, CLIENT, 4000 + i);
		check(t, c[i].out.sport >= 20000 && c[i].out.sport <= 20015, "port %u",
		      c[i].out.sport);
		i ? back(t, &c[i], TCP_SYN | TCP_ACK) : back_first(t, &c[i]);
		go(t, &c[i], TCP_ACK);
	}
	for (int i = 0; i < 2; i++) {
		next = conn_of(t, IPPROTO_TCP, CLIENT2, 4100 + i, DIRECTOR, 0, SERVER1);
		next.in.flags = TCP_SYN;
		for (int j = 0; j < 3; j++)
			expect_drop(t, &next.in, IVB_R_NO_PORT);
		go(t, &c[i], i ? TCP_RST : TCP_FIN | TCP_ACK);
		if (!i)
			back(t, &c[i], TCP_FIN | TCP_ACK);
		check_int(t, conn_state(t, &c[i].in), i ? IVB_S_CLOSE : IVB_S_TIME_WAIT, "state");
		port_not_yet(t, &c[i], &next.in);
		expect_drop(t, &next.in, IVB_R_NO_PORT);
		check_int(t, conn_state(t, &c[i].in), IVB_NONE, "the ended connection");
		next = open_any_port(t, IPPROTO_TCP, CLIENT2, 4100 + i);
		check_int(t, next.out.sport, c[i].out.sport, "its port");
		i ? back(t, &next, TCP_SYN | TCP_ACK) : back_first(t, &next);
		go(t, &next, TCP_ACK);
	}
	check_int(t, flows_count(t), 32, "flows");
}

/*
 * A client has its own address of several; when that has no port left towards the server, the next
 * one.
 */
static void several_addresses(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 0, SERVER1);
	unsigned int of[2] = { 0, 0 };
	union any_flow f;

	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	config_snat_addr(t, SNAT_POOL);
	config_snat_addr(t, DIRECTOR);
	snat_ports(t, 20000, 20007);
	for (int i = 0; i < 16; i++) {
		struct pkt_addr pool = who_addr(t->af, SNAT_POOL);

		c.in.sport = 4000 + i;
		send_blind(t, &c.in);
		if (!flow_find(t, &c.in, &f)) {
			check(t, false, "connection %d is not there", i);
			continue;
		}
		of[!memcmp(t->af == AF_INET ? (void *)&f.v4.saddr : (void *)f.v6.saddr, pool.byte,
			   t->af == AF_INET ? 4 : 16)]++;
		/* the first eight are one address's */
		if (i == 7)
			check(t, !of[0] || !of[1], "%u of one address, %u of the other", of[0],
			      of[1]);
	}
	check_int(t, of[0], 8, "connections from the one");
	check_int(t, of[1], 8, "and from the other");
}

/* A socket at the port, of any address. */
static int socket_at(struct env *t, int proto, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);

	check(t, !bind(fd, (void *)&a, sizeof(a)) && (proto == IPPROTO_UDP || !listen(fd, 1)),
	      "cannot have a socket at port %u", port);
	return fd;
}

/* Ports that the director's own sockets have taken since `up`: where it was told to look. */
static void port_of_the_host(struct env *t)
{
	static const int protos[] = { IPPROTO_UDP, IPPROTO_TCP };
	struct conn c;

	for (int i = 0; i < 2; i++) {
		int fd = socket_at(t, protos[i], 20000);

		for (int looks = 0; looks < 2; looks++) {
			env_reset_maps(t);
			simple(t, protos[i], IVB_SNAT_ALWAYS);
			snat_ports(t, 20000, 20001);
			t->config.flags |= looks ? IVB_CONFIG_HOST_PORTS : 0;
			config_write(t);
			c = open_any_port(t, protos[i], CLIENT, 20000);
			check_int(t, c.out.sport, 20000 + looks, "port");
		}
		c = conn_of(t, protos[i], CLIENT, 20001, DIRECTOR, 0, SERVER1);
		if (protos[i] == IPPROTO_TCP)
			c.in.flags = TCP_SYN;
		expect_drop(t, &c.in, IVB_R_NO_PORT);
		close(fd);
		/* who wanted it has it looked at once more */
		c = open_any_port(t, protos[i], CLIENT2, 20001);
		check_int(t, c.out.sport, 20000, "port of a socket that is no more");
	}
}

static void no_snat_addr(struct env *t)
{
	struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000, VIP, 80);
	struct conn c;

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	in.flags = TCP_SYN;
	dest_set_snat(t, 0, WHO_MAX_);
	expect_drop(t, &in, IVB_R_NO_SNAT_ADDR);
	check_int(t, flows_count(t), 0, "flows");
	/* `up --snat-addr` comes first, and does without the dest's */
	config_snat_addr(t, SNAT_POOL);
	c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000, SERVER1);
	go_first(t, &c);
	back_first(t, &c);
	dest_set_snat(t, 0, DIRECTOR);
	c = conn_of(t, IPPROTO_TCP, CLIENT2, 4001, SNAT_POOL, 4001, SERVER1);
	go_first(t, &c);
}

/* What the service says, else what the instance says; auto asks non_masq. */
static void policies(struct env *t)
{
	static const struct {
		enum ivb_snat service, instance;
		bool outside, inside; /* SNAT for clients that are not, and are, in non_masq */
	} cases[] = {
		{ IVB_SNAT_DEFAULT, IVB_SNAT_NEVER, false, false },
		{ IVB_SNAT_DEFAULT, IVB_SNAT_AUTO, true, false },
		{ IVB_SNAT_DEFAULT, IVB_SNAT_ALWAYS, true, true },
		{ IVB_SNAT_NEVER, IVB_SNAT_ALWAYS, false, false },
		{ IVB_SNAT_AUTO, IVB_SNAT_NEVER, true, false },
		{ IVB_SNAT_AUTO, IVB_SNAT_ALWAYS, true, false },
		{ IVB_SNAT_ALWAYS, IVB_SNAT_NEVER, true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum who client[2] = { CLIENT, CLIENT_INSIDE };

		env_reset_maps(t);
		simple(t, IPPROTO_UDP, cases[i].service);
		non_masq_add(t, CLIENT_INSIDE);
		t->config.snat = cases[i].instance;
		config_write(t);
		for (int j = 0; j < 2; j++) {
			bool snat = j ? cases[i].inside : cases[i].outside;
			struct conn c = conn_of(t, IPPROTO_UDP, client[j], 4000 + j,
						snat ? DIRECTOR : client[j], 4000 + j, SERVER1);

			go_first(t, &c);
			back_first(t, &c);
		}
	}
}

/* A server that is its own client would answer itself: SNAT whatever the policy. */
static void hairpin(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_TCP, SERVER1, 4000, DIRECTOR, 4000, SERVER1);
	struct conn other = conn_of(t, IPPROTO_TCP, SERVER2, 4000, SERVER2, 4000, SERVER1);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	memcpy(c.in.dmac, side_mac(SERVER_SIDE), 6);
	memcpy(c.in.smac, who_mac(SERVER1), 6);
	memcpy(c.out.dmac, c.in.dmac, 6);
	memcpy(c.out.smac, c.in.smac, 6);
	go_first(t, &c);
	/* the reply goes to the neighbour that it came from */
	c.reply_in.flags = c.reply_out.flags = TCP_SYN | TCP_ACK;
	expect_out(t, &c.reply_in, &c.reply_out);
	/* another server of the same network is no hairpin */
	go_first(t, &other);
}

const struct test_case cases_snat[] = {
	{ "SNAT keeps the client's port", port_kept, BOTH },
	{ "SNAT: client's port outside of the range", port_outside_the_range, BOTH },
	{ "SNAT: the port is keyed", port_is_keyed, BOTH },
	{ "SNAT: 64 clients with one source port", collisions, BOTH },
	{ "SNAT: no free port", no_port, BOTH },
	{ "SNAT: ports of ended connections, when all are taken", port_of_ended, BOTH },
	{ "SNAT: several addresses", several_addresses, BOTH },
	{ "SNAT: ports of the host's sockets", port_of_the_host, BOTH },
	{ "SNAT: one port towards two servers", port_per_server, BOTH },
	{ "SNAT: address of the instance, of the server, of nobody", no_snat_addr, BOTH },
	{ "SNAT: policies and non_masq", policies, BOTH },
	{ "SNAT: hairpin", hairpin, BOTH },
	{ 0 },
};
