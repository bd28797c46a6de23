/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command of ipvs-bpf gets, and the exit statuses that it may give. */
#ifndef IVB_CLI_CLI_H
#define IVB_CLI_CLI_H

#include <stdbool.h>

#include "base/err.h"

enum ivb_exit {
	IVB_EXIT_OK = 0,
	IVB_EXIT_FAILURE = 1,
	IVB_EXIT_USAGE = 2,
};

/* The global options. */
struct ivb_cli {
	const char *instance; /* never NULL */
	const char *netns;    /* NULL: the current one; otherwise entered already */
	bool json;
};

/* A command: argv[0] is its name. Returns an enum ivb_exit. */
int ivb_cmd_adm(const struct ivb_cli *cli, int argc, char **argv);
/* As ipvsadm-restore: -C and -R in one. */
int ivb_cmd_adm_restore(const struct ivb_cli *cli, const char *program);
int ivb_cmd_check(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_conn(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_down(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_metrics(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_run(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_snat(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_stats(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_status(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_timeout(const struct ivb_cli *cli, int argc, char **argv);
int ivb_cmd_up(const struct ivb_cli *cli, int argc, char **argv);

/*
 * Prints "ipvs-bpf <cmd>: <text>" on stderr ({"error":...} on stdout with --json); returns the
 * status.
 */
int ivb_fail(const struct ivb_cli *cli, const char *cmd, int status, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Ends a command with what a library said of its failure r (-errno). Returns IVB_EXIT_FAILURE. */
int ivb_fail_err(const struct ivb_cli *cli, const char *command, int r, const struct ivb_err *err);

/* Ends a command that takes no such argument. Returns IVB_EXIT_USAGE. */
int ivb_fail_unexpected(const struct ivb_cli *cli, const char *command, const char *arg);

#endif
