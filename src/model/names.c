/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of schedulers, SNAT policies and protocols. */
#include "model/names.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static const char *const schedulers[IVB_SCHED_MAX_] = {
	[IVB_SCHED_RR] = "rr",
	[IVB_SCHED_WRR] = "wrr",
};

/* The kernel's others (net/netfilter/ipvs). */
static const char *const kernel_schedulers[] = {
	"lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
};

static const char *const snats[IVB_SNAT_MAX_] = {
	[IVB_SNAT_DEFAULT] = "default",
	[IVB_SNAT_NEVER] = "never",
	[IVB_SNAT_AUTO] = "auto",
	[IVB_SNAT_ALWAYS] = "always",
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

const char *ivb_scheduler_name(__u32 scheduler)
{
	return scheduler < IVB_SCHED_MAX_ ? schedulers[scheduler] : "?";
}

int ivb_scheduler_parse(__u8 *ret, const char *name)
{
	size_t i;

	for (i = 0; i < IVB_SCHED_MAX_; i++) {
		if (!strcmp(name, schedulers[i])) {
			*ret = (__u8)i;
			return 0;
		}
	}
	for (i = 0; i < ARRAY_LEN(kernel_schedulers); i++) {
		if (!strcmp(name, kernel_schedulers[i]))
			return -EOPNOTSUPP;
	}
	return -ENOENT;
}

const char *ivb_snat_name(__u32 snat)
{
	return snat < IVB_SNAT_MAX_ ? snats[snat] : "?";
}

int ivb_snat_parse(__u8 *ret, const char *name)
{
	size_t i;

	for (i = IVB_SNAT_NEVER; i < IVB_SNAT_MAX_; i++) {
		if (!strcmp(name, snats[i])) {
			*ret = (__u8)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *ivb_proto_name(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_SCTP:
		return "SCTP";
	}
	return "?";
}
