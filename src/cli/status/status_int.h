/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `ipvs-bpf status` has found, and its two forms. Internal to the command. */
#ifndef IVB_CLI_STATUS_STATUS_INT_H
#define IVB_CLI_STATUS_STATUS_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/findings.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks.h"
#include "dp/load/build.h"
#include "dp/report/info.h"
#include "dp/report/port_use.h"
#include "dp/report/snat_use.h"
#include "dp/verify/verify.h"

struct json_object;

struct ivb_status {
	const struct ivb_cli *cli;
	bool verify_too, verbose;
	struct ivb_info info;
	struct ivb_attachment *devs;
	size_t num_devs;
	char build[IVB_BUILD_LEN];
	enum ivb_hooks hooks;
	size_t kernel_services; /* kernel IPVS's, if it is there */
	int notrack;		/* 1: the rules are there */
	struct ivb_snat_use snat;
	struct ivb_port_use *ports;
	size_t num_ports;
	struct ivb_verify verify;
	struct json_object *problems; /* texts */
};

/* Words for people, and for machines, by enum ivb_attach_state and ivb_hooks. */
struct ivb_status_word {
	const char *name, *text;
};

extern const struct ivb_status_word ivb_status_devs[];
extern const struct ivb_status_word ivb_status_hooks[];

/* Options of `up` that are yes or no (flags.def); one without an option ends the table. */
struct ivb_status_flag {
	__u32 flag;
	const char *option;
	const char *text; /* NULL: it has a line of its own */
};

extern const struct ivb_status_flag ivb_status_flags[];

/* Findings about the instance's devices and engine. */
void ivb_status_find(const struct ivb_status *s, const struct ivb_findings *f);

/* A prefix as text: "10.0.0.0/8". */
char *ivb_status_words_prefix(char *buf, size_t size, const struct ivb_prefix *p);

void ivb_status_print_text(const struct ivb_status *s);
void ivb_status_print_json(const struct ivb_status *s);

#endif
