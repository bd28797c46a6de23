/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half-open TCP and unanswered UDP connections, bounded. Each has a place in a ring, taken in order
 * of arrival; who takes a place evicts whom it still belongs to: the oldest. A confirmed connection
 * (TCP established, UDP answered) has no place, and nothing here touches it. While the oldest is
 * younger than FLOOD_S, only those are let in that have been refused a while ago: a client that
 * repeats its first packet, not a flood's next source.
 */
#ifndef IVB_ENGINE_BPF_HALF_OPEN_H
#define IVB_ENGINE_BPF_HALF_OPEN_H

#include "conn/conn.h"

#define FLOOD_S 3 /* the second repetition of a SYN has come by then */
/* Quarter seconds between the refused packet and its repetition: TCP's come after 1, 3, 7 s. */
#define REPEAT_MIN 2
#define REPEAT_MAX 40

static __always_inline struct ivb_admission *admission_of(const int af)
{
	__u32 family = FAMILY_INDEX(af);

	return bpf_map_lookup_elem(&ivb_admission, &family);
}

/* The hash is keyed, so that nobody can aim at a bucket. */
static __always_inline __u64 try_hash(const int af, __u64 seed, const union tuple *key)
{
	const __u64 *w = (const __u64 *)key;
	int i;

	for (i = 0; i < (af == AF_INET ? 2 : 5); i++) {
		seed = (seed ^ w[i]) * 0x9e3779b97f4a7c15ull;
		seed ^= seed >> 32;
	}
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	return seed ^ seed >> 27;
}

/*
 * Whether this first packet was refused before. If not, it is remembered in place of the oldest of
 * its bucket.
 */
GLOBAL int tried_before(__u64 hash, __u32 now)
{
	__u32 bucket = hash >> 32 & ivb_tries_mask, tag = (__u32)hash << 8;
	__u32 quarter = now / (ivb_hz / 4) & 0xff, oldest = 0, seen, age, i;
	struct ivb_tries *t = bpf_map_lookup_elem(&ivb_first_tries, &bucket);
	__s32 older;

	if (!t)
		return 1;
	for (i = 0; i < IVB_TRIES_WAYS; i++) {
		seen = READ_ONCE(t->tag[i]);
		age = (quarter - seen) & 0xff;
		if (seen && seen >> 8 == tag >> 8 && age <= REPEAT_MAX)
			return age >= REPEAT_MIN;
	}
	/* the larger of two each time, without a branch: 2^16 paths for the verifier otherwise */
	for (i = 0; i < IVB_TRIES_WAYS; i++) {
		seen = READ_ONCE(t->tag[i]);
		age = ((quarter - seen) & 0xff) | ((((__u64)seen - 1) >> 63) * 0xff);
		age = age * IVB_TRIES_WAYS + i;
		older = (__s32)(oldest - age);
		asm volatile("" : "+r"(older));
		oldest ^= (oldest ^ age) & (older >> 31);
	}
	WRITE_ONCE(t->tag[oldest & (IVB_TRIES_WAYS - 1)], tag | quarter);
	return 0;
}

/* The connection that a place still belongs to, or NULL. */
static __always_inline struct ivb_conn *half_open_conn(const int af, const struct ivb_half_open *h,
						       __u32 pos)
{
	__u32 id = READ_ONCE(h->conn);
	struct ivb_conn *c = id ? conn_get(af, id - 1) : NULL;

	return c && IVB_CONN_PLACE(READ_ONCE(c->state)) == pos + 1 ? c : NULL;
}

/*
 * Whether the ring is full of connections that have come within the last seconds. If the head has
 * moved on meanwhile, what was looked at was not the oldest any more, but the one that moved it.
 */
static __always_inline bool half_open_flood(const int af, __u32 max, __u32 now)
{
	struct ivb_admission *a = admission_of(af);
	struct ivb_half_open *h;
	__u64 next;
	__u32 pos;

	if (!a || !max)
		return false;
	next = READ_ONCE(a->next);
	pos = next % max;
	h = bpf_map_lookup_elem(MAP_OF(af, half_open), &pos);
	return h && now - READ_ONCE(h->stamp) < FLOOD_S * ivb_hz && half_open_conn(af, h, pos) &&
	       READ_ONCE(a->next) == next;
}

GLOBAL int half_open_flood4(__u32 max, __u32 now)
{
	return half_open_flood(AF_INET, max, now);
}

GLOBAL int half_open_flood6(__u32 max, __u32 now)
{
	return half_open_flood(AF_INET6, max, now);
}

/* Whether a new connection may begin: 0 or a reason. */
static __always_inline int half_open_admit(const int af, const struct ivb_config *cfg,
					   const union tuple *key, __u32 now)
{
	if (!BY_AF(af, half_open_flood, cfg->max_half_open[FAMILY_INDEX(af)], now))
		return 0;
	return tried_before(try_hash(af, cfg->hash_key, key), now) ? 0 : -IVB_R_HALF_OPEN;
}

/*
 * Gives a connection that has just been made the next place. Returns the id, plus 1, of the half-
 * open connection that this displaces and that is to be evicted, or 0.
 */
static __always_inline __u32 half_open_enter(const int af, __u32 max, __u32 id, __u32 state)
{
	struct ivb_admission *a = admission_of(af);
	struct ivb_conn *c = conn_get(af, id);
	struct ivb_half_open *h;
	__u32 pos, displaced;

	if (!a || !c || !max)
		return 0;
	pos = __sync_fetch_and_add(&a->next, 1) % max;
	h = bpf_map_lookup_elem(MAP_OF(af, half_open), &pos);
	if (!h)
		return 0;
	displaced = half_open_conn(af, h, pos) ? READ_ONCE(h->conn) : 0;
	if (__sync_val_compare_and_swap(&c->state, state,
					state | (pos + 1) << IVB_CONN_PLACE_SHIFT) != state)
		return 0; /* seen by another CPU already, or confirmed */
	WRITE_ONCE(h->stamp, (__u32)bpf_jiffies64());
	WRITE_ONCE(h->conn, id + 1);
	return displaced;
}

GLOBAL __u32 half_open_enter4(__u32 max, __u32 id, __u32 state)
{
	return half_open_enter(AF_INET, max, id, state);
}

GLOBAL __u32 half_open_enter6(__u32 max, __u32 id, __u32 state)
{
	return half_open_enter(AF_INET6, max, id, state);
}

/* Whether a connection's place has gone to another. */
static __always_inline bool half_open_displaced(const int af, __u32 id, __u32 state)
{
	__u32 pos = IVB_CONN_PLACE(state) - 1;
	struct ivb_half_open *h = bpf_map_lookup_elem(MAP_OF(af, half_open), &pos);

	return IVB_CONN_PLACE(state) && h && READ_ONCE(h->conn) != id + 1;
}

/*
 * Removes a connection whose place has gone to another. Its stamp is claimed first: from there on
 * the slot stays this connection's. If it is confirmed in that moment, it gets its stamp back.
 */
static __always_inline void half_open_evict(const int af, __u32 id)
{
	__u32 *stamp = clock_stamp(af, id), seen, state;
	struct ivb_admission *a = admission_of(af);
	struct ivb_conn *c = conn_get(af, id);

	if (!c || !a || !stamp)
		return;
	seen = READ_ONCE(*stamp);
	if (!half_open_displaced(af, id, READ_ONCE(c->state)) || seen <= IVB_CLOCK_BUSY ||
	    __sync_val_compare_and_swap(stamp, seen, IVB_CLOCK_BUSY) != seen)
		return;
	state = READ_ONCE(c->state);
	if (!half_open_displaced(af, id, state) ||
	    __sync_val_compare_and_swap(&c->state, state, IVB_S_NONE) != state) {
		state = state_timeout(c->service, IVB_CONN_STATE(READ_ONCE(c->state)));
		state = stamp_at((__u32)bpf_jiffies64() + state);
		__sync_lock_test_and_set(stamp, state);
		BY_AF(af, clock_due, id / IVB_CLOCK_GROUP, state);
		return;
	}
	dest_count(c->dest, state, -1);
	__sync_fetch_and_add(&a->evicted, 1);
	BY_AF(af, conn_remove, id);
}

GLOBAL int half_open_evict4(__u32 id)
{
	half_open_evict(AF_INET, id);
	return 0;
}

GLOBAL int half_open_evict6(__u32 id)
{
	half_open_evict(AF_INET6, id);
	return 0;
}

#endif
