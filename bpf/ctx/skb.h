/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the hooks, for tc (ctx/xdp.h has the same functions in the same order).
 * Here: frames may be GSO (longer than the MTU), checksums may be partial or complete, the VLAN tag
 * is in metadata, the head may be shorter than the packet, and pointers die with every pull or
 * resize.
 */
#ifndef IVB_CTX_H
#define IVB_CTX_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/if_packet.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define ivb_ctx __sk_buff

/* include/linux/skbuff.h */
enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

struct net_device___ivb;

struct sk_buff___ivb {
	struct net_device___ivb *dev;
	__u8 ip_summed : 2;
	__u8 ipvs_property : 1;
} __attribute__((preserve_access_index));

/* Since 6.2; where it is missing, the context's address is the sk_buff's all the same. */
extern void *bpf_cast_to_kern_ctx(void *obj) __ksym __weak;

static __always_inline void *ctx_data(const struct ivb_ctx *ctx)
{
	return (void *)(long)ctx->data;
}

/*
 * The byte at an offset whose bounds the caller has checked. It is hidden how the offset came
 * about: clang would split a constant off it, and the verifier learns nothing from a comparison of
 * a packet pointer with a negative fixed part (clang 14, all kernels, "R4 offset is outside of the
 * packet"). No header that we look at starts beyond the mask.
 */
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
	return ctx->len;
}

static __always_inline __u32 ctx_ifindex(const struct ivb_ctx *ctx)
{
	return ctx->ifindex;
}

/* Whether the frame is for this host on this very device: not another MAC's, not another VLAN's. */
static __always_inline bool ctx_for_us(const struct ivb_ctx *ctx)
{
	return ctx->pkt_type == PACKET_HOST && !ctx->vlan_present;
}

static __always_inline __be16 ctx_protocol(const struct ivb_ctx *ctx)
{
	return ctx->protocol;
}

/* Makes the first len bytes readable through pointers. */
static __always_inline int ctx_pull(struct ivb_ctx *ctx, __u32 len)
{
	return bpf_skb_pull_data(ctx, len);
}

/* Payload of each packet that a GSO packet will become; 0: not GSO. */
static __always_inline __u32 ctx_gso_size(const struct ivb_ctx *ctx)
{
	return ctx->gso_size;
}

/* One of CHECKSUM_*. */
static __always_inline int ctx_summed(struct ivb_ctx *ctx)
{
	struct sk_buff___ivb *skb;

	if (&bpf_cast_to_kern_ctx) {
		skb = bpf_cast_to_kern_ctx(ctx);
		return BPF_CORE_READ_BITFIELD(skb, ip_summed);
	}
	skb = (void *)ctx;
	return BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed);
}

/*
 * Whether kernel IPVS has handled the packet; the bit is there where the kernel was built with it.
 */
static __always_inline bool ctx_ipvs_property(struct ivb_ctx *ctx)
{
	struct sk_buff___ivb *skb;

	if (!bpf_core_field_exists(((struct sk_buff___ivb *)0)->ipvs_property))
		return false;
	if (&bpf_cast_to_kern_ctx) {
		skb = bpf_cast_to_kern_ctx(ctx);
		return BPF_CORE_READ_BITFIELD(skb, ipvs_property);
	}
	skb = (void *)ctx;
	return BPF_CORE_READ_BITFIELD_PROBED(skb, ipvs_property);
}

/* At egress: the device that the packet came in by, 0 for one of the host's own. */
static __always_inline __u32 ctx_iif(const struct ivb_ctx *ctx)
{
	return ctx->ingress_ifindex;
}

/* The struct net_device that the frame came in by, or leaves by. */
static __always_inline struct net_device___ivb *ctx_netdev(struct ivb_ctx *ctx)
{
	struct sk_buff___ivb *skb = (void *)ctx;
	struct net_device___ivb *dev = NULL;

	bpf_core_read(&dev, sizeof(dev), &skb->dev);
	return dev;
}

/* After direct writes that changed the sum of the IP packet by delta (CHECKSUM_COMPLETE). */
static __always_inline void ctx_csum_changed(struct ivb_ctx *ctx, __u16 delta)
{
	bpf_csum_update(ctx, delta);
}

/* Writes and keeps CHECKSUM_COMPLETE right. */
static __always_inline int ctx_store(struct ivb_ctx *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_skb_store_bytes(ctx, off, from, len, BPF_F_RECOMPUTE_CSUM);
}

static __always_inline int ctx_load(struct ivb_ctx *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_skb_load_bytes(ctx, off, to, len);
}

/* Cuts the frame to len bytes, GSO or not. */
static __always_inline int ctx_trim(struct ivb_ctx *ctx, __u32 len)
{
	return bpf_skb_change_tail(ctx, len, 0);
}

/* Makes room of len zero bytes between the Ethernet and the IP header. */
static __always_inline int ctx_push_l3(struct ivb_ctx *ctx, __u32 len)
{
	return bpf_skb_adjust_room(ctx, len, BPF_ADJ_ROOM_MAC, 0);
}

/*
 * The same for the header of a tunnel around what is there; of a GSO packet the segments stay as
 * long as they are.
 */
static __always_inline int ctx_push_tunnel(struct ivb_ctx *ctx, const bool v6, __u32 len)
{
	return bpf_skb_adjust_room(ctx, len, BPF_ADJ_ROOM_MAC,
				   BPF_F_ADJ_ROOM_FIXED_GSO | (v6 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV6
								  : BPF_F_ADJ_ROOM_ENCAP_L3_IPV4));
}

/* Sends the frame as it is through a device. */
static __always_inline int ctx_redirect(struct ivb_ctx *ctx, __u32 ifindex)
{
	return bpf_redirect(ifindex, 0) == TC_ACT_REDIRECT ? 0 : -1;
}

/* Sends it through a device to a neighbour, which the kernel resolves and probes. */
static __always_inline int ctx_redirect_neigh(struct ivb_ctx *ctx, __u32 ifindex,
					      struct bpf_redir_neigh *nh)
{
	return bpf_redirect_neigh(ifindex, nh, sizeof(*nh), 0) == TC_ACT_REDIRECT ? 0 : -1;
}

/*
 * What our programs tell each other of a packet, in skb->tc_index: no fwmark, and not cleared
 * between ingress and egress. (A program that returns TC_ACT_OK sets it to its classid, hence 0.)
 */
static __always_inline __u32 ctx_tag(const struct ivb_ctx *ctx)
{
	return ctx->tc_index;
}

static __always_inline void ctx_set_tag(struct ivb_ctx *ctx, __u32 tag)
{
	ctx->tc_index = tag;
}

/* A copy of the packet comes in once more by the same device, with that mark. */
static __always_inline int ctx_copy_in(struct ivb_ctx *ctx, __u32 tag)
{
	int r;

	ctx->tc_index = tag;
	r = bpf_clone_redirect(ctx, ctx->ifindex, BPF_F_INGRESS);
	ctx->tc_index = 0;
	return r;
}

/* What a notrack rule of the operator's can match (nft: meta priority). */
static __always_inline void ctx_set_priority(struct ivb_ctx *ctx, __u32 priority)
{
	ctx->priority = priority;
}

/* The program's return values. "Next" lets other programs and filters of the device run. */
#define CTX_NEXT TC_ACT_UNSPEC
#define CTX_SENT TC_ACT_REDIRECT
#define CTX_DROP TC_ACT_SHOT

#endif
