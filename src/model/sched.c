/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rr's and wrr's period as segments. wrr: passes with cw = mw, mw - di, ... 1 over all dests of
 * weight >= cw, where di is the gcd of the weights and mw = max - (di - 1); so cw is 1 modulo di,
 * and the passes between two neighbouring distinct weights go through the same dests: a segment.
 */
#include "model/sched.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gcd.h"
#include "model/hash.h"

/* ivb_sched.cw holds rr's last slot, or wrr's cw (it fits in 16 bits) and above it di. */
#define WRR_STATE(cw, di) ((di) << 16 | (cw))
#define WRR_STATE_CW(state) ((state)&0xffff)
#define WRR_STATE_DI(state) ((state) >> 16)

/* As ip_vs_wrr_gcd_weight() and ip_vs_wrr_max_weight(): 1 and 0 without a positive weight. */
static void wrr_params(const struct ivb_sched_dest *dests, size_t n, __u32 *ret_di, __u32 *ret_mw)
{
	__u32 g = 0, max = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		g = ivb_gcd(g, dests[i].weight);
		if (dests[i].weight > max)
			max = dests[i].weight;
	}
	*ret_di = g ? g : 1;
	*ret_mw = max - (*ret_di - 1);
}

static struct ivb_segment segment_get(const struct ivb_sched *s, __u32 i,
				      __u32 (*ring_word)(const void *, __u32), const void *arg)
{
	__u32 at = s->first + i * IVB_SEGMENT_WORDS;

	return (struct ivb_segment){ ring_word(arg, at), ring_word(arg, at + 1),
				     ring_word(arg, at + 2) };
}

/* The connection before the table's next one. */
static int cursor_derive(struct ivb_cursor *c, bool weighted, const struct ivb_sched *s,
			 __u32 (*ring_word)(const void *, __u32), const void *arg)
{
	__u64 pos = (s->position - 1) % s->length, end = s->length, passes = 0;
	__u32 i;

	for (i = s->num_segments; i-- > 0;) {
		struct ivb_segment g = segment_get(s, i, ring_word, arg);

		if (!g.count || g.start >= end)
			return -EUCLEAN;
		if (g.start > pos) {
			passes += (end - g.start) / g.count;
			end = g.start;
			continue;
		}
		if (!weighted) {
			c->last = ring_word(arg, g.first + (__u32)(pos - g.start) % g.count);
			return 0;
		}
		/* Passes from this one to the end of the period; the last one has cw = 1. */
		passes += (end - g.start) / g.count - (pos - g.start) / g.count;
		if (!passes || (passes - 1) * c->di >= IVB_MAX_WEIGHT)
			return -EUCLEAN;
		c->cw = (__u32)(passes - 1) * c->di + 1;
		return 0;
	}
	return -EUCLEAN;
}

/* wrr's cw in the first pass. */
static __u32 first_cw(const struct ivb_sched *s, __u32 di, __u32 (*ring_word)(const void *, __u32),
		      const void *arg)
{
	__u64 end = s->length, passes = 0;
	__u32 i;

	for (i = s->num_segments; i-- > 0;) {
		struct ivb_segment g = segment_get(s, i, ring_word, arg);

		if (!g.count || g.start >= end)
			break;
		passes += (end - g.start) / g.count;
		end = g.start;
	}
	return passes ? (__u32)(passes - 1) * di + 1 : 0;
}

__u64 ivb_sched_table_words(enum ivb_sched_kind kind, __u32 num_segments, __u64 length)
{
	switch (kind) {
	case IVB_SCHED_KIND_RING:
		return (__u64)num_segments * IVB_SEGMENT_WORDS;
	case IVB_SCHED_KIND_LIST:
		return length * 2;
	case IVB_SCHED_KIND_HASH:
		return length;
	}
	return 0;
}

static int ring_read(struct ivb_cursor *ret, bool weighted, const struct ivb_sched *s,
		     __u32 (*ring_word)(const void *arg, __u32 index), const void *arg)
{
	struct ivb_cursor c = { .last = IVB_NONE, .di = 1 };
	int r;

	if (!weighted) {
		c.last = s->cw;
	} else {
		c.cw = WRR_STATE_CW(s->cw);
		c.di = WRR_STATE_DI(s->cw);
	}
	/* Without a connection since, the position says less than what was written beside it. */
	if (s->length && !s->position && s->written_at == IVB_SCHED_AFRESH) {
		c.cw = first_cw(s, c.di, ring_word, arg);
	} else if (s->length && s->position != s->written_at) {
		r = cursor_derive(&c, weighted, s, ring_word, arg);
		if (r)
			return r;
	}
	*ret = c;
	return 0;
}

static int rr_read(struct ivb_cursor *ret, const struct ivb_sched *s,
		   __u32 (*ring_word)(const void *arg, __u32 index), const void *arg)
{
	return ring_read(ret, false, s, ring_word, arg);
}

static int wrr_read(struct ivb_cursor *ret, const struct ivb_sched *s,
		    __u32 (*ring_word)(const void *arg, __u32 index), const void *arg)
{
	return ring_read(ret, true, s, ring_word, arg);
}

/* Of tables that are not rings: what they keep beside the table. */
static int plain_read(struct ivb_cursor *ret, const struct ivb_sched *s,
		      __u32 (*ring_word)(const void *arg, __u32 index), const void *arg)
{
	(void)ring_word;
	(void)arg;
	*ret = (struct ivb_cursor){
		.last = IVB_NONE, .di = 1, .position = s->position, .written_at = s->written_at
	};
	return 0;
}

void ivb_sched_cursor_removing(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n,
			       size_t i)
{
	if (i < n && c->last == dests[i].slot)
		c->last = i ? dests[i - 1].slot : IVB_NONE;
}

static void wrr_init(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n)
{
	wrr_params(dests, n, &c->di, &c->cw);
}

/* ip_vs_wrr_dest_changed(): back to the head of the list, but with the weight kept. */
static void wrr_changed(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n)
{
	__u32 mw;

	wrr_params(dests, n, &c->di, &mw);
	if (c->cw > mw || !c->cw)
		c->cw = mw;
	else if (c->di > 1)
		c->cw = c->cw / c->di * c->di + 1;
}

static void dated_init(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n)
{
	(void)dests;
	(void)n;
	c->written_at = ivb_clock_monotonic_ns();
}

static int descending(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x < y) - (x > y);
}

/* The distinct positive weights, the largest first. */
static size_t distinct_weights(__u32 *weights, const struct ivb_sched_dest *dests, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n; i++)
		weights[i] = dests[i].weight;
	qsort(weights, n, sizeof(*weights), descending);
	for (i = 0; i < n && weights[i]; i++) {
		if (!k || weights[i] != weights[k - 1])
			weights[k++] = weights[i];
	}
	return k;
}

/* Appends the dests of at least this weight; returns how many. */
static __u32 set_write(struct ivb_table *t, const struct ivb_sched_dest *dests, size_t n,
		       __u32 weight)
{
	__u32 count = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (dests[i].weight >= weight)
			t->words[t->num_words + count++] = dests[i].slot;
	}
	t->num_words += count;
	return count;
}

/* Segment i, taking passes turns through the dests of at least this weight. */
static int segment_write(struct ivb_table *t, __u32 i, const struct ivb_sched_dest *dests, size_t n,
			 __u32 weight, __u32 passes)
{
	__u32 *g = t->words + i * IVB_SEGMENT_WORDS;

	g[0] = (__u32)t->length;
	g[1] = t->num_words;
	g[2] = set_write(t, dests, n, weight);
	t->length += (__u64)g[2] * passes;
	return t->length >> 32 ? -E2BIG : 0;
}

static int table_alloc(struct ivb_table *t, const __u32 *weights, size_t segments,
		       const struct ivb_sched_dest *dests, size_t n)
{
	size_t words = segments * IVB_SEGMENT_WORDS, i, k;

	for (k = 0; k < segments; k++) {
		for (i = 0; i < n; i++)
			words += dests[i].weight >= weights[k];
	}
	*t = (struct ivb_table){ .num_segments = (__u32)segments,
				 .num_words = (__u32)segments * IVB_SEGMENT_WORDS };
	t->words = calloc(words ? words : 1, sizeof(*t->words));
	return t->words ? 0 : -ENOMEM;
}

static __u64 rr_position(const struct ivb_sched_dest *dests, size_t n, __u32 last)
{
	__u64 position = 0, upto = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		position += dests[i].weight > 0;
		if (dests[i].slot == last)
			upto = position;
	}
	return position ? upto % position : 0;
}

/* Connections in the passes above cw. */
static __u64 wrr_position(const struct ivb_table *t, const __u32 *weights,
			  const struct ivb_cursor *c)
{
	__u64 position = 0;
	__u32 k;

	for (k = 0; k < t->num_segments; k++) {
		__u32 low = k + 1 < t->num_segments ? weights[k + 1] : 0;
		__u32 count = t->words[k * IVB_SEGMENT_WORDS + 2];
		__u32 first = weights[k] - c->di + 1; /* cw of the segment's first pass */

		if (c->cw > low)
			return position + (__u64)((first - c->cw) / c->di) * count;
		position += (__u64)((weights[k] - low) / c->di) * count;
	}
	return 0;
}

static int ring_build(struct ivb_table *ret, bool weighted, const struct ivb_sched_dest *dests,
		      size_t n, const struct ivb_cursor *c, struct ivb_err *err)
{
	_cleanup_free_ __u32 *weights = malloc((n ? n : 1) * sizeof(*weights));
	struct ivb_table t;
	size_t segments;
	__u32 k;
	int r = 0;

	if (!weights)
		return -ENOMEM;
	segments = distinct_weights(weights, dests, n);
	if (!weighted && segments) {
		segments = 1;
		weights[0] = 1;
	}
	if (segments > IVB_MAX_SEGMENTS)
		return ivb_err(
			err, -E2BIG,
			"%zu distinct weights in one service: %u are the limit, so give servers "
			"of about the same capacity the same weight",
			segments, IVB_MAX_SEGMENTS);
	r = table_alloc(&t, weights, segments, dests, n);
	for (k = 0; !r && k < t.num_segments; k++) {
		__u32 low = k + 1 < t.num_segments ? weights[k + 1] : 0;

		r = segment_write(&t, k, dests, n, weights[k],
				  weighted ? (weights[k] - low) / c->di : 1);
	}
	if (r) {
		ivb_sched_table_fini(&t);
		return r == -E2BIG ? ivb_err(err, r,
					     "the weights of the service's servers sum up to 2^32 "
					     "or more: use smaller ones")
				   : r;
	}
	t.position = weighted ? wrr_position(&t, weights, c) : rr_position(dests, n, c->last);
	t.written_at = t.position;
	t.state = weighted ? WRR_STATE(c->cw, c->di) : c->last;
	*ret = t;
	return 0;
}

static int rr_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		    const struct ivb_cursor *c, struct ivb_err *err)
{
	return ring_build(ret, false, dests, n, c, err);
}

static int wrr_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		     const struct ivb_cursor *c, struct ivb_err *err)
{
	return ring_build(ret, true, dests, n, c, err);
}

/* What schedulers' tables differ in. */
struct table_ops {
	enum ivb_sched_kind kind;
	/* Of a service's first table, and after a change of its dests. NULL: nothing to do. */
	void (*init)(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n);
	void (*changed)(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n);
	int (*read)(struct ivb_cursor *ret, const struct ivb_sched *s,
		    __u32 (*ring_word)(const void *arg, __u32 index), const void *arg);
	int (*build)(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		     const struct ivb_cursor *c, struct ivb_err *err);
};

static const struct table_ops rr = { IVB_SCHED_KIND_RING, NULL, NULL, rr_read, rr_build };
static const struct table_ops wrr = { IVB_SCHED_KIND_RING, wrr_init, wrr_changed, wrr_read,
				      wrr_build };
static const struct table_ops list = { IVB_SCHED_KIND_LIST, NULL, NULL, plain_read,
				       ivb_hash_list_build };
static const struct table_ops dated_list = { IVB_SCHED_KIND_LIST, dated_init, NULL, plain_read,
					     ivb_hash_list_build };
static const struct table_ops sh = { IVB_SCHED_KIND_HASH, NULL, NULL, plain_read,
				     ivb_hash_sh_build };
static const struct table_ops dh = { IVB_SCHED_KIND_HASH, NULL, NULL, plain_read,
				     ivb_hash_dh_build };
static const struct table_ops mh = { IVB_SCHED_KIND_HASH, NULL, NULL, plain_read,
				     ivb_hash_mh_build };

static const struct table_ops *ops(__u32 scheduler)
{
	static const struct table_ops *const schedulers[IVB_SCHED_MAX_] = {
#define IVB_SCHEDULER(NAME, name, table, flags, ask) [IVB_SCHED_##NAME] = &(table),
#include <ivb/schedulers.def>
	};

	return scheduler < IVB_SCHED_MAX_ ? schedulers[scheduler] : &list;
}

enum ivb_sched_kind ivb_sched_kind(__u32 scheduler)
{
	return ops(scheduler)->kind;
}

void ivb_sched_cursor_init(struct ivb_cursor *c, enum ivb_scheduler scheduler,
			   const struct ivb_sched_dest *dests, size_t n)
{
	*c = (struct ivb_cursor){ .last = IVB_NONE, .di = 1 };
	if (ops(scheduler)->init)
		ops(scheduler)->init(c, dests, n);
}

int ivb_sched_cursor_read(struct ivb_cursor *ret, enum ivb_scheduler scheduler,
			  const struct ivb_sched *s,
			  __u32 (*ring_word)(const void *arg, __u32 index), const void *arg)
{
	return ops(scheduler)->read(ret, s, ring_word, arg);
}

void ivb_sched_cursor_changed(struct ivb_cursor *c, enum ivb_scheduler scheduler,
			      const struct ivb_sched_dest *dests, size_t n)
{
	if (ops(scheduler)->changed)
		ops(scheduler)->changed(c, dests, n);
}

int ivb_sched_table_build(struct ivb_table *ret, enum ivb_scheduler scheduler,
			  const struct ivb_sched_dest *dests, size_t n, const struct ivb_cursor *c,
			  struct ivb_err *err)
{
	return ops(scheduler)->build(ret, dests, n, c, err);
}

void ivb_sched_table_fini(struct ivb_table *t)
{
	free(t->words);
	t->words = NULL;
}

void ivb_sched_table_place(struct ivb_table *t, __u32 first)
{
	__u32 k;

	for (k = 0; k < t->num_segments; k++)
		t->words[k * IVB_SEGMENT_WORDS + 1] += first;
}
