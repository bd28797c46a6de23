/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf conn: live connections, with what each side sees. */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/filter.h"
#include "cli/json.h"
#include "dp/instance/instance.h"
#include "dp/report/conns.h"
#include "model/names.h"

enum { OPT_STATE = IVB_FILTER_OWN, OPT_CLIENT, OPT_COUNT };

static const struct ivb_opt options[] = {
	{ "service", IVB_FILTER_SERVICE, "ADDR[:PORT]", "only those to this virtual address" },
	{ "server", IVB_FILTER_SERVER, "ADDR[:PORT]", "only those of this real server" },
	{ "client", OPT_CLIENT, "PREFIX", "only those of these clients" },
	{ "state", OPT_STATE, "STATE",
	  "only those in this state (ESTABLISHED, TIME_WAIT, UDP ...)" },
	{ "count", OPT_COUNT, NULL, "print only how many there are" },
	{ "sort", IVB_FILTER_SORT, "packets|bytes",
	  "the largest first; takes memory for all of them (default: in no order)" },
	{ "watch", IVB_FILTER_WATCH, "[=SECONDS]",
	  "again and again, every so many seconds (default 2)" },
	{ 0 },
};

struct request {
	struct ivb_filter filter;
	bool count;
};

static const char *const sorts[] = { "packets", "bytes", NULL };

/* Of one listing. */
struct printer {
	const struct request *q;
	bool json;
	struct ivb_json_list list;
	unsigned long long n;
	struct ivb_conn_info *kept; /* connections to be sorted */
	size_t room;
	struct ivb_err *err;
};

static int option_set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct request *q = arg;
	int r = 0;

	switch (id) {
	case OPT_STATE:
		r = ivb_filter_state_parse(&q->filter.state, value);
		break;
	case OPT_CLIENT:
		r = ivb_filter_client_parse(&q->filter.client, value);
		break;
	case OPT_COUNT:
		q->count = true;
		break;
	default:
		r = ivb_filter_set(&q->filter, id, value);
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
	ivb_json_add(&p->list, o);
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

static void print(struct printer *p, const struct ivb_conn_info *c)
{
	if (p->json)
		print_json(p, c);
	else
		print_line(p, c);
}

static int keep(struct printer *p, const struct ivb_conn_info *c)
{
	size_t room = p->room ? 2 * p->room : 1024;
	struct ivb_conn_info *kept;

	if (p->n == p->room) {
		kept = reallocarray(p->kept, room, sizeof(*kept));
		if (!kept)
			return ivb_err(
				p->err, -ENOMEM,
				"no memory to sort more than %llu connections; without --sort none is needed",
				p->n);
		p->kept = kept;
		p->room = room;
	}
	p->kept[p->n] = *c;
	return 0;
}

static int look_at(const struct ivb_conn_info *c, void *arg)
{
	struct printer *p = arg;
	int r = 0;

	if (!ivb_filter_conn(&p->q->filter, c))
		return 0;
	if (p->q->count)
		;
	else if (p->q->filter.sort >= 0)
		r = keep(p, c);
	else
		print(p, c);
	p->n++;
	return r;
}

static int larger(const void *a, const void *b, void *arg)
{
	const struct ivb_conn_info *x = a, *y = b;
	bool packets = !*(const int *)arg;
	__u64 n = packets ? x->in_packets + x->out_packets : x->in_bytes + x->out_bytes;
	__u64 m = packets ? y->in_packets + y->out_packets : y->in_bytes + y->out_bytes;

	return (n < m) - (n > m);
}

static void print_sorted(struct printer *p)
{
	int sort = p->q->filter.sort;
	size_t n = p->n;

	qsort_r(p->kept, n, sizeof(*p->kept), larger, &sort);
	for (p->n = 0; p->n < n; p->n++)
		print(p, &p->kept[p->n]);
}

/* Without the instance's lock: whoever reads what is printed may take his time. */
static int walk(const struct ivb_cli *cli, struct printer *p, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, err);

	if (r)
		return r;
	ivb_dp_unlock(dp);
	p->err = err;
	if (p->json)
		ivb_json_begin(&p->list, "connections");
	r = ivb_conns_walk(dp, look_at, p, err);
	if (!r && p->kept)
		print_sorted(p);
	if (p->json)
		ivb_json_end(&p->list, r ? err->text : NULL);
	return r;
}

static int show(const struct ivb_cli *cli, const void *arg)
{
	const struct request *q = arg;
	struct printer p = { .q = q, .json = cli->json && !q->count };
	struct ivb_err err = { 0 };
	int r = walk(cli, &p, &err);

	free(p.kept);
	if (r)
		return p.list.begun ? IVB_EXIT_FAILURE : ivb_fail_err(cli, "conn", r, &err);
	if (q->count)
		printf(cli->json ? "{ \"count\": %llu }\n" : "%llu\n", p.n);
	return IVB_EXIT_OK;
}

int ivb_cmd_conn(const struct ivb_cli *cli, int argc, char **argv)
{
	struct request q = {
		.filter = { .state = IVB_S_MAX_, .sorts = sorts, .sort = -1 },
	};
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &q, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "conn", argv[first]);
	return ivb_filter_watch(cli, q.filter.watch, q.filter.watch, show, &q);
}
