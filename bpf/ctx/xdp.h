/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the hooks, for XDP (ctx/skb.h has the same functions in the same order).
 * Here: one frame as it came from the wire, never GSO; checksums are whole and ours to keep; tags
 * are in the frame, unless the hardware took them; nothing resolves neighbours.
 */
#ifndef IVB_CTX_H
#define IVB_CTX_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define ivb_ctx xdp_md

enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

struct net_device___ivb;

struct xdp_rxq_info___ivb {
	struct net_device___ivb *dev;
} __attribute__((preserve_access_index));

struct xdp_buff___ivb {
	struct xdp_rxq_info___ivb *rxq;
} __attribute__((preserve_access_index));

static __always_inline void *ctx_data(const struct ivb_ctx *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline void *ctx_at(const struct ivb_ctx *ctx, __u32 off)
{
	asm volatile("" : "+r"(off));
	return (void *)(long)ctx->data + (off & 0x3ff);
}

static __always_inline void *ctx_end(const struct ivb_ctx *ctx)
{
	return (void *)(long)ctx->data_end;
}

static __always_inline __u32 ctx_len(const struct ivb_ctx *ctx)
{
	return ctx->data_end - ctx->data;
}

static __always_inline __u32 ctx_ifindex(const struct ivb_ctx *ctx)
{
	return ctx->ingress_ifindex;
}

/* The MAC is compared by the caller of the path: the device's is not in the context. */
static __always_inline bool ctx_for_us(const struct ivb_ctx *ctx)
{
	return true;
}

static __always_inline __be16 ctx_protocol(const struct ivb_ctx *ctx)
{
	struct ethhdr *eth = ctx_data(ctx);

	return (void *)(eth + 1) > ctx_end(ctx) ? 0 : eth->h_proto;
}

/* All that there is is readable already. */
static __always_inline int ctx_pull(struct ivb_ctx *ctx, __u32 len)
{
	return -1;
}

static __always_inline __u32 ctx_gso_size(const struct ivb_ctx *ctx)
{
	return 0;
}

static __always_inline int ctx_summed(struct ivb_ctx *ctx)
{
	return CHECKSUM_NONE;
}

static __always_inline struct net_device___ivb *ctx_netdev(struct ivb_ctx *ctx)
{
	struct xdp_buff___ivb *xdp = (void *)ctx;

	return BPF_CORE_READ(xdp, rxq, dev);
}

static __always_inline void ctx_csum_changed(struct ivb_ctx *ctx, __u16 delta)
{
}

static __always_inline int ctx_store(struct ivb_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_xdp_store_bytes(ctx, off, (void *)from, len);
}

static __always_inline int ctx_load(struct ivb_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_xdp_load_bytes(ctx, off, to, len);
}

static __always_inline int ctx_trim(struct ivb_ctx *ctx, __u32 len)
{
	return bpf_xdp_adjust_tail(ctx, (int)len - (int)ctx_len(ctx));
}

static __always_inline int ctx_push_l3(struct ivb_ctx *ctx, __u32 len)
{
	struct ethhdr eth;

	if (bpf_xdp_load_bytes(ctx, 0, &eth, sizeof(eth)) || bpf_xdp_adjust_head(ctx, -(int)len))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, &eth, sizeof(eth));
}

static __always_inline int ctx_push_tunnel(struct ivb_ctx *ctx, const bool v6, __u32 len)
{
	return ctx_push_l3(ctx, len);
}

static __always_inline int ctx_redirect(struct ivb_ctx *ctx, __u32 ifindex)
{
	return bpf_redirect(ifindex, 0) == XDP_REDIRECT ? 0 : -1;
}

/* Until the neighbour is known, the frame goes to the stack's tc program, which resolves it. */
static __always_inline int ctx_redirect_neigh(struct ivb_ctx *ctx, __u32 ifindex,
					      struct bpf_redir_neigh *nh)
{
	return -1;
}

/* Frames carry no mark, and no copies can be made: connections of kernel IPVS are tc's. */
static __always_inline __u32 ctx_tag(const struct ivb_ctx *ctx)
{
	return 0;
}

static __always_inline void ctx_set_tag(struct ivb_ctx *ctx, __u32 tag)
{
}

static __always_inline int ctx_copy_in(struct ivb_ctx *ctx, __u32 tag)
{
	return -1;
}

static __always_inline void ctx_set_priority(struct ivb_ctx *ctx, __u32 priority)
{
}

#define CTX_NEXT XDP_PASS
#define CTX_SENT XDP_REDIRECT
#define CTX_DROP XDP_DROP

#endif
