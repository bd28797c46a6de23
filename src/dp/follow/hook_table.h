/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IVB_DP_FOLLOW_HOOK_TABLE_H
#define IVB_DP_FOLLOW_HOOK_TABLE_H

#include <stdbool.h>

struct bpf_object;
struct ivb_err;

#define IVB_NUM_HOOKS 18

/* A function of kernel IPVS's that a program of ipvs.bpf.c is attached to. */
struct ivb_hook {
	const char *function;
	/*
	 * Its arguments' types when we learnt it, a blank between them: "NAME*" a pointer to a
	 * structure, "void*", "int" a number of any size.
	 */
	const char *args;
	bool optional; /* kernels may lack it: without IPv6 in IPVS, or where we can do without */
};

extern const struct ivb_hook ivb_hook_table[IVB_NUM_HOOKS];

/*
 * Whether ip_vs is loaded, tells its types, and has the functions, as we know them; says what is
 * wrong if not: -ENOENT: not loaded; -EOPNOTSUPP. ret_missing: which hooks are not there,
 * and need not be.
 */
int ivb_hook_table_check(bool ret_missing[static IVB_NUM_HOOKS], struct ivb_err *err);

/* Has the object load without the hooks that are missing. Before it is loaded. */
void ivb_hook_table_leave_out(const struct bpf_object *obj,
			      const bool missing[static IVB_NUM_HOOKS]);

#endif
