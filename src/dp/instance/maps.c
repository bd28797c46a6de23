/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading whole maps. */
#include "dp/instance/maps_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"

#define ARRAY_BATCH 65536u
#define HASH_BATCH 4096u

/* Maps that allow it are read in place: batches of a million words take half a second. */
static bool copy_mapped(int fd, __u32 value_size, __u32 n, char *values)
{
	size_t stride = (value_size + 7) & ~(size_t)7, i;
	char *p = mmap(NULL, stride * n, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return false;
	for (i = 0; i < n; i++)
		memcpy(values + i * value_size, p + i * stride, value_size);
	munmap(p, stride * n);
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
