/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what the programs have written. */
#include "env.h"
#include "family_maps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

struct family_maps maps_of(struct env *t)
{
	struct tc_bpf *s = t->skel;

	if (t->af == AF_INET)
		return (struct family_maps){ s->maps.flows4, s->maps.conns4, s->maps.clock4,
					     s->maps.half_open4, s->maps.due4 };
	return (struct family_maps){ s->maps.flows6, s->maps.conns6, s->maps.clock6,
				     s->maps.half_open6, s->maps.due6 };
}

bool map_get(struct bpf_map *map, const void *key, void *value)
{
	return !bpf_map__lookup_elem(map, key, bpf_map__key_size(map), value,
				     bpf_map__value_size(map), 0);
}

uint32_t jiffies_now(struct env *t)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(t->skel->progs.now), &opts))
		bail("program now: %s", strerror(errno));
	return t->skel->bss->ivb_now_jiffies;
}

union any_tuple tuple_of(struct env *t, const struct pkt_spec *spec)
{
	union any_tuple key = { 0 };

	if (t->af == AF_INET) {
		memcpy(&key.v4.saddr, spec->src.byte, 4);
		memcpy(&key.v4.daddr, spec->dst.byte, 4);
		key.v4.sport = htons(spec->sport);
		key.v4.dport = htons(spec->dport);
		key.v4.proto = spec->proto;
		key.v4.zone = ZONE;
	} else {
		memcpy(key.v6.saddr, spec->src.byte, 16);
		memcpy(key.v6.daddr, spec->dst.byte, 16);
		key.v6.sport = htons(spec->sport);
		key.v6.dport = htons(spec->dport);
		key.v6.proto = spec->proto;
		key.v6.zone = ZONE;
	}
	return key;
}

bool flow_find(struct env *t, const struct pkt_spec *spec, union any_flow *ret)
{
	union any_tuple key = tuple_of(t, spec);

	return map_get(maps_of(t).flows, &key, ret);
}

void flow_write(struct env *t, const struct pkt_spec *spec, const union any_flow *flow)
{
	struct bpf_map *flows = maps_of(t).flows;
	union any_tuple key = tuple_of(t, spec);

	if (bpf_map__update_elem(flows, &key, bpf_map__key_size(flows), flow,
				 bpf_map__value_size(flows), BPF_EXIST))
		bail("flows: %s", strerror(errno));
}

uint32_t conn_state(struct env *t, const struct pkt_spec *spec)
{
	union any_flow flow;
	union any_conn conn;

	if (!flow_find(t, spec, &flow) || !map_get(maps_of(t).conns, &flow.flow.conn, &conn) ||
	    conn.conn.gen != flow.flow.conn_gen)
		return IVB_NONE;
	return conn.conn.state & ((1u << IVB_CONN_PLACE_SHIFT) - 1);
}

bool state_counts_active(uint32_t state)
{
	return state == IVB_S_ESTABLISHED || state == IVB_S_SYN_SENT || state == IVB_S_SYN_RECV ||
	       state == IVB_S_SYNACK;
}

union any_tuple peer_key(struct env *t, const union any_flow *f, uint32_t proto)
{
	union any_tuple key = { 0 };

	if (t->af == AF_INET) {
		key.v4.saddr = f->v4.daddr;
		key.v4.daddr = f->v4.saddr;
		key.v4.sport = f->flow.dport;
		key.v4.dport = f->flow.sport;
		key.v4.proto = proto;
		key.v4.zone = ZONE;
	} else {
		memcpy(key.v6.saddr, f->v6.daddr, 16);
		memcpy(key.v6.daddr, f->v6.saddr, 16);
		key.v6.sport = f->flow.dport;
		key.v6.dport = f->flow.sport;
		key.v6.proto = proto;
		key.v6.zone = ZONE;
	}
	return key;
}

/* As if no packet had been seen in this state. */
static void flow_forget_established(struct env *t, const union any_tuple *key)
{
	struct bpf_map *flows = maps_of(t).flows;
	union any_flow flow;

	if (!map_get(flows, key, &flow))
		bail("a case wants a state for a connection that is not there");
	flow.flow.flags &= ~IVB_FLOW_ESTABLISHED;
	bpf_map__update_elem(flows, key, bpf_map__key_size(flows), &flow,
			     bpf_map__value_size(flows), BPF_EXIST);
}

void conn_set_state(struct env *t, const struct pkt_spec *spec, uint32_t state)
{
	struct bpf_map *conns = maps_of(t).conns;
	struct ivb_dest_conns counts;
	union any_tuple key;
	union any_flow flow;
	union any_conn conn;

	if (!flow_find(t, spec, &flow) || !map_get(conns, &flow.flow.conn, &conn))
		bail("a case wants a state for a connection that is not there");
	conn.conn.state = state;
	bpf_map__update_elem(conns, &flow.flow.conn, sizeof(uint32_t), &conn,
			     bpf_map__value_size(conns), 0);
	counts = dest_counts(t, flow.flow.dest);
	counts.active = state_counts_active(state);
	counts.inactive = !counts.active;
	bpf_map__update_elem(t->skel->maps.dest_conns, &flow.flow.dest, sizeof(uint32_t), &counts,
			     sizeof(counts), 0);
	key = tuple_of(t, spec);
	flow_forget_established(t, &key);
	key = peer_key(t, &flow, spec->proto);
	flow_forget_established(t, &key);
}

bool stamp_of(struct env *t, uint32_t id, uint32_t *ret)
{
	uint32_t group = id / IVB_CLOCK_GROUP;
	struct ivb_clock_group g;

	if (!map_get(maps_of(t).clock, &group, &g))
		return false;
	*ret = g.expires[id % IVB_CLOCK_GROUP];
	return true;
}

int32_t conn_expires_in(struct env *t, const struct pkt_spec *spec)
{
	union any_flow flow;
	uint32_t stamp;

	if (!flow_find(t, spec, &flow) || !stamp_of(t, flow.flow.conn, &stamp))
		return INT32_MIN;
	return stamp - jiffies_now(t);
}

static void stamp_write(struct bpf_map *map, uint32_t line, uint32_t index, uint32_t stamp)
{
	struct ivb_clock_group g;

	map_get(map, &line, &g);
	g.expires[index] = stamp;
	bpf_map__update_elem(map, &line, sizeof(line), &g, sizeof(g), 0);
}

/* With what is above it. */
void conn_expire_in(struct env *t, const struct pkt_spec *spec, int32_t jiffies)
{
	uint32_t stamp = jiffies_now(t) + jiffies, group, line;
	struct family_maps m = maps_of(t);
	union any_flow flow;

	if (!flow_find(t, spec, &flow))
		bail("a case expires a connection that is not there");
	group = flow.flow.conn / IVB_CLOCK_GROUP;
	line = group / IVB_CLOCK_GROUP;
	stamp_write(m.clock, group, flow.flow.conn % IVB_CLOCK_GROUP, stamp);
	stamp_write(m.due, line, group % IVB_CLOCK_GROUP, stamp);
	stamp_write(m.due, IVB_CLOCK_LINES(MAX_CONNS) + line / IVB_CLOCK_GROUP,
		    line % IVB_CLOCK_GROUP, stamp);
}

struct ivb_dest_conns dest_counts(struct env *t, uint32_t slot)
{
	struct ivb_dest_conns counts = { 0 };

	map_get(t->skel->maps.dest_conns, &slot, &counts);
	return counts;
}

uint32_t flows_count(struct env *t)
{
	struct bpf_map *flows = maps_of(t).flows;
	union any_tuple key;
	void *prev = NULL;
	uint32_t n = 0;

	while (!bpf_map__get_next_key(flows, prev, &key, bpf_map__key_size(flows))) {
		prev = &key;
		n++;
	}
	return n;
}

void conns_forget(struct env *t)
{
	struct family_maps m = maps_of(t);
	struct ivb_clock_group free_slots = { 0 };
	struct ivb_dest_conns none = { 0 };
	struct bpf_map *replies = t->skel->maps.kernel_replies;
	struct ivb_reply_key reply;
	union any_tuple key;

	while (!bpf_map__get_next_key(replies, NULL, &reply, sizeof(reply)))
		bpf_map__delete_elem(replies, &reply, sizeof(reply), 0);
	while (!bpf_map__get_next_key(m.flows, NULL, &key, bpf_map__key_size(m.flows)))
		bpf_map__delete_elem(m.flows, &key, bpf_map__key_size(m.flows), 0);
	for (uint32_t i = 0; i < MAX_CONNS / IVB_CLOCK_GROUP; i++)
		bpf_map__update_elem(m.clock, &i, sizeof(i), &free_slots, sizeof(free_slots), 0);
	for (uint32_t i = 0; i < t->num_dests; i++)
		bpf_map__update_elem(t->skel->maps.dest_conns, &i, sizeof(i), &none, sizeof(none),
				     0);
}

uint32_t frags_count(struct env *t)
{
	struct bpf_map *map = t->skel->maps.frags;
	struct ivb_frag_key key;
	void *prev = NULL;
	uint32_t n = 0;

	while (!bpf_map__get_next_key(map, prev, &key, sizeof(key))) {
		prev = &key;
		n++;
	}
	return n;
}

void frags_age(struct env *t, uint32_t jiffies)
{
	struct bpf_map *map = t->skel->maps.frags;
	struct ivb_frag_key key;
	struct ivb_frag frag;
	void *prev = NULL;

	while (!bpf_map__get_next_key(map, prev, &key, sizeof(key))) {
		prev = &key;
		map_get(map, &key, &frag);
		frag.stamp -= jiffies;
		bpf_map__update_elem(map, &key, sizeof(key), &frag, sizeof(frag), 0);
	}
}

/* All of them by one system call: that is asked for around almost every packet. */
static struct ivb_nexthop *nexthops_read(struct env *t, uint32_t *ret_n)
{
	static struct ivb_nexthop all[1024];
	static uint32_t keys[1024];
	struct bpf_map *map = t->skel->maps.nexthops;
	uint32_t last;

	*ret_n = 1024;
	if (bpf_map__max_entries(map) > 1024)
		bail("more next hops than were thought of");
	/* -ENOENT: that is the end of the map */
	if (bpf_map_lookup_batch(bpf_map__fd(map), NULL, &last, keys, all, ret_n, NULL) &&
	    errno != ENOENT)
		bail("nexthops: %s", strerror(errno));
	return all;
}

static void nexthop_write(struct env *t, uint32_t i, const struct ivb_nexthop *nh)
{
	if (bpf_map__update_elem(t->skel->maps.nexthops, &i, sizeof(i), nh, sizeof(*nh), 0))
		bail("nexthops: %s", strerror(errno));
}

void nexthops_age(struct env *t, int32_t jiffies)
{
	uint32_t stamp = (jiffies_now(t) - jiffies) | 1, n;
	struct ivb_nexthop *all = nexthops_read(t, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (!all[i].stamp)
			continue;
		all[i].stamp = stamp;
		nexthop_write(t, i, &all[i]);
	}
}

void nexthops_fresh(struct env *t)
{
	nexthops_age(t, -60 * (int32_t)t->hz);
}

void nexthops_lock(struct env *t, uint32_t locked)
{
	uint32_t n;
	struct ivb_nexthop *all = nexthops_read(t, &n);

	for (uint32_t i = 0; i < n; i++) {
		all[i].lock = locked;
		nexthop_write(t, i, &all[i]);
	}
}

bool nexthop_known(struct env *t, const struct pkt_addr *src, const struct pkt_addr *dst)
{
	size_t len = t->af == AF_INET ? 4 : 16;
	uint32_t n;
	struct ivb_nexthop *all = nexthops_read(t, &n);

	for (uint32_t i = 0; i < n; i++)
		if (all[i].stamp && !memcmp(&all[i].saddr, src, len) &&
		    !memcmp(&all[i].daddr, dst, len))
			return true;
	return false;
}

void counters_read(struct env *t, int when)
{
	int cpus = libbpf_num_possible_cpus();
	struct ivb_counter *values = calloc(cpus, sizeof(*values));

	for (uint32_t reason = 0; reason < IVB_R_MAX_; reason++) {
		uint64_t *sum = t->counters[when][reason];

		bpf_map__lookup_elem(t->skel->maps.counters, &reason, sizeof(reason), values,
				     cpus * sizeof(*values), 0);
		sum[0] = sum[1] = 0;
		for (int cpu = 0; cpu < cpus; cpu++) {
			sum[0] += values[cpu].packets;
			sum[1] += values[cpu].bytes;
		}
	}
	free(values);
}

void timer_arm(struct env *t)
{
	struct bpf_program *p = t->af == AF_INET ? t->skel->progs.arm4 : t->skel->progs.arm6;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	static const struct timespec pause = { .tv_nsec = 10000000 };

	/*
	 * twice: the second run gives the running timer the code again; on 6.18 there may be no
	 * memory just now
	 */
	for (int i = 0; i < 2; i++) {
		for (int tries = 0; tries < 50; tries++) {
			check(t, !bpf_prog_test_run_opts(bpf_program__fd(p), &opts), "arm: %s",
			      strerror(errno));
			if ((int)opts.retval != -ENOMEM)
				break;
			nanosleep(&pause, NULL);
		}
		check_int(t, (int)opts.retval, 0, "arm");
	}
}

bool flows_wait(struct env *t, uint32_t want)
{
	static const struct timespec pause = { .tv_nsec = 20000000 };

	for (int i = 0; i < 250; i++) {
		if (flows_count(t) == want)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}
