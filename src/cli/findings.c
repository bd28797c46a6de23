/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include <ivb/abi.h>

#include "dp/setup/host.h"
#include "nl/link.h"

static void say(const struct ivb_findings *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(const struct ivb_findings *f, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->say(text, f->arg);
}

/* The device's own switch is the one that the programs' question to the kernel goes by. */
static bool forwarding_is_off(int ip, const char *dev)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/conf/%s/forwarding", ip, dev);
	return !ivb_host_sysctl(path);
}

void ivb_findings_dev(const struct ivb_findings *f, const char *name, __u32 ifindex, bool v6)
{
	struct ivb_link parent;

	if (forwarding_is_off(4, name))
		say(f,
		    "IPv4 forwarding is off on %s, so nothing that comes in by it is carried; turn it on with: "
		    "sysctl -w net.ipv4.ip_forward=1",
		    name);
	if (v6 && forwarding_is_off(6, name))
		say(f,
		    "IPv6 forwarding is off on %s, so no IPv6 that comes in by it is carried; turn it on with: "
		    "sysctl -w net.ipv6.conf.all.forwarding=1",
		    name);
	if (ivb_host_count_ours(ifindex) > 1)
		say(f,
		    "another instance's programs are on %s as well, and only one of two gets a service's "
		    "packets; take one off with: ipvs-bpf --instance NAME down %s",
		    name, name);
	if (ivb_host_is_ipvlan(ifindex, &parent) && !ivb_host_count_ours(parent.ifindex))
		say(f,
		    "%s is an ipvlan device of %s, by which servers' answers to clients come in: attach to that "
		    "as well, with: ipvs-bpf up %s",
		    name, parent.name, parent.name);
}

void ivb_findings_ipvs(const struct ivb_findings *f, __u32 flags)
{
	if (flags & IVB_CONFIG_IPVS && !(flags & IVB_CONFIG_NOTRACK) &&
	    ivb_host_sysctl("/proc/sys/net/ipv4/vs/conntrack") == 1)
		say(f,
		    "net.ipv4.vs.conntrack is 1, so connections of kernel IPVS are left to conntrack and not "
		    "carried; set it to 0, or use `ipvs-bpf up --notrack` (see docs/kube-proxy.md)");
}
