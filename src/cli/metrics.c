/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipvs-bpf metrics: what `status` and `stats` know, in Prometheus' text format (version 0.0.4), for
 * node_exporter's textfile collector or any other that runs a command.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks.h"
#include "dp/instance/instance.h"
#include "dp/report/info.h"
#include "dp/report/reason.h"
#include "dp/report/stats.h"
#include "model/names.h"

static const struct ivb_command_opts command = {
	.command = "metrics",
	.usage = "",
	.help = "Prints counters, connections and traffic in Prometheus' text format, e.g. for node_exporter:\n"
		"  ipvs-bpf metrics >F.new && mv F.new /var/lib/prometheus/node-exporter/ipvs-bpf.prom",
};

static void head(const char *name, const char *type, const char *help)
{
	printf("# HELP ipvs_bpf_%s %s\n# TYPE ipvs_bpf_%s %s\n", name, help, name, type);
}

/* A label's value: a device's name may hold anything but a slash and white space. */
static void print_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void print_devices(const struct ivb_attachment *devs, size_t n)
{
	size_t i;

	head("device_attached", "gauge",
	     "1: the programs are attached to the device, 0: not any more");
	for (i = 0; i < n; i++) {
		printf("ipvs_bpf_device_attached{ifindex=\"%u\",device=", devs[i].ifindex);
		print_quoted(devs[i].name);
		printf(",zone=\"%u\"} %d\n", devs[i].zone, devs[i].state == IVB_ATTACHED);
	}
}

/* Hooks of an instance that is to follow kernel IPVS: without them connections get no SNAT. */
static void print_following(const struct ivb_dp *dp, const struct ivb_info *info)
{
	if (!(info->config.flags & IVB_CONFIG_IPVS))
		return;
	head("following_ipvs", "gauge",
	     "1: the ipvs engine follows kernel IPVS, 0: it was told to, and does not");
	printf("ipvs_bpf_following_ipvs %d\n", ivb_hooks_state(dp) == IVB_HOOKS_ALL);
}

struct family_metric {
	const char *name, *type, *help;
	__u64 (*value)(const struct ivb_family_info *f);
};

static __u64 conns(const struct ivb_family_info *f)
{
	return f->conns;
}

static __u64 max_conns(const struct ivb_family_info *f)
{
	return f->max_conns;
}

static __u64 expired(const struct ivb_family_info *f)
{
	return f->sweep.expired;
}

static __u64 running(const struct ivb_family_info *f)
{
	return f->sweep_running;
}

static const struct family_metric family_metrics[] = {
	{ "connections", "gauge", "Connections that there are", conns },
	{ "connections_max", "gauge", "Connections that there is room for", max_conns },
	{ "connections_expired_total", "counter", "Connections that ended by their timeout",
	  expired },
	{ "expiry_running", "gauge", "1: the expiry timer runs", running },
};

static void print_families(const struct ivb_info *info)
{
	size_t m;
	int i;

	for (m = 0; m < sizeof(family_metrics) / sizeof(family_metrics[0]); m++) {
		const struct family_metric *f = &family_metrics[m];

		head(f->name, f->type, f->help);
		for (i = 0; i < 2; i++) {
			if (info->families[i].on)
				printf("ipvs_bpf_%s{family=\"%s\"} %llu\n", f->name,
				       ivb_family_name(i ? AF_INET6 : AF_INET),
				       f->value(&info->families[i]));
		}
	}
}

static void print_reasons(const struct ivb_info *info, const char *name, const char *help,
			  bool bytes)
{
	char reason[32];
	int i;

	head(name, "counter", help);
	for (i = 1; i < IVB_R_MAX_; i++) {
		const struct ivb_counter *c = &info->counters[i];

		printf("ipvs_bpf_%s{kind=\"%s\",reason=\"%s\"} %llu\n", name,
		       ivb_reason_kind_name(ivb_reasons[i].kind),
		       ivb_reason_name((enum ivb_reason)i, reason, sizeof(reason)),
		       bytes ? c->bytes : c->packets);
	}
}

static void print_service_labels(const struct ivb_stats_service *s)
{
	char addr[IVB_ADDR_LEN];

	printf("engine=\"%s\",family=\"%s\"", s->ipvs ? "ipvs" : "bpf", ivb_family_name(s->key.af));
	if (s->fwmark)
		printf(",fwmark=\"%" PRIu32 "\"", s->fwmark);
	else
		printf(",protocol=\"%s\",address=\"%s\",port=\"%u\"", ivb_proto_name(s->key.proto),
		       ivb_addr_fmt(addr, sizeof(addr), s->key.af, &s->key.addr),
		       ntohs(s->key.port));
	if (!s->ipvs)
		printf(",zone=\"%u\"", s->key.zone);
}

static void print_server(const char *name, const struct ivb_stats_service *svc,
			 const struct ivb_stats_server *s, const char *more, __u64 value)
{
	char addr[IVB_ADDR_LEN];

	printf("ipvs_bpf_%s{", name);
	print_service_labels(svc);
	printf(",server=\"%s\",server_port=\"%u\"%s} %llu\n",
	       ivb_addr_fmt(addr, sizeof(addr), s->af, &s->addr), ntohs(s->port), more, value);
}

/* By direction and by who passed it on. */
static void print_traffic(const char *name, const struct ivb_stats_service *svc,
			  const struct ivb_stats_server *s, bool bytes)
{
	const struct ivb_traffic *e = &s->ebpf, *k = &s->kernel;

	print_server(name, svc, s, ",direction=\"in\",path=\"ebpf\"",
		     bytes ? e->in_bytes : e->in_packets);
	print_server(name, svc, s, ",direction=\"out\",path=\"ebpf\"",
		     bytes ? e->out_bytes : e->out_packets);
	if (!svc->ipvs)
		return;
	print_server(name, svc, s, ",direction=\"in\",path=\"kernel\"",
		     bytes ? k->in_bytes : k->in_packets);
	print_server(name, svc, s, ",direction=\"out\",path=\"kernel\"",
		     bytes ? k->out_bytes : k->out_packets);
}

static void print_servers(const struct ivb_stats *stats)
{
	static const struct {
		const char *name, *help;
	} traffic[] = {
		{ "server_packets_total",
		  "Packets of a server for a service; path: who passed them on" },
		{ "server_bytes_total", "Bytes of IP packets of a server for a service" },
	};
	size_t i, j;
	int t;

	head("server_connections_total", "counter", "Connections given to a server of a service");
	for (i = 0; i < stats->num; i++) {
		const struct ivb_stats_service *svc = &stats->services[i];

		for (j = 0; j < svc->num; j++) {
			const struct ivb_stats_server *s = &svc->servers[j];

			print_server("server_connections_total", svc, s, "",
				     svc->ipvs && !s->removed ? s->kernel.conns : s->ebpf.conns);
		}
	}
	for (t = 0; t < 2; t++) {
		head(traffic[t].name, "counter", traffic[t].help);
		for (i = 0; i < stats->num; i++) {
			for (j = 0; j < stats->services[i].num; j++)
				print_traffic(traffic[t].name, &stats->services[i],
					      &stats->services[i].servers[j], t);
		}
	}
}

int ivb_cmd_metrics(const struct ivb_cli *cli, int argc, char **argv)
{
	_cleanup_free_ struct ivb_attachment *devs = NULL;
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_stats stats __cleanup(ivb_stats_fini) = { 0 };
	struct ivb_err err = { 0 };
	struct ivb_info info;
	size_t num_devs;
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, NULL, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (first < argc)
		return ivb_fail_unexpected(cli, "metrics", argv[first]);
	r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_SHARED, &err);
	if (!r)
		r = ivb_info_get(dp, &info, &err);
	if (!r)
		r = ivb_attached_list(dp, &devs, &num_devs, &err);
	if (!r)
		r = ivb_stats_get(&stats, dp, &err);
	if (r)
		return ivb_fail_err(cli, "metrics", r, &err);
	/* A slow reader keeps nobody from changing something. */
	ivb_dp_unlock(dp);
	print_devices(devs, num_devs);
	print_following(dp, &info);
	print_families(&info);
	print_reasons(&info, "packets_total", "Packets that were not carried, by reason", false);
	print_reasons(&info, "bytes_total", "Bytes of frames that were not carried, by reason",
		      true);
	print_servers(&stats);
	return IVB_EXIT_OK;
}
