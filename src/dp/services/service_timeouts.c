/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's part of service_state. */
#include "dp/services/service_timeouts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/services/list.h"

/* What packets note there at the same moment (that the address is local) they find out again. */
int ivb_service_timeouts_set(struct ivb_dp *dp, const struct ivb_service_key *key,
			     const struct ivb_timeouts_s *t, struct ivb_err *err)
{
	int fd = dp->fds[IVB_MAP_SERVICE_STATE], r;
	struct ivb_service_state s;
	struct ivb_service svc;

	r = ivb_list_service(dp, key, &svc, err);
	if (r)
		return r;
	if (bpf_map_lookup_elem(fd, &svc.slot, &s))
		return ivb_err(err, -errno, "cannot read the map %s/service_state: %m", dp->path);
	s.timeouts = (struct ivb_timeouts){ .tcp = t->tcp * dp->meta.hz,
					    .tcpfin = t->tcpfin * dp->meta.hz,
					    .udp = t->udp * dp->meta.hz };
	if (bpf_map_update_elem(fd, &svc.slot, &s, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/service_state: %m", dp->path);
	return 0;
}

int ivb_service_timeouts_walk(struct ivb_dp *dp,
			      int (*fn)(const struct ivb_service_key *key,
					const struct ivb_timeouts_s *t, void *arg),
			      void *arg, struct ivb_err *err)
{
	_cleanup_free_ struct ivb_service_info *list = NULL;
	struct ivb_service_state s;
	struct ivb_timeouts_s t;
	size_t n = 0, i;
	int r;

	r = ivb_list_services(dp, &list, &n, err);
	for (i = 0; i < n && !r; i++) {
		if (bpf_map_lookup_elem(dp->fds[IVB_MAP_SERVICE_STATE], &list[i].svc.slot, &s))
			return ivb_err(err, -errno, "cannot read the map %s/service_state: %m",
				       dp->path);
		t = (struct ivb_timeouts_s){ .tcp = s.timeouts.tcp / dp->meta.hz,
					     .tcpfin = s.timeouts.tcpfin / dp->meta.hz,
					     .udp = s.timeouts.udp / dp->meta.hz };
		r = fn(&list[i].key, &t, arg);
	}
	return r;
}
