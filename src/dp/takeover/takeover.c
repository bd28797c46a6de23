/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of a takeover: at every moment one of the two instances is whole, and carries. */
#include "dp/takeover/takeover_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <ivb/progs.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/follow/hooks_int.h"
#include "dp/follow/hooks.h"
#include "dp/follow/notrack_int.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/build_int.h"
#include "dp/load/load_int.h"
#include "dp/load/prog_int.h"
#include "dp/load/zones_int.h"
#include "dp/takeover/wipe.h"

#define HOLD_S 3u /* longest hold; a table of a million takes 0.1 */
#define HOLD_FOR_GOOD_S 86400u
#define SETTLE_MS 10 /* programs that run already have ended by then */

static void close_all(struct ivb_takeover *t)
{
	int i;

	ivb_dp_close_maps(&t->old);
	for (i = 0; i < 2; i++) {
		free(t->taken[i]);
		if (t->take_fd[i] >= 0)
			close(t->take_fd[i]);
	}
}

static void settle(void)
{
	const struct timespec pause = { .tv_nsec = SETTLE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

struct zone_load {
	struct ivb_takeover *t;
	struct ivb_err *err;
};

static int load_zone(__u32 zone, void *arg)
{
	struct zone_load *l = arg;
	const struct ivb_dp *old = &l->t->old;

	return ivb_load_zone(l->t->dp, zone,
			     IVB_LOAD_TAKEOVER | (ivb_dp_has_v6(old) ? IVB_LOAD_V6 : 0) |
				     (ivb_zone_has_egress(old, zone) ? IVB_LOAD_EGRESS : 0),
			     l->err);
}

/* Calls fn for each device of ours that exists. */
static int for_devs(struct ivb_takeover *t,
		    int (*fn)(struct ivb_takeover *t, __u32 ifindex, const struct ivb_dev *dev,
			      struct ivb_err *err),
		    struct ivb_err *err)
{
	__u32 ifindex, *prev = NULL;
	char name[IF_NAMESIZE];
	struct ivb_dev dev;
	int r = 0;

	while (!r && !bpf_map_get_next_key(t->dp->fds[IVB_MAP_DEVS], prev, &ifindex)) {
		prev = &ifindex;
		if (if_indextoname(ifindex, name) &&
		    !bpf_map_lookup_elem(t->dp->fds[IVB_MAP_DEVS], &ifindex, &dev))
			r = fn(t, ifindex, &dev, err);
	}
	return r;
}

static int attach_after(struct ivb_takeover *t, __u32 ifindex, const struct ivb_dev *dev,
			struct ivb_err *err)
{
	return ivb_attach_after(t->dp, ifindex, dev, err);
}

static int replace(struct ivb_takeover *t, __u32 ifindex, const struct ivb_dev *dev,
		   struct ivb_err *err)
{
	return ivb_attach_replace(t->dp, &t->old, ifindex, dev, err);
}

/* The maps that are taken so. */
static int copy(const struct ivb_takeover *t, enum ivb_map_taken how, struct ivb_err *err)
{
	int id, r = 0;

	for (id = 0; !r && id < IVB_MAP_MAX_; id++) {
		if (ivb_map_rows[id].taken == how)
			r = ivb_takeover_map(t, (enum ivb_map)id, err);
	}
	return r;
}

static int get_take(struct ivb_takeover *t, struct ivb_err *err)
{
	t->take_fd[0] = ivb_pin_get(t->dp, "take4");
	t->take_fd[1] = ivb_dp_has_v6(t->dp) ? ivb_pin_get(t->dp, "take6") : -1;
	if (t->take_fd[0] < 0 || (ivb_dp_has_v6(t->dp) && t->take_fd[1] < 0))
		return ivb_err(err, -ENOENT, "no program %s/take4 or take6", t->dp->path);
	return 0;
}

/* What ours does while the old one carries; notrack: rules of netfilter's are ours. */
static int tell_own(const struct ivb_takeover *t, bool notrack, __u32 hold_s, struct ivb_err *err)
{
	struct ivb_config c;
	int r = ivb_config_get(t->dp, &c, err);

	if (r)
		return r;
	c.flags = (c.flags & ~(__u32)(IVB_CONFIG_NOTRACK | IVB_CONFIG_DRAIN)) |
		  (notrack ? IVB_CONFIG_NOTRACK : 0);
	c.hold_until = hold_s ? (ivb_dp_jiffies(t->dp) + hold_s * t->dp->meta.hz) | 1 : 0;
	return ivb_config_put(t->dp, &c, err);
}

/*
 * Our hooks beside the old ones: from here on none of kernel IPVS's connections ends unnoticed.
 * Whoever makes connections of ours without a packet (bpf/engine_ipvs/sync.h) has to wait.
 */
static int prepare_kernel(struct ivb_takeover *t, struct ivb_err *err)
{
	int r;

	t->kernel = ivb_hooks_state(&t->old) != IVB_HOOKS_NONE;
	r = tell_own(t, /* notrack= */ false, t->kernel ? HOLD_FOR_GOOD_S : 0, err);
	return r || !t->kernel ? r : ivb_hooks_attach_beside(t->dp, err);
}

/* Ours beside it, with all that commands have set; nobody can change that now. */
static int prepare(struct ivb_takeover *t, struct ivb_err *err)
{
	struct zone_load l = { .t = t, .err = err };
	int r = ivb_wipe(t->dp, /* ret= */ NULL, err);

	if (!r)
		r = ivb_pins_mkdir(t->dp->path, err);
	if (r)
		return r;
	t->dp->meta = (struct ivb_meta){ .netns_cookie = t->old.meta.netns_cookie,
					 .max_conns = t->old.meta.max_conns,
					 .max_conns6 = t->old.meta.max_conns6,
					 .editing = t->old.meta.editing,
					 .takes_over = (__u32)t->abi };
	r = ivb_load_defaults(&t->dp->meta, err);
	if (!r)
		r = ivb_takeover_old_check(t, err);
	if (!r)
		r = ivb_takeover_old_tell(t, false, 0, err);
	if (!r)
		r = ivb_zones_each(&t->old, load_zone, &l);
	if (!r)
		r = ivb_build_set(t->dp, IVB_BUILD_OWN, err);
	if (!r)
		r = get_take(t, err);
	if (!r)
		r = copy(t, IVB_TAKEN_SET, err);
	return r ? r : prepare_kernel(t, err);
}

/*
 * From the last pass on no connection begins: first packets are dropped, and come again. That ends
 * by itself, should we be killed.
 */
static int take_all(struct ivb_takeover *t, struct ivb_err *err)
{
	__u64 began;
	int r = ivb_takeover_conns(t, err);

	if (!r)
		r = for_devs(t, attach_after, err);
	if (!r)
		r = ivb_takeover_old_tell(t, false, HOLD_S, err);
	if (r)
		return r;
	began = ivb_clock_monotonic_ns();
	settle();
	r = copy(t, IVB_TAKEN_MOVING, err);
	if (!r)
		r = ivb_takeover_conns(t, err);
	if (!r)
		r = ivb_takeover_kernel_existed(t, err);
	if (!r)
		r = ivb_takeover_conns_counts(t, false, err);
	if (!r && ivb_clock_monotonic_ns() - began > (HOLD_S - 1) * 1000000000ull)
		r = ivb_err(err, -EAGAIN,
			    "too much was going on to take over the connections of %s; nothing has "
			    "been changed; try again",
			    t->old.path);
	if (r)
		ivb_takeover_old_tell(t, false, 0, NULL);
	return r;
}

/* The old one's timers stop when nothing of user space refers to their maps. */
static int remove_old(struct ivb_takeover *t, struct ivb_err *err)
{
	struct if_nameindex *all = if_nameindex(), *i;
	int r = 0;

	/* Of one that was killed: filters do not go with a pin. */
	for (i = all; !r && i && i->if_index; i++)
		r = ivb_detach_after(&t->old, i->if_index, IVB_ATTACH_CLSACT, err);
	if (all)
		if_freenameindex(all);
	if (r)
		return r;
	ivb_dp_close_maps(&t->old);
	ivb_pin_remove(&t->old, "hand4");
	ivb_pin_remove(&t->old, "hand6");
	return ivb_pins_remove(t->old.path, err);
}

static int end_zone(__u32 zone, void *arg)
{
	struct ivb_takeover *t = arg;
	_cleanup_close_ int fd = ivb_zone_pin_get(t->dp, "progs", zone);
	__u32 index = IVB_PROG_INGRESS4;
	char name[32];

	if (fd >= 0)
		bpf_map_delete_elem(fd, &index);
	snprintf(name, sizeof(name), "after-%u", zone);
	ivb_pin_remove(t->dp, name);
	return 0;
}

static int end(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = remove_old(t, err);

	if (r || !t->dp->meta.takes_over)
		return r;
	ivb_pin_remove(t->dp, "take4");
	ivb_pin_remove(t->dp, "take6");
	ivb_zones_each(t->dp, end_zone, t);
	t->dp->meta.takes_over = 0;
	return ivb_dp_write_meta(t->dp, err);
}

/* The rules of `up --notrack` ask our programs before packets come to them. */
static int set_notrack(struct ivb_takeover *t, struct ivb_err *err)
{
	struct ivb_config c;
	int r = ivb_takeover_old_get_one(t, IVB_MAP_CONFIG, &c, sizeof(c));

	if (r)
		return ivb_err(err, r, "cannot read the map %s/config: %s", t->old.path,
			       strerror(-r));
	if (!(c.flags & IVB_CONFIG_NOTRACK))
		return 0;
	r = tell_own(t, /* notrack= */ true, 0, err);
	return r || !t->kernel ? r : ivb_notrack_on(t->dp, err);
}

/* Whatever the old programs do not know comes to ours already. */
static int finish(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = set_notrack(t, err);

	if (!r)
		r = for_devs(t, replace, err);
	settle();
	if (!r)
		r = ivb_takeover_kernel_existed(t, err);
	if (!r)
		r = ivb_takeover_conns_rest(t, err);
	if (!r)
		r = ivb_prog_arm_all(t->dp, err);
	if (!r)
		r = end(t, err);
	return r ? ivb_err_prefix(err, r, "half way from ABI %d; use `up` again", t->abi) : 0;
}

static int begin(struct ivb_takeover *t, struct ivb_err *err)
{
	int r = prepare(t, err);

	if (!r)
		r = take_all(t, err);
	if (!r)
		r = ivb_dp_write_meta(t->dp, err);
	/*
	 * From here on it is ours that makes connections. What the old ones let go on comes to
	 * ours, but at egress: there they hold it back until ours are in their places.
	 */
	if (!r)
		r = tell_own(t, /* notrack= */ false, 0, err);
	if (!r)
		r = ivb_takeover_old_tell(t, true, t->kernel ? HOLD_FOR_GOOD_S : 0, err);
	if (r) {
		ivb_wipe(t->dp, /* ret= */ NULL, /* err= */ NULL);
		return r;
	}
	return finish(t, err);
}

/* An interrupted one: ours has connections of its own if the old one has been told to make none. */
static int resume(struct ivb_takeover *t, struct ivb_err *err)
{
	struct ivb_config c;
	int r = ivb_takeover_old_get_one(t, IVB_MAP_CONFIG, &c, sizeof(c));

	if (!r && !(c.flags & IVB_CONFIG_DRAIN))
		return begin(t, err);
	t->resumed = true;
	t->kernel = ivb_hooks_state(t->dp) != IVB_HOOKS_NONE;
	r = get_take(t, err);
	if (!r)
		r = ivb_takeover_conns_resume(t, err);
	return r ? r : finish(t, err);
}

int ivb_takeover(struct ivb_dp *dp, const char *instance, int *ret_abi, struct ivb_err *err)
{
	struct ivb_takeover t __cleanup(close_all) = { .dp = dp, .take_fd = { -1, -1 } };
	int r;

	t.abi = ivb_dp_other_abi(instance);
	if (!t.abi) {
		t.old.dir_fd = -1;
		*ret_abi = 0;
		return 0;
	}
	r = ivb_takeover_old_open(&t, instance, err);
	if (r)
		return r;
	/* Its remains: ours has taken over, or there is nothing to be taken over. */
	if (t.old.meta.abi != (__u32)t.abi) {
		r = end(&t, err);
		if (!r)
			*ret_abi = 0;
		return r;
	}
	r = ivb_dp_check_netns(&t.old, err);
	if (!r && ivb_dp_is_complete(dp))
		r = ivb_dp_check_whole(dp, instance, err);
	if (r)
		return r;
	r = ivb_dp_is_complete(dp) && dp->meta.takes_over == t.old.meta.abi ? resume(&t, err)
									    : begin(&t, err);
	if (!r)
		*ret_abi = t.abi;
	return r;
}
