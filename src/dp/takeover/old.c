/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another version's instance: opened, looked at, and told what to do. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/takeover/takeover_int.h"

#define CONFIG_MAX 4096u /* any version's config is shorter */

static int open_map(struct ivb_takeover *t, enum ivb_map id, struct ivb_err *err)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = ivb_pin_get(&t->old, ivb_map_rows[id].name);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return ivb_err(err, fd, "cannot open the map %s/%s: %s", t->old.path,
			       ivb_map_rows[id].name, strerror(-fd));
	t->old.fds[id] = fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return ivb_err(err, -errno, "cannot look at the map %s/%s: %m", t->old.path,
			       ivb_map_rows[id].name);
	t->size[id].key = info.key_size;
	t->size[id].value = info.value_size;
	t->size[id].max = info.max_entries;
	return 0;
}

int ivb_takeover_old_get_one(const struct ivb_takeover *t, enum ivb_map id, void *ret, size_t size)
{
	_cleanup_free_ char *buf = calloc(1, CONFIG_MAX);
	__u32 zero = 0, len = t->size[id].value;

	if (!buf)
		return -ENOMEM;
	if (t->old.fds[id] < 0)
		return -ENOENT;
	if (len > CONFIG_MAX)
		return -E2BIG;
	if (bpf_map_lookup_elem(t->old.fds[id], &zero, buf))
		return -errno;
	memset(ret, 0, size);
	memcpy(ret, buf, len < size ? len : size);
	return 0;
}

int ivb_takeover_old_open(struct ivb_takeover *t, const char *instance, struct ivb_err *err)
{
	int id, r;

	snprintf(t->old.path, sizeof(t->old.path), IVB_PIN_ROOT "/%s/v%d", instance, t->abi);
	t->old.dir_fd = -1;
	for (id = 0; id < IVB_MAP_MAX_; id++)
		t->old.fds[id] = -1;
	r = ivb_pins_check_dir(t->old.path, err);
	for (id = 0; !r && id < IVB_MAP_MAX_; id++)
		r = open_map(t, (enum ivb_map)id, err);
	if (r)
		return r;
	/* None, or none with a number: half made, or half removed. */
	if (ivb_takeover_old_get_one(t, IVB_MAP_META, &t->old.meta, sizeof(t->old.meta)))
		t->old.meta.abi = 0;
	return 0;
}

/* Whether values can be taken as they are; see IVB_ABI. */
static int check_layout(const struct ivb_takeover *t, struct ivb_err *err)
{
	const struct ivb_meta *old = &t->old.meta, *m = &t->dp->meta;
	bool known = old->abi < IVB_ABI ? old->abi >= IVB_ABI_OLDEST
					: old->oldest && old->oldest <= IVB_ABI;
	int id;

	for (id = 0; id < IVB_MAP_MAX_; id++) {
		if (ivb_map_rows[id].taken == IVB_TAKEN_CONNS)
			known = known && t->size[id].value <= IVB_OLD_VALUE_MAX;
	}
	if (!known)
		return ivb_err(
			err, -EPROTO,
			"the instance was made by a version with ABI %u, which this one (ABI "
			"%u) cannot take over; nothing has been changed. Use a version in "
			"between, or let its connections end: `ipvs-bpf down --drain` of that "
			"version, then `up` with this one",
			old->abi, IVB_ABI);
	if (old->hz != m->hz || old->max_services > m->max_services ||
	    old->max_dests > m->max_dests || old->max_ring > m->max_ring ||
	    old->max_nexthops != m->max_nexthops)
		return ivb_err(
			err, -EPROTO,
			"the instance's tables (ABI %u) are not those of this version; nothing "
			"has been changed; let its connections end (`ipvs-bpf down --drain` of "
			"that version), then use `up` with this one",
			old->abi);
	return 0;
}

static int check_service(const struct ivb_takeover *t, const struct ivb_service *s,
			 struct ivb_err *err)
{
	const __u32 flags = IVB_SERVICE_SCHED_FALLBACK | IVB_SERVICE_SCHED_PORT;

	if (s->scheduler < IVB_SCHED_MAX_ && s->snat < IVB_SNAT_MAX_ && !(s->flags & ~flags))
		return 0;
	return ivb_err(
		err, -EPROTO,
		"a service of the instance has a scheduler or flag of ABI %u that this version "
		"(ABI %u) does not know; nothing has been changed; change the service with "
		"that version first",
		t->old.meta.abi, IVB_ABI);
}

/* What an older version cannot do, or not yet. */
static int check_use(const struct ivb_takeover *t, struct ivb_err *err)
{
	_cleanup_free_ char *value =
		calloc(1, t->size[IVB_MAP_SERVICES].value + sizeof(struct ivb_service));
	struct ivb_service_key key, *prev = NULL;
	struct ivb_config c;
	int r = ivb_takeover_old_get_one(t, IVB_MAP_CONFIG, &c, sizeof(c));

	if (r || !value)
		return ivb_err(err, r ? r : -ENOMEM, "cannot read the map %s/config: %s",
			       t->old.path, strerror(r ? -r : ENOMEM));
	if (c.flags & ~(__u32)IVB_CONFIG_KNOWN)
		return ivb_err(
			err, -EPROTO,
			"the instance has settings of ABI %u that this version (ABI %u) does not "
			"know; nothing has been changed",
			t->old.meta.abi, IVB_ABI);
	if (t->size[IVB_MAP_SERVICES].key != sizeof(key))
		return ivb_err(err, -EPROTO, "the map %s/services has other keys", t->old.path);
	while (!r && !bpf_map_get_next_key(t->old.fds[IVB_MAP_SERVICES], prev, &key)) {
		prev = &key;
		if (!bpf_map_lookup_elem(t->old.fds[IVB_MAP_SERVICES], &key, value))
			r = check_service(t, (void *)value, err);
	}
	return r;
}

int ivb_takeover_old_tell(const struct ivb_takeover *t, bool drain, __u32 hold_s,
			  struct ivb_err *err)
{
	_cleanup_free_ char *buf = calloc(1, CONFIG_MAX);
	struct ivb_config *c = (void *)buf;
	__u32 zero = 0;

	if (!buf)
		return -ENOMEM;
	if (bpf_map_lookup_elem(t->old.fds[IVB_MAP_CONFIG], &zero, buf))
		return ivb_err(err, -errno, "cannot read the map %s/config: %m", t->old.path);
	c->flags = (c->flags & ~(__u32)IVB_CONFIG_DRAIN) | (drain ? IVB_CONFIG_DRAIN : 0);
	c->hold_until = hold_s ? (ivb_dp_jiffies(&t->old) + hold_s * t->old.meta.hz) | 1 : 0;
	if (bpf_map_update_elem(t->old.fds[IVB_MAP_CONFIG], &zero, buf, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/config: %m", t->old.path);
	return 0;
}

int ivb_takeover_old_check(const struct ivb_takeover *t, struct ivb_err *err)
{
	int r = check_layout(t, err);

	return r ? r : check_use(t, err);
}
