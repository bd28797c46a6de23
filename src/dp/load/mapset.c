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

/* All rows, the programs' own first: the pins of the others tell that a family's maps are all there. */
static const struct shared {
	const char *name;
	enum ivb_map_family family;
} shared[] = {
#define IVB_OWN_MAP(name, type, key, value, entries, flags, family, taken) \
	{ #name, IVB_MAP_##family },
#include <ivb/maps.def>
#define IVB_MAP(id, name, type, key, value, entries, flags, family, taken) \
	{ #name, IVB_MAP_##family },
#include <ivb/maps.def>
};

#define NUM_SHARED (sizeof(shared) / sizeof(shared[0]))

static bool is_wanted(const struct shared *map, bool v6)
{
	return v6 || map->family != IVB_MAP_V6;
}

/* A pinned map is taken as it is; others are made. */
static int prepare_map(const struct ivb_dp *dp, struct bpf_map *map, const char *pinned_as,
		       struct ivb_err *err)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int r;

	fd = ivb_pin_get(dp, pinned_as);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return ivb_err(err, fd, "cannot open the pin %s/%s: %s", dp->path, pinned_as,
			       strerror(-fd));
	/* Those of abi.h have been looked at; this is for the programs' own. */
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

static struct bpf_map *find_map(const struct bpf_object *obj, const char *name)
{
	char full[32];

	snprintf(full, sizeof(full), IVB_NAME_PREFIX "%s", name);
	return bpf_object__find_map_by_name(obj, full);
}

int ivb_mapset_prepare(const struct ivb_dp *dp, struct bpf_object *obj, __u32 zone, bool v6,
		       struct ivb_err *err)
{
	struct bpf_map *map = find_map(obj, "progs");
	char name[32];
	size_t i;
	int r = 0;

	progs_name(name, sizeof(name), zone);
	if (map)
		r = prepare_map(dp, map, name, err);
	for (i = 0; !r && i < NUM_SHARED; i++) {
		map = find_map(obj, shared[i].name);
		if (map && is_wanted(&shared[i], v6))
			r = prepare_map(dp, map, shared[i].name, err);
		else if (map)
			r = bpf_map__set_autocreate(map, false);
	}
	return r;
}

static bool is_pinned(const struct ivb_dp *dp, const char *name)
{
	_cleanup_close_ int fd = ivb_pin_get(dp, name);

	return fd >= 0;
}

static void add(const struct ivb_dp *dp, const struct bpf_object *obj, const char *name,
		const char *pin_as, struct ivb_mapset_pin *list, size_t *n)
{
	const struct bpf_map *map = find_map(obj, name);
	int fd = map ? bpf_map__fd(map) : -1;

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
	for (i = 0; i < NUM_SHARED; i++) {
		if (is_wanted(&shared[i], v6))
			add(dp, obj, shared[i].name, shared[i].name, ret, &n);
	}
	return n;
}
