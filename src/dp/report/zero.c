/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dest_bases has what listings subtract of a dest's counters. Packets go on counting meanwhile, and
 * no count is lost: live connections' are in the base too, and come to dest_conns when they end.
 */
#include "dp/report/zero.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/report/traffic.h"
#include "dp/services/list.h"

static int dest_zero(struct ivb_dp *dp, const struct ivb_carried *live,
		     const struct ivb_dest_info *d, struct ivb_err *err)
{
	struct ivb_traffic base;

	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_DEST_BASES], &d->slot, &base))
		return ivb_err(err, -errno, "cannot read dest_bases: %m");
	/* d's counts are without the old base already */
	base.conns += d->conns.conns;
	base.in_packets += d->conns.in_packets + live->dests[d->slot].in_packets;
	base.out_packets += d->conns.out_packets + live->dests[d->slot].out_packets;
	base.in_bytes += d->conns.in_bytes + live->dests[d->slot].in_bytes;
	base.out_bytes += d->conns.out_bytes + live->dests[d->slot].out_bytes;
	if (bpf_map_update_elem(dp->fds[IVB_MAP_DEST_BASES], &d->slot, &base, BPF_ANY))
		return ivb_err(err, -errno, "cannot write dest_bases: %m");
	return 0;
}

static int service_zero(struct ivb_dp *dp, const struct ivb_service *svc,
			const struct ivb_carried *live, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_dest_info *dests = NULL;
	size_t n = 0, i;
	int r;

	r = ivb_list_dests(dp, svc, &dests, &n, err);
	for (i = 0; !r && i < n; i++) {
		if (dests[i].slot < live->num_dests)
			r = dest_zero(dp, live, &dests[i], err);
	}
	return r;
}

int ivb_stats_zero(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_err *err)
{
	struct ivb_carried live __cleanup(ivb_traffic_carried_fini) = { 0 };
	_cleanup_free_ struct ivb_service_info *all = NULL;
	struct ivb_service one;
	size_t n = 0, i;
	int r;

	r = key ? ivb_list_service(dp, key, &one, err) : ivb_list_services(dp, &all, &n, err);
	if (!r)
		r = ivb_traffic_carried_read(&live, dp, err);
	if (!r && key)
		return service_zero(dp, &one, &live, err);
	for (i = 0; !r && i < n; i++)
		r = service_zero(dp, &all[i].svc, &live, err);
	return r;
}
