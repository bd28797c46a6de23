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
	case IVB_SCHED_LC:
		return lc_schedule(sched);
	case IVB_SCHED_WLC:
		return wlc_schedule(sched);
	case IVB_SCHED_SED:
		return sed_schedule(sched);
	case IVB_SCHED_NQ:
		return nq_schedule(sched);
	case IVB_SCHED_FO:
		return fo_schedule(sched);
	case IVB_SCHED_OVF:
		return ovf_schedule(sched);
	case IVB_SCHED_TWOS:
		return twos_schedule(sched);
	case IVB_SCHED_LBLC:
		return lblc_schedule(sched, svc->slot);
	case IVB_SCHED_LBLCR:
		return lblcr_schedule(sched, svc->slot);
	case IVB_SCHED_SH:
		return sh_schedule(sched, client_value(af, flags, key), fallback);
	case IVB_SCHED_MH:
		return mh_schedule(sched, client_value(af, flags, key), fallback);
	case IVB_SCHED_DH:
		return dh_schedule(sched, addr_fold(af, TUPLE_DADDR(af, key)));
	default: /* rr, wrr */
		return ring_schedule(sched);
	}
}

#endif
