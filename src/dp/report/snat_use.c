/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dp/report/snat_use.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/limits.h"
#include "dp/instance/maps_int.h"

static int add_port(struct ivb_snat_use *s, __u32 port)
{
	struct ivb_port_range *r;

	if (s->num_ranges && s->ranges[s->num_ranges - 1].hi + 1 == port) {
		s->ranges[s->num_ranges - 1].hi = port;
		return 0;
	}
	r = reallocarray(s->ranges, s->num_ranges + 1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	s->ranges = r;
	r[s->num_ranges++] = (struct ivb_port_range){ port, port };
	return 0;
}

static int get_ranges(const struct ivb_dp *dp, struct ivb_snat_use *s)
{
	_cleanup_free_ void *mem = NULL;
	const struct ivb_port_group *groups;
	__u32 port;
	int r = ivb_map_read_array(dp->fds[IVB_MAP_SNAT_PORTS], sizeof(*groups),
				   65536 / IVB_PORT_GROUP, &mem);

	groups = mem;
	for (port = 1; port < 65536 && !r; port++) {
		if (groups[port / IVB_PORT_GROUP].allowed & 1u << port % IVB_PORT_GROUP)
			r = add_port(s, port);
	}
	return r;
}

static int get_prefixes(const struct ivb_dp *dp, struct ivb_snat_use *s)
{
	struct ivb_prefix key, *prev = NULL;

	s->prefixes = calloc(IVB_MAX_NON_MASQ, sizeof(*s->prefixes));
	if (!s->prefixes)
		return -ENOMEM;
	while (s->num_prefixes < IVB_MAX_NON_MASQ &&
	       !bpf_map_get_next_key(dp->fds[IVB_MAP_NON_MASQ], prev, &key)) {
		prev = &key;
		s->prefixes[s->num_prefixes++] = key;
	}
	return 0;
}

int ivb_snat_use_get(const struct ivb_dp *dp, struct ivb_snat_use *ret, struct ivb_err *err)
{
	int r = get_ranges(dp, ret);

	if (!r)
		r = get_prefixes(dp, ret);
	return r ? ivb_err(err, r, "cannot read the maps at %s: %s", dp->path, strerror(-r)) : 0;
}

void ivb_snat_use_fini(struct ivb_snat_use *s)
{
	free(s->ranges);
	free(s->prefixes);
}
