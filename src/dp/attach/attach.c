/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching to and detaching from devices. */
#include "dp/attach/attach_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/instance/sysbpf_int.h"
#include "dp/load/zones_int.h"
#include "nl/tc.h"

/* Where on a device: the program that all have, and that of the ipvs engine. */
struct side {
	int tcx_type;
	enum bpf_tc_attach_point point;
	const char *suffix; /* of the link's pin */
	const char *name;
	__u32 priority; /* of the filter */
};

static const struct side ingress = { IVB_BPF_TCX_INGRESS, BPF_TC_INGRESS, "", "ingress",
				     IVB_FILTER_PRIORITY };
static const struct side egress = { IVB_BPF_TCX_EGRESS, BPF_TC_EGRESS, "-egress", "egress",
				    IVB_FILTER_PRIORITY };
/* Ours behind another version's. */
static const struct side after = { IVB_BPF_TCX_INGRESS, BPF_TC_INGRESS, "-after", "ingress",
				   IVB_FILTER_PRIORITY + 1 };

static void link_path(char *buf, size_t size, const struct ivb_dp *dp, const struct side *side,
		      __u32 ifindex)
{
	snprintf(buf, size, "%s/links/%u%s", dp->path, ifindex, side->suffix);
}

static void marker_path(char *buf, size_t size, const struct ivb_dp *dp, __u32 ifindex)
{
	snprintf(buf, size, "%s/links/%u-clsact", dp->path, ifindex);
}

static int set_dev(const struct ivb_dp *dp, __u32 ifindex, __u32 zone, enum ivb_attach kind,
		   struct ivb_err *err)
{
	struct ivb_dev dev = { .zone = zone, .kind = kind };

	if (bpf_map_update_elem(dp->fds[IVB_MAP_DEVS], &ifindex, &dev, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/devs: %m", dp->path);
	return 0;
}

/* Until it is pinned, the link ends with this process: nothing to undo. */
static int add_link(const struct ivb_dp *dp, const struct side *side, int prog_fd, __u32 ifindex,
		    struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	fd = bpf_link_create(prog_fd, (int)ifindex, side->tcx_type, &opts);
	if (fd < 0)
		return ivb_err(err, -errno, "tcx: %m");
	link_path(path, sizeof(path), dp, side, ifindex);
	if (bpf_obj_pin(fd, path))
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	return 0;
}

static int attach_tcx(struct ivb_dp *dp, int prog_fd, __u32 ifindex, __u32 zone,
		      struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];
	int r = add_link(dp, &ingress, prog_fd, ifindex, err);

	if (r)
		return r;
	r = set_dev(dp, ifindex, zone, IVB_ATTACH_TCX, err);
	if (r) {
		link_path(path, sizeof(path), dp, &ingress, ifindex);
		unlink(path);
	}
	return r;
}

/* -EEXIST: the place is taken by somebody else; -EALREADY: by a program of ours. */
static int check_filter_place(const struct ivb_dp *dp, const struct side *side, __u32 ifindex,
			      struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = side->priority);
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
		side->priority, IVB_FILTER_HANDLE, side->name, name, side->name, name, side->name,
		side->priority);
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

	marker_path(path, sizeof(path), dp, ifindex);
	if (access(path, F_OK))
		return;
	if (!ivb_tc_filters(ifindex, count_filter, &filters) && !filters)
		bpf_tc_hook_destroy(&hook);
	/* Last, so that an interrupted `down` leaves nothing that the next one would not find. */
	rmdir(path);
}

/* Not made by us: it stays. */
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
	marker_path(path, sizeof(path), dp, ifindex);
	if (mkdir(path, 0700) && errno != EEXIST)
		return ivb_err(err, -errno, "cannot make %s: %m", path);
	r = bpf_tc_hook_create(&hook);
	if (r) {
		rmdir(path);
		return ivb_bpflog_err(err, r, "cannot add a clsact qdisc");
	}
	return 0;
}

static int add_filter(const struct ivb_dp *dp, const struct side *side, int prog_fd, __u32 ifindex,
		      struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = side->priority,
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

static int attach_clsact(struct ivb_dp *dp, int prog_fd, __u32 ifindex, __u32 zone,
			 struct ivb_err *err)
{
	int r;

	ivb_bpflog_start();
	/* The entry first, for a `down` after an interruption to know where to look. */
	r = set_dev(dp, ifindex, zone, IVB_ATTACH_CLSACT, err);
	if (r)
		return r;
	r = make_clsact(dp, ifindex, err);
	if (r)
		goto undo_dev;
	r = add_filter(dp, &ingress, prog_fd, ifindex, err);
	if (r)
		goto undo_clsact;
	return 0;
undo_clsact:
	drop_clsact(dp, ifindex);
undo_dev:
	bpf_map_delete_elem(dp->fds[IVB_MAP_DEVS], &ifindex);
	return r;
}

int ivb_attach(struct ivb_dp *dp, __u32 ifindex, const char *name, __u32 zone,
	       enum ivb_attach *ret_kind, struct ivb_err *err)
{
	enum ivb_attach kind = ivb_sysbpf_tcx_supported() ? IVB_ATTACH_TCX : IVB_ATTACH_CLSACT;
	_cleanup_close_ int prog_fd = -1;
	char path[IVB_PIN_PATH_LEN];
	int r = ivb_zone_prog(dp, zone, &prog_fd);

	if (r)
		return ivb_err(err, r, "cannot open the pinned program of zone %u: %s", zone,
			       strerror(-r));
	snprintf(path, sizeof(path), "%s/links", dp->path);
	r = ivb_pins_mkdir(path, err);
	if (r)
		return r;
	r = kind == IVB_ATTACH_TCX ? attach_tcx(dp, prog_fd, ifindex, zone, err)
				   : attach_clsact(dp, prog_fd, ifindex, zone, err);
	if (r)
		return ivb_err_prefix(err, r, "cannot attach to %s", name);
	*ret_kind = kind;
	return 0;
}

static int remove_link(const struct ivb_dp *dp, const struct side *side, __u32 ifindex,
		       struct ivb_err *err)
{
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	link_path(path, sizeof(path), dp, side, ifindex);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* Detached at once, whoever else holds the link. A dead one (-ENOLINK) only has to go. */
	if (fd >= 0)
		bpf_link_detach(fd);
	if (unlink(path) && errno != ENOENT)
		return ivb_err(err, -errno, "cannot remove %s: %m", path);
	return 0;
}

int ivb_attach_egress(struct ivb_dp *dp, __u32 ifindex, const char *name, __u32 zone,
		      struct ivb_err *err)
{
	_cleanup_close_ int prog_fd = -1;
	int r = ivb_zone_egress(dp, zone, &prog_fd);

	if (r)
		return ivb_err(err, r, "cannot open the pinned egress program of zone %u: %s", zone,
			       strerror(-r));
	ivb_bpflog_start();
	/* What somebody took from the device has left its pin. */
	r = remove_link(dp, &egress, ifindex, err);
	if (!r)
		r = ivb_sysbpf_tcx_supported() ? add_link(dp, &egress, prog_fd, ifindex, err)
					       : add_filter(dp, &egress, prog_fd, ifindex, err);
	return r ? ivb_err_prefix(err, r, "cannot attach to %s (egress)", name) : 0;
}

/* Only a filter with one of our programs. */
static int remove_filter(const struct ivb_dp *dp, const struct side *side, __u32 ifindex,
			 struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = side->priority);
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

int ivb_detach_egress(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	int r = remove_link(dp, &egress, a->ifindex, err);

	if (!r && a->kind == IVB_ATTACH_CLSACT)
		r = remove_filter(dp, &egress, a->ifindex, err);
	return r;
}

int ivb_attach_after(struct ivb_dp *dp, __u32 ifindex, const struct ivb_dev *dev,
		     struct ivb_err *err)
{
	_cleanup_close_ int prog_fd = -1;
	char path[IVB_PIN_PATH_LEN];
	int r = ivb_zone_after(dp, dev->zone, &prog_fd);

	if (r)
		return ivb_err(err, r, "cannot open the pinned program of zone %u: %s", dev->zone,
			       strerror(-r));
	snprintf(path, sizeof(path), "%s/links", dp->path);
	r = ivb_pins_mkdir(path, err);
	if (r)
		return r;
	ivb_bpflog_start();
	r = dev->kind == IVB_ATTACH_TCX ? add_link(dp, &after, prog_fd, ifindex, err)
					: add_filter(dp, &after, prog_fd, ifindex, err);
	return r ? ivb_err_prefix(err, r, "cannot attach to the device with index %u", ifindex) : 0;
}

int ivb_detach_after(const struct ivb_dp *dp, __u32 ifindex, __u32 kind, struct ivb_err *err)
{
	int r = remove_link(dp, &after, ifindex, err);

	return r || kind != IVB_ATTACH_CLSACT ? r : remove_filter(dp, &after, ifindex, err);
}

/* The link itself gets our program, and keeps its place among others. */
static int replace_link(const struct ivb_dp *dp, const struct ivb_dp *old, const struct side *side,
			int prog_fd, __u32 ifindex, struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN], old_path[IVB_PIN_PATH_LEN];
	_cleanup_close_ int fd = -1;

	link_path(old_path, sizeof(old_path), old, side, ifindex);
	fd = bpf_obj_get(old_path);
	if (fd < 0 && errno == ENOENT) /* an interrupted `up` has done it */
		return 0;
	if (fd < 0)
		return ivb_err(err, -errno, "cannot open %s: %m", old_path);
	/* The device may be gone: then only the pins have to go. */
	if (bpf_link_update(fd, prog_fd, NULL) && errno != ENOLINK)
		return ivb_err(err, -errno, "cannot replace the program of %s: %m", old_path);
	link_path(path, sizeof(path), dp, side, ifindex);
	if (bpf_obj_pin(fd, path) && errno != EEXIST)
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	if (unlink(old_path) && errno != ENOENT)
		return ivb_err(err, -errno, "cannot remove %s: %m", old_path);
	return 0;
}

/* A filter of nobody's place, or of another's: left as it is, for `up` to find it missing. */
static int replace_filter(const struct ivb_dp *dp, const struct ivb_dp *old,
			  const struct side *side, int prog_fd, __u32 ifindex, struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = IVB_FILTER_HANDLE, .priority = side->priority,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	char path[IVB_PIN_PATH_LEN];
	int r;

	marker_path(path, sizeof(path), old, ifindex);
	if (!access(path, F_OK)) {
		marker_path(path, sizeof(path), dp, ifindex);
		if (mkdir(path, 0700) && errno != EEXIST)
			return ivb_err(err, -errno, "cannot make %s: %m", path);
	}
	if (check_filter_place(old, side, ifindex, NULL) != -EALREADY)
		return 0;
	r = bpf_tc_attach(&hook, &opts);
	return r ? ivb_bpflog_err(err, r, "cannot replace a clsact filter") : 0;
}

static int replace(const struct ivb_dp *dp, const struct ivb_dp *old, const struct side *side,
		   int prog_fd, __u32 ifindex, const struct ivb_dev *dev, struct ivb_err *err)
{
	return dev->kind == IVB_ATTACH_TCX ? replace_link(dp, old, side, prog_fd, ifindex, err)
					   : replace_filter(dp, old, side, prog_fd, ifindex, err);
}

/* Egress first: what begins there is known at ingress by the program that is behind the old one. */
int ivb_attach_replace(struct ivb_dp *dp, const struct ivb_dp *old, __u32 ifindex,
		       const struct ivb_dev *dev, struct ivb_err *err)
{
	_cleanup_close_ int prog_fd = -1, egress_fd = -1;
	int r = ivb_zone_prog(dp, dev->zone, &prog_fd);

	if (!r)
		r = ivb_zone_egress(dp, dev->zone, &egress_fd);
	if (r && (r != -ENOENT || prog_fd < 0))
		return ivb_err(err, r, "cannot open the pinned program of zone %u: %s", dev->zone,
			       strerror(-r));
	ivb_bpflog_start();
	r = egress_fd < 0 ? 0 : replace(dp, old, &egress, egress_fd, ifindex, dev, err);
	if (!r)
		r = replace(dp, old, &ingress, prog_fd, ifindex, dev, err);
	return r ? r : ivb_detach_after(dp, ifindex, dev->kind, err);
}

/* Of this device's, on one side. The kernel exchanges a link's or filter's program at once. */
static int renew(const struct ivb_dp *dp, const struct side *side, const char *kind,
		 const struct ivb_attachment *a, struct ivb_err *err)
{
	_cleanup_close_ int prog_fd = ivb_zone_pin_get(dp, kind, a->zone), fd = -1;
	char path[IVB_PIN_PATH_LEN];

	if (prog_fd == -ENOENT)
		return 0;
	if (prog_fd < 0)
		return ivb_err(err, prog_fd, "cannot open the pin %s/%s-%u: %s", dp->path, kind,
			       a->zone, strerror(-prog_fd));
	if (a->kind == IVB_ATTACH_CLSACT)
		return add_filter(dp, side, prog_fd, a->ifindex, err);
	link_path(path, sizeof(path), dp, side, a->ifindex);
	fd = bpf_obj_get(path);
	if (fd < 0 || (bpf_link_update(fd, prog_fd, NULL) && errno != ENOLINK))
		return ivb_err(err, -errno, "cannot replace the program of %s: %m", path);
	return 0;
}

int ivb_attach_renew(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	int r;

	ivb_bpflog_start();
	r = renew(dp, &ingress, IVB_PIN_NEXT "prog", a, err);
	return r || !a->egress ? r : renew(dp, &egress, IVB_PIN_NEXT "egress", a, err);
}

int ivb_detach(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	int r = ivb_detach_egress(dp, a, err);

	if (!r)
		r = ivb_detach_after(dp, a->ifindex, a->kind, err);
	if (!r)
		r = remove_link(dp, &ingress, a->ifindex, err);
	if (!r && a->kind == IVB_ATTACH_CLSACT) {
		r = remove_filter(dp, &ingress, a->ifindex, err);
		if (!r)
			drop_clsact(dp, a->ifindex);
	}
	if (r)
		return r;
	if (dp->fds[IVB_MAP_DEVS] >= 0)
		bpf_map_delete_elem(dp->fds[IVB_MAP_DEVS], &a->ifindex);
	return 0;
}
