/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvsadm's options, which commands take them, and the walk over a command line. */
#ifndef IVB_CLI_ADM_OPTS_H
#define IVB_CLI_ADM_OPTS_H

#include "cli/adm/adm.h"

/* What ipvsadm calls an option: several ways to give it are one. In the order of its checks. */
enum ivb_adm_opt {
	IVB_OPT_NUMERIC,
	IVB_OPT_CONNECTION,
	IVB_OPT_SERVICE,
	IVB_OPT_SCHEDULER,
	IVB_OPT_PERSISTENT,
	IVB_OPT_NETMASK,
	IVB_OPT_SERVER,
	IVB_OPT_FORWARD,
	IVB_OPT_WEIGHT,
	IVB_OPT_UTHRESHOLD,
	IVB_OPT_LTHRESHOLD,
	IVB_OPT_MCAST,
	IVB_OPT_TIMEOUT,
	IVB_OPT_DAEMON,
	IVB_OPT_STATS,
	IVB_OPT_RATE,
	IVB_OPT_THRESHOLDS,
	IVB_OPT_PERSISTENTCONN,
	IVB_OPT_NOSORT,
	IVB_OPT_SYNCID,
	IVB_OPT_EXACT,
	IVB_OPT_ONEPACKET,
	IVB_OPT_PE,
	IVB_OPT_SCHED_FLAGS,
	IVB_OPT_TUN,
	IVB_OPT_IPV6,
	IVB_OPT_SORT,
	IVB_OPT_SNAT, /* ours */
	IVB_OPT_ZONE, /* ours */
	IVB_OPT_MAX_,
	IVB_OPT_CMD = IVB_OPT_MAX_, /* a command, not an option */
};

enum ivb_adm_arg {
	IVB_ARG_NONE,
	IVB_ARG_REQUIRED,
	IVB_ARG_OPTIONAL, /* the next word, unless it starts with '-' */
};

struct ivb_adm_option {
	char letter; /* 0: none */
	const char *name;
	enum ivb_adm_arg arg;
	enum ivb_adm_opt opt;
	enum ivb_adm_cmd cmd; /* IVB_OPT_CMD's; IVB_ADM_MAX_: a later version's */
	const char *later;    /* what it would do, if a later version brings it */
};

/* One word of the command line after another, as popt reads them. */
struct ivb_adm_words {
	char **argv;
	int argc;
	int next;				     /* index of the next word */
	const char *letters;			     /* the rest of "-abc" */
	bool only_arguments;			     /* "--" has been met */
	const char *word;			     /* the word that the option came from */
	const char *value;			     /* the option's argument, or NULL */
	const char *leftovers[IVB_ADM_TIMEOUTS + 1]; /* the first words that belong to no option */
	int num_leftovers;
};

/* The next option; NULL at the end. -EINVAL: word is unknown; -ENODATA: its argument is missing. */
int ivb_adm_opts_next(struct ivb_adm_words *w, const struct ivb_adm_option **ret);

/* ipvsadm's check of which options go with a command. given: a bit for each enum ivb_adm_opt. */
int ivb_adm_opts_check(enum ivb_adm_cmd cmd, __u32 given, struct ivb_adm_error *err);

/* Fills err; returns -EINVAL. */
int ivb_adm_opts_refuse(struct ivb_adm_error *err, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const char *ivb_adm_opt_name(enum ivb_adm_opt opt);

#endif
