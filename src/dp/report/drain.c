/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what would be cut, and the flag that lets nothing new come. */
#include "dp/report/drain.h"

#include "dp/instance/config_int.h"
#include "dp/report/conns.h"

bool ivb_drain_needs_us(const struct ivb_conn_info *c)
{
	return (!c->kernel || c->snat) && c->state != IVB_S_TIME_WAIT && c->state != IVB_S_CLOSE;
}

static int count(const struct ivb_conn_info *c, void *arg)
{
	struct ivb_fates *f = arg;

	if (!c->kernel)
		f->own += ivb_drain_needs_us(c);
	else if (c->snat)
		f->snat += ivb_drain_needs_us(c);
	else
		f->going++;
	return 0;
}

int ivb_drain_count(struct ivb_dp *dp, struct ivb_fates *ret, struct ivb_err *err)
{
	struct ivb_fates f = { 0 };
	struct ivb_config c;
	int r = ivb_config_get(dp, &c, err);

	if (!r)
		r = ivb_conns_walk(dp, count, &f, err);
	f.draining = !r && c.flags & IVB_CONFIG_DRAIN;
	if (!r)
		*ret = f;
	return r;
}

int ivb_drain_set(struct ivb_dp *dp, bool on, struct ivb_err *err)
{
	return ivb_config_set_flags(dp, IVB_CONFIG_DRAIN, on ? IVB_CONFIG_DRAIN : 0, err);
}
