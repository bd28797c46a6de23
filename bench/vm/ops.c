/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client and server of the instruction bench: one tick of the time stamp counter is one instruction
 * there, of the client, the server or the director.
 *   ops serve PORT     64 bytes back for every 64 bytes; closes when the client has
 *   ops pair|connection ADDR PORT N BATCHES REPEATS
 *                      instructions per operation, a line a repeat: of its batches of N, the first decile
 *   ops calm           whether the clock is what it must be, and nothing else runs
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#define SIZE 64
#define WARM_PAIRS 20
#define WARM_CONNECTIONS 2
#define LOOP 10000000ul /* of 4 instructions */
#define CALM_TRIES 30

static void die(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long ticks(void)
{
	_mm_lfence();
	return __rdtsc();
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

static void no_delay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP_NODELAY");
}

/* Reads SIZE bytes; returns whether they came. */
static int take(int fd)
{
	char buf[SIZE];
	ssize_t n;

	for (size_t got = 0; got < SIZE; got += n) {
		n = read(fd, buf, SIZE - got);
		if (n <= 0)
			return 0;
	}
	return 1;
}

static int give(int fd)
{
	static const char buf[SIZE];

	return write(fd, buf, SIZE) == SIZE;
}

static void watch(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

static int serve(const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int s = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0);
	struct epoll_event e;
	int fd;

	if (s < 0 || ep < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1024))
		die("listen");
	watch(ep, s);
	while (epoll_wait(ep, &e, 1, -1) == 1) {
		if (e.data.fd == s) {
			fd = accept(s, NULL, NULL);
			if (fd < 0)
				continue;
			no_delay(fd);
			watch(ep, fd);
		} else if (!take(e.data.fd) || !give(e.data.fd)) {
			close(e.data.fd);
		}
	}
	die("epoll_wait");
	return 1;
}

static int open_to(const struct sockaddr_in *to)
{
	struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("connect");
	no_delay(fd);
	return fd;
}

static void pair(int fd)
{
	if (!give(fd) || !take(fd))
		die("request");
}

/* FINs go both ways before the next connection begins. */
static void connection(const struct sockaddr_in *to)
{
	int fd = open_to(to);
	char c;

	pair(fd);
	if (shutdown(fd, SHUT_WR) || read(fd, &c, 1) != 0)
		die("end of connection");
	close(fd);
}

/* Leaves a response unread, which moves every later buffer to another place in its slab. */
static void shift_slabs(const struct sockaddr_in *to)
{
	if (!give(open_to(to)))
		die("request");
	usleep(1000);
}

/* What each of n operations took, after some that warm up */
static void pairs(const struct sockaddr_in *to, int n, unsigned long long *took)
{
	int fd = open_to(to);

	for (int i = -WARM_PAIRS; i < n; i++) {
		unsigned long long start = ticks();

		pair(fd);
		if (i >= 0)
			took[i] = ticks() - start;
	}
	close(fd);
}

static void connections(const struct sockaddr_in *to, int n, unsigned long long *took)
{
	for (int i = -WARM_CONNECTIONS; i < n; i++) {
		unsigned long long start = ticks();

		connection(to);
		if (i >= 0)
			took[i] = ticks() - start;
	}
}

static int by_size(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * Timer ticks, and a slab that runs out within an operation, time and again, depend on what was
 * before, not on the packets' way: most operations have none of them.
 */
static unsigned long long typical(const struct sockaddr_in *to, int n, int batches, int is_pair)
{
	unsigned long long *took = calloc((size_t)n * batches, sizeof(*took)), ret;

	if (!took)
		die("memory");
	for (int i = 0; i < batches; i++) {
		if (is_pair)
			pairs(to, n, took + i * n);
		else
			connections(to, n, took + i * n);
		shift_slabs(to);
	}
	qsort(took, (size_t)n * batches, sizeof(*took), by_size);
	ret = took[(size_t)n * batches / 10];
	free(took);
	return ret;
}

/*
 * A loop of known length shows that a tick is an instruction, and that no kernel thread is busy
 * beside it (after boot, or after namespaces went away): waits until it does; with idle time
 * skipped that takes no time.
 */
static int calm(void)
{
	unsigned long long t = 0;

	for (int i = 0; i < CALM_TRIES; i++) {
		unsigned long n = LOOP;

		t = ticks();
		__asm__ volatile("1: dec %0; nop; nop; jnz 1b" : "+r"(n));
		t = ticks() - t;
		if (t >= 4 * LOOP && t < 4 * LOOP + 4 * LOOP / 200)
			return 0;
		sleep(1);
	}
	fprintf(stderr,
		"ops: a loop of %lu instructions took %llu ticks: this clock does not count instructions\n",
		4 * LOOP, t);
	return 1;
}

/*
 * Whoever is woken waits until the other sleeps: else how often they switch varies, and with it the
 * sum.
 */
static void take_turns(void)
{
	struct sched_param p = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &p))
		die("SCHED_BATCH");
}

int main(int argc, char **argv)
{
	take_turns();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "calm"))
		return calm();
	if (argc == 7) {
		struct sockaddr_in to = address(argv[2], argv[3]);

		for (int repeats = atoi(argv[6]); repeats > 0; repeats--)
			printf("%llu\n", typical(&to, atoi(argv[4]), atoi(argv[5]),
						 !strcmp(argv[1], "pair")));
		return 0;
	}
	fputs("usage: ops serve PORT | pair|connection ADDR PORT N BATCHES REPEATS | calm\n",
	      stderr);
	return 2;
}
