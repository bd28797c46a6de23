/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets for the benches, made and ended in the kernel: a generator (XDP live frames), a sink that
 * looks at what it gets, two ends of a TCP connection without sockets, the null forwarder, and what
 * restores a packet between repeats of a test run.
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

#include "../../bench/host/live.h"
#include "pkt/csum.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* The packet with source 0.0.0.0:0, and which flows take turns: base + 0 .. base + flows - 1. */
__u8 frame[HEADERS + 10];
__u32 base, flows, turn;
/* Blocks of packets of established connections and of floods, each kind timed apart. */
struct live_flood floods[2];
__u32 flood, flood_turn, flood_next; /* on; packets; sources */
__u32 flood_kind, flood_which, flood_spell, flood_theirs;
__u64 block_began;
/* What must arrive: any source but a client's where addresses are translated. */
__u32 server_net;
__u32 snat_addr;
struct live_hop hops[2];
__u64 sunk, strange, done;

static __always_inline int from_template(void *data, void *end)
{
	struct iphdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 n = base + turn, hi;
	__be32 saddr;
	__be16 sport;
	__u16 *check;

	if ((void *)(tcp + 1) > end)
		return -1;
	if (flood && flood_kind) {
		n = flood_next++;
		__builtin_memcpy(data, floods[flood_which & 1].frame, HEADERS);
	} else {
		flood_theirs++;
		turn = turn + 1 < flows ? turn + 1 : 0;
		__builtin_memcpy(data, frame, HEADERS);
	}
	hi = n / SOURCE_ADDRS / SOURCE_PORTS;
	saddr = bpf_htonl(NET_SOURCES + n % SOURCE_ADDRS + hi * SOURCE_ADDRS);
	sport = bpf_htons(1024 + n / SOURCE_ADDRS % SOURCE_PORTS);
	check = ip->protocol == IPPROTO_TCP ? &tcp->check : (void *)tcp + 6;
	ip->saddr = saddr;
	tcp->source = sport;
	ip->check = csum_update(ip->check, csum_fold(saddr));
	*check = csum_update(*check, csum_fold((__u64)saddr + sport));
	return 0;
}

/* A block is over. */
static __always_inline void note_block(__u32 ns)
{
	struct live_flood *f = &floods[flood_which & 1];
	struct live_blocks *b = &f->blocks[flood_kind & 1];
	__u32 at = b->num;

	if (!flood_kind) {
		f->owed += f->share;
		flood_spell++;
	}
	if (flood_spell > FLOOD_SKIP && at < FLOOD_SAMPLES) {
		b->ns[at] = ns;
		b->num = at + 1;
	}
}

/* A block's packets are all made, and then go their way, before the next one's are made. */
static __always_inline void next_block(void)
{
	__u64 now = bpf_ktime_get_ns();
	struct live_flood *f;

	if (flood_turn)
		note_block(now - block_began);
	f = &floods[flood_which & 1];
	flood_kind = f->owed >= FLOOD_ONE;
	if (flood_kind) {
		f->owed -= FLOOD_ONE;
	} else if (flood_spell >= FLOOD_SPELL) {
		flood_spell = 0;
		flood_which ^= 1;
	}
	block_began = now;
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	if (flood && !(flood_turn % FLOOD_BLOCK))
		next_block();
	flood_turn++;
	return from_template((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? XDP_ABORTED
										   : XDP_PASS;
}

SEC("tc")
int sink(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;

	if ((void *)(ip + 1) > (void *)(long)skb->data_end || skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	if ((bpf_ntohl(ip->daddr) & ~0xffu) != server_net || (snat_addr && ip->saddr != snat_addr))
		strange++;
	else
		sunk++;
	return TC_ACT_SHOT;
}

/* A flood to where no service is, in place of the stack. */
SEC("tc")
int shed(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > (void *)(long)skb->data_end || tcp->dest != bpf_htons(SHED_PORT))
		return TC_ACT_UNSPEC;
	return TC_ACT_SHOT;
}

SEC("tc")
int null_neigh(struct __sk_buff *skb)
{
	struct bpf_redir_neigh nh = { .nh_family = 2 };

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	for (int i = 0; i < 2; i++) {
		if (hops[i].in == skb->ifindex) {
			nh.ipv4_nh = hops[i].nh;
			return bpf_redirect_neigh(hops[i].out, &nh, sizeof(nh), 0);
		}
	}
	return TC_ACT_UNSPEC;
}

/* What the other end answers to these flags; 0: nothing. */
static __always_inline __u8 answer(__u8 flags, bool client)
{
	if (client) {
		if (flags == (TCP_SYN | TCP_ACK))
			return TCP_PSH | TCP_ACK;
		return flags == (TCP_FIN | TCP_PSH | TCP_ACK) ? TCP_FIN | TCP_ACK : 0;
	}
	if (flags == TCP_SYN)
		return TCP_SYN | TCP_ACK;
	if (flags == (TCP_PSH | TCP_ACK))
		return TCP_FIN | TCP_PSH | TCP_ACK;
	return flags == (TCP_FIN | TCP_ACK) ? TCP_ACK : 0;
}

/*
 * The six packets of a connection: SYN, SYN-ACK, PSH, FIN-PSH, FIN, ACK. Checksums stand for a
 * NIC's, unread.
 */
static __always_inline int reflect(struct __sk_buff *skb, bool client)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 seq, ack, sum = 0;
	__u8 flags, mac[ETH_ALEN];
	__be32 addr;
	__be16 port;

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_TCP)
		return TC_ACT_UNSPEC;
	flags = ((__u8 *)tcp)[13];
	if (client && flags == TCP_ACK) {
		done++;
		return TC_ACT_SHOT;
	}
	seq = bpf_ntohl(tcp->seq) + !!(flags & (TCP_SYN | TCP_FIN));
	ack = flags & TCP_ACK ? bpf_ntohl(tcp->ack_seq) : 5000;
	flags = answer(flags, client);
	if (!flags) {
		strange++;
		return TC_ACT_SHOT;
	}
	tcp->seq = bpf_htonl(ack);
	tcp->ack_seq = bpf_htonl(seq);
	((__u8 *)tcp)[13] = flags;
	port = tcp->source;
	tcp->source = tcp->dest;
	tcp->dest = port;
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	ip->ttl = 64;
	ip->check = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)ip)[i];
	ip->check = ~csum_fold(sum);
	__builtin_memcpy(mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	return bpf_redirect(skb->ifindex, 0);
}

SEC("tc")
int client_end(struct __sk_buff *skb)
{
	return reflect(skb, true);
}

SEC("tc")
int server_end(struct __sk_buff *skb)
{
	return reflect(skb, false);
}

/* A test run does not restore the packet between repeats: this does, and calls what is measured. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

SEC("tc")
int restore(struct __sk_buff *skb)
{
	if (from_template((void *)(long)skb->data, (void *)(long)skb->data_end))
		return TC_ACT_SHOT;
	bpf_tail_call(skb, &target, 0);
	return TC_ACT_SHOT;
}

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
