/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which maps of an object are shared by pins, and under which names. */
#include "dp/load/mapset_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/instance_int.h"

static const char *const inner_maps[] = {
#define X(name) #name,
	IVB_INNER_MAPS(X)
#undef X
};

#define NUM_INNER (sizeof(inner_maps) / sizeof(inner_maps[0]))

static bool is_v6_map(const char *name)
{
	return name[strlen(name) - 1] == '6';
}

/* A pinned map is taken as it is; others are made, those of IPv6 only with its program. */
static int prepare_map(const struct ivb_dp *dp, struct bpf_object *obj, const char *name,
		       const char *pinned_as, bool v6, struct ivb_err *err)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int r;

	if (!map) /* not every object has all of them */
		return 0;
	if (is_v6_map(name) && !v6)
		return bpf_map__set_autocreate(map, false);
	fd = ivb_pin_get(dp, pinned_as);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return ivb_err(err, fd, "cannot open the pin %s/%s: %s", dp->path, pinned_as,
			       strerror(-fd));
	/* Those of abi.h have been looked at; this is for the inner ones. */
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != bpf_map__value_size(map))
		return ivb_err(
			err, -EPROTO,
			"the map %s/%s is not what this build's programs need, though its ABI "
			"is the same; use `ipvs-bpf down` first",
			dp->path, pinned_as);
	r = bpf_map__reuse_fd(map, fd);
	if (r)
		return ivb_err(err, r, "cannot use the map %s/%s: %s", dp->path, pinned_as,
			       strerror(-r));
	return 0;
}

static void progs_name(char *buf, size_t size, __u32 zone)
{
	snprintf(buf, size, "progs-%u", zone);
}

int ivb_mapset_prepare(const struct ivb_dp *dp, struct bpf_object *obj, __u32 zone, bool v6,
		       struct ivb_err *err)
{
	char name[32];
	size_t i;
	int r;

	for (i = 0; i < IVB_MAP_MAX_; i++) {
		r = prepare_map(dp, obj, ivb_map_names[i], ivb_map_names[i], v6, err);
		if (r)
			return r;
	}
	for (i = 0; i < NUM_INNER; i++) {
		r = prepare_map(dp, obj, inner_maps[i], inner_maps[i], v6, err);
		if (r)
			return r;
	}
	progs_name(name, sizeof(name), zone);
	return prepare_map(dp, obj, "progs", name, v6, err);
}

static bool is_pinned(const struct ivb_dp *dp, const char *name)
{
	_cleanup_close_ int fd = ivb_pin_get(dp, name);

	return fd >= 0;
}

static void add(const struct ivb_dp *dp, const struct bpf_object *obj, const char *name,
		const char *pin_as, struct ivb_mapset_pin *list, size_t *n)
{
	int fd = bpf_object__find_map_fd_by_name(obj, name);

	if (fd < 0 || is_pinned(dp, pin_as))
		return;
	list[*n].fd = fd;
	snprintf(list[(*n)++].name, sizeof(list->name), "%s", pin_as);
}

size_t ivb_mapset_unpinned(const struct ivb_dp *dp, const struct bpf_object *obj, __u32 zone,
			   bool v6, struct ivb_mapset_pin *ret)
{
	char name[32];
	size_t n = 0, i;

	progs_name(name, sizeof(name), zone);
	add(dp, obj, "progs", name, ret, &n);
	for (i = 0; i < NUM_INNER; i++)
		add(dp, obj, inner_maps[i], inner_maps[i], ret, &n);
	for (i = 0; i < IVB_MAP_MAX_; i++) {
		if (dp->fds[i] < 0 && (v6 || !is_v6_map(ivb_map_names[i])))
			add(dp, obj, ivb_map_names[i], ivb_map_names[i], ret, &n);
	}
	return n;
}
