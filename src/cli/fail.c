/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a command says that it failed. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int ivb_fail(const struct ivb_cli *cli, const char *cmd, int status, const char *fmt, ...)
{
	char text[2048];
	struct json_object *o;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	if (!cli || !cli->json) {
		fprintf(stderr, "ipvs-bpf%s%s: %s\n", cmd ? " " : "", cmd ? cmd : "", text);
		return status;
	}
	o = json_object_new_object();
	json_object_object_add(o, "error", json_object_new_string(text));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return status;
}

int ivb_fail_err(const struct ivb_cli *cli, const char *command, int r, const struct ivb_err *err)
{
	return ivb_fail(cli, command, IVB_EXIT_FAILURE, "%s",
			err->text[0] ? err->text : strerror(-r));
}

int ivb_fail_unexpected(const struct ivb_cli *cli, const char *command, const char *arg)
{
	return ivb_fail(cli, command, IVB_EXIT_USAGE, "unexpected '%s'; see --help", arg);
}
