/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf(2) by hand where libbpf 1.1 and the headers of Linux 6.1 end. */
#include "dp/instance/sysbpf_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* union bpf_attr's part for BPF_PROG_QUERY, as in Linux 6.6. */
struct query_attr {
	__u32 target_ifindex;
	__u32 attach_type;
	__u32 query_flags;
	__u32 attach_flags;
	__aligned_u64 prog_ids;
	__u32 prog_cnt;
	__u32 pad_;
	__aligned_u64 prog_attach_flags;
	__aligned_u64 link_ids;
	__aligned_u64 link_attach_flags;
	__u64 revision;
};

/* struct bpf_link_info up to its tcx part, as in Linux 6.6; larger, since the kernel fills more. */
struct link_info {
	__u32 type;
	__u32 id;
	__u32 prog_id;
	__u32 pad_;
	__u32 tcx_ifindex;
	__u32 tcx_attach_type;
	__u8 rest[104];
};

int ivb_sysbpf_tcx_query(__u32 ifindex, int attach_type, struct ivb_tcx *ret, __u32 *ret_n)
{
	__u32 progs[IVB_TCX_MAX], links[IVB_TCX_MAX] = { 0 };
	struct query_attr attr = {
		.target_ifindex = ifindex,
		.attach_type = (__u32)attach_type,
		.prog_ids = (__u64)(unsigned long)progs,
		.prog_cnt = IVB_TCX_MAX,
		.link_ids = (__u64)(unsigned long)links,
	};
	__u32 i;

	if (syscall(__NR_bpf, BPF_PROG_QUERY, &attr, sizeof(attr))) {
		/* Before 6.6 the attach type is unknown and the fields after pad_ are too much. */
		if (errno == EINVAL || errno == E2BIG)
			return -EOPNOTSUPP;
		if (errno != ENOENT)
			return -errno;
		attr.prog_cnt = 0; /* nothing there */
	}
	for (i = 0; i < attr.prog_cnt && i < IVB_TCX_MAX; i++)
		ret[i] = (struct ivb_tcx){ .prog_id = progs[i], .link_id = links[i] };
	*ret_n = i;
	return 0;
}

bool ivb_sysbpf_tcx_supported(void)
{
	struct ivb_tcx on[IVB_TCX_MAX];
	__u32 n;

	/* Every namespace has its lo at index 1. */
	return !ivb_sysbpf_tcx_query(1, IVB_BPF_TCX_INGRESS, on, &n);
}

int ivb_sysbpf_tcx_link_info(int link_fd, __u32 *ret_link_id, __u32 *ret_prog_id,
			     __u32 *ret_ifindex)
{
	struct link_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len))
		return -errno;
	if (info.tcx_attach_type != IVB_BPF_TCX_INGRESS &&
	    info.tcx_attach_type != IVB_BPF_TCX_EGRESS)
		return -EPROTO;
	*ret_link_id = info.id;
	*ret_prog_id = info.prog_id;
	*ret_ifindex = info.tcx_ifindex;
	return 0;
}

int ivb_sysbpf_prog_name(__u32 prog_id, char *buf, __u32 size)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	snprintf(buf, size, "%s", info.name);
	return 0;
}
