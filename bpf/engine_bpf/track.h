/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet of a known connection that may move its state, and the once-a-second note that the
 * connection is alive.
 */
#ifndef IVB_ENGINE_BPF_TRACK_H
#define IVB_ENGINE_BPF_TRACK_H

#include "conn/conn.h"
#include "lib/verdict.h"
#include "engine_bpf/service.h"

static __always_inline bool dest_available(__u32 slot)
{
	struct ivb_dest *d = bpf_map_lookup_elem(&dests, &slot);

	return d && READ_ONCE(d->state) == IVB_DEST_AVAILABLE;
}

/*
 * The client begins anew: the next ACK of either side counts. (Of this flow the caller knows
 * itself.)
 */
static __always_inline void flow_reopen(const int af, const union flow *f)
{
	union flow *peer = flow_peer(af, f, IPPROTO_TCP);

	if (peer)
		peer->flow.flags &= ~IVB_FLOW_ESTABLISHED;
}

/* The state with its place among the half-open ones, which who confirms the connection gives up. */
static __always_inline __u32 state_word(__u32 old, __u32 next, bool reply)
{
	if (next == IVB_S_ESTABLISHED || (next == IVB_S_UDP && reply))
		return next;
	return next | IVB_CONN_PLACE(old) << IVB_CONN_PLACE_SHIFT;
}

static __always_inline bool expire_nodest(void)
{
	__u32 zero = 0;
	struct ivb_config *cfg = bpf_map_lookup_elem(&config, &zero);

	return cfg && cfg->flags & IVB_CONFIG_EXPIRE_NODEST;
}

/* Whether a client's SYN may stay with this server; ip_vs_in_hook() of a server of weight 0. */
static __always_inline bool dest_takes_syn(__u32 slot)
{
	struct ivb_dest *d = bpf_map_lookup_elem(&dests, &slot);

	return d && READ_ONCE(d->state) == IVB_DEST_AVAILABLE && (d->weight || !expire_nodest());
}

/* Whether the service of that connection has servers. */
static __always_inline bool service_serves(const int af, const struct ivb_conn *c)
{
	const union tuple *key = af == AF_INET ? (void *)&((struct ivb_conn4 *)c)->key
					       : (void *)&((struct ivb_conn6 *)c)->key;
	const struct ivb_service *svc = service_find(af, key);

	return svc && svc->num_dests;
}

/*
 * What a client sends to a removed server is dropped, as by kernel IPVS with expire_nodest_conn=0;
 * with 1 the connection ends, and the packet is looked at as one without. What has no handshake can
 * go to another server at once: UDP does, if there is one.
 */
static __always_inline int dest_gone(const int af, const union flow *f, __u8 proto)
{
	__u32 id = f->flow.conn;
	struct ivb_conn *c = conn_get(af, id);

	if (!c || c->gen != f->flow.conn_gen)
		return -IVB_R_RACE;
	if (!expire_nodest() && (proto == IPPROTO_TCP || !service_serves(af, c)))
		return -IVB_R_DEST_GONE;
	return conn_kill(af, id, f->flow.conn_gen) ? 1 : -IVB_R_RACE;
}

GLOBAL int dest_gone4(const struct ivb_flow4 *f, __u8 proto)
{
	return f ? dest_gone(AF_INET, (const union flow *)f, proto) : 0;
}

GLOBAL int dest_gone6(const struct ivb_flow6 *f, __u8 proto)
{
	return f ? dest_gone(AF_INET6, (const union flow *)f, proto) : 0;
}

/*
 * A SYN from the client on a connection that has ended, or whose server is gone, belongs to a new
 * connection: the old pair goes and 1 is returned, for the caller to schedule afresh. Else 0, or a
 * reason.
 */
static __always_inline int track(const int af, union flow *f, __u8 tcp_flags)
{
	bool reply = f->flow.flags & IVB_FLOW_REPLY;
	__u32 now = bpf_jiffies64(), id = f->flow.conn, word, state, next;
	struct ivb_conn *c = conn_get(af, id);

	if (!c || c->gen != f->flow.conn_gen)
		return -IVB_R_RACE;
	word = READ_ONCE(c->state);
	state = IVB_CONN_STATE(word);
	if (state == IVB_S_NONE)
		return -IVB_R_RACE; /* being removed */
	if (!reply && (tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN &&
	    (state == IVB_S_TIME_WAIT || state == IVB_S_CLOSE || !dest_takes_syn(f->flow.dest)))
		return conn_kill(af, id, f->flow.conn_gen) ? 1 : -IVB_R_RACE;
	next = tcp_state_after(state, tcp_flags, reply);
	WRITE_ONCE(f->flow.last_seen, now); /* before the state: see conn_settled() */
	/* Another CPU moved it just now, a packet of the other direction perhaps: once more. */
	if (!conn_set_state(c, word, state_word(word, next, reply))) {
		word = READ_ONCE(c->state);
		if (IVB_CONN_STATE(word) == IVB_S_NONE)
			return -IVB_R_RACE;
		next = tcp_state_after(IVB_CONN_STATE(word), tcp_flags, reply);
		if (!conn_set_state(c, word, state_word(word, next, reply)))
			return -IVB_R_RACE;
	}
	if (reply && IVB_CONN_STATE(word) == IVB_S_ESTABLISHED && next == IVB_S_FIN_WAIT)
		f->flow.flags |= IVB_FLOW_SERVER_FIRST;
	if (next == IVB_S_ESTABLISHED || next == IVB_S_UDP) {
		f->flow.flags |= IVB_FLOW_ESTABLISHED;
	} else if (state_active(next)) {
		f->flow.flags &= ~IVB_FLOW_ESTABLISHED;
		if (!state_active(word))
			flow_reopen(af, f);
	}
	conn_touch(af, id, now, state_timeout(c->service, next));
	return 0;
}

GLOBAL int track4(struct ivb_flow4 *f, __u8 tcp_flags)
{
	return f ? track(AF_INET, (union flow *)f, tcp_flags) : 0;
}

GLOBAL int track6(struct ivb_flow6 *f, __u8 tcp_flags)
{
	return f ? track(AF_INET6, (union flow *)f, tcp_flags) : 0;
}

static __always_inline void refresh(const int af, union flow *f, __u32 now)
{
	__u32 id = f->flow.conn;
	struct ivb_conn *c = conn_get(af, id);

	if (!c || c->gen != f->flow.conn_gen)
		return;
	WRITE_ONCE(f->flow.last_seen, now);
	conn_touch(af, id, now, state_timeout(c->service, IVB_CONN_STATE(READ_ONCE(c->state))));
}

GLOBAL int refresh4(struct ivb_flow4 *f, __u32 now)
{
	if (f)
		refresh(AF_INET, (union flow *)f, now);
	return 0;
}

GLOBAL int refresh6(struct ivb_flow6 *f, __u32 now)
{
	if (f)
		refresh(AF_INET6, (union flow *)f, now);
	return 0;
}

#endif
