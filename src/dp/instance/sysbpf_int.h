/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf 1.1 does not know of bpf(2): tcx links and the programs of a device. */
#ifndef IVB_DP_INSTANCE_SYSBPF_INT_H
#define IVB_DP_INSTANCE_SYSBPF_INT_H

#include <linux/types.h>
#include <stdbool.h>

/* enum bpf_attach_type of Linux 6.6 */
#define IVB_BPF_TCX_INGRESS 46
#define IVB_BPF_TCX_EGRESS 47

#define IVB_TCX_MAX 64 /* programs on a device and side; the kernel's limit */

struct ivb_tcx {
	__u32 prog_id;
	__u32 link_id; /* 0: attached without a link */
};

/*
 * The tcx programs of a device, in their order; *ret_n of at most IVB_TCX_MAX.
 * -EOPNOTSUPP: the kernel has no tcx; -ENODEV: no such device.
 */
int ivb_sysbpf_tcx_query(__u32 ifindex, int attach_type, struct ivb_tcx *ret, __u32 *ret_n);

bool ivb_sysbpf_tcx_supported(void);

/* A link's id, program and device (0: gone; counted in the device's own namespace). */
int ivb_sysbpf_tcx_link_info(int link_fd, __u32 *ret_link_id, __u32 *ret_prog_id,
			     __u32 *ret_ifindex);

/* The name of a program; -errno. */
int ivb_sysbpf_prog_name(__u32 prog_id, char *buf, __u32 size);

#endif
