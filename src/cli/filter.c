/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user wants to see, parsed and compared, and shown again. */
#include "cli/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/num.h"
#include "dp/report/conns.h"

#define SECONDS 2
#define AF_BITS 32 /* bits of ivb_prefix.prefixlen before the address's own */

/* ADDRESS, ADDRESS:PORT, [IPV6]:PORT. -EINVAL. */
static int end_parse(struct ivb_filter_end *ret, const char *s)
{
	struct ivb_filter_end e = { .set = true };
	bool has_port;
	int r = ivb_addrport_parse(s, &e.af, &e.addr, &e.port, &has_port);

	if (!r)
		*ret = e;
	return r;
}

int ivb_filter_state_parse(__u32 *ret, const char *s)
{
	__u32 i;

	for (i = 0; i < IVB_S_MAX_; i++) {
		if (!strcasecmp(s, ivb_conn_state_name(i))) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

int ivb_filter_client_parse(struct ivb_prefix *ret, const char *s)
{
	struct ivb_prefix p = { 0 };
	__u32 len;
	__u8 af;
	int r = ivb_addr_prefix_parse(s, &af, &p.addr, &len);

	if (r)
		return -EINVAL;
	p.af = af;
	p.prefixlen = AF_BITS + len;
	*ret = p;
	return 0;
}

/* The place of value among names, which NULL ends. -EINVAL. */
static int sort_parse(int *ret, const char *const *names, const char *value)
{
	int i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(value, names[i])) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

int ivb_filter_seconds_parse(__u32 *ret, const char *value)
{
	if (value)
		return ivb_num_u32_parse(ret, value, 1, 86400);
	*ret = SECONDS;
	return 0;
}

int ivb_filter_set(struct ivb_filter *f, int opt, const char *value)
{
	switch (opt) {
	case IVB_FILTER_SERVICE:
		return end_parse(&f->service, value);
	case IVB_FILTER_SERVER:
		return end_parse(&f->server, value);
	case IVB_FILTER_SORT:
		return sort_parse(&f->sort, f->sorts, value);
	case IVB_FILTER_WATCH:
		return ivb_filter_seconds_parse(&f->watch, value);
	}
	return -EINVAL;
}

int ivb_filter_watch(const struct ivb_cli *cli, bool again, __u32 pause,
		     int (*show)(const struct ivb_cli *cli, const void *arg), const void *arg)
{
	int r;

	for (;;) {
		r = show(cli, arg);
		if (r || !again || fflush(stdout))
			return r;
		sleep(pause);
		if (!cli->json)
			putchar('\n');
	}
}

bool ivb_filter_end_is(const struct ivb_filter_end *e, __u8 af, const union ivb_addr *addr,
		       __be16 port)
{
	return !e->set ||
	       (e->af == af && ivb_addr_equal(&e->addr, addr) && (!e->port || e->port == port));
}

static bool client_is(const struct ivb_prefix *p, __u8 af, const union ivb_addr *addr)
{
	__u32 left = p->prefixlen - AF_BITS, i, mask;

	if (!p->prefixlen)
		return true;
	if (p->af != af)
		return false;
	for (i = 0; left; i++) {
		mask = left >= 32 ? ~0u : ~0u << (32 - left);
		if ((ntohl(p->addr.ip6[i]) ^ ntohl(addr->ip6[i])) & mask)
			return false;
		left -= left < 32 ? left : 32;
	}
	return true;
}

bool ivb_filter_conn(const struct ivb_filter *f, const struct ivb_conn_info *c)
{
	return ivb_filter_end_is(&f->service, c->af, &c->vaddr, c->vport) &&
	       ivb_filter_end_is(&f->server, c->af, &c->daddr, c->dport) &&
	       client_is(&f->client, c->af, &c->caddr) &&
	       (f->state == IVB_S_MAX_ || f->state == c->state);
}
