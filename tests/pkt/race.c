/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processors at the same connections: each sends its packets through the real program, released
 * one by one together, or as fast as they can, and the expiry timer or changes of the configuration
 * come between. After each round both directions of every connection must be there, and every count
 * be right. `race SECONDS` takes that long for each case.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "enter.h"
#include "env.h"
#include "kernel.h"
#include "family_maps.h"
#include "tap.h"
#include "tc.skel.h"

#define CONNS 100 /* less than MAX_CONNS, with room for those that have not been removed yet */
#define HAMMERED 16
#define SPINS 2000

_Static_assert(CONNS <= ENTER_NOTES, "a note for each");

struct shot {
	struct pkt frame;
	unsigned int ifindex;
};

/* What a processor sends in a round, or does in place of a packet. */
struct gun {
	struct env *t;
	unsigned int number, cpu;
	struct shot shots[CONNS];
	void (*act)(struct env *t, unsigned int i);
	bool noted; /* the packets are kernel IPVS's, on their way out, each with its note */
	int error;
};

static struct gun guns[2];
static atomic_uint arrived;
static int seconds = 1;
static time_t hammer_until; /* 0: one packet after the other, together */
static bool burst;	    /* but half as many, and only the first ones together */
static unsigned int first_cpus[2];

/* Until the other one is here as well. */
static void meet(unsigned int n)
{
	unsigned int spins = 0;

	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < 2 * (n + 1))
		if (++spins > SPINS)
			sched_yield();
}

static void fire(struct gun *g, const struct shot *s)
{
	static __thread uint8_t out[PKT_MAX];
	struct __sk_buff ctx = { .ifindex = s->ifindex, .cb[0] = s - g->shots };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = s->frame.data, .data_size_in = s->frame.len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int fd = bpf_program__fd(g->t->af == AF_INET ? g->t->skel->progs.tc_ingress
						     : g->t->skel->progs.tc_ingress6);

	if (g->noted)
		fd = enter_noted(g->t);
	if (bpf_prog_test_run_opts(fd, &opts))
		g->error = errno;
}

static void *run(void *arg)
{
	struct gun *g = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(g->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (time(NULL) < hammer_until) {
		for (unsigned int i = 0; i < HAMMERED; i++)
			fire(g, &g->shots[i]);
	}
	for (unsigned int i = 0; i < (burst ? CONNS / 2 : CONNS) && !hammer_until; i++) {
		if (!burst || !i)
			meet(i);
		if (g->act)
			g->act(g->t, i);
		else
			fire(g, &g->shots[i]);
	}
	return NULL;
}

static void round_run(struct env *t)
{
	pthread_t threads[2];

	atomic_store(&arrived, 0);
	for (unsigned int i = 0; i < 2; i++) {
		guns[i].t = t;
		guns[i].cpu = first_cpus[i];
		if (pthread_create(&threads[i], NULL, run, &guns[i]))
			bail("pthread_create: %s", strerror(errno));
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	check_int(t, guns[0].error + guns[1].error, 0, "errno of test runs");
}

static void load(struct env *t, struct gun *g, unsigned int i, const struct pkt_spec *spec,
		 enum side side)
{
	pkt_build(&g->shots[i].frame, spec);
	g->shots[i].ifindex = t->ifindex[side];
}

static void load_from(struct env *t, struct gun *g, uint16_t port, int proto, uint8_t flags)
{
	for (unsigned int i = 0; i < CONNS; i++) {
		struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, port + i, VIP, 80);

		in.proto = proto;
		in.flags = flags;
		load(t, g, i, &in, CLIENT_SIDE);
	}
}

static void load_forward(struct env *t, struct gun *g, int proto, uint8_t flags)
{
	load_from(t, g, 4000, proto, flags);
}

static void load_reply(struct env *t, struct gun *g, int proto, uint8_t flags)
{
	for (unsigned int i = 0; i < CONNS; i++) {
		struct pkt_spec in = from(t, SERVER_SIDE, SERVER1, 8080, CLIENT, 4000 + i);

		in.proto = proto;
		in.flags = flags;
		load(t, g, i, &in, SERVER_SIDE);
	}
}

/*
 * One round after another until the time is up: prepared, run, settled and verified, cleared away.
 */
static void rounds(struct env *t, void (*prepare)(struct env *t), void (*settle)(struct env *t))
{
	time_t end = time(NULL) + seconds;
	unsigned int n = 0;

	while (!t->failed && (!n || time(NULL) < end)) {
		if (prepare)
			prepare(t);
		round_run(t);
		if (settle)
			settle(t);
		verify(t);
		conns_forget(t);
		n++;
	}
	diag("IPv%d, %s: %u rounds of %d", t->af == AF_INET ? 4 : 6, t->title, n, CONNS);
}

static void all_there(struct env *t)
{
	check_int(t, flows_count(t), 2 * CONNS, "flows");
	check_int(t, dest_counts(t, 0).conns, CONNS, "connections scheduled");
}

static void same_syn(struct env *t)
{
	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	load_forward(t, &guns[0], IPPROTO_TCP, TCP_SYN);
	load_forward(t, &guns[1], IPPROTO_TCP, TCP_SYN);
	rounds(t, NULL, all_there);
}

static void same_datagram(struct env *t)
{
	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	load_forward(t, &guns[0], IPPROTO_UDP, 0);
	load_forward(t, &guns[1], IPPROTO_UDP, 0);
	rounds(t, NULL, all_there);
}

static void kernel_forget(struct env *t)
{
	struct bpf_map *map = t->skel->maps.kernel_conns;
	uint64_t cp;

	while (!bpf_map__get_next_key(map, NULL, &cp, sizeof(cp)))
		bpf_map__delete_elem(map, &cp, sizeof(cp), 0);
}

static void all_followed(struct env *t)
{
	check_int(t, flows_count(t), 2 * CONNS, "flows");
}

/* Kernel IPVS sends a connection's first two packets at once: both egress programs make it. */
static void same_followed(struct env *t)
{
	config_snat_addr(t, SNAT_POOL);
	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	for (unsigned int i = 0; i < CONNS; i++) {
		struct kconn k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000 + i, SNAT_POOL, 4000 + i);

		enter_give(t, i, &k.note);
		for (unsigned int g = 0; g < 2; g++)
			load(t, &guns[g], i, &k.left, SERVER_SIDE);
	}
	guns[0].noted = guns[1].noted = true;
	rounds(t, kernel_forget, all_followed);
	guns[0].noted = guns[1].noted = false;
}

static void nobody_refused(struct env *t)
{
	counters_read(t, 1);
	check_int(t, t->counters[1][IVB_R_HALF_OPEN][0] - t->counters[0][IVB_R_HALF_OPEN][0], 0,
		  "taken for a flood");
	check_int(t, dest_counts(t, 0).conns, CONNS, "connections scheduled");
}

static void places_clear(struct env *t)
{
	const struct ivb_half_open none = {};

	for (uint32_t pos = 0; pos < CONNS; pos++)
		bpf_map__update_elem(maps_of(t).half_open, &pos, sizeof(pos), &none, sizeof(none),
				     0);
}

/* The place that the other one is taking just now is not the oldest one's. */
static void many_syns(struct env *t)
{
	t->config.max_half_open[0] = t->config.max_half_open[1] = CONNS;
	config_write(t);
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	load_from(t, &guns[0], 4000, IPPROTO_TCP, TCP_SYN);
	load_from(t, &guns[1], 5000, IPPROTO_TCP, TCP_SYN);
	burst = true;
	counters_read(t, 0);
	rounds(t, places_clear, nobody_refused);
	burst = false;
}

/* The reply comes when its flow is there, and the forward one is not. */
static void early_reply(struct env *t)
{
	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	load_forward(t, &guns[0], IPPROTO_TCP, TCP_SYN);
	load_reply(t, &guns[1], IPPROTO_TCP, TCP_SYN | TCP_ACK);
	rounds(t, NULL, all_there);
}

/* Connections that one processor alone has made. */
static void make(struct env *t, int proto, uint8_t flags)
{
	static struct gun g;

	g.t = t;
	load_forward(t, &g, proto, proto == IPPROTO_TCP ? TCP_SYN : 0);
	for (unsigned int i = 0; i < CONNS; i++)
		fire(&g, &g.shots[i]);
	if (!flags)
		return;
	load_forward(t, &g, proto, flags);
	for (unsigned int i = 0; i < CONNS; i++)
		fire(&g, &g.shots[i]);
}

static void make_closed(struct env *t)
{
	make(t, IPPROTO_TCP, TCP_RST);
}

/* Both find the connection over, and each wants to make it anew. */
static void same_syn_again(struct env *t)
{
	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	load_forward(t, &guns[0], IPPROTO_TCP, TCP_SYN);
	load_forward(t, &guns[1], IPPROTO_TCP, TCP_SYN);
	rounds(t, make_closed, NULL);
}

static bool timer_start(struct env *t)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	const struct bpf_program *arm =
		t->af == AF_INET ? t->skel->progs.arm4 : t->skel->progs.arm6;

	return !bpf_prog_test_run_opts(bpf_program__fd(arm), &opts) && !opts.retval;
}

/*
 * Connections are due as soon as their last packet has been seen, while both processors send as
 * fast as they can. At the end nothing is left.
 */
static void hammer(struct env *t)
{
	if (!timer_start(t)) {
		skip("no timer can be had here");
		return;
	}
	for (int i = 0; i < IVB_S_MAX_; i++)
		t->config.timeouts[i] = 0;
	config_write(t);
	hammer_until = time(NULL) + 1 + seconds;
	round_run(t);
	hammer_until = 0;
	for (int i = 0; i < 100 && flows_count(t); i++)
		usleep(20000);
	usleep(20000);
	verify(t);
	check_int(t, flows_count(t), 0, "flows");
	check(t, dest_counts(t, 0).conns > HAMMERED, "%u connections were made",
	      (unsigned int)dest_counts(t, 0).conns);
	diag("IPv%d, %s: %u connections", t->af == AF_INET ? 4 : 6, t->title,
	     (unsigned int)dest_counts(t, 0).conns);
}

/*
 * No timer yet, so packets of no service of ours sweep the clock, while the other processor takes
 * connections from 900 s to the end of their time, again and again. None may be forgotten.
 */
static void shortened(struct env *t)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_ACK, TCP_RST, 0 };

	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	t->config.timeouts[IVB_S_CLOSE] = 0;
	config_write(t);
	for (unsigned int i = 0; i < HAMMERED; i++) {
		struct pkt_spec in = from(t, CLIENT_SIDE, CLIENT, 4000 + i % 4, VIP, 80);

		in.proto = IPPROTO_TCP;
		in.flags = flags[i / 4];
		load(t, &guns[0], i, &in, CLIENT_SIDE);
		in.dport = 81;
		load(t, &guns[1], i, &in, CLIENT_SIDE);
	}
	hammer_until = time(NULL) + 1 + seconds;
	round_run(t);
	hammer_until = 0;
	for (int i = 0; i < 150 && flows_count(t); i++) {
		fire(&guns[1], &guns[1].shots[0]);
		usleep(20000);
	}
	verify(t);
	check_int(t, flows_count(t), 0, "flows");
	diag("IPv%d, %s: %u connections", t->af == AF_INET ? 4 : 6, t->title,
	     (unsigned int)dest_counts(t, 0).conns);
}

static void expiry(struct env *t)
{
	simple(t, IPPROTO_TCP, IVB_SNAT_ALWAYS);
	load_forward(t, &guns[0], IPPROTO_TCP, TCP_SYN);
	load_forward(t, &guns[1], IPPROTO_TCP, TCP_SYN);
	hammer(t);
}

static void expiry_and_reply(struct env *t)
{
	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	load_forward(t, &guns[0], IPPROTO_UDP, 0);
	load_reply(t, &guns[1], IPPROTO_UDP, 0);
	hammer(t);
}

/* The first of two servers goes and comes, as `adm -d` and `-a` write it. */
static void remove_first(struct env *t, unsigned int i)
{
	dest_set_state(t, 0, i % 2 ? IVB_DEST_AVAILABLE : IVB_DEST_REMOVED);
}

static void make_udp(struct env *t)
{
	make(t, IPPROTO_UDP, 0);
}

static void removal(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b = dest_add(t, &s, SERVER2, 8080, 1);

	ring_write(t, &s, 2, 1, 0, 2, a, b);
	load_forward(t, &guns[0], IPPROTO_UDP, 0);
	guns[1].act = remove_first;
	rounds(t, make_udp, NULL);
	guns[1].act = NULL;
}

/* A client's packets find the server gone on two processors at once. */
static void make_udp_gone(struct env *t)
{
	dest_set_state(t, 0, IVB_DEST_AVAILABLE);
	make(t, IPPROTO_UDP, 0);
	dest_set_state(t, 0, IVB_DEST_REMOVED);
}

static void removed(struct env *t)
{
	struct service s = service_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_NEVER);
	uint32_t a = dest_add(t, &s, SERVER1, 8080, 1), b = dest_add(t, &s, SERVER2, 8080, 1);

	ring_write(t, &s, 2, 1, 0, 2, a, b);
	load_forward(t, &guns[0], IPPROTO_UDP, 0);
	load_forward(t, &guns[1], IPPROTO_UDP, 0);
	rounds(t, make_udp_gone, NULL);
}

static const struct test_case cases[] = {
	{ "a time cut short and a sweep by packets", shortened,
	  BOTH }, /* before there is a timer */
	{ "the same SYN on two processors", same_syn, BOTH },
	{ "the same datagram on two processors", same_datagram, V4 },
	{ "the same first packet of kernel IPVS's on two processors", same_followed, BOTH },
	{ "different SYNs on two processors", many_syns, V4 },
	{ "a reply before the forward flow", early_reply, V4 },
	{ "a SYN on a connection that is over, on two processors", same_syn_again, V4 },
	{ "expiry and a new SYN", expiry, BOTH },
	{ "expiry and a reply", expiry_and_reply, V4 },
	{ "a server is removed, its datagrams go on", removal, V4 },
	{ "datagrams for a removed server on two processors", removed, V4 },
	{ 0 },
};

static void run_case(struct env *t, const struct test_case *c, int af)
{
	t->af = af;
	t->title = c->title;
	env_reset(t);
	nexthops_fresh(t);
	c->run(t);
	ok(!t->failed, "IPv%d: %s", af == AF_INET ? 4 : 6, c->title);
}

/* Two processors that this process may use. */
static bool two_cpus(void)
{
	unsigned int n = 0;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++) {
		if (CPU_ISSET(cpu, &set))
			first_cpus[n++] = cpu;
	}
	return n == 2;
}

int main(int argc, char **argv)
{
	struct env t = { 0 };

	if (geteuid())
		bail("needs root: a network namespace, and BPF programs");
	if (argc > 1)
		seconds = atoi(argv[1]);
	if (!two_cpus()) {
		skip("a race needs two processors");
		return done_testing();
	}
	env_network(&t);
	env_load(&t);
	enter_open(&t);
	for (const struct test_case *c = cases; c->title; c++) {
		if (c->families & V4)
			run_case(&t, c, AF_INET);
		if (c->families & V6)
			run_case(&t, c, AF_INET6);
	}
	enter_close(&t);
	env_close(&t);
	return done_testing();
}
