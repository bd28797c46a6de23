/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching by filters of the clsact qdisc, for kernels before 6.6. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/place_int.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"
#include "dp/load/zones_int.h"
#include "nl/tc.h"

#define MARKER "-clsact" /* suffix of a folder among the links: the qdisc is ours */

static enum bpf_tc_attach_point point(const struct ivb_side *side)
{
	return side->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static __u32 priority(const struct ivb_side *side)
{
	return IVB_FILTER_PRIORITY + side->behind;
}

/* -EEXIST: the place is taken by somebody else; -EALREADY: by a program of ours. */
static int check_filter_place(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
			      struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = priority(side));
	char name[IF_NAMESIZE] = "?";
	__u32 zone;
	int r = bpf_tc_query(&hook, &opts);

	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (!r && !ivb_zone_of(dp, opts.prog_id, &zone))
		return -EALREADY;
	/* Not a BPF filter: the query fails in its own ways. */
	if_indextoname(ifindex, name);
	return ivb_err(
		err, -EEXIST,
		"another filter has our place, priority %d and handle %d at clsact %s (see: tc "
		"filter show dev %s %s); if it is not needed, or was left behind by ipvs-bpf, "
		"remove it with: tc filter del dev %s %s pref %d",
		priority(side), IVB_FILTER_HANDLE, side->name, name, side->name, name, side->name,
		priority(side));
}

static int count_filter(const struct ivb_tc_filter *f, void *arg)
{
	(void)f;
	++*(int *)arg;
	return 0;
}

/* Removes the clsact if we made it and nothing is on it. */
static void drop_clsact(const struct ivb_dp *dp, __u32 ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS));
	char path[IVB_PIN_PATH_LEN];
	int filters = 0;

	ivb_place_path(path, sizeof(path), dp, MARKER, ifindex);
	if (access(path, F_OK))
		return;
	if (!ivb_tc_filters(ifindex, count_filter, &filters) && !filters)
		bpf_tc_hook_destroy(&hook);
	/* Last, so that an interrupted `down` leaves nothing that the next one would not find. */
	rmdir(path);
}

/* A clsact that is there is not made by us: it stays. */
static int make_clsact(const struct ivb_dp *dp, __u32 ifindex, struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	char path[IVB_PIN_PATH_LEN];
	bool have;
	int r = ivb_tc_has_clsact(ifindex, &have);

	if (r)
		return ivb_err(err, r, "cannot list the device's qdiscs: %s", strerror(-r));
	if (have)
		return 0;
	/* The marker first: without qdisc it means nothing. */
	ivb_place_path(path, sizeof(path), dp, MARKER, ifindex);
	if (mkdir(path, 0700) && errno != EEXIST)
		return ivb_err(err, -errno, "cannot make %s: %m", path);
	r = bpf_tc_hook_create(&hook);
	if (r) {
		rmdir(path);
		return ivb_bpflog_err(err, r, "cannot add a clsact qdisc");
	}
	return 0;
}

static int add_filter(const struct ivb_dp *dp, const struct ivb_side *side, int prog_fd,
		      __u32 ifindex, struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = priority(side),
		    .prog_fd = prog_fd);
	int r = check_filter_place(dp, side, ifindex, err);

	if (r == -EALREADY)
		opts.flags = BPF_TC_F_REPLACE;
	else if (r)
		return r;
	r = bpf_tc_attach(&hook, &opts);
	if (r)
		return ivb_bpflog_err(err, r, "cannot add a clsact filter");
	return 0;
}

static int attach_filter(struct ivb_dp *dp, int prog_fd, __u32 ifindex, __u32 zone,
			 struct ivb_err *err)
{
	int r;

	ivb_bpflog_start();
	/* The entry first, for a `down` after an interruption to know where to look. */
	r = ivb_place_set_dev(dp, ifindex, zone, IVB_ATTACH_CLSACT, err);
	if (r)
		return r;
	r = make_clsact(dp, ifindex, err);
	if (r)
		goto undo_dev;
	r = add_filter(dp, &ivb_side_ingress, prog_fd, ifindex, err);
	if (r)
		goto undo_clsact;
	return 0;
undo_clsact:
	drop_clsact(dp, ifindex);
undo_dev:
	bpf_map_delete_elem(dp->fds[IVB_MAP_DEVS], &ifindex);
	return r;
}

/* Only a filter with one of our programs. */
static int remove_filter(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
			 struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = priority(side));
	char name[IF_NAMESIZE];
	int r;

	/* Another device that has got the same index since then is none of ours. */
	if (!if_indextoname(ifindex, name) ||
	    check_filter_place(dp, side, ifindex, NULL) != -EALREADY)
		return 0;
	ivb_bpflog_start();
	r = bpf_tc_detach(&hook, &opts);
	if (r && r != -ENOENT)
		return ivb_bpflog_err(err, r, "cannot remove the clsact filter of %s", name);
	return 0;
}

/* A filter of nobody's place, or of another's: left as it is, for `up` to find it missing. */
static int replace_filter(const struct ivb_dp *dp, const struct ivb_dp *old,
			  const struct ivb_side *side, int prog_fd, __u32 ifindex,
			  struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = priority(side),
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	char path[IVB_PIN_PATH_LEN];
	int r;

	ivb_place_path(path, sizeof(path), old, MARKER, ifindex);
	if (!access(path, F_OK)) {
		ivb_place_path(path, sizeof(path), dp, MARKER, ifindex);
		if (mkdir(path, 0700) && errno != EEXIST)
			return ivb_err(err, -errno, "cannot make %s: %m", path);
	}
	if (check_filter_place(old, side, ifindex, NULL) != -EALREADY)
		return 0;
	r = bpf_tc_attach(&hook, &opts);
	return r ? ivb_bpflog_err(err, r, "cannot replace a clsact filter") : 0;
}

static int remove_all(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
		      struct ivb_err *err)
{
	/* An interrupted `up` on a kernel with tcx may have left one. */
	int r = ivb_place_unlink(dp, side, ifindex, err);

	return r ? r : remove_filter(dp, side, ifindex, err);
}

static int detach_filter(const struct ivb_dp *dp, __u32 ifindex, struct ivb_err *err)
{
	int r = remove_all(dp, &ivb_side_ingress, ifindex, err);

	if (!r)
		drop_clsact(dp, ifindex);
	return r;
}

struct filter_search {
	const struct ivb_dp *dp;
	bool ingress, egress; /* found */
};

static int match_filter(const struct ivb_tc_filter *f, void *arg)
{
	struct filter_search *s = arg;
	__u32 zone;

	if (f->priority == IVB_FILTER_PRIORITY && f->handle == IVB_FILTER_HANDLE && f->prog_id &&
	    !ivb_zone_of(s->dp, f->prog_id, &zone)) {
		if (f->egress)
			s->egress = true;
		else
			s->ingress = true;
	}
	return 0;
}

static void look(const struct ivb_dp *dp, struct ivb_attachment *a)
{
	struct filter_search s = { .dp = dp };

	/* A filter goes with its device, also when that moves to another namespace. */
	if (!a->name[0])
		a->state = IVB_ATTACH_GONE;
	else if (ivb_tc_filters(a->ifindex, match_filter, &s) || !s.ingress)
		a->state = IVB_ATTACH_MISSING;
	else
		a->egress = s.egress;
}

static bool always(void)
{
	return true;
}

const struct ivb_attach_ops ivb_clsact_ops = {
	.name = "clsact",
	.marker = MARKER,
	.supported = always,
	.attach = attach_filter,
	.detach = detach_filter,
	.add = add_filter,
	.remove = remove_all,
	.replace = replace_filter,
	.renew = add_filter,
	.look = look,
};
