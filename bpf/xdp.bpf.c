/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet path compiled for XDP, to keep the shared text fit for both hooks. It is not attached
 * by anything yet: the way around unresolved neighbours and GSO-sized frames is to be built first.
 */
#include <stdbool.h>
#include <linux/types.h>
#include <asm-generic/errno-base.h>

#include "ctx/xdp.h"
#include "maps.h"
#include "path/carry.h"

SEC("xdp")
int ivb_xdp(struct xdp_md *ctx)
{
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IP))
		return path_exit(ctx, carry(ctx, AF_INET));
	if (ctx_protocol(ctx) == bpf_htons(ETH_P_IPV6))
		return path_exit(ctx, carry(ctx, AF_INET6));
	return CTX_NEXT;
}

char _license[] SEC("license") = "GPL";
