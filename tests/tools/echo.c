/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long-lived TCP connections, and what becomes of them.
 *   echo serve [-s MS] PORT    echoes; with -s it sends a byte on every connection each MS instead
 *   echo talk [-n CONNECTIONS] [-i MS] [-p FIRST_SOURCE_PORT] [-a SOURCE] [-q] ADDRESS PORT
 * sends a byte on every connection each MS (-q: never), and on SIGUSR1 prints a line (see
 * report()).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNS 1000

/* Both ways, the nth byte of a connection is n: what is lost or repeated is noticed. */
struct conn {
	bool wrong, reset, closed;
	uint8_t sent, got;
	unsigned long bytes;
	int64_t last, gap;
};

static struct pollfd fds[MAX_CONNS + 1];
static struct conn conns[MAX_CONNS + 1];
static int num;
static volatile sig_atomic_t asked;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
	return 1;
}

static void add(int fd)
{
	int on = 1;

	if (num > MAX_CONNS) {
		close(fd);
		return;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fds[num] = (struct pollfd){ .fd = fd, .events = POLLIN };
	conns[num++] = (struct conn){ .last = now_ms() };
}

static void send_all(int first)
{
	for (int i = first; i < num; i++)
		if (fds[i].fd >= 0 && write(fds[i].fd, &conns[i].sent, 1) == 1)
			conns[i].sent++;
}

static void drop(int i, bool reset)
{
	close(fds[i].fd);
	fds[i].fd = -1;
	conns[i].reset = reset;
	conns[i].closed = !reset;
}

/* What has come on one connection; echo: goes back as it is. */
static void receive(int i, bool echo)
{
	struct conn *c = &conns[i];
	uint8_t buf[4096];
	ssize_t n = read(fds[i].fd, buf, sizeof(buf));
	int64_t now = now_ms();

	if (n <= 0) {
		if (!n || errno != EAGAIN)
			drop(i, n < 0);
		return;
	}
	if (echo) {
		if (write(fds[i].fd, buf, n) != n)
			fail("write");
		return;
	}
	for (ssize_t k = 0; k < n; k++)
		c->wrong |= buf[k] != c->got++;
	c->bytes += n;
	if (now - c->last > c->gap)
		c->gap = now - c->last;
	c->last = now;
}

/* Since the last report: how many connections got something, how many have ended and how, on how many the
 * bytes were not the right ones, the longest wait for one (ms), and all that came. */
static void report(void)
{
	int answered = 0, reset = 0, closed = 0, wrong = 0;
	int64_t gap = 0, now = now_ms();
	unsigned long bytes = 0;

	for (int i = 0; i < num; i++) {
		struct conn *c = &conns[i];

		answered += fds[i].fd >= 0 && c->bytes;
		reset += c->reset;
		closed += c->closed;
		wrong += c->wrong;
		bytes += c->bytes;
		if (c->gap > gap)
			gap = c->gap;
		c->bytes = 0;
		c->gap = 0;
		c->last = now;
	}
	printf("conns=%d answered=%d reset=%d closed=%d wrong=%d gap=%lld bytes=%lu\n", num,
	       answered, reset, closed, wrong, (long long)gap, bytes);
	fflush(stdout);
}

/* Until the end: the connections from first on; the one before is the listening socket. */
static int work(int first, int every_ms, bool echo)
{
	int64_t next = now_ms() + every_ms, wait;

	for (;;) {
		/* a signal may come just before poll */
		wait = every_ms ? next - now_ms() : first ? -1 : 100;
		if (every_ms && wait < 0)
			wait = 0;
		if (poll(fds, num, wait) < 0 && errno != EINTR)
			return fail("poll");
		if (asked) {
			asked = 0;
			report();
			continue;
		}
		if (every_ms && now_ms() >= next) {
			send_all(first);
			next += every_ms;
		}
		for (int i = first; i < num; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				receive(i, echo);
		if (first && fds[0].revents & POLLIN)
			add(accept(fds[0].fd, NULL, NULL));
	}
}

static int serve(int port, int every_ms)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, MAX_CONNS))
		return fail("listen");
	add(fd);
	return work(1, every_ms, !every_ms);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* text: NULL for any address of the family */
static bool address(union address *a, int family, const char *text, int port)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = family;
	if (family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
	return !text || inet_pton(family, text,
				  family == AF_INET ? (void *)&a->v4.sin_addr
						    : (void *)&a->v6.sin6_addr) == 1;
}

static int talk(const char *host, int port, const char *source, int first_port, int n, int every_ms)
{
	int family = strchr(host, ':') ? AF_INET6 : AF_INET;
	union address to, from;

	if (!address(&to, family, host, port) || n > MAX_CONNS)
		return 2;
	for (int i = 0; i < n; i++) {
		int fd = socket(family, SOCK_STREAM, 0), on = 1;

		if (!address(&from, family, source, first_port ? first_port + i : 0))
			return 2;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, &from.any, sizeof(from)))
			return fail("bind");
		if (connect(fd, &to.any, sizeof(to)))
			return fail("connect");
		add(fd);
	}
	puts("connected");
	fflush(stdout);
	return work(0, every_ms, false);
}

int main(int argc, char **argv)
{
	int n = 1, every_ms = 0, first_port = 0, quiet = 0, c;
	const char *source = NULL;
	struct rlimit files = { MAX_CONNS + 64, MAX_CONNS + 64 };

	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGUSR1, ask);
	if (argc < 3)
		goto usage;
	optind = 2;
	while ((c = getopt(argc, argv, "n:i:s:p:a:q")) != -1) {
		switch (c) {
		case 'n':
			n = atoi(optarg);
			break;
		case 'i':
		case 's':
			every_ms = atoi(optarg);
			break;
		case 'p':
			first_port = atoi(optarg);
			break;
		case 'a':
			source = optarg;
			break;
		case 'q':
			quiet = 1;
			break;
		default:
			goto usage;
		}
	}
	if (!strcmp(argv[1], "serve") && argc - optind == 1)
		return serve(atoi(argv[optind]), every_ms);
	if (!strcmp(argv[1], "talk") && argc - optind == 2)
		return talk(argv[optind], atoi(argv[optind + 1]), source, first_port, n,
			    quiet ? 0 : (every_ms ? every_ms : 100));
usage:
	fputs("usage: echo serve [-s MS] PORT | echo talk [-n N] [-i MS] [-p PORT] [-a SOURCE] [-q] ADDRESS PORT\n",
	      stderr);
	return 2;
}
