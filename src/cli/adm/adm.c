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

#define KERNEL_TABLE "/proc/net/ip_vs"

/* What ipvsadm says of an operation's error. */
static const struct sentence {
	enum ivb_adm_cmd cmd; /* IVB_ADM_MAX_: any */
	int error;
	int status;
	const char *text;
} sentences[] = {
	{ IVB_ADM_ADD, EEXIST, IVB_EXIT_ADM, "Service already exists" },
	{ IVB_ADM_ADD, ENOENT, IVB_EXIT_ADM, "Scheduler or persistence engine not found" },
	{ IVB_ADM_EDIT, ESRCH, IVB_EXIT_ADM, "No such service" },
	{ IVB_ADM_EDIT, ENOENT, IVB_EXIT_ADM, "Scheduler or persistence engine not found" },
	{ IVB_ADM_DEL, ESRCH, IVB_EXIT_ADM, "No such service" },
	{ IVB_ADM_ADD_DEST, ESRCH, IVB_EXIT_ADM, "Service not defined" },
	{ IVB_ADM_ADD_DEST, EEXIST, IVB_EXIT_ADM, "Destination already exists" },
	{ IVB_ADM_ADD_DEST, EINVAL, IVB_EXIT_ADM,
	  "Invalid operation.  Possibly wrong module version, address not unicast, ..." },
	{ IVB_ADM_ADD_DEST, ERANGE, IVB_EXIT_ADM, "Numerical result out of range" },
	{ IVB_ADM_EDIT_DEST, ERANGE, IVB_EXIT_ADM, "Numerical result out of range" },
	{ IVB_ADM_EDIT_DEST, ESRCH, IVB_EXIT_ADM, "Service not defined" },
	{ IVB_ADM_EDIT_DEST, ENOENT, IVB_EXIT_ADM, "No such destination" },
	{ IVB_ADM_DEL_DEST, ESRCH, IVB_EXIT_ADM, "Service not defined" },
	{ IVB_ADM_DEL_DEST, ENOENT, IVB_EXIT_ADM, "No such destination" },
	{ IVB_ADM_ZERO, ESRCH, IVB_EXIT_ADM, "No such service" },
	{ IVB_ADM_LIST, ESRCH, IVB_EXIT_FAILURE, "No such service" },
	{ IVB_ADM_MAX_, ENOMEM, IVB_EXIT_ADM, "Memory allocation problem" },
};

#define NUM_SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

/* ipvsadm's messages have no name before them. */
static int say(const struct ivb_cli *cli, const struct ivb_adm_error *wrong)
{
	if (cli->json)
		return ivb_fail(cli, "adm", wrong->status, "%s", wrong->text);
	fprintf(stderr, "%s\n", wrong->text);
	return wrong->status;
}

int ivb_adm_explain(struct ivb_adm_error *wrong, enum ivb_adm_cmd cmd, int r,
		    const struct ivb_err *err)
{
	size_t i;

	for (i = 0; i < NUM_SENTENCES; i++) {
		const struct sentence *s = &sentences[i];

		if (s->error == -r && (s->cmd == cmd || s->cmd == IVB_ADM_MAX_))
			return ivb_adm_refuse(wrong, s->status, "%s", s->text);
	}
	return ivb_adm_refuse(wrong, IVB_EXIT_FAILURE, "ipvs-bpf adm: %.480s",
			      err->text[0] ? err->text : strerror(-r));
}

/* Services that the kernel's own IPVS has in this namespace; they are not ours to list. */
static void mention_kernel(void)
{
	_cleanup_fclose_ FILE *f = fopen(KERNEL_TABLE, "re");
	unsigned int n = 0;
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		n += !strncmp(line, "TCP ", 4) || !strncmp(line, "UDP ", 4) ||
		     !strncmp(line, "SCTP", 4) || !strncmp(line, "FWM ", 4);
	if (n) {
		fflush(stdout);
		fprintf(stderr,
			"ipvs-bpf adm: note: the kernel's own IPVS has %u service%s here as well; "
			"ipvsadm lists %s\n",
			n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
	}
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
	__cleanup(ivb_adm_table_fini) struct ivb_adm_table table = {};
	int r;

	r = ivb_adm_table_load(&table, dp, adm, err);
	if (r)
		return r;
	ivb_dp_unlock(dp);
	if (adm->cmd == IVB_ADM_SAVE) {
		ivb_adm_print_rules(&table, adm);
		return 0;
	}
	if (cli->json)
		return ivb_adm_json_table(dp, &table, err);
	ivb_adm_print_table(&table, adm, dp->meta.max_conns);
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
		return cli->json ? ivb_adm_json_conns(dp, err) : ivb_adm_print_conns(dp, adm, err);
	case IVB_ADM_LIST_TIMEOUTS:
		return print_timeouts(dp, err);
	case IVB_ADM_LIST_DAEMON:
		return 0; /* there is none */
	case IVB_ADM_LIST_STATS:
		return cli->json ? list_services(cli, dp, adm, err)
				 : ivb_adm_print_stats(dp, adm, err);
	default:
		return list_services(cli, dp, adm, err);
	}
}

int ivb_adm_plan(struct ivb_edit *edit, const struct ivb_adm *adm, struct ivb_err *warn,
		 struct ivb_err *err)
{
	struct ivb_server server = {
		.af = adm->dest_af,
		.port = adm->dest_port,
		.addr = adm->dest_addr,
		.weight = adm->weight,
		.upper = adm->upper,
		.lower = adm->lower,
	};

	switch (adm->cmd) {
	case IVB_ADM_ADD:
		return ivb_service_add(edit, &adm->key, adm->scheduler, adm->sched_flags,
				       adm->snat == IVB_SNAT_MAX_ ? IVB_SNAT_DEFAULT : adm->snat,
				       err);
	case IVB_ADM_EDIT:
		return ivb_service_edit(edit, &adm->key, adm->scheduler, adm->sched_flags,
					adm->snat, err);
	case IVB_ADM_DEL:
		return ivb_service_del(edit, &adm->key, err);
	case IVB_ADM_FLUSH:
		return ivb_service_flush(edit, err);
	case IVB_ADM_ADD_DEST:
		return ivb_dest_add(edit, &adm->key, &server, warn, err);
	case IVB_ADM_EDIT_DEST:
		return ivb_dest_edit(edit, &adm->key, &server, warn, err);
	case IVB_ADM_DEL_DEST:
		return ivb_dest_del(edit, &adm->key, &server, err);
	default:
		return -EINVAL;
	}
}

static int change(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
		  struct ivb_err *err)
{
	__cleanup(ivb_edit_closep) struct ivb_edit *edit = NULL;
	struct ivb_err warn = {};
	int r;

	r = ivb_edit_open(&edit, dp, err);
	if (!r)
		r = ivb_adm_plan(edit, adm, &warn, err);
	if (!r)
		r = ivb_edit_apply(edit, err);
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
	struct ivb_err err = {};
	int r;

	if (reads && adm->list == IVB_ADM_LIST_RATE && !cli->json) {
		r = ivb_adm_print_rate(cli->instance, adm, &err);
		return r ? ivb_adm_explain(wrong, adm->cmd, r, &err) : 0;
	}
	r = ivb_dp_open(&dp, cli->instance, reads ? IVB_LOCK_SHARED : IVB_LOCK_EXCLUSIVE, &err);
	if (r) /* whatever the command: the instance is not there */
		return ivb_adm_refuse(wrong, IVB_EXIT_FAILURE, "ipvs-bpf adm: %.480s",
				      err.text[0] ? err.text : strerror(-r));
	if (adm->cmd == IVB_ADM_RESTORE)
		return ivb_adm_restore(dp, program, flush, wrong);
	r = carry_out(cli, dp, adm, &err);
	return r ? ivb_adm_explain(wrong, adm->cmd, r, &err) : 0;
}

int ivb_cmd_adm(const struct ivb_cli *cli, int argc, char **argv)
{
	const char *program = ivb_adm_program(argv[0]);
	struct ivb_adm_error wrong = {};
	struct ivb_adm adm;

	if (ivb_adm_parse(&adm, argc, argv, &wrong))
		return say(cli, &wrong);
	if (adm.cmd == IVB_ADM_HELP)
		return ivb_adm_usage(program);
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
