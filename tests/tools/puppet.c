/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client and a server on strings: one process does what a script says, line by line, where
 * starting a program for each step would cost a guest too much. TCP and UDP, IPv4 and IPv6.
 *   puppet serve PORT NAME    what it understands: see obey()
 *   puppet play IN OUT        commands from the fifo IN, one line of answer each to the fifo OUT: see main()
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENDS 256
#define LINE 512
#define WAIT_MS 4000 /* a lost packet has been sent again by then */

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct end {
	int fd, type;
	union addr peer; /* the server's only UDP stream: whom it is for */
	char buf[LINE];	 /* what came after the last whole line */
	size_t fill;
	int left, every; /* of a stream: lines, and the time between them */
	int sent, eof;
	long long next;
};

static struct end ends[MAX_ENDS];
static const char *name;
static unsigned int heard;

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static socklen_t parse(const char *host, const char *port, union addr *to)
{
	memset(to, 0, sizeof(*to));
	to->in.sin_port = htons(atoi(port)); /* at the same place in both families */
	if (inet_pton(AF_INET, host, &to->in.sin_addr) == 1) {
		to->in.sin_family = AF_INET;
		return sizeof(to->in);
	}
	memset(&to->in.sin_addr, 0, sizeof(to->in.sin_addr));
	to->in6.sin6_family = AF_INET6;
	return inet_pton(AF_INET6, host, &to->in6.sin6_addr) == 1 ? sizeof(to->in6) : 0;
}

static void put(struct end *e, const char *text)
{
	char line[LINE + 2];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	if (e->type == SOCK_DGRAM && e->peer.sa.sa_family)
		(void)!sendto(e->fd, line, n, MSG_NOSIGNAL, &e->peer.sa, sizeof(e->peer));
	else
		(void)!send(e->fd, line, n, MSG_NOSIGNAL);
}

static void shut(struct end *e, int reset)
{
	struct linger hard = { .l_onoff = 1 };

	if (reset)
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(e->fd);
	memset(e, 0, sizeof(*e));
	e->fd = -1;
}

static void tell_peer(struct end *e)
{
	char host[INET6_ADDRSTRLEN], text[LINE];
	union addr who = e->peer;
	socklen_t len = sizeof(who);

	if (e->type == SOCK_STREAM)
		getpeername(e->fd, &who.sa, &len);
	inet_ntop(AF_INET6, &who.in6.sin6_addr, host, sizeof(host));
	snprintf(text, sizeof(text), "%s %d", strncmp(host, "::ffff:", 7) ? host : host + 7,
		 ntohs(who.in6.sin6_port));
	put(e, text);
}

/* What a client may ask of the server. */
static void obey(struct end *e, const char *line)
{
	char text[32];

	heard++;
	if (sscanf(line, "stream %d %d", &e->left, &e->every) == 2) {
		e->sent = 0;
		e->next = now_ms();
	} else if (!strcmp(line, "lines")) {
		snprintf(text, sizeof(text), "%u", heard);
		put(e, text);
	} else if (!strcmp(line, "peer")) {
		tell_peer(e);
	} else if (!strcmp(line, "fin")) {
		shutdown(e->fd, SHUT_WR);
	} else if (!strcmp(line, "rst")) {
		shut(e, 1);
	} else if (strcmp(line, "hush")) {
		put(e, name);
	}
}

/* One whole line out of what has come, or 0. */
static int line_of(struct end *e, char *line)
{
	char *nl = memchr(e->buf, '\n', e->fill);
	size_t n;

	if (!nl && e->fill < sizeof(e->buf))
		return 0;
	n = nl ? (size_t)(nl - e->buf) : sizeof(e->buf) - 1;
	memcpy(line, e->buf, n);
	line[n] = 0;
	e->fill -= n + 1;
	memmove(e->buf, e->buf + n + 1, e->fill);
	return 1;
}

static ssize_t fill(struct end *e)
{
	socklen_t len = sizeof(e->peer);
	ssize_t n;

	if (e->type == SOCK_DGRAM && name) {
		n = recvfrom(e->fd, e->buf, sizeof(e->buf), 0, &e->peer.sa, &len);
		/* the first line says it all: a SIP message has more of them */
		e->fill = 0;
	} else {
		n = recv(e->fd, e->buf + e->fill, sizeof(e->buf) - e->fill, 0);
	}
	if (n > 0)
		e->fill += n;
	return n;
}

static void serve_one(struct end *e)
{
	char line[LINE];
	ssize_t n = fill(e);

	if (n < 0 && e->type == SOCK_STREAM)
		return shut(e, 0);
	if (n == 0 && e->type == SOCK_STREAM)
		e->eof = 1;
	while (e->fd >= 0 && line_of(e, line)) {
		obey(e, line);
		if (e->type == SOCK_DGRAM)
			e->fill = 0;
	}
	if (e->fd >= 0 && e->eof && !e->left)
		shut(e, 0);
}

static void stream_one(struct end *e)
{
	char text[16];

	if (now_ms() < e->next)
		return;
	snprintf(text, sizeof(text), "%d", ++e->sent);
	put(e, text);
	e->next += e->every;
	if (!--e->left && e->eof)
		shut(e, 0);
}

static int serve(int port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct pollfd p[MAX_ENDS];
	int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);

	ends[0] = (struct end){ .fd = fd, .type = SOCK_STREAM };
	ends[1] = (struct end){ .fd = socket(AF_INET6, SOCK_DGRAM, 0), .type = SOCK_DGRAM };
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&any, sizeof(any)) || bind(ends[1].fd, (void *)&any, sizeof(any)) ||
	    listen(fd, 128))
		return perror("puppet: bind"), 1;
	for (;;) {
		int streams = 0;

		for (int i = 0; i < MAX_ENDS; i++) {
			p[i] = (struct pollfd){ .fd = ends[i].eof ? -1 : ends[i].fd,
						.events = POLLIN };
			streams += ends[i].left > 0;
		}
		poll(p, MAX_ENDS, streams ? 20 : -1);
		for (int i = 1; i < MAX_ENDS; i++) {
			if (p[i].fd >= 0 && p[i].revents)
				serve_one(&ends[i]);
			if (ends[i].left > 0)
				stream_one(&ends[i]);
		}
		for (int i = 2; i < MAX_ENDS && p[0].revents; i++) {
			if (ends[i].fd >= 0)
				continue;
			ends[i] = (struct end){ .fd = accept(fd, NULL, NULL), .type = SOCK_STREAM };
			setsockopt(ends[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			break;
		}
	}
}

/* Waits for a line: the line itself, or EOF, timeout, or the error's name. */
static const char *hear(struct end *e, char *line, int ms)
{
	long long end = now_ms() + ms;

	while (!line_of(e, line)) {
		struct pollfd p = { .fd = e->fd, .events = POLLIN };
		long long left = end - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, left) <= 0)
			return "timeout";
		n = fill(e);
		if (n <= 0)
			return n ? strerrorname_np(errno) : "EOF";
	}
	return line;
}

/* tcp|udp ID ADDRESS PORT [SOURCE [SOURCE_PORT]] */
static const char *dial(struct end *e, int type, char **w, int words)
{
	union addr to, from;
	struct pollfd p;
	socklen_t len, fromlen;
	int on = 1, err = 0;

	if (words < 4 || !(len = parse(w[2], w[3], &to)))
		return "what?";
	*e = (struct end){ .fd = socket(to.sa.sa_family, type, 0), .type = type };
	setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (words > 4) {
		fromlen = parse(w[4], words > 5 ? w[5] : "0", &from);
		if (!fromlen || bind(e->fd, &from.sa, fromlen))
			return strerrorname_np(errno);
	}
	fcntl(e->fd, F_SETFL, O_NONBLOCK);
	if (connect(e->fd, &to.sa, len) && errno != EINPROGRESS)
		err = errno;
	p = (struct pollfd){ .fd = e->fd, .events = POLLOUT };
	len = sizeof(err);
	if (!err && poll(&p, 1, WAIT_MS) <= 0)
		err = ETIMEDOUT;
	if (!err)
		getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	fcntl(e->fd, F_SETFL, 0);
	setsockopt(e->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (err)
		shut(e, 1);
	return err ? strerrorname_np(err) : "ok";
}

/* pace ID COUNT MS [WORD]: that many questions; how many were answered, and what ended it early. */
static const char *pace(struct end *e, int count, int ms, const char *word, char *line)
{
	static char said[64];
	char got[LINE];

	for (int i = 0; i < count; i++) {
		const char *answer;

		put(e, word);
		answer = hear(e, got, WAIT_MS);
		if (answer != got) {
			snprintf(said, sizeof(said), "%d %s", i, answer);
			return said;
		}
		usleep(ms * 1000);
	}
	snprintf(line, LINE, "%d", count);
	return line;
}

/* drain ID: lines until there is something else, and what that was. */
static const char *drain(struct end *e, char *line)
{
	const char *answer;
	int n = 0;

	while ((answer = hear(e, line, WAIT_MS)) == line)
		n++;
	snprintf(line, LINE, "%d %s", n, answer);
	return line;
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && (s[1] == 'n' || s[1] == 'r' || s[1] == 's')) {
			*to++ = s[1] == 'n' ? '\n' : s[1] == 'r' ? '\r' : ' ';
			s++;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

static const char *play(char **w, int words, char *line)
{
	int id = words > 1 ? atoi(w[1]) : -1;
	struct end *e;

	if (id < 0 || id >= MAX_ENDS)
		return "what?";
	e = &ends[id];
	if (!strcmp(w[0], "tcp") || !strcmp(w[0], "udp"))
		return dial(e, w[0][0] == 't' ? SOCK_STREAM : SOCK_DGRAM, w, words);
	if (e->fd < 0)
		return "closed";
	if (!strcmp(w[0], "ask") || !strcmp(w[0], "say")) {
		if (words > 2)
			unescape(w[2]);
		put(e, words > 2 ? w[2] : "who");
		return w[0][0] == 's' ? "ok" : hear(e, line, WAIT_MS);
	}
	if (!strcmp(w[0], "hear"))
		return hear(e, line, words > 2 ? atoi(w[2]) : WAIT_MS);
	if (!strcmp(w[0], "drain"))
		return drain(e, line);
	if (!strcmp(w[0], "pace") && words > 3)
		return pace(e, atoi(w[2]), atoi(w[3]), words > 4 ? w[4] : "who", line);
	if (!strcmp(w[0], "push") && words > 3) {
		for (int i = 0; i < atoi(w[2]); i++) {
			put(e, "hush");
			usleep(atoi(w[3]) * 1000);
		}
		return "ok";
	}
	if (!strcmp(w[0], "fin"))
		return shutdown(e->fd, SHUT_WR) ? strerrorname_np(errno) : "ok";
	if (!strcmp(w[0], "rst") || !strcmp(w[0], "close"))
		return shut(e, w[0][0] == 'r'), "ok";
	return "what?";
}

int main(int argc, char **argv)
{
	char in[4096], line[LINE], *w[8];
	FILE *from, *to;

	for (int i = 0; i < MAX_ENDS; i++)
		ends[i].fd = -1;
	if (argc == 4 && !strcmp(argv[1], "serve")) {
		name = argv[3];
		return serve(atoi(argv[2]));
	}
	if (argc != 4 || strcmp(argv[1], "play") || !(from = fopen(argv[2], "r")) ||
	    !(to = fopen(argv[3], "w"))) {
		fputs("usage: puppet serve PORT NAME | puppet play IN OUT\n", stderr);
		return 2;
	}
	while (fgets(in, sizeof(in), from)) {
		int words = 0;

		for (char *s = strtok(in, " \n"); s && words < 8; s = strtok(NULL, " \n"))
			w[words++] = s;
		fprintf(to, "%s\n", words ? play(w, words, line) : "");
		fflush(to);
	}
	return 0;
}
