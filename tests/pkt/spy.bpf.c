/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sees where packets are sent: a test run says "redirect", but not to which device and neighbour.
 * Hooks the two helpers, for the thread that runs the tests alone.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "spy.h"

const volatile __u32 spy_thread;
struct spy_redirect spy_last;

static __always_inline int note(__u32 ifindex, const void *nh)
{
	if ((__u32)bpf_get_current_pid_tgid() != spy_thread)
		return 0;
	spy_last.calls++;
	spy_last.ifindex = ifindex;
	spy_last.by_neighbour = !!nh;
	__builtin_memset(&spy_last.nh, 0, sizeof(spy_last.nh));
	if (nh)
		bpf_probe_read_kernel(&spy_last.nh, sizeof(spy_last.nh), nh);
	return 0;
}

SEC("fentry/bpf_redirect")
int spy_redirect(__u64 *ctx)
{
	return note(ctx[0], NULL);
}

SEC("fentry/bpf_redirect_neigh")
int spy_redirect_neigh(__u64 *ctx)
{
	return note(ctx[0], (void *)ctx[1]);
}

char _license[] SEC("license") = "GPL";
