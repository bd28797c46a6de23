/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the functions of the path return, and the one place that turns it into the hook's verdict
 * and counts it: a verdict (>= 0), or a reason with its sign turned.
 */
#ifndef IVB_LIB_VERDICT_H
#define IVB_LIB_VERDICT_H

/*
 * A function that is verified once, by itself, knowing nothing of its callers (and they nothing of
 * what it leaves in memory): what keeps the number of the verifier's paths small. Its pointers must
 * be tested for NULL. One for each family, so that the program of one needs no maps of the other.
 */
#define GLOBAL __noinline

/* The function of the family. */
#define BY_AF(af, fn, ...) ((af) == AF_INET ? fn##4(__VA_ARGS__) : fn##6(__VA_ARGS__))

enum verdict {
	IVB_NEXT,	/* not ours: other programs, then the stack */
	IVB_REDIRECTED, /* redirected */
	IVB_CREATED,	/* within the path: a flow exists now, look it up again */
	IVB_MADE,	/* the same, and it is this CPU's: scratch has what it was made of */
};

/* What headers() and quote_parse() say of a packet that is not of a protocol that we carry. */
enum { IVB_OTHER = 1 };

static __always_inline void count(__u32 reason, __u32 bytes)
{
	struct ivb_counter *c = bpf_map_lookup_elem(&counters, &reason);

	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
}

/* Reasons that leave the packet to the stack. */
static __always_inline bool reason_passes(__u32 reason)
{
	const __u64 passes = 0
#define IVB_PASS(name, help) | 1ull << IVB_R_##name
#define IVB_DROP(name, help)
#define IVB_SENT(name, help)
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
		;
	return passes >> reason & 1;
}

static __always_inline int path_exit(struct ivb_ctx *ctx, int r)
{
	if (r == IVB_REDIRECTED)
		return CTX_SENT;
	if (r >= 0)
		return CTX_NEXT;
	count(-r, ctx_len(ctx));
	return reason_passes(-r) ? CTX_NEXT : CTX_DROP;
}

#endif
