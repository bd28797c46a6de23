/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The adm command: carries a request out, and says in ipvsadm's words what came of it. */
#include "cli/adm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/adm_list.h"
#include "cli/cli.h"
#include "dp/instance.h"
#include "dp/services.h"

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
	{ IVB_ADM_LIST, ESRCH, IVB_EXIT_FAILURE, "No such service" },
	{ IVB_ADM_MAX_, ENOMEM, IVB_EXIT_ADM, "Memory allocation problem" },
};

#define NUM_SENTENCES (sizeof(sentences) / sizeof(sentences[0]))

/* ipvsadm's messages have no name before them. */
static int say(const struct ivb_cli *cli, int status, const char *text)
{
	if (cli->json)
		return ivb_fail(cli, "adm", status, "%s", text);
	fprintf(stderr, "%s\n", text);
	return status;
}

static int explain(const struct ivb_cli *cli, enum ivb_adm_cmd cmd, int r,
		   const struct ivb_err *err)
{
	size_t i;

	for (i = 0; i < NUM_SENTENCES; i++) {
		const struct sentence *s = &sentences[i];

		if (s->error == -r && (s->cmd == cmd || s->cmd == IVB_ADM_MAX_))
			return say(cli, s->status, s->text);
	}
	return ivb_fail(cli, "adm", IVB_EXIT_FAILURE, "%s",
			err->text[0] ? err->text : strerror(-r));
}

static int usage(void)
{
	puts("Usage:\n"
	     "  ipvs-bpf adm -A|E virtual-service [-s scheduler] [-b sched-flags] [--snat policy]\n"
	     "  ipvs-bpf adm -D virtual-service\n"
	     "  ipvs-bpf adm -C\n"
	     "  ipvs-bpf adm -a|e virtual-service -r server-address -m [-w weight] [-x upper] [-y lower]\n"
	     "  ipvs-bpf adm -d virtual-service -r server-address\n"
	     "  ipvs-bpf adm -L|l [virtual-service] [options]\n"
	     "  ipvs-bpf adm -L -c [-n]\n"
	     "\n"
	     "Commands:\n"
	     "Either long or short options are allowed.\n"
	     "  --add-service     -A        add virtual service with options\n"
	     "  --edit-service    -E        edit virtual service with options\n"
	     "  --delete-service  -D        delete virtual service\n"
	     "  --clear           -C        clear the whole table\n"
	     "  --add-server      -a        add real server with options\n"
	     "  --edit-server     -e        edit real server with options\n"
	     "  --delete-server   -d        delete real server\n"
	     "  --list            -L|-l     list the table\n"
	     "  --help            -h        display this help message\n"
	     "  --version         -v        display the version\n"
	     "\n"
	     "virtual-service:\n"
	     "  --tcp-service|-t  service-address   service-address is host:port or [IPv6]:port\n"
	     "  --udp-service|-u  service-address   the same\n"
	     "  --zone            number            of the devices (up --zone), default 0\n"
	     "\n"
	     "Options:\n"
	     "  --scheduler    -s scheduler         rr, wrr, lc, wlc (the default), sed, nq, fo, ovf, sh,\n"
	     "                                      dh or mh\n"
	     "  --sched-flags  -b flags             sh-port, sh-fallback, mh-port, mh-fallback (commas)\n"
	     "  --snat            policy            never, auto or always translate the client's\n"
	     "                                      address too (default: as `up --snat` says)\n"
	     "  --real-server  -r server-address    server-address is host (and port)\n"
	     "  --masquerading -m                   masquerading (NAT), the only method\n"
	     "  --weight       -w weight            capacity of real server, 0 to 65535, default 1\n"
	     "  --u-threshold  -x number            of connections from which on it gets no more\n"
	     "  --l-threshold  -y number            below which it gets some again, default 3/4 of -x\n"
	     "  --connection   -c                   output of current IPVS connections\n"
	     "  --numeric      -n                   numeric output of addresses and ports\n"
	     "  --exact                             numbers are always exact\n"
	     "  --nosort                            disable sorting output of service/server entries\n"
	     "  --sort                              does nothing, for backwards compatibility\n"
	     "The other options of ipvsadm come with later versions.");
	return IVB_EXIT_OK;
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

static int list(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
		struct ivb_err *err)
{
	__cleanup(ivb_adm_table_fini) struct ivb_adm_table table = {};
	int r;

	if (adm->connections)
		return cli->json ? ivb_adm_json_conns(dp, err) : ivb_adm_print_conns(dp, adm, err);
	r = ivb_adm_table_load(&table, dp, adm, err);
	if (r)
		return r;
	if (cli->json)
		return ivb_adm_json_table(dp, &table, err);
	ivb_adm_print_table(&table, adm, dp->meta.max_conns);
	if (!adm->has_service)
		mention_kernel();
	return 0;
}

static int change(const struct ivb_cli *cli, struct ivb_dp *dp, const struct ivb_adm *adm,
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
	struct ivb_err warn = {};
	int r = -EINVAL;

	switch (adm->cmd) {
	case IVB_ADM_ADD:
		r = ivb_service_add(dp, &adm->key, adm->scheduler, adm->sched_flags,
				    adm->snat == IVB_SNAT_MAX_ ? IVB_SNAT_DEFAULT : adm->snat, err);
		break;
	case IVB_ADM_EDIT:
		r = ivb_service_edit(dp, &adm->key, adm->scheduler, adm->sched_flags, adm->snat,
				     err);
		break;
	case IVB_ADM_DEL:
		r = ivb_service_del(dp, &adm->key, err);
		break;
	case IVB_ADM_FLUSH:
		r = ivb_service_flush(dp, err);
		break;
	case IVB_ADM_ADD_DEST:
		r = ivb_dest_add(dp, &adm->key, &server, &warn, err);
		break;
	case IVB_ADM_EDIT_DEST:
		r = ivb_dest_edit(dp, &adm->key, &server, &warn, err);
		break;
	case IVB_ADM_DEL_DEST:
		r = ivb_dest_del(dp, &adm->key, &server, err);
		break;
	default:
		break;
	}
	if (!r && warn.text[0] && !cli->json)
		fprintf(stderr, "ipvs-bpf adm: warning: %s\n", warn.text);
	return r;
}

int ivb_cmd_adm(const struct ivb_cli *cli, int argc, char **argv)
{
	__cleanup(ivb_dp_closep) struct ivb_dp *dp = NULL;
	struct ivb_adm_error wrong = {};
	struct ivb_err err = {};
	struct ivb_adm adm;
	int r;

	if (ivb_adm_parse(&adm, argc, argv, &wrong))
		return say(cli, wrong.status, wrong.text);
	if (adm.cmd == IVB_ADM_HELP)
		return usage();
	if (adm.cmd == IVB_ADM_VERSION) {
		puts("ipvs-bpf adm " IVB_VERSION " (ipvsadm 1.31's language)");
		return IVB_EXIT_OK;
	}
	r = ivb_dp_open(&dp, cli->instance,
			adm.cmd == IVB_ADM_LIST ? IVB_LOCK_SHARED : IVB_LOCK_EXCLUSIVE, &err);
	if (r)
		return ivb_fail(cli, "adm", IVB_EXIT_FAILURE, "%s",
				err.text[0] ? err.text : strerror(-r));
	r = adm.cmd == IVB_ADM_LIST ? list(cli, dp, &adm, &err) : change(cli, dp, &adm, &err);
	return r ? explain(cli, adm.cmd, r, &err) : IVB_EXIT_OK;
}
