/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf down */
#include <json-c/json.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "dp/up.h"

enum {
	OPT_FORCE = 1,
};

static const struct ivb_opt opts[] = {
	{ "force", OPT_FORCE, NULL,
	  "also if the instance serves another network namespace (one that is gone)" },
	{ 0 },
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct ivb_down *down = arg;

	(void)cli;
	(void)value;
	if (id == OPT_FORCE)
		down->force = true;
	return IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "down",
	.usage = "[OPTION]... [DEV]...",
	.help = "Detaches from the devices DEV. Without DEV: from all, and removes the instance with its\n"
		"services and connections.",
	.opts = opts,
	.set = set,
};

static void say(const struct ivb_cli *cli, const struct ivb_down *down,
		const struct ivb_down_result *res)
{
	struct json_object *o;

	if (cli->json) {
		o = json_object_new_object();
		json_object_object_add(o, "detached", json_object_new_uint64(res->detached));
		json_object_object_add(o, "left", json_object_new_uint64(res->left));
		json_object_object_add(o, "removed", json_object_new_boolean(!down->num_devs));
		ivb_json_print(o);
		return;
	}
	if (res->other_abi)
		printf("removed the pins of ABI %d, another version's; filters that it may have put into "
		       "clsact are still there, see: tc filter show dev DEV ingress\n",
		       res->other_abi);
	else if (!down->num_devs && res->left)
		printf("%zu clsact filter(s) of the other network namespace cannot be reached from here; if it "
		       "is still there, remove them there with: tc filter del dev DEV ingress pref 50\n",
		       res->left);
	else if (down->num_devs && !res->left)
		printf("detached from %zu device(s); no device is left, and nothing is carried any more\n",
		       res->detached);
}

int ivb_cmd_down(const struct ivb_cli *cli, int argc, char **argv)
{
	struct ivb_down down = { .instance = cli->instance };
	struct ivb_down_result res = { 0 };
	struct ivb_err err = { 0 };
	int first, r;

	r = ivb_opts_parse(cli, &command, argc, argv, &down, &first);
	if (r != IVB_OPTS_GO)
		return r;
	down.devs = argv + first;
	down.num_devs = (size_t)(argc - first);
	r = ivb_dp_down(&down, &res, &err);
	if (r)
		return ivb_fail_err(cli, "down", r, &err);
	say(cli, &down, &res);
	return IVB_EXIT_OK;
}
