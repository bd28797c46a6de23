/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of connections, their ends, and the half-open ones: part of ivb/abi.h, and by its rules. */
#ifndef IVB_ABI_CONN_H
#define IVB_ABI_CONN_H

#include <linux/types.h>
#include <ivb/abi/flow.h>

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
};

struct ivb_conn6 {
	struct ivb_conn conn;
	struct ivb_tuple6 key;
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

/* At most a half of all connections, so that established ones have the other. */
#define IVB_HALF_OPEN_MAX(conns) ((conns) / 2 < (1u << 22) ? (conns) / 2 : 1u << 22)

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

_Static_assert(sizeof(struct ivb_conn4) == 32, "conns4 value");
_Static_assert(sizeof(struct ivb_conn6) == 56, "conns6 value");
_Static_assert(sizeof(struct ivb_clock_group) == 64, "clock value: a cache line");
_Static_assert(sizeof(struct ivb_admission) == 64, "admission value: a cache line");
_Static_assert(sizeof(struct ivb_tries) == 64, "first_tries value: a cache line");

#endif
