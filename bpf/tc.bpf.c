/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs for tc: the packet path at ingress, and what user space runs once. */
#include <stdbool.h>
#include <linux/types.h>

#include "ctx/skb.h"
#include "maps.h"
#include "path/carry.h"
#include "conn/expire.h"
#include "engine_ipvs/egress.h"
#include "takeover.h"

/* IPv4, and the way to IPv6 once that is loaded. */
SEC("tc")
int tc_ingress(struct __sk_buff *ctx)
{
	if (!ctx_for_us(ctx))
		return CTX_NEXT;
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IP))
		return path_exit(ctx, carry(ctx, AF_INET));
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(ctx, &progs, PROG_INGRESS6);
	return CTX_NEXT;
}

SEC("tc")
int tc_ingress6(struct __sk_buff *ctx)
{
	return path_exit(ctx, carry(ctx, AF_INET6));
}

/*
 * tc_ingress behind another version's, as long as that is there: no program can be on a device
 * twice, and later it takes the other's place before this one goes.
 */
SEC("tc")
int tc_after(struct __sk_buff *ctx)
{
	bpf_tail_call(ctx, &progs, PROG_INGRESS4);
	return CTX_NEXT;
}

/*
 * What kernel IPVS has handled; attached where the ipvs engine is on. Every packet that we carry
 * comes by here as well: so this one writes to none, or the kernel would make each of them writable
 * before (its prologue).
 */
SEC("tc")
int tc_egress(struct __sk_buff *ctx)
{
	if (ctx_tag(ctx) == IVB_TAG_CARRIED) {
		ctx_set_tag(ctx, 0);
		return CTX_NEXT;
	}
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IP))
		bpf_tail_call(ctx, &progs, PROG_EGRESS4);
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(ctx, &progs, PROG_EGRESS6);
	return CTX_NEXT;
}

SEC("tc")
int tc_egress4(struct __sk_buff *ctx)
{
	return path_exit(ctx, egress(ctx, AF_INET));
}

SEC("tc")
int tc_egress6(struct __sk_buff *ctx)
{
	return path_exit(ctx, egress(ctx, AF_INET6));
}

/*
 * Each starts its family's expiry timer, or gives a running one the code of this load. 0 or -errno.
 */
SEC("syscall")
int arm4(void *args)
{
	return arm(AF_INET);
}

SEC("syscall")
int arm6(void *args)
{
	return arm(AF_INET6);
}

/* One connection of another version's instance: struct ivb_take. 0 or -errno. */
SEC("syscall")
int take4(struct ivb_take *t)
{
	return take(AF_INET, t);
}

SEC("syscall")
int take6(struct ivb_take *t)
{
	return take(AF_INET6, t);
}

/* Tells user space the time that the other programs live by. */
SEC("syscall")
int now(void *args)
{
	ivb_now_jiffies = bpf_jiffies64();
	return 0;
}

char _license[] SEC("license") = "GPL";
