/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf timeout: timeouts of single services of adm's. */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/service_list.h"
#include "dp/instance/instance.h"
#include "dp/instance/limits.h"
#include "dp/services/service_timeouts.h"
#include "model/names.h"

enum {
	OPT_TCP = 1,
	OPT_UDP,
	OPT_ZONE,
};

static const struct ivb_opt opts[] = {
	{ "tcp-service", OPT_TCP, "ADDR:PORT", "of this TCP service" },
	{ "udp-service", OPT_UDP, "ADDR:PORT", "of this UDP service" },
	{ "zone", OPT_ZONE, "N", "which is of that zone (default 0)" },
	{ 0 },
};

struct options {
	struct ivb_service_key key; /* proto 0: none was given */
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct options *o = arg;

	if (id == OPT_ZONE) {
		if (ivb_num_u32_parse(&o->key.zone, value, 0, IVB_ZONE_MAX))
			return ivb_fail(cli, "timeout", IVB_EXIT_USAGE,
					"--zone '%s': a number from 0 to %u is possible", value,
					IVB_ZONE_MAX);
		return IVB_OPTS_GO;
	}
	return ivb_command_service(cli, "timeout", id == OPT_TCP ? IPPROTO_TCP : IPPROTO_UDP, value,
				   &o->key);
}

static const struct ivb_command_opts command = {
	.command = "timeout",
	.usage =
		"[--tcp-service ADDR:PORT [TCP TCPFIN] | --udp-service ADDR:PORT [UDP]] [--zone N]",
	.help = "Timeouts of one service of adm's, in seconds: of established TCP connections, of those\n"
		"that a FIN of the server's has half closed, of UDP. 0: the one that all services have. From\n"
		"a connection's next packet on. Without seconds: shows them; without arguments: lists the\n"
		"services that have some of their own.",
	.opts = opts,
	.set = set,
};

static void print_text(const struct ivb_service_key *key, const char *addr,
		       const struct ivb_timeouts_s *t)
{
	char zone[32] = "";

	if (key->zone)
		snprintf(zone, sizeof(zone), "  zone %u", key->zone);
	if (key->proto == IPPROTO_TCP)
		printf("TCP  %-21s %u %u%s\n", addr, t->tcp, t->tcpfin, zone);
	else
		printf("UDP  %-21s %u%s\n", addr, t->udp, zone);
}

static void add_json(struct json_object *o, const struct ivb_service_key *key,
		     const struct ivb_timeouts_s *t)
{
	json_object_object_add(o, "zone", json_object_new_int64(key->zone));
	if (key->proto == IPPROTO_TCP) {
		json_object_object_add(o, "tcp", json_object_new_int64(t->tcp));
		json_object_object_add(o, "tcpfin", json_object_new_int64(t->tcpfin));
	} else {
		json_object_object_add(o, "udp", json_object_new_int64(t->udp));
	}
}

/* Of all services, those that have timeouts of their own. */
static int print(const struct ivb_service_key *key, const struct ivb_timeouts_s *t, void *arg)
{
	struct ivb_service_list *l = arg;
	char addr[IVB_ADDRPORT_LEN];

	if (l->only ? memcmp(l->only, key, sizeof(*key)) : !(t->tcp | t->tcpfin | t->udp))
		return 0;
	l->found = true;
	ivb_addrport_fmt(addr, sizeof(addr), key->af, &key->addr, key->port);
	if (l->json)
		add_json(ivb_service_list_add(l, key, addr), key, t);
	else
		print_text(key, addr, t);
	return 0;
}

static int fill(struct ivb_dp *dp, struct ivb_service_list *l, struct ivb_err *err)
{
	int r = ivb_service_timeouts_walk(dp, print, l, err);

	return r || !l->only || l->found ? r : ivb_err(err, -ENOENT, "there is no such service");
}

static int change(const struct ivb_cli *cli, const struct options *o, int words, char **word)
{
	bool tcp = o->key.proto == IPPROTO_TCP;
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_timeouts_s t = { 0 };
	__u32 *to[] = { tcp ? &t.tcp : &t.udp, &t.tcpfin };
	struct ivb_err err = { 0 };
	int i, r;

	if (words != (tcp ? 2 : 1))
		return ivb_fail(cli, "timeout", IVB_EXIT_USAGE, "%s",
				tcp ? "two numbers are needed for TCP: TCP TCPFIN"
				    : "one number is needed for UDP");
	for (i = 0; i < words; i++) {
		if (ivb_num_u32_parse(to[i], word[i], 0, IVB_TIMEOUT_MAX_S))
			return ivb_fail(cli, "timeout", IVB_EXIT_USAGE,
					"'%s': a number of seconds from 0 to %u is possible",
					word[i], IVB_TIMEOUT_MAX_S);
	}
	r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_EXCLUSIVE, &err);
	if (!r)
		r = ivb_service_timeouts_set(dp, &o->key, &t, &err);
	return r ? ivb_fail_err(cli, "timeout", r, &err) : IVB_EXIT_OK;
}

int ivb_cmd_timeout(const struct ivb_cli *cli, int argc, char **argv)
{
	struct options o = { 0 };
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &o, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (argc > first && !o.key.proto)
		return ivb_fail_unexpected(cli, "timeout", argv[first]);
	return argc > first ? change(cli, &o, argc - first, argv + first)
			    : ivb_service_list_show(cli, "timeout", &o.key, fill);
}
