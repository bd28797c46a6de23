// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures the runs of an instance's expiry timer, or with -c those of one that waits for 0.3 ms each time.
 *   ticks PIN-OF-HAND|-c SECONDS
 * prints "runs N p50_us N p99_us N longest_ns N" of that time; the percentiles are rounded up to 10.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ticks.h"
#include "tests/tools/ticks.skel.h"

static int die(const char *what)
{
	fprintf(stderr, "ticks: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool has_map(int prog, __u32 map)
{
	__u32 ids[64], len = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info = { .nr_map_ids = 64, .map_ids = (__u64)(unsigned long)ids };

	if (bpf_obj_get_info_by_fd(prog, &info, &len) || strncmp(info.name, "ivb_arm", 7))
		return false;
	for (i = 0; i < info.nr_map_ids && i < 64; i++) {
		if (ids[i] == map)
			return true;
	}
	return false;
}

/* The program whose function the map's timer runs: the last one that was loaded. */
static int timer_prog(const char *pin)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), id = 0;
	int map = bpf_obj_get(pin), fd, found = -1;

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &len))
		die(pin);
	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		if (fd >= 0 && has_map(fd, info.id)) {
			close(found);
			found = fd;
		} else {
			close(fd);
		}
	}
	if (found < 0)
		die("no timer's program");
	return found;
}

static unsigned int percentile(const struct runs *r, unsigned long long all, unsigned int percent)
{
	unsigned long long seen = 0;
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		seen += r->of[i];
		if (seen * 100 >= all * percent)
			break;
	}
	return (i + 1) * (STEP_NS / 1000);
}

static void report(const struct runs *r)
{
	unsigned long long all = 0;
	int i;

	for (i = 0; i < STEPS; i++)
		all += r->of[i];
	printf("runs %llu p50_us %u p99_us %u longest_ns %llu\n", all, percentile(r, all, 50),
	       percentile(r, all, 99), r->longest);
}

static void watch(struct ticks_bpf *skel, const char *pin)
{
	const char *name = strstr(pin, "hand6") ? "tick6" : "tick4";
	int fd = timer_prog(pin);

	if (bpf_program__set_attach_target(skel->progs.tick_begins, fd, name) ||
	    bpf_program__set_attach_target(skel->progs.tick_ends, fd, name))
		die(name);
}

int main(int argc, char **argv)
{
	struct ticks_bpf *skel = ticks_bpf__open();
	bool control = argc == 3 && !strcmp(argv[1], "-c");
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int r;

	if (!skel || argc != 3)
		return fprintf(stderr, "ticks: see the head of ticks.c\n"), 2;
	if (control) {
		bpf_program__set_autoload(skel->progs.tick_begins, false);
		bpf_program__set_autoload(skel->progs.tick_ends, false);
	} else {
		watch(skel, argv[1]);
	}
	if (ticks_bpf__load(skel))
		die("load");
	if (control) {
		r = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.begin), &opts);
		if (r || opts.retval)
			die("timer");
	} else if (ticks_bpf__attach(skel)) {
		die("attach");
	}
	sleep((unsigned int)atoi(argv[2]));
	report(control ? &skel->bss->control : &skel->bss->ours);
	ticks_bpf__destroy(skel);
	return 0;
}
