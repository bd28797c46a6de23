/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each server's active and inactive connections, recounted. Only a server whose counts stood still
 * during the recount can be compared; one that moves is tried again.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/family_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/verify/verify_int.h"

struct tally {
	__u32 active, inactive;
};

enum opinion {
	OPEN,  /* never stood still */
	WRONG, /* differed whenever it stood still */
	RIGHT,
};

struct recount {
	struct ivb_verifier *v;
	const struct ivb_family *f;
	struct tally *tally; /* counts by dest */
};

static int visit(const void *key, const void *value, void *arg)
{
	const struct ivb_flow *flow = value;
	struct recount *rc = arg;
	union ivb_any_conn conn;

	(void)key;
	if (flow->flags & (IVB_FLOW_REPLY | IVB_FLOW_KERNEL) ||
	    flow->dest >= rc->v->dp->meta.max_dests)
		return 0;
	if (bpf_map_lookup_elem(rc->v->dp->fds[rc->f->conns], &flow->conn, &conn) ||
	    conn.conn.gen != flow->conn_gen || conn.conn.state == IVB_S_NONE)
		return 0;
	if (ivb_family_state_is_active(IVB_CONN_STATE(conn.conn.state)))
		rc->tally[flow->dest].active++;
	else
		rc->tally[flow->dest].inactive++;
	return 0;
}

static int count_all(struct recount *rc)
{
	const struct ivb_dp *dp = rc->v->dp;
	__u32 max;
	int i, r;

	memset(rc->tally, 0, dp->meta.max_dests * sizeof(*rc->tally));
	for (i = 0; i < 2; i++) {
		rc->f = &ivb_families[i];
		if (!ivb_family_on(dp, rc->f, &max))
			continue;
		r = ivb_map_walk_hash(dp->fds[rc->f->flows], rc->f->key_size, rc->f->flow_size,
				      visit, rc);
		if (r)
			return r;
	}
	return 0;
}

static bool stood_still(const struct ivb_dest_conns *a, const struct ivb_dest_conns *b)
{
	return a->active == b->active && a->inactive == b->inactive && a->conns == b->conns;
}

/* One recount between two readings. */
static int look(struct recount *rc, enum opinion *opinion, struct ivb_dest_conns *last)
{
	_cleanup_free_ void *before_mem = NULL, *after_mem = NULL;
	const struct ivb_dp *dp = rc->v->dp;
	const struct ivb_dest_conns *before, *after;
	int fd = dp->fds[IVB_MAP_DEST_CONNS], r;
	__u32 i, n = dp->meta.max_dests;

	r = ivb_map_read_array(fd, sizeof(*before), n, &before_mem);
	if (!r)
		r = count_all(rc);
	if (!r)
		r = ivb_map_read_array(fd, sizeof(*after), n, &after_mem);
	if (r)
		return r;
	before = before_mem;
	after = after_mem;
	for (i = 0; i < n; i++) {
		if (opinion[i] == RIGHT || !stood_still(&before[i], &after[i]))
			continue;
		last[i] = after[i];
		opinion[i] = after[i].active == rc->tally[i].active &&
					     after[i].inactive == rc->tally[i].inactive
				     ? RIGHT
				     : WRONG;
	}
	return 0;
}

static bool all_right(const enum opinion *opinion, __u32 n)
{
	while (n--) {
		if (opinion[n] != RIGHT)
			return false;
	}
	return true;
}

int ivb_verify_counts(struct ivb_verifier *v)
{
	__u32 i, n = v->dp->meta.max_dests;
	_cleanup_free_ struct tally *tally = calloc(n, sizeof(*tally));
	_cleanup_free_ enum opinion *opinion = calloc(n, sizeof(*opinion));
	_cleanup_free_ struct ivb_dest_conns *last = calloc(n, sizeof(*last));
	struct recount rc = { .v = v, .tally = tally };
	int looks, r;

	if (!tally || !opinion || !last)
		return -ENOMEM;
	for (looks = 0; looks < IVB_VERIFY_LOOKS; looks++) {
		if (looks)
			ivb_verify_problem_wait();
		r = look(&rc, opinion, last);
		if (r)
			return ivb_err(v->err, r, "cannot recount the connections: %s",
				       strerror(-r));
		if (all_right(opinion, n))
			return 0;
	}
	for (i = 0; i < n; i++) {
		v->res.unsettled += opinion[i] == OPEN;
		if (opinion[i] == WRONG)
			ivb_verify_problem(
				v,
				"server slot %u counts %u active and %u inactive connections; a "
				"recount finds %u and %u",
				i, last[i].active, last[i].inactive, tally[i].active,
				tally[i].inactive);
	}
	return 0;
}
