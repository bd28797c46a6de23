/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvsadm's options (ipvsadm 1.31, ipvsadm(8)) and the walk over a command line. */
#include "cli/adm/opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "dp/instance/instance.h"

#define CMD(letter, name, cmd) letter, name, IVB_ARG_NONE, IVB_OPT_CMD, cmd, NULL
#define CMD_LATER(letter, name, arg, what) \
	letter, name, IVB_ARG_##arg, IVB_OPT_CMD, IVB_ADM_MAX_, what
#define OPT(letter, name, arg, opt) letter, name, IVB_ARG_##arg, IVB_OPT_##opt, 0, NULL
#define LATER(letter, name, arg, opt, what) letter, name, IVB_ARG_##arg, IVB_OPT_##opt, 0, what

static const struct ivb_adm_option options[] = {
	{ CMD('A', "add-service", IVB_ADM_ADD) },
	{ CMD('E', "edit-service", IVB_ADM_EDIT) },
	{ CMD('D', "delete-service", IVB_ADM_DEL) },
	{ CMD('C', "clear", IVB_ADM_FLUSH) },
	{ CMD('L', "list", IVB_ADM_LIST) },
	{ CMD('l', "list", IVB_ADM_LIST) },
	{ CMD('a', "add-server", IVB_ADM_ADD_DEST) },
	{ CMD('e', "edit-server", IVB_ADM_EDIT_DEST) },
	{ CMD('d', "delete-server", IVB_ADM_DEL_DEST) },
	{ CMD('h', "help", IVB_ADM_HELP) },
	{ CMD('v', "version", IVB_ADM_VERSION) },
	{ CMD('Z', "zero", IVB_ADM_ZERO) },
	{ CMD('R', "restore", IVB_ADM_RESTORE) },
	{ CMD('S', "save", IVB_ADM_SAVE) },
	{ CMD(0, "set", IVB_ADM_SET) },
	{ CMD_LATER(0, "start-daemon", REQUIRED, "the sync daemon") },
	{ CMD_LATER(0, "stop-daemon", REQUIRED, "the sync daemon") },
	{ OPT('t', "tcp-service", REQUIRED, SERVICE) },
	{ OPT('u', "udp-service", REQUIRED, SERVICE) },
	{ LATER(0, "sctp-service", REQUIRED, SERVICE, "SCTP") },
	{ LATER('f', "fwmark-service", REQUIRED, SERVICE, "a service by firewall mark") },
	{ OPT('s', "scheduler", REQUIRED, SCHEDULER) },
	{ LATER('p', "persistent", OPTIONAL, PERSISTENT, "persistence") },
	{ LATER('M', "netmask", REQUIRED, NETMASK, "persistence") },
	{ OPT('r', "real-server", REQUIRED, SERVER) },
	{ OPT('m', "masquerading", NONE, FORWARD) },
	{ LATER('i', "ipip", NONE, FORWARD, "tunnelling") },
	{ LATER('g', "gatewaying", NONE, FORWARD, "direct routing") },
	{ OPT('w', "weight", REQUIRED, WEIGHT) },
	{ OPT('x', "u-threshold", REQUIRED, UTHRESHOLD) },
	{ OPT('y', "l-threshold", REQUIRED, LTHRESHOLD) },
	{ OPT('n', "numeric", NONE, NUMERIC) },
	{ OPT('c', "connection", NONE, CONNECTION) },
	{ LATER(0, "mcast-interface", REQUIRED, MCAST, "the sync daemon") },
	{ LATER(0, "mcast-group", REQUIRED, MCAST, "the sync daemon") },
	{ LATER(0, "mcast-port", REQUIRED, MCAST, "the sync daemon") },
	{ LATER(0, "mcast-ttl", REQUIRED, MCAST, "the sync daemon") },
	{ LATER(0, "sync-maxlen", REQUIRED, MCAST, "the sync daemon") },
	{ LATER(0, "syncid", REQUIRED, SYNCID, "the sync daemon") },
	{ OPT(0, "timeout", NONE, TIMEOUT) },
	{ OPT(0, "daemon", NONE, DAEMON) },
	{ OPT(0, "stats", NONE, STATS) },
	{ OPT(0, "rate", NONE, RATE) },
	{ OPT(0, "thresholds", NONE, THRESHOLDS) },
	{ OPT(0, "persistent-conn", NONE, PERSISTENTCONN) },
	{ OPT(0, "nosort", NONE, NOSORT) },
	{ OPT(0, "sort", NONE, SORT) },
	{ OPT('X', "exact", NONE, EXACT) },
	{ LATER('6', "ipv6", NONE, IPV6, "a service by firewall mark") },
	{ LATER('o', "ops", NONE, ONEPACKET, "one-packet scheduling") },
	{ LATER(0, "pe", REQUIRED, PE, "a persistence engine") },
	{ OPT('b', "sched-flags", REQUIRED, SCHED_FLAGS) },
	{ LATER(0, "tun-info", NONE, TUN, "tunnelling") },
	{ LATER(0, "tun-type", REQUIRED, TUN, "tunnelling") },
	{ LATER(0, "tun-port", REQUIRED, TUN, "tunnelling") },
	{ LATER(0, "tun-nocsum", NONE, TUN, "tunnelling") },
	{ LATER(0, "tun-csum", NONE, TUN, "tunnelling") },
	{ LATER(0, "tun-remcsum", NONE, TUN, "tunnelling") },
	{ OPT(0, "snat", REQUIRED, SNAT) },
	{ OPT(0, "zone", REQUIRED, ZONE) },
};

#define NUM_OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const opt_names[IVB_OPT_MAX_] = {
	[IVB_OPT_NUMERIC] = "numeric",
	[IVB_OPT_CONNECTION] = "connection",
	[IVB_OPT_SERVICE] = "service-address",
	[IVB_OPT_SCHEDULER] = "scheduler",
	[IVB_OPT_PERSISTENT] = "persistent",
	[IVB_OPT_NETMASK] = "netmask",
	[IVB_OPT_SERVER] = "real-server",
	[IVB_OPT_FORWARD] = "forwarding-method",
	[IVB_OPT_WEIGHT] = "weight",
	[IVB_OPT_UTHRESHOLD] = "u-threshold",
	[IVB_OPT_LTHRESHOLD] = "l-threshold",
	[IVB_OPT_MCAST] = "mcast-interface",
	[IVB_OPT_TIMEOUT] = "timeout",
	[IVB_OPT_DAEMON] = "daemon",
	[IVB_OPT_STATS] = "stats",
	[IVB_OPT_RATE] = "rate",
	[IVB_OPT_THRESHOLDS] = "thresholds",
	[IVB_OPT_PERSISTENTCONN] = "persistent-conn",
	[IVB_OPT_NOSORT] = "nosort",
	[IVB_OPT_SYNCID] = "syncid",
	[IVB_OPT_EXACT] = "exact",
	[IVB_OPT_ONEPACKET] = "ops",
	[IVB_OPT_PE] = "pe",
	[IVB_OPT_SCHED_FLAGS] = "sched-flags",
	[IVB_OPT_TUN] = "tun-type",
	[IVB_OPT_IPV6] = "ipv6",
	[IVB_OPT_SORT] = "sort",
	[IVB_OPT_SNAT] = "snat",
	[IVB_OPT_ZONE] = "zone",
};

static const char *const cmd_names[IVB_ADM_MAX_] = {
	[IVB_ADM_ADD] = "add-service",
	[IVB_ADM_EDIT] = "edit-service",
	[IVB_ADM_DEL] = "delete-service",
	[IVB_ADM_FLUSH] = "flush",
	[IVB_ADM_LIST] = "list",
	[IVB_ADM_ADD_DEST] = "add-server",
	[IVB_ADM_DEL_DEST] = "delete-server",
	[IVB_ADM_EDIT_DEST] = "edit-server",
	[IVB_ADM_SAVE] = "save",
	[IVB_ADM_RESTORE] = "restore",
	[IVB_ADM_ZERO] = "zero",
	[IVB_ADM_SET] = "set",
	[IVB_ADM_HELP] = "help",
	[IVB_ADM_VERSION] = "version",
};

/*
 * '+' needed, 'x' not allowed, ' ' allowed, '1' not together with another '1'. The columns are enum
 * ivb_adm_opt: numeric conn service, sched persistent netmask, server forward weight, x y, mcast
 * timeout daemon, stats rate thresholds persistentconn nosort, syncid exact ops pe flags, tun ipv6
 * sort, snat zone.
 */
static const char combinations[][IVB_OPT_MAX_ + 1] = {
	[IVB_ADM_ADD] = "xx+   xxxxxxxxxxxxxxx   x    ",
	[IVB_ADM_EDIT] = "xx+   xxxxxxxxxxxxxxx   x    ",
	[IVB_ADM_DEL] = "xx+xxxxxxxxxxxxxxxxxxxxxx  x ",
	[IVB_ADM_FLUSH] = "xxxxxxxxxxxxxxxxxxxxxxxxxx xx",
	[IVB_ADM_LIST] = " 11xxxxxxxxx11     x xxx   x ",
	[IVB_ADM_ADD_DEST] = "xx+xxx+    xxxxxxxxxxxxx   x ",
	[IVB_ADM_DEL_DEST] = "xx+xxx+xxxxxxxxxxxxxxxxxx  x ",
	[IVB_ADM_EDIT_DEST] = "xx+xxx+    xxxxxxxxxxxxx   x ",
	[IVB_ADM_SAVE] = " xxxxxxxxxxxxxxxxxxxxxxxxx xx",
	[IVB_ADM_RESTORE] = "xxxxxxxxxxxxxxxxxxxxxxxxxx xx",
	[IVB_ADM_ZERO] = "xx xxxxxxxxxxxxxxxxxxxxxxx x ",
	[IVB_ADM_SET] = "xxxxxxxxxxxxxxxxxxxxxxxxxx xx",
};

const char *ivb_adm_opt_name(enum ivb_adm_opt opt)
{
	return opt < IVB_OPT_MAX_ ? opt_names[opt] : "?";
}

static const struct ivb_adm_option *by_letter(char letter)
{
	size_t i;

	for (i = 0; i < NUM_OPTIONS; i++) {
		if (options[i].letter == letter)
			return &options[i];
	}
	return NULL;
}

static const struct ivb_adm_option *by_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NUM_OPTIONS; i++) {
		if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return &options[i];
	}
	return NULL;
}

/* The argument: rest if it is not NULL, else the next word. */
static int value_take(struct ivb_adm_words *w, enum ivb_adm_arg arg, const char *rest)
{
	w->value = NULL;
	if (arg == IVB_ARG_NONE)
		return rest ? -E2BIG : 0;
	if (rest)
		w->value = rest;
	else if (w->next < w->argc && (arg == IVB_ARG_REQUIRED || w->argv[w->next][0] != '-'))
		w->value = w->argv[w->next++];
	return w->value || arg == IVB_ARG_OPTIONAL ? 0 : -ENODATA;
}

static int next_letter(struct ivb_adm_words *w, const struct ivb_adm_option **ret)
{
	const struct ivb_adm_option *o = by_letter(*w->letters);
	const char *rest;
	int r;

	if (!o)
		return -EINVAL;
	rest = w->letters[1] ? w->letters + 1 : NULL;
	w->letters = rest;
	if (o->arg != IVB_ARG_NONE) {
		w->letters = NULL;
		if (rest && *rest == '=')
			rest++;
	}
	r = value_take(w, o->arg, o->arg == IVB_ARG_NONE ? NULL : rest);
	if (!r)
		*ret = o;
	return r;
}

static int next_long(struct ivb_adm_words *w, const struct ivb_adm_option **ret)
{
	const char *name = w->word + 2, *equals = strchr(name, '=');
	const struct ivb_adm_option *o;
	int r;

	o = by_name(name, equals ? (size_t)(equals - name) : strlen(name));
	if (!o)
		return -EINVAL;
	r = value_take(w, o->arg, equals ? equals + 1 : NULL);
	if (!r)
		*ret = o;
	return r;
}

int ivb_adm_opts_next(struct ivb_adm_words *w, const struct ivb_adm_option **ret)
{
	if (w->letters)
		return next_letter(w, ret);
	while (w->next < w->argc) {
		const char *word = w->argv[w->next++];

		if (w->only_arguments || word[0] != '-' || !word[1]) {
			if (w->num_leftovers <= IVB_ADM_TIMEOUTS)
				w->leftovers[w->num_leftovers++] = word;
			continue;
		}
		if (!strcmp(word, "--")) {
			w->only_arguments = true;
			continue;
		}
		w->word = word;
		if (word[1] == '-')
			return next_long(w, ret);
		w->letters = word + 1;
		return next_letter(w, ret);
	}
	*ret = NULL;
	return 0;
}

int ivb_adm_opts_refuse(struct ivb_adm_error *err, int status, const char *fmt, ...)
{
	va_list ap;

	err->status = status;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int ivb_adm_opts_check(enum ivb_adm_cmd cmd, __u32 given, struct ivb_adm_error *err)
{
	const char *exclusive = NULL;
	int i;

	for (i = 0; i < IVB_OPT_MAX_; i++) {
		char rule = combinations[cmd][i];

		if (!(given & 1u << i)) {
			if (rule == '+')
				return ivb_adm_opts_refuse(err, IVB_EXIT_USAGE,
							   "You need to supply the '%s' option "
							   "for the '%s' command",
							   opt_names[i], cmd_names[cmd]);
			continue;
		}
		if (rule == 'x')
			return ivb_adm_opts_refuse(err, IVB_EXIT_USAGE,
						   "Illegal '%s' option with the '%s' command",
						   opt_names[i], cmd_names[cmd]);
		if (rule == '1' && exclusive)
			return ivb_adm_opts_refuse(err, IVB_EXIT_USAGE,
						   "The option '%s' conflicts with the '%s' "
						   "option in the '%s' command",
						   opt_names[i], exclusive, cmd_names[cmd]);
		if (rule == '1')
			exclusive = opt_names[i];
	}
	return 0;
}
