/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf status: asks the instance; status_text.c and status_json.c say it. */
#include "cli/status/status_int.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks.h"
#include "dp/instance/instance.h"
#include "dp/load/build.h"
#include "dp/report/info.h"
#include "dp/report/port_use.h"
#include "dp/verify/verify.h"
#include "nl/ipvs.h"
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
		r = ivb_attached_list(dp, &s->devs, &s->num_devs, err);
	if (!r)
		r = ivb_snat_use_get(dp, &s->snat, err);
	if (!r)
		r = ivb_port_use_get(dp, &s->ports, &s->num_ports, err);
	if (!r) {
		s->hooks = ivb_hooks_state(dp);
		ivb_ipvs_count(&s->kernel_services);
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

	r = ivb_command_parse(cli, &command, argc, argv, &s, &first);
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
		ivb_status_print_text(&s);
	free(s.devs);
	free(s.ports);
	ivb_snat_use_fini(&s.snat);
	if (r)
		return ivb_fail_err(cli, "status", r, &err);
	return s.verify.problems ? IVB_EXIT_FAILURE : IVB_EXIT_OK;
}
