/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel IPVS's connections, while the hooks of both versions are there: each follows their ends in
 * its own tables, so what has ended in the old ones meanwhile must not stay in ours.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/takeover/takeover_int.h"

union value {
	struct ivb_kernel_conn kc;
	char room[IVB_OLD_VALUE_MAX];
};

static bool get_old(const struct ivb_takeover *t, __u64 cp, union value *ret)
{
	memset(ret, 0, sizeof(*ret));
	return !bpf_map_lookup_elem(t->old.fds[IVB_MAP_KERNEL_CONNS], &cp, ret);
}

bool ivb_takeover_kernel_get(const struct ivb_takeover *t, const struct ivb_conn *conn, __u32 id,
			     struct ivb_kernel_conn *ret)
{
	union value v;

	if (!get_old(t, conn->cp, &v) || v.kc.conn != id || v.kc.gen != conn->gen)
		return false;
	*ret = v.kc;
	return true;
}

/* One that ends between the reading and the writing is seen when it is looked for again. */
static int take(const void *key, const void *value, void *arg)
{
	const struct ivb_kernel_conn *kc = value;
	const struct ivb_takeover *t = arg;
	int fd = t->dp->fds[IVB_MAP_KERNEL_CONNS];

	if (kc->conn != IVB_NONE)
		return 0;
	return bpf_map_update_elem(fd, key, kc, BPF_NOEXIST) && errno != EEXIST ? -errno : 0;
}

static int drop(const void *key, const void *value, void *arg)
{
	const struct ivb_kernel_conn *kc = value;
	const struct ivb_takeover *t = arg;
	union value old;

	if (kc->conn == IVB_NONE && !get_old(t, *(const __u64 *)key, &old))
		bpf_map_delete_elem(t->dp->fds[IVB_MAP_KERNEL_CONNS], key);
	return 0;
}

int ivb_takeover_kernel_existed(const struct ivb_takeover *t, struct ivb_err *err)
{
	int r;

	if (!t->kernel)
		return 0;
	r = ivb_map_walk_hash(t->old.fds[IVB_MAP_KERNEL_CONNS], sizeof(__u64),
			      t->size[IVB_MAP_KERNEL_CONNS].value, take, (void *)t);
	if (!r)
		r = ivb_map_walk_hash(t->dp->fds[IVB_MAP_KERNEL_CONNS], sizeof(__u64),
				      sizeof(struct ivb_kernel_conn), drop, (void *)t);
	return r ? ivb_err(err, r, "cannot take over the map %s/kernel_conns: %s", t->old.path,
			   strerror(-r))
		 : 0;
}
