/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of nf_tables that keeps packets out of conntrack, in the current namespace: one for IPv4
 * and one for IPv6, both named "ipvs-bpf". What a rule matches is a BPF program, or an ipset.
 */
#ifndef IVB_NL_NOTRACK_H
#define IVB_NL_NOTRACK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define IVB_NOTRACK_TABLE "ipvs-bpf"

/*
 * In their order: packets that match are untracked, or left to conntrack, and later rules do not
 * see them.
 */
struct ivb_notrack_rule {
	const char *comment;
	int prog_fd;  /* a socket filter; -1: a set */
	__u16 set;    /* ivb_notrack_ipset_find()'s; compared with the packet's destination */
	__u8 set_dim; /* what that is: 1 port, 2 address and port */
	bool leave;   /* matching packets are left to conntrack */
	__u8 family;  /* AF_INET, AF_INET6; 0: both */
};

/*
 * Replaces both tables in one step. -EOPNOTSUPP: the kernel has no nf_tables, or none of its parts.
 */
int ivb_notrack_write(const struct ivb_notrack_rule *rules, size_t n);

/* Removes them; that they are not there is no error. */
int ivb_notrack_remove(void);

/* 1: both are there, with their rules; 0: not; -errno. */
int ivb_notrack_there(void);

/* The kernel's number of an ipset. -ENOENT: there is none of that name, or there are no ipsets. */
int ivb_notrack_ipset_find(const char *name, __u16 *ret);

#endif
