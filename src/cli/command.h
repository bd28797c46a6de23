/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands share: long options by a table, which is the help text as well, and errors. */
#ifndef IVB_CLI_COMMAND_H
#define IVB_CLI_COMMAND_H

#include <ivb/abi.h>

#include "cli/cli.h"

struct json_object;

struct ivb_opt {
	const char *name; /* without the dashes; NULL ends the table */
	int id;		  /* from 1 */
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
int ivb_opts_parse(const struct ivb_cli *cli, const struct ivb_command_opts *cmd, int argc,
		   char **argv, void *arg, int *ret_first);

/* Ends a command with what a library said of its failure r (-errno). Returns IVB_EXIT_FAILURE. */
int ivb_fail_err(const struct ivb_cli *cli, const char *command, int r, const struct ivb_err *err);

/*
 * The value of --tcp-service or --udp-service, the only one that there may be: the rest of *key
 * stays. Returns as set() does.
 */
int ivb_service_opt(const struct ivb_cli *cli, const char *command, __u8 proto, const char *value,
		    struct ivb_service_key *key);

/* Ends a command that takes no such argument. Returns IVB_EXIT_USAGE. */
int ivb_fail_unexpected(const struct ivb_cli *cli, const char *command, const char *arg);

/*
 * An object with one array, printed element by element (ivb_json_add() lets go of it), as there may
 * be millions. An error becomes the object's second member, for what has been printed is begun.
 */
struct ivb_json_list {
	bool begun;
	unsigned long long n;
};
void ivb_json_begin(struct ivb_json_list *list, const char *name);
void ivb_json_add(struct ivb_json_list *list, struct json_object *o);
void ivb_json_end(const struct ivb_json_list *list, const char *error);

/* Prints an object on a line or more, and lets go of it. */
void ivb_json_print(struct json_object *o);

#endif
