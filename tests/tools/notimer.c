/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded into ipvs-bpf: a kernel that has no memory for a bpf_timer whenever it is asked
 * for one (as 6.18 now and then): the programs that start the timers do not run, and say -ENOMEM.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long (*real)(long, ...);

static int starts_timer(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (__u32)prog_fd,
					  .info_len = sizeof(info),
					  .info = (__u64)(unsigned long)&info } };

	return !real(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) &&
	       !strncmp(info.name, "arm", 3);
}

long syscall(long number, ...)
{
	union bpf_attr *attr;
	long a[6];
	va_list ap;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	attr = (union bpf_attr *)a[1];
	if (number == SYS_bpf && a[0] == BPF_PROG_TEST_RUN &&
	    starts_timer((int)attr->test.prog_fd)) {
		attr->test.retval = (__u32)-ENOMEM;
		return 0;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
