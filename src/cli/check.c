/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf check: can this host do it, and what is to be known before it does. */
#include <errno.h>
#include <json-c/json.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/json.h"
#include "dp/attach/attached.h"
#include "dp/follow/hook_table.h"
#include "dp/instance/instance.h"
#include "dp/report/info.h"
#include "dp/setup/host.h"
#include "nl/ipvs.h"
#include "nl/link.h"
#include "nl/nft.h"
#include "nl/xfrm.h"

enum result {
	OK,
	WARNING, /* works, but the user should know */
	NO,	 /* `up` would fail */
};

struct check {
	const struct ivb_cli *cli;
	char *const *devs; /* devices asked for; none: all that there are */
	int num_devs;
	struct json_object *tests; /* NULL without --json */
	bool failed;
	struct ivb_attachment *attached; /* the instance's devices, if it is up */
	size_t num_attached;
};

static const struct ivb_command_opts command = {
	.command = "check",
	.usage = "[DEV]...",
	.help = "Tells whether `up` would work here, and what would be different from now: OK, warning, or NO\n"
		"with the reason. With DEV: also whether these devices can be attached to. Changes nothing.\n"
		"Exit status 1: `up` would fail.",
};

static void say(struct check *c, const char *test, enum result result, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void say(struct check *c, const char *test, enum result result, const char *fmt, ...)
{
	static const char *const words[] = { [OK] = "OK", [WARNING] = "warning", [NO] = "NO" };
	struct json_object *o;
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->failed = c->failed || result == NO;
	if (!c->tests) {
		printf("%-8s %-11s %s\n", words[result], test, text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "test", json_object_new_string(test));
	json_object_object_add(o, "result", json_object_new_string(words[result]));
	json_object_object_add(o, "text", json_object_new_string(text));
	json_object_array_add(c->tests, o);
}

/* A check of dp's: its error is the answer. */
static void say_check(struct check *c, const char *test, int r, const struct ivb_err *err,
		      const char *fine)
{
	say(c, test, r ? NO : OK, "%s", !r ? fine : err->text[0] ? err->text : strerror(-r));
}

static void check_kernel(struct check *c)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	    (major < 6 || (major == 6 && minor < 1)))
		say(c, "kernel", WARNING, "%s: older than 6.1, the oldest that this is tested on",
		    u.release);
	else
		say(c, "kernel", OK, "%s", u.release);
}

static bool check_btf(struct check *c)
{
	struct ivb_err err = { 0 };
	int r = ivb_host_check_btf(&err);

	say_check(c, "btf", r, &err, "the kernel describes its types");
	return !r;
}

static void check_bpffs(struct check *c)
{
	struct ivb_err err = { 0 };
	int r = ivb_host_check_bpffs(&err);

	say_check(c, "bpffs", r, &err, "mounted");
}

/*
 * How many connections a second a server can get with SNAT from one address: ports / time that each
 * is kept.
 */
static void say_ports(struct check *c, __u32 ports, __u32 seconds, bool looked_up)
{
	say(c, "snat-ports", OK,
	    "%u ports: with SNAT up to %u new TCP connections a second for each address towards one server, if "
	    "each port rests for the %u s of TIME_WAIT; beyond that, ports of ended connections are taken "
	    "sooner; at most %u are open at a time%s",
	    ports, seconds ? ports / seconds : ports, seconds, ports,
	    looked_up ? "; this host's sockets may have them as well, and are looked up for each"
		      : "");
}

static void check_ports(struct check *c, const struct ivb_dp *dp)
{
	_cleanup_free_ struct ivb_info *info = calloc(1, sizeof(*info));
	struct ivb_err err = { 0 };
	__u32 ports;

	if (dp && info && !ivb_info_get(dp, info, &err))
		say_ports(c, info->config.num_snat_ports,
			  info->config.timeouts[IVB_S_TIME_WAIT] / dp->meta.hz,
			  info->config.flags & IVB_CONFIG_HOST_PORTS);
	else if (!ivb_host_snat_ports(&ports, &err))
		say_ports(c, ports, 120, false);
	else
		say(c, "snat-ports", WARNING, "%s", err.text);
}

static void check_instance(struct check *c)
{
	struct ivb_dp *dp __cleanup(ivb_dp_closep) = NULL;
	struct ivb_err err = { 0 };
	int r = ivb_dp_open(&dp, c->cli->instance, IVB_LOCK_SHARED, &err);

	if (r == -ENODEV)
		return; /* no bpffs: said already */
	if (!r)
		say(c, "instance", OK, "%s is up; `up` would add devices to it", c->cli->instance);
	else if (r == -ENOENT)
		say(c, "instance", OK, "%s is not up", c->cli->instance);
	else
		say(c, "instance", NO, "%s", err.text[0] ? err.text : strerror(-r));
	if (!r)
		ivb_attached_list(dp, &c->attached, &c->num_attached, NULL);
	check_ports(c, r ? NULL : dp);
}

static void check_programs(struct check *c)
{
	struct ivb_err err = { 0 };
	int no_timer = 0, r = ivb_host_check_programs(&no_timer, &err);

	say_check(c, "programs", r, &err, "the kernel takes the programs for IPv4 and IPv6");
	if (!r && no_timer)
		say(c, "timer", WARNING,
		    "no expiry timer can be had (%s), so expiry by packets: connections that are over go "
		    "as packets of new ones come",
		    strerror(-no_timer));
	else if (!r)
		say(c, "timer", OK, "the expiry timers start");
}

static void check_attach(struct check *c)
{
	if (ivb_host_has_tcx())
		say(c, "attach", OK, "by tcx");
	else
		say(c, "attach", WARNING,
		    "no tcx (Linux 6.6 and later have it), so by a clsact filter: slower, and gone when "
		    "somebody deletes the device's clsact (`status` tells)");
}

static void check_forwarding(struct check *c)
{
	if (ivb_host_sysctl("/proc/sys/net/ipv4/ip_forward") == 1)
		say(c, "forward4", OK, "IPv4 forwarding is on");
	else
		say(c, "forward4", WARNING,
		    "IPv4 forwarding is off, and packets that come in by a device without it are not "
		    "carried: sysctl -w net.ipv4.ip_forward=1");
	if (ivb_host_sysctl("/proc/sys/net/ipv6/conf/all/forwarding") == 1)
		say(c, "forward6", OK, "IPv6 forwarding is on");
	else
		say(c, "forward6", WARNING,
		    "IPv6 forwarding is off, so no IPv6 service can work: "
		    "sysctl -w net.ipv6.conf.all.forwarding=1");
}

static void check_xfrm(struct check *c)
{
	__u32 n = 0;
	int r = ivb_xfrm_policies(&n);

	if (r)
		say(c, "ipsec", r == -EPERM ? NO : WARNING, "cannot list the IPsec policies: %s",
		    strerror(-r));
	else if (n)
		say(c, "ipsec", NO,
		    "there %s, and what is carried leaves unencrypted; `up` wants --ignore-xfrm if that is not "
		    "meant for it",
		    n == 1 ? "is an IPsec policy" : "are IPsec policies");
	else
		say(c, "ipsec", OK, "no policy");
}

/* The kernel takes the larger of a device's and all's. */
static void check_rp_filter(struct check *c)
{
	struct if_nameindex *ifs = if_nameindex(), *i;
	int all = ivb_host_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter"), v, n = 0;
	char path[128];

	for (i = ifs; i && i->if_index; i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", i->if_name);
		v = ivb_host_sysctl(path);
		n += (v > all ? v : all) > 0;
	}
	if_freenameindex(ifs);
	if (n)
		say(c, "rp_filter", WARNING,
		    "rp_filter is on for %d devices, and does not check what is carried: packets with forged "
		    "sources reach the servers",
		    n);
	else
		say(c, "rp_filter", OK, "off");
}

static bool has_legacy_tables(void)
{
	_cleanup_fclose_ FILE *v4 = fopen("/proc/net/ip_tables_names", "re");
	_cleanup_fclose_ FILE *v6 = fopen("/proc/net/ip6_tables_names", "re");

	return (v4 && fgetc(v4) != EOF) || (v6 && fgetc(v6) != EOF);
}

static void check_netfilter(struct check *c)
{
	bool legacy = has_legacy_tables();
	__u32 chains = 0;
	int r = ivb_nft_base_chains(&chains);

	if (r)
		say(c, "netfilter", WARNING,
		    "cannot list the nftables chains (%s); rules, if any, do not see "
		    "what is carried",
		    strerror(-r));
	else if (chains || legacy)
		say(c, "netfilter", WARNING,
		    "there are %s%s%s: their rules (allow-lists, rate limits, NAT) and conntrack do not see "
		    "what is carried for services, from the first packet on",
		    chains ? "nftables chains" : "", chains && legacy ? " and " : "",
		    legacy ? "iptables tables" : "");
	else
		say(c, "netfilter", OK, "no rules that would be passed by");
}

static void check_ipvs(struct check *c)
{
	size_t n = 0;
	int r = ivb_ipvs_count(&n);

	if (r == -ENOENT)
		say(c, "ip_vs", OK, "no kernel IPVS here");
	else if (r)
		say(c, "ip_vs", WARNING, "cannot list kernel IPVS's services: %s", strerror(-r));
	else if (n)
		say(c, "ip_vs", WARNING,
		    "kernel IPVS has %zu services; they go on, but where a service of ours (`adm`) has the same "
		    "address and port, ours gets the packets",
		    n);
	else
		say(c, "ip_vs", OK, "kernel IPVS has no services");
}

/* What the ipvs engine needs, and what keeps it from connections. */
static void check_follow(struct check *c)
{
	struct ivb_err err = { 0 };
	bool missing[IVB_NUM_HOOKS];
	__u32 chains = 0;
	int r = ivb_hook_table_check(missing, &err);

	if (r == -ENOENT) {
		say(c, "follow", OK, "`up --ipvs` would have nothing to follow yet: %s", err.text);
		return;
	}
	if (r) {
		say(c, "follow", WARNING, "`up --ipvs` has nothing to follow: %s", err.text);
		return;
	}
	say(c, "follow", OK, "kernel IPVS can be followed (`up --ipvs`)");
	if (ivb_host_sysctl("/proc/sys/net/ipv4/vs/conntrack") == 1)
		say(c, "vs.conntrack", WARNING,
		    "net.ipv4.vs.conntrack is 1: connections whose packets conntrack knows are left to it, and "
		    "are not carried; set it to 0, or keep their packets out of conntrack by `up --notrack` (see "
		    "docs/kube-proxy.md)");
	if (!ivb_nft_base_chains(&chains) && (chains || has_legacy_tables()))
		say(c, "ct-invalid", WARNING,
		    "if a rule drops `ct state invalid` in FORWARD or INPUT, kernel IPVS does not see FIN and RST "
		    "of what we carry: clients and servers get them, but it counts such connections as active "
		    "until their timeout");
}

struct dev_progs {
	struct check *c;
	const char *dev;
	int found;
};

static int say_prog(const struct ivb_host_prog *p, void *arg)
{
	struct dev_progs *d = arg;
	const char *side = p->egress ? "egress" : "ingress";

	if (p->ours)
		return 0;
	d->found++;
	if (p->in_our_place && !ivb_host_has_tcx())
		say(d->c, "tc", d->c->num_devs ? NO : WARNING,
		    "%s: filter %s at tc ingress has our filter's place (see `tc filter show dev %s ingress`)",
		    d->dev, p->name, d->dev);
	else if (p->egress)
		say(d->c, "tc", WARNING,
		    "%s: %s %s at tc %s sees packets that are carried, after translation", d->dev,
		    p->tcx ? "program" : "filter", p->name, side);
	else
		say(d->c, "tc", WARNING,
		    "%s: %s %s at tc %s; if it runs first and ends with TC_ACT_OK (as Cilium's do), no packet "
		    "comes to us, and it does not see what we carry if it runs after us",
		    d->dev, p->tcx ? "program" : "filter", p->name, side);
	return 0;
}

static int check_dev_progs(struct check *c, const char *dev)
{
	struct dev_progs d = { .c = c, .dev = dev };
	__u32 ifindex = if_nametoindex(dev);

	if (ifindex && ivb_host_progs(ifindex, say_prog, &d) < 0)
		say(c, "tc", WARNING, "%s: cannot list its tc programs", dev);
	return d.found;
}

/* Whether the instance has its program on the device. */
static bool is_attached(const struct check *c, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < c->num_attached; i++) {
		if (c->attached[i].ifindex == ifindex && c->attached[i].state == IVB_ATTACHED)
			return true;
	}
	return false;
}

static bool is_asked_for(const struct check *c, __u32 ifindex)
{
	int d;

	for (d = 0; d < c->num_devs; d++) {
		if (if_nametoindex(c->devs[d]) == ifindex)
			return true;
	}
	return false;
}

/* Warnings about a device that can be attached to. */
static void check_dev(struct check *c, const char *dev)
{
	__u32 ifindex = if_nametoindex(dev);
	struct ivb_link parent;

	if (ivb_host_count_ours(ifindex) > is_attached(c, ifindex))
		say(c, "device", WARNING,
		    "%s: the programs of another instance are there already (`ipvs-bpf --instance NAME down %s` "
		    "takes them off); only one of two gets a service's packets",
		    dev, dev);
	if (ivb_host_is_ipvlan(ifindex, &parent) && !is_attached(c, parent.ifindex) &&
	    !is_asked_for(c, parent.ifindex))
		say(c, "device", WARNING,
		    "%s is an ipvlan device of %s, by which servers' answers to clients come in: attach to %s "
		    "as well",
		    dev, parent.name, parent.name);
}

static void check_devs(struct check *c)
{
	struct if_nameindex *ifs = if_nameindex(), *i;
	int found = 0, d, r;

	for (d = 0; d < c->num_devs; d++) {
		struct ivb_err err = { 0 };

		r = ivb_host_check_dev(c->devs[d], NULL, &err);
		if (r)
			say(c, "device", NO, "%s", err.text);
		else
			say(c, "device", OK, "%s can be attached to", c->devs[d]);
		if (!r)
			check_dev(c, c->devs[d]);
		found += check_dev_progs(c, c->devs[d]);
	}
	for (i = ifs; i && i->if_index && !c->num_devs; i++)
		found += check_dev_progs(c, i->if_name);
	if_freenameindex(ifs);
	if (!found)
		say(c, "tc", OK, "no other tc programs%s", c->num_devs ? " on these devices" : "");
}

static void check_all(struct check *c)
{
	bool btf;

	check_kernel(c);
	btf = check_btf(c);
	/* Others would get wrong answers to what follows. */
	if (geteuid()) {
		say(c, "root", NO, "not permitted; run as root");
		return;
	}
	check_bpffs(c);
	check_instance(c);
	if (btf)
		check_programs(c);
	check_attach(c);
	check_forwarding(c);
	check_xfrm(c);
	check_rp_filter(c);
	check_netfilter(c);
	check_ipvs(c);
	check_follow(c);
	check_devs(c);
}

int ivb_cmd_check(const struct ivb_cli *cli, int argc, char **argv)
{
	struct check c = { .cli = cli };
	struct json_object *o;
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, NULL, &first);
	if (r != IVB_OPTS_GO)
		return r;
	c.devs = argv + first;
	c.num_devs = argc - first;
	if (cli->json)
		c.tests = json_object_new_array();
	check_all(&c);
	free(c.attached);
	if (cli->json) {
		o = json_object_new_object();
		json_object_object_add(o, "ok", json_object_new_boolean(!c.failed));
		json_object_object_add(o, "tests", c.tests);
		ivb_json_print(o);
	}
	return c.failed ? IVB_EXIT_FAILURE : IVB_EXIT_OK;
}
