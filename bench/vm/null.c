/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaches null.bpf.o to devices and stays until it is ended:
 *   null FROM TO DSTMAC SRCMAC [FROM TO DSTMAC SRCMAC]...
 * IPv4 packets that come in by FROM leave by TO with these addresses. By tcx where the kernel has
 * it, else by clsact: as ipvs-bpf does.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCX_INGRESS 46 /* enum bpf_attach_type of newer headers */

struct rodata {
	__u32 to_device;
	__u8 macs[12];
};

static void die(const char *what, int err)
{
	fprintf(stderr, "null: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static int device(const char *name)
{
	int ifindex = if_nametoindex(name);

	if (!ifindex)
		die(name, errno);
	return ifindex;
}

static void mac(__u8 *to, const char *text)
{
	const struct ether_addr *a = ether_aton(text);

	if (!a)
		die(text, EINVAL);
	memcpy(to, a, 6);
}

static int load(const struct rodata *ro)
{
	char path[PATH_MAX] = "";
	struct bpf_object *obj;
	struct bpf_map *map;
	int err;

	if (readlink("/proc/self/exe", path, sizeof(path) - 16) < 0)
		die("/proc/self/exe", errno);
	strncat(path, ".bpf.o", 8);
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		die(path, errno);
	map = bpf_object__next_map(obj, NULL);
	err = map ? bpf_map__set_initial_value(map, ro, sizeof(*ro)) : -ENOENT;
	if (!err)
		err = bpf_object__load(obj);
	if (err)
		die(path, err);
	return bpf_program__fd(bpf_object__next_program(obj, NULL));
}

static void attach(int prog, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, tc, .prog_fd = prog, .handle = 1, .priority = 1);
	int err;

	/* the link lives as long as this process does */
	if (bpf_link_create(prog, ifindex, TCX_INGRESS, NULL) >= 0)
		return;
	err = bpf_tc_hook_create(&hook);
	if (!err)
		err = bpf_tc_attach(&hook, &tc);
	if (err)
		die("attach", err);
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc % 4 != 1) {
		fputs("usage: null FROM TO DSTMAC SRCMAC [FROM TO DSTMAC SRCMAC]...\n", stderr);
		return 2;
	}
	for (int i = 1; i < argc; i += 4) {
		struct rodata ro = { .to_device = device(argv[i + 1]) };

		mac(ro.macs, argv[i + 2]);
		mac(ro.macs + 6, argv[i + 3]);
		attach(load(&ro), device(argv[i]));
	}
	puts("attached");
	fflush(stdout);
	for (;;)
		pause();
}
