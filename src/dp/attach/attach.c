/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching to and detaching from devices, by whichever kind (kind.c). */
#include "dp/attach/attach_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/kind_int.h"
#include "dp/attach/place_int.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/zones_int.h"

int ivb_attach(struct ivb_dp *dp, __u32 ifindex, const char *name, __u32 zone,
	       enum ivb_attach *ret_kind, struct ivb_err *err)
{
	enum ivb_attach kind = ivb_kind_best();
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
	r = ivb_kind_ops(kind)->attach(dp, prog_fd, ifindex, zone, err);
	if (r)
		return ivb_err_prefix(err, r, "cannot attach to %s", name);
	*ret_kind = kind;
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
	r = ivb_place_unlink(dp, &ivb_side_egress, ifindex, err);
	if (!r)
		r = ivb_kind_ops(ivb_kind_best())->add(dp, &ivb_side_egress, prog_fd, ifindex, err);
	return r ? ivb_err_prefix(err, r, "cannot attach to %s (egress)", name) : 0;
}

int ivb_detach_egress(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	return ivb_kind_ops(a->kind)->remove(dp, &ivb_side_egress, a->ifindex, err);
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
	r = ivb_kind_ops(dev->kind)->add(dp, &ivb_side_after, prog_fd, ifindex, err);
	return r ? ivb_err_prefix(err, r, "cannot attach to the device with index %u", ifindex) : 0;
}

int ivb_detach_after(const struct ivb_dp *dp, __u32 ifindex, __u32 kind, struct ivb_err *err)
{
	return ivb_kind_ops(kind)->remove(dp, &ivb_side_after, ifindex, err);
}

/* Egress first: what begins there is known at ingress by the program that is behind the old one. */
int ivb_attach_replace(struct ivb_dp *dp, const struct ivb_dp *old, __u32 ifindex,
		       const struct ivb_dev *dev, struct ivb_err *err)
{
	const struct ivb_attach_ops *ops = ivb_kind_ops(dev->kind);
	_cleanup_close_ int prog_fd = -1, egress_fd = -1;
	int r = ivb_zone_prog(dp, dev->zone, &prog_fd);

	if (!r)
		r = ivb_zone_egress(dp, dev->zone, &egress_fd);
	if (r && (r != -ENOENT || prog_fd < 0))
		return ivb_err(err, r, "cannot open the pinned program of zone %u: %s", dev->zone,
			       strerror(-r));
	ivb_bpflog_start();
	r = egress_fd < 0 ? 0 : ops->replace(dp, old, &ivb_side_egress, egress_fd, ifindex, err);
	if (!r)
		r = ops->replace(dp, old, &ivb_side_ingress, prog_fd, ifindex, err);
	return r ? r : ops->remove(dp, &ivb_side_after, ifindex, err);
}

/* One side of a device. The kernel exchanges a link's or filter's program at once. */
static int renew(const struct ivb_dp *dp, const struct ivb_side *side, const char *prog,
		 const struct ivb_attachment *a, struct ivb_err *err)
{
	_cleanup_close_ int prog_fd = ivb_zone_pin_get(dp, prog, a->zone);

	if (prog_fd == -ENOENT)
		return 0;
	if (prog_fd < 0)
		return ivb_err(err, prog_fd, "cannot open the pin %s/%s-%u: %s", dp->path, prog,
			       a->zone, strerror(-prog_fd));
	return ivb_kind_ops(a->kind)->renew(dp, side, prog_fd, a->ifindex, err);
}

int ivb_attach_renew(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	int r;

	ivb_bpflog_start();
	r = renew(dp, &ivb_side_ingress, IVB_PIN_NEXT "prog", a, err);
	return r || !a->egress ? r : renew(dp, &ivb_side_egress, IVB_PIN_NEXT "egress", a, err);
}

int ivb_detach(struct ivb_dp *dp, const struct ivb_attachment *a, struct ivb_err *err)
{
	int r = ivb_detach_egress(dp, a, err);

	if (!r)
		r = ivb_detach_after(dp, a->ifindex, a->kind, err);
	if (!r)
		r = ivb_kind_ops(a->kind)->detach(dp, a->ifindex, err);
	if (r)
		return r;
	if (dp->fds[IVB_MAP_DEVS] >= 0)
		bpf_map_delete_elem(dp->fds[IVB_MAP_DEVS], &a->ifindex);
	return 0;
}
