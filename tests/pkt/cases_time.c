/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the clock does: stamps renewed once a second, connections that end by the timer alone. */
#include "env.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

/* Within a second of the last look a packet leaves the stamp alone; after it the stamp moves. */
static void renewed_once_a_second(struct env *t)
{
	struct conn c = conn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	int32_t timeout = t->config.timeouts[IVB_S_UDP];
	struct pkt_spec *side[] = { &c.in, &c.reply_in };
	union any_flow f;
	uint32_t began;
	bool moved;

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	go_first(t, &c);
	back_first(t, &c);
	for (int i = 0; i < 2; i++) {
		conn_expire_in(t, &c.in, 5 * t->hz);
		flow_find(t, side[i], &f);
		began = f.flow.last_seen = jiffies_now(t);
		flow_write(t, side[i], &f);
		i ? back(t, &c, 0) : go(t, &c, 0);
		moved = conn_expires_in(t, &c.in) > 5 * (int32_t)t->hz;
		/* unless the machine took a second for that */
		if (jiffies_now(t) - began < t->hz)
			check(t, !moved, "stamp moved at once");
		f.flow.last_seen -= t->hz + 1;
		flow_write(t, side[i], &f);
		i ? back(t, &c, 0) : go(t, &c, 0);
		check(t, conn_expires_in(t, &c.in) > timeout - 5 * (int32_t)t->hz,
		      "stamp not moved after a second");
		flow_find(t, side[i], &f);
		check(t, jiffies_now(t) - f.flow.last_seen < 5 * t->hz, "last seen");
	}
}

/*
 * A service's own timeouts come before everybody's; each of the three in its state, and no other.
 */
static void own_timeouts(struct env *t)
{
	static const uint32_t states[] = { IVB_S_ESTABLISHED, IVB_S_FIN_WAIT, IVB_S_TIME_WAIT };
	struct ivb_service_state state = { .timeouts = { 7 * t->hz, 8 * t->hz, 9 * t->hz } };
	struct bpf_map *map = t->skel->maps.ivb_service_state;
	int32_t own[] = { 7 * t->hz, 8 * t->hz, t->config.timeouts[IVB_S_TIME_WAIT] };
	struct conn c = conn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000, SERVER1);
	struct service s = simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);

	bpf_map__update_elem(map, &s.value.slot, sizeof(s.value.slot), &state, sizeof(state), 0);
	go_first(t, &c);
	check(t, conn_expires_in(t, &c.in) > 20 * (int32_t)t->hz, "SYN_RECV has none of its own");
	back_first(t, &c);
	for (int i = 0; i < 3; i++) {
		int32_t left;

		if (i == 1)
			back(t, &c, TCP_FIN | TCP_ACK);
		else
			go(t, &c, i ? TCP_FIN | TCP_ACK : TCP_ACK);
		left = conn_expires_in(t, &c.in);
		check_int(t, conn_state(t, &c.in), states[i], "state");
		check(t, left <= own[i] + 2 && left > own[i] - 5 * (int32_t)t->hz,
		      "ends in %d jiffies, expected %d", left, own[i]);
	}
}

static void expires(struct env *t)
{
	struct conn c[20];

	simple(t, IPPROTO_UDP, IVB_SNAT_NEVER);
	for (int i = 0; i < 20; i++) {
		c[i] = conn_of(t, IPPROTO_UDP, CLIENT, 4000 + i, CLIENT, 4000 + i, SERVER1);
		go_first(t, &c[i]);
	}
	timer_arm(t);
	for (int i = 0; i < 20; i += 2)
		conn_expire_in(t, &c[i].in, 0);
	check(t, flows_wait(t, 20), "half of the connections end, %u flows are left",
	      flows_count(t));
	verify(t);
	check_int(t, dest_counts(t, 0).inactive, 10, "inactive");
	check_int(t, dest_counts(t, 0).in_packets, 10, "packets folded");
	for (int i = 1; i < 20; i += 2)
		go(t, &c[i], 0);
	/* the slots and the tuples are free again */
	for (int i = 0; i < 20; i += 2)
		go_first(t, &c[i]);
	for (int i = 0; i < 20; i++)
		conn_expire_in(t, &c[i].in, 0);
	check(t, flows_wait(t, 0), "the others end, %u flows are left", flows_count(t));
}

/* A table of expired connections is swept in slices, and nothing is left over. */
static void all_expire(struct env *t)
{
	struct conn c = { 0 };

	simple(t, IPPROTO_UDP, IVB_SNAT_ALWAYS);
	for (int i = 0; i < MAX_CONNS; i++) {
		c = conn_of(t, IPPROTO_UDP, CLIENT, 4000 + i, DIRECTOR, 4000 + i, SERVER1);
		go_first(t, &c);
	}
	for (int i = 0; i < MAX_CONNS; i++) {
		c.in.sport = 4000 + i;
		conn_expire_in(t, &c.in, 0);
	}
	check(t, flows_wait(t, 0), "%u flows are left", flows_count(t));
}

const struct test_case cases_time[] = {
	{ "stamp renewed once a second", renewed_once_a_second, BOTH },
	{ "timeouts of a service", own_timeouts, BOTH },
	{ "connections expire", expires, BOTH },
	{ "all connections expire", all_expire, BOTH },
	{ 0 },
};
