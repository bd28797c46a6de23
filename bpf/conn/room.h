/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports made free before they run out: those of connections that have ended, in turn, so that each
 * is left alone for as long as can be. Not while a connection is being made, which is too deep in
 * the program for the stack that the removal of another takes.
 */
#ifndef IVB_CONN_ROOM_H
#define IVB_CONN_ROOM_H

#include "conn/conn.h"
#include "snat/snat.h"

#define ROOM_LOOKS 18
#define ROOM_CHOOSY 12 /* the first of them */
#define ROOM_FREE 2
#define SERVER_TIME_WAIT_S 60 /* Linux's TCP_TIMEWAIT_LEN */
#define LAST_ACK_S 1	      /* the client's last ACK may still be on its way */
#define HALF_OPEN_STALE_S 3   /* without a packet: the client has given up, or never was */
#define SETTLED_PART 100      /* of a second, and a jiffy */

/*
 * The packets that ended the connection have left: while another CPU is at work with one, its flow
 * must not go. (Kernel IPVS's have leases where the others have that time.)
 */
static __always_inline bool conn_settled(const int af, const struct ivb_conn *c,
					 const struct ivb_flow *rep)
{
	__u32 now = bpf_jiffies64(), settled = ivb_hz / SETTLED_PART + 1;
	const union tuple *key = af == AF_INET ? (void *)&((struct ivb_conn4 *)c)->key
					       : (void *)&((struct ivb_conn6 *)c)->key;
	union flow *fwd;

	if (c->state & IVB_CONN_KERNEL)
		return true;
	if ((__s32)(now - READ_ONCE(rep->last_seen)) <= (__s32)settled)
		return false;
	fwd = bpf_map_lookup_elem(MAP_OF(af, flows), key);
	return !fwd || (__s32)(now - READ_ONCE(fwd->flow.last_seen)) > (__s32)settled;
}

/*
 * Whether a connection needs its port no more; choosy: nor has the server a use for it. A server
 * that closed first is in TIME_WAIT itself, and there refuses another client whose sequence numbers
 * are lower (RFC 9293 3.6.1, RFC 6191); that client succeeds with its second SYN.
 */
static __always_inline bool port_is_given_up(const struct ivb_conn *c, const struct ivb_flow *rep,
					     __u32 expires_in, bool choosy)
{
	__u32 state = IVB_CONN_STATE(READ_ONCE(c->state)), now = bpf_jiffies64(), age, rest;

	if (state == IVB_S_CLOSE)
		return true;
	if (state == IVB_S_TIME_WAIT) {
		age = state_timeout(IVB_NONE, IVB_S_TIME_WAIT) -
		      expires_in; /* no service has one of its own */
		rest = rep->flags & IVB_FLOW_SERVER_FIRST ? SERVER_TIME_WAIT_S : LAST_ACK_S;
		return !choosy || (__s32)(age - rest * ivb_hz) >= 0;
	}
	return !choosy && state == IVB_S_SYN_RECV && !(c->state & IVB_CONN_KERNEL) &&
	       (__s32)(now - READ_ONCE(rep->last_seen)) > (__s32)(HALF_OPEN_STALE_S * ivb_hz);
}

/*
 * Ends the connection at the reply key of port_want, if it may be ended. 1: the port is free now,
 * or was: the bitmap was wrong, or somebody is just about to insert his flow, and will find out.
 */
static __always_inline int port_end(const int af, bool choosy)
{
	__u32 family = FAMILY_INDEX(af), id, gen, *stamp;
	struct port_want *w = bpf_map_lookup_elem(&port_want, &family);
	struct ivb_port_map *m;
	struct ivb_conn *c;
	union flow *rep;

	rep = w ? bpf_map_lookup_elem(MAP_OF(af, flows), &w->reply) : NULL;
	if (!rep) {
		m = w ? bpf_map_lookup_elem(&port_maps, &w->key) : NULL;
		if (m)
			port_unmark(m, bpf_ntohs(TUPLE_DPORT(af, (union tuple *)&w->reply)));
		return 1;
	}
	id = rep->flow.conn;
	gen = rep->flow.conn_gen;
	c = conn_get(af, id);
	stamp = clock_stamp(af, id);
	if (!c || !stamp || c->gen != gen || !(rep->flow.flags & IVB_FLOW_REPLY) ||
	    !port_is_given_up(c, &rep->flow, READ_ONCE(*stamp) - (__u32)bpf_jiffies64(), choosy) ||
	    !conn_settled(af, c, &rep->flow))
		return 0;
	return conn_kill(af, id, gen);
}

GLOBAL int port_end4(bool choosy)
{
	return port_end(AF_INET, choosy);
}

GLOBAL int port_end6(bool choosy)
{
	return port_end(AF_INET6, choosy);
}

/*
 * A FIN or RST: if it was the connection's last, its port may be had if need be. key: of the
 * packet.
 */
static __always_inline int port_give_up(const int af, const union tuple *key, const union flow *f)
{
	bool reply = f->flow.flags & IVB_FLOW_REPLY;
	struct ivb_conn *c = conn_get(af, f->flow.conn);
	__be16 port = reply ? TUPLE_DPORT(af, key) : f->flow.sport;
	struct ivb_port_map *m;
	struct ivb_port_key k;
	__u32 state;

	state = c ? READ_ONCE(c->state) : IVB_S_NONE;
	if (state != IVB_S_TIME_WAIT && state != IVB_S_CLOSE)
		return 0;
	if (reply)
		port_key(af, &k, TUPLE_DADDR(af, key), TUPLE_SADDR(af, key), TUPLE_SPORT(af, key),
			 IPPROTO_TCP, ivb_zone);
	else
		port_key(af, &k, FLOW_SADDR(af, f), FLOW_DADDR(af, f), f->flow.dport, IPPROTO_TCP,
			 ivb_zone);
	m = bpf_map_lookup_elem(&port_maps, &k);
	if (m)
		port_set_given_up(m, bpf_ntohs(port));
	return 0;
}

GLOBAL int port_give_up4(const struct ivb_tuple4 *key, const struct ivb_flow4 *f)
{
	return key && f ? port_give_up(AF_INET, (const union tuple *)key, (const union flow *)f)
			: 0;
}

GLOBAL int port_give_up6(const struct ivb_tuple6 *key, const struct ivb_flow6 *f)
{
	return key && f ? port_give_up(AF_INET6, (const union tuple *)key, (const union flow *)f)
			: 0;
}

/* For the one that wants it: those that are known to be left, then any. */
static __always_inline int port_room(const int af)
{
	__u32 zero = 0, family = FAMILY_INDEX(af), tries, freed = 0, num, port, turn;
	struct ivb_config *cfg = bpf_map_lookup_elem(&config, &zero);
	struct port_want *w = bpf_map_lookup_elem(&port_want, &family);
	struct ivb_port_map *m;
	union tuple *rkey;
	__u32 ended;

	if (!w || !cfg || !READ_ONCE(w->wanted) || w->key.zone != ivb_zone)
		return 0;
	num = cfg->num_snat_ports;
	m = bpf_map_lookup_elem(&port_maps, &w->key);
	rkey = (union tuple *)&w->reply;
	addr_copy(af, TUPLE_SADDR(af, rkey), w->key.daddr.ip6);
	addr_copy(af, TUPLE_DADDR(af, rkey), w->key.saddr.ip6);
	TUPLE_SPORT(af, rkey) = w->key.dport;
	tuple_set_proto(af, rkey, w->key.proto);
	WRITE_ONCE(w->wanted, 0);
	if (!m)
		return 0;
	for (tries = 0; tries < ROOM_LOOKS && freed < ROOM_FREE; tries++) {
		/* not so choosy: both sorts, by turns */
		port = tries < ROOM_CHOOSY || tries & 1 ? port_next_given_up(m) : 0;
		if (!port) {
			turn = m->turn + 1 < num ? m->turn + 1 : 0;
			m->turn = turn;
			port = port_nth(turn);
		}
		TUPLE_DPORT(af, rkey) = bpf_htons(port);
		ended = BY_AF(af, port_end, tries < ROOM_CHOOSY) & 1;
		freed += ended;
		m->reclaimed += ended;
	}
	return 0;
}

GLOBAL int port_room4(void)
{
	return port_room(AF_INET);
}

GLOBAL int port_room6(void)
{
	return port_room(AF_INET6);
}

#endif
