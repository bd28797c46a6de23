/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map kernel_snat, and the flag that tells whether anybody may want SNAT. */
#include "dp/policy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "dp/instance.h"
#include "dp/maps.h"

static int cannot(const struct ivb_dp *dp, const char *what, struct ivb_err *err)
{
	return ivb_err(err, -errno, "cannot write the map %s/%s: %m", dp->path, what);
}

static int count_wanting(const struct ivb_service_key *key, enum ivb_snat policy, void *arg)
{
	(void)key;
	*(unsigned int *)arg += policy != IVB_SNAT_NEVER;
	return 0;
}

/* on: before the policy is there; else after it has gone, if no other is left. */
static int set_flag(struct ivb_dp *dp, bool on, struct ivb_err *err)
{
	unsigned int wanting = 0;
	struct ivb_config c;
	__u32 zero = 0;
	int r;

	r = on ? 0 : ivb_policy_walk(dp, count_wanting, &wanting, err);
	if (r || wanting)
		return r;
	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_CONFIG], &zero, &c))
		return ivb_err(err, -errno, "cannot read the map %s/config: %m", dp->path);
	c.flags = (c.flags & ~(__u32)IVB_CONFIG_SNAT_SOME) | (on ? IVB_CONFIG_SNAT_SOME : 0);
	if (bpf_map_update_elem(dp->fds[IVB_MAP_CONFIG], &zero, &c, BPF_EXIST))
		return cannot(dp, "config", err);
	return 0;
}

int ivb_policy_set(struct ivb_dp *dp, const struct ivb_service_key *key, enum ivb_snat policy,
		   struct ivb_err *err)
{
	int fd = dp->fds[IVB_MAP_KERNEL_SNAT], r = 0;
	__u32 value = policy;

	if (policy == IVB_SNAT_DEFAULT) {
		if (bpf_map_delete_elem(fd, key) && errno != ENOENT)
			return cannot(dp, "kernel_snat", err);
		return set_flag(dp, false, err);
	}
	if (policy != IVB_SNAT_NEVER)
		r = set_flag(dp, true, err);
	if (r)
		return r;
	if (bpf_map_update_elem(fd, key, &value, BPF_ANY))
		return errno == E2BIG ? ivb_err(err, -E2BIG, "there is no room for another policy")
				      : cannot(dp, "kernel_snat", err);
	return policy == IVB_SNAT_NEVER ? set_flag(dp, false, err) : 0;
}

struct walk {
	int (*fn)(const struct ivb_service_key *key, enum ivb_snat policy, void *arg);
	void *arg;
};

static int visit(const void *key, const void *value, void *arg)
{
	const struct walk *w = arg;
	struct ivb_service_key k;
	__u32 policy;

	memcpy(&k, key, sizeof(k));
	memcpy(&policy, value, sizeof(policy));
	return w->fn(&k, (enum ivb_snat)policy, w->arg);
}

int ivb_policy_walk(struct ivb_dp *dp,
		    int (*fn)(const struct ivb_service_key *key, enum ivb_snat policy, void *arg),
		    void *arg, struct ivb_err *err)
{
	struct walk w = { fn, arg };
	int r = ivb_map_walk_hash(dp->fds[IVB_MAP_KERNEL_SNAT], sizeof(struct ivb_service_key),
				  sizeof(__u32), visit, &w);

	return r < 0 ? ivb_err(err, r, "cannot read the map %s/kernel_snat: %s", dp->path,
			       strerror(-r))
		     : r;
}
