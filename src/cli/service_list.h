/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of services, or one of them, with something that each has: what `snat` and `timeout` show. */
#ifndef IVB_CLI_SERVICE_LIST_H
#define IVB_CLI_SERVICE_LIST_H

#include <stdbool.h>

#include <ivb/abi.h>

#include "cli/cli.h"

struct ivb_dp;
struct json_object;

struct ivb_service_list {
	const struct ivb_service_key *only; /* NULL: all */
	struct json_object *json;	    /* NULL without --json */
	bool found;			    /* something has been shown */
};

/* Has fill() show what the instance has; key: of the only one, if its proto is not 0. */
int ivb_service_list_show(const struct ivb_cli *cli, const char *command,
			  const struct ivb_service_key *key,
			  int (*fill)(struct ivb_dp *dp, struct ivb_service_list *l,
				      struct ivb_err *err));

/* A service's JSON object, with protocol and address; it is the list's already. */
struct json_object *ivb_service_list_add(struct ivb_service_list *l,
					 const struct ivb_service_key *key, const char *addr);

#endif
