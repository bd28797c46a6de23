/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of attaching share: sides of a device, pins of links, entries in devs. */
#include "dp/attach/place_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"

const struct ivb_side ivb_side_ingress = { .suffix = "", .name = "ingress" };
const struct ivb_side ivb_side_egress = { .suffix = "-egress", .name = "egress", .egress = true };
const struct ivb_side ivb_side_after = { .suffix = "-after", .name = "ingress", .behind = true };

void ivb_place_path(char *buf, size_t size, const struct ivb_dp *dp, const char *suffix,
		    __u32 ifindex)
{
	snprintf(buf, size, "%s/links/%u%s", dp->path, ifindex, suffix);
}

int ivb_place_set_dev(const struct ivb_dp *dp, __u32 ifindex, __u32 zone, enum ivb_attach kind,
		      struct ivb_err *err)
{
	struct ivb_dev dev = { .zone = zone, .kind = kind };

	if (bpf_map_update_elem(dp->fds[IVB_MAP_DEVS], &ifindex, &dev, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/devs: %m", dp->path);
	return 0;
}

int ivb_place_unlink(const struct ivb_dp *dp, const struct ivb_side *side, __u32 ifindex,
		     struct ivb_err *err)
{
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	ivb_place_path(path, sizeof(path), dp, side->suffix, ifindex);
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
