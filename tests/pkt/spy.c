/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device and neighbour a packet was redirected to, against what its new addresses ask for. */
#include "env.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "spy.h"
#include "spy.skel.h"

static int silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

void spy_open(struct env *t)
{
	libbpf_print_fn_t loud = libbpf_set_print(silent);
	struct spy_bpf *spy = spy_bpf__open();
	int r = -errno;

	if (spy) {
		spy->rodata->spy_thread = gettid();
		r = spy_bpf__load(spy);
		if (!r)
			r = spy_bpf__attach(spy);
	}
	libbpf_set_print(loud);
	t->spy_why = -r;
	if (r)
		spy_bpf__destroy(spy);
	else
		t->spy = spy;
}

void spy_close(struct env *t)
{
	spy_bpf__destroy(t->spy);
}

void spy_reset(struct env *t)
{
	if (t->spy)
		memset(&t->spy->bss->spy_last, 0, sizeof(t->spy->bss->spy_last));
}

/* Whose MAC address gets a packet for that address, and on which side. */
static enum who neighbour_towards(struct env *t, const struct pkt_addr *addr, enum side *side)
{
	for (enum who who = DIRECTOR; who < WHO_MAX_; who++) {
		struct pkt_addr a = who_addr(t->af, who);

		if (memcmp(&a, addr, sizeof(a)))
			continue;
		*side = who == SERVER_OUTSIDE ? OUTSIDE : SERVER_SIDE;
		return who == FAR ? ROUTER : who;
	}
	*side = CLIENT_SIDE;
	return GATEWAY;
}

void spy_compare(struct env *t, const char *func, int line, const struct pkt_spec *in,
		 const struct pkt_spec *out)
{
	const struct spy_redirect *seen;
	bool slow, answer;
	struct pkt_addr nh;
	enum side side;
	size_t len = t->af == AF_INET ? 4 : 16;

	if (!t->spy)
		return;
	seen = &t->spy->bss->spy_last;
	if (seen->calls != !!out)
		fail(t, func, line, "redirected %u times, expected %d", seen->calls, !!out);
	if (!seen->calls || !out)
		return;
	/* an answer goes back; what is not touched by the program is the kernel's to address */
	answer = !memcmp(out->smac, in->dmac, 6) && !memcmp(out->dmac, in->smac, 6);
	slow = !answer && !memcmp(out->dmac, in->dmac, 6);
	nh = who_addr(t->af, neighbour_towards(t, &out->dst, &side));
	if (answer || !slow)
		for (side = CLIENT_SIDE; side < SIDE_MAX_; side++)
			if (!memcmp(side_mac(side), out->smac, 6))
				break;
	if (side == SIDE_MAX_ || seen->ifindex != t->ifindex[side])
		fail(t, func, line, "redirected to device %u, expected %u", seen->ifindex,
		     side == SIDE_MAX_ ? 0 : t->ifindex[side]);
	if (seen->by_neighbour != slow)
		fail(t, func, line, "redirected by %s",
		     slow ? "MAC, not by neighbour" : "neighbour, not by MAC");
	if (slow && (seen->nh.nh_family != (__u32)t->af || memcmp(seen->nh.ipv6_nh, &nh, len)))
		fail(t, func, line, "redirected to another neighbour than expected");
}
