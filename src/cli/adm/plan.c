/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request of adm's as changes of a session, and its failures in ipvsadm's words. */
#include "cli/adm/adm_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "dp/services/services.h"

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

int ivb_adm_plan_explain(struct ivb_adm_error *wrong, enum ivb_adm_cmd cmd, int r,
			 const struct ivb_err *err)
{
	size_t i;

	for (i = 0; i < NUM_SENTENCES; i++) {
		const struct sentence *s = &sentences[i];

		if (s->error == -r && (s->cmd == cmd || s->cmd == IVB_ADM_MAX_))
			return ivb_adm_opts_refuse(wrong, s->status, "%s", s->text);
	}
	return ivb_adm_opts_refuse(wrong, IVB_EXIT_FAILURE, "ipvs-bpf adm: %.480s",
				   err->text[0] ? err->text : strerror(-r));
}

int ivb_adm_plan(struct ivb_session *session, const struct ivb_adm *adm, struct ivb_err *warn,
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
		return ivb_service_add(session, &adm->key, adm->scheduler, adm->sched_flags,
				       adm->snat == IVB_SNAT_MAX_ ? IVB_SNAT_DEFAULT : adm->snat,
				       warn, err);
	case IVB_ADM_EDIT:
		return ivb_service_edit(session, &adm->key, adm->scheduler, adm->sched_flags,
					adm->snat, err);
	case IVB_ADM_DEL:
		return ivb_service_del(session, &adm->key, err);
	case IVB_ADM_FLUSH:
		return ivb_service_flush(session, err);
	case IVB_ADM_ADD_DEST:
		return ivb_dest_add(session, &adm->key, &server, warn, err);
	case IVB_ADM_EDIT_DEST:
		return ivb_dest_edit(session, &adm->key, &server, warn, err);
	case IVB_ADM_DEL_DEST:
		return ivb_dest_del(session, &adm->key, &server, err);
	default:
		return -EINVAL;
	}
}
