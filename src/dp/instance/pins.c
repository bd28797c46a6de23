/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders on bpffs. */
#include "dp/instance/pins_int.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"

#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 20

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int ivb_pins_check_name(const char *name, struct ivb_err *err)
{
	const char *p;

	if (!*name || strlen(name) > IVB_INSTANCE_LEN)
		return ivb_err(err, -EINVAL, "instance name '%s': 1 to %d characters are possible",
			       name, IVB_INSTANCE_LEN);
	for (p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-_+:@", *p))
			return ivb_err(
				err, -EINVAL,
				"instance name '%s': '%c' is not possible in a name on bpffs; "
				"choose another with --instance",
				name, *p);
	}
	return 0;
}

/*
 * `ip netns exec NS` makes a mount namespace of the command's own, with a /sys whose source is
 * called NS. Returns whether that is so.
 */
static bool is_netns_exec(char *name, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	char path[NAME_MAX + 16], source[NAME_MAX + 1] = "";
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	struct stat st;

	while (f && getline(&line, &room, f) >= 0) {
		const char *tail = strstr(line, " /sys ") ? strstr(line, " - sysfs ") : NULL;

		if (tail)
			sscanf(tail, " - sysfs %255s", source);
	}
	snprintf(path, sizeof(path), "/run/netns/%s", source);
	if (!source[0] || strchr(source, '/') || stat(path, &st))
		return false;
	snprintf(name, size, "%s", source);
	return true;
}

int ivb_pins_check_lasting(struct ivb_err *err)
{
	char netns[NAME_MAX + 1];
	struct statfs s;
	int r = ivb_pins_check_bpffs(err);

	if (r)
		return r;
	if (!statfs(IVB_BPFFS, &s) && s.f_flags & ST_RDONLY)
		return ivb_err(err, -EROFS,
			       "bpffs is mounted read-only at " IVB_BPFFS
			       "; make it writable with: mount -o remount,rw " IVB_BPFFS);
	if (is_netns_exec(netns, sizeof(netns)))
		return ivb_err(
			err, -EXDEV,
			"the bpffs at " IVB_BPFFS
			" is that of `ip netns exec` alone, and all that is made there goes when "
			"the command ends; outside of it, say: ipvs-bpf --netns %s up ...",
			netns);
	return 0;
}

int ivb_pins_check_bpffs(struct ivb_err *err)
{
	char netns[NAME_MAX + 1];
	struct statfs s;

	/* The pins are root's, whatever capabilities others have. */
	if (geteuid())
		return ivb_err(err, -EPERM, "not permitted; run as root");
	if (statfs(IVB_BPFFS, &s))
		return ivb_err(err, -ENODEV, "no " IVB_BPFFS " (%m): does the kernel have BPF?");
	if (s.f_type != BPF_FS_MAGIC && is_netns_exec(netns, sizeof(netns)))
		return ivb_err(
			err, -ENODEV,
			"there is no bpffs under `ip netns exec`; outside of it, say: ipvs-bpf "
			"--netns %s ...",
			netns);
	if (s.f_type != BPF_FS_MAGIC)
		return ivb_err(err, -ENODEV,
			       "bpffs is not mounted at " IVB_BPFFS
			       "; mount it with: mount -t bpf -o mode=700 bpf " IVB_BPFFS);
	return 0;
}

static int check_stat(const char *path, const struct stat *st, struct ivb_err *err)
{
	if (!S_ISDIR(st->st_mode))
		return ivb_err(err, -EPERM, "%s is not a folder; remove it", path);
	if (st->st_uid)
		return ivb_err(
			err, -EPERM,
			"%s belongs to user %u, not to root, and what is in it cannot be trusted; "
			"remove it",
			path, st->st_uid);
	if (st->st_mode & 077)
		return ivb_err(err, -EPERM,
			       "%s is open to other users (mode %03o), so what is in it cannot be "
			       "trusted; remove it, or chmod 700 it if you know who changed it",
			       path, st->st_mode & 0777);
	return 0;
}

static int open_failed(const char *path, int e, struct ivb_err *err)
{
	switch (e) {
	case EACCES:
	case EPERM:
		return ivb_err(err, -EPERM, "not permitted to open %s; run as root", path);
	case ELOOP:
	case ENOTDIR:
		return ivb_err(err, -EPERM, "%s is not a folder; remove it", path);
	case ENOENT:
		return -ENOENT; /* the caller knows what that means */
	default:
		return ivb_err(err, -e, "cannot open %s: %s", path, strerror(e));
	}
}

int ivb_pins_check_dir(const char *path, struct ivb_err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return open_failed(path, errno, err);
	return check_stat(path, &st, err);
}

int ivb_pins_mkdir(const char *path, struct ivb_err *err)
{
	int r = mkdir(path, 0700);

	if (r && errno != EEXIST) {
		if (errno == EPERM || errno == EACCES)
			return ivb_err(err, -EPERM, "not permitted to make %s; run as root", path);
		return ivb_err(err, -errno, "cannot make %s: %m", path);
	}
	return ivb_pins_check_dir(path, err);
}

/* Who holds the lock, as /proc/locks says; 0: unknown. */
static int lock_holder(const struct stat *st)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/locks", "re");
	unsigned long inode;
	char line[160];
	int pid;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%lu ", &pid, &inode) == 2 &&
		    inode == st->st_ino && pid > 0)
			return pid;
	}
	return 0;
}

static int wait_for_lock(int fd, const char *path, enum ivb_lock lock, struct ivb_err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
	int op = lock == IVB_LOCK_EXCLUSIVE ? LOCK_EX : LOCK_SH, waited, pid;
	struct stat st = { 0 };

	for (waited = 0; flock(fd, op | LOCK_NB); waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ivb_err(err, -errno, "cannot lock %s: %m", path);
		if (waited >= LOCK_WAIT_MS) {
			pid = fstat(fd, &st) ? 0 : lock_holder(&st);
			return ivb_err(
				err, -EBUSY,
				"another ipvs-bpf command%s%.0d%s has held the lock on %s for %d "
				"seconds; try again when it has ended",
				pid ? " (process " : "", pid, pid ? ")" : "", path,
				LOCK_WAIT_MS / 1000);
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Whether the folder that fd was opened for is still the one of that path. */
static bool is_same(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !lstat(path, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int lock_once(int *ret_fd, const char *path, enum ivb_lock lock, bool create,
		     struct ivb_err *err)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = create ? ivb_pins_mkdir(path, err) : ivb_pins_check_dir(path, err);
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return open_failed(path, errno, err);
	r = wait_for_lock(fd, path, lock, err);
	if (r)
		return r;
	if (!is_same(fd, path))
		return -EAGAIN; /* `down` removed it while we waited */
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int ivb_pins_lock(int *ret_fd, const char *instance, enum ivb_lock lock, bool create,
		  struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];
	int r, tries;

	r = ivb_pins_check_name(instance, err);
	if (r)
		return r;
	r = ivb_pins_check_bpffs(err);
	if (r)
		return r;
	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s", instance);
	for (tries = 0; tries < 100; tries++) {
		r = create ? ivb_pins_mkdir(IVB_PIN_ROOT, err)
			   : ivb_pins_check_dir(IVB_PIN_ROOT, err);
		if (!r)
			r = lock_once(ret_fd, path, lock, create, err);
		/* -ENOENT with create: the root vanished between two calls. */
		if (r != -EAGAIN && !(r == -ENOENT && create))
			return r;
	}
	return ivb_err(err, -EBUSY, "%s is made and removed all the time", path);
}

int ivb_pins_list(const char *path, int (*fn)(const char *name, void *arg), void *arg)
{
	DIR *d __cleanup(close_dir) = opendir(path);
	struct dirent *e;
	int r;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = fn(e->d_name, arg);
		if (r)
			return r;
	}
	return 0;
}

struct removal {
	const char *path;
	struct ivb_err *err;
};

static int remove_one(const char *name, void *arg)
{
	struct removal *rm = arg;
	char path[IVB_PIN_PATH_LEN + 64];

	snprintf(path, sizeof(path), "%s/%s", rm->path, name);
	if (!unlink(path) || errno == ENOENT)
		return 0;
	if (errno == EISDIR || errno == EPERM)
		return ivb_pins_remove(path, rm->err);
	return ivb_err(rm->err, -errno, "cannot remove %s: %m", path);
}

int ivb_pins_remove(const char *path, struct ivb_err *err)
{
	struct removal rm = { .path = path, .err = err };
	int r = ivb_pins_list(path, remove_one, &rm);

	if (r == -ENOENT)
		return 0;
	if (r)
		return ivb_err(err, r, "cannot list %s: %s", path, strerror(-r));
	if (rmdir(path) && errno != ENOENT)
		return ivb_err(err, -errno, "cannot remove %s: %m", path);
	return 0;
}

void ivb_pins_remove_instance(const char *instance)
{
	char path[IVB_PIN_PATH_LEN];

	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s", instance);
	rmdir(path);
	rmdir(IVB_PIN_ROOT);
}
