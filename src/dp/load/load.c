/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, constants, loading and pinning. The only file that sees the skeleton. */
#include "dp/load/load_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ivb/progs.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/limits.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/build_int.h"
#include "dp/load/build.h"
#include "dp/load/mapset_int.h"
#include "dp/load/prog_int.h"
#include "dp/load/rodata_int.h"
#include "dp/load/zones_int.h"
#include "tc.skel.h"

#define MAX_NEW_PINS (IVB_MAP_MAX_ + 8)

/* A load on its way: what it is to bring, and the pins that it has made so far. */
struct load {
	struct ivb_dp *dp;
	struct ivb_tc *skel;
	__u32 zone;
	bool in4, in6, out4, out6; /* programs to load: ingress, egress, by family */
	bool takeover, renew;
	unsigned int num_pins;
	char pins[MAX_NEW_PINS][32];
};

static void destroy(struct ivb_tc **skel)
{
	ivb_tc__destroy(*skel);
}

static int pin(struct load *l, int fd, const char *name, struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];

	ivb_pin_path(path, sizeof(path), l->dp, name);
	if (bpf_obj_pin(fd, path))
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	if (l->num_pins < MAX_NEW_PINS)
		snprintf(l->pins[l->num_pins++], sizeof(l->pins[0]), "%s", name);
	return 0;
}

static void undo_pins(struct load *l)
{
	while (l->num_pins)
		ivb_pin_remove(l->dp, l->pins[--l->num_pins]);
}

/* Before the pinned maps are looked for: theirs count. */
static void set_sizes(struct ivb_tc *skel, const struct ivb_meta *meta)
{
#define IVB_CONNS4 meta->max_conns
#define IVB_CONNS6 meta->max_conns6
#define IVB_OWN_MAP(name, type, key, value, entries, ...) \
	bpf_map__set_max_entries(skel->maps.ivb_##name, entries);
#define IVB_MAP(id, ...) IVB_OWN_MAP(__VA_ARGS__)
#include <ivb/maps.def>
	IVB_RODATA_SET(skel->rodata, meta);
}

static void choose_programs(struct ivb_tc *skel, const struct load *l)
{
	bpf_program__set_autoload(skel->progs.ivb_ingress, l->in4);
	bpf_program__set_autoload(skel->progs.ivb_arm4, l->in4);
	bpf_program__set_autoload(skel->progs.ivb_ingress6, l->in6);
	bpf_program__set_autoload(skel->progs.ivb_arm6, l->in6);
	bpf_program__set_autoload(skel->progs.ivb_take4, l->takeover);
	bpf_program__set_autoload(skel->progs.ivb_after, l->takeover);
	bpf_program__set_autoload(skel->progs.ivb_take6, l->takeover && l->in6);
	bpf_program__set_autoload(skel->progs.ivb_egress, l->out4);
	bpf_program__set_autoload(skel->progs.ivb_egress4, l->out4);
	bpf_program__set_autoload(skel->progs.ivb_egress6, l->out6);
}

static int open_object(struct ivb_tc **ret, struct ivb_err *err)
{
	ivb_bpflog_start();
	*ret = ivb_tc__open();
	if (!*ret)
		return ivb_bpflog_err(err, -errno, "cannot open the BPF object");
	return 0;
}

static int load_object(struct ivb_tc *skel, const struct ivb_meta *meta, struct ivb_err *err)
{
	int r = ivb_tc__load(skel);

	if (r == -EPERM || r == -EACCES)
		return ivb_bpflog_err(
			err, r,
			"cannot load the BPF programs (root, or CAP_BPF, CAP_NET_ADMIN "
			"and CAP_PERFMON, is needed)");
	if (r == -ENOMEM || r == -E2BIG)
		return ivb_bpflog_err(err, r,
				      "cannot load the BPF programs with tables for %u connections",
				      meta->max_conns);
	if (r)
		return ivb_bpflog_err(err, r, "cannot load the BPF programs");
	return 0;
}

/* When it was how many jiffies. */
static int set_time(struct ivb_tc *skel, struct ivb_meta *meta, struct ivb_err *err)
{
	__u64 before = ivb_clock_monotonic_ns();
	int r = ivb_prog_run(bpf_program__fd(skel->progs.ivb_now), err, "now");

	if (r)
		return r;
	/* libbpf maps it if it thinks that the kernel can do that. */
	if (!skel->bss)
		return ivb_err(err, -ENOMEM, "cannot map the BPF programs' variables");
	meta->monotonic_ns = before + (ivb_clock_monotonic_ns() - before) / 2;
	meta->jiffies = skel->bss->ivb_now_jiffies;
	return 0;
}

static int pin_maps(struct load *l, struct ivb_err *err)
{
	struct ivb_mapset_pin todo[IVB_MAPSET_MAX];
	size_t n = ivb_mapset_unpinned(l->dp, l->skel->obj, l->zone, l->in6 || l->out6, todo), i;
	int r;

	for (i = 0; i < n; i++) {
		r = pin(l, todo[i].fd, todo[i].name, err);
		if (r)
			return r;
	}
	return ivb_dp_open_maps(l->dp, err);
}

/* A program of the zone's, or that all have. To be put in its place by dp/load/build.c, or new. */
static int pin_prog(struct load *l, const struct bpf_program *prog, const char *name,
		    struct ivb_err *err)
{
	char next[sizeof(l->pins[0])];

	if (!l->renew)
		return pin(l, bpf_program__fd(prog), name, err);
	snprintf(next, sizeof(next), IVB_PIN_NEXT "%s", name);
	ivb_pin_remove(l->dp, next); /* another zone's load left it */
	return pin(l, bpf_program__fd(prog), next, err);
}

static int pin_zone(struct load *l, const struct bpf_program *prog, const char *kind,
		    struct ivb_err *err)
{
	char name[sizeof(l->pins[0]) - sizeof(IVB_PIN_NEXT)];

	snprintf(name, sizeof(name), "%s-%u", kind, l->zone);
	return pin_prog(l, prog, name, err);
}

/* A program that every load brings: the first one's pin stays. */
static int pin_once(struct load *l, const struct bpf_program *prog, struct ivb_err *err)
{
	const char *name = ivb_pin_of(bpf_program__name(prog));
	int fd = l->renew ? -1 : ivb_pin_get(l->dp, name);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return pin_prog(l, prog, name, err);
}

/* From there on packets reach the program. */
static int install(struct load *l, __u32 index, const struct bpf_program *prog, struct ivb_err *err)
{
	__u32 fd = (__u32)bpf_program__fd(prog);

	if (bpf_map_update_elem(bpf_map__fd(l->skel->maps.ivb_progs), &index, &fd, BPF_ANY))
		return ivb_err(err, -errno, "cannot install a BPF program: %m");
	return 0;
}

static int start_takeover(struct load *l, struct ivb_err *err)
{
	int r = pin_once(l, l->skel->progs.ivb_take4, err);

	if (!r)
		r = install(l, IVB_PROG_INGRESS4, l->skel->progs.ivb_ingress, err);
	return r ? r : pin_zone(l, l->skel->progs.ivb_after, "after", err);
}

static int start_v4(struct load *l, struct ivb_err *err)
{
	int r = 0;

	if (l->takeover)
		r = start_takeover(l, err);
	else if (!l->renew)
		r = ivb_prog_arm(bpf_program__fd(l->skel->progs.ivb_arm4), &l->dp->no_timer, err,
				 "arm4");
	if (!r)
		r = pin_once(l, l->skel->progs.ivb_arm4, err);
	return r ? r : pin_zone(l, l->skel->progs.ivb_ingress, "prog", err);
}

static int start_v6(struct load *l, struct ivb_err *err)
{
	int r = 0;

	if (l->takeover)
		r = pin_once(l, l->skel->progs.ivb_take6, err);
	else if (!l->renew)
		r = ivb_prog_arm(bpf_program__fd(l->skel->progs.ivb_arm6), &l->dp->no_timer, err,
				 "arm6");
	if (!r)
		r = pin_once(l, l->skel->progs.ivb_arm6, err);
	return r ? r : install(l, IVB_PROG_INGRESS6, l->skel->progs.ivb_ingress6, err);
}

static int start_out4(struct load *l, struct ivb_err *err)
{
	int r = install(l, IVB_PROG_EGRESS4, l->skel->progs.ivb_egress4, err);

	return r ? r : pin_zone(l, l->skel->progs.ivb_egress, "egress", err);
}

static int load(struct load *l, struct ivb_err *err)
{
	struct ivb_meta *meta = &l->dp->meta;
	int r;

	set_sizes(l->skel, meta);
	l->skel->rodata->ivb_zone = l->zone;
	choose_programs(l->skel, l);
	r = ivb_mapset_prepare(l->dp, l->skel->obj, l->zone, l->in6 || l->out6, err);
	if (!r)
		r = load_object(l->skel, meta, err);
	if (!r && !meta->monotonic_ns)
		r = set_time(l->skel, meta, err);
	if (!r)
		r = pin_maps(l, err);
	if (!r && l->in4)
		r = start_v4(l, err);
	if (!r && l->in6)
		r = start_v6(l, err);
	if (!r && l->out4)
		r = start_out4(l, err);
	if (!r && l->out6)
		r = install(l, IVB_PROG_EGRESS6, l->skel->progs.ivb_egress6, err);
	return r;
}

/* What the zone lacks of that; or what it has. */
static void choose(struct load *l, unsigned int what)
{
	const struct ivb_dp *dp = l->dp;
	bool v6 = what & IVB_LOAD_V6, out = what & IVB_LOAD_EGRESS;

	l->takeover = what & IVB_LOAD_TAKEOVER;
	l->renew = what & IVB_LOAD_RENEW;
	l->in4 = l->renew == ivb_zone_has_v4(dp, l->zone);
	l->in6 = (v6 || l->renew) && l->renew == ivb_zone_has_v6(dp, l->zone, IVB_PROG_INGRESS6);
	l->out4 = (out || l->renew) && l->renew == ivb_zone_has_egress(dp, l->zone);
	l->out6 = ((out && v6) || l->renew) &&
		  l->renew == ivb_zone_has_v6(dp, l->zone, IVB_PROG_EGRESS6);
}

int ivb_load_zone(struct ivb_dp *dp, __u32 zone, unsigned int what, struct ivb_err *err)
{
	struct ivb_tc *skel __cleanup(destroy) = NULL;
	struct load l = { .dp = dp, .zone = zone };
	int r, i;

	choose(&l, what);
	if (!l.in4 && !l.in6 && !l.out4 && !l.out6)
		return 0;
	r = open_object(&skel, err);
	if (r)
		return r;
	l.skel = skel;
	/* Before packets reach one of them. */
	r = ivb_dp_is_complete(dp) && !ivb_build_is_own(dp)
		    ? ivb_build_set(dp, IVB_BUILD_SEVERAL, err)
		    : 0;
	if (!r)
		r = load(&l, err);
	if (!r)
		return 0;
	undo_pins(&l);
	/* Maps whose pins are gone again are not the instance's. */
	for (i = 0; i < IVB_MAP_MAX_; i++) {
		_cleanup_close_ int fd = ivb_pin_get(dp, ivb_map_rows[i].name);

		if (fd < 0 && dp->fds[i] >= 0) {
			close(dp->fds[i]);
			dp->fds[i] = -1;
		}
	}
	return r;
}

int ivb_load_defaults(struct ivb_meta *meta, struct ivb_err *err)
{
	struct ivb_tc *skel __cleanup(destroy) = NULL;
	struct timespec t;
	int r;

	r = open_object(&skel, err);
	if (r)
		return r;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || t.tv_sec || t.tv_nsec < 100000)
		return ivb_err(err, -EINVAL, "cannot tell the kernel's HZ");
	meta->abi = IVB_ABI;
	meta->oldest = IVB_ABI_OLDEST;
	meta->hz = (__u32)((1000000000L + t.tv_nsec / 2) / t.tv_nsec);
	meta->max_services = bpf_map__max_entries(skel->maps.ivb_services);
	meta->max_dests = bpf_map__max_entries(skel->maps.ivb_dests);
	meta->max_ring = bpf_map__max_entries(skel->maps.ivb_ring);
	meta->max_nexthops = bpf_map__max_entries(skel->maps.ivb_nexthops);
	return 0;
}

int ivb_load_probe(int *ret_no_timer, struct ivb_err *err)
{
	struct ivb_meta meta = { .max_conns = 1024, .max_conns6 = 1024 };
	struct ivb_tc *skel __cleanup(destroy) = NULL;
	int r;

	r = ivb_load_defaults(&meta, err);
	if (r)
		return r;
	r = open_object(&skel, err);
	if (r)
		return r;
	set_sizes(skel, &meta);
	r = load_object(skel, &meta, err);
	if (!r)
		r = ivb_prog_arm(bpf_program__fd(skel->progs.ivb_arm4), ret_no_timer, err, "arm4");
	if (!r)
		r = ivb_prog_arm(bpf_program__fd(skel->progs.ivb_arm6), ret_no_timer, err, "arm6");
	return r;
}

struct v6_enable {
	struct ivb_dp *dp;
	struct ivb_err *err;
};

static int enable_zone(__u32 zone, void *arg)
{
	struct v6_enable *e = arg;

	return ivb_load_zone(e->dp, zone,
			     IVB_LOAD_V6 | (ivb_zone_has_egress(e->dp, zone) ? IVB_LOAD_EGRESS : 0),
			     e->err);
}

int ivb_load_v6(struct ivb_dp *dp, struct ivb_err *err)
{
	struct v6_enable e = { .dp = dp, .err = err };
	int r = ivb_zones_each(dp, enable_zone, &e);

	return r ? ivb_err_prefix(err, r, "enabling IPv6") : 0;
}
