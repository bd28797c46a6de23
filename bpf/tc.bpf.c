/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs for tc: the packet path at ingress, and what user space runs once. */
#include <stdbool.h>
#include <linux/types.h>
#include <asm-generic/errno-base.h>

#include "ctx/skb.h"
#include "maps.h"
#include "path/carry.h"
#include "path/expire.h"

/* IPv4, and the way to IPv6 once that is loaded. */
SEC("tc")
int tc_ingress(struct __sk_buff *ctx)
{
	if (!ctx_for_us(ctx))
		return CTX_NEXT;
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IP))
		return path_exit(ctx, carry(ctx, AF_INET));
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(ctx, &progs, 0);
	return CTX_NEXT;
}

SEC("tc")
int tc_ingress6(struct __sk_buff *ctx)
{
	return path_exit(ctx, carry(ctx, AF_INET6));
}

/* Starts the expiry timer, or gives a running one the code of this load. 0 or -errno. */
SEC("syscall")
int arm4(void *args)
{
	__u32 zero = 0;
	struct hand *hand = bpf_map_lookup_elem(&hand4, &zero);
	long r;

	if (!hand)
		return -ENOENT;
	r = bpf_timer_init(&hand->timer, &hand4, 1 /* CLOCK_MONOTONIC */);
	if (r && r != -EBUSY)
		return r;
	r = bpf_timer_set_callback(&hand->timer, tick4);
	return r ? r : bpf_timer_start(&hand->timer, TICK_NS, 0);
}

SEC("syscall")
int arm6(void *args)
{
	__u32 zero = 0;
	struct hand *hand = bpf_map_lookup_elem(&hand6, &zero);
	long r;

	if (!hand)
		return -ENOENT;
	r = bpf_timer_init(&hand->timer, &hand6, 1 /* CLOCK_MONOTONIC */);
	if (r && r != -EBUSY)
		return r;
	r = bpf_timer_set_callback(&hand->timer, tick6);
	return r ? r : bpf_timer_start(&hand->timer, TICK_NS, 0);
}

/* Tells user space the time that the other programs live by. */
SEC("syscall")
int now(void *args)
{
	ivb_now_jiffies = bpf_jiffies64();
	return 0;
}

char _license[] SEC("license") = "GPL";
