/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setting an instance up, or changing it. Everything is checked before anything is made. */
#include "dp/setup/up.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks_int.h"
#include "dp/follow/hooks.h"
#include "dp/follow/notrack_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"
#include "dp/load/build_int.h"
#include "dp/load/load_int.h"
#include "dp/load/prog_int.h"
#include "dp/load/zones_int.h"
#include "dp/setup/host.h"
#include "dp/setup/plan_int.h"
#include "dp/takeover/renew_int.h"
#include "dp/takeover/takeover_int.h"
#include "dp/takeover/wipe.h"
#include "nl/link.h"
#include "nl/xfrm.h"

/* One `up` on its way. */
struct job {
	const struct ivb_up *up;
	struct ivb_dp *dp;
	struct ivb_up_result *res;
	struct ivb_plan *plan;
	bool new_zone;
};

static int find_devs(const struct ivb_up *up, struct ivb_up_result *res, struct ivb_err *err)
{
	struct ivb_link l;
	size_t i, k;
	int r;

	for (i = 0; i < up->num_devs; i++) {
		r = ivb_host_check_dev(up->devs[i], &l, err);
		if (r)
			return r;
		for (k = 0; k < res->num_devs && res->devs[k].ifindex != l.ifindex; k++)
			;
		if (k < res->num_devs)
			continue;
		if (k == IVB_MAX_DEVS)
			return ivb_err(err, -E2BIG, "more than %d devices", IVB_MAX_DEVS);
		res->devs[k].ifindex = l.ifindex;
		memcpy(res->devs[k].name, l.name, sizeof(l.name));
		res->num_devs++;
	}
	return 0;
}

static int check_host(const struct ivb_up *up, struct ivb_err *err)
{
	__u32 policies = 0;
	int r = ivb_host_check_btf(err);

	if (r)
		return r;
	r = ivb_xfrm_policies(&policies);
	if (r)
		return ivb_err(err, r, "cannot list the IPsec policies: %s", strerror(-r));
	if (policies && !up->ignore_xfrm)
		return ivb_err(
			err, -EOPNOTSUPP,
			"there %s (ip xfrm policy), and what is carried would leave unencrypted; if "
			"that is not meant for it, add --ignore-xfrm",
			policies == 1 ? "is an IPsec policy" : "are IPsec policies");
	return 0;
}

static __u32 round_up(__u32 n)
{
	__u32 p = IVB_MAX_CONNS_MIN;

	while (p < n)
		p *= 2;
	return p;
}

static int check_running(const struct job *j, struct ivb_err *err)
{
	const struct ivb_meta *m = &j->dp->meta;
	int r = ivb_dp_check_maps(j->dp, err);

	if (!r)
		r = ivb_dp_check_netns(j->dp, err);
	if (r)
		return r;
	if (j->up->max_conns && round_up(j->up->max_conns) != m->max_conns)
		return ivb_err(
			err, -EBUSY,
			"--max-conns cannot be changed while the instance is up (it is %u): the table "
			"has been made; use `ipvs-bpf down` first",
			m->max_conns);
	if (j->up->max_conns6 && round_up(j->up->max_conns6) != m->max_conns6) {
		if (ivb_dp_has_v6(j->dp))
			return ivb_err(
				err, -EBUSY,
				"--max-conns6 cannot be changed after the first IPv6 service (it is "
				"%u): the table has been made; use `ipvs-bpf down` first",
				m->max_conns6);
		return ivb_err(
			err, -EBUSY,
			"--max-conns6 cannot be changed while the instance is up (it is %u); use "
			"`ipvs-bpf down` first",
			m->max_conns6);
	}
	return 0;
}

/* Kernel IPVS may have an IPv6 service at any time, with no process of ours to see it. */
static unsigned int what_to_load(const struct job *j)
{
	if (j->plan->config.flags & IVB_CONFIG_IPVS)
		return IVB_LOAD_EGRESS | IVB_LOAD_V6;
	return ivb_dp_has_v6(j->dp) ? IVB_LOAD_V6 : 0;
}

static int load_fresh(struct job *j, struct ivb_err *err)
{
	struct ivb_meta *m = &j->dp->meta;
	int r;

	*m = (struct ivb_meta){
		.max_conns = round_up(j->up->max_conns ? j->up->max_conns : IVB_MAX_CONNS_DEFAULT),
		.max_conns6 =
			round_up(j->up->max_conns6 ? j->up->max_conns6 : IVB_MAX_CONNS_DEFAULT),
	};
	r = ivb_netns_cookie(&m->netns_cookie);
	if (r)
		return ivb_err(err, r, "cannot tell the network namespace: %s", strerror(-r));
	r = ivb_load_defaults(m, err);
	if (r)
		return r;
	r = ivb_plan(j->dp, j->up, /* fresh= */ true, j->plan, err);
	if (r)
		return r;
	r = ivb_load_zone(j->dp, j->up->zone, what_to_load(j), err);
	if (r)
		return r;
	r = ivb_plan_write(j->dp, j->plan, err);
	if (!r)
		r = ivb_build_set(j->dp, IVB_BUILD_OWN, err);
	if (r)
		return r;
	/* From here the instance counts as made. */
	return ivb_dp_write_meta(j->dp, err);
}

static int load_running(struct job *j, struct ivb_err *err)
{
	int fd, r;

	if (!j->up->num_devs)
		return ivb_prog_arm_all(j->dp, err);
	j->new_zone = ivb_zone_prog(j->dp, j->up->zone, &fd) == -ENOENT;
	if (!j->new_zone)
		close(fd);
	r = ivb_load_zone(j->dp, j->up->zone, what_to_load(j), err);
	if (r)
		return r;
	return ivb_prog_arm_all(j->dp, err);
}

static struct ivb_up_dev *find_dev(struct job *j, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < j->res->num_devs; i++) {
		if (j->res->devs[i].ifindex == ifindex)
			return &j->res->devs[i];
	}
	return NULL;
}

/* A device that is attached properly in another zone cannot change it under its connections. */
static int check_zones(struct job *j, const struct ivb_attachment *a, size_t n, struct ivb_err *err)
{
	struct ivb_up_dev *dev;
	size_t i;

	for (i = 0; i < n; i++) {
		dev = find_dev(j, a[i].ifindex);
		if (!dev || a[i].state != IVB_ATTACHED)
			continue;
		if (a[i].zone != j->up->zone)
			return ivb_err(
				err, -EBUSY,
				"%s is attached in zone %u, not %u; use `ipvs-bpf down %s` first",
				dev->name, a[i].zone, j->up->zone, dev->name);
		dev->was_attached = true;
		dev->kind = a[i].kind;
	}
	return 0;
}

/* Clears away remains: of devices that are gone, and of what is to be attached anew. */
static int clean_up(struct job *j, const struct ivb_attachment *a, size_t n, struct ivb_err *err)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		if (a[i].state == IVB_ATTACHED ||
		    (a[i].state == IVB_ATTACH_MISSING && !find_dev(j, a[i].ifindex)))
			continue;
		r = ivb_detach(j->dp, &a[i], err);
		if (r)
			return r;
	}
	return 0;
}

static void detach_new(struct job *j, size_t n)
{
	while (n--) {
		struct ivb_attachment a = { .ifindex = j->res->devs[n].ifindex,
					    .kind = j->res->devs[n].kind };

		if (!j->res->devs[n].was_attached)
			ivb_detach(j->dp, &a, NULL);
	}
}

static int attach_devs(struct job *j, struct ivb_err *err)
{
	struct ivb_up_dev *dev;
	size_t i;
	int r;

	for (i = 0; i < j->res->num_devs; i++) {
		dev = &j->res->devs[i];
		if (dev->was_attached)
			continue;
		r = ivb_attach(j->dp, dev->ifindex, dev->name, j->up->zone, &dev->kind, err);
		if (r) {
			detach_new(j, i);
			return r;
		}
	}
	return 0;
}

static int load_egress(__u32 zone, void *arg)
{
	struct job *j = arg;

	return ivb_load_zone(j->dp, zone, IVB_LOAD_EGRESS | IVB_LOAD_V6, NULL);
}

/* The egress program on every device of ours, or on none. */
static int set_egress(struct job *j, bool on, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	size_t n = 0, i;
	int r = ivb_attached_list(j->dp, &a, &n, err);

	for (i = 0; i < n && !r; i++) {
		if (a[i].state != IVB_ATTACHED)
			continue;
		if (on && !a[i].egress)
			r = ivb_attach_egress(j->dp, a[i].ifindex, a[i].name, a[i].zone, err);
		else if (!on)
			r = ivb_detach_egress(j->dp, &a[i], err);
	}
	return r;
}

static int set_egress_on(void *arg, struct ivb_err *err)
{
	return set_egress(arg, /* on= */ true, err);
}

/*
 * The egress program just before the hooks: it drops what kernel IPVS sends and nobody tells it of,
 * as a connection that is SNATed at its beginning must be so to its end.
 */
static int follow(struct job *j, struct ivb_err *err)
{
	struct ivb_err why = { 0 };
	int r;

	j->res->ipvs = true;
	r = ivb_zones_each(j->dp, load_egress, j);
	if (r)
		return ivb_err(err, r, "cannot load the programs of the ipvs engine: %s",
			       strerror(-r));
	if (ivb_hooks_state(j->dp) == IVB_HOOKS_ALL)
		return set_egress(j, /* on= */ true, err);
	r = ivb_hooks_attach(j->dp, set_egress_on, j, &why);
	if (r == -ENOENT) {
		j->res->ipvs_off = true;
		return set_egress(j, /* on= */ true, err);
	}
	if (err)
		*err = why;
	return r;
}

static int unfollow(struct job *j, struct ivb_err *err)
{
	int r = ivb_hooks_detach(j->dp, err);

	return r ? r : set_egress(j, /* on= */ false, err);
}

/* While there are hooks: without them nobody knows of connections. */
static int set_notrack(struct job *j, struct ivb_err *err)
{
	bool on = j->plan->config.flags & IVB_CONFIG_NOTRACK && !j->res->ipvs_off;

	if (on)
		return ivb_notrack_on(j->dp, err);
	return j->plan->had_notrack ? ivb_notrack_off(err) : 0;
}

static int set_ipvs(struct job *j, struct ivb_err *err)
{
	int r;

	if (j->plan->config.flags & IVB_CONFIG_IPVS) {
		r = follow(j, err);
		return r ? r : set_notrack(j, err);
	}
	r = set_notrack(j, err);
	return r ? r : unfollow(j, err);
}

static int up_running(struct job *j, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_attachment *a = NULL;
	size_t n;
	int r;

	r = check_running(j, err);
	if (!r)
		r = ivb_attached_list(j->dp, &a, &n, err);
	if (!r)
		r = check_zones(j, a, n, err);
	if (!r)
		r = ivb_plan(j->dp, j->up, /* fresh= */ false, j->plan, err);
	if (!r)
		r = ivb_renew(j->dp, j->plan->config.flags & IVB_CONFIG_IPVS, &j->res->renewed,
			      err);
	if (!r)
		r = load_running(j, err);
	if (!r)
		r = clean_up(j, a, n, err);
	if (!r)
		r = attach_devs(j, err);
	if (!r) {
		r = ivb_plan_write(j->dp, j->plan, err);
		if (!r)
			r = set_ipvs(j, err);
		if (r)
			detach_new(j, j->res->num_devs);
	}
	if (r && j->new_zone)
		ivb_zone_unload(j->dp, j->up->zone);
	return r;
}

/* Signals that would end us wait until a step is done; what waits already is not ours to judge. */
static void hold_signals(sigset_t *held)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction act;
	sigset_t old;
	size_t i;

	sigemptyset(held);
	sigprocmask(SIG_SETMASK, NULL, &old);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!sigismember(&old, ends[i]) && !sigaction(ends[i], NULL, &act) &&
		    act.sa_handler != SIG_IGN)
			sigaddset(held, ends[i]);
	}
	sigprocmask(SIG_BLOCK, held, NULL);
}

static int interrupted(const sigset_t *held, struct ivb_err *err)
{
	sigset_t pending;

	sigpending(&pending);
	sigandset(&pending, &pending, held);
	return sigisemptyset(&pending) ? 0 : ivb_err(err, -EINTR, "interrupted; nothing is left");
}

static int up_fresh(struct job *j, const sigset_t *held, struct ivb_err *err)
{
	int r;

	j->res->fresh = true;
	/* What an interrupted `up` has left. */
	r = ivb_wipe(j->dp, /* ret= */ NULL, err);
	if (!r && !j->up->num_devs)
		r = ivb_err(err, -EINVAL, "instance %s is not up; name the devices to attach to",
			    j->up->instance);
	if (!r)
		r = ivb_pins_mkdir(j->dp->path, err);
	if (!r)
		r = load_fresh(j, err);
	if (!r)
		r = interrupted(held, err);
	if (!r)
		r = attach_devs(j, err);
	if (!r)
		r = interrupted(held, err);
	if (!r)
		r = set_ipvs(j, err);
	if (!r)
		r = interrupted(held, err);
	if (r) {
		ivb_wipe(j->dp, /* ret= */ NULL, /* err= */ NULL);
		ivb_pins_remove_instance(j->up->instance);
	}
	return r;
}

/* Of the instance as it is, or made anew; or of another version's. */
static int up_any(struct job *j, struct ivb_dp **ret, struct ivb_err *err)
{
	sigset_t held;
	int r;

	hold_signals(&held);
	r = ivb_dp_open_any(&j->dp, j->up->instance, IVB_LOCK_EXCLUSIVE, IVB_OPEN_CREATE, err);
	*ret = j->dp;
	if (!r)
		r = ivb_takeover(j->dp, j->up->instance, &j->res->took_over, err);
	if (!r && !ivb_dp_is_complete(j->dp)) {
		r = up_fresh(j, &held, err);
		sigprocmask(SIG_UNBLOCK, &held, NULL); /* a signal that has waited ends us here */
		return r;
	}
	sigprocmask(SIG_UNBLOCK, &held, NULL);
	return r ? r : up_running(j, err);
}

int ivb_dp_up(const struct ivb_up *up, struct ivb_up_result *ret, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_plan *plan = calloc(1, sizeof(*plan));
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_up_result res = { 0 };
	struct job j = { .up = up, .res = &res, .plan = plan };
	int r;

	if (!plan)
		return -ENOMEM;
	/* First whether we may at all: what follows would fail in less clear ways. */
	r = ivb_pins_check_name(up->instance, err);
	if (!r)
		r = ivb_pins_check_lasting(err);
	if (!r)
		r = find_devs(up, &res, err);
	if (!r)
		r = check_host(up, err);
	if (!r)
		r = up_any(&j, &dp, err);
	if (r)
		return r;
	res.flags = plan->config.flags;
	res.num_snat_ports = plan->config.num_snat_ports;
	res.no_timer = dp->no_timer;
	if (!plan->config.num_snat_addrs[0])
		res.shared_ports = plan->shared_ports;
	*ret = res;
	return 0;
}
