/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map kernel_snat, and the flags that tell whether it has anything, and whether anybody may
 * want SNAT.
 */
#include "dp/follow/policy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"

static int cannot(const struct ivb_dp *dp, const char *what, struct ivb_err *err)
{
	return ivb_err(err, -errno, "cannot write the map %s/%s: %m", dp->path, what);
}

static int count_one(const struct ivb_service_key *key, enum ivb_snat policy, void *arg)
{
	__u32 *flags = arg;

	(void)key;
	*flags |= IVB_CONFIG_SNAT_OWN | (policy != IVB_SNAT_NEVER ? IVB_CONFIG_SNAT_SOME : 0);
	return 0;
}

/* flags: of what is to come; then what is there decides. */
static int set_flags(struct ivb_dp *dp, __u32 flags, struct ivb_err *err)
{
	int r = ivb_policy_walk(dp, count_one, &flags, err);

	return r ? r
		 : ivb_config_set_flags(dp, IVB_CONFIG_SNAT_OWN | IVB_CONFIG_SNAT_SOME, flags, err);
}

int ivb_policy_set(struct ivb_dp *dp, const struct ivb_service_key *key, enum ivb_snat policy,
		   struct ivb_err *err)
{
	int fd = dp->fds[IVB_MAP_KERNEL_SNAT], r;
	__u32 value = policy, coming = 0;

	if (policy == IVB_SNAT_DEFAULT) {
		if (bpf_map_delete_elem(fd, key) && errno != ENOENT)
			return cannot(dp, "kernel_snat", err);
		return set_flags(dp, 0, err);
	}
	/* flags first: a service with a policy never goes by the default */
	count_one(key, policy, &coming);
	r = set_flags(dp, coming, err);
	if (r)
		return r;
	if (bpf_map_update_elem(fd, key, &value, BPF_ANY))
		r = errno == E2BIG ? ivb_err(err, -E2BIG, "there is no room for another policy")
				   : cannot(dp, "kernel_snat", err);
	return r ? r : set_flags(dp, 0, err);
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
