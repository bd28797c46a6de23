/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this kernel's ip_vs is one that we know: its types (BTF), and the functions that we attach to.
 */
#include "dp/follow/hook_table.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define XMIT_ARGS "sk_buff* ip_vs_conn* ip_vs_protocol* ip_vs_iphdr*"
#define TRANSITION_ARGS "ip_vs_conn* int sk_buff* ip_vs_proto_data* int"

/*
 * The functions that we attach to, with the types of their arguments: 6.1, 6.12 and 7.3 have the
 * same ones. Which services go is told by ip_vs_unlink_service() up to 6.12, and by
 * __ip_vs_del_service() on 7.3.
 */
const struct ivb_hook ivb_hook_table[IVB_NUM_HOOKS] = {
	{ "ip_vs_nat_xmit", XMIT_ARGS, false },
	{ "ip_vs_nat_xmit_v6", XMIT_ARGS, true },
	{ "ip_vs_dr_xmit", XMIT_ARGS, false },
	{ "ip_vs_dr_xmit_v6", XMIT_ARGS, true },
	{ "ip_vs_tunnel_xmit", XMIT_ARGS, false },
	{ "ip_vs_tunnel_xmit_v6", XMIT_ARGS, true },
	{ "ip_vs_bypass_xmit", XMIT_ARGS, false },
	{ "ip_vs_bypass_xmit_v6", XMIT_ARGS, true },
	{ "tcp_state_transition", TRANSITION_ARGS, false },
	{ "udp_state_transition", TRANSITION_ARGS, false },
	{ "sctp_state_transition", TRANSITION_ARGS, true },
	{ "ip_vs_conn_rcu_free", "callback_head*", false },
	{ "__ip_vs_del_dest", "netns_ipvs* ip_vs_dest* int", false },
	{ "ip_vs_conn_seq_show", "seq_file* void*", false },
	{ "ip_vs_conn_put", "ip_vs_conn*", false },
	{ "ip_vs_add_dest", "ip_vs_service* ip_vs_dest_user_kern*", true },
	{ "ip_vs_unlink_service", "ip_vs_service* int", true },
	{ "__ip_vs_del_service", "ip_vs_service* int", true },
};

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

/* Appends a type as in ivb_hook.args. */
static void add_type(char *buf, size_t size, const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	size_t len = strlen(buf);
	unsigned int pointers = 0;
	const char *name;

	while (id && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_ptr(t))) {
		pointers += btf_is_ptr(t);
		id = t->type;
		t = btf__type_by_id(btf, id);
	}
	if (!id)
		name = "void";
	else if (btf_is_int(t) || btf_is_any_enum(t))
		name = "int";
	else
		name = btf__name_by_offset(btf, t->name_off);
	snprintf(buf + len, size - len, "%s%s%s", len ? " " : "", name,
		 pointers > 1 ? "**"
		 : pointers   ? "*"
			      : "");
}

/* The types of the function's arguments, as in ivb_hook.args; -ENOENT. */
static int read_args(char *buf, size_t size, const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	const struct btf_type *t;
	__u32 i;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	*buf = 0;
	for (i = 0; i < btf_vlen(t); i++)
		add_type(buf, size, btf, btf_params(t)[i].type);
	return 0;
}

/* ret_missing[i]: ivb_hook_table[i] is not there, and need not be. */
static int check_functions(const struct btf *btf, bool *ret_missing, struct ivb_err *err)
{
	bool missing[IVB_NUM_HOOKS];
	char args[256];
	size_t i;

	for (i = 0; i < IVB_NUM_HOOKS; i++) {
		const struct ivb_hook *h = &ivb_hook_table[i];

		missing[i] = read_args(args, sizeof(args), btf, h->function) < 0;
		if (missing[i] && h->optional)
			continue;
		if (missing[i])
			return ivb_err(
				err, -EOPNOTSUPP,
				"this kernel's ip_vs has no function %s, so its connections cannot be "
				"followed; kernel IPVS goes on without us (the bpf engine, `ipvs-bpf "
				"adm`, works here)",
				h->function);
		if (strcmp(args, h->args))
			return ivb_err(
				err, -EOPNOTSUPP,
				"this kernel's function %s takes (%s), not the (%s) that we know, so "
				"its connections cannot be followed; kernel IPVS goes on without us "
				"(the bpf engine, `ipvs-bpf adm`, works here)",
				h->function, args, h->args);
	}
	memcpy(ret_missing, missing, sizeof(missing));
	return 0;
}

/*
 * The listing of connections shows the connection itself, or the first node by which its table has
 * it (ivb_on_existing() of ipvs.bpf.c).
 */
static int check_conn(const struct btf *btf, struct ivb_err *err)
{
	int id = btf__find_by_name_kind(btf, "ip_vs_conn", BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	const char *name;
	__u32 i;

	for (i = 0; t && i < btf_vlen(t); i++) {
		name = btf__name_by_offset(btf, btf_members(t)[i].name_off);
		if (!strcmp(name, "c_list") || !strcmp(name, "hn0"))
			return 0;
	}
	return ivb_err(
		err, -EOPNOTSUPP,
		"this kernel's struct ip_vs_conn stands in tables that we do not know, so its "
		"connections cannot be followed; kernel IPVS goes on without us (the bpf "
		"engine, `ipvs-bpf adm`, works here)");
}

/* ip_vs's types: the module's, or the kernel's if it is built in. */
static int load_types(struct btf **ret_vmlinux, struct btf **ret, struct ivb_err *err)
{
	struct btf *vmlinux __cleanup(free_btf) = btf__load_vmlinux_btf();
	struct btf *module;

	if (!vmlinux)
		return ivb_err(err, -EOPNOTSUPP, "this kernel does not tell its types (no BTF)");
	if (btf__find_by_name_kind(vmlinux, "ip_vs_conn", BTF_KIND_STRUCT) > 0) {
		*ret = NULL;
		*ret_vmlinux = TAKE_PTR(vmlinux);
		return 0;
	}
	if (access("/sys/module/ip_vs", F_OK))
		return ivb_err(err, -ENOENT, "the kernel's ip_vs is not loaded (modprobe ip_vs)");
	if (access("/sys/kernel/btf/ip_vs", F_OK))
		return ivb_err(
			err, -EOPNOTSUPP,
			"ip_vs does not tell its types (no /sys/kernel/btf/ip_vs; "
			"CONFIG_DEBUG_INFO_BTF_MODULES), so its connections cannot be followed");
	module = btf__load_module_btf("ip_vs", vmlinux);
	if (!module)
		return ivb_err(err, -errno, "cannot read the types of ip_vs: %m");
	*ret = module;
	*ret_vmlinux = TAKE_PTR(vmlinux);
	return 0;
}

int ivb_hook_table_check(bool ret_missing[static IVB_NUM_HOOKS], struct ivb_err *err)
{
	struct btf *vmlinux __cleanup(free_btf) = NULL, *module __cleanup(free_btf) = NULL;
	int r = load_types(&vmlinux, &module, err);

	/* A module's types lean on the kernel's: they go first. */
	if (!r)
		r = check_conn(module ? module : vmlinux, err);
	return r ? r : check_functions(module ? module : vmlinux, ret_missing, err);
}

void ivb_hook_table_leave_out(const struct bpf_object *obj,
			      const bool missing[static IVB_NUM_HOOKS])
{
	struct bpf_program *prog;
	size_t i;

	bpf_object__for_each_program(prog, obj)
	{
		const char *function = strchr(bpf_program__section_name(prog), '/');

		for (i = 0; i < IVB_NUM_HOOKS; i++) {
			if (missing[i] && function &&
			    !strcmp(function + 1, ivb_hook_table[i].function))
				bpf_program__set_autoload(prog, false);
		}
	}
}
