/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding up what was carried. A flow has its own counts while it lives; when it ends they go to an
 * account: kernel_traffic, or dest_conns of the bpf engine. Accounts are read first, so that a
 * connection which ends in between is not counted twice.
 */
#include "dp/report/traffic.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/report/conns.h"

struct adding {
	void *tree; /* rows, struct ivb_carried_row, by key */
	size_t num;
	struct ivb_carried *out;
};

void ivb_traffic_add(struct ivb_traffic *to, const struct ivb_traffic *t)
{
	to->conns += t->conns;
	to->in_packets += t->in_packets;
	to->out_packets += t->out_packets;
	to->in_bytes += t->in_bytes;
	to->out_bytes += t->out_bytes;
}

static int row_cmp(const void *a, const void *b)
{
	const struct ivb_carried_row *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int add(struct adding *a, const struct ivb_traffic_key *key, const struct ivb_traffic *t)
{
	_cleanup_free_ struct ivb_carried_row *row = calloc(1, sizeof(*row));
	struct ivb_carried_row **node;

	if (!row)
		return -ENOMEM;
	row->key = *key;
	node = tsearch(row, &a->tree, row_cmp);
	if (!node)
		return -ENOMEM;
	ivb_traffic_add(&(*node)->t, t);
	if (*node == row) {
		a->num++;
		row = NULL;
	}
	return 0;
}

static int add_ended(const void *key, const void *value, void *arg)
{
	struct ivb_traffic_key k;
	struct ivb_traffic t;

	memcpy(&k, key, sizeof(k));
	memcpy(&t, value, sizeof(t));
	return add(arg, &k, &t);
}

static int add_live(const struct ivb_conn_info *c, void *arg)
{
	struct ivb_traffic_key key = {
		.vaddr = c->vaddr,
		.daddr = c->daddr,
		.vport = c->vport,
		.dport = c->dport,
		.proto = c->proto,
		.af = c->af,
	};
	struct ivb_traffic t = {
		.conns = 1,
		.in_packets = c->in_packets,
		.out_packets = c->out_packets,
		.in_bytes = c->in_bytes,
		.out_bytes = c->out_bytes,
	};
	struct adding *a = arg;

	if (c->kernel)
		return add(a, &key, &t);
	if (c->dest < a->out->num_dests)
		ivb_traffic_add(&a->out->dests[c->dest], &t);
	return 0;
}

static void take_row(const void *node, VISIT which, void *arg)
{
	const struct ivb_carried_row *row = *(const struct ivb_carried_row *const *)node;
	struct ivb_carried *out = arg;

	if (which == postorder || which == leaf)
		out->rows[out->num++] = *row;
}

static void adding_fini(struct adding *a)
{
	tdestroy(a->tree, free);
}

int ivb_traffic_carried_read(struct ivb_carried *ret, struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_carried out __cleanup(ivb_traffic_carried_fini) = { .num_dests =
									       dp->meta.max_dests };
	struct adding a __cleanup(adding_fini) = { .out = &out };
	int r;

	out.dests = calloc(out.num_dests ? out.num_dests : 1, sizeof(*out.dests));
	if (!out.dests)
		return -ENOMEM;
	r = ivb_map_walk_hash(dp->fds[IVB_MAP_KERNEL_TRAFFIC], sizeof(struct ivb_traffic_key),
			      sizeof(struct ivb_traffic), add_ended, &a);
	if (r)
		return ivb_err(err, r, "cannot read kernel_traffic: %s", strerror(-r));
	r = ivb_conns_walk(dp, add_live, &a, err);
	if (r)
		return r;
	out.rows = calloc(a.num ? a.num : 1, sizeof(*out.rows));
	if (!out.rows)
		return -ENOMEM;
	twalk_r(a.tree, take_row, &out);
	*ret = out;
	out = (struct ivb_carried){ 0 };
	return 0;
}

void ivb_traffic_carried_fini(struct ivb_carried *carried)
{
	free(carried->rows);
	free(carried->dests);
}
