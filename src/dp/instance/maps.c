/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading whole maps. */
#include "dp/instance/maps_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance_int.h"

#define ARRAY_BATCH 65536u
#define HASH_BATCH 4096u

/* An array's values lie 8 bytes apart at least, also when they are words. */
static size_t mapped_size(__u32 value_size, __u32 n)
{
	return (((size_t)value_size + 7) & ~(size_t)7) * n;
}

static const void *map_fd(int fd, __u32 value_size, __u32 n)
{
	const void *p = mmap(NULL, mapped_size(value_size, n), PROT_READ, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

const void *ivb_map_mmap(const struct ivb_dp *dp, enum ivb_map id, __u32 value_size, __u32 n,
			 struct ivb_err *err)
{
	const void *p = map_fd(dp->fds[id], value_size, n);

	if (!p)
		ivb_err(err, -errno, "cannot map the table %s/%s into memory: %m", dp->path,
			ivb_map_rows[id].name);
	return p;
}

void ivb_map_munmap(const void *p, __u32 value_size, __u32 n)
{
	if (p)
		munmap((void *)p, mapped_size(value_size, n));
}

/* Maps that allow it are read in place: batches of a million words take half a second. */
static bool copy_mapped(int fd, __u32 value_size, __u32 n, char *values)
{
	const char *p = map_fd(fd, value_size, n);
	size_t stride = mapped_size(value_size, 1), i;

	if (!p)
		return false;
	for (i = 0; i < n; i++)
		memcpy(values + i * value_size, p + i * stride, value_size);
	ivb_map_munmap(p, value_size, n);
	return true;
}

int ivb_map_read_array(int fd, __u32 value_size, __u32 n, void **ret)
{
	_cleanup_free_ __u32 *keys = malloc(ARRAY_BATCH * sizeof(*keys));
	_cleanup_free_ char *values = calloc(n, value_size);
	__u32 done = 0, count, token = 0;

	if (!keys || !values)
		return -ENOMEM;
	if (copy_mapped(fd, value_size, n, values))
		done = n;
	for (; done < n; done += count) {
		count = n - done < ARRAY_BATCH ? n - done : ARRAY_BATCH;
		if (bpf_map_lookup_batch(fd, done ? &token : NULL, &token, keys,
					 values + (size_t)done * value_size, &count, NULL) &&
		    errno != ENOENT)
			return -errno;
		if (!count)
			return -EIO;
	}
	*ret = TAKE_PTR(values);
	return 0;
}

struct batch {
	char *keys, *values;
	__u32 size; /* elements that there is room for */
};

static void batch_free(struct batch *b)
{
	free(b->keys);
	free(b->values);
}

static int batch_alloc(struct batch *b, __u32 key_size, __u32 value_size, __u32 size)
{
	batch_free(b);
	b->keys = calloc(size, key_size);
	b->values = calloc(size, value_size);
	b->size = size;
	return b->keys && b->values ? 0 : -ENOMEM;
}

int ivb_map_walk_hash(int fd, __u32 key_size, __u32 value_size,
		      int (*fn)(const void *key, const void *value, void *arg), void *arg)
{
	struct batch b __cleanup(batch_free) = { 0 };
	int r = batch_alloc(&b, key_size, value_size, HASH_BATCH);
	__u32 token = 0, next, count, i;
	bool first = true, end = false;

	while (!r && !end) {
		count = b.size;
		if (bpf_map_lookup_batch(fd, first ? NULL : &token, &next, b.keys, b.values, &count,
					 NULL)) {
			if (errno == ENOSPC) { /* a bucket does not fit */
				r = batch_alloc(&b, key_size, value_size, b.size * 2);
				continue;
			}
			if (errno == EINTR || errno == EAGAIN)
				continue;
			if (errno != ENOENT)
				return -errno;
			end = true;
		}
		for (i = 0; i < count && !r; i++)
			r = fn(b.keys + (size_t)i * key_size, b.values + (size_t)i * value_size,
			       arg);
		token = next;
		first = false;
	}
	return r;
}
