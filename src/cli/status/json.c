/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf status --json. */
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/status/status_int.h"
#include "dp/load/build.h"
#include "dp/report/info.h"
#include "dp/report/port_use.h"
#include "dp/report/reason.h"
#include "model/names.h"

static void add_ports(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *list = json_object_new_array(), *e;
	char text[IVB_ADDRPORT_LEN];
	size_t i;

	for (i = 0; i < s->num_ports; i++) {
		const struct ivb_port_use *u = &s->ports[i];

		e = json_object_new_object();
		ivb_addr_fmt(text, sizeof(text), u->key.af, &u->key.saddr);
		json_object_object_add(e, "address", json_object_new_string(text));
		ivb_addrport_fmt(text, sizeof(text), u->key.af, &u->key.daddr, u->key.dport);
		json_object_object_add(e, "server", json_object_new_string(text));
		json_object_object_add(e, "protocol",
				       json_object_new_string(ivb_proto_name(u->key.proto)));
		json_object_object_add(e, "zone", json_object_new_int64(u->key.zone));
		json_object_object_add(e, "ports", json_object_new_int64(u->ports));
		json_object_object_add(e, "live", json_object_new_int64(u->used - u->ended));
		json_object_object_add(e, "ended", json_object_new_int64(u->ended));
		json_object_object_add(e, "taken_over", json_object_new_uint64(u->reclaimed));
		json_object_object_add(
			e, "short",
			json_object_new_boolean(ivb_port_use_percent(u) >= IVB_PORTS_SHORT));
		json_object_array_add(list, e);
	}
	json_object_object_add(o, "snat_ports_in_use", list);
}

/* Addresses, ports and prefixes as `up` takes them: "1024-32767", "10.0.0.0/8". */
static void add_snat(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *addrs = json_object_new_array(), *ports = json_object_new_array();
	struct json_object *prefixes = json_object_new_array();
	const struct ivb_config *c = &s->info.config;
	char text[IVB_ADDR_LEN + 8];
	size_t i, n;

	for (i = 0; i < 2; i++) {
		for (n = 0; n < c->num_snat_addrs[i]; n++)
			json_object_array_add(
				addrs, json_object_new_string(ivb_addr_fmt(text, sizeof(text),
									   i ? AF_INET6 : AF_INET,
									   &c->snat_addrs[i][n])));
	}
	for (i = 0; i < s->snat.num_ranges; i++) {
		snprintf(text, sizeof(text), "%u-%u", s->snat.ranges[i].lo, s->snat.ranges[i].hi);
		json_object_array_add(ports, json_object_new_string(text));
	}
	for (i = 0; i < s->snat.num_prefixes; i++)
		json_object_array_add(prefixes, json_object_new_string(ivb_status_words_prefix(
							text, sizeof(text), &s->snat.prefixes[i])));
	json_object_object_add(o, "snat_addresses", addrs);
	json_object_object_add(o, "snat_port_ranges", ports);
	json_object_object_add(o, "non_masq_prefixes", prefixes);
}

static void add_devs(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *list = json_object_new_array(), *d;
	size_t i;

	for (i = 0; i < s->num_devs; i++) {
		d = json_object_new_object();
		json_object_object_add(d, "ifindex", json_object_new_int64(s->devs[i].ifindex));
		json_object_object_add(d, "name", json_object_new_string(s->devs[i].name));
		json_object_object_add(d, "zone", json_object_new_int64(s->devs[i].zone));
		json_object_object_add(d, "attach",
				       json_object_new_string(ivb_attached_by(s->devs[i].kind)));
		json_object_object_add(
			d, "state", json_object_new_string(ivb_status_devs[s->devs[i].state].name));
		json_object_object_add(d, "egress", json_object_new_boolean(s->devs[i].egress));
		json_object_array_add(list, d);
	}
	json_object_object_add(o, "devices", list);
}

static void add_families(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *e;
	int i;

	for (i = 0; i < 2; i++) {
		const struct ivb_family_info *f = &s->info.families[i];

		e = json_object_new_object();
		json_object_object_add(e, "on", json_object_new_boolean(f->on));
		json_object_object_add(e, "connections", json_object_new_int64(f->conns));
		json_object_object_add(e, "max_connections", json_object_new_int64(f->max_conns));
		json_object_object_add(e, "half_open", json_object_new_int64(f->half_open));
		json_object_object_add(e, "max_half_open", json_object_new_int64(f->max_half_open));
		json_object_object_add(e, "evicted", json_object_new_uint64(f->evicted));
		json_object_object_add(e, "expired", json_object_new_uint64(f->sweep.expired));
		json_object_object_add(e, "stale", json_object_new_uint64(f->sweep.stale));
		json_object_object_add(e, "timer_runs", json_object_new_uint64(f->sweep.ticks));
		json_object_object_add(e, "timer_ns", json_object_new_uint64(f->sweep.ns));
		json_object_object_add(e, "timer_longest_ns",
				       json_object_new_uint64(f->sweep.longest));
		json_object_object_add(e, "timer_running",
				       json_object_new_boolean(f->sweep_running));
		json_object_object_add(e, "expiry",
				       json_object_new_string(f->by_packets ? "packets" : "timer"));
		json_object_object_add(e, "timer_age_ms", json_object_new_int64(f->sweep_age_ms));
		json_object_object_add(o, i ? "ipv6" : "ipv4", e);
	}
}

static void add_counters(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *list = json_object_new_array(), *e;
	char name[32];
	int i;

	for (i = 1; i < IVB_R_MAX_; i++) {
		e = json_object_new_object();
		json_object_object_add(e, "name",
				       json_object_new_string(ivb_reason_name((enum ivb_reason)i,
									      name, sizeof(name))));
		json_object_object_add(
			e, "kind",
			json_object_new_string(ivb_reason_kind_name(ivb_reasons[i].kind)));
		json_object_object_add(e, "packets",
				       json_object_new_uint64(s->info.counters[i].packets));
		json_object_object_add(e, "bytes",
				       json_object_new_uint64(s->info.counters[i].bytes));
		json_object_object_add(e, "help", json_object_new_string(ivb_reasons[i].help));
		json_object_array_add(list, e);
	}
	json_object_object_add(o, "counters", list);
}

static void add_verify(struct json_object *o, const struct ivb_status *s)
{
	struct json_object *e = json_object_new_object();

	json_object_object_add(e, "flows", json_object_new_uint64(s->verify.flows));
	json_object_object_add(e, "connections", json_object_new_uint64(s->verify.connections));
	json_object_object_add(e, "stale", json_object_new_uint64(s->verify.stale));
	json_object_object_add(e, "unsettled", json_object_new_uint64(s->verify.unsettled));
	json_object_object_add(e, "problems", json_object_new_uint64(s->verify.problems));
	json_object_object_add(e, "problem_texts", s->problems);
	json_object_object_add(o, "verify", e);
}

/* The options that are yes or no, by their names: expire_nodest_conn. */
static void add_flags(struct json_object *o, __u32 flags)
{
	const struct ivb_status_flag *f;
	char key[32], *c;

	for (f = ivb_status_flags; f->option; f++) {
		snprintf(key, sizeof(key), "%s", f->option);
		while ((c = strchr(key, '-')))
			*c = '_';
		json_object_object_add(o, key, json_object_new_boolean(!!(flags & f->flag)));
	}
}

static void add_finding(const char *text, void *arg)
{
	json_object_array_add(arg, json_object_new_string(text));
}

void ivb_status_print_json(const struct ivb_status *s)
{
	struct json_object *o = json_object_new_object(), *warnings = json_object_new_array();
	const struct ivb_findings find = { add_finding, warnings };
	const struct ivb_info *i = &s->info;

	json_object_object_add(o, "instance", json_object_new_string(s->cli->instance));
	json_object_object_add(o, "build", json_object_new_string(s->build));
	json_object_object_add(o, "build_is_own",
			       json_object_new_boolean(ivb_build_name_is_own(s->build)));
	json_object_object_add(o, "services", json_object_new_int64(i->num_services));
	json_object_object_add(o, "servers", json_object_new_int64(i->num_dests));
	json_object_object_add(o, "removed_servers", json_object_new_int64(i->num_removed));
	json_object_object_add(o, "snat", json_object_new_string(ivb_snat_name(i->config.snat)));
	json_object_object_add(o, "snat_ports", json_object_new_int64(i->config.num_snat_ports));
	json_object_object_add(
		o, "host_sockets_looked_up",
		json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_HOST_PORTS)));
	json_object_object_add(o, "non_masq", json_object_new_int64((int64_t)s->snat.num_prefixes));
	add_snat(o, s);
	add_flags(o, i->config.flags);
	json_object_object_add(o, "draining",
			       json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_DRAIN)));
	json_object_object_add(o, "ipvs_hooks",
			       json_object_new_string(ivb_status_hooks[s->hooks].name));
	json_object_object_add(o, "notrack_rules", json_object_new_boolean(s->notrack == 1));
	json_object_object_add(o, "kernel_ipvs_services",
			       json_object_new_int64((int64_t)s->kernel_services));
	add_devs(o, s);
	ivb_status_find(s, &find);
	json_object_object_add(o, "warnings", warnings);
	add_families(o, s);
	add_ports(o, s);
	add_counters(o, s);
	if (s->verify_too)
		add_verify(o, s);
	ivb_json_print(o);
}
