/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long options by a table, and errors. */
#include "cli/command.h"

#include "base/addr.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define MAX_OPTS 32
#define HELP_COLUMN 24
#define ID_BASE 256 /* apart from short options and getopt's own answers */
#define ID_HELP (ID_BASE + 1000)

static void print_opt(const struct ivb_opt *o)
{
	const char *help = o->help, *end;
	char left[64];

	if (!o->arg)
		snprintf(left, sizeof(left), "--%s", o->name);
	else
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg[0] == '[' ? "" : " ",
			 o->arg);
	if (strlen(left) + 4 > HELP_COLUMN)
		printf("  %s\n%*s", left, HELP_COLUMN, "");
	else
		printf("  %-*s", HELP_COLUMN - 2, left);
	while ((end = strchr(help, '\n'))) {
		printf("%.*s\n%*s", (int)(end - help), help, HELP_COLUMN, "");
		help = end + 1;
	}
	puts(help);
}

static int print_help(const struct ivb_command_opts *cmd)
{
	static const struct ivb_opt help = { "help", 0, NULL, "print this and exit" };
	const struct ivb_opt *o;

	printf("Usage: ipvs-bpf %s %s\n\n%s\n\nOptions:\n", cmd->command, cmd->usage, cmd->help);
	for (o = cmd->opts; o && o->name; o++)
		print_opt(o);
	print_opt(&help);
	return IVB_EXIT_OK;
}

static void fill(const struct ivb_command_opts *cmd, struct option *longs)
{
	const struct ivb_opt *o;
	size_t n = 0;

	for (o = cmd->opts; o && o->name && n < MAX_OPTS; o++, n++) {
		longs[n].name = o->name;
		longs[n].val = ID_BASE + o->id;
		longs[n].has_arg = !o->arg	      ? no_argument
				   : o->arg[0] == '[' ? optional_argument
						      : required_argument;
	}
	longs[n].name = "help";
	longs[n].val = ID_HELP;
}

int ivb_command_parse(const struct ivb_cli *cli, const struct ivb_command_opts *cmd, int argc,
		      char **argv, void *arg, int *ret_first)
{
	struct option longs[MAX_OPTS + 2] = { 0 };
	int c, r;

	fill(cmd, longs);
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (c) {
		case 'h':
		case ID_HELP:
			return print_help(cmd);
		case ':':
			return ivb_fail(cli, cmd->command, IVB_EXIT_USAGE,
					"%s needs a value; see --help", argv[optind - 1]);
		case '?':
			return ivb_fail(cli, cmd->command, IVB_EXIT_USAGE,
					"unknown or ambiguous option '%s'; see --help",
					argv[optind - 1]);
		default:
			r = cmd->set(cli, c - ID_BASE, optarg, arg);
			if (r != IVB_OPTS_GO)
				return r;
		}
	}
	*ret_first = optind;
	return IVB_OPTS_GO;
}

int ivb_command_service(const struct ivb_cli *cli, const char *command, __u8 proto,
			const char *value, struct ivb_service_key *key)
{
	bool has_port;

	if (key->proto)
		return ivb_fail(cli, command, IVB_EXIT_USAGE, "one service at a time, please");
	if (ivb_addrport_parse(value, &key->af, &key->addr, &key->port, &has_port) || !has_port)
		return ivb_fail(
			cli, command, IVB_EXIT_USAGE,
			"'%s': not an address with a port (as 10.0.0.80:80 or [fd00::80]:80)",
			value);
	key->proto = proto;
	return IVB_OPTS_GO;
}
