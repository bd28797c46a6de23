/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an instance, or devices of it, down; also what crashes and other versions have left. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/attached.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"
#include "dp/setup/down.h"
#include "dp/takeover/wipe.h"

static int down_devs(struct ivb_dp *dp, const struct ivb_down *down, struct ivb_down_result *ret,
		     struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	_cleanup_free_ bool *wanted = NULL;
	size_t n, i, d, left = 0;
	int r;

	r = ivb_attached_list(dp, &a, &n, err);
	if (r)
		return r;
	wanted = calloc(n + 1, sizeof(*wanted));
	if (!wanted)
		return -ENOMEM;
	for (d = 0; d < down->num_devs; d++) {
		for (i = 0; i < n; i++) {
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

	if (ivb_attached_list(dp, &a, &n, NULL) || !n)
		return false;
	for (i = 0; i < n; i++) {
		/*
		 * A link that is gone or missing runs nowhere; of filters elsewhere nothing is
		 * known.
		 */
		if (!ivb_attached_by_link(a[i].kind) ||
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
