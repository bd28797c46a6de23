/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pkt tier: the real programs under BPF_PROG_TEST_RUN, one packet at a time. Every packet's
 * verdict, whole content and all counters are compared; after every case the flows are verified.
 * `pkt WORD` runs the cases whose titles contain WORD; `pkt --list` prints the titles.
 */
#include <errno.h>
#include <unistd.h>

#include "env.h"
#include "tap.h"

static const struct test_case *const suites[] = {
	cases_pass,	   cases_conn,	  cases_snat,	     cases_sched,
	cases_tcp,	   cases_forward, cases_frag,	     cases_icmp,
	cases_time,	   cases_kernel,  cases_kernel_frag, cases_follow,
	cases_follow_snat, cases_direct,  cases_tunnel,	     cases_flood,
};

/* Reasons that no packet of a test run can bring about. */
static const char *not_coverable(int reason)
{
	switch (reason) {
	case IVB_R_REWRITE:
		return "needs the kernel to run out of memory";
	case IVB_R_SNAT_UNKNOWN:
		return "needs an sk_buff that kernel IPVS has handled";
	default:
		return NULL;
	}
}

static void run_case(struct env *t, const struct test_case *c, int af)
{
	t->af = af;
	t->title = c->title;
	env_reset(t);
	c->run(t);
	verify(t);
	ok(!t->failed, "IPv%d: %s", af == AF_INET ? 4 : 6, c->title);
}

static void reasons_covered(const struct env *t)
{
	static const char *const names[IVB_R_MAX_] = {
		"",
#define IVB_PASS(name, help) #name,
#define IVB_DROP(name, help) #name,
#define IVB_SENT(name, help) #name,
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
	};

	for (int r = 1; r < IVB_R_MAX_; r++) {
		const char *why = not_coverable(r);

		if (why)
			skip("reason %s: %s", names[r], why);
		else
			ok(t->covered[r], "reason %s has been seen", names[r]);
	}
}

static void list(void)
{
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++)
		for (const struct test_case *c = suites[s]; c->title; c++)
			puts(c->title);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct env t = { 0 };

	if (!strcmp(word, "--list")) {
		list();
		return 0;
	}
	if (geteuid())
		bail("needs root: a network namespace, and BPF programs");
	env_network(&t);
	env_load(&t);
	enter_open(&t);
	spy_open(&t);
	if (t.spy)
		ok(true, "devices and neighbours of redirects are looked at");
	else
		skip("devices and neighbours of redirects: no fentry here (%s)",
		     strerror(t.spy_why));
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++) {
		for (const struct test_case *c = suites[s]; c->title; c++) {
			if (!strstr(c->title, word))
				continue;
			if (c->families & V4)
				run_case(&t, c, AF_INET);
			if (c->families & V6)
				run_case(&t, c, AF_INET6);
		}
	}
	if (!*word)
		reasons_covered(&t);
	spy_close(&t);
	enter_close(&t);
	env_close(&t);
	return done_testing();
}
