// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long the expiry timer's runs are, and those of another timer that does nothing but wait for
 * as long as one of ours may: what is longer than that is the machine's.
 */
#include <linux/bpf.h>
#include <asm-generic/errno-base.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ticks.h"

#define CLOCK_MONOTONIC 1
#define EVERY_NS 1000000
#define BUSY_NS 300000
#define MAX_LOOPS (1 << 22)

struct runs ours, control;

struct control {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct control);
	__uint(max_entries, 1);
} timers SEC(".maps");

static __always_inline void note(struct runs *r)
{
	__u64 ns = bpf_ktime_get_ns() - r->began, step = ns / STEP_NS;

	if (!r->began)
		return;
	step = step < STEPS ? step : STEPS - 1;
	/* hidden from clang, which would leave out what the verifier wants to see */
	asm volatile("" : "+r"(step));
	r->of[step & (STEPS - 1)]++;
	if (ns > r->longest)
		r->longest = ns;
	r->began = 0;
}

SEC("fentry")
int BPF_PROG(tick_begins)
{
	ours.began = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit")
int BPF_PROG(tick_ends)
{
	note(&ours);
	return 0;
}

static long wait(__u32 i, void *none)
{
	return bpf_ktime_get_ns() - control.began >= BUSY_NS;
}

static int busy(void *map, __u32 *key, struct control *c)
{
	control.began = bpf_ktime_get_ns();
	bpf_loop(MAX_LOOPS, wait, NULL, 0);
	note(&control);
	bpf_timer_start(&c->timer, EVERY_NS, 0);
	return 0;
}

SEC("syscall")
int begin(void *args)
{
	__u32 zero = 0;
	struct control *c = bpf_map_lookup_elem(&timers, &zero);
	int r;

	if (!c)
		return -ENOENT;
	r = bpf_timer_init(&c->timer, &timers, CLOCK_MONOTONIC);
	if (!r)
		r = bpf_timer_set_callback(&c->timer, busy);
	return r ? r : bpf_timer_start(&c->timer, 0, 0);
}

char _license[] SEC("license") = "GPL";
