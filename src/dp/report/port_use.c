/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting the bits of port_maps. */
#include "dp/report/port_use.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"

#define MAX_USES 4096 /* more than the map has */

static void count(struct ivb_port_use *u, const struct ivb_port_map *m,
		  const struct ivb_port_map *blank)
{
	__u64 allowed, used;
	int i;

	for (i = 0; i < 65536 / 64; i++) {
		allowed = ~blank->used[i];
		used = m->used[i] & allowed;
		u->ports += (__u32)__builtin_popcountll(allowed);
		u->used += (__u32)__builtin_popcountll(used);
		u->ended += (__u32)__builtin_popcountll(used & m->given_up[i]);
	}
	u->reclaimed = m->reclaimed;
}

static int most_live_first(const void *a, const void *b)
{
	const struct ivb_port_use *x = a, *y = b;
	__u32 live_x = x->used - x->ended, live_y = y->used - y->ended;

	return live_x > live_y ? -1 : live_x < live_y;
}

int ivb_port_use_get(const struct ivb_dp *dp, struct ivb_port_use **ret, size_t *ret_n,
		     struct ivb_err *err)
{
	_cleanup_free_ struct ivb_port_use *list = calloc(MAX_USES, sizeof(*list));
	struct ivb_port_map blank, m;
	struct ivb_port_key key, *prev = NULL;
	__u32 zero = 0;
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_PORT_BLANK], &zero, &blank))
		return ivb_err(err, -errno, "cannot read the map %s/port_blank: %m", dp->path);
	while (n < MAX_USES && !bpf_map_get_next_key(dp->fds[IVB_MAP_PORT_MAPS], prev, &key)) {
		prev = &key;
		if (bpf_map_lookup_elem(dp->fds[IVB_MAP_PORT_MAPS], &key, &m))
			continue;
		list[n].key = key;
		count(&list[n++], &m, &blank);
	}
	qsort(list, n, sizeof(*list), most_live_first);
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}
