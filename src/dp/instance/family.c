/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 and IPv6 tables. */
#include "dp/instance/family_int.h"

#include <string.h>
#include <sys/socket.h>

#include "dp/instance/instance.h"

const struct ivb_family ivb_families[2] = {
	{
		.af = AF_INET,
		.index = 0,
		.flows = IVB_MAP_FLOWS4,
		.conns = IVB_MAP_CONNS4,
		.clock = IVB_MAP_CLOCK4,
		.half_open = IVB_MAP_HALF_OPEN4,
		.key_size = sizeof(struct ivb_tuple4),
		.flow_size = sizeof(struct ivb_flow4),
		.conn_size = sizeof(struct ivb_conn4),
	},
	{
		.af = AF_INET6,
		.index = 1,
		.flows = IVB_MAP_FLOWS6,
		.conns = IVB_MAP_CONNS6,
		.clock = IVB_MAP_CLOCK6,
		.half_open = IVB_MAP_HALF_OPEN6,
		.key_size = sizeof(struct ivb_tuple6),
		.flow_size = sizeof(struct ivb_flow6),
		.conn_size = sizeof(struct ivb_conn6),
	},
};

bool ivb_family_on(const struct ivb_dp *dp, const struct ivb_family *f, __u32 *ret_max)
{
	*ret_max = f->af == AF_INET ? dp->meta.max_conns : dp->meta.max_conns6;
	return dp->fds[f->flows] >= 0 && dp->fds[f->conns] >= 0 && dp->fds[f->clock] >= 0;
}

void ivb_family_peer_key(const struct ivb_family *f, const union ivb_tuple *key,
			 const union ivb_any_flow *flow, union ivb_tuple *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (f->af == AF_INET) {
		ret->v4.saddr = flow->v4.daddr;
		ret->v4.daddr = flow->v4.saddr;
		ret->v4.sport = flow->flow.dport;
		ret->v4.dport = flow->flow.sport;
		ret->v4.proto = key->v4.proto;
		ret->v4.zone = key->v4.zone;
	} else {
		memcpy(ret->v6.saddr, flow->v6.daddr, sizeof(ret->v6.saddr));
		memcpy(ret->v6.daddr, flow->v6.saddr, sizeof(ret->v6.daddr));
		ret->v6.sport = flow->flow.dport;
		ret->v6.dport = flow->flow.sport;
		ret->v6.proto = key->v6.proto;
		ret->v6.zone = key->v6.zone;
	}
}

void ivb_family_reply_key(const struct ivb_family *f, const union ivb_tuple *key,
			  const union ivb_any_flow *flow, struct ivb_reply_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->af = f->af;
	ret->sport = flow->flow.dport;
	if (f->af == AF_INET) {
		ret->server.ip = flow->v4.daddr;
		ret->client.ip = key->v4.saddr;
		ret->dport = key->v4.sport;
		ret->proto = key->v4.proto;
	} else {
		memcpy(ret->server.ip6, flow->v6.daddr, sizeof(ret->server.ip6));
		memcpy(ret->client.ip6, key->v6.saddr, sizeof(ret->client.ip6));
		ret->dport = key->v6.sport;
		ret->proto = key->v6.proto;
	}
}

const void *ivb_family_conn_key(const struct ivb_family *f, const union ivb_any_conn *c)
{
	return f->af == AF_INET ? (const void *)&c->v4.key : (const void *)&c->v6.key;
}

bool ivb_family_state_is_active(__u32 state)
{
	return state == IVB_S_ESTABLISHED || state == IVB_S_SYN_SENT || state == IVB_S_SYN_RECV ||
	       state == IVB_S_SYNACK;
}
