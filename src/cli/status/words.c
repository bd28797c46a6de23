/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of `ipvs-bpf status`, for people and for machines. */
#include "cli/status/status_int.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks.h"

const struct ivb_status_word ivb_status_devs[] = {
	[IVB_ATTACHED] = { "attached", "attached" },
	[IVB_ATTACH_GONE] = { "gone",
			      "gone: the device does not exist any more; `ipvs-bpf up DEV` for a "
			      "new one clears this away" },
	[IVB_ATTACH_MOVED] = { "moved",
			       "moved: the device is in another network namespace now, and the "
			       "program with it; the next `ipvs-bpf up` or `down` detaches it" },
	[IVB_ATTACH_MISSING] = { "missing",
				 "missing: somebody took the program away; attach it again with "
				 "`ipvs-bpf up DEV`" },
	[IVB_ATTACH_HALF] = { "half",
			      "half attached: an `up` or `down` was interrupted; repeat it" },
};

const struct ivb_status_word ivb_status_hooks[] = {
	[IVB_HOOKS_NONE] = { "none",
			     "on, BUT NOT FOLLOWING: ip_vs was not loaded; when it is, run `ipvs-bpf up`" },
	[IVB_HOOKS_SOME] = { "some", "on, BUT HALF ATTACHED: an `up` was interrupted; repeat it" },
	[IVB_HOOKS_ALL] = { "all", "follows kernel IPVS" },
};

const struct ivb_status_flag ivb_status_flags[] = {
#define IVB_OPTION(NAME, option, text, help) { IVB_CONFIG_##NAME, option, text },
#include <ivb/flags.def>
	{ 0 },
};

char *ivb_status_words_prefix(char *buf, size_t size, const struct ivb_prefix *p)
{
	char addr[IVB_ADDR_LEN];

	snprintf(buf, size, "%s/%u", ivb_addr_fmt(addr, sizeof(addr), (int)p->af, &p->addr),
		 p->prefixlen - 32);
	return buf;
}
