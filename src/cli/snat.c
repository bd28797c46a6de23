/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf snat: SNAT policies of kernel IPVS's services. */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/service_list.h"
#include "dp/follow/policy.h"
#include "dp/instance/instance.h"
#include "dp/services/list.h"
#include "model/names.h"
#include "nl/ipvs.h"

enum {
	OPT_TCP = 1,
	OPT_UDP,
};

static const struct ivb_opt opts[] = {
	{ "tcp-service", OPT_TCP, "ADDR:PORT", "of this TCP service" },
	{ "udp-service", OPT_UDP, "ADDR:PORT", "of this UDP service" },
	{ 0 },
};

struct options {
	struct ivb_service_key key; /* proto 0: none was given */
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	struct options *o = arg;

	return ivb_command_service(cli, "snat", id == OPT_TCP ? IPPROTO_TCP : IPPROTO_UDP, value,
				   &o->key);
}

static const struct ivb_command_opts command = {
	.command = "snat",
	.usage = "[--tcp-service ADDR:PORT | --udp-service ADDR:PORT [POLICY]]",
	.help = "Whether servers of a service of kernel IPVS's see the director's address instead of the\n"
		"client's: POLICY is never, auto, always, or default (that of `up --snat`). For connections\n"
		"from now on. Without arguments: lists the services that have a policy of their own.",
	.opts = opts,
	.set = set,
};

static int parse_policy(const char *word, enum ivb_snat *ret)
{
	__u8 policy = IVB_SNAT_DEFAULT;
	int r = strcmp(word, ivb_snat_name(IVB_SNAT_DEFAULT)) ? ivb_snat_by_name(&policy, word) : 0;

	if (!r)
		*ret = (enum ivb_snat)policy;
	return r;
}

static int print(const struct ivb_service_key *key, enum ivb_snat policy, void *arg)
{
	struct ivb_service_list *l = arg;
	char addr[IVB_ADDRPORT_LEN];

	if (l->only && memcmp(l->only, key, sizeof(*key)))
		return 0;
	l->found = true;
	ivb_addrport_fmt(addr, sizeof(addr), key->af, &key->addr, key->port);
	if (l->json)
		json_object_object_add(ivb_service_list_add(l, key, addr), "snat",
				       json_object_new_string(ivb_snat_name(policy)));
	else
		printf("%-4s %-21s %s\n", ivb_proto_name(key->proto), addr, ivb_snat_name(policy));
	return 0;
}

static int fill(struct ivb_dp *dp, struct ivb_service_list *l, struct ivb_err *err)
{
	int r = ivb_policy_walk(dp, print, l, err);

	if (!r && l->only && !l->found)
		print(l->only, IVB_SNAT_DEFAULT, l);
	return r;
}

/* Whether kernel IPVS has the service, or cannot be asked. */
static bool kernel_has(const struct ivb_service_key *key)
{
	struct ivb_ipvs_service *all;
	bool has = false;
	size_t n, i;
	int r = ivb_ipvs_list(&all, &n);

	if (r)
		return r != -ENOENT;
	for (i = 0; i < n && !has; i++)
		has = !all[i].fwmark && all[i].af == key->af && all[i].proto == key->proto &&
		      (all[i].port == key->port || !all[i].port) &&
		      ivb_addr_equal(&all[i].addr, &key->addr);
	ivb_ipvs_free(all, n);
	return has;
}

/* A service of adm has its policy from adm: 0 for others, else what to say. */
static int refuse_own(struct ivb_dp *dp, const struct ivb_service_key *key, const char *word,
		      struct ivb_err *err)
{
	_cleanup_free_ struct ivb_service_info *all = NULL;
	char addr[IVB_ADDRPORT_LEN];
	size_t n, i;
	int r = ivb_list_services(dp, &all, &n, err);

	for (i = 0; i < n && !r; i++) {
		if (memcmp(&all[i].key, key, sizeof(*key)) || kernel_has(key))
			continue;
		ivb_addrport_fmt(addr, sizeof(addr), key->af, &key->addr, key->port);
		r = ivb_err(
			err, -EINVAL,
			"%s is a service of adm and not of kernel IPVS: say `ipvs-bpf adm -E %s %s -s %s "
			"--snat %s`",
			addr, key->proto == IPPROTO_UDP ? "-u" : "-t", addr,
			ivb_scheduler_name(all[i].svc.scheduler), word);
	}
	return r;
}

static int change(const struct ivb_cli *cli, const struct options *o, const char *word)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_err err = { 0 };
	enum ivb_snat policy;
	int r;

	if (parse_policy(word, &policy))
		return ivb_fail(cli, "snat", IVB_EXIT_USAGE,
				"'%s': choose never, auto, always or default", word);
	r = ivb_dp_open(&dp, cli->instance, IVB_LOCK_EXCLUSIVE, &err);
	if (!r && policy != IVB_SNAT_DEFAULT)
		r = refuse_own(dp, &o->key, word, &err);
	if (!r)
		r = ivb_policy_set(dp, &o->key, policy, &err);
	return r ? ivb_fail_err(cli, "snat", r, &err) : IVB_EXIT_OK;
}

int ivb_cmd_snat(const struct ivb_cli *cli, int argc, char **argv)
{
	struct options o = { 0 };
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &o, &first);
	if (r != IVB_OPTS_GO)
		return r;
	if (argc - first > 1 || (argc > first && !o.key.proto))
		return ivb_fail_unexpected(cli, "snat", argv[o.key.proto ? first + 1 : first]);
	return argc > first ? change(cli, &o, argv[first])
			    : ivb_service_list_show(cli, "snat", &o.key, fill);
}
