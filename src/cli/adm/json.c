/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adm -L as JSON: always numeric, with every counter. */
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/adm/list.h"
#include "cli/command.h"
#include "cli/json.h"
#include "dp/report/conns.h"
#include "dp/report/traffic.h"
#include "dp/services/list.h"
#include "model/names.h"

static void add_str(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static void add_num(struct json_object *o, const char *name, __u64 value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void add_addr(struct json_object *o, const char *name, __u8 af, const union ivb_addr *addr)
{
	char text[IVB_ADDR_LEN];

	add_str(o, name, ivb_addr_fmt(text, sizeof(text), af, addr));
}

/* An array or object, printed and freed. */
static void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static struct json_object *json_dest(const struct ivb_dest_info *d, const struct ivb_traffic *live)
{
	struct json_object *o = json_object_new_object();

	add_addr(o, "address", d->dest.af, &d->dest.addr);
	add_num(o, "port", ntohs(d->dest.port));
	add_str(o, "forward", "masq");
	add_num(o, "weight", d->dest.weight);
	add_num(o, "upper_threshold", d->dest.upper);
	add_num(o, "lower_threshold", d->dest.lower);
	json_object_object_add(o, "overloaded", json_object_new_boolean(!!d->conns.overloaded));
	add_num(o, "active_conns", d->conns.active);
	add_num(o, "inactive_conns", d->conns.inactive);
	add_num(o, "conns", d->conns.conns);
	add_num(o, "in_packets", d->conns.in_packets + live->in_packets);
	add_num(o, "out_packets", d->conns.out_packets + live->out_packets);
	add_num(o, "in_bytes", d->conns.in_bytes + live->in_bytes);
	add_num(o, "out_bytes", d->conns.out_bytes + live->out_bytes);
	if (ivb_addr_is_zero(&d->dest.snat_addr))
		json_object_object_add(o, "snat_address", NULL);
	else
		add_addr(o, "snat_address", d->dest.af, &d->dest.snat_addr);
	add_num(o, "slot", d->slot);
	return o;
}

static struct json_object *json_service(const struct ivb_adm_entry *e,
					const struct ivb_carried *live)
{
	static const struct ivb_traffic none;
	struct json_object *o = json_object_new_object(), *servers = json_object_new_array();
	char flags[IVB_SCHED_FLAGS_LEN];
	size_t i;

	add_str(o, "protocol", ivb_proto_name(e->info.key.proto));
	add_addr(o, "address", e->info.key.af, &e->info.key.addr);
	add_num(o, "port", ntohs(e->info.key.port));
	add_num(o, "zone", e->info.key.zone);
	add_str(o, "scheduler", ivb_scheduler_name(e->info.svc.scheduler));
	add_str(o, "scheduler_flags",
		ivb_sched_flags_names(flags, e->info.svc.scheduler, e->info.svc.flags));
	add_str(o, "snat", ivb_snat_name(e->info.svc.snat));
	add_num(o, "slot", e->info.svc.slot);
	for (i = 0; i < e->num_dests; i++) {
		__u32 slot = e->dests[i].slot;

		json_object_array_add(servers, json_dest(&e->dests[i], slot < live->num_dests
									       ? &live->dests[slot]
									       : &none));
	}
	json_object_object_add(o, "servers", servers);
	return o;
}

int ivb_adm_json_table(struct ivb_dp *dp, const struct ivb_adm_table *table, struct ivb_err *err)
{
	struct ivb_carried live __cleanup(ivb_traffic_carried_fini) = { 0 };
	struct json_object *o, *services;
	size_t i;
	int r;

	/* a server's own counters have only ended connections */
	r = ivb_traffic_carried_read(&live, dp, err);
	if (r)
		return r;
	o = json_object_new_object();
	services = json_object_new_array();
	for (i = 0; i < table->num; i++)
		json_object_array_add(services, json_service(&table->entries[i], &live));
	json_object_object_add(o, "services", services);
	print_json(o);
	return 0;
}

static int json_conn(const struct ivb_conn_info *c, void *arg)
{
	struct ivb_json_list *list = arg;
	struct json_object *o;

	if (c->kernel)
		return 0;
	o = json_object_new_object();
	add_str(o, "protocol", ivb_proto_name(c->proto));
	add_num(o, "zone", c->zone);
	add_num(o, "expires", c->expires);
	add_str(o, "state", ivb_conn_state_name(c->state));
	add_addr(o, "client_address", c->af, &c->caddr);
	add_num(o, "client_port", ntohs(c->cport));
	add_addr(o, "virtual_address", c->af, &c->vaddr);
	add_num(o, "virtual_port", ntohs(c->vport));
	add_addr(o, "server_address", c->af, &c->daddr);
	add_num(o, "server_port", ntohs(c->dport));
	add_addr(o, "source_address", c->af, &c->saddr);
	add_num(o, "source_port", ntohs(c->sport));
	json_object_object_add(o, "snat", json_object_new_boolean(c->snat));
	add_num(o, "in_packets", c->in_packets);
	add_num(o, "out_packets", c->out_packets);
	add_num(o, "in_bytes", c->in_bytes);
	add_num(o, "out_bytes", c->out_bytes);
	ivb_json_add(list, o);
	return 0;
}

int ivb_adm_json_conns(struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_json_list list = { 0 };
	int r;

	ivb_json_begin(&list, "connections");
	r = ivb_conns_walk(dp, json_conn, &list, err);
	ivb_json_end(&list, r ? err->text : NULL);
	return r;
}
