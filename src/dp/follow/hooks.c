/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following kernel IPVS: attaching to its functions, and letting go. The only file with that
 * skeleton.
 */
#include "dp/follow/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/follow/hook_table.h"
#include "dp/follow/hooks_int.h"
#include "dp/instance/bpflog_int.h"
#include "dp/instance/instance_int.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/load/mapset_int.h"
#include "dp/load/prog_int.h"
#include "dp/load/rodata_int.h"
#include "ipvs.skel.h"

#define LET_GO_MS 5000

static void destroy(struct ivb_ipvs **skel)
{
	ivb_ipvs__destroy(*skel);
}

#define DIR "hooks"
#define DIR_NEXT DIR "-next" /* hooks that are to take the others' places */

/* Whether the instance follows the network namespace with this cookie. */
static bool follows(const char *instance, __u64 cookie)
{
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];
	struct ivb_meta meta;
	__u32 zero = 0;

	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s/v%d/hooks", instance, IVB_ABI);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), IVB_PIN_ROOT "/%s/v%d/meta", instance, IVB_ABI);
	fd = bpf_obj_get(path);
	return fd >= 0 && !bpf_map_lookup_elem(fd, &zero, &meta) && meta.netns_cookie == cookie;
}

struct rival {
	const struct ivb_dp *dp;
	char name[IVB_INSTANCE_LEN + 1];
};

static int find_rival(const char *name, void *arg)
{
	struct rival *r = arg;
	char own[IVB_PIN_PATH_LEN];

	snprintf(own, sizeof(own), IVB_PIN_ROOT "/%s/v%d", name, IVB_ABI);
	if (!strcmp(own, r->dp->path) || !follows(name, r->dp->meta.netns_cookie))
		return 0;
	snprintf(r->name, sizeof(r->name), "%s", name);
	return 1;
}

static int check_rivals(const struct ivb_dp *dp, struct ivb_err *err)
{
	struct rival r = { .dp = dp };

	if (ivb_pins_list(IVB_PIN_ROOT, find_rival, &r) <= 0)
		return 0;
	return ivb_err(
		err, -EEXIST,
		"instance %s follows kernel IPVS of this network namespace already; two would "
		"translate the same packets (`ipvs-bpf --instance %s up --ipvs=no` lets go)",
		r.name, r.name);
}

static void set_up(struct ivb_ipvs *skel, const struct ivb_meta *meta, const bool *missing)
{
	IVB_RODATA_SET(skel->rodata, meta);
	skel->rodata->ivb_netns_cookie = meta->netns_cookie;
	ivb_hook_table_leave_out(skel->obj, missing);
}

static int load(const struct ivb_dp *dp, struct ivb_ipvs **ret, struct ivb_err *err)
{
	struct ivb_ipvs *skel __cleanup(destroy) = NULL;
	bool missing[IVB_NUM_HOOKS];
	int r = ivb_hook_table_check(missing, err);

	if (r)
		return r;
	ivb_bpflog_start();
	skel = ivb_ipvs__open();
	if (!skel)
		return ivb_bpflog_err(err, -errno, "cannot open the BPF object of the hooks");
	set_up(skel, &dp->meta, missing);
	r = ivb_mapset_prepare(dp, skel->obj, 0, true, err);
	if (r)
		return r;
	r = ivb_ipvs__load(skel);
	if (r)
		return ivb_bpflog_err(err, r, "cannot load the hooks on kernel IPVS");
	*ret = TAKE_PTR(skel);
	return 0;
}

static int attach_one(const struct ivb_dp *dp, const char *dir, const struct bpf_program *prog,
		      struct ivb_err *err)
{
	struct bpf_link *link = bpf_program__attach(prog);
	char path[IVB_PIN_PATH_LEN];
	int r = 0;

	if (!link)
		return ivb_bpflog_err(err, -errno, "cannot attach to the kernel's %s",
				      bpf_program__section_name(prog));
	snprintf(path, sizeof(path), "%s/%s/%s", dp->path, dir,
		 ivb_pin_of(bpf_program__name(prog)));
	if (bpf_obj_pin(bpf_link__fd(link), path))
		r = ivb_err(err, -errno, "cannot pin %s: %m", path);
	bpf_link__destroy(link);
	return r;
}

/* All but the one that is only there while we read, and the one that has come before it. */
static int attach_rest(const struct ivb_dp *dp, const char *dir, struct ivb_ipvs *skel,
		       struct ivb_err *err)
{
	struct bpf_program *prog;
	int r;

	bpf_object__for_each_program(prog, skel->obj)
	{
		if (prog == skel->progs.ivb_on_existing || prog == skel->progs.ivb_on_conn_end ||
		    !bpf_program__autoload(prog))
			continue;
		if (prog == skel->progs.ivb_purge || prog == skel->progs.ivb_followed ||
		    prog == skel->progs.ivb_begins) {
			r = ivb_pin_replace(dp, bpf_program__fd(prog),
					    ivb_pin_of(bpf_program__name(prog)), err);
			if (r)
				return r;
			continue;
		}
		r = attach_one(dp, dir, prog, err);
		if (r)
			return r;
	}
	return 0;
}

/* Connections that are there already: reading the list shows them to the hook. */
static int note_existing(struct ivb_ipvs *skel, struct ivb_err *err)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.ivb_on_existing);
	_cleanup_fclose_ FILE *f = NULL;
	char buf[4096];

	if (!link)
		return ivb_bpflog_err(err, -errno, "cannot attach to the kernel's %s",
				      "ip_vs_conn_seq_show");
	f = fopen("/proc/thread-self/net/ip_vs_conn", "re");
	while (f && fread(buf, 1, sizeof(buf), f) > 0)
		;
	bpf_link__destroy(link);
	return f ? 0 : ivb_err(err, -errno, "cannot read /proc/net/ip_vs_conn: %m");
}

/*
 * First the end of connections, then those that are there: a packet of theirs that came by the
 * other hooks before would make them new ones, with SNAT in mid-life. What begins meanwhile is
 * dropped at egress, where nobody knows it yet, and so has its SNAT from the first packet that a
 * server sees.
 */
static int attach_all(const struct ivb_dp *dp, struct ivb_ipvs *skel, struct ivb_err *err)
{
	int r = attach_one(dp, DIR, skel->progs.ivb_on_conn_end, err);

	if (!r)
		r = note_existing(skel, err);
	return r ? r : attach_rest(dp, DIR, skel, err);
}

/* Services that went while no hook told of it; those that are there are written once hooks are. */
static void forget_services(const struct ivb_dp *dp)
{
	int fd = dp->fds[IVB_MAP_KERNEL_SERVICES];
	struct ivb_service_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key) && !bpf_map_delete_elem(fd, &key))
		;
}

int ivb_hooks_attach(struct ivb_dp *dp, int (*ready)(void *arg, struct ivb_err *err), void *arg,
		     struct ivb_err *err)
{
	struct ivb_ipvs *skel __cleanup(destroy) = NULL;
	char dir[IVB_PIN_PATH_LEN];
	int r;

	r = check_rivals(dp, err);
	if (!r)
		r = ivb_hooks_detach(dp, err);
	if (!r)
		r = load(dp, &skel, err);
	if (!r)
		r = ready(arg, err);
	if (r)
		return r;
	forget_services(dp);
	ivb_pin_path(dir, sizeof(dir), dp, DIR);
	r = ivb_pins_mkdir(dir, err);
	if (!r)
		r = attach_all(dp, skel, err);
	if (r)
		ivb_pins_remove(dir, NULL);
	return r;
}

/* Into a folder of that name; first of all the end of connections. */
static int attach_known(const struct ivb_dp *dp, const char *name, struct ivb_ipvs *skel,
			struct ivb_err *err)
{
	char dir[IVB_PIN_PATH_LEN];
	int r;

	ivb_pin_path(dir, sizeof(dir), dp, name);
	r = ivb_pins_mkdir(dir, err);
	if (!r)
		r = attach_one(dp, name, skel->progs.ivb_on_conn_end, err);
	return r ? r : attach_rest(dp, name, skel, err);
}

int ivb_hooks_attach_beside(const struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_ipvs *skel __cleanup(destroy) = NULL;
	int r = load(dp, &skel, err);

	return r ? r : attach_known(dp, DIR, skel, err);
}

struct exchange {
	const struct ivb_dp *dp;
	const struct bpf_object *obj;
	struct ivb_err *err;
};

static int take_place(const char *name, void *arg)
{
	char from[IVB_PIN_PATH_LEN], to[IVB_PIN_PATH_LEN];
	struct exchange *x = arg;

	snprintf(from, sizeof(from), "%s/" DIR_NEXT "/%s", x->dp->path, name);
	snprintf(to, sizeof(to), "%s/" DIR "/%s", x->dp->path, name);
	return rename(from, to) ? ivb_err(x->err, -errno, "cannot rename %s: %m", from) : 0;
}

/* A hook that this build does not have goes. */
static int leave_place(const char *name, void *arg)
{
	struct exchange *x = arg;
	char path[IVB_PIN_PATH_LEN], program[IVB_PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/" DIR "/%s", x->dp->path, name);
	snprintf(program, sizeof(program), IVB_NAME_PREFIX "%s", name);
	if (!bpf_object__find_program_by_name(x->obj, program) && unlink(path))
		return ivb_err(x->err, -errno, "cannot remove %s: %m", path);
	return 0;
}

int ivb_hooks_renew(const struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_ipvs *skel __cleanup(destroy) = NULL;
	struct exchange x = { .dp = dp, .err = err };
	char dir[IVB_PIN_PATH_LEN];
	int r;

	ivb_pin_path(dir, sizeof(dir), dp, DIR_NEXT);
	r = ivb_pins_remove(dir,
			    err); /* left by a command that was killed; each place has its hook */
	if (!r)
		r = load(dp, &skel, err);
	if (!r)
		r = attach_known(dp, DIR_NEXT, skel, err);
	if (!r)
		r = ivb_pins_list(dir, take_place, &x);
	if (!r) {
		x.obj = skel->obj;
		ivb_pin_path(dir, sizeof(dir), dp, DIR);
		r = ivb_pins_list(dir, leave_place, &x);
		ivb_pin_path(dir, sizeof(dir), dp, DIR_NEXT);
	}
	ivb_pins_remove(dir, NULL);
	return r;
}

static int count_pin(const char *name, void *arg)
{
	(void)name;
	++*(unsigned int *)arg;
	return 0;
}

/*
 * Which of our hooks a kernel may lack is known only while it has ip_vs: a few more or less are
 * all.
 */
static bool has_hook(const struct ivb_dp *dp, const char *name)
{
	char path[IVB_PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/" DIR "/%s", dp->path, ivb_pin_of(name));
	return !access(path, F_OK);
}

bool ivb_hooks_tell_services(const struct ivb_dp *dp)
{
	return has_hook(dp, "ivb_on_add_dest") &&
	       (has_hook(dp, "ivb_on_unlink") || has_hook(dp, "ivb_on_del_svc"));
}

enum ivb_hooks ivb_hooks_state(const struct ivb_dp *dp)
{
	unsigned int n = 0, optional = 0;
	char dir[IVB_PIN_PATH_LEN];
	size_t i;

	for (i = 0; i < IVB_NUM_HOOKS; i++)
		optional += ivb_hook_table[i].optional;
	ivb_pin_path(dir, sizeof(dir), dp, DIR);
	if (ivb_pins_list(dir, count_pin, &n) || !n)
		return IVB_HOOKS_NONE;
	return n + optional < IVB_NUM_HOOKS - 1 ? IVB_HOOKS_SOME : IVB_HOOKS_ALL;
}

struct link_ids {
	char dir[IVB_PIN_PATH_LEN];
	__u32 id[2 * IVB_NUM_HOOKS];
	size_t n;
};

static int remember_link(const char *name, void *arg)
{
	struct link_ids *ids = arg;
	struct bpf_link_info info = { 0 };
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN + IVB_INSTANCE_LEN];
	__u32 len = sizeof(info);

	snprintf(path, sizeof(path), "%s/%s", ids->dir, name);
	fd = bpf_obj_get(path);
	if (fd >= 0 && ids->n < 2 * IVB_NUM_HOOKS && !bpf_obj_get_info_by_fd(fd, &info, &len))
		ids->id[ids->n++] = info.id;
	return 0;
}

static bool link_lives(__u32 id)
{
	_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);

	return fd >= 0;
}

/* Without hooks we would not hear of the connections' end. */
static void purge(const struct ivb_dp *dp)
{
	_cleanup_close_ int fd = ivb_pin_get(dp, "purge");

	if (fd >= 0)
		ivb_prog_run(fd, NULL, "purge");
	/* It is of ip_vs's types, and would keep the module. */
	ivb_pin_remove(dp, "purge");
	/* Rules that have them keep them, and their tables: of no connections then. */
	ivb_pin_remove(dp, "followed");
	ivb_pin_remove(dp, "begins");
}

/* The kernel lets go of an unpinned link some time later. */
int ivb_hooks_detach(const struct ivb_dp *dp, struct ivb_err *err)
{
	static const char *const dirs[] = { DIR_NEXT, DIR };
	const struct timespec pause = { .tv_nsec = 10 * 1000000L };
	struct link_ids ids = { .n = 0 };
	int r = 0, waited;
	size_t i;

	for (i = 0; i < 2; i++) {
		ivb_pin_path(ids.dir, sizeof(ids.dir), dp, dirs[i]);
		r = ivb_pins_list(ids.dir, remember_link, &ids);
		if (!r)
			r = ivb_pins_remove(ids.dir, err);
		if (r && r != -ENOENT)
			return r;
	}
	if (r == -ENOENT)
		return 0;
	purge(dp);
	for (i = 0, waited = 0; i < ids.n && waited < LET_GO_MS / 10; waited++) {
		if (link_lives(ids.id[i]))
			nanosleep(&pause, NULL);
		else
			i++;
	}
	return 0;
}
