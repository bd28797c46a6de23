/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP states as kernel IPVS has them: which packet from which side leads from which state to which
 * (net/netfilter/ipvs/ip_vs_proto_tcp.c, tcp_states and tcp_state_active_table).
 */
#ifndef IVB_CONN_STATE_H
#define IVB_CONN_STATE_H

#include "pkt/parse.h"

enum { EVENT_SYN, EVENT_FIN, EVENT_ACK, EVENT_RST, EVENT_MAX_ };

#define ES IVB_S_ESTABLISHED
#define SS IVB_S_SYN_SENT
#define SR IVB_S_SYN_RECV
#define FW IVB_S_FIN_WAIT
#define TW IVB_S_TIME_WAIT
#define CL IVB_S_CLOSE
#define CW IVB_S_CLOSE_WAIT
#define LA IVB_S_LAST_ACK
#define LI IVB_S_LISTEN
#define SA IVB_S_SYNACK

/* The next state by side, event and old state; the states' columns are from NONE to SYNACK. */
static const __u8 tcp_next[2][EVENT_MAX_][16] = {
	{
		/* from the client */
		[EVENT_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
		[EVENT_FIN] = { CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW },
		[EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[EVENT_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR },
	},
	{
		/* from the server */
		[EVENT_SYN] = { SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR },
		[EVENT_FIN] = { TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW },
		[EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES },
		[EVENT_RST] = { CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL },
	},
};

#undef ES
#undef SS
#undef SR
#undef FW
#undef TW
#undef CL
#undef CW
#undef LA
#undef LI
#undef SA

/* The state after a packet; the old one if the packet moves nothing. */
static __always_inline __u32 tcp_state_after(__u32 state, __u8 flags, bool reply)
{
	__u32 event;

	if (flags & TCP_RST)
		event = EVENT_RST;
	else if (flags & TCP_SYN)
		event = EVENT_SYN;
	else if (flags & TCP_FIN)
		event = EVENT_FIN;
	else if (flags & TCP_ACK)
		event = EVENT_ACK;
	else
		return state;
	if (state > IVB_S_SYNACK)
		return state;
	return tcp_next[reply ? 1 : 0][event][state & 15];
}

/* Whether a connection in this state counts as active; all others, and UDP, as inactive. */
static __always_inline bool state_active(__u32 state)
{
	const __u32 active = 1u << IVB_S_ESTABLISHED | 1u << IVB_S_SYN_SENT | 1u << IVB_S_SYN_RECV |
			     1u << IVB_S_SYNACK;

	return active >> (state & 31) & 1;
}

#endif
