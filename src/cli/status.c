/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf status: devices, connections, the expiry timer, counters, and law 4 with --verify. */
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "dp/attach.h"
#include "dp/build.h"
#include "dp/hooks.h"
#include "dp/info.h"
#include "dp/instance.h"
#include "dp/port_use.h"
#include "dp/verify.h"
#include "model/names.h"
#include "nl/notrack.h"

enum {
	OPT_VERIFY = 1,
	OPT_VERBOSE,
};

static const struct ivb_opt opts[] = {
	{ "verify", OPT_VERIFY, NULL,
	  "prove that flows, ports, counts and tables fit together; exit 1 if they do not" },
	{ "verbose", OPT_VERBOSE, NULL, "also counters that are zero" },
	{ 0 },
};

struct options {
	bool verify, verbose;
};

struct status {
	const struct ivb_cli *cli;
	struct options o;
	struct ivb_info info;
	struct ivb_attachment *devs;
	size_t num_devs;
	char build[IVB_BUILD_LEN];
	enum ivb_hooks hooks;
	int notrack; /* 1: the rules are there */
	struct ivb_port_use *ports;
	size_t num_ports;
	struct ivb_verify verify;
	struct json_object *problems;
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct options *o = arg;

	(void)cli;
	(void)value;
	if (id == OPT_VERIFY)
		o->verify = true;
	else
		o->verbose = true;
	return IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "status",
	.usage = "[OPTION]...",
	.help = "Shows the devices, how many connections there are, and what became of packets that were not\n"
		"carried: counter, packets, bytes, meaning.",
	.opts = opts,
	.set = set,
};

static const char *const attach_names[] = {
	[IVB_ATTACH_TCX] = "tcx",
	[IVB_ATTACH_CLSACT] = "clsact",
};

static const struct {
	const char *name, *text;
} states[] = {
	[IVB_ATTACHED] = { "attached", "attached" },
	[IVB_ATTACH_GONE] = { "gone",
			      "gone: the device does not exist any more; `ipvs-bpf up DEV` for a "
			      "new one clears this away" },
	[IVB_ATTACH_MOVED] = { "moved",
			       "moved: the device is in another network namespace now, and the "
			       "program with it; the next `ipvs-bpf up` or `down` detaches it" },
	[IVB_ATTACH_MISSING] = { "missing",
				 "missing: somebody took the program away; attach it again with "
				 "`ipvs-bpf up DEV`" },
	[IVB_ATTACH_HALF] = { "half",
			      "half attached: an `up` or `down` was interrupted; repeat it" },
};

static const char *dev_name(const struct ivb_attachment *a, char *buf, size_t size)
{
	if (a->name[0])
		snprintf(buf, size, "%s", a->name);
	else
		snprintf(buf, size, "#%u", a->ifindex);
	return buf;
}

static void print_devs(const struct status *s)
{
	char name[IF_NAMESIZE];
	size_t i;

	printf("devices: %s\n", s->num_devs ? "" : "none");
	for (i = 0; i < s->num_devs; i++)
		printf("  %-15s zone %-4u %-6s %s\n", dev_name(&s->devs[i], name, sizeof(name)),
		       s->devs[i].zone, attach_names[s->devs[i].kind],
		       states[s->devs[i].state].text);
}

/* Whether the programs are this command's. */
static bool build_is_own(const struct status *s)
{
	return !strcmp(s->build, ivb_build_own());
}

static void print_build(const struct status *s)
{
	printf("programs: %s%s%s%s\n", s->build[0] ? s->build : "of several builds",
	       build_is_own(s) ? "" : ", and this command has those of ",
	       build_is_own(s) ? "" : ivb_build_own(),
	       build_is_own(s) ? "" : ": `ipvs-bpf up` puts them in place, and cuts nothing");
}

/* In a word, and what to do. */
static const struct {
	const char *name, *text;
} hook_states[] = {
	[IVB_HOOKS_NONE] = { "none",
			     "on, BUT NOT FOLLOWING: ip_vs was not loaded; when it is, run `ipvs-bpf up`" },
	[IVB_HOOKS_SOME] = { "some", "on, BUT HALF ATTACHED: an `up` was interrupted; repeat it" },
	[IVB_HOOKS_ALL] = { "all", "follows kernel IPVS" },
};

/* A device without the egress program: packets that kernel IPVS sends there get no SNAT. */
static void print_ipvs(const struct status *s)
{
	char name[IF_NAMESIZE];
	size_t i;

	if (!(s->info.config.flags & IVB_CONFIG_IPVS) && s->hooks == IVB_HOOKS_NONE)
		return;
	printf("ipvs engine: %s\n", hook_states[s->hooks].text);
	for (i = 0; i < s->num_devs; i++) {
		if (s->devs[i].state == IVB_ATTACHED && !s->devs[i].egress)
			printf("  %s: the egress program is missing; attach it again with `ipvs-bpf up`\n",
			       dev_name(&s->devs[i], name, sizeof(name)));
	}
}

/* After print_ipvs(): 0 and errors alike are what has to be mended. */
static void print_notrack(const struct status *s)
{
	if (s->info.config.flags & IVB_CONFIG_NOTRACK)
		printf("notrack: %s\n",
		       s->notrack == 1
			       ? "on, by the nftables tables " IVB_NOTRACK_TABLE " (ip and ip6)"
			       : "on, BUT ITS RULES ARE GONE: make them again with `ipvs-bpf up`");
}

static void print_families(const struct status *s)
{
	int i;

	puts("connections:");
	for (i = 0; i < 2; i++) {
		const struct ivb_family_info *f = &s->info.families[i];
		const char *family = ivb_family_name(i ? AF_INET6 : AF_INET);

		if (!f->on) {
			printf("  %s  none (room for %u will be made with the first %s service)\n",
			       family, f->max_conns, family);
			continue;
		}
		printf("  %s  %u of %u; half-open %u of %u, evicted so far: %llu; expired so far: %llu",
		       family, f->conns, f->max_conns, f->half_open, f->max_half_open, f->evicted,
		       f->sweep.expired);
		if (f->sweep_running)
			printf("; expiry timer runs (last %u ms ago; longest run %llu us)\n",
			       f->sweep_age_ms, f->sweep.longest / 1000);
		else if (f->by_packets && f->sweep.by_packets)
			printf("; expiry: by packets, as there is no timer (last %u ms ago); `ipvs-bpf up` tries for one\n",
			       f->sweep_age_ms);
		else if (f->by_packets)
			puts("; expiry: by packets, as there is no timer; `ipvs-bpf up` tries for one");
		else
			printf("; EXPIRY TIMER DOES NOT RUN (last %u ms ago): start it with `ipvs-bpf up`\n",
			       f->sweep_age_ms);
	}
}

static void print_counters(const struct status *s)
{
	static const char *const titles[] = {
		[IVB_REASON_PASS] = "left to the stack (packets, bytes):",
		[IVB_REASON_DROP] = "dropped (packets, bytes):",
		[IVB_REASON_SENT] = "sent:",
	};
	int kind, i, last = -1;
	char name[32];

	for (kind = IVB_REASON_PASS; kind <= IVB_REASON_SENT; kind++) {
		for (i = 1; i < IVB_R_MAX_; i++) {
			const struct ivb_counter *c = &s->info.counters[i];

			if ((int)ivb_reasons[i].kind != kind || (!c->packets && !s->o.verbose))
				continue;
			if (last != kind)
				puts(titles[kind]);
			last = kind;
			printf("  %-16s %10llu %14llu  %s\n",
			       ivb_reason_name((enum ivb_reason)i, name, sizeof(name)), c->packets,
			       c->bytes, ivb_reasons[i].help);
		}
	}
	if (last < 0)
		puts("nothing was dropped or left to the stack");
}

#define PORTS_WORTH_SAYING 10 /* percent, of live connections */

/* Before they are exhausted, that is. */
static void print_ports(const struct status *s)
{
	char from[IVB_ADDR_LEN], to[IVB_ADDRPORT_LEN];
	unsigned int percent;
	bool head = false;
	size_t i;

	for (i = 0; i < s->num_ports; i++) {
		const struct ivb_port_use *u = &s->ports[i];

		percent = ivb_port_use_percent(u);
		if (percent < PORTS_WORTH_SAYING && !s->o.verbose)
			continue;
		if (!head)
			puts("SNAT ports in use towards a server:");
		head = true;
		printf("  %s > %s %s: %u of %u (%u %%), and %u by connections that have ended%s\n",
		       ivb_addr_fmt(from, sizeof(from), u->key.af, &u->key.saddr),
		       ivb_addrport_fmt(to, sizeof(to), u->key.af, &u->key.daddr, u->key.dport),
		       ivb_proto_name(u->key.proto), u->used - u->ended, u->ports, percent,
		       u->ended,
		       percent >= IVB_PORTS_SHORT
			       ? "; RUNNING SHORT: more addresses (`ipvs-bpf up --snat-addr`) help"
			       : "");
	}
}

static void add_ports(struct json_object *o, const struct status *s)
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
		json_object_object_add(e, "taken_over", json_object_new_uint64(u->taken_over));
		json_object_object_add(
			e, "short",
			json_object_new_boolean(ivb_port_use_percent(u) >= IVB_PORTS_SHORT));
		json_object_array_add(list, e);
	}
	json_object_object_add(o, "snat_ports_in_use", list);
}

static void print_verify(const struct ivb_verify *v)
{
	if (v->stale)
		printf("verify: %llu slots have no connection any more and wait for the expiry timer\n",
		       v->stale);
	if (v->unsettled)
		printf("verify: the counts of %llu servers moved too fast to be compared\n",
		       v->unsettled);
	printf("verify: %llu flows, %llu connections, %llu problems\n", v->flows, v->connections,
	       v->problems);
}

static void print_text(const struct status *s)
{
	const struct ivb_info *i = &s->info;

	printf("instance %s: %u services, %u servers", s->cli->instance, i->num_services,
	       i->num_dests);
	if (i->num_removed)
		printf(" (and %u removed ones with connections)", i->num_removed);
	printf("; SNAT %s, %u ports%s%s%s%s\n", ivb_snat_name(i->config.snat),
	       i->config.num_snat_ports,
	       i->config.flags & IVB_CONFIG_HOST_PORTS ? " (but those of this host's sockets)" : "",
	       i->config.flags & IVB_CONFIG_ANY_VIP ? "; any VIP" : "",
	       i->config.flags & IVB_CONFIG_EXPIRE_NODEST ? "; expire-nodest-conn" : "",
	       i->config.flags & IVB_CONFIG_DRAIN ? "; DRAINING, no new connections" : "");
	print_build(s);
	print_devs(s);
	print_ipvs(s);
	print_notrack(s);
	print_families(s);
	print_ports(s);
	print_counters(s);
	if (s->o.verify)
		print_verify(&s->verify);
}

static void add_devs(struct json_object *o, const struct status *s)
{
	struct json_object *list = json_object_new_array(), *d;
	size_t i;

	for (i = 0; i < s->num_devs; i++) {
		d = json_object_new_object();
		json_object_object_add(d, "ifindex", json_object_new_int64(s->devs[i].ifindex));
		json_object_object_add(d, "name", json_object_new_string(s->devs[i].name));
		json_object_object_add(d, "zone", json_object_new_int64(s->devs[i].zone));
		json_object_object_add(d, "attach",
				       json_object_new_string(attach_names[s->devs[i].kind]));
		json_object_object_add(d, "state",
				       json_object_new_string(states[s->devs[i].state].name));
		json_object_object_add(d, "egress", json_object_new_boolean(s->devs[i].egress));
		json_object_array_add(list, d);
	}
	json_object_object_add(o, "devices", list);
}

static void add_families(struct json_object *o, const struct status *s)
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

static void add_counters(struct json_object *o, const struct status *s)
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

static void add_verify(struct json_object *o, struct status *s)
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

static void print_json(struct status *s)
{
	struct json_object *o = json_object_new_object();
	const struct ivb_info *i = &s->info;

	json_object_object_add(o, "instance", json_object_new_string(s->cli->instance));
	json_object_object_add(o, "build", json_object_new_string(s->build));
	json_object_object_add(o, "build_is_own", json_object_new_boolean(build_is_own(s)));
	json_object_object_add(o, "services", json_object_new_int64(i->num_services));
	json_object_object_add(o, "servers", json_object_new_int64(i->num_dests));
	json_object_object_add(o, "removed_servers", json_object_new_int64(i->num_removed));
	json_object_object_add(o, "snat", json_object_new_string(ivb_snat_name(i->config.snat)));
	json_object_object_add(o, "snat_ports", json_object_new_int64(i->config.num_snat_ports));
	json_object_object_add(
		o, "host_sockets_looked_up",
		json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_HOST_PORTS)));
	json_object_object_add(o, "non_masq", json_object_new_int64(i->num_non_masq));
	json_object_object_add(o, "any_vip",
			       json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_ANY_VIP)));
	json_object_object_add(
		o, "expire_nodest_conn",
		json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_EXPIRE_NODEST)));
	json_object_object_add(o, "draining",
			       json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_DRAIN)));
	json_object_object_add(o, "ipvs",
			       json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_IPVS)));
	json_object_object_add(o, "ipvs_hooks", json_object_new_string(hook_states[s->hooks].name));
	json_object_object_add(o, "notrack",
			       json_object_new_boolean(!!(i->config.flags & IVB_CONFIG_NOTRACK)));
	json_object_object_add(o, "notrack_rules", json_object_new_boolean(s->notrack == 1));
	add_devs(o, s);
	add_families(o, s);
	add_ports(o, s);
	add_counters(o, s);
	if (s->o.verify)
		add_verify(o, s);
	ivb_json_print(o);
}

static void report(const char *problem, void *arg)
{
	struct status *s = arg;

	if (s->cli->json)
		json_object_array_add(s->problems, json_object_new_string(problem));
	else
		printf("problem: %s\n", problem);
}

static int get(struct status *s, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r;

	r = ivb_dp_open(&dp, s->cli->instance, IVB_LOCK_SHARED, err);
	if (!r)
		r = ivb_info_get(dp, &s->info, err);
	if (!r)
		r = ivb_attach_list(dp, &s->devs, &s->num_devs, err);
	if (!r)
		r = ivb_port_use_get(dp, &s->ports, &s->num_ports, err);
	if (!r) {
		s->hooks = ivb_hooks_state(dp);
		ivb_build_get(dp, s->build, sizeof(s->build));
	}
	if (!r && s->info.config.flags & IVB_CONFIG_NOTRACK)
		s->notrack = ivb_notrack_there();
	if (!r && s->o.verify)
		r = ivb_verify(dp, &s->verify, report, s, err);
	return r;
}

int ivb_cmd_status(const struct ivb_cli *cli, int argc, char **argv)
{
	struct status s = { .cli = cli };
	struct ivb_err err = { 0 };
	int first, r;

	r = ivb_opts_parse(cli, &command, argc, argv, &s.o, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "status", argv[first]);
	if (cli->json && s.o.verify)
		s.problems = json_object_new_array();
	r = get(&s, &err);
	if (!r && cli->json)
		print_json(&s);
	else if (!r)
		print_text(&s);
	free(s.devs);
	free(s.ports);
	if (r)
		return ivb_fail_err(cli, "status", r, &err);
	return s.verify.problems ? IVB_EXIT_FAILURE : IVB_EXIT_OK;
}
