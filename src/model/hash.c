/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables as ip_vs_sh_reassign(), ip_vs_dh_reassign() and ip_vs_mh_permutate(), ip_vs_mh_populate()
 * fill them (net/netfilter/ipvs). sh: each server its weight's number of places in a row, the list
 * again and again. dh: one place each. mh: each server in turn takes the next place of its own
 * permutation that is free, as often as its share of the weights says.
 */
#include "model/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <ivb/siphash.h>

#include "base/cleanup.h"
#include "base/gcd.h"

#define MH_BITS 6 /* bits of a server's share: IP_VS_MH_TAB_BITS */

__u32 ivb_hash_value(__u8 af, const union ivb_addr *addr, __be16 port)
{
	__be32 fold = addr->ip;

	if (af == AF_INET6)
		fold = addr->ip6[0] ^ addr->ip6[1] ^ addr->ip6[2] ^ addr->ip6[3];
	return ntohl(fold) + ntohs(port);
}

int ivb_hash_list_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
			const struct ivb_cursor *c, struct ivb_err *err)
{
	struct ivb_table t = { .position = c->position, .written_at = c->written_at };
	size_t i;

	(void)err;
	t.words = calloc(n ? n : 1, 2 * sizeof(*t.words));
	if (!t.words)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (!dests[i].weight)
			continue;
		t.words[t.num_words++] = dests[i].slot;
		t.words[t.num_words++] = dests[i].weight;
		t.length++;
	}
	*ret = t;
	return 0;
}

/* sh and, each server having weight 1, dh. */
static void rows_fill(struct ivb_table *t, const struct ivb_sched_dest *dests, size_t n,
		      bool weighted)
{
	__u32 i, row = 0;
	size_t d = 0;

	for (i = 0; i < t->num_words; i++) {
		t->words[i] = dests[d].slot;
		if (++row < (weighted ? dests[d].weight : 1))
			continue;
		row = 0;
		d = (d + 1) % n;
	}
}

/* A server's walk through mh's table. */
struct walk {
	__u32 at;
	__u32 skip;
	__u32 turns; /* places that it takes when it is its turn */
};

/* Returns whether anybody takes part. */
static bool walks_init(struct walk *walks, const struct ivb_sched_dest *dests, size_t n)
{
	__u32 g = 0, max = 0, shift = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		g = ivb_gcd(dests[i].last_weight, g);
		if (dests[i].last_weight > max)
			max = dests[i].last_weight;
	}
	if (!g)
		return false;
	while (max / g >> shift >= 1u << MH_BITS)
		shift++;
	for (i = 0; i < n; i++) {
		__u32 turns = dests[i].last_weight / g >> shift;

		walks[i].at = ivb_hsiphash(dests[i].value, IVB_MH_KEY1) % IVB_MH_SIZE;
		walks[i].skip = ivb_hsiphash(dests[i].value, IVB_MH_KEY2) % (IVB_MH_SIZE - 1) + 1;
		walks[i].turns = turns ? turns : dests[i].last_weight != 0;
	}
	return true;
}

static void mh_fill(struct ivb_table *t, const struct ivb_sched_dest *dests, size_t n,
		    struct walk *walks)
{
	__u32 i, turn = 0;
	size_t d = 0;

	for (i = 0; i < t->num_words; i++)
		t->words[i] = IVB_NONE;
	for (i = 0; i < t->num_words;) {
		struct walk *w = &walks[d];

		if (turn >= w->turns) {
			turn = 0;
			d = (d + 1) % n;
			continue;
		}
		while (t->words[w->at] != IVB_NONE)
			w->at = (w->at + w->skip) % IVB_MH_SIZE;
		t->words[w->at] = dests[d].slot;
		turn++;
		i++;
	}
}

static int table_alloc(struct ivb_table *t, __u32 words)
{
	*t = (struct ivb_table){ .num_words = words, .length = words };
	t->words = calloc(words ? words : 1, sizeof(*t->words));
	return t->words ? 0 : -ENOMEM;
}

static int rows_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      bool weighted)
{
	struct ivb_table t;
	int r = table_alloc(&t, n ? IVB_HASH_SIZE : 0);

	if (r)
		return r;
	rows_fill(&t, dests, n, weighted);
	*ret = t;
	return 0;
}

int ivb_hash_sh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err)
{
	(void)c;
	(void)err;
	return rows_build(ret, dests, n, true);
}

int ivb_hash_dh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err)
{
	(void)c;
	(void)err;
	return rows_build(ret, dests, n, false);
}

int ivb_hash_mh_build(struct ivb_table *ret, const struct ivb_sched_dest *dests, size_t n,
		      const struct ivb_cursor *c, struct ivb_err *err)
{
	_cleanup_free_ struct walk *walks = calloc(n ? n : 1, sizeof(*walks));
	struct ivb_table t;
	int r;

	(void)c;
	(void)err;
	if (!walks)
		return -ENOMEM;
	r = table_alloc(&t, walks_init(walks, dests, n) ? IVB_MH_SIZE : 0);
	if (r)
		return r;
	mh_fill(&t, dests, n, walks);
	*ret = t;
	return 0;
}
