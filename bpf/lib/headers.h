/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A frame's headers and the tuple that they make, whichever way the frame goes. */
#ifndef IVB_LIB_HEADERS_H
#define IVB_LIB_HEADERS_H

#include "lib/verdict.h"
#include "lib/tuple.h"

/*
 * Parses, most packets the short way, and once pulls what a short head lacks. 0, or what
 * path_exit() takes.
 */
static __always_inline int headers(struct ivb_ctx *ctx, const int af, struct ivb_pkt *p)
{
	int r = IVB_PARSE_SHORT, i;

	__builtin_memset(p, 0, sizeof(*p));
	if (ivb_parse_plain(ctx_data(ctx), ctx_end(ctx), ctx_len(ctx), af, p))
		return 0;
	for (i = 0; i < 2 && r == IVB_PARSE_SHORT; i++) {
		if (i && ctx_pull(ctx, headers_max(ctx, 0)))
			return -IVB_R_PASS_TRUNCATED;
		__builtin_memset(p, 0, sizeof(*p));
		r = ivb_parse(ctx_data(ctx), ctx_end(ctx), ctx_len(ctx), af, false, p);
	}
	if (r == IVB_PARSE_OK)
		return 0;
	return r == IVB_PARSE_OTHER ? IVB_OTHER : -IVB_R_PASS_TRUNCATED;
}

GLOBAL int headers4(struct ivb_ctx *ctx, struct ivb_pkt *p)
{
	return p ? headers(ctx, AF_INET, p) : -IVB_R_PASS_TRUNCATED;
}

GLOBAL int headers6(struct ivb_ctx *ctx, struct ivb_pkt *p)
{
	return p ? headers(ctx, AF_INET6, p) : -IVB_R_PASS_TRUNCATED;
}

static __always_inline int tuple_read(struct ivb_ctx *ctx, const int af, const struct ivb_pkt *p,
				      union tuple *t)
{
	void *data = ctx_data(ctx);
	__be32 *addrs;

	if (data + ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) >
	    ctx_end(ctx))
		return -IVB_R_PASS_TRUNCATED;
	addrs = pkt_addrs(af, data);
	addr_copy(af, TUPLE_SADDR(af, t), addrs);
	addr_copy(af, TUPLE_DADDR(af, t), addrs + ADDR_WORDS(af));
	TUPLE_PORTS(af, t) = p->ports;
	tuple_set_proto(af, t, p->proto);
	return 0;
}

#endif
