/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a tc program can do to forward: two MAC addresses and a device, known beforehand.
 * What this costs is the floor for anything that forwards by tc.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 to_device = 0;
const volatile __u32 macs[3] = { 0 }; /* destination, source */

SEC("tc")
int null_redirect(struct __sk_buff *skb)
{
	struct ethhdr *eth = (void *)(long)skb->data;
	__u32 *words = (void *)eth;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	for (int i = 0; i < 3; i++)
		words[i] = macs[i];
	return bpf_redirect(to_device, 0);
}

char LICENSE[] SEC("license") = "GPL";
