/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gaps MS: which part of the processors' time others take, in per mille: a loop on each that reads
 * the clock.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GAP_NS 20000 /* longer than an interrupt */

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int lost(int n, long long ns)
{
	long long start, last, t, gone = 0;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(n, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	start = last = now();
	do {
		t = now();
		gone += t - last > GAP_NS ? t - last : 0;
		last = t;
	} while (t - start < ns);
	return gone * 1000 / (t - start);
}

int main(int argc, char **argv)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), worst = 0, fds[2], v;

	if (argc != 2 || pipe(fds))
		return 2;
	for (int i = 0; i < cpus; i++) {
		if (fork())
			continue;
		v = lost(i, atoi(argv[1]) * 1000000ll);
		return write(fds[1], &v, sizeof(v)) != sizeof(v);
	}
	for (int i = 0; i < cpus; i++) {
		if (read(fds[0], &v, sizeof(v)) == sizeof(v) && v > worst)
			worst = v;
	}
	while (wait(NULL) > 0)
		;
	printf("%d\n", worst);
	return 0;
}
