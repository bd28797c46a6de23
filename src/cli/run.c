/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf run: stays, and begins to follow kernel IPVS whenever its module comes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "dp/setup/up.h"
#include "nl/uevent.h"

static const struct ivb_command_opts command = {
	.command = "run",
	.usage = "",
	.help = "Stays in the foreground, and has an instance with `up --ipvs` follow kernel IPVS as soon as\n"
		"the module ip_vs is loaded. Nothing else needs it: what is followed goes on without.",
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = sig;
}

/* As `ipvs-bpf up` without arguments: what is missing is attached. */
static int follow(const struct ivb_cli *cli)
{
	_cleanup_free_ struct ivb_up_result *res = calloc(1, sizeof(*res));
	const struct ivb_up up = { .instance = cli->instance };
	struct ivb_err err = { 0 };
	int r = res ? ivb_dp_up(&up, res, &err) : -ENOMEM;

	if (r)
		fprintf(stderr, "ipvs-bpf run: %s\n", err.text[0] ? err.text : strerror(-r));
	else if (!res->ipvs)
		puts("instance is up without --ipvs: nothing to follow");
	else
		puts(res->ipvs_off ? "waiting for the module ip_vs" : "following kernel IPVS");
	fflush(stdout);
	return r;
}

/* A lost event may have been the one. */
static bool concerns_us(int r, const char *event)
{
	return r == -ENOBUFS || (!r && !strcmp(event, "add@/module/ip_vs"));
}

int ivb_cmd_run(const struct ivb_cli *cli, int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = on_signal };
	_cleanup_close_ int fd = -1;
	char event[4096];
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, NULL, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "run", argv[first]);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	r = ivb_uevent_open(&fd);
	if (r)
		return ivb_fail(cli, "run", IVB_EXIT_FAILURE,
				"cannot listen to the kernel's events: %s", strerror(-r));
	if (follow(cli) == -EPERM)
		return IVB_EXIT_FAILURE;
	while (!ended) {
		r = ivb_uevent_next(fd, event, sizeof(event));
		if (r && r != -EINTR && r != -ENOBUFS)
			return ivb_fail(cli, "run", IVB_EXIT_FAILURE,
					"cannot hear the kernel's events: %s", strerror(-r));
		if (concerns_us(r, event))
			follow(cli);
	}
	return IVB_EXIT_OK;
}
