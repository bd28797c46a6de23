/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adm -S, and -R: all lines or none, in one session of changes. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/adm/adm_int.h"
#include "cli/adm/list.h"
#include "cli/cli.h"
#include "dp/services/list.h"
#include "dp/services/services.h"
#include "model/names.h"

#define WORDS_MAX 64
#define WARNINGS_MAX 5 /* warnings that are printed one by one */

void ivb_adm_rules_print(const struct ivb_adm_table *table, const struct ivb_adm *adm)
{
	char vip[IVB_ADM_NAME_LEN], rip[IVB_ADM_NAME_LEN], zone[32] = "";
	char flags[IVB_SCHED_FLAGS_LEN];
	size_t i, j;

	for (i = 0; i < table->num; i++) {
		const struct ivb_adm_entry *e = &table->entries[i];
		const struct ivb_service_key *key = &e->info.key;
		const char *option = key->proto == IPPROTO_UDP ? "-u" : "-t";

		ivb_adm_list_name(vip, sizeof(vip), key->af, &key->addr, key->port, key->proto,
				  adm->numeric);
		if (key->zone)
			snprintf(zone, sizeof(zone), " --zone %u", key->zone);
		else
			zone[0] = '\0';
		printf("-A %s %s -s %s%s", option, vip, ivb_scheduler_name(e->info.svc.scheduler),
		       zone);
		if (e->info.svc.flags)
			printf(" -b %s", ivb_sched_flags_names(flags, e->info.svc.scheduler,
							       e->info.svc.flags));
		if (e->info.svc.snat != IVB_SNAT_DEFAULT)
			printf(" --snat %s", ivb_snat_name(e->info.svc.snat));
		putchar('\n');
		for (j = 0; j < e->num_dests; j++) {
			const struct ivb_dest *d = &e->dests[j].dest;

			ivb_adm_list_name(rip, sizeof(rip), d->af, &d->addr, d->port, d->proto,
					  adm->numeric);
			printf("-a %s %s -r %s -m -w %u", option, vip, rip, d->weight);
			if (d->upper)
				printf(" -x %u", d->upper);
			if (d->lower)
				printf(" -y %u", d->lower);
			puts(zone);
		}
	}
}

/*
 * --- restore -------------------------------------------------------------------------------------
 */

struct restore {
	const char *program;
	struct ivb_session *session;
	__u32 line, rules, warnings;
};

/*
 * Words at blanks, as ipvsadm reads them; a leading "ipvsadm" is left out. Returns how many, or
 * -E2BIG.
 */
static int words_split(char *line, char **words, const char *program)
{
	char *save, *word;
	int n = 0;

	words[n++] = (char *)program;
	for (word = strtok_r(line, " \t\r\n", &save); word;
	     word = strtok_r(NULL, " \t\r\n", &save)) {
		if (n == 1 && !strcmp(word, "ipvsadm"))
			continue;
		if (n == WORDS_MAX)
			return -E2BIG;
		words[n++] = word;
	}
	return n;
}

static bool is_change(enum ivb_adm_cmd cmd)
{
	switch (cmd) {
	case IVB_ADM_ADD:
	case IVB_ADM_EDIT:
	case IVB_ADM_DEL:
	case IVB_ADM_FLUSH:
	case IVB_ADM_ADD_DEST:
	case IVB_ADM_EDIT_DEST:
	case IVB_ADM_DEL_DEST:
		return true;
	default:
		return false;
	}
}

static int restore_line(struct restore *re, char *line, struct ivb_adm_error *wrong)
{
	struct ivb_err warn = {}, err = {};
	char *words[WORDS_MAX + 1];
	struct ivb_adm adm;
	int n, r;

	n = words_split(line, words, re->program);
	if (n < 0)
		return ivb_adm_opts_refuse(wrong, IVB_EXIT_USAGE, "too many words");
	if (n == 1 || words[1][0] == '#')
		return 0;
	re->rules++;
	if (words[1][0] != '-')
		return ivb_adm_opts_refuse(wrong, IVB_EXIT_ADM,
					   "'%.100s' is not a command (-A -E -D -C -a -e -d)",
					   words[1]);
	if (ivb_adm_parse(&adm, n, words, wrong))
		return -EINVAL;
	if (!is_change(adm.cmd))
		return ivb_adm_opts_refuse(
			wrong, IVB_EXIT_USAGE,
			"%s is not restored: only changes of services and servers "
			"are (-A -E -D -C -a -e -d)",
			words[1]);
	ivb_session_tag(re->session, re->line);
	r = ivb_adm_plan(re->session, &adm, &warn, &err);
	if (r)
		return ivb_adm_plan_explain(wrong, adm.cmd, r, &err);
	if (warn.text[0] && ++re->warnings <= WARNINGS_MAX)
		fprintf(stderr, "%s: warning: line %u: %s\n", re->program, re->line, warn.text);
	return 0;
}

int ivb_adm_rules_read(struct ivb_adm_rules *ret, struct ivb_adm_error *wrong)
{
	_cleanup_free_ char *text = NULL;
	size_t room = 0, len = 0;
	char *more;

	do {
		if (len + 1 >= room) {
			room = room ? 2 * room : 4096;
			more = realloc(text, room);
			if (!more)
				return ivb_adm_opts_refuse(wrong, IVB_EXIT_FAILURE,
							   "out of memory");
			text = more;
		}
		len += fread(text + len, 1, room - 1 - len, stdin);
	} while (!feof(stdin) && !ferror(stdin));
	if (ferror(stdin))
		return ivb_adm_opts_refuse(wrong, IVB_EXIT_FAILURE,
					   "cannot read standard input: %m");
	text[len] = '\0';
	*ret = (struct ivb_adm_rules){ .text = TAKE_PTR(text), .len = len };
	return 0;
}

/* An empty input is a file that was cut short rather than a wish. */
static int refuse_empty(struct ivb_dp *dp, struct ivb_adm_error *wrong)
{
	_cleanup_free_ struct ivb_service_info *all = NULL;
	struct ivb_err err = {};
	size_t n;
	int r = ivb_list_services(dp, &all, &n, &err);

	if (r)
		return ivb_adm_plan_explain(wrong, IVB_ADM_RESTORE, r, &err);
	return n ? ivb_adm_opts_refuse(wrong, IVB_EXIT_FAILURE,
				       "there is no rule in standard input, and nothing has been "
				       "changed; -C removes all services")
		 : 0;
}

static int read_lines(struct restore *re, const struct ivb_adm_rules *rules,
		      struct ivb_adm_error *wrong)
{
	char *line = rules->text, *end = line + rules->len, *next;
	size_t len;
	int r;

	for (re->line = 1; line < end; re->line++, line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		len = (size_t)((next ? next : end) - line);
		line[len] = '\0'; /* a NUL stands behind the end as well */
		next = line + len + 1;
		if (strlen(line) < len)
			return ivb_adm_opts_refuse(wrong, IVB_EXIT_USAGE,
						   "there is a NUL character in it");
		r = restore_line(re, line, wrong);
		if (r)
			return r;
	}
	return 0;
}

static void at_line(struct ivb_adm_error *wrong, __u32 line)
{
	char text[sizeof(wrong->text)];

	snprintf(text, sizeof(text), "line %u: %.400s (nothing has been changed)", line,
		 wrong->text);
	memcpy(wrong->text, text, sizeof(text));
}

int ivb_adm_rules_restore(struct ivb_dp *dp, const struct ivb_adm_rules *rules, const char *program,
			  bool flush, struct ivb_adm_error *wrong)
{
	__cleanup(ivb_session_closep) struct ivb_session *session = NULL;
	struct restore re = { .program = program };
	struct ivb_err err = {};
	int r;

	r = ivb_session_open(&session, dp, &err);
	if (!r && flush)
		r = ivb_service_flush(session, &err);
	if (r)
		return ivb_adm_plan_explain(wrong, IVB_ADM_RESTORE, r, &err);
	re.session = session;
	r = read_lines(&re, rules, wrong);
	if (r) {
		at_line(wrong, re.line);
		return r;
	}
	r = flush && !re.rules ? refuse_empty(dp, wrong) : 0;
	if (r)
		return r;
	if (re.warnings > WARNINGS_MAX)
		fprintf(stderr, "%s: warning: and %u more warnings\n", program,
			re.warnings - WARNINGS_MAX);
	r = ivb_session_apply(session, &err);
	if (!r)
		return 0;
	ivb_adm_plan_explain(wrong, IVB_ADM_RESTORE, r, &err);
	if (ivb_session_failed(session))
		at_line(wrong, ivb_session_failed(session));
	return r;
}
