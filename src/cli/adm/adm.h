/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The adm command: ipvsadm's language, parsed into a request. Parsing changes and asks nothing. */
#ifndef IVB_CLI_ADM_ADM_H
#define IVB_CLI_ADM_ADM_H

#include <stdbool.h>
#include <stddef.h>

#include <ivb/abi.h>

/* What ipvsadm exits with when an operation failed (-1), against 2 for a wrong command line. */
#define IVB_EXIT_ADM 255

enum ivb_adm_cmd {
	IVB_ADM_ADD,
	IVB_ADM_EDIT,
	IVB_ADM_DEL,
	IVB_ADM_FLUSH,
	IVB_ADM_LIST,
	IVB_ADM_ADD_DEST,
	IVB_ADM_DEL_DEST,
	IVB_ADM_EDIT_DEST,
	IVB_ADM_SAVE,
	IVB_ADM_RESTORE,
	IVB_ADM_ZERO,
	IVB_ADM_SET,
	IVB_ADM_HELP,
	IVB_ADM_VERSION,
	IVB_ADM_MAX_,
};

/* What -L lists. */
enum ivb_adm_list {
	IVB_ADM_LIST_SERVICES,
	IVB_ADM_LIST_STATS,
	IVB_ADM_LIST_RATE,
	IVB_ADM_LIST_THRESHOLDS,
	IVB_ADM_LIST_PERSISTENT,
	IVB_ADM_LIST_CONNS,
	IVB_ADM_LIST_TIMEOUTS,
	IVB_ADM_LIST_DAEMON,
};

#define IVB_ADM_TIMEOUTS 3

struct ivb_adm {
	enum ivb_adm_cmd cmd;
	bool has_service; /* a service was named */
	struct ivb_service_key key;
	__u32 scheduler; /* IVB_SCHED_MAX_: nobody has one of this name */
	__u8 snat;	 /* IVB_SNAT_MAX_: not given */
	__u16 sched_flags;
	__u8 dest_af;
	__be16 dest_port;
	union ivb_addr dest_addr;
	__u32 weight;
	__u32 upper; /* limits of connections */
	__u32 lower;
	__u32 timeouts[IVB_ADM_TIMEOUTS]; /* tcp, tcpfin, udp in seconds; 0: as it is */
	enum ivb_adm_list list;
	bool numeric;
	bool exact;
	bool persistent_conn;
	bool nosort;
};

struct ivb_adm_error {
	int status; /* the exit status */
	char text[512];
};

/* How argv[0] of a command line is called in messages: "ipvs-bpf adm" for "adm", else as it is. */
const char *ivb_adm_parse_program(const char *argv0);

/* argv[0] is the command's name. 0, or -EINVAL and what to say and to exit with. */
int ivb_adm_parse(struct ivb_adm *ret, int argc, char **argv, struct ivb_adm_error *err);

#endif
