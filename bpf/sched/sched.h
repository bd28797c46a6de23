/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a service to its scheduler's choice. */
#ifndef IVB_SCHED_SCHED_H
#define IVB_SCHED_SCHED_H

#include "sched/dh.h"
#include "sched/fo.h"
#include "sched/lblc.h"
#include "sched/lblcr.h"
#include "sched/lc.h"
#include "sched/mh.h"
#include "sched/nq.h"
#include "sched/ovf.h"
#include "sched/ring.h"
#include "sched/sed.h"
#include "sched/sh.h"
#include "sched/twos.h"
#include "sched/wlc.h"

/* The value by which sh and mh know a client. */
static __always_inline __u32 client_value(const int af, __u32 flags, const union tuple *key)
{
	__u32 value = addr_fold(af, TUPLE_SADDR(af, key));

	return flags & IVB_SERVICE_SCHED_PORT ? value + bpf_ntohs(TUPLE_SPORT(af, key)) : value;
}

/* Slot of the dest for a new connection, or IVB_NONE. */
static __always_inline __u32 schedule(const int af, const struct ivb_service *svc,
				      const union tuple *key)
{
	__u32 sched = svc->sched, flags = svc->flags;
	bool fallback = flags & IVB_SERVICE_SCHED_FALLBACK;

	switch (svc->scheduler) {
#define IVB_SCHEDULER(NAME, name, table, knows, ask) \
	case IVB_SCHED_##NAME:                       \
		ask;
#include <ivb/schedulers.def>
	}
	return ring_schedule(sched); /* rr, wrr: cases of their own would be calls of their own */
}

#endif
