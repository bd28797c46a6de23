/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks on kernel IPVS, by which the ipvs engine follows it. They read, and write only our own
 * maps. What each function does there, and when: net/netfilter/ipvs/ip_vs_{xmit,conn,core,ctl}.c.
 */
#include <stdbool.h>
#include <linux/types.h>

#include "ctx/skb.h"
#include "maps.h"
#include "engine_ipvs/sync.h"
#include "engine_ipvs/hooks.h"
#include "engine_ipvs/match.h"
#include "engine_ipvs/services.h"
#include "conn/conn.h"
#include <linux/ptrace.h>
#include <bpf/bpf_tracing.h>

/* A packet to a server, however it gets there: all of one shape. */
#define XMIT(name, function)                                                    \
	SEC("fentry/" #function)                                                \
	int BPF_PROG(ivb_on_##name, struct sk_buff *skb, struct ip_vs_conn *cp) \
	{                                                                       \
		return note_write(skb, cp, 0);                                  \
	}

XMIT(nat, ip_vs_nat_xmit)
XMIT(nat6, ip_vs_nat_xmit_v6)
XMIT(dr, ip_vs_dr_xmit)
XMIT(dr6, ip_vs_dr_xmit_v6)
XMIT(tunnel, ip_vs_tunnel_xmit)
XMIT(tunnel6, ip_vs_tunnel_xmit_v6)
XMIT(bypass, ip_vs_bypass_xmit)
XMIT(bypass6, ip_vs_bypass_xmit_v6)

/*
 * A reply has moved the state, or kept it alive. (Packets from clients come by the functions
 * above.)
 */
#define TRANSITION(proto)                                                                       \
	SEC("fexit/" #proto "_state_transition")                                                \
	int BPF_PROG(ivb_on_##proto, struct ip_vs_conn *cp, int direction, struct sk_buff *skb) \
	{                                                                                       \
		return direction == IP_VS_DIR_INPUT ? 0 : note_write(skb, cp, 1);               \
	}

TRANSITION(tcp)
TRANSITION(udp)
TRANSITION(sctp)

SEC("fentry/ip_vs_conn_put")
int BPF_PROG(ivb_on_conn_put, struct ip_vs_conn *cp)
{
	return conn_put(cp);
}

static __always_inline void conn_end(const int af, const struct ivb_kernel_conn *kc, __u64 cp)
{
	__u32 id = kc->conn, gen = kc->gen;
	struct ivb_conn *c = conn_get(af, id);

	if (c && c->gen == gen && c->state & IVB_CONN_KERNEL && c->cp == cp)
		conn_kill(af, id, gen);
}

/* The connection has ended; a grace period after that nobody can be using it. */
SEC("fentry/ip_vs_conn_rcu_free")
int BPF_PROG(ivb_on_conn_end, struct callback_head *head)
{
	__u64 cp = (__u64)head - bpf_core_field_offset(struct ip_vs_conn, callback_head);
	struct ivb_kernel_conn *kc = bpf_map_lookup_elem(&ivb_kernel_conns, &cp);

	if (!kc)
		return 0;
	if (kc->af == AF_INET)
		conn_end(AF_INET, kc, cp);
	else
		conn_end(AF_INET6, kc, cp);
	bpf_map_delete_elem(&ivb_kernel_conns, &cp);
	return 0;
}

/*
 * A server goes: from here its connections' packets are kernel IPVS's, which drops them or ends
 * them.
 */
SEC("fentry/__ip_vs_del_dest")
int BPF_PROG(ivb_on_del_dest, struct netns_ipvs *ipvs, struct ip_vs_dest *dest)
{
	struct notes *all = notes_get();
	struct ivb_kernel_dest *d;
	__u32 bucket;

	if (!all || ipvs->net->net_cookie != ivb_netns_cookie)
		return 0;
	bucket = dest_bucket(all, dest);
	d = bpf_map_lookup_elem(&ivb_kernel_dests, &bucket);
	if (d)
		__sync_fetch_and_add(&d->epoch, 1);
	return 0;
}

/*
 * Attached only while `up` reads /proc/net/ip_vs_conn: connections that are older than the hooks.
 * Their servers know the clients' own addresses.
 */
SEC("fentry/ip_vs_conn_seq_show")
int BPF_PROG(ivb_on_existing, void *seq, void *v)
{
	struct ivb_kernel_conn kc = { .conn = IVB_NONE, .flags = IVB_KERNEL_EXISTED };
	struct ip_vs_conn *cp;
	__u64 key = (__u64)v;

	/* SEQ_START_TOKEN: the heading */
	if (key <= 1)
		return 0;
	/* What is shown is the connection, or since 7.x the node by which the table has it. */
	if (bpf_core_field_exists(struct ip_vs_conn___hashed, hn0))
		key -= bpf_core_field_offset(struct ip_vs_conn___hashed, hn0);
	cp = (void *)key;
	if (BPF_CORE_READ(cp, ipvs, net, net_cookie) != ivb_netns_cookie)
		return 0;
	if (BPF_CORE_READ(cp, flags) & (IP_VS_CONN_F_TEMPLATE | IP_VS_CONN_F_SYNC))
		return 0;
	/* One byte since 7.x, two before. */
	kc.af = BPF_CORE_READ_BITFIELD_PROBED(cp, af);
	bpf_map_update_elem(&ivb_kernel_conns, &key, &kc, BPF_NOEXIST);
	return 0;
}

static __always_inline long purge_conn(const int af, __u32 id)
{
	struct ivb_conn *c = conn_get(af, id);

	if (c && c->state & IVB_CONN_KERNEL)
		conn_kill(af, id, c->gen);
	return 0;
}

static long purge_conn4(__u32 id, void *unused)
{
	return purge_conn(AF_INET, id);
}

static long purge_conn6(__u32 id, void *unused)
{
	return purge_conn(AF_INET6, id);
}

/* Run when we let go of kernel IPVS: we would not hear of its connections' end any more. */
SEC("syscall")
int ivb_purge(void *args)
{
	bpf_loop(ivb_conn_mask4 + 1, purge_conn4, NULL, 0);
	bpf_loop(ivb_conn_mask6 + 1, purge_conn6, NULL, 0);
	return 0;
}

/* A service is worth nothing before its first server. */
SEC("fentry/ip_vs_add_dest")
int BPF_PROG(ivb_on_add_dest, struct ip_vs_service *svc)
{
	return service_known(svc);
}

SEC("fentry/ip_vs_unlink_service")
int BPF_PROG(ivb_on_unlink, struct ip_vs_service *svc)
{
	return service_gone(svc);
}

/* What is left of it since 7.x; earlier kernels have it inlined in the function above. */
SEC("fentry/__ip_vs_del_service")
int BPF_PROG(ivb_on_del_svc, struct ip_vs_service *svc)
{
	return service_gone(svc);
}

/* Not hooks: for rules of netfilter's, see engine_ipvs/match.h and engine_ipvs/services.h. */
SEC("socket")
int ivb_followed(struct __sk_buff *ctx)
{
	return match_followed(ctx);
}

SEC("socket")
int ivb_begins(struct __sk_buff *ctx)
{
	return match_begins(ctx);
}

char _license[] SEC("license") = "GPL";
