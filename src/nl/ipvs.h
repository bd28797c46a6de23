/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel IPVS's services and servers in the current namespace, with its counters. Read only. */
#ifndef IVB_NL_IPVS_H
#define IVB_NL_IPVS_H

#include <stdbool.h>
#include <stddef.h>

#include <ivb/abi.h>

struct ivb_ipvs_dest {
	__u8 af;
	__be16 port;
	union ivb_addr addr;
	struct ivb_traffic stats; /* counted by kernel IPVS itself since it was added */
};

/* With fwmark: of whatever address, port and protocol the marked packets have. */
struct ivb_ipvs_service {
	__u8 af;
	__u8 proto;
	__be16 port; /* 0: every port of the address */
	__u32 fwmark;
	bool one_packet, pe; /* -o, --pe */
	union ivb_addr addr;
	char scheduler[16];
	struct ivb_traffic stats;
	struct ivb_ipvs_dest *dests;
	size_t num_dests;
};

/*
 * All services. The caller calls ivb_ipvs_free(). -ENOENT: ip_vs is not loaded (and is not loaded
 * by the question); -EPERM: not permitted. A service removed meanwhile may come without servers.
 */
int ivb_ipvs_list(struct ivb_ipvs_service **ret, size_t *ret_n);
/* How many there are, without asking for their servers. Errors as above. */
int ivb_ipvs_count(size_t *ret);
void ivb_ipvs_free(struct ivb_ipvs_service *services, size_t n);

#endif
