/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `ipvs-bpf status` warns of. */
#include "cli/status/status_int.h"

void ivb_status_find(const struct ivb_status *s, const struct ivb_findings *f)
{
	const struct ivb_family_info *v6 = &s->info.families[1];
	/* The ipvs engine always has room for IPv6, and need not have any. */
	bool want_v6 = v6->on && (v6->conns || !(s->info.config.flags & IVB_CONFIG_IPVS));
	size_t i;

	for (i = 0; i < s->num_devs; i++) {
		if (s->devs[i].state == IVB_ATTACHED)
			ivb_findings_dev(f, s->devs[i].name, s->devs[i].ifindex, want_v6);
	}
	ivb_findings_ipvs(f, s->info.config.flags);
}
