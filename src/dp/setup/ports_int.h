/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which local ports the kernel or a socket may use. Internal to dp. */
#ifndef IVB_DP_SETUP_PORTS_INT_H
#define IVB_DP_SETUP_PORTS_INT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#include <ivb/abi.h>

struct ivb_err;

struct ivb_port_set {
	__u64 word[65536 / 64];
};

static inline bool ivb_port_test(const struct ivb_port_set *s, __u32 port)
{
	return s->word[port / 64] >> (port % 64) & 1;
}

/*
 * Adds the ports that listen on TCP or are bound on UDP now, in the current network namespace, and
 * those of TCP connections from an address that SNAT may use.
 */
int ivb_ports_add_bound(struct ivb_port_set *s, const struct ivb_config *cfg, struct ivb_err *err);

/* Adds ip_local_port_range: what the kernel gives to sockets, but for those reserved. */
int ivb_ports_add_range(struct ivb_port_set *s, struct ivb_err *err);

/* Adds ip_local_reserved_ports. */
int ivb_ports_add_reserved(struct ivb_port_set *s, struct ivb_err *err);

/* The readers of those files' texts. A line of a table that cannot be understood is passed by. */
void ivb_ports_parse_table(struct ivb_port_set *s, FILE *f, bool tcp, const struct ivb_config *cfg);

/* "8080,9148-9150"; -EINVAL. text is cut into pieces. */
int ivb_ports_parse_reserved(struct ivb_port_set *s, char *text);

#endif
