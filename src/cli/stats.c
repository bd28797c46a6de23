/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf stats: traffic of services and servers, and which part of it eBPF carried. */
#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/filter.h"
#include "cli/json.h"
#include "dp/instance/instance.h"
#include "dp/report/stats.h"
#include "dp/report/traffic.h"
#include "model/names.h"

enum { OPT_RATE = IVB_FILTER_OWN };

static const struct ivb_opt options[] = {
	{ "service", IVB_FILTER_SERVICE, "ADDR[:PORT]", "only this service" },
	{ "server", IVB_FILTER_SERVER, "ADDR[:PORT]",
	  "only services that have this server, and of servers this one" },
	{ "sort", IVB_FILTER_SORT, "conns|packets|bytes",
	  "the largest first (default: by address)" },
	{ "rate", OPT_RATE, "[=SECONDS]",
	  "what came within so many seconds (default 2), as a rate per second" },
	{ "watch", IVB_FILTER_WATCH, "[=SECONDS]",
	  "again and again, every so many seconds (default 2)" },
	{ 0 },
};

struct request {
	struct ivb_filter filter;
	__u32 rate; /* seconds; 0: not wanted */
};

static const char *const sorts[] = { "conns", "packets", "bytes", NULL };

static int option_set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct request *q = arg;
	int r = id == OPT_RATE ? ivb_filter_seconds_parse(&q->rate, value)
			       : ivb_filter_set(&q->filter, id, value);

	return r ? ivb_fail(cli, "stats", IVB_EXIT_USAGE, "cannot understand '%s'; see --help",
			    value)
		 : IVB_OPTS_GO;
}

static const struct ivb_command_opts command = {
	.command = "stats",
	.usage = "[OPTION]...",
	.help = "Shows connections, packets and bytes of each service and server: all of them, and those that eBPF\n"
		"carried. The others kernel IPVS has counted; its counts may be two seconds old.",
	.opts = options,
	.set = option_set,
};

/* The kernel's number of connections is of all of them; eBPF's only of those that it followed. */
static struct ivb_traffic total(const struct ivb_traffic *kernel, const struct ivb_traffic *ebpf,
				bool listed)
{
	struct ivb_traffic t = *kernel;

	ivb_traffic_add(&t, ebpf);
	if (listed)
		t.conns = kernel->conns;
	return t;
}

/*
 * --- text ----------------------------------------------------------------------------------------
 */

#define NUM_COLUMNS 9
#define NUM_TOTALS 5 /* columns that have a total */

static const char *const titles[NUM_COLUMNS] = {
	"Conns",  "InPkts",  "OutPkts", "InBytes",  "OutBytes",
	"InPkts", "OutPkts", "InBytes", "OutBytes",
};

struct table {
	int name, column[NUM_COLUMNS]; /* widths */
};

struct line {
	char name[IVB_ADDRPORT_LEN + 8];
	const char *engine; /* NULL: a server */
	const char *remark;
	__u32 zone;
	__u64 n[NUM_COLUMNS];
};

static void line_numbers(struct line *l, const struct ivb_traffic *t,
			 const struct ivb_traffic *ebpf)
{
	const __u64 n[NUM_COLUMNS] = {
		t->conns,	  t->in_packets,     t->out_packets, t->in_bytes,     t->out_bytes,
		ebpf->in_packets, ebpf->out_packets, ebpf->in_bytes, ebpf->out_bytes,
	};

	memcpy(l->n, n, sizeof(n));
}

static void service_line(const struct ivb_stats_service *s, struct line *l)
{
	const struct ivb_traffic t = total(&s->kernel, &s->ebpf, s->ipvs && !s->unlisted);
	char addr[IVB_ADDRPORT_LEN];

	if (s->fwmark)
		snprintf(l->name, sizeof(l->name), "FWM  %u%s", s->fwmark,
			 s->key.af == AF_INET6 ? " IPv6" : "");
	else
		snprintf(
			l->name, sizeof(l->name), "%-4s %s", ivb_proto_name(s->key.proto),
			ivb_addrport_fmt(addr, sizeof(addr), s->key.af, &s->key.addr, s->key.port));
	l->engine = s->ipvs ? "ipvs" : "bpf";
	l->remark = s->unlisted ? "  unlisted" : "";
	l->zone = s->key.zone;
	line_numbers(l, &t, &s->ebpf);
}

static void server_line(const struct ivb_stats_service *svc, const struct ivb_stats_server *s,
			struct line *l)
{
	const struct ivb_traffic t = total(&s->kernel, &s->ebpf, svc->ipvs && !s->removed);
	char addr[IVB_ADDRPORT_LEN];

	snprintf(l->name, sizeof(l->name), "  -> %s",
		 ivb_addrport_fmt(addr, sizeof(addr), s->af, &s->addr, s->port));
	l->engine = NULL;
	l->zone = 0;
	l->remark = s->removed && !svc->unlisted ? "  removed" : "";
	line_numbers(l, &t, &s->ebpf);
}

static void widen(int *width, int n)
{
	if (*width < n)
		*width = n;
}

static void measure(const struct line *l, void *arg)
{
	struct table *t = arg;
	int i;

	widen(&t->name, (int)strlen(l->name));
	for (i = 0; i < NUM_COLUMNS; i++)
		widen(&t->column[i], snprintf(NULL, 0, "%llu", l->n[i]));
}

static void print_line(const struct line *l, void *arg)
{
	const struct table *t = arg;
	int i;

	printf("%-*s %-6s", t->name, l->name, l->engine ? l->engine : "");
	for (i = 0; i < NUM_COLUMNS; i++)
		printf("%s%*llu", i == NUM_TOTALS ? "  | " : " ", t->column[i], l->n[i]);
	if (l->zone)
		printf("  zone %u", l->zone);
	puts(l->remark);
}

static void each_line(const struct ivb_stats *stats, void (*fn)(const struct line *l, void *arg),
		      void *arg)
{
	struct line l;
	size_t i, j;

	for (i = 0; i < stats->num; i++) {
		service_line(&stats->services[i], &l);
		fn(&l, arg);
		for (j = 0; j < stats->services[i].num; j++) {
			server_line(&stats->services[i], &stats->services[i].servers[j], &l);
			fn(&l, arg);
		}
	}
}

static void print_text(const struct ivb_stats *stats)
{
	struct table t = { .name = 34 };
	int i, left;

	for (i = 0; i < NUM_COLUMNS; i++)
		t.column[i] = (int)strlen(titles[i]);
	each_line(stats, measure, &t);
	left = t.name + 7;
	for (i = 0; i < NUM_TOTALS; i++)
		left += 1 + t.column[i];
	printf("%-*s  | carried by eBPF\n", left, "");
	printf("%-*s %-6s", t.name, "Prot LocalAddress:Port", "Engine");
	for (i = 0; i < NUM_COLUMNS; i++)
		printf("%s%*s", i == NUM_TOTALS ? "  | " : " ", t.column[i], titles[i]);
	puts("\n  -> RemoteAddress:Port");
	each_line(stats, print_line, &t);
}

/*
 * --- JSON ----------------------------------------------------------------------------------------
 */

static void add_num(struct json_object *o, const char *name, __u64 value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void add_traffic(struct json_object *o, const struct ivb_traffic *t)
{
	add_num(o, "conns", t->conns);
	add_num(o, "in_packets", t->in_packets);
	add_num(o, "out_packets", t->out_packets);
	add_num(o, "in_bytes", t->in_bytes);
	add_num(o, "out_bytes", t->out_bytes);
}

static void add_addr(struct json_object *o, __u8 af, const union ivb_addr *addr, __be16 port)
{
	char text[IVB_ADDR_LEN];

	json_object_object_add(o, "address",
			       json_object_new_string(ivb_addr_fmt(text, sizeof(text), af, addr)));
	add_num(o, "port", ntohs(port));
}

/* The sum, and for services of kernel IPVS's its two parts. */
static void add_counts(struct json_object *o, const struct ivb_traffic *kernel,
		       const struct ivb_traffic *ebpf, bool ipvs, bool gone)
{
	const struct ivb_traffic t = total(kernel, ebpf, ipvs && !gone);
	struct json_object *part;

	add_traffic(o, &t);
	if (!ipvs)
		return;
	part = json_object_new_object();
	add_traffic(part, kernel);
	json_object_object_add(o, "kernel", part);
	part = json_object_new_object();
	add_traffic(part, ebpf);
	json_object_object_add(o, "ebpf", part);
}

static struct json_object *json_server(const struct ivb_stats_service *svc,
				       const struct ivb_stats_server *s)
{
	struct json_object *o = json_object_new_object();

	add_addr(o, s->af, &s->addr, s->port);
	if (svc->ipvs)
		json_object_object_add(o, "removed", json_object_new_boolean(s->removed));
	add_counts(o, &s->kernel, &s->ebpf, svc->ipvs, s->removed);
	return o;
}

static struct json_object *json_service(const struct ivb_stats_service *s)
{
	struct json_object *o = json_object_new_object(), *servers = json_object_new_array();
	size_t i;

	json_object_object_add(o, "engine", json_object_new_string(s->ipvs ? "ipvs" : "bpf"));
	json_object_object_add(o, "family", json_object_new_string(ivb_family_name(s->key.af)));
	if (s->fwmark) {
		add_num(o, "fwmark", s->fwmark);
	} else {
		json_object_object_add(o, "protocol",
				       json_object_new_string(ivb_proto_name(s->key.proto)));
		add_addr(o, s->key.af, &s->key.addr, s->key.port);
	}
	if (!s->ipvs)
		add_num(o, "zone", s->key.zone);
	if (s->ipvs)
		json_object_object_add(o, "unlisted", json_object_new_boolean(s->unlisted));
	if (!s->unlisted)
		json_object_object_add(o, "scheduler", json_object_new_string(s->scheduler));
	add_counts(o, &s->kernel, &s->ebpf, s->ipvs, s->unlisted);
	for (i = 0; i < s->num; i++)
		json_object_array_add(servers, json_server(s, &s->servers[i]));
	json_object_object_add(o, "servers", servers);
	return o;
}

static void print_json(const struct ivb_stats *stats)
{
	struct json_object *o = json_object_new_object(), *services = json_object_new_array();
	size_t i;

	for (i = 0; i < stats->num; i++)
		json_object_array_add(services, json_service(&stats->services[i]));
	json_object_object_add(o, "kernel_ipvs", json_object_new_boolean(stats->ipvs));
	json_object_object_add(o, "services", services);
	ivb_json_print(o);
}

/*
 * --- what is asked for ---------------------------------------------------------------------------
 */

static __u64 sort_value(const struct ivb_traffic *kernel, const struct ivb_traffic *ebpf, int sort)
{
	switch (sort) {
	case 0:
		return kernel->conns > ebpf->conns ? kernel->conns : ebpf->conns;
	case 1:
		return kernel->in_packets + kernel->out_packets + ebpf->in_packets +
		       ebpf->out_packets;
	default:
		return kernel->in_bytes + kernel->out_bytes + ebpf->in_bytes + ebpf->out_bytes;
	}
}

static int service_larger(const void *a, const void *b, void *arg)
{
	const struct ivb_stats_service *x = a, *y = b;
	__u64 n = sort_value(&x->kernel, &x->ebpf, *(int *)arg);
	__u64 m = sort_value(&y->kernel, &y->ebpf, *(int *)arg);

	return (n < m) - (n > m);
}

static int server_larger(const void *a, const void *b, void *arg)
{
	const struct ivb_stats_server *x = a, *y = b;
	__u64 n = sort_value(&x->kernel, &x->ebpf, *(int *)arg);
	__u64 m = sort_value(&y->kernel, &y->ebpf, *(int *)arg);

	return (n < m) - (n > m);
}

static void servers_filter(struct ivb_stats_service *s, const struct ivb_filter_end *server)
{
	size_t i, n = 0;

	for (i = 0; i < s->num; i++) {
		if (ivb_filter_end_is(server, s->servers[i].af, &s->servers[i].addr,
				      s->servers[i].port))
			s->servers[n++] = s->servers[i];
	}
	s->num = n;
}

static void filter_and_sort(struct ivb_stats *stats, const struct request *q)
{
	int sort = q->filter.sort;
	size_t i, n = 0;

	for (i = 0; i < stats->num; i++) {
		struct ivb_stats_service *s = &stats->services[i];

		if (q->filter.server.set)
			servers_filter(s, &q->filter.server);
		if (!ivb_filter_end_is(&q->filter.service, s->key.af, &s->key.addr, s->key.port) ||
		    (q->filter.server.set && !s->num)) {
			free(s->servers);
			continue;
		}
		if (sort >= 0 && s->num)
			qsort_r(s->servers, s->num, sizeof(*s->servers), server_larger, &sort);
		stats->services[n++] = *s;
	}
	stats->num = n;
	if (sort >= 0 && n)
		qsort_r(stats->services, n, sizeof(*stats->services), service_larger, &sort);
}

static int look(const struct ivb_cli *cli, struct ivb_stats *ret, struct ivb_err *err)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	int r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, err);

	return r ? r : ivb_stats_get(ret, dp, err);
}

static int show(const struct ivb_cli *cli, const void *arg)
{
	const struct request *q = arg;
	struct ivb_stats before __cleanup(ivb_stats_fini) = { 0 };
	struct ivb_stats stats __cleanup(ivb_stats_fini) = { 0 };
	struct ivb_err err = { 0 };
	int r = 0;

	/* nobody waits for the instance meanwhile */
	if (q->rate) {
		r = look(cli, &before, &err);
		if (!r)
			sleep(q->rate);
	}
	if (!r)
		r = look(cli, &stats, &err);
	if (r)
		return ivb_fail_err(cli, "stats", r, &err);
	if (q->rate)
		ivb_stats_rate(&stats, &before, q->rate);
	filter_and_sort(&stats, q);
	if (cli->json)
		print_json(&stats);
	else
		print_text(&stats);
	return IVB_EXIT_OK;
}

int ivb_cmd_stats(const struct ivb_cli *cli, int argc, char **argv)
{
	struct request q = { .filter = { .sorts = sorts, .sort = -1 } };
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &q, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "stats", argv[first]);
	return ivb_filter_watch(cli, q.filter.watch, q.rate ? 0 : q.filter.watch, show, &q);
}
