/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf: the global options, and which command it is. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"

#define INSTANCE_MAX 64 /* longest name of an instance */

static const struct command {
	const char *name;
	int (*run)(const struct ivb_cli *cli, int argc, char **argv);
	const char *help;
} commands[] = {
	{ "up", ivb_cmd_up, "load the data plane and attach it to devices" },
	{ "down", ivb_cmd_down, "detach it from devices, or remove all of it" },
	{ "adm", ivb_cmd_adm, "services and servers, in ipvsadm's language" },
	{ "snat", ivb_cmd_snat,
	  "which services of kernel IPVS have their clients' addresses translated" },
	{ "timeout", ivb_cmd_timeout,
	  "services of adm whose connections have timeouts of their own" },
	{ "status", ivb_cmd_status, "devices, connections, what was dropped and why" },
	{ "conn", ivb_cmd_conn, "connections, with both of their tuples" },
	{ "stats", ivb_cmd_stats, "traffic of services and servers, of both engines" },
	{ "metrics", ivb_cmd_metrics, "the same for Prometheus" },
	{ "run", ivb_cmd_run, "optional: follow kernel IPVS when its module is loaded later" },
	{ "check", ivb_cmd_check, "what this host can do" },
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to, int status)
{
	size_t i;

	fputs("Usage: ipvs-bpf [OPTION]... COMMAND [ARGUMENT]...\n\nCommands (COMMAND --help says more):\n",
	      to);
	for (i = 0; i < NUM_COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nOptions, before or after COMMAND:\n"
	      "  --netns NAME     work in the network namespace NAME (as `ip netns` names it)\n"
	      "  --instance NAME  the data plane to work on (default: the --netns NAME, else \"host\")\n"
	      "  --json           print JSON\n"
	      "  -h, --help       print this and exit\n"
	      "  --version        print the version and exit\n",
	      to);
	return status;
}

static const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NUM_COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/*
 * "--name VALUE" and "--name=VALUE". Returns how many arguments it takes: 0 if argv[0] is something
 * else, -1 if the value is missing.
 */
static int value_option(const char *name, char **argv, int argc, const char **ret)
{
	size_t len = strlen(name);

	if (strncmp(argv[0], name, len))
		return 0;
	if (argv[0][len] == '=') {
		*ret = argv[0] + len + 1;
		return 1;
	}
	if (argv[0][len])
		return 0;
	if (argc < 2)
		return -1;
	*ret = argv[1];
	return 2;
}

/*
 * Takes the global options out of argv, wherever they stand. Returns the new argc, or -1: see bad.
 */
static int globals_take(struct ivb_cli *cli, int argc, char **argv, const char **bad)
{
	int in = 1, out = 1, n;

	while (in < argc) {
		if (!strcmp(argv[in], "--"))
			break;
		if (!strcmp(argv[in], "--json")) {
			cli->json = true;
			in++;
			continue;
		}
		n = value_option("--netns", argv + in, argc - in, &cli->netns);
		if (!n)
			n = value_option("--instance", argv + in, argc - in, &cli->instance);
		if (n < 0) {
			*bad = argv[in];
			return -1;
		}
		if (n)
			in += n;
		else
			argv[out++] = argv[in++];
	}
	while (in < argc)
		argv[out++] = argv[in++];
	argv[out] = NULL;
	return out;
}

/* Names become parts of paths. */
static bool name_valid(const char *name)
{
	const char *allowed =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:@+";
	size_t len = strlen(name);

	return len > 0 && len <= INSTANCE_MAX && name[0] != '.' && strspn(name, allowed) == len;
}

static int netns_enter(const struct ivb_cli *cli)
{
	_cleanup_close_ int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", cli->netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ivb_fail(cli, NULL, IVB_EXIT_FAILURE,
				"cannot open the network namespace '%s' (%s): %s", cli->netns, path,
				strerror(errno));
	if (setns(fd, CLONE_NEWNET))
		return ivb_fail(cli, NULL, IVB_EXIT_FAILURE,
				"cannot enter the network namespace '%s': %s%s", cli->netns,
				strerror(errno), errno == EPERM ? " (are you root?)" : "");
	return IVB_EXIT_OK;
}

static int globals_check(struct ivb_cli *cli)
{
	if (cli->netns && !name_valid(cli->netns))
		return ivb_fail(cli, NULL, IVB_EXIT_USAGE,
				"'%s' is not a name of a network namespace", cli->netns);
	if (!cli->instance)
		cli->instance = cli->netns ? cli->netns : "host";
	if (!name_valid(cli->instance))
		return ivb_fail(
			cli, NULL, IVB_EXIT_USAGE,
			"'%s' is not a name of an instance: up to %d letters, digits and _-.:@+, "
			"not starting with a dot",
			cli->instance, INSTANCE_MAX);
	return IVB_EXIT_OK;
}

static int save(const struct ivb_cli *cli, int argc, char **argv)
{
	char *words[] = { (char *)"ipvsadm", (char *)"-S", NULL, NULL };
	int n = 2, i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-n")) {
			words[2] = argv[i];
			n = 3;
		} else if (argv[i][0] == '-') {
			fputs("ipvsadm-save: Script to save the IPVS table to stdout.\n"
			      "   With the -n option, prints out the table in numeric format.\n",
			      stderr);
			return IVB_EXIT_FAILURE;
		}
	}
	return ivb_cmd_adm(cli, n, words);
}

/* Called by one of ipvsadm's own names. Returns the exit status, or -1: it was not. */
static int as_ipvsadm(struct ivb_cli *cli, int argc, char **argv)
{
	char *name = basename(argv[0]);
	bool adm = !strcmp(name, "ipvsadm"), saves = !strcmp(name, "ipvsadm-save");
	int r;

	if (!adm && !saves && strcmp(name, "ipvsadm-restore"))
		return -1;
	r = globals_check(cli);
	if (!r && cli->netns)
		r = netns_enter(cli);
	if (r)
		return r;
	argv[0] = name;
	if (adm)
		return ivb_cmd_adm(cli, argc, argv);
	return saves ? save(cli, argc, argv) : ivb_cmd_adm_restore(cli, name);
}

static int finish(struct ivb_cli *cli, const char *cmd, int r)
{
	if (!fflush(stdout) && !ferror(stdout))
		return r;
	cli->json = false;
	return ivb_fail(cli, cmd, IVB_EXIT_FAILURE, "cannot write to standard output: %s",
			strerror(errno));
}

/*
 * Standard input or output that is closed must not become the next file that is opened: it becomes
 * one that fails.
 */
static void keep_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= 2) {
		if (!fd) {
			close(fd);
			open("/dev/null", O_WRONLY);
		}
	}
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	struct ivb_cli cli = {};
	const char *bad;
	int r;

	keep_standard();
	argc = globals_take(&cli, argc, argv, &bad);
	if (argc < 0)
		return ivb_fail(&cli, NULL, IVB_EXIT_USAGE, "%s needs a name", bad);
	r = as_ipvsadm(&cli, argc, argv);
	if (r >= 0)
		return finish(&cli, "adm", r);
	if (argc < 2)
		return usage(stderr, IVB_EXIT_USAGE);
	/* "help COMMAND" is "COMMAND --help". */
	if (!strcmp(argv[1], "help") && argc == 3) {
		argv[1] = argv[2];
		argv[2] = (char *)"--help";
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return usage(stdout, IVB_EXIT_OK);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("ipvs-bpf " IVB_VERSION);
		return IVB_EXIT_OK;
	}
	cmd = command_find(argv[1]);
	if (!cmd)
		return ivb_fail(&cli, NULL, IVB_EXIT_USAGE,
				"there is no %s '%s'; see ipvs-bpf --help",
				argv[1][0] == '-' ? "option" : "command", argv[1]);
	r = globals_check(&cli);
	if (!r && cli.netns)
		r = netns_enter(&cli);
	if (r)
		return r;
	return finish(&cli, cmd->name, cmd->run(&cli, argc - 1, argv + 1));
}
