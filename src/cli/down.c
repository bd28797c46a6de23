/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf down */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/json.h"
#include "dp/instance/instance.h"
#include "dp/report/conns.h"
#include "dp/report/drain.h"
#include "dp/setup/down.h"
#include "dp/takeover/wipe.h"
#include "model/names.h"

enum {
	OPT_FORCE = 1,
	OPT_DRAIN,
	OPT_DRY_RUN,
};

struct options {
	struct ivb_down down;
	bool drain, dry_run;
};

static const struct ivb_opt opts[] = {
	{ "drain", OPT_DRAIN, NULL,
	  "let no new connections come, wait until none is left that would be cut, then go down;\n"
	  "interrupted, everything goes on as before" },
	{ "dry-run", OPT_DRY_RUN, NULL, "only list the connections that would be cut" },
	{ "force", OPT_FORCE, NULL,
	  "also if the instance serves another network namespace (one that is gone)" },
	{ 0 },
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct options *o = arg;

	(void)cli;
	(void)value;
	if (id == OPT_FORCE)
		o->down.force = true;
	else if (id == OPT_DRAIN)
		o->drain = true;
	else
		o->dry_run = true;
	return IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "down",
	.usage = "[OPTION]... [DEV]...",
	.help = "Detaches from the devices DEV. Without DEV: from all, and removes the instance with its\n"
		"services and connections. Connections of kernel IPVS without SNAT go on without us.",
	.opts = opts,
	.set = set,
};

static int list_cut(const struct ivb_conn_info *c, void *arg)
{
	char client[IVB_ADDRPORT_LEN], virtual[IVB_ADDRPORT_LEN], server[IVB_ADDRPORT_LEN];

	(void)arg;
	if (!ivb_drain_needs_us(c))
		return 0;
	ivb_addrport_fmt(client, sizeof(client), c->af, &c->caddr, c->cport);
	ivb_addrport_fmt(virtual, sizeof(virtual), c->af, &c->vaddr, c->vport);
	ivb_addrport_fmt(server, sizeof(server), c->af, &c->daddr, c->dport);
	printf("%s %s > %s > %s %s\n", ivb_proto_name(c->proto), client, virtual, server,
	       ivb_conn_state_name(c->state));
	return 0;
}

/* The connections as they are now; with what says on or off, draining begins or ends. */
static int look(const char *instance, const bool *drain, struct ivb_fates *ret, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r = ivb_dp_open(&dp, instance, drain ? IVB_LOCK_EXCLUSIVE : IVB_LOCK_SHARED, err);

	if (!r && drain)
		r = ivb_drain_set(dp, *drain, err);
	return r ? r : ivb_drain_count(dp, ret, err);
}

static int dry_run(const struct ivb_cli *cli)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_err err = { 0 };
	int r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, &err);

	if (!r) {
		ivb_dp_unlock(dp);
		r = ivb_conns_walk(dp, list_cut, NULL, &err);
	}
	return r ? ivb_fail_err(cli, "down", r, &err) : IVB_EXIT_OK;
}

/* What is about to happen, said first. */
static void announce(const struct ivb_cli *cli, const struct ivb_fates *f)
{
	if (cli->json)
		return;
	if (f->own)
		printf("cutting %llu connection%s of our own services\n", f->own,
		       f->own == 1 ? "" : "s");
	if (f->snat)
		printf("cutting %llu connection%s of kernel IPVS with SNAT\n", f->snat,
		       f->snat == 1 ? "" : "s");
	if (f->going)
		printf("%llu connection%s of kernel IPVS without SNAT go%s on in the kernel\n",
		       f->going, f->going == 1 ? "" : "s", f->going == 1 ? "es" : "");
	fflush(stdout);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Waits until nothing would be cut. */
static int drain(const struct ivb_cli *cli, struct ivb_fates *fates)
{
	const struct sigaction act = { .sa_handler = on_signal };
	const bool on = true, off = false;
	struct ivb_err err = { 0 };
	__u64 left, said = 0;
	int r;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r = look(cli->instance, &on, fates, &err);
	while (!r && (left = fates->own + fates->snat) && fates->draining && !interrupted) {
		if (!cli->json && left != said) {
			printf("waiting for %llu connection%s\n", left, left == 1 ? "" : "s");
			fflush(stdout);
		}
		said = left;
		sleep(1);
		r = look(cli->instance, NULL, fates, &err);
	}
	if (r)
		return ivb_fail_err(cli, "down", r, &err);
	if (!fates->draining)
		return ivb_fail(
			cli, "down", IVB_EXIT_FAILURE,
			"somebody else has ended the draining (`up`, or an interrupted `down --drain`): new "
			"connections come again, %llu are left, and nothing was changed",
			fates->own + fates->snat);
	if (!interrupted)
		return IVB_OPTS_GO;
	r = look(cli->instance, &off, fates, &err);
	if (r)
		return ivb_fail_err(cli, "down", r, &err);
	return ivb_fail(
		cli, "down", IVB_EXIT_FAILURE,
		"interrupted with %llu connections left; nothing was changed, new ones come again",
		fates->own + fates->snat);
}

static void say(const struct ivb_cli *cli, const struct ivb_down *down,
		const struct ivb_down_result *res, const struct ivb_fates *fates)
{
	struct json_object *o;

	if (cli->json) {
		o = json_object_new_object();
		json_object_object_add(o, "detached", json_object_new_uint64(res->detached));
		json_object_object_add(o, "left", json_object_new_uint64(res->left));
		json_object_object_add(o, "connections_cut",
				       json_object_new_uint64(fates->own + fates->snat));
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

/* Before the instance goes: what that does to connections. */
static int prepare(const struct ivb_cli *cli, const struct options *o, struct ivb_fates *fates)
{
	if (o->drain)
		return drain(cli, fates);
	/* Not to be opened: then `down` itself says why, or clears away what is left. */
	if (!look(cli->instance, NULL, fates, NULL))
		announce(cli, fates);
	return IVB_OPTS_GO;
}

int ivb_cmd_down(const struct ivb_cli *cli, int argc, char **argv)
{
	struct options o = { .down = { .instance = cli->instance } };
	struct ivb_down_result res = { 0 };
	struct ivb_fates fates = { 0 };
	struct ivb_err err = { 0 };
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &o, &first);
	if (r != IVB_OPTS_GO)
		return r;
	o.down.devs = argv + first;
	o.down.num_devs = (size_t)(argc - first);
	if (o.down.num_devs && (o.drain || o.dry_run))
		return ivb_fail(
			cli, "down", IVB_EXIT_USAGE,
			"--drain and --dry-run are about the whole instance; name no device");
	if (o.dry_run)
		return dry_run(cli);
	if (!o.down.num_devs) {
		r = prepare(cli, &o, &fates);
		if (r != IVB_OPTS_GO)
			return r;
	}
	r = ivb_dp_down(&o.down, &res, &err);
	if (r)
		return ivb_fail_err(cli, "down", r, &err);
	say(cli, &o.down, &res, &fates);
	return IVB_EXIT_OK;
}
