/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listing live connections: forward flows, with what their replies and their slots add. */
#include "dp/report/conns.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/family_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"

static const char *const state_names[IVB_S_MAX_] = {
	[IVB_S_NONE] = "NONE",	       [IVB_S_ESTABLISHED] = "ESTABLISHED",
	[IVB_S_SYN_SENT] = "SYN_SENT", [IVB_S_SYN_RECV] = "SYN_RECV",
	[IVB_S_FIN_WAIT] = "FIN_WAIT", [IVB_S_TIME_WAIT] = "TIME_WAIT",
	[IVB_S_CLOSE] = "CLOSE",       [IVB_S_CLOSE_WAIT] = "CLOSE_WAIT",
	[IVB_S_LAST_ACK] = "LAST_ACK", [IVB_S_LISTEN] = "LISTEN",
	[IVB_S_SYNACK] = "SYNACK",     [IVB_S_UDP] = "UDP",
};

const char *ivb_conn_state_name(__u32 state)
{
	return state < IVB_S_MAX_ && state_names[state] ? state_names[state] : "ERR!";
}

struct walk {
	const struct ivb_dp *dp;
	const struct ivb_family *f;
	const struct ivb_clock_group *clock; /* the clock when the walk began */
	__u32 max;
	__u32 now;
	int (*fn)(const struct ivb_conn_info *c, void *arg);
	void *arg;
};

static void fill_addrs(const struct ivb_family *f, const union ivb_tuple *key,
		       const union ivb_any_flow *flow, struct ivb_conn_info *c)
{
	if (f->af == AF_INET) {
		c->proto = key->v4.proto;
		c->zone = key->v4.zone;
		c->caddr.ip = key->v4.saddr;
		c->vaddr.ip = key->v4.daddr;
		c->cport = key->v4.sport;
		c->vport = key->v4.dport;
		c->saddr.ip = flow->v4.saddr;
		c->daddr.ip = flow->v4.daddr;
	} else {
		c->proto = key->v6.proto;
		c->zone = key->v6.zone;
		memcpy(c->caddr.ip6, key->v6.saddr, sizeof(c->caddr));
		memcpy(c->vaddr.ip6, key->v6.daddr, sizeof(c->vaddr));
		c->cport = key->v6.sport;
		c->vport = key->v6.dport;
		memcpy(c->saddr.ip6, flow->v6.saddr, sizeof(c->saddr));
		memcpy(c->daddr.ip6, flow->v6.daddr, sizeof(c->daddr));
	}
	c->sport = flow->flow.sport;
	c->dport = flow->flow.dport;
}

/* Full seconds until the stamp passes; what the sweeper has yet to come to has none left. */
static __u32 seconds_left(const struct walk *w, __u32 id)
{
	__u32 stamp = w->clock[id / IVB_CLOCK_GROUP].expires[id % IVB_CLOCK_GROUP];
	__s32 left = (__s32)(stamp - w->now);

	return stamp <= IVB_CLOCK_BUSY || left < 0 ? 0 : (__u32)left / w->dp->meta.hz;
}

static int visit(const void *key, const void *value, void *arg)
{
	const struct walk *w = arg;
	struct ivb_conn_info c = { .af = w->f->af };
	union ivb_any_flow flow = { 0 }, reply;
	union ivb_tuple tuple = { 0 }, peer;
	union ivb_any_conn conn;

	memcpy(&tuple, key, w->f->key_size);
	memcpy(&flow, value, w->f->flow_size);
	if (flow.flow.flags & IVB_FLOW_REPLY || flow.flow.conn >= w->max)
		return 0;
	/* A flow whose slot is another connection's is being made or removed. */
	if (bpf_map_lookup_elem(w->dp->fds[w->f->conns], &flow.flow.conn, &conn) ||
	    conn.conn.gen != flow.flow.conn_gen || conn.conn.state == IVB_S_NONE)
		return 0;
	fill_addrs(w->f, &tuple, &flow, &c);
	c.id = flow.flow.conn;
	c.snat = flow.flow.flags & IVB_FLOW_SNAT;
	c.kernel = flow.flow.flags & IVB_FLOW_KERNEL;
	c.state = IVB_CONN_STATE(conn.conn.state);
	c.expires = seconds_left(w, c.id);
	/* what is there for us alone nobody has to see */
	if (c.kernel)
		c.expires -= c.expires < IVB_KERNEL_GRACE_S ? c.expires : IVB_KERNEL_GRACE_S;
	c.service = c.kernel ? IVB_NONE : flow.flow.service;
	c.dest = c.kernel ? IVB_NONE : flow.flow.dest;
	c.in_packets = flow.flow.packets;
	c.in_bytes = flow.flow.bytes;
	ivb_family_peer_key(w->f, &tuple, &flow, &peer);
	if (!bpf_map_lookup_elem(w->dp->fds[w->f->flows], &peer, &reply) &&
	    reply.flow.conn == c.id && reply.flow.conn_gen == flow.flow.conn_gen) {
		c.out_packets = reply.flow.packets;
		c.out_bytes = reply.flow.bytes;
	}
	return w->fn(&c, w->arg);
}

static int walk_family(struct walk *w, struct ivb_err *err)
{
	_cleanup_free_ void *clock = NULL;
	int r;

	if (!ivb_family_on(w->dp, w->f, &w->max))
		return 0;
	r = ivb_map_read_array(w->dp->fds[w->f->clock], sizeof(struct ivb_clock_group),
			       w->max / IVB_CLOCK_GROUP, &clock);
	if (r)
		return ivb_err(err, r, "cannot read the expiry times: %s", strerror(-r));
	w->clock = clock;
	w->now = ivb_dp_jiffies(w->dp);
	r = ivb_map_walk_hash(w->dp->fds[w->f->flows], w->f->key_size, w->f->flow_size, visit, w);
	return r < 0 ? ivb_err(err, r, "cannot list the connections: %s", strerror(-r)) : r;
}

int ivb_conns_walk(struct ivb_dp *dp, int (*fn)(const struct ivb_conn_info *c, void *arg),
		   void *arg, struct ivb_err *err)
{
	struct walk w = { .dp = dp, .fn = fn, .arg = arg };
	int i, r = 0;

	for (i = 0; i < 2 && !r; i++) {
		w.f = &ivb_families[i];
		r = walk_family(&w, err);
	}
	return r;
}
