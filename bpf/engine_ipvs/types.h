/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel IPVS's structures as far as we read them (include/net/ip_vs.h), relocated by CO-RE against
 * the module's own BTF, and its constants (uapi/linux/ip_vs.h).
 */
#ifndef IVB_ENGINE_IPVS_TYPES_H
#define IVB_ENGINE_IPVS_TYPES_H

#include <linux/types.h>

#define KERNEL_STRUCT __attribute__((preserve_access_index))

#define IP_VS_CONN_F_FWD_MASK 0x0007
#define IP_VS_CONN_F_MASQ 0x0000
#define IP_VS_CONN_F_TUNNEL 0x0002
#define IP_VS_CONN_F_DROUTE 0x0003
#define IP_VS_CONN_F_SYNC 0x0020
#define IP_VS_CONN_F_NO_CPORT 0x0800
#define IP_VS_CONN_F_TEMPLATE 0x1000
#define IP_VS_CONN_F_ONE_PACKET 0x2000
#define IP_VS_CONN_F_NFCT (1 << 16)

#define IP_VS_CONN_F_TUNNEL_TYPE_IPIP 0

#define IP_VS_STATE_MASTER 0x0001
#define IP_VS_STATE_BACKUP 0x0002

/* enum ip_vs_dir, as the argument of state transitions */
#define IP_VS_DIR_INPUT 0

/* skb->_nfct: the low bits (linux/skbuff.h, enum ip_conntrack_info) */
#define NFCT_INFOMASK 7ul
#define NFCT_PTRMASK ~NFCT_INFOMASK
#define IP_CT_UNTRACKED 7ul

union nf_inet_addr {
	__u32 all[4];
} KERNEL_STRUCT;

struct callback_head {
	void *next;
} KERNEL_STRUCT;

/* <linux/types.h> of user space has none */
typedef struct {
	int counter;
} KERNEL_STRUCT atomic_t;

struct net {
	__u64 net_cookie;
} KERNEL_STRUCT;

struct netns_ipvs {
	struct net *net;
	volatile int sync_state;
	int sysctl_sync_threshold[2]; /* threshold, period */
	unsigned int sysctl_sync_refresh_period;
	int sysctl_sync_retries;
	int sysctl_pmtu_disc;
} KERNEL_STRUCT;

struct ip_vs_dest {
	__u16 tun_type; /* since 5.2 */
} KERNEL_STRUCT;

struct ip_vs_app;
struct ip_vs_pe;

struct ip_vs_conn {
	__be16 cport;
	__be16 dport;
	__be16 vport;
	__u16 af;
	union nf_inet_addr caddr;
	union nf_inet_addr vaddr;
	union nf_inet_addr daddr;
	volatile __u32 flags;
	__u16 protocol;
	__u16 daf;
	struct netns_ipvs *ipvs;
	volatile unsigned long timeout; /* jiffies */
	volatile __u16 state;
	volatile unsigned long sync_endtime; /* jiffies; its two lowest bits count repetitions */
	struct ip_vs_conn *control;	     /* its template */
	struct ip_vs_dest *dest;
	atomic_t in_pkts;
	struct ip_vs_app *app;
	const struct ip_vs_pe *pe; /* a template's */
	/* BTF's name of rcu_head, which is a macro in the kernel */
	struct callback_head callback_head;
} KERNEL_STRUCT;

/* Since 7.x a connection stands in a table by a node for each direction. */
struct ip_vs_conn_hnode {
	__u8 dir;
} KERNEL_STRUCT;

struct ip_vs_conn___hashed {
	struct ip_vs_conn_hnode hn0;
} KERNEL_STRUCT;

struct sk_buff {
	unsigned long _nfct;
} KERNEL_STRUCT;

#endif
