/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test run gives a program neither tc_index nor its own address, and does not tell what became of
 * tc_index: this program sets it, puts the sk_buff's address into the note of the hooks, and goes
 * on to the real one; tracepoints look at the packet when it is freed, and at the copies that are
 * made of it.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "engine_ipvs/note_types.h"
#include "enter.h"

struct net_device;

struct sk_buff {
	struct net_device *dev;
	unsigned char *data;
	unsigned int len;
	__u32 priority;
	__u16 tc_index;
} __attribute__((preserve_access_index));

struct enter_how enter_how;
struct enter_seen enter_seen;

/* The real ones' map. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct notes);
	__uint(max_entries, 1);
} notes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, ENTER_MAX_);
} real SEC(".maps");

SEC("tc")
int enter(struct __sk_buff *ctx)
{
	__u32 zero = 0;
	struct notes *n = bpf_map_lookup_elem(&notes, &zero);

	if (!n)
		return 0;
	if (enter_how.noted & 1)
		n->from[0].skb = (__u64)ctx;
	if (enter_how.noted & 2)
		n->from[1].skb = (__u64)ctx;
	enter_seen.skb = (__u64)ctx;
	enter_seen.dev = (__u64)BPF_CORE_READ((struct sk_buff *)ctx, dev);
	ctx->tc_index = enter_how.mark;
	bpf_tail_call(ctx, &real, enter_how.prog);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct note);
	__uint(max_entries, ENTER_NOTES);
} given SEC(".maps");

/* Several processors at once: each packet brings its note, as from the hooks on its processor. */
SEC("tc")
int enter_noted(struct __sk_buff *ctx)
{
	__u32 zero = 0, which = ctx->cb[0];
	struct notes *n = bpf_map_lookup_elem(&notes, &zero);
	struct note *note = bpf_map_lookup_elem(&given, &which);

	if (!n || !note)
		return 0;
	n->from[0] = *note;
	n->from[0].skb = (__u64)ctx;
	bpf_tail_call(ctx, &real, ENTER_EGRESS);
	return 0;
}

static __always_inline int freed(struct sk_buff *skb)
{
	if (!enter_seen.skb || (__u64)skb != enter_seen.skb)
		return 0;
	enter_seen.skb = 0;
	enter_seen.calls++;
	enter_seen.mark = skb->tc_index;
	enter_seen.priority = skb->priority;
	return 0;
}

SEC("tp_btf/kfree_skb")
int enter_kfree(__u64 *ctx)
{
	return freed((void *)ctx[0]);
}

SEC("tp_btf/consume_skb")
int enter_consume(__u64 *ctx)
{
	return freed((void *)ctx[0]);
}

/* What the host sends on its own passes here as well, by other devices. */
SEC("tp_btf/netif_rx")
int enter_netif_rx(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	__u32 len = skb->len;

	if (!enter_seen.skb || (__u64)skb->dev != enter_seen.dev)
		return 0;
	enter_seen.copies++;
	enter_seen.copy_mark = skb->tc_index;
	enter_seen.copy_len = len;
	if (len > ENTER_COPY_MAX)
		len = ENTER_COPY_MAX;
	bpf_probe_read_kernel(enter_seen.copy, len, skb->data);
	return 0;
}

char _license[] SEC("license") = "GPL";
