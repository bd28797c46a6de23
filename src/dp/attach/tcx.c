/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching by tcx links, where the kernel has them (Linux 6.6). */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/place_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"
#include "dp/instance/sysbpf_int.h"

static int tcx_type(const struct ivb_side *side)
{
	return side->egress ? IVB_BPF_TCX_EGRESS : IVB_BPF_TCX_INGRESS;
}

/* Until it is pinned, the link ends with this process: nothing to undo. */
static int add_link(const struct ivb_dp *dp, const struct ivb_side *side, int prog_fd,
		    __u32 ifindex, struct ivb_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	fd = bpf_link_create(prog_fd, (int)ifindex, tcx_type(side), &opts);
	if (fd < 0)
		return ivb_err(err, -errno, "tcx: %m");
	ivb_place_path(path, sizeof(path), dp, side->suffix, ifindex);
	if (bpf_obj_pin(fd, path))
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	return 0;
}

static int attach_link(struct ivb_dp *dp, int prog_fd, __u32 ifindex, __u32 zone,
		       struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];
	int r = add_link(dp, &ivb_side_ingress, prog_fd, ifindex, err);

	if (r)
		return r;
	r = ivb_place_set_dev(dp, ifindex, zone, IVB_ATTACH_TCX, err);
	if (r) {
		ivb_place_path(path, sizeof(path), dp, ivb_side_ingress.suffix, ifindex);
		unlink(path);
	}
	return r;
}

static int detach_link(const struct ivb_dp *dp, __u32 ifindex, struct ivb_err *err)
{
	return ivb_place_unlink(dp, &ivb_side_ingress, ifindex, err);
}

/* The link itself gets our program, and keeps its place among others. */
static int replace_link(const struct ivb_dp *dp, const struct ivb_dp *old,
			const struct ivb_side *side, int prog_fd, __u32 ifindex,
			struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN], old_path[IVB_PIN_PATH_LEN];
	_cleanup_close_ int fd = -1;

	ivb_place_path(old_path, sizeof(old_path), old, side->suffix, ifindex);
	fd = bpf_obj_get(old_path);
	if (fd < 0 && errno == ENOENT) /* an interrupted `up` has done it */
		return 0;
	if (fd < 0)
		return ivb_err(err, -errno, "cannot open %s: %m", old_path);
	/* The device may be gone: then only the pins have to go. */
	if (bpf_link_update(fd, prog_fd, NULL) && errno != ENOLINK)
		return ivb_err(err, -errno, "cannot replace the program of %s: %m", old_path);
	ivb_place_path(path, sizeof(path), dp, side->suffix, ifindex);
	if (bpf_obj_pin(fd, path) && errno != EEXIST)
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	if (unlink(old_path) && errno != ENOENT)
		return ivb_err(err, -errno, "cannot remove %s: %m", old_path);
	return 0;
}

static int renew_link(const struct ivb_dp *dp, const struct ivb_side *side, int prog_fd,
		      __u32 ifindex, struct ivb_err *err)
{
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	ivb_place_path(path, sizeof(path), dp, side->suffix, ifindex);
	fd = bpf_obj_get(path);
	if (fd < 0 || (bpf_link_update(fd, prog_fd, NULL) && errno != ENOLINK))
		return ivb_err(err, -errno, "cannot replace the program of %s: %m", path);
	return 0;
}

/* Whether the device of that index here carries the link. */
static bool carries_link(__u32 ifindex, int type, __u32 link_id)
{
	struct ivb_tcx on[IVB_TCX_MAX];
	__u32 n, i;

	if (ivb_sysbpf_tcx_query(ifindex, type, on, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (on[i].link_id == link_id)
			return true;
	}
	return false;
}

static enum ivb_attachment_state look_at_ingress(const struct ivb_dp *dp,
						 const struct ivb_attachment *a)
{
	__u32 link_id, prog_id, ifindex;
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	ivb_place_path(path, sizeof(path), dp, ivb_side_ingress.suffix, a->ifindex);
	fd = bpf_obj_get(path);
	if (fd < 0 || ivb_sysbpf_tcx_link_info(fd, &link_id, &prog_id, &ifindex))
		return IVB_ATTACH_MISSING;
	if (carries_link(a->ifindex, IVB_BPF_TCX_INGRESS, link_id))
		return a->state;
	if (ifindex)
		return IVB_ATTACH_MOVED;
	return a->name[0] ? IVB_ATTACH_MISSING : IVB_ATTACH_GONE;
}

static bool egress_lives(const struct ivb_dp *dp, __u32 at)
{
	__u32 link_id, prog_id, ifindex;
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	ivb_place_path(path, sizeof(path), dp, ivb_side_egress.suffix, at);
	fd = bpf_obj_get(path);
	return fd >= 0 && !ivb_sysbpf_tcx_link_info(fd, &link_id, &prog_id, &ifindex) &&
	       carries_link(at, IVB_BPF_TCX_EGRESS, link_id);
}

static void look(const struct ivb_dp *dp, struct ivb_attachment *a)
{
	a->state = look_at_ingress(dp, a);
	a->egress = egress_lives(dp, a->ifindex);
}

const struct ivb_attach_ops ivb_tcx_ops = {
	.name = "tcx",
	.by_link = true,
	.supported = ivb_sysbpf_tcx_supported,
	.attach = attach_link,
	.detach = detach_link,
	.add = add_link,
	.remove = ivb_place_unlink,
	.replace = replace_link,
	.renew = renew_link,
	.look = look,
};
