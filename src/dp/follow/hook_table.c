/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this kernel's ip_vs is one that we know: its types (BTF), and the functions that we attach to.
 */
#include "dp/follow/hook_table.h"

#include <bpf/btf.h>
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * The functions that we attach to, with the number of arguments that they had when we learnt them.
 */
const struct ivb_hook ivb_hook_table[IVB_NUM_HOOKS] = {
	{ "ip_vs_nat_xmit", 4, false },	      { "ip_vs_nat_xmit_v6", 4, true },
	{ "ip_vs_dr_xmit", 4, false },	      { "ip_vs_dr_xmit_v6", 4, true },
	{ "ip_vs_tunnel_xmit", 4, false },    { "ip_vs_tunnel_xmit_v6", 4, true },
	{ "ip_vs_bypass_xmit", 4, false },    { "ip_vs_bypass_xmit_v6", 4, true },
	{ "tcp_state_transition", 5, false }, { "udp_state_transition", 5, false },
	{ "sctp_state_transition", 5, true }, { "ip_vs_conn_rcu_free", 1, false },
	{ "__ip_vs_del_dest", 3, false },     { "ip_vs_conn_seq_show", 2, false },
	{ "ip_vs_conn_put", 1, false },	      { "ip_vs_add_dest", 2, true },
	{ "ip_vs_unlink_service", 2, true },
};

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

/* The function's number of arguments, or -ENOENT. */
static int num_args(const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	const struct btf_type *t;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return btf_vlen(t);
}

/* ret_missing[i]: ivb_hook_table[i] is not there, and need not be. */
static int check_functions(const struct btf *btf, bool *ret_missing, struct ivb_err *err)
{
	bool missing[IVB_NUM_HOOKS];
	size_t i;
	int n;

	for (i = 0; i < IVB_NUM_HOOKS; i++) {
		n = num_args(btf, ivb_hook_table[i].function);
		missing[i] = n < 0;
		if (n < 0 && !ivb_hook_table[i].optional)
			return ivb_err(
				err, -EOPNOTSUPP,
				"this kernel's ip_vs has no function %s, so its connections cannot be "
				"followed; kernel IPVS goes on without us (the bpf engine, `ipvs-bpf "
				"adm`, works here)",
				ivb_hook_table[i].function);
		if (n >= 0 && n != ivb_hook_table[i].args)
			return ivb_err(
				err, -EOPNOTSUPP,
				"this kernel's function %s has %d arguments, not the %d that we know, so "
				"its connections cannot be followed; kernel IPVS goes on without us (the "
				"bpf engine, `ipvs-bpf adm`, works here)",
				ivb_hook_table[i].function, n, ivb_hook_table[i].args);
	}
	memcpy(ret_missing, missing, sizeof(missing));
	return 0;
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
	return r ? r : check_functions(module ? module : vmlinux, ret_missing, err);
}
