/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of another version's instance, which go on meanwhile: with their ids and generations,
 * so that what refers to them need not be changed.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <ivb/take.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/family_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/takeover/takeover_int.h"

/* A value of ours or the old one's, and 0 beyond its end. */
union value {
	union ivb_any_flow flow;
	union ivb_any_conn conn;
	struct ivb_dest_conns counts;
	char room[IVB_OLD_VALUE_MAX];
};

/* One family's tables of the old instance. */
struct tables {
	struct ivb_takeover *t;
	const struct ivb_family *f;
	__u32 *clock; /* clocks alone are read as a whole: the other arrays would take seconds */
	__u32 max;
};

/* Both flows of a connection, as they are now. */
struct flows {
	union ivb_tuple key, peer;
	union value fwd, rep;
};

static void tables_free(struct tables *b)
{
	free(b->clock);
}

static int tables_read(struct tables *b)
{
	void *clock = NULL;
	int r = ivb_map_read_array(b->t->old.fds[b->f->clock], sizeof(struct ivb_clock_group),
				   b->max / IVB_CLOCK_GROUP, &clock);

	b->clock = clock;
	return r;
}

static bool flow_get(const struct tables *b, const union ivb_tuple *key, __u32 id, __u32 gen,
		     union value *ret)
{
	memset(ret, 0, sizeof(*ret));
	return !bpf_map_lookup_elem(b->t->old.fds[b->f->flows], key, ret) &&
	       ret->flow.flow.conn == id && ret->flow.flow.conn_gen == gen;
}

/* False: it is being made, or removed. */
static bool flows_get(const struct tables *b, const union value *conn, __u32 id, struct flows *ret)
{
	memset(&ret->key, 0, sizeof(ret->key));
	memcpy(&ret->key, ivb_family_conn_key(b->f, &conn->conn), b->f->key_size);
	if (!flow_get(b, &ret->key, id, conn->conn.conn.gen, &ret->fwd))
		return false;
	ivb_family_peer_key(b->f, &ret->key, &ret->fwd.flow, &ret->peer);
	return flow_get(b, &ret->peer, id, conn->conn.conn.gen, &ret->rep);
}

static int take(const struct tables *b, struct ivb_take *take)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = take, .ctx_size_in = sizeof(*take));

	if (bpf_prog_test_run_opts(b->t->take_fd[b->f->index], &opts))
		return -errno;
	return (int)opts.retval;
}

static void cut(union value *v, __u32 from, __u32 to)
{
	if (from < to)
		memset(v->room + from, 0, to - from);
}

/* Of a half-open connection its place in the ring: what it says for others is of no use. */
static int insert_place(const struct tables *b, __u32 state)
{
	__u32 pos = IVB_CONN_PLACE(state) - 1;
	union value place = { 0 };

	if (bpf_map_lookup_elem(b->t->old.fds[b->f->half_open], &pos, &place))
		return 0;
	cut(&place, sizeof(struct ivb_half_open), sizeof(place));
	return bpf_map_update_elem(b->t->dp->fds[b->f->half_open], &pos, &place, BPF_ANY) ? -errno
											  : 0;
}

/*
 * It begins without a lease: the next packets are kernel IPVS's, and it is what they find that
 * counts. False: it has ended.
 */
static int insert_kernel(const struct tables *b, struct flows *fl, const union value *conn,
			 __u32 id)
{
	__u64 cp = conn->conn.conn.cp;
	struct ivb_kernel_conn kc;

	if (!ivb_takeover_kernel_get(b->t, &conn->conn.conn, id, &kc))
		return -ENOENT;
	fl->fwd.flow.flow.lease = fl->rep.flow.flow.lease = 0;
	return bpf_map_update_elem(b->t->dp->fds[IVB_MAP_KERNEL_CONNS], &cp, &kc, BPF_ANY) ? -errno
											   : 0;
}

/* Reply first, as when it was made. What was carried is added at the end. */
static int insert(const struct tables *b, struct flows *fl, union value *conn, __u32 id,
		  __u32 stamp)
{
	const struct ivb_dp *dp = b->t->dp;
	struct ivb_take begin = { .op = IVB_TAKE_ADD, .conn = id, .stamp = stamp };
	int r;

	begin.gen = conn->conn.conn.gen;
	if (conn->conn.conn.state & IVB_CONN_KERNEL) {
		r = insert_kernel(b, fl, conn, id);
		if (r)
			return r;
	}
	fl->fwd.flow.flow.packets = fl->fwd.flow.flow.bytes = 0;
	fl->rep.flow.flow.packets = fl->rep.flow.flow.bytes = 0;
	if (bpf_map_update_elem(dp->fds[b->f->conns], &id, conn, BPF_ANY) ||
	    bpf_map_update_elem(dp->fds[b->f->flows], &fl->peer, &fl->rep, BPF_NOEXIST))
		return -errno;
	if (bpf_map_update_elem(dp->fds[b->f->flows], &fl->key, &fl->fwd, BPF_NOEXIST)) {
		r = -errno;
		bpf_map_delete_elem(dp->fds[b->f->flows], &fl->peer);
		return r;
	}
	if (!(conn->conn.conn.state & IVB_CONN_KERNEL) && IVB_CONN_PLACE(conn->conn.conn.state) &&
	    insert_place(b, conn->conn.conn.state))
		return -errno;
	return take(b, &begin);
}

/* What has happened to a connection that has been taken before. */
static int move(const struct tables *b, const union value *conn, __u32 id, __u32 stamp, bool rest)
{
	struct ivb_taken *was = &b->t->taken[b->f->index][id];
	struct ivb_take m = { .op = IVB_TAKE_MOVE, .conn = id, .gen = was->gen, .stamp = stamp };
	struct flows fl;
	int r;

	m.from = was->state;
	m.to = conn->conn.conn.state;
	was->state = m.to;
	if (flows_get(b, conn, id, &fl)) {
		m.flags[0] = fl.fwd.flow.flow.flags;
		m.flags[1] = fl.rep.flow.flow.flags;
		if (rest) {
			m.packets[0] = fl.fwd.flow.flow.packets;
			m.packets[1] = fl.rep.flow.flow.packets;
			m.bytes[0] = fl.fwd.flow.flow.bytes;
			m.bytes[1] = fl.rep.flow.flow.bytes;
		}
	}
	r = take(b, &m);
	/* It has ended since, with a packet of ours. */
	return r == -ENOENT ? 0 : r;
}

static int drop(const struct tables *b, __u32 id)
{
	struct ivb_taken *was = &b->t->taken[b->f->index][id];
	struct ivb_take d = { .op = IVB_TAKE_DROP, .conn = id, .gen = was->gen };
	int r = take(b, &d);

	was->gen = 0;
	return r == -ENOENT ? 0 : r;
}

static int one(const struct tables *b, __u32 id, bool rest)
{
	__u32 stamp = b->clock[id];
	struct ivb_taken *was = &b->t->taken[b->f->index][id];
	union value conn = { 0 };
	struct flows fl;
	int r;

	if (stamp > IVB_CLOCK_BUSY && bpf_map_lookup_elem(b->t->old.fds[b->f->conns], &id, &conn))
		return -errno;
	if (stamp > IVB_CLOCK_BUSY && was->gen == conn.conn.conn.gen && was->gen)
		return move(b, &conn, id, stamp, rest);
	/* Our own timer ends it, if no packet of ours keeps it; kernel IPVS's is over. */
	if (rest && (b->t->resumed || !(was->state & IVB_CONN_KERNEL)))
		return 0;
	r = was->gen ? drop(b, id) : 0;
	if (r || rest || stamp <= IVB_CLOCK_BUSY ||
	    (conn.conn.conn.state & IVB_CONN_KERNEL && !b->t->kernel) ||
	    !flows_get(b, &conn, id, &fl))
		return r;
	cut(&fl.fwd, b->f->flow_size, sizeof(fl.fwd));
	cut(&fl.rep, b->f->flow_size, sizeof(fl.rep));
	cut(&conn, b->f->conn_size, sizeof(conn));
	r = insert(b, &fl, &conn, id, stamp);
	if (r)
		return r == -ENOENT && conn.conn.conn.state & IVB_CONN_KERNEL ? 0 : r;
	was->gen = conn.conn.conn.gen;
	was->state = conn.conn.conn.state;
	return 0;
}

static int family(struct ivb_takeover *t, const struct ivb_family *f, bool rest,
		  struct ivb_err *err)
{
	struct tables b __cleanup(tables_free) = { .t = t, .f = f };
	__u32 id;
	int r;

	if (!ivb_family_on(&t->old, f, &b.max))
		return 0;
	if (!t->taken[f->index])
		t->taken[f->index] = calloc(b.max, sizeof(*t->taken[0]));
	if (!t->taken[f->index])
		return -ENOMEM;
	r = tables_read(&b);
	for (id = 0; !r && id < b.max; id++) {
		if (b.clock[id] > IVB_CLOCK_BUSY || t->taken[f->index][id].gen)
			r = one(&b, id, rest);
	}
	return r ? ivb_err(err, r, "cannot take over the connections of %s: %s", t->old.path,
			   strerror(-r))
		 : 0;
}

int ivb_takeover_conns(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = family(t, &ivb_families[0], false, err);

	return r ? r : family(t, &ivb_families[1], false, err);
}

static void add(struct ivb_dest_conns *to, const struct ivb_dest_conns *old)
{
	__sync_fetch_and_add(&to->conns, old->conns);
	__sync_fetch_and_add(&to->in_packets, old->in_packets);
	__sync_fetch_and_add(&to->out_packets, old->out_packets);
	__sync_fetch_and_add(&to->in_bytes, old->in_bytes);
	__sync_fetch_and_add(&to->out_bytes, old->out_bytes);
}

/*
 * By a mapping: packets count at the same time. First who is overloaded or in lblcr's set, then what
 * ended connections have carried. (Active and inactive ones are counted one by one.)
 */
int ivb_takeover_conns_counts(const struct ivb_takeover *t, bool rest, struct ivb_err *err)
{
	__u32 size = t->size[IVB_MAP_DEST_CONNS].value, max = t->old.meta.max_dests, i;
	size_t len = (size_t)t->dp->meta.max_dests * sizeof(struct ivb_dest_conns);
	_cleanup_free_ char *old = NULL;
	struct ivb_dest_conns *counts;
	void *read = NULL;
	union value v;
	int r;

	r = ivb_map_read_array(t->old.fds[IVB_MAP_DEST_CONNS], size, max, &read);
	old = read;
	if (r)
		return ivb_err(err, r, "cannot read the map %s/dest_conns: %s", t->old.path,
			       strerror(-r));
	counts = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, t->dp->fds[IVB_MAP_DEST_CONNS],
		      0);
	if (counts == MAP_FAILED)
		return ivb_err(err, -errno, "cannot map %s/dest_conns: %m", t->dp->path);
	for (i = 0; i < max; i++) {
		memset(&v, 0, sizeof(v));
		memcpy(&v, old + (size_t)i * size, size);
		if (rest) {
			add(&counts[i], &v.counts);
			continue;
		}
		if (v.counts.overloaded)
			counts[i].overloaded = 1;
		if (v.counts.in_set)
			counts[i].in_set = v.counts.in_set;
	}
	munmap(counts, len);
	return 0;
}

int ivb_takeover_conns_rest(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = family(t, &ivb_families[0], true, err);

	if (!r)
		r = family(t, &ivb_families[1], true, err);
	return r ? r : ivb_takeover_conns_counts(t, true, err);
}

static int resume(struct ivb_takeover *t, const struct ivb_family *f)
{
	_cleanup_free_ char *conns = NULL;
	void *read = NULL;
	__u32 max, id;
	int r;

	if (!ivb_family_on(t->dp, f, &max))
		return 0;
	t->taken[f->index] = calloc(max, sizeof(*t->taken[0]));
	if (!t->taken[f->index])
		return -ENOMEM;
	r = ivb_map_read_array(t->dp->fds[f->conns], f->conn_size, max, &read);
	conns = read;
	for (id = 0; !r && id < max; id++) {
		const struct ivb_conn *c = (const void *)(conns + (size_t)id * f->conn_size);

		t->taken[f->index][id] = (struct ivb_taken){ .gen = c->gen, .state = c->state };
	}
	return r;
}

int ivb_takeover_conns_resume(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = resume(t, &ivb_families[0]);

	if (!r)
		r = resume(t, &ivb_families[1]);
	return r ? ivb_err(err, r, "cannot read the connections of %s: %s", t->dp->path,
			   strerror(-r))
		 : 0;
}
