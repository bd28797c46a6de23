/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps of another version's: the same keys, and values that are longer or shorter at their end. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/takeover/takeover_int.h"

static bool is_zero(const char *p, size_t n)
{
	return !n || (!*p && !memcmp(p, p + 1, n - 1));
}

/* Ours, with as much of the old value as both have; the rest is 0. */
struct value {
	char *buf;
	__u32 size, common;
};

static int put(int fd, const void *key, struct value *v, const char *old)
{
	memcpy(v->buf, old, v->common);
	return bpf_map_update_elem(fd, key, v->buf, BPF_ANY) ? -errno : 0;
}

/* What is 0 is so already. */
static int copy_array(const struct ivb_takeover *t, enum ivb_map id, __u32 max, struct value *v)
{
	__u32 size = t->size[id].value, n = t->size[id].max < max ? t->size[id].max : max, i;
	_cleanup_free_ char *values = NULL;
	void *read = NULL;
	int r;

	r = ivb_map_read_array(t->old.fds[id], size, n, &read);
	values = read;
	for (i = 0; !r && i < n; i++) {
		if (!is_zero(values + (size_t)i * size, size))
			r = put(t->dp->fds[id], &i, v, values + (size_t)i * size);
	}
	return r;
}

/* By keys, as tries know no batches. Nobody adds or removes any meanwhile, but for LRU's. */
static int copy_hash(const struct ivb_takeover *t, enum ivb_map id, struct value *v)
{
	_cleanup_free_ char *key = calloc(2, t->size[id].key), *old = calloc(1, t->size[id].value);
	int fd = t->old.fds[id], r = 0;
	__u32 n = 0, len = t->size[id].key;

	if (!key || !old)
		return -ENOMEM;
	while (!r && n < t->size[id].max * 2 &&
	       !bpf_map_get_next_key(fd, n ? key : NULL, key + len)) {
		n++;
		memcpy(key, key + len, len);
		if (!bpf_map_lookup_elem(fd, key, old))
			r = put(t->dp->fds[id], key, v, old);
	}
	return r;
}

int ivb_takeover_map(const struct ivb_takeover *t, enum ivb_map id, struct ivb_err *err)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	struct value v = { 0 };
	int r;

	if (t->old.fds[id] < 0 || t->dp->fds[id] < 0) /* one version alone has such a map */
		return 0;
	if (bpf_obj_get_info_by_fd(t->dp->fds[id], &info, &len))
		return ivb_err(err, -errno, "cannot look at the map %s: %m", ivb_map_rows[id].name);
	if (info.key_size != t->size[id].key)
		return ivb_err(err, -EPROTO, "the map %s has other keys", ivb_map_rows[id].name);
	v.size = info.value_size;
	v.common = v.size < t->size[id].value ? v.size : t->size[id].value;
	v.buf = calloc(1, v.size);
	if (!v.buf)
		return -ENOMEM;
	r = info.type == BPF_MAP_TYPE_ARRAY ? copy_array(t, id, info.max_entries, &v)
					    : copy_hash(t, id, &v);
	free(v.buf);
	return r ? ivb_err(err, r, "cannot copy the map %s/%s: %s", t->old.path,
			   ivb_map_rows[id].name, strerror(-r))
		 : 0;
}
