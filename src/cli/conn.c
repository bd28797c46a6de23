/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf conn: live connections, with what each side sees. */
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/filter.h"
#include "dp/conns.h"
#include "dp/instance.h"
#include "model/names.h"

struct printer {
	bool json, count;
	unsigned long long n;
	struct ivb_filter filter;
};

enum { OPT_SERVICE = 1, OPT_SERVER, OPT_STATE, OPT_CLIENT, OPT_COUNT };

static const struct ivb_opt options[] = {
	{ "service", OPT_SERVICE, "ADDR[:PORT]", "only those to this virtual address" },
	{ "server", OPT_SERVER, "ADDR[:PORT]", "only those of this real server" },
	{ "client", OPT_CLIENT, "PREFIX", "only those of these clients" },
	{ "state", OPT_STATE, "STATE",
	  "only those in this state (ESTABLISHED, TIME_WAIT, UDP ...)" },
	{ "count", OPT_COUNT, NULL, "print only how many there are" },
	{ 0 },
};

static int option_set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct printer *p = arg;
	int r = 0;

	switch (id) {
	case OPT_SERVICE:
		r = ivb_filter_end_parse(&p->filter.service, value);
		break;
	case OPT_SERVER:
		r = ivb_filter_end_parse(&p->filter.server, value);
		break;
	case OPT_STATE:
		r = ivb_filter_state_parse(&p->filter.state, value);
		break;
	case OPT_CLIENT:
		r = ivb_filter_client_parse(&p->filter.client, value);
		break;
	case OPT_COUNT:
		p->count = true;
	}
	return r ? ivb_fail(cli, "conn", IVB_EXIT_USAGE, "cannot understand '%s'; see --help",
			    value)
		 : IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "conn",
	.usage = "[OPTION]...",
	.help = "Lists the connections: client, virtual address, the source that the server sees (- without\n"
		"SNAT), server, state, seconds until it ends when it stays idle, packets and bytes of both\n"
		"directions.",
	.opts = options,
	.set = option_set,
};

static void add_addr(struct json_object *o, const char *name, const struct ivb_conn_info *c,
		     const union ivb_addr *addr, __be16 port)
{
	struct json_object *e = json_object_new_object();
	char buf[IVB_ADDR_LEN];

	json_object_object_add(e, "address",
			       json_object_new_string(ivb_addr_fmt(buf, sizeof(buf), c->af, addr)));
	json_object_object_add(e, "port", json_object_new_int(ntohs(port)));
	json_object_object_add(o, name, e);
}

static void add_traffic(struct json_object *o, const char *name, __u64 packets, __u64 bytes)
{
	struct json_object *e = json_object_new_object();

	json_object_object_add(e, "packets", json_object_new_uint64(packets));
	json_object_object_add(e, "bytes", json_object_new_uint64(bytes));
	json_object_object_add(o, name, e);
}

/* One by one, for there may be millions. */
static void print_json(struct printer *p, const struct ivb_conn_info *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_int64(c->id));
	json_object_object_add(o, "family", json_object_new_string(ivb_family_name(c->af)));
	json_object_object_add(o, "protocol", json_object_new_string(ivb_proto_name(c->proto)));
	json_object_object_add(o, "zone", json_object_new_int64(c->zone));
	add_addr(o, "client", c, &c->caddr, c->cport);
	add_addr(o, "virtual", c, &c->vaddr, c->vport);
	add_addr(o, "source", c, &c->saddr, c->sport);
	add_addr(o, "server", c, &c->daddr, c->dport);
	json_object_object_add(o, "engine", json_object_new_string(c->kernel ? "ipvs" : "bpf"));
	json_object_object_add(o, "snat", json_object_new_boolean(c->snat));
	json_object_object_add(o, "state", json_object_new_string(ivb_conn_state_name(c->state)));
	json_object_object_add(o, "expires", json_object_new_int64(c->expires));
	add_traffic(o, "in", c->in_packets, c->in_bytes);
	add_traffic(o, "out", c->out_packets, c->out_bytes);
	printf("%s\n    %s", p->n ? "," : "",
	       json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void print_line(const struct printer *p, const struct ivb_conn_info *c)
{
	char client[IVB_ADDRPORT_LEN], virt[IVB_ADDRPORT_LEN], source[IVB_ADDRPORT_LEN] = "-";
	char server[IVB_ADDRPORT_LEN], zone[32] = "";

	if (!p->n)
		printf("%-4s %-21s %-21s %-21s %-21s %-11s %7s %9s %11s %9s %11s\n", "pro",
		       "client", "virtual", "source", "server", "state", "expires", "in-pkts",
		       "in-bytes", "out-pkts", "out-bytes");
	ivb_addrport_fmt(client, sizeof(client), c->af, &c->caddr, c->cport);
	ivb_addrport_fmt(virt, sizeof(virt), c->af, &c->vaddr, c->vport);
	ivb_addrport_fmt(server, sizeof(server), c->af, &c->daddr, c->dport);
	if (c->snat)
		ivb_addrport_fmt(source, sizeof(source), c->af, &c->saddr, c->sport);
	if (c->zone)
		snprintf(zone, sizeof(zone), "  zone %u", c->zone);
	printf("%-4s %-21s %-21s %-21s %-21s %-11s %7u %9llu %11llu %9llu %11llu%s\n",
	       ivb_proto_name(c->proto), client, virt, source, server,
	       ivb_conn_state_name(c->state), c->expires, c->in_packets, c->in_bytes,
	       c->out_packets, c->out_bytes, zone);
}

static int print(const struct ivb_conn_info *c, void *arg)
{
	struct printer *p = arg;

	if (!ivb_filter_conn(&p->filter, c))
		return 0;
	if (p->count)
		;
	else if (p->json)
		print_json(p, c);
	else
		print_line(p, c);
	p->n++;
	return 0;
}

int ivb_cmd_conn(const struct ivb_cli *cli, int argc, char **argv)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct printer p = { .json = cli->json, .filter.state = IVB_S_MAX_ };
	struct ivb_err err = { 0 };
	int first, r;

	r = ivb_opts_parse(cli, &command, argc, argv, &p, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "conn", argv[first]);
	r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, &err);
	if (r)
		return ivb_fail_err(cli, "conn", r, &err);
	if (p.count) {
		r = ivb_conns_walk(dp, print, &p, &err);
		if (r)
			return ivb_fail_err(cli, "conn", r, &err);
		printf(p.json ? "{ \"count\": %llu }\n" : "%llu\n", p.n);
		return IVB_EXIT_OK;
	}
	if (p.json)
		printf("{\n  \"connections\": [");
	r = ivb_conns_walk(dp, print, &p, &err);
	if (p.json)
		printf("%s]%s\n", p.n ? "\n  " : "", r ? "," : "\n}");
	if (r && p.json) {
		/* What has been printed is begun; the error becomes its second member. */
		printf("  \"error\": %s\n}\n",
		       json_object_to_json_string(json_object_new_string(err.text)));
		return IVB_EXIT_FAILURE;
	}
	return r ? ivb_fail_err(cli, "conn", r, &err) : IVB_EXIT_OK;
}
