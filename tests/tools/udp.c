/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A UDP service that answers with its name and what it was sent, and the client that checks it.
 *   udp serve PORT NAME [ADDRESS]
 *   udp ask [-c COUNT] [-i MS] [-l LENGTH] [-p PORT] [-s] [-w MS] ADDRESS PORT
 *       prints each answer's name; 1 if one is wrong. -p: sends from PORT, the next socket from PORT + 1
 * -s: all from one socket (one connection), otherwise a socket each. -i: waits that long between them.
 * -d: with Don't Fragment.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_LEN 8 /* padded with spaces */
#define MAX_LEN 65536

static char buf[MAX_LEN], want[MAX_LEN];

static struct addrinfo *resolve(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *ai;

	if (!getaddrinfo(host, port, &hints, &ai))
		return ai;
	fprintf(stderr, "udp: bad address '%s' or port '%s'\n", host, port);
	exit(2);
}

static int serve(const char *port, const char *name, const char *addr)
{
	struct addrinfo *ai = resolve(addr, port);
	int fd = socket(ai->ai_family, SOCK_DGRAM, 0), size = 4 << 20;
	char padded[NAME_LEN + 1];

	snprintf(padded, sizeof(padded), "%-*s", NAME_LEN, name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen)) {
		perror("udp: bind");
		return 1;
	}
	memcpy(buf, padded, NAME_LEN);
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf + NAME_LEN, sizeof(buf) - NAME_LEN, 0,
				     (struct sockaddr *)&from, &len);

		/* an ICMP error of an earlier answer shows up here as well */
		if (n >= 0 && sendto(fd, buf, n + NAME_LEN, 0, (struct sockaddr *)&from, len) < 0)
			perror("udp: sendto");
	}
}

/*
 * from: the port to send from; 0 = the kernel's choice, which may be one that a live connection
 * has.
 */
static int open_to(const char *host, const char *port, int df, int from)
{
	struct sockaddr_in6 own6 = { .sin6_family = AF_INET6, .sin6_port = htons(from) };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(from) };
	struct addrinfo *ai = resolve(host, port);
	int fd, on = df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;

	fd = socket(ai->ai_family, SOCK_DGRAM, 0);
	if (ai->ai_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &on, sizeof(on));
	if (from && (ai->ai_family == AF_INET ? bind(fd, (struct sockaddr *)&own, sizeof(own))
					      : bind(fd, (struct sockaddr *)&own6, sizeof(own6)))) {
		perror("udp: bind");
		exit(1);
	}
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen)) {
		perror("udp: connect");
		exit(1);
	}
	freeaddrinfo(ai);
	return fd;
}

/*
 * One question and its answer; prints the name, or why there is none. Returns 1 if it is not right.
 */
static int ask_once(int fd, int serial, size_t length, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (size_t i = 0; i < length; i++)
		want[i] = 'a' + (serial + i) % 23;
	if (send(fd, want, length, 0) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (poll(&p, 1, wait_ms) <= 0) {
		puts("timeout");
		return 1;
	}
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if ((size_t)n != length + NAME_LEN || memcmp(buf + NAME_LEN, want, length)) {
		puts("different");
		return 1;
	}
	printf("%.*s\n", (int)strcspn(buf, " "), buf);
	return 0;
}

int main(int argc, char **argv)
{
	int count = 1, same = 0, df = 0, wait_ms = 2000, pause_ms = 0, from = 0, fd = -1, bad = 0;
	size_t length = 16;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "serve"))
		return serve(argv[2], argv[3], argc == 5 ? argv[4] : "::");
	if (argc < 2 || strcmp(argv[1], "ask"))
		goto usage;
	optind = 2;
	while ((c = getopt(argc, argv, "c:i:l:p:w:sd")) != -1) {
		switch (c) {
		case 'c':
			count = atoi(optarg);
			break;
		case 'i':
			pause_ms = atoi(optarg);
			break;
		case 'l':
			length = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			from = atoi(optarg);
			break;
		case 'w':
			wait_ms = atoi(optarg);
			break;
		case 's':
			same = 1;
			break;
		case 'd':
			df = 1;
			break;
		default:
			goto usage;
		}
	}
	if (argc - optind != 2 || length > MAX_LEN - NAME_LEN)
		goto usage;
	for (int i = 0; i < count; i++) {
		if (fd < 0 || !same) {
			if (fd >= 0)
				close(fd);
			fd = open_to(argv[optind], argv[optind + 1], df, from ? from + i : 0);
		}
		bad |= ask_once(fd, i, length, wait_ms);
		if (pause_ms)
			usleep(1000 * pause_ms);
	}
	return bad;
usage:
	fputs("usage: udp serve PORT NAME [ADDRESS] | udp ask [-c COUNT] [-i MS] [-l LENGTH] [-p PORT] [-w MS] [-s] [-d] ADDRESS PORT\n",
	      stderr);
	return 2;
}
