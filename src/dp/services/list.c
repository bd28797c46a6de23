/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading services and their servers. */
#include "dp/services/list.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"

int ivb_list_service(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_service *ret,
		     struct ivb_err *err)
{
	struct ivb_service svc;

	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_SERVICES], key, &svc)) {
		if (errno == ENOENT)
			return ivb_err(err, -ESRCH, "there is no such service");
		return ivb_err(err, -errno, "cannot read the services: %s", strerror(errno));
	}
	*ret = svc;
	return 0;
}

int ivb_list_services(struct ivb_dp *dp, struct ivb_service_info **ret, size_t *ret_n,
		      struct ivb_err *err)
{
	__u32 max = dp->meta.max_services, count = max, cursor, i;
	_cleanup_free_ struct ivb_service_key *keys = calloc(max, sizeof(*keys));
	_cleanup_free_ struct ivb_service *values = calloc(max, sizeof(*values));
	struct ivb_service_info *list;

	if (!keys || !values)
		return -ENOMEM;
	/*
	 * There is room for all, and the lock is held: one call reads the whole map, ending in
	 * ENOENT.
	 */
	if (bpf_map_lookup_batch(dp->fds[IVB_MAP_SERVICES], NULL, &cursor, keys, values, &count,
				 NULL) &&
	    errno != ENOENT)
		return ivb_err(err, -errno, "cannot read the services: %s", strerror(errno));
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		list[i] = (struct ivb_service_info){ keys[i], values[i] };
	*ret = list;
	*ret_n = count;
	return 0;
}

/* Live connections add theirs, so for a moment a difference may be less than zero. */
static void base_subtract(struct ivb_dest_conns *c, const struct ivb_traffic *base)
{
	c->conns -= base->conns;
	c->in_packets -= base->in_packets;
	c->out_packets -= base->out_packets;
	c->in_bytes -= base->in_bytes;
	c->out_bytes -= base->out_bytes;
}

int ivb_list_dests(struct ivb_dp *dp, const struct ivb_service *svc, struct ivb_dest_info **ret,
		   size_t *ret_n, struct ivb_err *err)
{
	size_t n = 0, room = svc->num_dests + 16;
	_cleanup_free_ struct ivb_dest_info *list = calloc(room, sizeof(*list));
	__u32 slot;

	if (!list)
		return -ENOMEM;
	/* A killed removal may leave one more in the list than the service counts. */
	for (slot = svc->first_dest; slot != IVB_NONE && n < room; n++) {
		struct ivb_dest_info *d = &list[n];
		struct ivb_traffic base;

		d->slot = slot;
		if (bpf_map_lookup_elem(dp->fds[IVB_MAP_DESTS], &slot, &d->dest) ||
		    bpf_map_lookup_elem(dp->fds[IVB_MAP_DEST_CONNS], &slot, &d->conns) ||
		    bpf_map_lookup_elem(dp->fds[IVB_MAP_DEST_BASES], &slot, &base))
			return ivb_err(err, -errno, "cannot read server %u: %s", slot,
				       strerror(errno));
		base_subtract(&d->conns, &base);
		d->conns.active = ivb_conns_count(d->conns.active);
		d->conns.inactive = ivb_conns_count(d->conns.inactive);
		slot = d->dest.next;
	}
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
