/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another build's programs give way to this one's: loaded beside them with the same maps, pinned as
 * next-<name>, put in their places, and only then renamed. At every moment each place has one.
 */
#include "dp/takeover/renew_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks_int.h"
#include "dp/follow/hooks.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/build_int.h"
#include "dp/load/build.h"
#include "dp/load/load_int.h"
#include "dp/load/prog_int.h"
#include "dp/load/zones_int.h"

struct renewal {
	struct ivb_dp *dp;
	struct ivb_err *err;
};

static int load_zone(__u32 zone, void *arg)
{
	struct renewal *n = arg;

	return ivb_load_zone(n->dp, zone, IVB_LOAD_RENEW, n->err);
}

static int replace_all(struct ivb_dp *dp, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	size_t n = 0, i;
	int r = ivb_attached_list(dp, &a, &n, err);

	for (i = 0; !r && i < n; i++) {
		if (a[i].state == IVB_ATTACHED)
			r = ivb_attach_renew(dp, &a[i], err);
	}
	return r;
}

static bool is_next(const char *name)
{
	return !strncmp(name, IVB_PIN_NEXT, strlen(IVB_PIN_NEXT));
}

static int find_next(const char *name, void *arg)
{
	(void)arg;
	return is_next(name);
}

/* From behind next- to its name's place, whose former owner goes. */
static int rename_next(const char *name, void *arg)
{
	char from[IVB_PIN_PATH_LEN], to[IVB_PIN_PATH_LEN];
	struct renewal *n = arg;

	if (!is_next(name))
		return 0;
	ivb_pin_path(from, sizeof(from), n->dp, name);
	ivb_pin_path(to, sizeof(to), n->dp, name + strlen(IVB_PIN_NEXT));
	return rename(from, to) ? ivb_err(n->err, -errno, "cannot rename %s: %m", from) : 0;
}

/* Also what one that was killed has left: its programs are whole, and may be attached already. */
static int put_in_place(struct renewal *n)
{
	int r = ivb_pins_list(n->dp->path, find_next, NULL);

	if (r <= 0)
		return r ? ivb_err(n->err, r, "cannot list %s: %s", n->dp->path, strerror(-r)) : 0;
	r = replace_all(n->dp, n->err);
	if (!r)
		r = ivb_pins_list(n->dp->path, rename_next, n);
	/* The expiry timers get the new code. */
	return r ? r : ivb_prog_arm_all(n->dp, n->err);
}

int ivb_renew(struct ivb_dp *dp, bool hooks, bool *ret_done, struct ivb_err *err)
{
	struct renewal n = { .dp = dp, .err = err };
	int r;

	if (ivb_build_is_own(dp)) {
		*ret_done = false;
		return 0;
	}
	r = put_in_place(&n);
	if (!r)
		r = ivb_build_set(dp, IVB_BUILD_SEVERAL, err);
	if (!r)
		r = ivb_zones_each(dp, load_zone, &n);
	if (!r)
		r = put_in_place(&n);
	if (!r && hooks && ivb_hooks_state(dp) == IVB_HOOKS_ALL)
		r = ivb_hooks_renew(dp, err);
	if (!r)
		r = ivb_build_set(dp, IVB_BUILD_OWN, err);
	if (r)
		return ivb_err_prefix(err, r, "putting this build's programs in place");
	*ret_done = true;
	return 0;
}
