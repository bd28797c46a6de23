/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Half-open connections: how many there may be, who goes first, and who gets in during a flood. */
#include "env.h"
#include "family_maps.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

#define PLACES 4

static struct conn nth(struct env *t, int proto, int n)
{
	return conn_of(t, proto, CLIENT, 4000 + n, CLIENT, 4000 + n, SERVER1);
}

static void begin(struct env *t, int proto)
{
	t->config.max_half_open[0] = t->config.max_half_open[1] = PLACES;
	config_write(t);
	simple(t, proto, IVB_SNAT_NEVER);
}

/* Makes the places' connections that many jiffies older. */
static void age_places(struct env *t, uint32_t jiffies)
{
	struct bpf_map *map = maps_of(t).half_open;
	struct ivb_half_open h;

	for (uint32_t pos = 0; pos < PLACES; pos++) {
		map_get(map, &pos, &h);
		h.stamp -= jiffies;
		bpf_map__update_elem(map, &pos, sizeof(pos), &h, sizeof(h), 0);
	}
}

/* The same for refused packets, in quarter seconds. */
static void age_tries(struct env *t, uint32_t quarters)
{
	struct bpf_map *map = t->skel->maps.first_tries;
	struct ivb_tries tries;

	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++) {
		map_get(map, &i, &tries);
		for (int way = 0; way < IVB_TRIES_WAYS; way++) {
			uint32_t tag = tries.tag[way];

			if (tag)
				tries.tag[way] = (tag & ~0xffu) | ((tag - quarters) & 0xff);
		}
		bpf_map__update_elem(map, &i, sizeof(i), &tries, sizeof(tries), 0);
	}
}

static uint64_t evicted(struct env *t)
{
	uint32_t family = t->af == AF_INET ? 0 : 1;
	struct ivb_admission a = { 0 };

	map_get(t->skel->maps.admission, &family, &a);
	return a.evicted;
}

static struct pkt_spec first_of(const struct conn *c)
{
	struct pkt_spec spec = c->in;

	if (spec.proto == IPPROTO_TCP)
		spec.flags = TCP_SYN;
	return spec;
}

/* Which of the first n connections are there, a bit each. */
static uint32_t alive(struct env *t, int proto, int n)
{
	uint32_t bits = 0;
	union any_flow f;

	for (int i = 0; i < n; i++) {
		struct conn c = nth(t, proto, i);

		bits |= (uint32_t)flow_find(t, &c.in, &f) << i;
	}
	return bits;
}

static void confirm(struct env *t, int proto, int n)
{
	struct conn c = nth(t, proto, n);

	back_first(t, &c);
	if (proto == IPPROTO_TCP)
		go(t, &c, TCP_ACK);
}

/*
 * Whoever is confirmed stays; of the others the oldest goes first, and never are there more than
 * places.
 */
static void oldest_first(struct env *t, int proto)
{
	struct conn c;

	begin(t, proto);
	for (int i = 0; i < 3 * PLACES; i++) {
		c = nth(t, proto, i);
		go_first(t, &c);
		if (i == 1 || i == 2)
			confirm(t, proto, i);
		age_places(t, 4 * t->hz);
		verify(t);
	}
	check_int(t, alive(t, proto, 3 * PLACES), 0xf06, "the confirmed and the last are there");
	check_int(t, evicted(t), 3 * PLACES - 2 - PLACES, "evicted");
	c = nth(t, proto, 1);
	go(t, &c, proto == IPPROTO_TCP ? TCP_ACK : 0);
	back(t, &c, proto == IPPROTO_TCP ? TCP_ACK : 0);
}

static void oldest_first_tcp(struct env *t)
{
	oldest_first(t, IPPROTO_TCP);
}

static void oldest_first_udp(struct env *t)
{
	oldest_first(t, IPPROTO_UDP);
}

/* A flood's packets are refused, those of who tries again are not; once it is over, nobody is. */
static void flood(struct env *t, int proto)
{
	struct conn c, late = nth(t, proto, 100);
	struct pkt_spec spec = first_of(&late);

	begin(t, proto);
	for (int i = 0; i < PLACES; i++) {
		c = nth(t, proto, i);
		go_first(t, &c);
	}
	for (int i = 0; i < 40; i++) {
		struct pkt_spec other;

		c = nth(t, proto, 200 + i);
		other = first_of(&c);
		expect_drop(t, &other, IVB_R_HALF_OPEN);
	}
	check_int(t, alive(t, proto, PLACES), (1 << PLACES) - 1, "nobody had to go");
	expect_drop(t, &spec, IVB_R_HALF_OPEN);
	expect_drop(t, &spec, IVB_R_HALF_OPEN); /* at once: any flood could do that */
	age_tries(t, 4);
	go_first(t, &late);
	check_int(t, alive(t, proto, PLACES), 0xe, "the oldest has gone");
	late = nth(t, proto, 101);
	spec = first_of(&late);
	expect_drop(t, &spec, IVB_R_HALF_OPEN);
	age_tries(t, 60);
	expect_drop(t, &spec, IVB_R_HALF_OPEN); /* so late it is no repetition */
	age_places(t, 4 * t->hz);
	go_first(t, &late);
	check_int(t, evicted(t), 2, "evicted");
}

static void flood_tcp(struct env *t)
{
	flood(t, IPPROTO_TCP);
}

static void flood_udp(struct env *t)
{
	flood(t, IPPROTO_UDP);
}

/* Refused, reset, closed before it was established: still among those that go first. */
static void never_confirmed(struct env *t)
{
	static const uint8_t ends[] = { TCP_RST | TCP_ACK, TCP_FIN | TCP_ACK };

	for (int i = 0; i < 2; i++) {
		struct conn c = nth(t, IPPROTO_TCP, 0);

		env_reset_maps(t);
		begin(t, IPPROTO_TCP);
		go_first(t, &c);
		back_first(t, &c);
		back(t, &c, ends[i]);
		check_int(t, dest_counts(t, 0).inactive, 1, "inactive");
		for (int n = 1; n <= PLACES; n++) {
			age_places(t, 4 * t->hz);
			c = nth(t, IPPROTO_TCP, n);
			go_first(t, &c);
		}
		check_int(t, alive(t, IPPROTO_TCP, PLACES + 1), 0x1e, "it has gone");
		check_int(t, dest_counts(t, 0).inactive, 0, "inactive");
		verify(t);
	}
}

/* A connection that could not be made leaves its place without an owner, and nothing else. */
static void not_made(struct env *t)
{
	struct conn c = nth(t, IPPROTO_TCP, 0), other = c;
	struct pkt_spec syn;
	struct service s;

	begin(t, IPPROTO_TCP);
	s = service_add(t, IPPROTO_TCP, VIP2, 80, IVB_SNAT_NEVER);
	ring_write(t, &s, 1, 1, 0, 1, dest_add(t, &s, SERVER1, 8080, 1));
	go_first(t, &c);
	other.in.dst = who_addr(t->af, VIP2);
	syn = first_of(&other);
	for (int i = 0; i < 3; i++)
		expect_drop(t, &syn, IVB_R_NO_PORT);
	check_int(t, alive(t, IPPROTO_TCP, 1), 1, "the first is there");
	age_places(t, 4 * t->hz);
	for (int i = 1; i <= PLACES; i++) {
		c = nth(t, IPPROTO_TCP, i);
		go_first(t, &c);
		age_places(t, 4 * t->hz);
	}
	check_int(t, alive(t, IPPROTO_TCP, PLACES + 1), 0x1e, "the first has gone");
	check_int(t, evicted(t), 1, "evicted");
}

/* Another version takes over: nothing begins for a while, and what is there goes on. */
static void held(struct env *t)
{
	struct conn c = nth(t, IPPROTO_TCP, 0), other = nth(t, IPPROTO_TCP, 1);
	struct pkt_spec syn = first_of(&other);

	begin(t, IPPROTO_TCP);
	go_first(t, &c);
	t->config.hold_until = jiffies_now(t) + 100 * t->hz;
	config_write(t);
	expect_drop(t, &syn, IVB_R_TAKEOVER);
	confirm(t, IPPROTO_TCP, 0);
	t->config.hold_until = jiffies_now(t) - 1;
	config_write(t);
	go_first(t, &other);
}

const struct test_case cases_flood[] = {
	{ "half-open TCP: the oldest goes first", oldest_first_tcp, BOTH },
	{ "unanswered UDP: the oldest goes first", oldest_first_udp, BOTH },
	{ "flood of SYN", flood_tcp, BOTH },
	{ "flood of UDP", flood_udp, BOTH },
	{ "half-open: closed before it was established", never_confirmed, BOTH },
	{ "half-open: not made", not_made, BOTH },
	{ "held while another version takes over", held, BOTH },
	{ 0 },
};
