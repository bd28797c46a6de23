/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that the schedulers work from (struct ivb_sched and its words of ring), and how a
 * change of the servers moves rr's and wrr's place in the sequence: as kernel IPVS does
 * (net/netfilter/ipvs/ ip_vs_rr.c, ip_vs_wrr.c). Pure: nothing here reads or writes a map.
 */
#ifndef IVB_MODEL_SCHED_H
#define IVB_MODEL_SCHED_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_err;

#define IVB_SEGMENT_WORDS 3
#define IVB_MAX_SEGMENTS 1024 /* the programs' search reaches no more */
#define IVB_MAX_WEIGHT 65535
#define IVB_HASH_SIZE \
	256 /* size of the tables of sh and dh (CONFIG_IP_VS_SH_TAB_BITS, ..._DH_...) */
#define IVB_MH_SIZE 4093 /* size of mh's (CONFIG_IP_VS_MH_TAB_INDEX) */

/* What a scheduler's table is (see struct ivb_sched). */
enum ivb_sched_kind {
	IVB_SCHED_KIND_RING, /* segments and a position */
	IVB_SCHED_KIND_LIST, /* pairs of slot and weight */
	IVB_SCHED_KIND_HASH, /* slots by hash */
};

enum ivb_sched_kind ivb_sched_kind(__u32 scheduler);

/* A service's dests are given in the kernel's order: the newest first. */
struct ivb_sched_dest {
	__u32 slot;
	__u32 weight;	   /* 0..IVB_MAX_WEIGHT */
	__u32 last_weight; /* mh: the last one that was not 0 */
	__u32 value;	   /* mh: ivb_hash_value() of address and port */
};

/* What the kernel's scheduler remembers between two connections. */
struct ivb_cursor {
	__u32 last;	  /* rr: slot of the dest chosen last, or IVB_NONE: the head of the list */
	__u32 cw;	  /* wrr: the current weight; 0 when no dest has a positive weight */
	__u32 di;	  /* wrr: greatest common divisor of the positive weights */
	__u64 position;	  /* lblc, lblcr: what they keep in ivb_sched.position */
	__u64 written_at; /* lblcr: when the scheduler began */
};

/*
 * A table that is not in the maps yet. words: the segments, then the dest slots; the owner frees
 * it.
 */
struct ivb_table {
	__u64 length;
	__u64 position;
	__u64 written_at;
	__u32 num_segments;
	__u32 num_words;
	__u32 state;  /* ivb_sched.cw's value */
	__u32 *words; /* ivb_segment.first counts from words[0] until ivb_sched_table_place() */
};

/* Words that a table of this kind, num_segments and length has at least, if it has any. */
__u64 ivb_sched_table_words(enum ivb_sched_kind kind, __u32 num_segments, __u64 length);

/* An address and a port as the schedulers that hash add them up; IPv4: the first word of addr. */
__u32 ivb_hash_value(__u8 af, const union ivb_addr *addr, __be16 port);

/* Of a scheduler that has just been bound to a service with these dests. */
void ivb_sched_cursor_init(struct ivb_cursor *c, enum ivb_scheduler scheduler,
			   const struct ivb_sched_dest *dests, size_t n);

/*
 * Of a table in use: s as read from scheds, ring_word() returns a word of ring by its index.
 * -EUCLEAN: the words make no sense.
 */
int ivb_sched_cursor_read(struct ivb_cursor *ret, enum ivb_scheduler scheduler,
			  const struct ivb_sched *s,
			  __u32 (*ring_word)(const void *arg, __u32 index), const void *arg);

/* Before dests[i] leaves the list. */
void ivb_sched_cursor_removing(struct ivb_cursor *c, const struct ivb_sched_dest *dests, size_t n,
			       size_t i);

/* After a dest came, went or was edited: dests is the new list. */
void ivb_sched_cursor_changed(struct ivb_cursor *c, enum ivb_scheduler scheduler,
			      const struct ivb_sched_dest *dests, size_t n);

/*
 * The table whose next connection is the one that the kernel would choose at the cursor.
 * -E2BIG: too many distinct weights, or a period of 2^32 connections or more; -ENOMEM.
 */
int ivb_sched_table_build(struct ivb_table *ret, enum ivb_scheduler scheduler,
			  const struct ivb_sched_dest *dests, size_t n, const struct ivb_cursor *c,
			  struct ivb_err *err);
void ivb_sched_table_fini(struct ivb_table *t);

/* Makes ivb_segment.first absolute for words that will start at ring[first]. Once. */
void ivb_sched_table_place(struct ivb_table *t, __u32 first);

#endif
