/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The adm command: carries a request out, and says in ipvsadm's words what came of it. */
#include "cli/adm/adm_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/adm/list.h"
#include "cli/cli.h"
#include "dp/instance/instance.h"
#include "dp/report/zero.h"
#include "dp/services/services.h"
#include "dp/services/timeouts.h"
#include "nl/ipvs.h"

/* ipvsadm's messages have no name before them. */
static int say(const struct ivb_cli *cli, const struct ivb_adm_error *wrong)
{
	if (cli->json)
		return ivb_fail(cli, "adm", wrong->status, "%s", wrong->text);
	fprintf(stderr, "%s\n", wrong->text);
	return wrong->status;
}

/* Services that the kernel's own IPVS has in this namespace; they are not ours to list. */
static void mention_kernel(void)
{
	size_t n;

	if (ivb_ipvs_count(&n) || !n)
		return;
	fflush(stdout);
	fprintf(stderr,
		"ipvs-bpf adm: note: the kernel's own IPVS has %zu service%s here as well; ipvsadm "
		"lists %s\n",
		n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
}

static int print_timeouts(struct ivb_dp *dp, struct ivb_err *err)
{
	__u32 t[IVB_ADM_TIMEOUTS];
	int r = ivb_timeouts_get(dp, t, err);

	if (!r)
		printf("Timeout (tcp tcpfin udp): %u %u %u\n", t[0], t[1], t[2]);
	return r;
}

static int list_services(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
			 struct ivb_err *err)
{
	__cleanup(ivb_adm_list_fini) struct ivb_adm_table table = {};
	int r;

	r = ivb_adm_list_load(&table, dp, adm, err);
	if (r)
		return r;
	ivb_dp_unlock(dp);
	if (adm->cmd == IVB_ADM_SAVE) {
		ivb_adm_rules_print(&table, adm);
		return 0;
	}
	if (cli->json)
		return ivb_adm_json_table(dp, &table, err);
	ivb_adm_list_print(&table, adm, dp->meta.max_conns);
	if (!adm->has_service)
		mention_kernel();
	return 0;
}

static int list(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
		struct ivb_err *err)
{
	switch (adm->list) {
	case IVB_ADM_LIST_CONNS:
		ivb_dp_unlock(dp);
		return cli->json ? ivb_adm_json_conns(dp, err)
				 : ivb_adm_list_print_conns(dp, adm, err);
	case IVB_ADM_LIST_TIMEOUTS:
		return print_timeouts(dp, err);
	case IVB_ADM_LIST_DAEMON:
		return 0; /* no daemon is ours */
	case IVB_ADM_LIST_STATS:
		return cli->json ? list_services(cli, dp, adm, err)
				 : ivb_adm_stats_print(dp, adm, err);
	default:
		return list_services(cli, dp, adm, err);
	}
}

static int change(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
		  struct ivb_err *err)
{
	__cleanup(ivb_session_closep) struct ivb_session *edit = NULL;
	struct ivb_err warn = {};
	int r;

	r = ivb_session_open(&edit, dp, err);
	if (!r)
		r = ivb_adm_plan(edit, adm, &warn, err);
	if (!r)
		r = ivb_session_apply(edit, err);
	if (!r && warn.text[0] && !cli->json)
		fprintf(stderr, "ipvs-bpf adm: warning: %s\n", warn.text);
	return r;
}

static int carry_out(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
		     struct ivb_err *err)
{
	switch (adm->cmd) {
	case IVB_ADM_LIST:
	case IVB_ADM_SAVE:
		return list(cli, dp, adm, err);
	case IVB_ADM_SET:
		return ivb_timeouts_set(dp, adm->timeouts, err);
	case IVB_ADM_ZERO:
		return ivb_stats_zero(dp, adm->has_service ? &adm->key : NULL, err);
	default:
		return change(cli, dp, adm, err);
	}
}

/* Reads and writes as the command needs; -R explains its failures itself. */
static int with_instance(const struct ivb_cli *cli, const char *program, bool flush,
			 const struct ivb_adm *adm, struct ivb_adm_error *wrong)
{
	bool reads = adm->cmd == IVB_ADM_LIST || adm->cmd == IVB_ADM_SAVE;
	__cleanup(ivb_dp_closep) struct ivb_dp *dp = NULL;
	_cleanup_free_ char *text = NULL;
	struct ivb_adm_rules rules = {};
	struct ivb_err err = {};
	int r;

	if (adm->cmd == IVB_ADM_RESTORE) {
		r = ivb_adm_rules_read(&rules, wrong);
		if (r)
			return r;
		text = rules.text;
	}
	if (reads && adm->list == IVB_ADM_LIST_RATE && !cli->json) {
		r = ivb_adm_stats_print_rate(cli->instance, adm, &err);
		return r ? ivb_adm_plan_explain(wrong, adm->cmd, r, &err) : 0;
	}
	r = ivb_dp_open(&dp, cli->instance, reads ? IVB_LOCK_SHARED : IVB_LOCK_EXCLUSIVE, &err);
	if (r) /* whatever the command: the instance is not there */
		return ivb_adm_opts_refuse(wrong, IVB_EXIT_FAILURE, "ipvs-bpf adm: %.480s",
					   err.text[0] ? err.text : strerror(-r));
	if (adm->cmd == IVB_ADM_RESTORE)
		return ivb_adm_rules_restore(dp, &rules, program, flush, wrong);
	r = carry_out(cli, dp, adm, &err);
	return r ? ivb_adm_plan_explain(wrong, adm->cmd, r, &err) : 0;
}

int ivb_cmd_adm(const struct ivb_cli *cli, int argc, char **argv)
{
	const char *program = ivb_adm_parse_program(argv[0]);
	struct ivb_adm_error wrong = {};
	struct ivb_adm adm;

	if (ivb_adm_parse(&adm, argc, argv, &wrong))
		return say(cli, &wrong);
	if (adm.cmd == IVB_ADM_HELP)
		return ivb_adm_help(program);
	if (adm.cmd == IVB_ADM_VERSION) {
		printf("%s " IVB_VERSION " (ipvsadm 1.31's language)\n", program);
		return IVB_EXIT_OK;
	}
	return with_instance(cli, program, false, &adm, &wrong) ? say(cli, &wrong) : IVB_EXIT_OK;
}

int ivb_cmd_adm_restore(const struct ivb_cli *cli, const char *program)
{
	const struct ivb_adm adm = { .cmd = IVB_ADM_RESTORE };
	struct ivb_adm_error wrong = {};

	return with_instance(cli, program, true, &adm, &wrong) ? say(cli, &wrong) : IVB_EXIT_OK;
}
