/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timeouts in config, as ip_vs_set_timeout() has them in its protocols' tables (ip_vs_ctl.c). */
#include "dp/services/timeouts.h"

#include <errno.h>

#include "base/err.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance.h"

static const enum ivb_conn_state states[3] = { IVB_S_ESTABLISHED, IVB_S_FIN_WAIT, IVB_S_UDP };

int ivb_timeouts_get(struct ivb_dp *dp, __u32 ret[3], struct ivb_err *err)
{
	struct ivb_config c;
	int i, r;

	r = ivb_config_get(dp, &c, err);
	for (i = 0; !r && i < 3; i++)
		ret[i] = c.timeouts[states[i]] / dp->meta.hz;
	return r;
}

int ivb_timeouts_set(struct ivb_dp *dp, const __u32 seconds[3], struct ivb_err *err)
{
	/* stamps are compared as serial numbers of 32 bits */
	__u32 max = 0x7fffffff / dp->meta.hz - 1;
	struct ivb_config c;
	int i, r;

	r = ivb_config_get(dp, &c, err);
	if (r)
		return r;
	for (i = 0; i < 3; i++) {
		if (seconds[i] > max)
			return ivb_err(err, -ERANGE, "a timeout may be %u seconds at most here",
				       max);
		if (seconds[i])
			c.timeouts[states[i]] = seconds[i] * dp->meta.hz;
	}
	return ivb_config_put(dp, &c, err);
}
