/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf status: asks the instance; status_text.c and status_json.c say it. */
#include "cli/status/status_int.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "dp/instance/instance.h"
#include "nl/notrack.h"

enum {
	OPT_VERIFY = 1,
	OPT_VERBOSE,
};

static const struct ivb_opt opts[] = {
	{ "verify", OPT_VERIFY, NULL,
	  "prove that flows, ports, counts and tables fit together; exit 1 if they do not" },
	{ "verbose", OPT_VERBOSE, NULL, "also counters that are zero" },
	{ 0 },
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct ivb_status *s = arg;

	(void)cli;
	(void)value;
	if (id == OPT_VERIFY)
		s->verify_too = true;
	else
		s->verbose = true;
	return IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "status",
	.usage = "[OPTION]...",
	.help = "Shows the devices, how many connections there are, and what became of packets that were not\n"
		"carried: counter, packets, bytes, meaning.",
	.opts = opts,
	.set = set,
};

const char *const ivb_status_attach[] = {
	[IVB_ATTACH_TCX] = "tcx",
	[IVB_ATTACH_CLSACT] = "clsact",
};

const struct ivb_status_word ivb_status_devs[] = {
	[IVB_ATTACHED] = { "attached", "attached" },
	[IVB_ATTACH_GONE] = { "gone",
			      "gone: the device does not exist any more; `ipvs-bpf up DEV` for a "
			      "new one clears this away" },
	[IVB_ATTACH_MOVED] = { "moved",
			       "moved: the device is in another network namespace now, and the "
			       "program with it; the next `ipvs-bpf up` or `down` detaches it" },
	[IVB_ATTACH_MISSING] = { "missing",
				 "missing: somebody took the program away; attach it again with "
				 "`ipvs-bpf up DEV`" },
	[IVB_ATTACH_HALF] = { "half",
			      "half attached: an `up` or `down` was interrupted; repeat it" },
};

bool ivb_status_build_is_own(const struct ivb_status *s)
{
	return !strcmp(s->build, ivb_build_own());
}

const struct ivb_status_word ivb_status_hooks[] = {
	[IVB_HOOKS_NONE] = { "none",
			     "on, BUT NOT FOLLOWING: ip_vs was not loaded; when it is, run `ipvs-bpf up`" },
	[IVB_HOOKS_SOME] = { "some", "on, BUT HALF ATTACHED: an `up` was interrupted; repeat it" },
	[IVB_HOOKS_ALL] = { "all", "follows kernel IPVS" },
};

static void report(const char *problem, void *arg)
{
	struct ivb_status *s = arg;

	if (s->cli->json)
		json_object_array_add(s->problems, json_object_new_string(problem));
	else
		printf("problem: %s\n", problem);
}

static int get(struct ivb_status *s, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r;

	r = ivb_dp_open(&dp, s->cli->instance, IVB_LOCK_SHARED, err);
	if (!r)
		r = ivb_info_get(dp, &s->info, err);
	if (!r)
		r = ivb_attach_list(dp, &s->devs, &s->num_devs, err);
	if (!r)
		r = ivb_port_use_get(dp, &s->ports, &s->num_ports, err);
	if (!r) {
		s->hooks = ivb_hooks_state(dp);
		ivb_build_get(dp, s->build, sizeof(s->build));
	}
	if (!r && s->info.config.flags & IVB_CONFIG_NOTRACK)
		s->notrack = ivb_notrack_there();
	if (!r && s->verify_too)
		r = ivb_verify(dp, &s->verify, report, s, err);
	return r;
}

int ivb_cmd_status(const struct ivb_cli *cli, int argc, char **argv)
{
	struct ivb_status s = { .cli = cli };
	struct ivb_err err = { 0 };
	int first, r;

	r = ivb_opts_parse(cli, &command, argc, argv, &s, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "status", argv[first]);
	if (cli->json && s.verify_too)
		s.problems = json_object_new_array();
	r = get(&s, &err);
	if (!r && cli->json)
		ivb_status_print_json(&s);
	else if (!r)
		ivb_status_print(&s);
	free(s.devs);
	free(s.ports);
	if (r)
		return ivb_fail_err(cli, "status", r, &err);
	return s.verify.problems ? IVB_EXIT_FAILURE : IVB_EXIT_OK;
}
