/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rr's and wrr's tables against the kernel's algorithm: random sequences of changes and
 * connections, the same dest every time. The kernel's side is written from ip_vs_rr.c and
 * ip_vs_wrr.c (6.1, 6.12): a list with a pointer into it, and wrr's current weight.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/sched.h"
#include "model/slices.h"
#include "tap.h"

#define MAX_DESTS 2048
#define RING_WORDS (1u << 20)
#define HEAD -1 /* the pointer at the list's head */

static struct ivb_sched_dest dests[MAX_DESTS]; /* the newest first */
static size_t num_dests;
static __u32 ring[RING_WORDS];

static __u32 rnd(__u32 below)
{
	static __u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (__u32)(x >> 32) % below;
}

/* --- the kernel ----------------------------------------------------------------------------- */

struct kernel {
	enum ivb_scheduler scheduler;
	int at; /* index into dests, or HEAD */
	int cw, mw, di;
};

static int gcd(int a, int b)
{
	return b ? gcd(b, a % b) : a;
}

static void kernel_params(struct kernel *k)
{
	int g = 0, max = 0;
	size_t i;

	for (i = 0; i < num_dests; i++) {
		if (dests[i].weight)
			g = g ? gcd((int)dests[i].weight, g) : (int)dests[i].weight;
		if ((int)dests[i].weight > max)
			max = (int)dests[i].weight;
	}
	k->di = g ? g : 1;
	k->mw = max - (k->di - 1);
}

static void kernel_init(struct kernel *k, enum ivb_scheduler scheduler)
{
	*k = (struct kernel){ .scheduler = scheduler, .at = HEAD };
	kernel_params(k);
	k->cw = k->mw;
}

/* dests has changed; for rr the caller has moved at. */
static void kernel_changed(struct kernel *k)
{
	if (k->scheduler != IVB_SCHED_WRR)
		return;
	k->at = HEAD;
	kernel_params(k);
	if (k->cw > k->mw || !k->cw)
		k->cw = k->mw;
	else if (k->di > 1)
		k->cw = k->cw / k->di * k->di + 1;
}

static __u32 kernel_rr(struct kernel *k)
{
	int pass, i, last = k->at;

	for (pass = 0, i = last + 1; pass < 2; pass++, i = 0) {
		for (; i < (int)num_dests; i++) {
			if (dests[i].weight) {
				k->at = i;
				return dests[i].slot;
			}
			if (pass && i == last)
				return IVB_NONE;
		}
		if (last == HEAD)
			break;
	}
	return IVB_NONE;
}

static __u32 kernel_wrr(struct kernel *k)
{
	int i = k->at, last = i, stop = HEAD;
	bool last_pass = false, restarted = false;

	if (!k->mw)
		return IVB_NONE;
	for (;;) {
		for (i++; i < (int)num_dests; i++) {
			if ((int)dests[i].weight >= k->cw) {
				k->at = i;
				return dests[i].slot;
			}
			if (i == stop)
				return IVB_NONE;
		}
		i = HEAD;
		k->cw -= k->di;
		if (k->cw <= 0) {
			k->cw = k->mw;
			if (last_pass || last == HEAD)
				return IVB_NONE;
			restarted = true;
		}
		last_pass = k->cw <= k->di;
		if (last_pass && restarted && last != HEAD)
			stop = last;
	}
}

static __u32 kernel_next(struct kernel *k)
{
	return k->scheduler == IVB_SCHED_RR ? kernel_rr(k) : kernel_wrr(k);
}

/*
 * --- the data plane: as bpf/sched/ring.h reads the words, but the segments one by one ----------
 */

struct plane {
	enum ivb_scheduler scheduler;
	struct ivb_sched s;
	__u32 base; /* the slice of the next table */
};

static __u32 word(const void *arg, __u32 index)
{
	(void)arg;
	return index < RING_WORDS ? ring[index] : IVB_NONE;
}

static int plane_write(struct plane *p, const struct ivb_cursor *c)
{
	struct ivb_table t;
	struct ivb_err err = {};
	int r = ivb_sched_table_build(&t, p->scheduler, dests, num_dests, c, &err);

	if (r)
		return r;
	p->base = p->base ? 0 : RING_WORDS / 2;
	ivb_sched_table_place(&t, p->base);
	memcpy(ring + p->base, t.words, t.num_words * sizeof(*t.words));
	p->s = (struct ivb_sched){
		.position = t.position,
		.written_at = t.written_at,
		.length = t.length,
		.num_segments = t.num_segments,
		.first = p->base,
		.cw = t.state,
	};
	ivb_sched_table_fini(&t);
	return 0;
}

static void plane_init(struct plane *p, enum ivb_scheduler scheduler)
{
	struct ivb_cursor c;

	*p = (struct plane){ .scheduler = scheduler };
	ivb_sched_cursor_init(&c, scheduler, dests, num_dests);
	plane_write(p, &c);
}

static __u32 plane_next(struct plane *p)
{
	__u32 i, at = p->s.first;
	__u64 pos;

	if (!p->s.length)
		return IVB_NONE;
	pos = p->s.position++ % p->s.length;
	for (i = 1; i < p->s.num_segments; i++) {
		if (ring[p->s.first + i * IVB_SEGMENT_WORDS] > pos)
			break;
		at = p->s.first + i * IVB_SEGMENT_WORDS;
	}
	return ring[ring[at + 1] + (__u32)(pos - ring[at]) % ring[at + 2]];
}

/*
 * --- both, side by side -------------------------------------------------------------------------
 */

static struct kernel kernel;
static struct plane plane;

static __u32 some_weight(void)
{
	static const __u32 usual[] = { 0, 1, 1, 1, 2, 3, 4, 5, 6, 10, 20, 50, 100, 65535 };

	return rnd(4) ? usual[rnd(sizeof(usual) / sizeof(usual[0]))] : rnd(300);
}

static void insert(__u32 slot, __u32 weight)
{
	memmove(dests + 1, dests, num_dests * sizeof(*dests));
	dests[0] = (struct ivb_sched_dest){ .slot = slot, .weight = weight };
	num_dests++;
}

static int change_add(__u32 slot)
{
	struct ivb_cursor c;
	int r = ivb_sched_cursor_read(&c, plane.scheduler, &plane.s, word, NULL);

	if (r)
		return r;
	insert(slot, some_weight());
	if (kernel.at != HEAD)
		kernel.at++;
	ivb_sched_cursor_changed(&c, plane.scheduler, dests, num_dests);
	return plane_write(&plane, &c);
}

static int change_edit(void)
{
	struct ivb_cursor c;
	int r = ivb_sched_cursor_read(&c, plane.scheduler, &plane.s, word, NULL);

	if (r)
		return r;
	dests[rnd((__u32)num_dests)].weight = some_weight();
	ivb_sched_cursor_changed(&c, plane.scheduler, dests, num_dests);
	return plane_write(&plane, &c);
}

static int change_del(void)
{
	int i = (int)rnd((__u32)num_dests);
	struct ivb_cursor c;
	int r = ivb_sched_cursor_read(&c, plane.scheduler, &plane.s, word, NULL);

	if (r)
		return r;
	ivb_sched_cursor_removing(&c, dests, num_dests, (size_t)i);
	num_dests--;
	memmove(dests + i, dests + i + 1, (num_dests - (size_t)i) * sizeof(*dests));
	if (kernel.at >= i)
		kernel.at--;
	ivb_sched_cursor_changed(&c, plane.scheduler, dests, num_dests);
	return plane_write(&plane, &c);
}

static int change_random(__u32 slot)
{
	__u32 what = rnd(10);
	int r;

	if (!num_dests || what < 4)
		r = change_add(slot);
	else if (what < 8)
		r = change_edit();
	else
		r = change_del();
	kernel_changed(&kernel);
	return r;
}

/* Returns 0 if all connections of one life went to the same dests on both sides. */
static int life(enum ivb_scheduler scheduler, int changes)
{
	__u32 n, want, got;
	int i;

	num_dests = 0;
	kernel_init(&kernel, scheduler);
	plane_init(&plane, scheduler);
	for (i = 0; i < changes; i++) {
		if (change_random((__u32)i + 1)) {
			diag("change %d failed", i);
			return 1;
		}
		for (n = rnd(3) ? rnd(40) : 0; n > 0; n--) {
			want = kernel_next(&kernel);
			got = plane_next(&plane);
			if (want != got) {
				diag("after change %d: dest %u, not %u", i, got, want);
				return 1;
			}
		}
	}
	return 0;
}

static void test_random(void)
{
	int i, bad[2] = {};

	for (i = 0; i < 4000; i++) {
		bad[0] += life(IVB_SCHED_RR, 40);
		bad[1] += life(IVB_SCHED_WRR, 40);
	}
	is_int(bad[0], 0, "rr: 4000 lives of 40 changes each, as the kernel");
	is_int(bad[1], 0, "wrr: 4000 lives of 40 changes each, as the kernel");
}

/* Whole periods, twice, of random weights set at once. */
static void test_periods(void)
{
	__u64 p;
	int i, bad = 0;
	__u32 n;

	for (i = 0; i < 500; i++) {
		num_dests = 0;
		for (n = rnd(12) + 1; n > 0; n--)
			insert(n, rnd(8) ? some_weight() % 1000 : 7 * rnd(40));
		kernel_init(&kernel, IVB_SCHED_WRR);
		plane_init(&plane, IVB_SCHED_WRR);
		for (p = 0; p < 2 * plane.s.length + 3; p++) {
			if (kernel_next(&kernel) == plane_next(&plane))
				continue;
			bad++;
			break;
		}
	}
	is_int(bad, 0, "wrr: 500 sets of weights, two periods each, as the kernel");
}

static void test_shapes(void)
{
	struct ivb_cursor c;
	__u32 i;

	num_dests = 0;
	plane_init(&plane, IVB_SCHED_WRR);
	ok(!plane.s.length && !plane.s.num_segments && plane_next(&plane) == IVB_NONE,
	   "no dest at all");
	for (i = 0; i < 5; i++)
		insert(i, 0);
	plane_init(&plane, IVB_SCHED_RR);
	ok(!plane.s.length && plane_next(&plane) == IVB_NONE, "weight 0 alone");
	num_dests = 0;
	for (i = 0; i < 100; i++)
		insert(i, 42);
	plane_init(&plane, IVB_SCHED_WRR);
	ok(plane.s.num_segments == 1 && plane.s.length == 100, "equal weights are one segment");
	num_dests = 0;
	insert(1, 65535);
	insert(2, 1);
	plane_init(&plane, IVB_SCHED_WRR);
	ok(plane.s.num_segments == 2 && plane.s.length == 65536,
	   "65535 and 1: two segments, all positions");
	plane.s.num_segments = 0;
	plane.s.position++;
	is_int(ivb_sched_cursor_read(&c, IVB_SCHED_WRR, &plane.s, word, NULL), -EUCLEAN,
	       "a damaged table");
}

static void test_limits(void)
{
	struct ivb_err err = {};
	struct ivb_cursor c;
	struct ivb_table t;
	__u32 i;

	num_dests = 0;
	for (i = 0; i < 1024; i++)
		insert(i, 65535 - 63 * i);
	ivb_sched_cursor_init(&c, IVB_SCHED_WRR, dests, num_dests);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_WRR, dests, num_dests, &c, &err), 0,
	       "1024 distinct large weights");
	is_int(t.num_segments, 1024, "1024 segments");
	is_int(t.num_words, 1024 * 1025 / 2 + 3 * 1024, "words");
	ivb_sched_table_fini(&t);

	insert(1024, 1);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_WRR, dests, num_dests, &c, &err), -E2BIG,
	       "1025 distinct weights do not fit");
	ok(err.text[0], "and the error says so: %s", err.text);
	ivb_sched_cursor_init(&c, IVB_SCHED_RR, dests, num_dests);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_RR, dests, num_dests, &c, &err), 0,
	       "but rr does not mind");
	is_int(t.length, 1025, "rr's period");
	ivb_sched_table_fini(&t);
}

static void test_long_period(void)
{
	static struct ivb_sched_dest many[70000];
	struct ivb_err err = {};
	struct ivb_cursor c;
	struct ivb_table t;
	__u32 i;

	for (i = 0; i < 70000; i++)
		many[i] = (struct ivb_sched_dest){ .slot = i, .weight = i ? 65535 : 65534 };
	ivb_sched_cursor_init(&c, IVB_SCHED_WRR, many, 70000);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_WRR, many, 70000, &c, &err), -E2BIG,
	       "a period of more than 2^32 connections");
	is_int(ivb_sched_table_build(&t, IVB_SCHED_WRR, many, 65000, &c, &err), 0,
	       "and one of almost as many");
	ivb_sched_table_fini(&t);
}

static void test_lists(void)
{
	struct ivb_err err = {};
	struct ivb_cursor c;
	struct ivb_table t;

	num_dests = 0;
	insert(7, 3);
	insert(8, 0);
	insert(9, 65535);
	ivb_sched_cursor_init(&c, IVB_SCHED_WLC, dests, num_dests);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_WLC, dests, num_dests, &c, &err), 0, "wlc's table");
	ok(t.length == 2 && t.num_words == 4 && !t.num_segments, "is two pairs");
	ok(t.words[0] == 9 && t.words[1] == 65535 && t.words[2] == 7 && t.words[3] == 3,
	   "slot and weight, in order, without the one of weight 0");
	ivb_sched_table_fini(&t);
	is_int(ivb_sched_table_build(&t, IVB_SCHED_OVF, dests, 0, &c, &err), 0, "of no servers");
	is_int((long long)t.length, 0, "it is empty");
	ivb_sched_table_fini(&t);
}

static void test_hashes(void)
{
	__u32 i, places[3] = {}, moved = 0, *before;
	struct ivb_err err = {};
	struct ivb_cursor c = {};
	struct ivb_table t;

	num_dests = 0;
	insert(0, 1);
	insert(1, 0);
	insert(2, 3);
	ivb_sched_table_build(&t, IVB_SCHED_SH, dests, num_dests, &c, &err);
	ok(t.length == 256 && t.words[0] == 2 && t.words[2] == 2 && t.words[3] == 1 &&
		   t.words[4] == 0 && t.words[5] == 2,
	   "sh: three places, one for weight 0, one, and again");
	ivb_sched_table_fini(&t);
	ivb_sched_table_build(&t, IVB_SCHED_DH, dests, num_dests, &c, &err);
	ok(t.words[0] == 2 && t.words[1] == 1 && t.words[2] == 0 && t.words[3] == 2,
	   "dh: one place each");
	ivb_sched_table_fini(&t);
	for (i = 0; i < 3; i++) {
		dests[i].last_weight = dests[i].weight;
		dests[i].value = 0x0a000001 + i * 256 + 80;
	}
	ivb_sched_table_build(&t, IVB_SCHED_MH, dests, num_dests, &c, &err);
	is_int((long long)t.length, IVB_MH_SIZE, "mh's table");
	for (i = 0; i < t.num_words; i++)
		places[t.words[i] % 3]++;
	ok(!places[1] && places[2] > 3 * places[0] - 8 && places[2] < 3 * places[0] + 8,
	   "shares follow the weights: %u and %u places", places[2], places[0]);
	before = t.words;
	dests[0].weight = 0;
	ivb_sched_table_build(&t, IVB_SCHED_MH, dests, num_dests, &c, &err);
	ok(!memcmp(before, t.words, IVB_MH_SIZE * sizeof(*before)), "weight 0 moves no place");
	ivb_sched_table_fini(&t);
	dests[1].last_weight = 1;
	ivb_sched_table_build(&t, IVB_SCHED_MH, dests, num_dests, &c, &err);
	for (i = 0; i < t.num_words; i++)
		moved += before[i] != t.words[i] && t.words[i] != 1;
	ok(moved < IVB_MH_SIZE / 10, "a server joins: %u places go from one old one to another",
	   moved);
	ivb_sched_table_fini(&t);
	free(before);
	for (i = 0; i < 3; i++)
		dests[i].last_weight = 0;
	ivb_sched_table_build(&t, IVB_SCHED_MH, dests, num_dests, &c, &err);
	is_int((long long)t.length, 0, "nobody has ever had weight: no table");
	ivb_sched_table_fini(&t);
}

static void test_slices(void)
{
	struct ivb_slice taken[3] = { { 100, 50 } }, got = {}, own = { 0, 64 };
	size_t n = 1;

	ivb_slice_insert(taken, &n, &own);
	ok(n == 2 && !taken[0].first && taken[1].first == 100, "slices are kept in order");
	is_int(ivb_slice_find(&got, taken, n, 1000, 10, 0), 0, "a slice for 10 words");
	ok(got.first == 64 && got.capacity == 16, "goes into the first gap");
	is_int(ivb_slice_find(&got, taken, n, 1000, 40, 0), 0, "a slice for 40 words");
	ok(got.first == 150 && got.capacity == 64, "goes behind the last slice");
	is_int(ivb_slice_find(&got, taken, n, 1000, 10, 120), 0, "a slice after a hint");
	is_int(got.first, 150, "lies after the hint");
	is_int(ivb_slice_find(&got, taken, n, 1000, 16, 990), 0, "no room after the hint");
	is_int(got.first, 64, "so from the start");
	is_int(ivb_slice_find(&got, taken, n, 210, 60, 0), 0, "no room for the spare words");
	ok(got.first == 150 && got.capacity == 60, "so without them");
	is_int(ivb_slice_find(&got, taken, n, 200, 60, 0), -ENOSPC, "no room at all");
	is_int(ivb_slice_find(&got, taken, n, 0xffffffff, 0xfffffff0, 0), -ENOSPC, "far too much");
	own = (struct ivb_slice){ 0, 64 };
	ok(ivb_slice_suits(&own, 1) && ivb_slice_suits(&own, 64) && !ivb_slice_suits(&own, 65),
	   "64 suit");
	own.capacity = 4096;
	ok(ivb_slice_suits(&own, 600) && !ivb_slice_suits(&own, 100),
	   "a large one is not kept for little");
}

int main(void)
{
	test_random();
	test_periods();
	test_shapes();
	test_limits();
	test_long_period();
	test_lists();
	test_hashes();
	test_slices();
	return done_testing();
}
