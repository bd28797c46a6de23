/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf status, for people. */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/addr.h"
#include "cli/status/status_int.h"
#include "dp/attach/attached.h"
#include "dp/follow/hooks.h"
#include "dp/load/build.h"
#include "dp/report/info.h"
#include "dp/report/port_use.h"
#include "dp/report/reason.h"
#include "dp/verify/verify.h"
#include "model/names.h"
#include "nl/notrack.h"

#define RANGES_SHOWN 4 /* ranges of ports, without --verbose */

static const char *dev_name(const struct ivb_attachment *a, char *buf, size_t size)
{
	if (a->name[0])
		snprintf(buf, size, "%s", a->name);
	else
		snprintf(buf, size, "#%u", a->ifindex);
	return buf;
}

static void print_devs(const struct ivb_status *s)
{
	char name[IF_NAMESIZE];
	size_t i;

	printf("devices: %s\n", s->num_devs ? "" : "none");
	for (i = 0; i < s->num_devs; i++)
		printf("  %-15s zone %-4u %-6s %s\n", dev_name(&s->devs[i], name, sizeof(name)),
		       s->devs[i].zone, ivb_attached_by(s->devs[i].kind),
		       ivb_status_devs[s->devs[i].state].text);
}

/* Options of `up` that are no yes or no, as they are now. */
static void print_snat(const struct ivb_status *s)
{
	const struct ivb_config *c = &s->info.config;
	char text[IVB_ADDR_LEN + 8];
	size_t i, n;

	printf("SNAT by");
	for (i = 0; i < 2; i++) {
		for (n = 0; n < c->num_snat_addrs[i]; n++)
			printf(" %s", ivb_addr_fmt(text, sizeof(text), i ? AF_INET6 : AF_INET,
						   &c->snat_addrs[i][n]));
		if (!c->num_snat_addrs[i])
			printf(" each server's route (%s)",
			       ivb_family_name(i ? AF_INET6 : AF_INET));
	}
	printf("; ports");
	for (i = 0; i < s->snat.num_ranges && (i < RANGES_SHOWN || s->verbose); i++)
		printf(" %u-%u", s->snat.ranges[i].lo, s->snat.ranges[i].hi);
	printf("%s", i < s->snat.num_ranges ? " ..." : i ? "" : " none");
	for (i = 0; i < s->snat.num_prefixes; i++)
		printf("%s %s", i ? "" : "; --non-masq",
		       ivb_status_words_prefix(text, sizeof(text), &s->snat.prefixes[i]));
	putchar('\n');
}

static void print_build(const struct ivb_status *s)
{
	printf("programs: %s%s%s%s\n", s->build[0] ? s->build : "of several builds",
	       ivb_build_name_is_own(s->build) ? "" : ", and this command has those of ",
	       ivb_build_name_is_own(s->build) ? "" : ivb_build_own(),
	       ivb_build_name_is_own(s->build)
		       ? ""
		       : ": `ipvs-bpf up` puts them in place, and cuts nothing");
}

/* A device without the egress program: packets that kernel IPVS sends there get no SNAT. */
static void print_ipvs(const struct ivb_status *s)
{
	char name[IF_NAMESIZE];
	size_t i;

	if (!(s->info.config.flags & IVB_CONFIG_IPVS) && s->hooks == IVB_HOOKS_NONE)
		return;
	printf("ipvs engine: %s", ivb_status_hooks[s->hooks].text);
	if (s->hooks == IVB_HOOKS_ALL)
		printf(", which has %zu service%s", s->kernel_services,
		       s->kernel_services == 1 ? "" : "s");
	putchar('\n');
	for (i = 0; i < s->num_devs; i++) {
		if (s->devs[i].state == IVB_ATTACHED && !s->devs[i].egress)
			printf("  %s: the egress program is missing; attach it again with `ipvs-bpf up`\n",
			       dev_name(&s->devs[i], name, sizeof(name)));
	}
}

/* After print_ipvs(): 0 and errors alike are what has to be mended. */
static void print_notrack(const struct ivb_status *s)
{
	if (s->info.config.flags & IVB_CONFIG_NOTRACK)
		printf("notrack: %s\n",
		       s->hooks == IVB_HOOKS_NONE
			       ? "on; its rules are made when there is something to follow"
		       : s->notrack == 1
			       ? "on, by the nftables tables " IVB_NOTRACK_TABLE " (ip and ip6)"
			       : "on, BUT ITS RULES ARE GONE: make them again with `ipvs-bpf up`");
}

static void print_families(const struct ivb_status *s)
{
	int i;

	puts("connections:");
	for (i = 0; i < 2; i++) {
		const struct ivb_family_info *f = &s->info.families[i];
		const char *family = ivb_family_name(i ? AF_INET6 : AF_INET);

		if (!f->on) {
			printf("  %s  none (room for %u will be made with the first %s service)\n",
			       family, f->max_conns, family);
			continue;
		}
		printf("  %s  %u of %u; half-open %u of %u, evicted so far: %llu; expired so far: %llu",
		       family, f->conns, f->max_conns, f->half_open, f->max_half_open, f->evicted,
		       f->sweep.expired);
		if (f->sweep_running)
			printf("; expiry timer runs (last %u ms ago; longest run %llu us)\n",
			       f->sweep_age_ms, f->sweep.longest / 1000);
		else if (f->by_packets && f->sweep.by_packets)
			printf("; expiry: by packets, as there is no timer (last %u ms ago); `ipvs-bpf up` tries for one\n",
			       f->sweep_age_ms);
		else if (f->by_packets)
			puts("; expiry: by packets, as there is no timer; `ipvs-bpf up` tries for one");
		else
			printf("; EXPIRY TIMER DOES NOT RUN (last %u ms ago): start it with `ipvs-bpf up`\n",
			       f->sweep_age_ms);
	}
}

static void print_counters(const struct ivb_status *s)
{
	static const char *const titles[] = {
		[IVB_REASON_PASS] = "left to the stack (packets, bytes):",
		[IVB_REASON_DROP] = "dropped (packets, bytes):",
		[IVB_REASON_SENT] = "sent:",
	};
	int kind, i, last = -1;
	char name[32];

	for (kind = IVB_REASON_PASS; kind <= IVB_REASON_SENT; kind++) {
		for (i = 1; i < IVB_R_MAX_; i++) {
			const struct ivb_counter *c = &s->info.counters[i];

			if ((int)ivb_reasons[i].kind != kind || (!c->packets && !s->verbose))
				continue;
			if (last != kind)
				puts(titles[kind]);
			last = kind;
			printf("  %-16s %10llu %14llu  %s\n",
			       ivb_reason_name((enum ivb_reason)i, name, sizeof(name)), c->packets,
			       c->bytes, ivb_reasons[i].help);
		}
	}
	if (last < 0)
		puts("nothing was dropped or left to the stack");
}

#define PORTS_WORTH_SAYING 10 /* percent, of live connections */

/* Before they are exhausted, that is. */
static void print_ports(const struct ivb_status *s)
{
	char from[IVB_ADDR_LEN], to[IVB_ADDRPORT_LEN];
	unsigned int percent;
	bool head = false;
	size_t i;

	for (i = 0; i < s->num_ports; i++) {
		const struct ivb_port_use *u = &s->ports[i];

		percent = ivb_port_use_percent(u);
		if (percent < PORTS_WORTH_SAYING && !s->verbose)
			continue;
		if (!head)
			puts("SNAT ports in use towards a server:");
		head = true;
		printf("  %s > %s %s: %u of %u (%u %%), and %u by connections that have ended%s\n",
		       ivb_addr_fmt(from, sizeof(from), u->key.af, &u->key.saddr),
		       ivb_addrport_fmt(to, sizeof(to), u->key.af, &u->key.daddr, u->key.dport),
		       ivb_proto_name(u->key.proto), u->used - u->ended, u->ports, percent,
		       u->ended,
		       percent >= IVB_PORTS_SHORT
			       ? "; RUNNING SHORT: more addresses (`ipvs-bpf up --snat-addr`) help"
			       : "");
	}
}

static void print_verify(const struct ivb_verify *v)
{
	if (v->stale)
		printf("verify: %llu slots have no connection any more and wait for the expiry timer\n",
		       v->stale);
	if (v->unsettled)
		printf("verify: the counts of %llu servers moved too fast to be compared\n",
		       v->unsettled);
	printf("verify: %llu flows, %llu connections, %llu problems\n", v->flows, v->connections,
	       v->problems);
}

static void print_finding(const char *text, void *arg)
{
	(void)arg;
	printf("WARNING: %s\n", text);
}

void ivb_status_print_text(const struct ivb_status *s)
{
	const struct ivb_findings find = { print_finding, NULL };
	const struct ivb_status_flag *f;
	const struct ivb_info *i = &s->info;

	printf("instance %s: %u services of adm, %u servers", s->cli->instance, i->num_services,
	       i->num_dests);
	if (i->num_removed)
		printf(" (and %u removed ones with connections)", i->num_removed);
	printf("; SNAT %s, %u ports%s", ivb_snat_name(i->config.snat), i->config.num_snat_ports,
	       i->config.flags & IVB_CONFIG_HOST_PORTS ? " (but those of this host's sockets)"
						       : "");
	for (f = ivb_status_flags; f->option; f++) {
		if (f->text && i->config.flags & f->flag)
			printf("; %s", f->text);
	}
	puts(i->config.flags & IVB_CONFIG_DRAIN ? "; DRAINING, no new connections" : "");
	print_snat(s);
	print_build(s);
	print_devs(s);
	print_ipvs(s);
	print_notrack(s);
	ivb_status_find(s, &find);
	print_families(s);
	print_ports(s);
	print_counters(s);
	if (s->verify_too)
		print_verify(&s->verify);
}
