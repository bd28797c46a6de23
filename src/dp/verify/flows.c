/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every flow has its peer and its slot, every slot its flow or an end in sight, and the sweeper
 * runs. A suspect is looked at again, some times and some time apart; what is only on its way is
 * gone then.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/family_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/verify/verify_int.h"
#include "model/names.h"

#define MAX_SUSPECTS 65536u
#define SWEEP_LATE_S 2 /* programs take a timer for dead as early */
#define REAP_LATE_S 10 /* a slot that ended so long ago has been missed */

struct suspect {
	const struct ivb_family *f;
	bool is_slot;
	__u32 id;
	union ivb_tuple key;
};

struct suspects {
	struct suspect *s;
	size_t n;
	__u64 dropped; /* more than there is room for */
};

struct scan {
	struct ivb_verifier *v;
	const struct ivb_family *f;
	__u32 max;
	struct suspects *suspects;
};

static void suspects_free(struct suspects *s)
{
	free(s->s);
}

static int suspects_add(struct suspects *list, const struct suspect *s)
{
	if (list->n == MAX_SUSPECTS) {
		list->dropped++;
		return 0;
	}
	if (!list->s)
		list->s = calloc(MAX_SUSPECTS, sizeof(*list->s));
	if (!list->s)
		return -ENOMEM;
	list->s[list->n++] = *s;
	return 0;
}

static int get(const struct ivb_verifier *v, enum ivb_map map, const void *key, void *value)
{
	return bpf_map_lookup_elem(v->dp->fds[map], key, value);
}

static int get_stamp(const struct ivb_verifier *v, const struct ivb_family *f, __u32 id, __u32 *ret)
{
	struct ivb_clock_group g;
	__u32 group = id / IVB_CLOCK_GROUP;

	if (get(v, f->clock, &group, &g))
		return -ENOENT;
	*ret = g.expires[id % IVB_CLOCK_GROUP];
	return 0;
}

static const char *check_peer(const struct ivb_verifier *v, const struct ivb_family *f,
			      const union ivb_tuple *key, const union ivb_any_flow *flow)
{
	union ivb_any_flow peer = { 0 };
	union ivb_tuple peer_key, back;

	ivb_family_peer_key(f, key, flow, &peer_key);
	if (get(v, f->flows, &peer_key, &peer))
		return "has no peer";
	if (peer.flow.conn != flow->flow.conn || peer.flow.conn_gen != flow->flow.conn_gen)
		return "has a peer that belongs to another connection";
	if (!((peer.flow.flags ^ flow->flow.flags) & IVB_FLOW_REPLY))
		return "has a peer of its own direction";
	if ((peer.flow.flags ^ flow->flow.flags) & IVB_FLOW_SNAT)
		return "and its peer do not agree on SNAT";
	if ((peer.flow.flags ^ flow->flow.flags) & IVB_FLOW_KERNEL)
		return "and its peer do not agree on whose connection it is";
	if (!(flow->flow.flags & IVB_FLOW_KERNEL) &&
	    (peer.flow.dest != flow->flow.dest || peer.flow.service != flow->flow.service))
		return "and its peer do not agree on service and server";
	ivb_family_peer_key(f, &peer_key, &peer, &back);
	return memcmp(&back, key, f->key_size) ? "has a peer that does not lead back to it" : NULL;
}

/* What leads from kernel IPVS's connection to ours must lead to this one. */
static const char *check_kernel_conn(const struct ivb_verifier *v, const struct ivb_family *f,
				     const union ivb_any_flow *flow, const union ivb_any_conn *conn)
{
	struct ivb_kernel_conn kc;
	__u64 cp = conn->conn.cp;

	if (get(v, IVB_MAP_KERNEL_CONNS, &cp, &kc))
		return "is kernel IPVS's, whose end would not be noticed";
	if (kc.conn != flow->flow.conn || kc.gen != flow->flow.conn_gen || kc.af != f->af)
		return "is of a connection of kernel IPVS that has another";
	return NULL;
}

/* Who could be taken for another by kernel IPVS must be known. */
static const char *check_kernel_reply(const struct ivb_verifier *v, const struct ivb_family *f,
				      const union ivb_tuple *key, const union ivb_any_flow *flow)
{
	const __u32 not = IVB_FLOW_REPLY | IVB_FLOW_DIRECT | IVB_FLOW_UNCOUNTED;
	struct ivb_kernel_reply r;
	struct ivb_reply_key k;

	if (flow->flow.flags & not )
		return NULL;
	ivb_family_reply_key(f, key, flow, &k);
	return get(v, IVB_MAP_KERNEL_REPLIES, &k, &r) || !(__u32)r.held
		       ? "has replies that kernel IPVS could take for another's"
		       : NULL;
}

/*
 * Who has a place among the half-open ones is the one that the place will evict, and not confirmed.
 */
static const char *check_place(const struct ivb_verifier *v, const struct ivb_family *f, __u32 id,
			       __u32 state)
{
	__u32 pos = IVB_CONN_PLACE(state) - 1;
	struct ivb_half_open h;

	if (!IVB_CONN_PLACE(state))
		return NULL;
	if (IVB_CONN_STATE(state) == IVB_S_ESTABLISHED)
		return "is established, and could be evicted as half-open";
	if (get(v, f->half_open, &pos, &h) || h.conn != id + 1)
		return "is half-open, and its place in the ring is another's";
	return NULL;
}

static const char *check_flow_slot(const struct ivb_verifier *v, const struct ivb_family *f,
				   const union ivb_tuple *key, const union ivb_any_flow *flow)
{
	union ivb_any_conn conn;
	const char *problem;
	__u32 stamp;

	if (get(v, f->conns, &flow->flow.conn, &conn))
		return "names a connection slot that does not exist";
	if (conn.conn.gen != flow->flow.conn_gen)
		return "names a slot that is another connection's";
	if (IVB_CONN_STATE(conn.conn.state) >= IVB_S_MAX_ || conn.conn.state == IVB_S_NONE)
		return "has no valid state";
	if (!(flow->flow.flags & IVB_FLOW_KERNEL) != !(conn.conn.state & IVB_CONN_KERNEL))
		return "and its slot do not agree on whose connection it is";
	if (flow->flow.flags & IVB_FLOW_KERNEL) {
		problem = check_kernel_conn(v, f, flow, &conn);
		if (!problem)
			problem = check_kernel_reply(v, f, key, flow);
		if (problem)
			return problem;
	} else if (conn.conn.dest != flow->flow.dest || conn.conn.service != flow->flow.service) {
		return "and its slot do not agree on service and server";
	}
	problem = check_place(v, f, flow->flow.conn, conn.conn.state);
	if (problem)
		return problem;
	if (!(flow->flow.flags & IVB_FLOW_REPLY) &&
	    memcmp(ivb_family_conn_key(f, &conn), key, f->key_size))
		return "has a slot that remembers another key";
	if (get_stamp(v, f, flow->flow.conn, &stamp))
		return "has a slot without place in the clock";
	if (stamp == IVB_CLOCK_FREE)
		return "has a slot that counts as free, and would never end";
	return stamp == IVB_CLOCK_BUSY ? "is being removed all the time" : NULL;
}

/* NULL: nothing wrong, or not there any more. */
static const char *check_flow(const struct ivb_verifier *v, const struct ivb_family *f,
			      const union ivb_tuple *key)
{
	union ivb_any_flow flow = { 0 };
	const char *problem;

	if (get(v, f->flows, key, &flow))
		return NULL;
	problem = check_flow_slot(v, f, key, &flow);
	return problem ? problem : check_peer(v, f, key, &flow);
}

/* Whether the slot's connection has its forward flow. */
static bool slot_has_flow(const struct ivb_verifier *v, const struct ivb_family *f, __u32 id)
{
	union ivb_any_flow flow;
	union ivb_any_conn conn;

	return !get(v, f->conns, &id, &conn) &&
	       !get(v, f->flows, ivb_family_conn_key(f, &conn), &flow) && flow.flow.conn == id &&
	       flow.flow.conn_gen == conn.conn.gen;
}

/*
 * A slot without flow is stale, and freed when its time comes: wrong only if that does not happen.
 */
static const char *check_slot(const struct ivb_verifier *v, const struct ivb_family *f, __u32 id)
{
	__u32 stamp, late;

	if (get_stamp(v, f, id, &stamp) || stamp == IVB_CLOCK_FREE)
		return NULL;
	if (stamp == IVB_CLOCK_BUSY)
		return "is being removed all the time";
	late = ivb_dp_jiffies(v->dp) - stamp;
	if (!v->by_packets && (__s32)late > (__s32)(REAP_LATE_S * v->dp->meta.hz))
		return "should have ended long ago";
	return NULL;
}

static const char *check(const struct ivb_verifier *v, const struct suspect *s)
{
	return s->is_slot ? check_slot(v, s->f, s->id) : check_flow(v, s->f, &s->key);
}

static int visit_flow(const void *key, const void *value, void *arg)
{
	struct scan *s = arg;
	struct suspect x = { .f = s->f };
	const struct ivb_flow *flow = value;

	memcpy(&x.key, key, s->f->key_size);
	s->v->res.flows++;
	s->v->res.connections += !(flow->flags & IVB_FLOW_REPLY);
	return check_flow(s->v, s->f, &x.key) ? suspects_add(s->suspects, &x) : 0;
}

static int scan_slots(struct scan *s)
{
	_cleanup_free_ void *clock = NULL;
	const struct ivb_clock_group *g;
	__u32 id, stamp;
	int r;

	r = ivb_map_read_array(s->v->dp->fds[s->f->clock], sizeof(*g), s->max / IVB_CLOCK_GROUP,
			       &clock);
	for (id = 0; id < s->max && !r; id++) {
		struct suspect x = { .f = s->f, .is_slot = true, .id = id };

		g = (const struct ivb_clock_group *)clock + id / IVB_CLOCK_GROUP;
		stamp = g->expires[id % IVB_CLOCK_GROUP];
		if (stamp == IVB_CLOCK_FREE)
			continue;
		if (check_slot(s->v, s->f, id))
			r = suspects_add(s->suspects, &x);
		else if (!slot_has_flow(s->v, s->f, id))
			s->v->res.stale++;
	}
	return r;
}

/* As a sentence's subject: "IPv4 flow 10.1.0.2:4711 > 10.0.0.80:80 (TCP, zone 0)". */
static char *describe(const struct suspect *s, char *buf, size_t size)
{
	const char *family = ivb_family_name(s->f->af);
	char from[IVB_ADDRPORT_LEN], to[IVB_ADDRPORT_LEN];
	union ivb_addr src = { 0 }, dst = { 0 };
	bool v4 = s->f->af == AF_INET;

	if (s->is_slot) {
		snprintf(buf, size, "%s connection slot %u", family, s->id);
		return buf;
	}
	memcpy(&src, v4 ? &s->key.v4.saddr : s->key.v6.saddr, v4 ? 4 : 16);
	memcpy(&dst, v4 ? &s->key.v4.daddr : s->key.v6.daddr, v4 ? 4 : 16);
	ivb_addrport_fmt(from, sizeof(from), s->f->af, &src,
			 v4 ? s->key.v4.sport : s->key.v6.sport);
	ivb_addrport_fmt(to, sizeof(to), s->f->af, &dst, v4 ? s->key.v4.dport : s->key.v6.dport);
	snprintf(buf, size, "%s flow %s > %s (protocol %u, zone %u)", family, from, to,
		 v4 ? s->key.v4.proto : s->key.v6.proto, v4 ? s->key.v4.zone : s->key.v6.zone);
	return buf;
}

/* Looks at the suspects again until none is left or they have had their chances. */
static void settle(struct ivb_verifier *v, struct suspects *list)
{
	const char *problem;
	char text[256];
	size_t i, kept;
	int look;

	for (look = 1; look < IVB_VERIFY_LOOKS && list->n; look++) {
		ivb_verify_problem_wait();
		for (i = kept = 0; i < list->n; i++) {
			if (check(v, &list->s[i]))
				list->s[kept++] = list->s[i];
		}
		list->n = kept;
	}
	for (i = 0; i < list->n; i++) {
		problem = check(v, &list->s[i]);
		if (problem)
			ivb_verify_problem(v, "%s %s", describe(&list->s[i], text, sizeof(text)),
					   problem);
	}
	if (list->dropped)
		ivb_verify_problem(v, "%llu more suspects than can be looked at again",
				   list->dropped);
}

static void check_sweeper(struct ivb_verifier *v, const struct ivb_family *f)
{
	const char *family = ivb_family_name(f->af);
	__u32 index = f->index, age = 0;
	struct ivb_sweep sweep;
	int look;

	for (look = 0; look < IVB_VERIFY_LOOKS; look++) {
		if (get(v, IVB_MAP_SWEEPS, &index, &sweep)) {
			ivb_verify_problem(v, "%s: cannot read when the expiry timer ran", family);
			return;
		}
		age = ivb_dp_jiffies(v->dp) - sweep.last;
		v->by_packets = !sweep.ticks;
		if (v->by_packets)
			return;
		if ((__s32)age <= (__s32)(SWEEP_LATE_S * v->dp->meta.hz))
			return;
		ivb_verify_problem_wait();
	}
	ivb_verify_problem(v, "%s: the expiry timer does not run (ticks: %llu, last one %u s ago)",
			   family, sweep.ticks, age / v->dp->meta.hz);
}

int ivb_verify_flows(struct ivb_verifier *v)
{
	struct suspects list __cleanup(suspects_free) = { 0 };
	struct scan s = { .v = v, .suspects = &list };
	int i, r;

	for (i = 0; i < 2; i++) {
		s.f = &ivb_families[i];
		if (!ivb_family_on(v->dp, s.f, &s.max))
			continue;
		check_sweeper(v, s.f);
		r = ivb_map_walk_hash(v->dp->fds[s.f->flows], s.f->key_size, s.f->flow_size,
				      visit_flow, &s);
		if (!r)
			r = scan_slots(&s);
		if (r)
			return ivb_err(v->err, r, "cannot read the connections: %s", strerror(-r));
	}
	settle(v, &list);
	return 0;
}
