/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session of changes as a whole. What an interrupted one has left is repaired before. */
#include "dp/services/services.h"

#include <errno.h>
#include <search.h>

#include "base/cleanup.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance.h"
#include "dp/services/session_int.h"

static void leave(void *p)
{
	(void)p;
}

void ivb_session_closep(struct ivb_session **p)
{
	struct ivb_session *session = *p;
	size_t i;

	if (!session)
		return;
	tdestroy(session->services, leave);
	for (i = 0; i < session->num_services; i++) {
		free(session->service_list[i]->list.dests);
		ivb_sched_table_fini(&session->service_list[i]->table);
		free(session->service_list[i]);
	}
	free(session->service_list);
	free(session->service_used);
	for (i = 0; i < session->num_dests; i++)
		free(session->dests[session->dest_list[i]]);
	free(session->dest_list);
	free(session->dests);
	ivb_session_dests_search_free(session->search);
	tdestroy(session->routes, free);
	if (session->addrs)
		freeifaddrs(session->addrs);
	free(session);
}

static int edit_make(struct ivb_session **ret, struct ivb_dp *dp, struct ivb_err *err)
{
	__cleanup(ivb_session_closep) struct ivb_session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->dp = dp;
	session->dests = calloc(dp->meta.max_dests, sizeof(*session->dests));
	if (!session->dests)
		return -ENOMEM;
	r = ivb_config_get(dp, &session->config, err);
	if (r)
		return r;
	*ret = TAKE_PTR(session);
	return 0;
}

int ivb_session_open(struct ivb_session **ret, struct ivb_dp *dp, struct ivb_err *err)
{
	__cleanup(ivb_session_closep) struct ivb_session *repair = NULL;
	int r;

	if (dp->meta.editing) {
		r = edit_make(&repair, dp, err);
		if (!r)
			r = ivb_session_repair(repair, err);
		if (r)
			return r;
	}
	return edit_make(ret, dp, err);
}

void ivb_session_tag(struct ivb_session *session, __u32 tag)
{
	session->tag = tag;
}

__u32 ivb_session_failed(const struct ivb_session *session)
{
	return session->failed_tag;
}
