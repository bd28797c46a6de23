/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What adm's single commands and -R share. */
#ifndef IVB_CLI_ADM_ADM_INT_H
#define IVB_CLI_ADM_ADM_INT_H

#include "base/err.h"
#include "cli/adm/adm.h"
#include "cli/adm/opts.h"

struct ivb_dp;
struct ivb_session;

/* Adds one change to a session. */
int ivb_adm_plan(struct ivb_session *session, const struct ivb_adm *adm, struct ivb_err *warn,
		 struct ivb_err *err);

/* What to say of a command that failed with r, and what to exit with. Returns -EINVAL. */
int ivb_adm_plan_explain(struct ivb_adm_error *wrong, enum ivb_adm_cmd cmd, int r,
			 const struct ivb_err *err);

/* Prints the help; returns IVB_EXIT_OK. */
int ivb_adm_help(const char *program);

/* -R's lines: all of standard input, which is read before the instance is locked. */
struct ivb_adm_rules {
	char *text;
	size_t len;
};

int ivb_adm_rules_read(struct ivb_adm_rules *ret, struct ivb_adm_error *wrong);
/* Restoring, with flush after -C. -errno, and wrong says which line and why. */
int ivb_adm_rules_restore(struct ivb_dp *dp, const struct ivb_adm_rules *rules, const char *program,
			  bool flush, struct ivb_adm_error *wrong);

#endif
