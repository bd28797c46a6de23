// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of many short TCP connections without a socket: gen makes the SYNs at a device of the
 * director's, client and server answer each packet with the next one. The server knows which source
 * ports have an open connection, and counts a SYN that takes one from it. A connection's number is
 * the client's sequence number, always; nobody looks at those, nor at checksums. Clients keep what
 * they sent last, for gen to send it once more if it got lost.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "churn.h"

const volatile __u32 vip; /* network order */
const volatile __u16 vport;
const volatile __u32 num_ports; /* connections of one client address */
__u8 director[ETH_ALEN];	/* the device's MAC address */
__u64 next;			/* the connection to be begun */
__u32 keep;			/* 1: clients do not close */
struct churn_counts counts;

/* By connection: the TCP flags that the client sent last, CHURN_ENDED when it is done. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u8);
	__uint(max_entries, CHURN_CONNS);
} sent SEC(".maps");

/* Connections whose last packet is to be sent again. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, __u32);
	__uint(max_entries, 1 << 16);
} late SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct churn_port);
	__type(value, struct churn_use);
	__uint(max_entries, 1 << 20);
} uses SEC(".maps");

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* What is to be sent, and by which connection; 0: nothing. */
static __always_inline __u8 next_flags(__u32 *n)
{
	__u8 *flags;

	if (!bpf_map_pop_elem(&late, n)) {
		flags = bpf_map_lookup_elem(&sent, n);
		if (!flags || *flags == CHURN_ENDED)
			return 0;
		__sync_fetch_and_add(&counts.repeated, 1);
		return *flags;
	}
	*n = __sync_fetch_and_add(&next, 1);
	flags = bpf_map_lookup_elem(&sent, n);
	if (!flags)
		return 0;
	*flags = SYN;
	__sync_fetch_and_add(&counts.begun, 1);
	return SYN;
}

SEC("xdp")
int gen(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 n, sum;
	__u8 flags;

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	flags = next_flags(&n);
	if (!flags)
		return XDP_DROP;
	/* pages are used again: everything that could have changed */
	__builtin_memcpy(eth->h_dest, director, ETH_ALEN);
	ip->saddr = bpf_htonl(0x0a090000 + (n / num_ports & 0xffff));
	ip->daddr = vip;
	ip->ttl = 64;
	ip->check = 0;
	sum = ((ip->saddr & 0xffff) + (ip->saddr >> 16) + (vip & 0xffff) + (vip >> 16)) +
	      bpf_htons(0x4500) + bpf_htons(40) + bpf_htons(0x4006);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	tcp->source = bpf_htons(1024 + n % num_ports);
	tcp->dest = vport;
	tcp->seq = bpf_htonl(n);
	tcp->ack_seq = 0;
	*((__u8 *)tcp + 12) = 5 << 4;
	*((__u8 *)tcp + 13) = flags;
	return XDP_PASS;
}

static __always_inline struct tcphdr *tcp_of(struct __sk_buff *ctx)
{
	struct ethhdr *eth;
	struct iphdr *ip;
	struct tcphdr *tcp;

	bpf_skb_pull_data(ctx, sizeof(*eth) + sizeof(*ip) + sizeof(*tcp));
	eth = (void *)(long)ctx->data;
	ip = (void *)(eth + 1);
	tcp = (void *)(ip + 1);
	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP)
		return NULL;
	return tcp;
}

/* The packet, turned round with other flags. */
static __always_inline int answer(struct __sk_buff *ctx, struct tcphdr *tcp, __u8 flags)
{
	struct iphdr *ip = (void *)tcp - sizeof(*ip);
	struct ethhdr *eth = (void *)ip - sizeof(*eth);
	__be16 port = tcp->source;
	__be32 addr = ip->saddr, seq = tcp->seq;
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->seq = tcp->ack_seq;
	tcp->ack_seq = seq;
	*((__u8 *)tcp + 13) = flags;
	return bpf_redirect(ctx->ifindex, 0);
}

SEC("tc")
int client(struct __sk_buff *ctx)
{
	struct tcphdr *tcp = tcp_of(ctx);
	__u8 flags, *last;
	__u32 n;

	if (!tcp || tcp->source != vport)
		return TC_ACT_UNSPEC;
	flags = *((__u8 *)tcp + 13);
	if (flags & RST)
		__sync_fetch_and_add(&counts.reset, 1);
	n = bpf_ntohl(tcp->ack_seq);
	last = bpf_map_lookup_elem(&sent, &n);
	/* the answer to something else than the last packet: one that was sent twice */
	if (!last || flags & RST || (flags & ~ACK) != (*last & ~ACK))
		return TC_ACT_SHOT;
	if (flags & SYN) {
		*last = PSH | ACK;
	} else if (flags & PSH && !keep) {
		*last = FIN | ACK;
	} else {
		*last = CHURN_ENDED;
		__sync_fetch_and_add(&counts.done, 1);
		return flags & FIN ? answer(ctx, tcp, ACK) : TC_ACT_SHOT;
	}
	return answer(ctx, tcp, *last);
}

/* A SYN on a port: whether it was open, and for how long it had not been. */
static __always_inline void server_syn(const struct churn_port *port, const struct churn_use *old,
				       __u32 n)
{
	struct churn_use use = { .open = 1, .conn = n };
	__u64 rest;

	if (old && old->open && old->conn == n)
		return;
	if (old && old->open) {
		__sync_fetch_and_add(&counts.stolen, 1);
	} else if (old) {
		rest = bpf_ktime_get_ns() - old->closed;
		__sync_fetch_and_add(&counts.reused, 1);
		if (!counts.shortest || rest < counts.shortest)
			counts.shortest = rest;
	}
	bpf_map_update_elem(&uses, port, &use, BPF_ANY);
}

SEC("tc")
int server(struct __sk_buff *ctx)
{
	struct tcphdr *tcp = tcp_of(ctx);
	struct churn_port port = {};
	struct churn_use *use;
	__u8 flags;
	__u32 n;

	if (!tcp)
		return TC_ACT_UNSPEC;
	flags = *((__u8 *)tcp + 13);
	port.saddr = ((struct iphdr *)((void *)tcp - sizeof(struct iphdr)))->saddr;
	port.daddr = ((struct iphdr *)((void *)tcp - sizeof(struct iphdr)))->daddr;
	port.sport = tcp->source;
	n = bpf_ntohl(tcp->seq);
	/* the last ACK is on its way when the port counts as closed */
	if (flags & RST || flags == ACK)
		return TC_ACT_SHOT;
	use = bpf_map_lookup_elem(&uses, &port);
	if (flags & SYN) {
		server_syn(&port, use, n);
		return answer(ctx, tcp, SYN | ACK);
	}
	if (!use || use->conn != n || (!use->open && !(flags & FIN))) {
		__sync_fetch_and_add(&counts.strays, 1);
		return TC_ACT_SHOT;
	}
	if (flags & FIN) {
		if (use->open)
			use->closed = bpf_ktime_get_ns();
		use->open = 0;
		return answer(ctx, tcp, FIN | ACK);
	}
	return flags & PSH ? answer(ctx, tcp, PSH | ACK) : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
