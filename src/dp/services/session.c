/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a session of changes: what an interrupted one has left is repaired before. */
#include "dp/services/services.h"

#include <errno.h>

#include "base/cleanup.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance.h"
#include "dp/services/edit_int.h"

static int edit_make(struct ivb_edit **ret, struct ivb_dp *dp, struct ivb_err *err)
{
	__cleanup(ivb_edit_closep) struct ivb_edit *edit = calloc(1, sizeof(*edit));
	int r;

	if (!edit)
		return -ENOMEM;
	edit->dp = dp;
	edit->dests = calloc(dp->meta.max_dests, sizeof(*edit->dests));
	if (!edit->dests)
		return -ENOMEM;
	r = ivb_config_get(dp, &edit->config, err);
	if (r)
		return r;
	*ret = TAKE_PTR(edit);
	return 0;
}

int ivb_edit_open(struct ivb_edit **ret, struct ivb_dp *dp, struct ivb_err *err)
{
	__cleanup(ivb_edit_closep) struct ivb_edit *repair = NULL;
	int r;

	if (dp->meta.editing) {
		r = edit_make(&repair, dp, err);
		if (!r)
			r = ivb_edit_repair(repair, err);
		if (r)
			return r;
	}
	return edit_make(ret, dp, err);
}
