/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads every program on the running kernel and compares the instructions that its verifier went
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
	struct tc_bpf *skel = tc_bpf__open();
	int r;

	if (!skel)
		bail("the skeleton does not open: %s", strerror(errno));
	r = tc_bpf__load(skel);
	loaded(series, print, "the programs", r);
	if (!r)
		each_program(series, print, skel->obj);
	tc_bpf__destroy(skel);
}

/* A hook on a function that this kernel's ip_vs has not. */
static void leave_out(struct ipvs_bpf *skel, const bool *missing)
{
	struct bpf_program *prog;
	size_t i;

	bpf_object__for_each_program(prog, skel->obj)
	{
		const char *function = strchr(bpf_program__section_name(prog), '/');

		for (i = 0; i < IVB_NUM_HOOKS; i++) {
			if (missing[i] && function &&
			    !strcmp(function + 1, ivb_hook_table[i].function))
				bpf_program__set_autoload(prog, false);
		}
	}
}

/* They are verified against the module's own types. In the guests it is there. */
static void hooks(const char *series, bool print)
{
	bool missing[IVB_NUM_HOOKS];
	struct ivb_err err = { 0 };
	struct ipvs_bpf *skel;
	int r;

	if (access("/sys/kernel/btf/ip_vs", F_OK) && !getenv("IVB_KERNEL")) {
		if (!print)
			skip("the hooks on kernel IPVS: this kernel has no ip_vs loaded");
		return;
	}
	if (ivb_hook_table_check(missing, &err))
		bail("%s", err.text);
	skel = ipvs_bpf__open();
	if (!skel)
		bail("the skeleton does not open: %s", strerror(errno));
	leave_out(skel, missing);
	r = ipvs_bpf__load(skel);
	loaded(series, print, "the hooks on kernel IPVS", r);
	if (!r)
		each_program(series, print, skel->obj);
	ipvs_bpf__destroy(skel);
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
