/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `stats` and `conn` show, in which order, how often: their common options. */
#ifndef IVB_CLI_FILTER_H
#define IVB_CLI_FILTER_H

#include <stdbool.h>

#include <ivb/abi.h>

#include "cli/cli.h"

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
	const char *const *sorts; /* what there is to sort by; NULL ends them */
	int sort;		  /* index into sorts, or -1 */
	__u32 watch;		  /* seconds; 0: not wanted */
};

/* The options that both have; a command's own begin at IVB_FILTER_OWN. */
enum ivb_filter_opt {
	IVB_FILTER_SERVICE = 1,
	IVB_FILTER_SERVER,
	IVB_FILTER_SORT,
	IVB_FILTER_WATCH,
	IVB_FILTER_OWN,
};

/* The value of one that both have. -EINVAL, -ERANGE. */
int ivb_filter_set(struct ivb_filter *f, int opt, const char *value);

/* "ESTABLISHED", in any case. -EINVAL. */
int ivb_filter_state_parse(__u32 *ret, const char *s);
/* ADDRESS[/LENGTH]. -EINVAL. */
int ivb_filter_client_parse(struct ivb_prefix *ret, const char *s);

/* The value of --watch or --rate; NULL: two seconds, as kernel IPVS adds its counts up that often. */
int ivb_filter_seconds_parse(__u32 *ret, const char *value);

/*
 * Calls show() once or, for --watch, again and again with so many seconds in between (pause 0: show
 * takes its time itself). Returns the exit status: of the first failure.
 */
int ivb_filter_watch(const struct ivb_cli *cli, bool again, __u32 pause,
		     int (*show)(const struct ivb_cli *cli, const void *arg), const void *arg);

bool ivb_filter_end_is(const struct ivb_filter_end *e, __u8 af, const union ivb_addr *addr,
		       __be16 port);
bool ivb_filter_conn(const struct ivb_filter *f, const struct ivb_conn_info *c);

#endif
