/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map config: what all programs look at. */
#include "dp/instance/config_int.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/err.h"
#include "dp/instance/instance.h"

int ivb_config_get(const struct ivb_dp *dp, struct ivb_config *c, struct ivb_err *err)
{
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_CONFIG], &zero, c))
		return ivb_err(err, -errno, "cannot read the map %s/config: %m", dp->path);
	return 0;
}

int ivb_config_put(const struct ivb_dp *dp, const struct ivb_config *c, struct ivb_err *err)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(dp->fds[IVB_MAP_CONFIG], &zero, c, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/config: %m", dp->path);
	return 0;
}

int ivb_config_set_flags(const struct ivb_dp *dp, __u32 mask, __u32 flags, struct ivb_err *err)
{
	struct ivb_config c;
	int r = ivb_config_get(dp, &c, err);

	if (r)
		return r;
	c.flags = (c.flags & ~mask) | (flags & mask);
	return ivb_config_put(dp, &c, err);
}
