/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands share: long options by a table, which is the help text as well. */
#ifndef IVB_CLI_COMMAND_H
#define IVB_CLI_COMMAND_H

#include <ivb/abi.h>

#include "cli/cli.h"

struct ivb_opt {
	const char *name; /* without the dashes; NULL ends the table */
	int id;		  /* numbers begin at 1 */
	const char *arg;  /* what to call the value; NULL: none; "[X]": optional, after '=' */
	const char *help; /* may have newlines */
};

struct ivb_command_opts {
	const char *command;
	const char *usage;	    /* what follows the command's name */
	const char *help;	    /* what the command does */
	const struct ivb_opt *opts; /* NULL: none but --help, and no set() */
	/*
	 * value is NULL if there is none. Returns IVB_OPTS_GO or, having said why, an exit status.
	 */
	int (*set)(const struct ivb_cli *cli, int id, const char *value, void *arg);
};

#define IVB_OPTS_GO (-1)

/*
 * Takes the options, which may stand among the other arguments; these end up at argv[*ret_first..].
 * Returns IVB_OPTS_GO, or the exit status to leave with (after --help, or a usage error).
 */
int ivb_command_parse(const struct ivb_cli *cli, const struct ivb_command_opts *cmd, int argc,
		      char **argv, void *arg, int *ret_first);

/*
 * The value of --tcp-service or --udp-service, the only one that there may be: the rest of *key
 * stays. Returns as set() does.
 */
int ivb_command_service(const struct ivb_cli *cli, const char *command, __u8 proto,
			const char *value, struct ivb_service_key *key);

#endif
