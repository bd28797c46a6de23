/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/service_list.h"

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/json.h"
#include "dp/instance/instance.h"
#include "model/names.h"

struct json_object *ivb_service_list_add(struct ivb_service_list *l,
					 const struct ivb_service_key *key, const char *addr)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "protocol", json_object_new_string(ivb_proto_name(key->proto)));
	json_object_object_add(o, "service", json_object_new_string(addr));
	json_object_array_add(l->json, o);
	return o;
}

int ivb_service_list_show(const struct ivb_cli *cli, const char *command,
			  const struct ivb_service_key *key,
			  int (*fill)(struct ivb_dp *dp, struct ivb_service_list *l,
				      struct ivb_err *err))
{
	struct ivb_service_list l = { .only = key->proto ? key : NULL };
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_err err = { 0 };
	int r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, &err);

	if (cli->json)
		l.json = json_object_new_array();
	if (!r) {
		ivb_dp_unlock(dp);
		r = fill(dp, &l, &err);
	}
	if (r) {
		json_object_put(l.json);
		return ivb_fail_err(cli, command, r, &err);
	}
	if (cli->json)
		ivb_json_print(l.json);
	return IVB_EXIT_OK;
}
