/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program on the same hook, as monitors and policers are: counts untagged TCP and UDP
 * packets by destination port, the others (ICMP, fragments) of IPv4 at 0 and of IPv6, where
 * neighbour discovery comes at any time, at 2, tagged ones at 1; and the kinds of checksum.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORTS 65536
#define OTHER4 0
#define TAGGED 1
#define OTHER6 2

/* 0..65535: by port; then 4 of enum ip_summed: none, unnecessary, complete, partial */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORTS + 4);
	__type(key, __u32);
	__type(value, __u32);
} seen SEC(".maps");

struct sk_buff___ivb {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

static __always_inline void count(__u32 index)
{
	__u32 *n = bpf_map_lookup_elem(&seen, &index);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline __u32 port(struct __sk_buff *skb)
{
	__u32 l4 = ETH_HLEN + sizeof(struct iphdr);
	struct ipv6hdr ip6;
	struct iphdr ip;
	__u32 other = OTHER4;
	__u8 proto;
	__be16 p;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.ihl != 5 ||
		    ip.frag_off & bpf_htons(0x1fff))
			return other;
		proto = ip.protocol;
	} else {
		other = OTHER6;
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip6, sizeof(ip6)))
			return other;
		proto = ip6.nexthdr;
		l4 = ETH_HLEN + sizeof(ip6);
	}
	if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, l4 + 2, &p, sizeof(p)))
		return other;
	return bpf_ntohs(p);
}

SEC("tc")
int watch(struct __sk_buff *skb)
{
	/* the context is the sk_buff: true of every kernel, and readable on 6.1 as well */
	struct sk_buff___ivb *real = (void *)skb;

	if (skb->vlan_present) {
		count(TAGGED);
		return TC_ACT_UNSPEC;
	}
	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return TC_ACT_UNSPEC;
	count(port(skb));
	count(PORTS + (BPF_CORE_READ_BITFIELD_PROBED(real, ip_summed) & 3));
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
