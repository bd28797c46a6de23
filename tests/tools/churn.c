// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many short TCP connections through a director, made and answered in the kernel (churn.bpf.c).
 *   churn [-a] [-b BURST] VIP:PORT DIRECTOR-NETNS DEV CLIENT-NETNS DEV [SERVER-NETNS DEV]...
 * -a: from all CPUs at once. -b: how many may be on their way, or have ended less than REST_MS ago
 * (256; the backlog of a CPU takes a thousand packets, of whomever). So however long the machine
 * kept it from its work, what it begins after that needs no more ports at once than these.
 * Lines of standard input: "run RATE COUNT" begins COUNT connections, RATE a second; "hold RATE
 * COUNT" does so and leaves them open. After each it waits for what is on its way, has clients send
 * again what got lost, as TCP does, and prints a line: begun N done N ... (of that command; held
 * ones are done when the server has answered data). "lost" counts the packets that the kernel's
 * queues between devices had no room for, whosever they were: without any, none needs repeating.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "churn.h"
#include "tests/tools/churn.skel.h"

#define PORTS 60000
#define TICK_MS 5
#define REST_MS 40 /* a director may leave an ended connection's port alone for so long */
#define PATIENCE_MS 500
#define TRIES 5
#define SAMPLES 64

static unsigned int burst = 256;

static int die(const char *what)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* From here on in that namespace; returns the device's index there. */
static int enter(const char *netns, const char *dev)
{
	char path[128];
	int fd, ifindex;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
	ifindex = (int)if_nametoindex(dev);
	if (!ifindex)
		die(dev);
	return ifindex;
}

/* Goes with the namespace. */
static void attach(const char *netns, const char *dev, const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = enter(netns, dev),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, tc, .prog_fd = bpf_program__fd(prog), .handle = 1, .priority = 1);
	int r = bpf_tc_hook_create(&hook);

	if ((r && r != -EEXIST) || bpf_tc_attach(&hook, &tc))
		die(dev);
}

static void mac_of(const char *dev, unsigned char *mac)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { 0 };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", dev);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req))
		die(dev);
	close(fd);
	memcpy(mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
}

static void begin(int prog, int ifindex, unsigned int n)
{
	unsigned char frame[64] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = (__u32)ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = n < 64 ? n : 64);

	frame[6] = 2;
	frame[12] = ETH_P_IP >> 8;
	frame[14] = 0x45;
	frame[17] = 40;
	frame[20] = 0x40; /* DF */
	frame[23] = IPPROTO_TCP;
	if (bpf_prog_test_run_opts(prog, &opts))
		die("live frames");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How many connections were done, and when that was read; the oldest is written over. */
struct samples {
	struct {
		double at;
		__u64 done;
	} of[SAMPLES];
	unsigned int next;
};

static void sample(struct samples *s, __u64 done, double at)
{
	s->of[s->next].at = at;
	s->of[s->next].done = done;
	s->next = (s->next + 1) % SAMPLES;
}

/* How many were done REST_MS ago. */
static __u64 rested(const struct samples *s, double at)
{
	__u64 done = 0;

	for (unsigned int i = 0; i < SAMPLES; i++)
		if (s->of[i].at <= at - REST_MS / 1e3 && s->of[i].done > done)
			done = s->of[i].done;
	return done;
}

/* A share of them, from one CPU: each test run waits for the end of an RCU period, 20 ms or more. */
static void begin_share(const struct churn_bpf *skel, int ifindex, int cpus, double rate,
			__u64 count, double start)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	const volatile struct churn_counts *c = &skel->bss->counts;
	struct samples done = { 0 };
	__u64 sent = 0, due, busy, room;
	double at, last = start;

	while (sent < count) {
		at = now();
		sample(&done, c->done, at);
		busy = skel->bss->keep ? c->begun - c->done : c->begun - rested(&done, at);
		room = busy < burst ? (burst - busy) / (__u64)cpus : 0;
		/* those that got lost are not waited for for ever */
		if (!room && at - last > PATIENCE_MS / 1e3)
			room = 1;
		due = (__u64)((at - start) * rate) + 1;
		due = due > count ? count : due;
		due = due > sent + room ? sent + room : due;
		if (due > sent) {
			begin(bpf_program__fd(skel->progs.gen), ifindex,
			      (unsigned int)(due - sent));
			last = now();
			sent = due;
		}
		nanosleep(&tick, NULL);
	}
}

/* Packets that the CPUs' backlogs had no room for, ever. */
static unsigned long long backlogs_lost(void)
{
	FILE *f = fopen("/proc/net/softnet_stat", "re");
	unsigned long long sum = 0;
	unsigned int lost;

	if (!f)
		die("/proc/net/softnet_stat");
	while (fscanf(f, "%*x %x %*[^\n]", &lost) == 1)
		sum += lost;
	fclose(f);
	return sum;
}

/* The last packet of each client that has waited in vain, a second at a time. */
static void repeat(struct churn_bpf *skel, int ifindex, __u64 first)
{
	const volatile struct churn_counts *c = &skel->bss->counts;
	__u64 end = skel->bss->next;
	unsigned int late;
	__u8 sent;

	for (int i = 0;; i++) {
		sleep(1);
		if (c->done >= c->begun || i == TRIES)
			return;
		late = 0;
		for (__u32 n = (__u32)first; n < end && late < burst; n++)
			if (!bpf_map_lookup_elem(bpf_map__fd(skel->maps.sent), &n, &sent) &&
			    sent != CHURN_ENDED &&
			    !bpf_map_update_elem(bpf_map__fd(skel->maps.late), NULL, &n, BPF_ANY))
				late++;
		if (late)
			begin(bpf_program__fd(skel->progs.gen), ifindex, late);
	}
}

/* Where each connection begins, there all of its packets are. */
static void run(struct churn_bpf *skel, int ifindex, int cpus, double rate, __u64 count)
{
	struct churn_counts *c = &skel->bss->counts;
	int i;
	double start = now(), end;
	unsigned long long lost = backlogs_lost();
	__u64 first = skel->bss->next;
	cpu_set_t own;

	for (i = 0; i < cpus; i++) {
		if (fork())
			continue;
		CPU_ZERO(&own);
		CPU_SET(i, &own);
		sched_setaffinity(0, sizeof(own), &own);
		begin_share(skel, ifindex, cpus, rate / cpus,
			    count / cpus + ((unsigned int)i < count % cpus), start);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	end = now();
	repeat(skel, ifindex, first);
	lost = backlogs_lost() - lost;
	printf("begun %llu done %llu reset %llu stolen %llu strays %llu reused %llu shortest_ms %llu "
	       "seconds %.1f repeated %llu lost %llu\n",
	       c->begun, c->done, c->reset, c->stolen, c->strays, c->reused, c->shortest / 1000000,
	       end - start, c->repeated, lost);
	fflush(stdout);
	memset(c, 0, sizeof(*c));
}

/* The programs, at their places; returns the device of the director's at which clients begin. */
static int place(struct churn_bpf *skel, char **arg, int n)
{
	int ifindex;

	for (int i = 4; i < n; i += 2)
		attach(arg[i], arg[i + 1], skel->progs.server);
	attach(arg[2], arg[3], skel->progs.client);
	ifindex = enter(arg[0], arg[1]);
	mac_of(arg[1], skel->bss->director);
	return ifindex;
}

int main(int argc, char **argv)
{
	struct churn_bpf *skel = churn_bpf__open();
	char what[8], *port;
	struct in_addr vip;
	int opt, ifindex, rate, cpus = 1;
	long long count;

	while ((opt = getopt(argc, argv, "ab:")) != -1) {
		if (opt == 'a')
			cpus = get_nprocs();
		else if (opt == 'b')
			burst = (unsigned int)atoi(optarg);
	}
	argv += optind;
	argc -= optind;
	if (!skel || argc < 5 || argc % 2 == 0 || !(port = strchr(argv[0], ':')))
		return fprintf(stderr, "churn: see the head of churn.c\n"), 2;
	*port++ = 0;
	if (inet_pton(AF_INET, argv[0], &vip) != 1)
		die(argv[0]);
	skel->rodata->vip = vip.s_addr;
	skel->rodata->vport = htons((uint16_t)atoi(port));
	skel->rodata->num_ports = PORTS;
	if (churn_bpf__load(skel))
		die("load");
	ifindex = place(skel, argv + 1, argc - 1);
	while (scanf("%7s %d %lld", what, &rate, &count) == 3) {
		skel->bss->keep = !strcmp(what, "hold");
		run(skel, ifindex, cpus, rate, (__u64)count);
	}
	churn_bpf__destroy(skel);
	return 0;
}
