/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings: what keeps packets from being carried though everything is up, for `up` and `status`. */
#ifndef IVB_CLI_FINDINGS_H
#define IVB_CLI_FINDINGS_H

#include <linux/types.h>
#include <stdbool.h>

struct ivb_findings {
	void (*say)(const char *text, void *arg);
	void *arg;
};

/* An attached device's; v6: IPv6 packets are expected to come by it. */
void ivb_findings_dev(const struct ivb_findings *f, const char *name, __u32 ifindex, bool v6);
/* The ipvs engine's; flags are ivb_config's. */
void ivb_findings_ipvs(const struct ivb_findings *f, __u32 flags);

#endif
