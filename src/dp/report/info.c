/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what `status` tells. */
#include "dp/report/info.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/config_int.h"
#include "dp/instance/family_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"

#define SWEEP_LATE_S 2

static bool in_use(const struct ivb_clock_group *clock, __u32 id)
{
	return clock[id / IVB_CLOCK_GROUP].expires[id % IVB_CLOCK_GROUP] != IVB_CLOCK_FREE;
}

/*
 * A slot that is free keeps its last state. The whole table is read only if a good part of it is in
 * use.
 */
static int count_half_open(const struct ivb_dp *dp, const struct ivb_family *f,
			   const struct ivb_clock_group *clock, struct ivb_family_info *ret)
{
	_cleanup_free_ void *mem = NULL;
	struct ivb_admission a;
	bool all = ret->conns > ret->max_conns / 16;
	union ivb_any_conn c;
	__u32 i, index = f->index;
	int r = 0;

	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_ADMISSION], &index, &a))
		return -errno;
	ret->evicted = a.evicted;
	if (all)
		r = ivb_map_read_array(dp->fds[f->conns], f->conn_size, ret->max_conns, &mem);
	for (i = 0; i < ret->max_conns && !r; i++) {
		if (!in_use(clock, i))
			continue;
		if (all)
			memcpy(&c, (char *)mem + (size_t)i * f->conn_size, f->conn_size);
		else if (bpf_map_lookup_elem(dp->fds[f->conns], &i, &c))
			return -errno;
		ret->half_open += !!IVB_CONN_PLACE(c.conn.state);
	}
	return r;
}

static int get_family(const struct ivb_dp *dp, const struct ivb_family *f,
		      struct ivb_family_info *ret)
{
	_cleanup_free_ void *mem = NULL;
	const struct ivb_clock_group *clock;
	__u32 i, j, index = f->index, age;
	int r;

	ret->on = ivb_family_on(dp, f, &ret->max_conns);
	if (!ret->on)
		return 0;
	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_SWEEPS], &index, &ret->sweep))
		return -errno;
	ret->by_packets = !ret->sweep.ticks;
	age = ivb_dp_jiffies(dp) - (ret->by_packets ? ret->sweep.by_packets : ret->sweep.last);
	if ((__s32)age < 0)
		age = 0;
	ret->sweep_age_ms = (__u32)((__u64)age * 1000 / dp->meta.hz);
	ret->sweep_running = ret->sweep.ticks && age <= SWEEP_LATE_S * dp->meta.hz;
	r = ivb_map_read_array(dp->fds[f->clock], sizeof(*clock), ret->max_conns / IVB_CLOCK_GROUP,
			       &mem);
	if (r)
		return r;
	clock = mem;
	for (i = 0; i < ret->max_conns / IVB_CLOCK_GROUP; i++) {
		for (j = 0; j < IVB_CLOCK_GROUP; j++)
			ret->conns += clock[i].expires[j] != IVB_CLOCK_FREE;
	}
	return count_half_open(dp, f, clock, ret);
}

static int get_counters(const struct ivb_dp *dp, struct ivb_counter *ret)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	_cleanup_free_ struct ivb_counter *values = NULL;
	__u32 i;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; i < IVB_R_MAX_; i++) {
		if (bpf_map_lookup_elem(dp->fds[IVB_MAP_COUNTERS], &i, values))
			return -errno;
		for (cpu = 0; cpu < cpus; cpu++) {
			ret[i].packets += values[cpu].packets;
			ret[i].bytes += values[cpu].bytes;
		}
	}
	return 0;
}

static int count_service(const void *key, const void *value, void *arg)
{
	struct ivb_info *info = arg;
	struct ivb_service svc;

	(void)key;
	memcpy(&svc, value, sizeof(svc));
	info->num_services++;
	info->num_dests += svc.num_dests;
	return 0;
}

static int count_services(const struct ivb_dp *dp, struct ivb_info *info)
{
	_cleanup_free_ void *dests_mem = NULL, *conns_mem = NULL;
	__u32 i, n = dp->meta.max_dests;
	const struct ivb_dest_conns *conns;
	const struct ivb_dest *dests;
	int r;

	r = ivb_map_walk_hash(dp->fds[IVB_MAP_SERVICES], sizeof(struct ivb_service_key),
			      sizeof(struct ivb_service), count_service, info);
	if (!r)
		r = ivb_map_read_array(dp->fds[IVB_MAP_DESTS], sizeof(*dests), n, &dests_mem);
	if (!r)
		r = ivb_map_read_array(dp->fds[IVB_MAP_DEST_CONNS], sizeof(*conns), n, &conns_mem);
	if (r)
		return r;
	dests = dests_mem;
	conns = conns_mem;
	for (i = 0; i < n; i++)
		info->num_removed += dests[i].state == IVB_DEST_REMOVED &&
				     (conns[i].active || conns[i].inactive);
	return 0;
}

int ivb_info_get(const struct ivb_dp *dp, struct ivb_info *ret, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_info *info = calloc(1, sizeof(*info));
	int i, r;

	if (!info)
		return -ENOMEM;
	r = ivb_config_get(dp, &info->config, err);
	if (r)
		return r;
	r = get_counters(dp, info->counters);
	if (!r)
		r = count_services(dp, info);
	for (i = 0; i < 2 && !r; i++) {
		info->families[i].max_half_open = info->config.max_half_open[i];
		r = get_family(dp, &ivb_families[i], &info->families[i]);
	}
	if (r)
		return ivb_err(err, r, "cannot read the maps at %s: %s", dp->path, strerror(-r));
	*ret = *info;
	return 0;
}
