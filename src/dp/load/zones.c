/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been loaded and pinned: the programs of each zone, and those that start the timers. */
#include "dp/load/zones_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pin_name_int.h"
#include "dp/instance/pins_int.h"

int ivb_zone_pin_get(const struct ivb_dp *dp, const char *kind, __u32 zone)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%u", kind, zone);
	return ivb_pin_get(dp, name);
}

bool ivb_zone_has_v4(const struct ivb_dp *dp, __u32 zone)
{
	_cleanup_close_ int fd = ivb_zone_pin_get(dp, "prog", zone);

	return fd >= 0;
}

bool ivb_zone_has_v6(const struct ivb_dp *dp, __u32 zone, __u32 index)
{
	_cleanup_close_ int fd = ivb_zone_pin_get(dp, "progs", zone);
	__u32 id;

	return fd >= 0 && !bpf_map_lookup_elem(fd, &index, &id);
}

bool ivb_zone_has_egress(const struct ivb_dp *dp, __u32 zone)
{
	_cleanup_close_ int fd = ivb_zone_pin_get(dp, "egress", zone);

	return fd >= 0;
}

void ivb_zone_unload(const struct ivb_dp *dp, __u32 zone)
{
	static const char *const kinds[] = { "prog", "progs", "egress" };
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(name, sizeof(name), "%s-%u", kinds[i], zone);
		ivb_pin_remove(dp, name);
	}
}

static int get_prog(const struct ivb_dp *dp, const char *kind, __u32 zone, int *ret_fd)
{
	int fd = ivb_zone_pin_get(dp, kind, zone);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int ivb_zone_prog(const struct ivb_dp *dp, __u32 zone, int *ret_fd)
{
	return get_prog(dp, "prog", zone, ret_fd);
}

int ivb_zone_egress(const struct ivb_dp *dp, __u32 zone, int *ret_fd)
{
	return get_prog(dp, "egress", zone, ret_fd);
}

int ivb_zone_after(const struct ivb_dp *dp, __u32 zone, int *ret_fd)
{
	return get_prog(dp, "after", zone, ret_fd);
}

struct zone_walk {
	int (*fn)(__u32 zone, void *arg);
	void *arg;
};

static int visit_pin(const char *name, void *arg)
{
	struct zone_walk *w = arg;
	__u32 zone;

	return ivb_pin_name_zone(name, &zone) ? 0 : w->fn(zone, w->arg);
}

int ivb_zones_each(const struct ivb_dp *dp, int (*fn)(__u32 zone, void *arg), void *arg)
{
	struct zone_walk w = { .fn = fn, .arg = arg };

	return ivb_pins_list(dp->path, visit_pin, &w);
}

struct zone_search {
	const struct ivb_dp *dp;
	__u32 prog_id, zone;
};

static bool is_prog(const struct zone_search *s, const char *kind, __u32 zone)
{
	_cleanup_close_ int fd = ivb_zone_pin_get(s->dp, kind, zone);
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.id == s->prog_id;
}

static int match_zone(__u32 zone, void *arg)
{
	struct zone_search *s = arg;
	static const char *const kinds[] = { "prog", "egress", "after", IVB_PIN_NEXT "prog",
					     IVB_PIN_NEXT "egress" };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !is_prog(s, kinds[i], zone); i++)
		;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return 0;
	s->zone = zone;
	return 1;
}

int ivb_zone_of(const struct ivb_dp *dp, __u32 prog_id, __u32 *ret_zone)
{
	struct zone_search s = { .dp = dp, .prog_id = prog_id };
	int r = ivb_zones_each(dp, match_zone, &s);

	if (r < 0)
		return r;
	if (!r)
		return -ENOENT;
	*ret_zone = s.zone;
	return 0;
}
