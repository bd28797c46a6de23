/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an instance, or devices of it, down; also what crashes and other versions have left. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/follow/hooks.h"
#include "dp/follow/notrack_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/zones_int.h"
#include "dp/setup/plan_int.h"
#include "dp/setup/up.h"
#include "dp/takeover/wipe.h"

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
	r = ivb_attach_list(dp, &a, &n, err);
	if (r && !first)
		first = r;
	for (i = 0; i < n; i++) {
		/* Filters of another namespace cannot be reached, and end with it. */
		if (foreign && a[i].kind == IVB_ATTACH_CLSACT) {
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

static int down_devs(struct ivb_dp *dp, const struct ivb_down *down, struct ivb_down_result *ret,
		     struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	size_t n, i, d, left = 0;
	bool wanted[IVB_MAX_DEVS * 2] = { false };
	int r;

	r = ivb_attach_list(dp, &a, &n, err);
	if (r)
		return r;
	for (d = 0; d < down->num_devs; d++) {
		for (i = 0; i < n && i < IVB_MAX_DEVS * 2; i++) {
			if (!strcmp(a[i].name, down->devs[d]))
				break;
		}
		if (i == n)
			return ivb_err(err, -ENODEV, "%s is not attached", down->devs[d]);
		wanted[i] = true;
	}
	for (i = 0; i < n; i++) {
		/* What is left of devices that are gone goes too. */
		if (!wanted[i] && a[i].state != IVB_ATTACH_GONE && a[i].state != IVB_ATTACH_MOVED) {
			left++;
			continue;
		}
		r = ivb_detach(dp, &a[i], err);
		if (r)
			return r;
		ret->detached += wanted[i];
	}
	ret->left = left;
	return 0;
}

/* Links first, as always; filters of a version that we do not know cannot be told from others'. */
static int remove_other_abi(const char *instance, int abi, struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];
	int r;

	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s/v%d/links", instance, abi);
	r = ivb_pins_remove(path, err);
	if (r)
		return r;
	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s/v%d", instance, abi);
	return ivb_pins_remove(path, err);
}

/* Whether nothing of the instance is attached to anything that exists, in whatever namespace. */
static bool is_dead(const struct ivb_dp *dp)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	size_t n, i;

	if (ivb_attach_list(dp, &a, &n, NULL) || !n)
		return false;
	for (i = 0; i < n; i++) {
		/*
		 * A link that is gone or missing runs nowhere; of filters elsewhere nothing is
		 * known.
		 */
		if (a[i].kind != IVB_ATTACH_TCX ||
		    (a[i].state != IVB_ATTACH_GONE && a[i].state != IVB_ATTACH_MISSING))
			return false;
	}
	return true;
}

static bool has_folder(const struct ivb_dp *dp)
{
	return ivb_pins_check_dir(dp->path, NULL) != -ENOENT;
}

static int down_all(struct ivb_dp *dp, const struct ivb_down *down, struct ivb_down_result *ret,
		    struct ivb_err *err)
{
	int r;

	r = has_folder(dp) ? ivb_wipe(dp, ret, err) : 0;
	/* Both are there after an interrupted takeover. */
	ret->other_abi = r ? 0 : ivb_dp_other_abi(down->instance);
	if (ret->other_abi)
		r = remove_other_abi(down->instance, ret->other_abi, err);
	/* Under the lock, so that no other `up` can be making something in it. */
	if (!r)
		ivb_pins_remove_instance(down->instance);
	return r;
}

int ivb_dp_down(const struct ivb_down *down, struct ivb_down_result *ret, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_down_result res = { 0 };
	int r;

	r = ivb_dp_open_any(&dp, down->instance, IVB_LOCK_EXCLUSIVE, IVB_OPEN_SALVAGE, err);
	if (r == -ENOENT || (!r && down->num_devs && !has_folder(dp)))
		return ivb_err(err, -ENOENT, "instance %s is not up", down->instance);
	if (r)
		return r;
	if (ivb_dp_is_complete(dp) && !down->force && !is_dead(dp)) {
		r = ivb_dp_check_netns(dp, err);
		if (r)
			return r;
	}
	r = down->num_devs ? down_devs(dp, down, &res, err) : down_all(dp, down, &res, err);
	if (r)
		return r;
	*ret = res;
	return 0;
}
