/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of programs and maps; loads every program on the running kernel and compares the instructions that its verifier went
 * through with tests/verifier/budgets.txt: more than a tenth over fails. On kernels that are not
 * listed it reports only. `verifier --print` prints the lines for that file.
 */
#include <errno.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "base/err.h"
#include "dp/follow/hook_table.h"
#include "ipvs.skel.h"
#include "tc.skel.h"

#define BUDGETS "tests/verifier/budgets.txt"
#define LIMIT 1000000 /* BPF_COMPLEXITY_LIMIT_INSNS, all kernels here */

/* "6.12" of "6.12.117-1-amd64" */
static void kernel_series(char *series, size_t size)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
		bail("kernel release '%s'", name.release);
	snprintf(series, size, "%u.%u", major, minor);
}

/* Returns 0 if the file has no line for that program on that kernel. */
static unsigned int budget(const char *series, const char *program)
{
	char line[128], kernel[16], name[64];
	unsigned int insns, found = 0;
	FILE *f = fopen(BUDGETS, "re");

	if (!f)
		bail(BUDGETS ": %s (run from the top of the tree)", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && sscanf(line, "%15s %63s %u", kernel, name, &insns) == 3 &&
		    !strcmp(kernel, series) && !strcmp(name, program))
			found = insns;
	fclose(f);
	return found;
}

static unsigned int verified_insns(const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		bail("%s: %s", bpf_program__name(prog), strerror(errno));
	return info.verified_insns;
}

static void compare(const char *series, const char *name, unsigned int insns)
{
	unsigned int allowed = budget(series, name);

	ok(insns < LIMIT / 2, "%s: %u instructions verified, half of the kernel's limit is %u",
	   name, insns, LIMIT / 2);
	if (!allowed)
		skip("%s: %u instructions; no budget for kernel %s in " BUDGETS, name, insns,
		     series);
	else
		ok(insns <= allowed + allowed / 10, "%s: %u instructions verified, budget %u", name,
		   insns, allowed);
}

#define PREFIX "ivb_"
#define NAME_MAX_ 15 /* characters that the kernel keeps */

static const char *const rows[] = {
#define IVB_OWN_MAP(name, ...) PREFIX #name,
#define IVB_MAP(id, name, ...) PREFIX #name,
#include <ivb/maps.def>
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool is_row(const char *name)
{
	size_t i;

	for (i = 0; i < NUM_ROWS && strcmp(rows[i], name); i++)
		;
	return i < NUM_ROWS;
}

/* Whose a map is, and what becomes of it: a row, a zone's own, or room for a moment. */
static bool is_known(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return is_row(name) || !strcmp(name, PREFIX "progs") ||
	       (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY && bpf_map__max_entries(map) == 1);
}

static bool is_told_apart(const struct bpf_object *obj, const struct bpf_map *map)
{
	const struct bpf_map *other;

	bpf_object__for_each_map(other, obj)
	{
		if (other != map && !strncmp(bpf_map__name(other), bpf_map__name(map), NAME_MAX_))
			return false;
	}
	return true;
}

/* What `bpftool prog` and `bpftool map` show says whose it is. */
static void names(const char *what, const struct bpf_object *obj)
{
	struct bpf_program *prog;
	const struct bpf_map *map;
	bool progs = true, prefixed = true, apart = true, known = true;
	size_t n = 0;

	bpf_object__for_each_program(prog, obj)
	{
		const char *name = bpf_program__name(prog);

		progs = progs && !strncmp(name, PREFIX, strlen(PREFIX)) &&
			strlen(name) <= NAME_MAX_;
	}
	bpf_object__for_each_map(map, obj)
	{
		/* the compiler's own constants are called after their section */
		prefixed = prefixed && (!strncmp(bpf_map__name(map), PREFIX, strlen(PREFIX)) ||
					!strncmp(bpf_map__name(map), ".rodata.", 8));
		apart = apart && is_told_apart(obj, map);
		known = known && (bpf_map__is_internal(map) || is_known(map));
		n += is_row(bpf_map__name(map));
	}
	ok(progs, "%s: programs are called " PREFIX "..., in %d characters", what, NAME_MAX_);
	ok(prefixed, "%s: maps are called " PREFIX "...", what);
	ok(apart, "%s: the first %d characters tell maps apart", what, NAME_MAX_);
	ok(known, "%s: every map is a row of maps.def, or for a moment", what);
	ok(n == NUM_ROWS, "%s: every row of maps.def is a map (%zu of %zu)", what, n, NUM_ROWS);
}

/* Goes through the programs of an object that has been loaded. */
static void each_program(const char *series, bool print, const struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		if (!bpf_program__autoload(prog))
			continue;
		if (print)
			printf("%s\t%s\t%u\n", series, bpf_program__name(prog),
			       verified_insns(prog));
		else
			compare(series, bpf_program__name(prog), verified_insns(prog));
	}
}

static void loaded(const char *series, bool print, const char *what, int r)
{
	if (!print)
		ok(!r, "%s load on %s", what, series);
	else if (r)
		bail("%s do not load: %s", what, strerror(-r));
}

static void packet_path(const char *series, bool print)
{
	struct ivb_tc *skel = ivb_tc__open();
	int r;

	if (!skel)
		bail("the skeleton does not open: %s", strerror(errno));
	if (!print)
		names("tc", skel->obj);
	r = ivb_tc__load(skel);
	loaded(series, print, "the programs", r);
	if (!r)
		each_program(series, print, skel->obj);
	ivb_tc__destroy(skel);
}

/* They are verified against the module's own types. In the guests it is there. */
static void hooks(const char *series, bool print)
{
	struct ivb_ipvs *skel = ivb_ipvs__open();
	bool missing[IVB_NUM_HOOKS];
	struct ivb_err err = { 0 };
	int r;

	if (!skel)
		bail("the skeleton does not open: %s", strerror(errno));
	if (!print)
		names("ipvs", skel->obj);

	if (access("/sys/kernel/btf/ip_vs", F_OK) && !getenv("IVB_KERNEL")) {
		if (!print)
			skip("the hooks on kernel IPVS: this kernel has no ip_vs loaded");
		ivb_ipvs__destroy(skel);
		return;
	}
	if (ivb_hook_table_check(missing, &err))
		bail("%s", err.text);
	ivb_hook_table_leave_out(skel->obj, missing);
	r = ivb_ipvs__load(skel);
	loaded(series, print, "the hooks on kernel IPVS", r);
	if (!r)
		each_program(series, print, skel->obj);
	ivb_ipvs__destroy(skel);
}

int main(int argc, char **argv)
{
	bool print = argc > 1 && !strcmp(argv[1], "--print");
	char series[16];

	kernel_series(series, sizeof(series));
	packet_path(series, print);
	hooks(series, print);
	return print ? 0 : done_testing();
}
