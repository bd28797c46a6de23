/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services: adding, editing, removing, listing. */
#include "dp/services.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/edit.h"
#include "dp/instance.h"

#define _cleanup_edit_ __cleanup(ivb_edit_closep)
#define _cleanup_list_ __cleanup(ivb_edit_list_fini)

static int scheduler_check(__u32 scheduler, struct ivb_err *err)
{
	if (scheduler < IVB_SCHED_MAX_)
		return 0;
	return ivb_err(err, -ENOENT, "there is no such scheduler");
}

static int slot_find(const struct ivb_edit *c, __u32 *ret, struct ivb_err *err)
{
	__u32 max = c->dp->meta.max_services, i;

	for (i = 0; i < max; i++) {
		if (!c->slot_used[i]) {
			*ret = i;
			return 0;
		}
	}
	return ivb_err(err, -ENOSPC, "there are %u services already, which is the limit", max);
}

int ivb_service_add(struct ivb_dp *dp, const struct ivb_service_key *key, __u32 scheduler,
		    __u16 flags, __u8 snat, struct ivb_err *err)
{
	struct ivb_service svc = { .first_dest = IVB_NONE, .snat = snat, .flags = flags };
	const struct ivb_service_state state = {};
	const struct ivb_edit_list list = {};
	_cleanup_edit_ struct ivb_edit *edit = NULL;
	struct ivb_service_info *old;
	struct ivb_cursor cursor;
	int r;

	r = ivb_edit_open(&edit, dp, err);
	if (r)
		return r;
	if (!ivb_edit_service(edit, key, &old, NULL))
		return ivb_err(err, -EEXIST, "there is such a service already");
	r = scheduler_check(scheduler, err);
	if (!r)
		r = slot_find(edit, &svc.slot, err);
	if (!r && key->af == AF_INET6)
		r = ivb_dp_enable_v6(dp, err);
	if (r)
		return r;
	if (bpf_map_update_elem(dp->fds[IVB_MAP_SERVICE_STATE], &svc.slot, &state, BPF_ANY))
		return ivb_err(err, -errno, "cannot write to service_state: %s", strerror(errno));
	svc.scheduler = (__u8)scheduler;
	svc.sched = svc.slot * 2;
	ivb_cursor_init(&cursor, scheduler, NULL, 0);
	return ivb_edit_commit(edit, key, &svc, &list, &cursor, err);
}

int ivb_service_edit(struct ivb_dp *dp, const struct ivb_service_key *key, __u32 scheduler,
		     __u16 flags, __u8 snat, struct ivb_err *err)
{
	_cleanup_edit_ struct ivb_edit *edit = NULL;
	_cleanup_list_ struct ivb_edit_list list = {};
	struct ivb_service_info *info;
	struct ivb_cursor cursor;
	struct ivb_service svc;
	int r;

	r = ivb_edit_open(&edit, dp, err);
	if (!r)
		r = ivb_edit_service(edit, key, &info, err);
	if (!r)
		r = scheduler_check(scheduler, err);
	if (!r)
		r = ivb_edit_list(edit, &info->svc, &list);
	if (r)
		return r;
	svc = info->svc;
	if (snat != IVB_SNAT_MAX_)
		svc.snat = snat;
	svc.flags = flags;
	/* As ip_vs_edit_service(): only another scheduler starts anew. */
	if (svc.scheduler == scheduler) {
		if (bpf_map_update_elem(dp->fds[IVB_MAP_SERVICES], key, &svc, BPF_EXIST))
			return ivb_err(err, -errno, "cannot write the service: %s",
				       strerror(errno));
		return 0;
	}
	svc.scheduler = (__u8)scheduler;
	ivb_cursor_init(&cursor, scheduler, list.dests, list.num);
	return ivb_edit_commit(edit, key, &svc, &list, &cursor, err);
}

/* The deletion from the map is the moment when packets see it. */
static int service_remove(struct ivb_edit *edit, const struct ivb_service_info *info,
			  struct ivb_err *err)
{
	_cleanup_list_ struct ivb_edit_list list = {};
	size_t i;
	int r;

	r = ivb_edit_list(edit, &info->svc, &list);
	if (r)
		return r;
	if (bpf_map_delete_elem(edit->dp->fds[IVB_MAP_SERVICES], &info->key))
		return ivb_err(err, -errno, "cannot delete the service: %s", strerror(errno));
	for (i = 0; !r && i < list.num; i++)
		r = ivb_edit_dest_state(edit, list.dests[i].slot, IVB_DEST_REMOVED, err);
	if (info->svc.slot < edit->dp->meta.max_services) {
		edit->scheds[info->svc.slot * 2].capacity = 0;
		edit->scheds[info->svc.slot * 2 + 1].capacity = 0;
	}
	return r;
}

int ivb_service_del(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_err *err)
{
	_cleanup_edit_ struct ivb_edit *edit = NULL;
	struct ivb_service_info *info;
	int r;

	r = ivb_edit_open(&edit, dp, err);
	if (!r)
		r = ivb_edit_service(edit, key, &info, err);
	if (!r)
		r = service_remove(edit, info, err);
	return r;
}

int ivb_service_flush(struct ivb_dp *dp, struct ivb_err *err)
{
	_cleanup_edit_ struct ivb_edit *edit = NULL;
	size_t i;
	int r;

	r = ivb_edit_open(&edit, dp, err);
	for (i = 0; !r && i < edit->num_services; i++)
		r = service_remove(edit, &edit->services[i], err);
	return r;
}

int ivb_service_get(struct ivb_dp *dp, const struct ivb_service_key *key, struct ivb_service *ret,
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

int ivb_services_list(struct ivb_dp *dp, struct ivb_service_info **ret, size_t *ret_n,
		      struct ivb_err *err)
{
	__u32 max = dp->meta.max_services, count = max, cursor, i;
	_cleanup_free_ struct ivb_service_key *keys = calloc(max, sizeof(*keys));
	_cleanup_free_ struct ivb_service *values = calloc(max, sizeof(*values));
	struct ivb_service_info *list;

	if (!keys || !values)
		return -ENOMEM;
	/* There is room for all, and the lock is held: one call reads the whole map, ending in ENOENT. */
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
