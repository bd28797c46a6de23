/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which services, servers and connections `stats` and `conn` show. */
#ifndef IVB_CLI_FILTER_H
#define IVB_CLI_FILTER_H

#include <stdbool.h>

#include <ivb/abi.h>

struct ivb_conn_info;

/* Of an address; without a port any port. */
struct ivb_filter_end {
	bool set;
	__u8 af;
	__be16 port;
	union ivb_addr addr;
};

struct ivb_filter {
	struct ivb_filter_end service, server;
	struct ivb_prefix client; /* prefixlen 0: not set */
	__u32 state;		  /* enum ivb_conn_state; IVB_S_MAX_: any */
};

/* ADDRESS, ADDRESS:PORT, [IPV6]:PORT. -EINVAL. */
int ivb_filter_end_parse(struct ivb_filter_end *ret, const char *s);
/* "ESTABLISHED", in any case. -EINVAL. */
int ivb_filter_state_parse(__u32 *ret, const char *s);
/* ADDRESS[/LENGTH]. -EINVAL. */
int ivb_filter_client_parse(struct ivb_prefix *ret, const char *s);

bool ivb_filter_end_is(const struct ivb_filter_end *e, __u8 af, const union ivb_addr *addr,
		       __be16 port);
bool ivb_filter_conn(const struct ivb_filter *f, const struct ivb_conn_info *c);

#endif
