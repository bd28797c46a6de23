/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaches watch.bpf.o to a device and stays until it is ended, which detaches it again.
 *   watch tcx|clsact DEV FIFO
 * For each line that comes in through FIFO (a port, 0 for other IPv4 packets, 1 for tagged ones, 2
 * for other IPv6 packets, or sum0 .. sum3: checksum none, unnecessary, complete, partial) it prints
 * how many it has seen.
 *   watch list DEV
 * prints the names of the tcx programs on DEV's ingress in their order; exit status 3: this kernel
 * has no tcx
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46 /* enum bpf_attach_type of newer headers */

static int fail(const char *what, int err)
{
	fprintf(stderr, "watch: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

/* Filters live in a qdisc that others may share: only the filter is taken away at the end. */
static int clsact(int ifindex, int prog, int attach)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, tc, .handle = 1, .priority = 60000);
	int err;

	if (!attach)
		return bpf_tc_detach(&hook, &tc);
	tc.prog_fd = prog;
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	return bpf_tc_attach(&hook, &tc);
}

static void answer(int map, const char *line)
{
	__u32 key = strncmp(line, "sum", 3) ? strtoul(line, NULL, 10)
					    : 65536 + strtoul(line + 3, NULL, 10);
	__u32 n = 0;

	if (bpf_map_lookup_elem(map, &key, &n))
		puts("?");
	else
		printf("%u\n", n);
}

/*
 * BPF_PROG_QUERY of a device is younger than Debian 12's libbpf and headers: target in word 0, type
 * in 1.
 */
static int list(int ifindex)
{
	struct {
		__u32 target, type, query_flags, attach_flags;
		__u64 prog_ids;
		__u32 count, pad;
		__u64 more[8];
	} q = { .target = ifindex, .type = TCX_INGRESS };
	__u32 ids[64];

	q.prog_ids = (unsigned long)ids;
	q.count = sizeof(ids) / sizeof(*ids);
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &q, sizeof(q)))
		return errno == EINVAL ? 3 : fail("query", errno);
	for (__u32 i = 0; i < q.count; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			return fail("program", errno);
		puts(info.name);
		close(fd);
	}
	return 0;
}

static volatile sig_atomic_t done;

static void on_term(int sig)
{
	(void)sig;
	done = 1;
}

static int load(struct bpf_object **ret)
{
	char path[PATH_MAX] = "";

	if (readlink("/proc/self/exe", path, sizeof(path) - 16) < 0)
		return -errno;
	strncat(path, ".bpf.o", 8);
	*ret = bpf_object__open_file(path, NULL);
	return *ret ? bpf_object__load(*ret) : -errno;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term }; /* no SA_RESTART: ends the read */
	struct bpf_object *obj;
	int ifindex, prog, err, tcx;
	char line[64];
	FILE *fifo;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || argc != (strcmp(argv[1], "list") ? 4 : 3)) {
		fputs("usage: watch tcx|clsact DEV FIFO | watch list DEV\n", stderr);
		return 2;
	}
	ifindex = if_nametoindex(argv[2]);
	if (!ifindex)
		return fail(argv[2], errno);
	if (argc == 3)
		return list(ifindex);
	tcx = !strcmp(argv[1], "tcx");
	sigaction(SIGTERM, &term, NULL);
	err = load(&obj);
	if (err)
		return fail("load", err);
	prog = bpf_program__fd(bpf_object__find_program_by_name(obj, "watch"));
	if (tcx) {
		if (bpf_link_create(prog, ifindex, TCX_INGRESS, NULL) < 0)
			return fail("tcx", errno); /* EINVAL where the kernel has none */
	} else {
		err = clsact(ifindex, prog, 1);
		if (err)
			return fail("clsact", err);
	}
	fifo = fopen(argv[3], "r+"); /* for writing as well: so that it never ends */
	if (!fifo)
		return fail(argv[3], errno);
	puts("attached");
	while (!done && fgets(line, sizeof(line), fifo))
		answer(bpf_object__find_map_fd_by_name(obj, "seen"), line);
	if (!tcx)
		clsact(ifindex, prog, 0);
	bpf_object__close(obj);
	return 0;
}
