/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server that answers each connection (TCP) or datagram (UDP) with its name, and a client that
 * makes connections one at a time, each from the next source port, and prints who answered or the
 * errno's name.
 *   talk serve PORT NAME
 *   talk ask tcp|udp ADDRESS FIRST_SOURCE_PORT COUNT PORT...   a line of answers for each PORT
 *   talk hold tcp|udp ADDRESS FIRST_SOURCE_PORT PORT...   reads steps, answers each with a line for each PORT
 * Steps of hold, where connections are numbered from 0: "o N" opens N more, "c I" closes one, "r I"
 * cuts it by RST. The server keeps a TCP connection open until the client closes it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 3000
#define MAX_HELD 512
#define MAX_PORTS 4

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static int fail(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	return 1;
}

static int serve(int port, const char *name)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	static struct pollfd p[2 + MAX_HELD];
	int on = 1, n = 2;

	p[0].fd = socket(AF_INET6, SOCK_STREAM, 0);
	p[1].fd = socket(AF_INET6, SOCK_DGRAM, 0);
	for (int i = 0; i < 2; i++) {
		p[i].events = POLLIN;
		setsockopt(p[i].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (p[i].fd < 0 || bind(p[i].fd, (struct sockaddr *)&any, sizeof(any)))
			return fail("bind");
	}
	if (listen(p[0].fd, 128))
		return fail("listen");
	while (poll(p, n, -1) > 0) {
		for (int i = n - 1; i >= 2; i--) {
			char c;

			if (p[i].revents && read(p[i].fd, &c, 1) <= 0) {
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
		if (p[0].revents) {
			int fd = accept(p[0].fd, NULL, NULL);

			if (fd >= 0) {
				(void)!write(fd, name, strlen(name));
				if (n < 2 + MAX_HELD)
					p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
				else
					close(fd);
			}
		}
		if (p[1].revents) {
			union addr from;
			socklen_t len = sizeof(from);
			char c;

			if (recvfrom(p[1].fd, &c, 1, 0, &from.sa, &len) >= 0)
				sendto(p[1].fd, name, strlen(name), 0, &from.sa, len);
		}
	}
	return fail("poll");
}

static socklen_t parse(const char *host, const char *port, union addr *to)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, host, &to->in.sin_addr) == 1) {
		to->in.sin_family = AF_INET;
		to->in.sin_port = htons(atoi(port));
		return sizeof(to->in);
	}
	if (inet_pton(AF_INET6, host, &to->in6.sin6_addr) == 1) {
		to->in6.sin6_family = AF_INET6;
		to->in6.sin6_port = htons(atoi(port));
		return sizeof(to->in6);
	}
	fprintf(stderr, "talk: bad address '%s'\n", host);
	exit(2);
}

/* Fills who with the answer and returns the socket; -1 with errno set if there is none. */
static int ask(int type, const union addr *to, socklen_t len, int sport, char *who, size_t size)
{
	union addr from = {.sa.sa_family = to->sa.sa_family};
	struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(to->sa.sa_family, type, 0), on = 1, saved;
	ssize_t n = -1;

	/* the port is at the same place in both families */
	from.in.sin_port = htons(sport);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (fd >= 0 && !bind(fd, &from.sa, len) && !connect(fd, &to->sa, len) &&
	    (type == SOCK_STREAM || send(fd, "?", 1, 0) == 1)) {
		n = recv(fd, who, size - 1, 0);
		who[n > 0 ? n : 0] = 0;
	}
	if (n > 0)
		return fd;
	saved = errno;
	close(fd);
	errno = n == 0 ? ENODATA : saved;
	return -1;
}

/* The name of who answered, or of the errno. */
static int ask_name(int type, const union addr *to, socklen_t len, int sport, char *who, size_t size)
{
	int fd = ask(type, to, len, sport, who, size);

	if (fd < 0)
		snprintf(who, size, "%s", strerrorname_np(errno));
	return fd;
}

static void end(int fd, int cut)
{
	struct linger now = {.l_onoff = 1};

	if (cut)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static int hold(int type, const char *host, int sport, char **ports)
{
	static int held[MAX_HELD][MAX_PORTS];
	int n = 0, i, count;
	union addr to;
	char op;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (scanf(" %c %d", &op, &i) == 2) {
		count = op == 'o' ? i : 0;
		for (int p = 0; ports[p]; p++) {
			socklen_t len = parse(host, ports[p], &to);

			for (int k = 0; k < count && n + k < MAX_HELD; k++) {
				char who[64];

				held[n + k][p] = ask_name(type, &to, len, sport + n + k, who, sizeof(who));
				printf("%s%s", k ? " " : "", who);
			}
			if (op != 'o' && i < n && held[i][p] >= 0)
				end(held[i][p], op == 'r');
			puts("");
		}
		n += count;
	}
	return 0;
}

int main(int argc, char **argv)
{
	union addr to;
	socklen_t len;
	int type;

	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]), argv[3]);
	type = argc > 2 && strcmp(argv[2], "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	if (argc > 5 && argc < 6 + MAX_PORTS && !strcmp(argv[1], "hold"))
		return hold(type, argv[3], atoi(argv[4]), argv + 5);
	if (argc < 7 || strcmp(argv[1], "ask")) {
		fputs("usage: talk serve PORT NAME | talk ask tcp|udp ADDRESS FIRST_SOURCE_PORT COUNT PORT...\n"
		      "     | talk hold tcp|udp ADDRESS FIRST_SOURCE_PORT PORT...\n",
		      stderr);
		return 2;
	}
	for (char **port = argv + 6; *port; port++) {
		len = parse(argv[3], *port, &to);
		for (int i = 0; i < atoi(argv[5]); i++) {
			char who[64];
			int fd = ask_name(type, &to, len, atoi(argv[4]) + i, who, sizeof(who));

			printf("%s%s", i ? " " : "", who);
			if (fd >= 0)
				close(fd);
		}
		puts("");
	}
	return 0;
}
