/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded into ipvs-bpf: a kernel before 6.6, which knows no tcx. It refuses the attach
 * types of tcx as it refuses any number that it does not know, with EINVAL.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46 /* enum bpf_attach_type of newer headers */
#define TCX_EGRESS 47

static int is_tcx(__u32 attach_type)
{
	return attach_type == TCX_INGRESS || attach_type == TCX_EGRESS;
}

static int refused(long cmd, const union bpf_attr *attr)
{
	switch (cmd) {
	case BPF_PROG_QUERY:
		return is_tcx(attr->query.attach_type);
	case BPF_LINK_CREATE:
		return is_tcx(attr->link_create.attach_type);
	default:
		return 0;
	}
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && refused(a[0], (const union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
