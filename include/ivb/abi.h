/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and values of every pinned map: the only types that the BPF programs and user space share.
 * A change of any of them is a new IVB_ABI, hence a new pin folder (v<ABI>); see there.
 * Addresses and ports are in network byte order, everything else in the host's.
 * Times are the low 32 bits of jiffies64 (ivb_meta.hz a second) and are compared as serial numbers.
 */
#ifndef IVB_ABI_H
#define IVB_ABI_H

#include <linux/types.h>

/*
 * `up` takes over an instance of another ABI, older or newer, with all its connections, if one
 * number is not below the other's IVB_ABI_OLDEST. For that: keys stay as they are; values grow at
 * their end only, so that the shorter one is a prefix, and what is appended means with 0 what it
 * meant without it; a bit or number that had a meaning keeps it; tuple_tag() and nexthop_index()
 * stay, and so do the ports that a SNAT key chooses (another director may have that of an older
 * one). Whoever breaks this sets IVB_ABI_OLDEST to the new number: `up` then refuses, with a word.
 * IVB_ABI_TEST: another ABI with longer values, for the tests.
 */
#ifdef IVB_ABI_TEST
#define IVB_ABI 3
#define IVB_ABI_TEST_FIELD __u64 test_;
#define IVB_ABI_TEST_SIZE sizeof(__u64)
#else
#define IVB_ABI 2
#define IVB_ABI_TEST_FIELD
#define IVB_ABI_TEST_SIZE 0
#endif
#define IVB_ABI_OLDEST 2

/* An index that names nothing. */
#define IVB_NONE 0xffffffffu

/* As union nf_inet_addr: IPv4 uses the first word, and the other three are zero. */
union ivb_addr {
	__be32 ip;
	__be32 ip6[4];
};

/* --- flows4, flows6 (hash): one entry for each direction of a connection ------------------- */

/* A packet's tuple as it arrives. zone: the group of devices given at `up --zone`, else 0. */
struct ivb_tuple4 {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u32 proto : 8;
	__u32 zone : 24;
};

struct ivb_tuple6 {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u32 proto : 8;
	__u32 zone : 24;
};

enum ivb_flow_flags {
	IVB_FLOW_REPLY = 1 << 0,       /* server to client */
	IVB_FLOW_SNAT = 1 << 1,	       /* the connection's source is translated too */
	IVB_FLOW_ESTABLISHED = 1 << 2, /* TCP: packets without SYN, FIN, RST change no state */
	IVB_FLOW_KERNEL = 1 << 3,      /* kernel IPVS's connection (the ipvs engine) */
	IVB_FLOW_LOCAL = 1 << 4,       /* of a client on the director: replies go to the stack */
	IVB_FLOW_AMBIGUOUS = 1 << 5,   /* kernel IPVS could not tell whose reply this is */
	IVB_FLOW_DIRECT = 1 << 6, /* direct routing: to the server's MAC, nothing is translated */
	IVB_FLOW_COPY = 1 << 7,	  /* conntrack is at work: of FIN and RST kernel IPVS gets a copy */
	IVB_FLOW_TUNNEL = 1 << 8, /* with DIRECT: encapsulated to the server, IP in IP */
	IVB_FLOW_SERVER_FIRST = 1 << 9, /* reply: the server closed first, and has TIME_WAIT */
	IVB_FLOW_UNCOUNTED = 1 << 10,	/* kernel IPVS's, and kernel_replies does not count it */
};

/*
 * The part of a flow that both families share; the new addresses follow it.
 * Elements of a preallocated hash are reused at once, so a pointer to a value may turn into another
 * connection's: readers copy what they need and then compare tag with their own key's.
 */
struct ivb_flow {
	__u32 tag;	/* hash of the key; the first word, so that it is written first */
	__u32 conn;	/* index into conns and clock: the connection's id */
	__u32 conn_gen; /* ivb_conn.gen of that connection */
	union {
		__u32 service; /* slot */
		__u32 epoch;   /* IVB_FLOW_KERNEL: kernel_dests' when the lease was given */
	};
	__u32 dest;	   /* slot; IVB_FLOW_KERNEL: index into kernel_dests */
	__u32 nexthop;	   /* index into nexthops */
	__u16 flags;	   /* enum ivb_flow_flags */
	__u16 addr_delta;  /* ones' complement sum of new minus old addresses */
	__u16 tuple_delta; /* the same of addresses and ports */
	__u16 pad_;
	union {
		__u32 last_seen; /* jiffies; written once a second at most */
		__u32 lease; /* IVB_FLOW_KERNEL: carried here until then (jiffies); 0 = never yet */
	};
	__be16 sport; /* new ports */
	__be16 dport;
	__u64 packets; /* carried in this direction; IP packets, a GSO packet counts as one */
	__u64 bytes;   /* of IP packets as received, link-layer header not included */
};

struct ivb_flow4 {
	struct ivb_flow flow;
	__be32 saddr; /* new addresses */
	__be32 daddr;
	IVB_ABI_TEST_FIELD
};

struct ivb_flow6 {
	struct ivb_flow flow;
	__be32 saddr[4];
	__be32 daddr[4];
	IVB_ABI_TEST_FIELD
};

/* --- conns4, conns6 (array), clock4, clock6 (array): one entry for each connection ---------- */

/* As enum ip_vs_tcp_states and ip_vs_udp's normal state, in one list (include/net/ip_vs.h). */
enum ivb_conn_state {
	IVB_S_NONE,
	IVB_S_ESTABLISHED,
	IVB_S_SYN_SENT,
	IVB_S_SYN_RECV,
	IVB_S_FIN_WAIT,
	IVB_S_TIME_WAIT,
	IVB_S_CLOSE,
	IVB_S_CLOSE_WAIT,
	IVB_S_LAST_ACK,
	IVB_S_LISTEN,
	IVB_S_SYNACK,
	IVB_S_UDP,
	IVB_S_MAX_,
};

/* In ivb_conn.state: kernel IPVS's connection, in the state that it was last seen in. */
#define IVB_CONN_KERNEL 0x100u
#define IVB_CONN_STATE(state) ((state)&0xffu)
/*
 * The rest of ivb_conn.state: the place in the half-open ring, plus 1, of a connection that is not
 * confirmed. So that one compare-and-exchange decides between confirming and evicting it.
 */
#define IVB_CONN_PLACE_SHIFT 9
#define IVB_CONN_PLACE(state) ((state) >> IVB_CONN_PLACE_SHIFT)

/* What both directions share; the forward flow's key follows it. */
struct ivb_conn {
	__u32 gen;   /* moves whenever the slot is given to a new connection; never 0 in use */
	__u32 state; /* IVB_CONN_*; moved by compare-and-exchange, which counts active/inactive */
	union {
		struct {
			__u32 service; /* slot */
			__u32 dest;    /* slot */
		};
		__u64 cp; /* IVB_CONN_KERNEL: which struct ip_vs_conn; never shown to users */
	};
};

struct ivb_conn4 {
	struct ivb_conn conn;
	struct ivb_tuple4 key;
	IVB_ABI_TEST_FIELD
};

struct ivb_conn6 {
	struct ivb_conn conn;
	struct ivb_tuple6 key;
	IVB_ABI_TEST_FIELD
};

#define IVB_CLOCK_GROUP 16

/* Expiry stamps, a cache line of them: connection id = group * IVB_CLOCK_GROUP + index. */
#define IVB_CLOCK_FREE 0u
#define IVB_CLOCK_BUSY 1u /* somebody is removing the connection */
struct ivb_clock_group {
	__u32 expires[IVB_CLOCK_GROUP]; /* jiffies when the connection ends, or one of the above */
};

/*
 * due4, due6 (array of struct ivb_clock_group): when a group, and after all groups when a line of
 * 16 of these stamps, has to be looked at. Entries, of a power of two of connections.
 */
#define IVB_CLOCK_LINES(conns) (((conns) + 255) / 256)
#define IVB_CLOCK_DUE(conns) (IVB_CLOCK_LINES(conns) + (IVB_CLOCK_LINES(conns) + 15) / 16)

/* sweeps (array, one entry a family: 0 IPv4, 1 IPv6): what the expiry timer has done. */
struct ivb_sweep {
	__u32 last; /* jiffies of the last tick; more than 2 s old = the timer is not running */
	__u32 by_packets; /* jiffies when packets did it last, as there was no timer */
	__u64 ticks;
	__u64 expired; /* connections removed */
	__u64 stale;   /* slots freed whose connection was gone already */
	__u64 ns;      /* spent in ticks */
	__u64 longest; /* ns of the longest tick */
};

/* --- half_open4, half_open6 (array): connections that nobody has confirmed, oldest first ------ */

/* A place in the ring; its connection says whether it still is the place's (IVB_CONN_PLACE). */
struct ivb_half_open {
	__u32 conn;  /* id + 1; 0 = never used */
	__u32 stamp; /* jiffies when it was taken */
};

/* admission (array, one entry a family: 0 IPv4, 1 IPv6) */
struct ivb_admission {
	__u64 next;    /* places taken so far; modulo ivb_config.max_half_open: the next one */
	__u64 evicted; /* half-open connections removed to make room */
	__u64 pad_[6];
};

/* first_tries (array): who has been refused, each 24 bits of hash and 8 of quarter seconds. */
#define IVB_TRIES_WAYS 16
struct ivb_tries {
	__u32 tag[IVB_TRIES_WAYS];
};

/* --- services (hash), dests, dest_conns (array): written by user space alone, but for the counts */

struct ivb_service_key {
	union ivb_addr addr;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 af;    /* AF_INET, AF_INET6 */
	__u32 zone;
};

enum ivb_scheduler {
	IVB_SCHED_RR,
	IVB_SCHED_WRR,
	IVB_SCHED_LC,
	IVB_SCHED_WLC,
	IVB_SCHED_SED,
	IVB_SCHED_NQ,
	IVB_SCHED_FO,
	IVB_SCHED_OVF,
	IVB_SCHED_SH,
	IVB_SCHED_DH,
	IVB_SCHED_MH,
	IVB_SCHED_LBLC,
	IVB_SCHED_LBLCR,
	IVB_SCHED_TWOS,
	IVB_SCHED_MAX_,
};

enum ivb_service_flags {
	IVB_SERVICE_SCHED_FALLBACK = 1
				     << 0, /* sh, mh: another server if the right one takes none */
	IVB_SERVICE_SCHED_PORT = 1 << 1,   /* sh, mh: by the client's port as well */
};

enum ivb_snat {
	IVB_SNAT_DEFAULT, /* a service's: what ivb_config says */
	IVB_SNAT_NEVER,
	IVB_SNAT_AUTO, /* all clients but those in non_masq */
	IVB_SNAT_ALWAYS,
	IVB_SNAT_MAX_,
};

/* Replaced whole by one update, which is what makes a change of the service visible to packets. */
struct ivb_service {
	__u32 slot;	  /* index into service_state and, times two, into scheds */
	__u32 sched;	  /* index into scheds: slot * 2 or slot * 2 + 1 */
	__u32 first_dest; /* head of the list of dests (ivb_dest.next), newest first, or IVB_NONE */
	__u32 num_dests;
	__u8 scheduler; /* enum ivb_scheduler */
	__u8 snat;	/* enum ivb_snat */
	__u16 flags;	/* enum ivb_service_flags */
};

/* The timeouts that can be set, as in ipvsadm's --set; jiffies, 0 = ivb_config's. */
struct ivb_timeouts {
	__u32 tcp;    /* IVB_S_ESTABLISHED */
	__u32 tcpfin; /* IVB_S_FIN_WAIT */
	__u32 udp;    /* IVB_S_UDP */
};

/* service_state (array, by slot): what packets remember of a service, and its own timeouts. */
struct ivb_service_state {
	__u32 checked;		      /* jiffies when local was determined; 0 = never */
	__u32 local;		      /* 1: the address is the director's own */
	struct ivb_timeouts timeouts; /* user space's */
};

enum ivb_dest_state {
	IVB_DEST_FREE,
	IVB_DEST_AVAILABLE, /* belongs to its service; weight 0 means no new connections */
	IVB_DEST_REMOVED,   /* waits until its connections have ended, as in the kernel's trash */
};

struct ivb_dest {
	union ivb_addr addr;
	union ivb_addr vaddr; /* the service's, to revive the dest when it is added again */
	union ivb_addr
		snat_addr; /* source towards this server when SNAT is wanted; zero = none known */
	__be16 port;
	__be16 vport;
	__u8 af;
	__u8 proto;
	__u16 pad_;
	__u32 zone;
	__u32 state; /* enum ivb_dest_state */
	__u32 weight;
	__u32 service;	   /* slot */
	__u32 next;	   /* slot of the next older dest of the service, or IVB_NONE */
	__u32 upper;	   /* connections from which on it takes no more; 0 = any number */
	__u32 lower;	   /* below which it takes some again; 0 = three quarters of upper */
	__u32 last_weight; /* that was not 0, as ip_vs_dest.last_weight: mh's */
	IVB_ABI_TEST_FIELD
};

/* dest_conns (array, by dest slot, a cache line each): atomics. Traffic of ended connections only. */
struct ivb_dest_conns {
	__u32 active;	/* as ip_vs_dest.activeconns */
	__u32 inactive; /* as ip_vs_dest.inactconns */
	__u32 persistent;
	__u32 overloaded; /* 1: upper has been reached, and it has not fallen below lower since */
	__u64 conns;	  /* scheduled here, ever */
	__u64 in_packets;
	__u64 out_packets;
	__u64 in_bytes;
	__u64 out_bytes;
	__u64 in_set; /* lblcr: CLOCK_MONOTONIC, ns, when it came to the set; 0 = it is not in it */
};

/* dest_bases (array of struct ivb_traffic, by dest slot): what listings subtract. */

/* --- scheds, ring (arrays): what the schedulers work from ----------------------------------- */

/*
 * rr and wrr give a periodic sequence. It is kept as segments: between two neighbouring distinct
 * weights the set of servers that take part in a pass does not change, so a segment is that set (a
 * run of dest slots in ring), gone through (length / count) times. Equal weights are one segment.
 * A position p belongs to the last segment with start <= p % length, and there to
 * ring[first + (p % length - start) % count].
 * Schedulers that compare servers (lc, wlc, sed, nq, fo, ovf, lblc, lblcr, twos): no segments, length
 * pairs {dest slot, weight} of the servers whose weight is not 0. Those that hash (sh, dh, mh): no
 * segments, length dest slots. Neither has a position, but lblc and lblcr keep there what they know:
 * the slot, plus 1, of the server chosen last, or 0; when the set changed last (CLOCK_MONOTONIC, ns).
 */
struct ivb_sched {
	__u64 position; /* of the next connection; packets add to it */
	__u64 length;	/* of one period, or of the table; 0 = no server */
	__u32 num_segments;
	__u32 first; /* index into ring of the slice: num_segments triplets, then the dest slots */
	__u32 capacity; /* words of ring that the slice owns */
	__u32 cw;	/* wrr: the kernel's current weight at the time of writing; user space's */
	__u64 written_at; /* position when the table was written, or IVB_SCHED_AFRESH; lblcr: when
			   * the service got this scheduler */
};

/* With position 0: wrr has begun afresh, because every server was overloaded. */
#define IVB_SCHED_AFRESH (~0ull)

/* A segment, as three words of ring. */
struct ivb_segment {
	__u32 start; /* position of its first connection in the period (periods over 2^32 do not occur) */
	__u32 first; /* index into ring of its first dest slot */
	__u32 count; /* dest slots */
};

/* --- nexthops (array): shared by all flows between the same two addresses ------------------- */

/*
 * A cache with direct addressing: a flow knows the index, and saddr and daddr tell whether the entry
 * speaks of the flow's own (translated) addresses; zones may use the same. Valid for one second.
 */
struct ivb_nexthop {
	__u32 lock;  /* 1 while a CPU writes */
	__u32 stamp; /* jiffies | 1 of the last refresh, 0 = not valid */
	__u32 ifindex;
	__u32 mtu; /* of the route, or the device's */
	__u8 smac[6];
	__u8 dmac[6];
	union ivb_addr saddr;
	union ivb_addr daddr;
	__u32 zone;
};

#include <ivb/abi_ipvs.h>

/* --- frags (LRU hash): what the first fragment seen decided for its datagram ---------------- */

struct ivb_frag_key {
	union ivb_addr saddr;
	union ivb_addr daddr;
	__be32 id; /* IPv4: the 16-bit id; IPv6: the fragment header's */
	__u32 proto : 8;
	__u32 zone : 24;
};

enum ivb_frag_fate {
	IVB_FRAG_PASSED, /* to the stack as it is, and so is the rest of the datagram */
	IVB_FRAG_CARRIED,
	IVB_FRAG_SLOW, /* IVB_FLOW_KERNEL: to kernel IPVS, SNAT undone */
};

struct ivb_frag {
	__be16 sport;
	__be16 dport;
	__u32 fate;  /* enum ivb_frag_fate */
	__u32 stamp; /* jiffies */
};

/* --- what user space tells the programs ----------------------------------------------------- */

enum ivb_config_flags {
	IVB_CONFIG_ANY_VIP = 1 << 0,	   /* serve addresses that are not local as well */
	IVB_CONFIG_IPVS = 1 << 1,	   /* follow kernel IPVS */
	IVB_CONFIG_DRAIN = 1 << 2,	   /* no new connections: as if we were down already */
	IVB_CONFIG_SNAT_SOME = 1 << 3,	   /* kernel_snat has a service that wants SNAT */
	IVB_CONFIG_SNAT_OWN = 1 << 4,	   /* kernel_snat has a service */
	IVB_CONFIG_NOTRACK = 1 << 5,	   /* rules of ours keep its packets out of conntrack */
	IVB_CONFIG_EXPIRE_NODEST = 1 << 6, /* as kernel IPVS's sysctl expire_nodest_conn */
	IVB_CONFIG_HOST_PORTS = 1 << 7,	   /* sockets of this host may have SNAT's ports as well */
	IVB_CONFIG_KNOWN = (1 << 8) - 1,   /* all of them */
};

#define IVB_SNAT_ADDRS 16 /* of each family; a power of two */

/* config (array of one) */
struct ivb_config {
	__u32 flags;		    /* enum ivb_config_flags */
	__u32 snat;		    /* enum ivb_snat, never IVB_SNAT_DEFAULT */
	__u32 timeouts[IVB_S_MAX_]; /* jiffies, by enum ivb_conn_state */
	__u32 max_half_open[2];	    /* IPv4, IPv6; 0 = not bounded */
	__u32 num_snat_ports;	    /* valid entries of snat_ports */
	__u64 hash_key; /* of the first SNAT port probe; a pair of directors may share it */
	__u32 num_snat_addrs[2]; /* IPv4, IPv6: `up --snat-addr`; 0 = the dest's own */
	union ivb_addr snat_addrs[2][IVB_SNAT_ADDRS];
	__u32 hold_until; /* jiffies; until then no connection begins, see dp/takeover/takeover_int.h; 0 = none */
	IVB_ABI_TEST_FIELD
};

#define IVB_PORT_GROUP 32

/*
 * snat_ports (array): the ports that SNAT may use. Together the entries hold a list of them, in
 * ascending order and packed, and a bit for each of the 65536.
 */
struct ivb_port_group {
	__u16 port[IVB_PORT_GROUP]; /* the nth port of the list: entry n / 32, here n % 32 */
	__u32 allowed;		    /* port p: entry p / 32, bit p % 32 */
};

/* port_maps (LRU hash): of a source address towards one server, when ports begin to be scarce. */
struct ivb_port_key {
	union ivb_addr saddr; /* SNAT's */
	union ivb_addr daddr; /* the server's */
	__be16 dport;
	__u8 proto;
	__u8 af;
	__u32 zone;
};

/* port_blank (array of one): what a new one begins as, with the ports that may not be used marked. */
struct ivb_port_map {
	__u64 full[65536 / 64 / 64];	  /* a bit for each word of used that has no 0 */
	__u64 used[65536 / 64];	  /* a bit for each port */
	__u64 some_given_up[65536 / 64 / 64]; /* a bit for each word of given_up that is not 0 */
	__u64 given_up[65536 / 64]; /* ports of connections that have ended, and are kept for a while */
	__u32 cursor;		/* the last port that was found free */
	__u32 turn; /* in the list of snat_ports: the last one that was looked at to be taken over */
	__u32 free;
	__u32 given_up_cursor;
	__u64 reclaimed; /* from connections that had ended, or never began */
};

/* non_masq (LPM trie): clients that `--snat auto` leaves alone */
struct ivb_prefix {
	__u32 prefixlen; /* 32 + the prefix's own length */
	__u32 af;	 /* AF_INET, AF_INET6; compared whole */
	union ivb_addr addr;
};

/* devs (hash, by ifindex): where we are attached */
struct ivb_dev {
	__u32 zone;
	__u32 kind; /* enum ivb_attach */
};

enum ivb_attach {
	IVB_ATTACH_TCX,
	IVB_ATTACH_CLSACT,
};

/* counters (per-CPU array, by enum ivb_reason); an upgrade to another ABI begins them at 0 */
struct ivb_counter {
	__u64 packets;
	__u64 bytes;
};

enum ivb_reason {
	IVB_R_NONE,
#define IVB_PASS(name, help) IVB_R_##name,
#define IVB_DROP(name, help) IVB_R_##name,
#define IVB_SENT(name, help) IVB_R_##name,
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
	IVB_R_MAX_,
};

_Static_assert(IVB_R_MAX_ == 30, "reasons.def has changed: set a new IVB_ABI, and this number");

/* meta (array of one): what the instance is; written by `up` */
struct ivb_meta {
	__u32 abi;	    /* IVB_ABI */
	__u32 hz;	    /* jiffies a second */
	__u64 jiffies;	    /* jiffies64 at the moment monotonic_ns */
	__u64 monotonic_ns; /* CLOCK_MONOTONIC */
	__u64 netns_cookie; /* SO_NETNS_COOKIE of the network namespace that is served */
	__u32 max_conns;    /* IPv4; a multiple of IVB_CLOCK_GROUP, a power of two */
	__u32 max_conns6;   /* IPv6, the same; its maps are made with the first IPv6 service */
	__u32 max_services;
	__u32 max_dests;
	__u32 max_ring;	    /* words */
	__u32 max_nexthops; /* a power of two */
	__u32 editing;	    /* 1: a command writes the services, or was killed while it did */
	__u32 oldest;	    /* IVB_ABI_OLDEST */
	__u32 takes_over;   /* the ABI of the instance whose place this one is just taking, or 0 */
	IVB_ABI_TEST_FIELD
};

_Static_assert(sizeof(struct ivb_tuple4) == 16, "flows4 key");
_Static_assert(sizeof(struct ivb_tuple6) == 40, "flows6 key");
_Static_assert(sizeof(struct ivb_flow4) == 64 + IVB_ABI_TEST_SIZE, "flows4 value: a cache line");
_Static_assert(sizeof(struct ivb_flow6) == 88 + IVB_ABI_TEST_SIZE, "flows6 value");
_Static_assert(sizeof(struct ivb_conn4) == 32 + IVB_ABI_TEST_SIZE, "conns4 value");
_Static_assert(sizeof(struct ivb_conn6) == 56 + IVB_ABI_TEST_SIZE, "conns6 value");
_Static_assert(sizeof(struct ivb_clock_group) == 64, "clock value: a cache line");
_Static_assert(sizeof(struct ivb_admission) == 64, "admission value: a cache line");
_Static_assert(sizeof(struct ivb_tries) == 64, "first_tries value: a cache line");
_Static_assert(sizeof(struct ivb_nexthop) == 64, "nexthops value: a cache line");
_Static_assert(sizeof(struct ivb_dest_conns) == 64, "dest_conns value: a cache line");
_Static_assert(sizeof(struct ivb_service_key) == 24, "services key");
_Static_assert(sizeof(struct ivb_port_key) == 40, "port_maps key");
_Static_assert(sizeof(struct ivb_sched) == 40, "scheds value");
_Static_assert(sizeof(struct ivb_dest) == 88 + IVB_ABI_TEST_SIZE, "dests value");

#endif
