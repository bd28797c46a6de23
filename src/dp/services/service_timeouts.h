/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timeouts of single services of the bpf engine's; those of all are ivb_config's. */
#ifndef IVB_DP_SERVICES_SERVICE_TIMEOUTS_H
#define IVB_DP_SERVICES_SERVICE_TIMEOUTS_H

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

/* In seconds; 0: as all services. */
struct ivb_timeouts_s {
	__u32 tcp, tcpfin, udp;
};

#define IVB_TIMEOUT_MAX_S 1000000u /* jiffies of it are less than half of 2^32 even at 1000 Hz */

/* From a connection's next packet on. -ESRCH: no such service. Needs the exclusive lock. */
int ivb_service_timeouts_set(struct ivb_dp *dp, const struct ivb_service_key *key,
			     const struct ivb_timeouts_s *t, struct ivb_err *err);

/* Calls fn for each service; nonzero stops and is returned. */
int ivb_service_timeouts_walk(struct ivb_dp *dp,
			      int (*fn)(const struct ivb_service_key *key,
					const struct ivb_timeouts_s *t, void *arg),
			      void *arg, struct ivb_err *err);

#endif
