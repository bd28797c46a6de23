/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening an instance: its folder, its lock, its maps, and whether they are what they should be. */
#include "dp/instance/instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/pin_name_int.h"
#include "dp/instance/pins_int.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

const struct ivb_map_row ivb_map_rows[IVB_MAP_MAX_] = {
#define IVB_MAP(id, name, type, key, value, entries, flags, family, taken) \
	[IVB_MAP_##id] = { #name, sizeof(key), sizeof(value), IVB_MAP_##family, IVB_TAKEN_##taken },
#include <ivb/maps.def>
};

/* What no program may write is what commands have set: an upgrade must not lose it. */
#define IVB_OWN_MAP(name, type, key, value, entries, flags, family, taken)                     \
	_Static_assert(!((flags)&BPF_F_RDONLY_PROG) || (IVB_TAKEN_##taken == IVB_TAKEN_SET) || \
			       (IVB_TAKEN_##taken == IVB_TAKEN_META),                          \
		       "the map " #name " is set by commands: SET, or it would be lost");
#define IVB_MAP(id, ...) IVB_OWN_MAP(__VA_ARGS__)
#include <ivb/maps.def>

int ivb_netns_cookie(__u64 *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret, &len))
		return -errno;
	return 0;
}

int ivb_dp_check_netns(const struct ivb_dp *dp, struct ivb_err *err)
{
	__u64 cookie;
	int r = ivb_netns_cookie(&cookie);

	if (r)
		return ivb_err(err, r, "cannot tell the network namespace: %s", strerror(-r));
	if (cookie != dp->meta.netns_cookie)
		return ivb_err(
			err, -EXDEV,
			"the instance at %s serves another network namespace than the current "
			"one: name it with --netns, or if it is gone, remove the instance with "
			"`ipvs-bpf down --force`",
			dp->path);
	return 0;
}

int ivb_dp_write_meta(const struct ivb_dp *dp, struct ivb_err *err)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(dp->fds[IVB_MAP_META], &zero, &dp->meta, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/meta: %m", dp->path);
	return 0;
}

bool ivb_dp_is_complete(const struct ivb_dp *dp)
{
	return dp->meta.abi == IVB_ABI;
}

bool ivb_dp_has_v6(const struct ivb_dp *dp)
{
	int id;

	for (id = 0; id < IVB_MAP_MAX_; id++) {
		if (ivb_map_rows[id].family == IVB_MAP_V6 && dp->fds[id] < 0)
			return false;
	}
	return true;
}

static int check_map(const struct ivb_dp *dp, enum ivb_map id, int fd, struct ivb_err *err)
{
	const struct ivb_map_row *row = &ivb_map_rows[id];
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return ivb_err(err, -errno, "%s/%s is not a map of ours (%m)", dp->path, row->name);
	if (info.key_size != row->key || info.value_size != row->value)
		return ivb_err(
			err, -EPROTO,
			"map %s/%s has keys of %u and values of %u bytes instead of %u and %u: made "
			"by another version; bring the instance down with that version, or with "
			"`ipvs-bpf down`",
			dp->path, row->name, info.key_size, info.value_size, row->key, row->value);
	return 0;
}

int ivb_dp_open_maps(struct ivb_dp *dp, struct ivb_err *err)
{
	char path[sizeof(dp->path) + 32];
	int id, fd, r;

	for (id = 0; id < IVB_MAP_MAX_; id++) {
		if (dp->fds[id] >= 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dp->path, ivb_map_rows[id].name);
		fd = bpf_obj_get(path);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return ivb_err(err, -errno, "cannot open the map %s: %m", path);
		r = check_map(dp, (enum ivb_map)id, fd, err);
		if (r) {
			close(fd);
			return r;
		}
		dp->fds[id] = fd;
	}
	return 0;
}

/* "v3": a folder of another version, whose number goes to arg. */
static int find_abi(const char *name, void *arg)
{
	__u32 abi;

	if (ivb_pin_name_abi(name, &abi) || abi == IVB_ABI)
		return 0;
	*(int *)arg = (int)abi;
	return 1;
}

int ivb_dp_other_abi(const char *instance)
{
	char path[IVB_PIN_PATH_LEN];
	int abi = 0;

	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s", instance);
	ivb_pins_list(path, find_abi, &abi);
	return abi;
}

/* Of any version's meta the first word is the ABI, once it is complete. */
static bool other_is_complete(const char *instance, int abi)
{
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0, value[1024];

	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s/v%d/meta", instance, abi);
	fd = bpf_obj_get(path);
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       info.value_size <= sizeof(value) && !bpf_map_lookup_elem(fd, &zero, value) &&
	       value[0] == (__u32)abi;
}

int ivb_dp_check_whole(const struct ivb_dp *dp, const char *instance, struct ivb_err *err)
{
	int other = ivb_dp_other_abi(instance);

	if (!other || dp->meta.takes_over || !other_is_complete(instance, other))
		return 0;
	return ivb_err(err, -EBUSY,
		       "a version with ABI %d is half way in taking over instance %s from this one "
		       "(ABI %d): it was interrupted; `ipvs-bpf up` of that version goes on",
		       other, instance, IVB_ABI);
}

static int open_folder(struct ivb_dp *dp, const char *instance, enum ivb_open how,
		       struct ivb_err *err)
{
	int other, r;

	snprintf(dp->path, sizeof(dp->path), IVB_PIN_ROOT "/%s/v%d", instance, IVB_ABI);
	r = ivb_pins_check_dir(dp->path, err);
	if (r != -ENOENT)
		return r;
	if (how == IVB_OPEN_SALVAGE)
		return 0;
	if (how == IVB_OPEN_CREATE)
		return ivb_pins_mkdir(dp->path, err);
	other = ivb_dp_other_abi(instance);
	if (other)
		return ivb_err(
			err, -EPROTO,
			"instance %s was made by a version with ABI %d, and this one has ABI %d: "
			"`ipvs-bpf up` takes it over with its connections, `ipvs-bpf down` removes it",
			instance, other, IVB_ABI);
	return -ENOENT;
}

int ivb_dp_open_any(struct ivb_dp **ret, const char *instance, enum ivb_lock lock,
		    enum ivb_open how, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = calloc(1, sizeof(*dp));
	bool salvage = how == IVB_OPEN_SALVAGE;
	__u32 zero = 0;
	int r, i;

	if (!dp)
		return -ENOMEM;
	ivb_bpflog_start();
	dp->dir_fd = -1;
	for (i = 0; i < IVB_MAP_MAX_; i++)
		dp->fds[i] = -1;
	r = ivb_pins_lock(&dp->dir_fd, instance, lock, how == IVB_OPEN_CREATE, err);
	if (r)
		return r;
	r = open_folder(dp, instance, how, err);
	if (!r) {
		r = ivb_dp_open_maps(dp, salvage ? NULL : err);
		r = salvage ? 0 : r;
	}
	if (!r && dp->fds[IVB_MAP_META] >= 0 &&
	    bpf_map_lookup_elem(dp->fds[IVB_MAP_META], &zero, &dp->meta) && !salvage)
		r = ivb_err(err, -errno, "cannot read the map %s/meta: %m", dp->path);
	if (r) {
		/* Folders that this call has made are empty, and go. */
		if (how == IVB_OPEN_CREATE) {
			rmdir(dp->path);
			ivb_pins_remove_instance(instance);
		}
		return r;
	}
	*ret = TAKE_PTR(dp);
	return 0;
}

int ivb_dp_check_maps(const struct ivb_dp *dp, struct ivb_err *err)
{
	int id;

	for (id = 0; id < IVB_MAP_MAX_; id++) {
		if (dp->fds[id] >= 0 || ivb_map_rows[id].family == IVB_MAP_V6)
			continue;
		return ivb_err(
			err, -ENOENT,
			"the pin %s/%s is missing, so the instance cannot be used; remove it with "
			"`ipvs-bpf down` and set it up again",
			dp->path, ivb_map_rows[id].name);
	}
	return 0;
}

int ivb_dp_open(struct ivb_dp **ret, const char *instance, enum ivb_lock lock, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r;

	r = ivb_dp_open_any(&dp, instance, lock, IVB_OPEN_EXISTING, err);
	if (r == -ENOENT)
		return ivb_err(err, r, "instance %s is not up; start it with: ipvs-bpf up DEV...",
			       instance);
	if (r)
		return r;
	if (!ivb_dp_is_complete(dp))
		return ivb_err(
			err, -ENOENT,
			"instance %s is only half there (an `up` or `down` was interrupted); run "
			"`ipvs-bpf up` or `ipvs-bpf down` again",
			instance);
	if (dp->meta.takes_over)
		return ivb_err(
			err, -EBUSY,
			"this version is half way in taking over instance %s from one with ABI "
			"%u: it was interrupted; `ipvs-bpf up` goes on",
			instance, dp->meta.takes_over);
	r = ivb_dp_check_whole(dp, instance, err);
	if (r)
		return r;
	r = ivb_dp_check_maps(dp, err);
	if (r)
		return r;
	r = ivb_dp_check_netns(dp, err);
	if (r)
		return r;
	*ret = TAKE_PTR(dp);
	return 0;
}

void ivb_dp_close_maps(struct ivb_dp *dp)
{
	int i;

	for (i = 0; i < IVB_MAP_MAX_; i++) {
		if (dp->fds[i] >= 0)
			close(dp->fds[i]);
		dp->fds[i] = -1;
	}
	dp->meta = (struct ivb_meta){ 0 };
}

void ivb_dp_unlock(struct ivb_dp *dp)
{
	if (dp->dir_fd >= 0)
		close(dp->dir_fd);
	dp->dir_fd = -1;
}

void ivb_dp_closep(struct ivb_dp **dp)
{
	if (!*dp)
		return;
	ivb_dp_close_maps(*dp);
	ivb_dp_unlock(*dp);
	free(*dp);
}

__u32 ivb_dp_jiffies(const struct ivb_dp *dp)
{
	__u64 ns = ivb_clock_monotonic_ns() - dp->meta.monotonic_ns;
	__u64 s = ns / 1000000000ull, rest = ns % 1000000000ull;

	return (__u32)(dp->meta.jiffies + s * dp->meta.hz + rest * dp->meta.hz / 1000000000ull);
}
