/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing all that there is of an instance. */
#include "dp/takeover/wipe.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks_int.h"
#include "dp/follow/notrack_int.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"

/* From here on the instance counts as half made, and the next `up` makes another. */
static void mark_incomplete(struct ivb_dp *dp)
{
	struct ivb_meta none = { 0 };
	__u32 zero = 0;

	if (dp->fds[IVB_MAP_META] >= 0)
		bpf_map_update_elem(dp->fds[IVB_MAP_META], &zero, &none, BPF_ANY);
}

/* First of all: what is untracked is translated by nobody but us. */
static int remove_notrack(const struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_config c;

	if (dp->fds[IVB_MAP_CONFIG] < 0 || ivb_config_get(dp, &c, NULL) ||
	    !(c.flags & IVB_CONFIG_NOTRACK))
		return 0;
	return ivb_notrack_off(err);
}

int ivb_wipe(struct ivb_dp *dp, struct ivb_down_result *ret, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	bool foreign = ivb_dp_is_complete(dp) && ivb_dp_check_netns(dp, NULL);
	struct ivb_down_result res = { 0 };
	size_t n = 0, i;
	int first, r;

	mark_incomplete(dp);
	first = foreign ? 0 : remove_notrack(dp, err);
	r = ivb_attached_list(dp, &a, &n, err);
	if (r && !first)
		first = r;
	for (i = 0; i < n; i++) {
		/* Filters of another namespace cannot be reached, and end with it. */
		if (foreign && !ivb_attached_by_link(a[i].kind)) {
			res.left++;
			continue;
		}
		r = ivb_detach(dp, &a[i], err);
		if (r && !first)
			first = r;
		res.detached += !r && a[i].state == IVB_ATTACHED;
	}
	/* After the programs: what kernel IPVS sends has not been left half-translated. */
	r = ivb_hooks_detach(dp, err);
	if (r && !first)
		first = r;
	/* Without user space's reference the timers stop. */
	ivb_dp_close_maps(dp);
	ivb_pin_remove(dp, "hand4");
	ivb_pin_remove(dp, "hand6");
	r = ivb_pins_remove(dp->path, err);
	if (ret)
		*ret = res;
	return first ? first : r;
}
