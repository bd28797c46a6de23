/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends one packet through the program and compares verdict, bytes and every counter. */
#include "env.h"

#include <errno.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

static const char *const reason_names[IVB_R_MAX_] = {
	"none",
#define IVB_PASS(name, help) #name,
#define IVB_DROP(name, help) #name,
#define IVB_SENT(name, help) #name,
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
};

static unsigned int gso_size;

void gso(unsigned int size)
{
	gso_size = size;
}

void fail(struct env *t, const char *func, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!t->failed++)
		diag("IPv%d, %s:", t->af == AF_INET ? 4 : 6, t->title);
	diag("  %s():%d: %s", func, line, text);
}

struct pkt_spec from(struct env *t, enum side side, enum who src, uint16_t sport, enum who dst,
		     uint16_t dport)
{
	struct pkt_spec spec = {
		.af = t->af,
		.src = who_addr(t->af, src),
		.dst = who_addr(t->af, dst),
		.ttl = 64,
		.id = 0x3039,
		.df = true,
		.proto = IPPROTO_TCP,
		.flags = TCP_ACK,
		.seq = 1000,
		.ack = 2000,
		.sport = sport,
		.dport = dport,
		.payload_len = 17,
		.seed = 3,
	};

	memcpy(spec.dmac, side_mac(side), 6);
	memcpy(spec.smac, who_mac(side == CLIENT_SIDE ? GATEWAY : src), 6);
	return spec;
}

struct pkt_spec translated(struct env *t, const struct pkt_spec *in, enum who src, uint16_t sport,
			   enum who dst, uint16_t dport)
{
	struct pkt_spec out = *in;

	out.src = who_addr(t->af, src);
	out.dst = who_addr(t->af, dst);
	out.sport = sport;
	out.dport = dport;
	out.ttl--;
	return out;
}

struct pkt_spec by_way_of(struct pkt_spec spec, enum side side, enum who neighbour)
{
	memcpy(spec.smac, side_mac(side), 6);
	memcpy(spec.dmac, who_mac(neighbour), 6);
	return spec;
}

static const char *verdict_name(int verdict)
{
	switch (verdict) {
	case TC_ACT_UNSPEC:
		return "next";
	case TC_ACT_OK:
		return "ok";
	case TC_ACT_SHOT:
		return "drop";
	case TC_ACT_REDIRECT:
		return "redirect";
	default:
		return "?";
	}
}

/* Exactly the expected reasons have been counted, with the bytes of the frame. */
static void compare_counters(struct env *t, const char *func, int line, struct outcome want,
			     size_t in_len, size_t out_len)
{
	counters_read(t, 1);
	for (int r = 0; r < IVB_R_MAX_; r++) {
		uint64_t packets = t->counters[1][r][0] - t->counters[0][r][0];
		uint64_t bytes = t->counters[1][r][1] - t->counters[0][r][1];
		bool due = r && (r == (int)want.reason || r == (int)want.also);
		size_t len = r == IVB_R_ICMP_SENT ? out_len : in_len;

		if (packets != due)
			fail(t, func, line, "reason %s counted %u times, expected %d",
			     reason_names[r], (unsigned int)packets, due);
		else if (due && bytes != len)
			fail(t, func, line, "reason %s counted %u bytes, expected %zu",
			     reason_names[r], (unsigned int)bytes, len);
		if (due && packets)
			t->covered[r] = true;
	}
	memcpy(t->counters[0], t->counters[1], sizeof(t->counters[0]));
}

#define REFUSED -1000
#define OTHERS_MARK 0x5eed /* skb->mark is other software's */

/* Returns the verdict, or REFUSED if the kernel does not take the packet (at most 3 kB). */
static int run(struct env *t, const struct pkt *in, enum side side, struct pkt *got)
{
	struct __sk_buff ctx = { .ifindex = t->ifindex[side],
				 .ingress_ifindex = t->iif,
				 .mark = OTHERS_MARK };
	struct __sk_buff after = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data, .data_size_in = in->len,
		    .data_out = got->data, .data_size_out = sizeof(got->data), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &after, .ctx_size_out = sizeof(after),
		    .repeat = 1);

	if (gso_size) {
		ctx.gso_size = gso_size;
		ctx.gso_segs = (in->len + gso_size - 1) / gso_size;
	}
	if (bpf_prog_test_run_opts(enter_prepare(t), &opts)) {
		fail(t, __func__, __LINE__, "test run: %s", strerror(errno));
		return REFUSED;
	}
	if (after.mark != OTHERS_MARK)
		fail(t, __func__, __LINE__, "skb->mark has become %#x", after.mark);
	got->len = opts.data_size_out;
	return (int)opts.retval;
}

static enum side side_of(const struct env *t, const struct pkt_spec *spec)
{
	if (t->how.prog == ENTER_EGRESS)
		return t->out;
	for (enum side s = CLIENT_SIDE; s < SIDE_MAX_; s++)
		if (!memcmp(spec->dmac, side_mac(s), 6))
			return s;
	return CLIENT_SIDE;
}

void xmit_raw(struct env *t, const char *func, int line, const struct pkt *in, enum side side,
	      const struct pkt *out, struct outcome want)
{
	static struct pkt got;
	int verdict = run(t, in, side, &got);

	if (verdict == REFUSED)
		return;
	if (verdict != want.verdict)
		fail(t, func, line, "verdict %s, expected %s", verdict_name(verdict),
		     verdict_name(want.verdict));
	if (verdict != TC_ACT_SHOT && !pkt_same(&got, out))
		fail(t, func, line, "another packet than expected, see above");
	compare_counters(t, func, line, want, in->len, got.len);
}

void xmit(struct env *t, const char *func, int line, const struct pkt_spec *in, struct outcome want)
{
	static struct pkt frame, out;

	pkt_build(&frame, in);
	pkt_build(&out, want.out ? want.out : in);
	spy_reset(t);
	xmit_raw(t, func, line, &frame, side_of(t, in), &out, want);
	spy_compare(t, func, line, in, want.verdict == TC_ACT_REDIRECT ? want.out : NULL);
}

void send_blind(struct env *t, const struct pkt_spec *in)
{
	send_verdict(t, in, TC_ACT_REDIRECT);
}

void send_verdict(struct env *t, const struct pkt_spec *in, int verdict)
{
	struct outcome want = { verdict, NULL, IVB_R_NONE, IVB_R_NONE };
	static struct pkt frame, got;

	pkt_build(&frame, in);
	check_int(t, run(t, &frame, side_of(t, in), &got), want.verdict, "verdict");
	compare_counters(t, __func__, __LINE__, want, frame.len, got.len);
}

void send_counting(struct env *t, const struct pkt_spec *in, enum ivb_reason reason_a, uint32_t *a,
		   enum ivb_reason reason_b, uint32_t *b)
{
	static struct pkt frame, got;

	pkt_build(&frame, in);
	run(t, &frame, side_of(t, in), &got);
	counters_read(t, 1);
	*a += t->counters[1][reason_a][0] - t->counters[0][reason_a][0];
	*b += t->counters[1][reason_b][0] - t->counters[0][reason_b][0];
	memcpy(t->counters[0], t->counters[1], sizeof(t->counters[0]));
}
