/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs-bpf up */
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/json.h"
#include "dp/instance/limits.h"
#include "dp/load/build.h"
#include "dp/setup/up.h"
#include "model/names.h"

enum {
	OPT_SNAT = 1,
	OPT_SNAT_ADDR,
	OPT_SNAT_PORTS,
	OPT_NON_MASQ,
	OPT_ZONE,
	OPT_MAX_CONNS,
	OPT_MAX_CONNS6,
	OPT_MAX_HALF_OPEN,
	OPT_IGNORE_XFRM,
	OPT_SNAT_KEY,
	OPT_FLAG, /* a flag: the number of its bit (flags.def) */
};

static const struct ivb_opt opts[] = {
#define IVB_OPTION(NAME, option, text, help) \
	{ option, OPT_FLAG + IVB_CONFIG_BIT_##NAME, "[=yes|no]", help },
#include <ivb/flags.def>
	{ "snat", OPT_SNAT, "POLICY",
	  "whether servers see the director's address instead of the client's:\n"
	  "never (the default), auto (all clients but those of --non-masq), always" },
	{ "snat-addr", OPT_SNAT_ADDR, "ADDR",
	  "an address of the director's that servers see; may be given again, up to 16 for each\n"
	  "family, which clients are spread over (default: the source address of the route to the\n"
	  "server; on a running instance a family's addresses are replaced; none: the default again)" },
	{ "snat-ports", OPT_SNAT_PORTS, "LO-HI",
	  "the ports that SNAT may use, but for those in use now (default: 1024-65535\n"
	  "without net.ipv4.ip_local_port_range and ip_local_reserved_ports; default: these again)" },
	{ "snat-key", OPT_SNAT_KEY, "HEX",
	  "where the search for a port begins (up to 16 hexadecimal digits, default: random): two\n"
	  "directors with the same one choose the same ports" },
	{ "non-masq", OPT_NON_MASQ, "PREFIXES",
	  "clients that --snat auto leaves alone: 10.0.0.0/8,fd00::/8 (may be given again;\n"
	  "on a running instance the list is replaced; an empty one removes it)" },
	{ "zone", OPT_ZONE, "N",
	  "the group of these devices: connections do not mix with those of other zones;\n"
	  "services are of one zone (0 to 16777215; default 0)" },
	{ "max-conns", OPT_MAX_CONNS, "N",
	  "IPv4 connections that there is room for, rounded up to a power of two\n"
	  "(default 262144, some 90 MB)" },
	{ "max-conns6", OPT_MAX_CONNS6, "N",
	  "the same for IPv6; the room is taken with the first IPv6 service" },
	{ "max-half-open", OPT_MAX_HALF_OPEN, "N",
	  "of these, connections that nobody has confirmed: half-open TCP, unanswered UDP. One more,\n"
	  "and the oldest goes; in a flood only who tries again gets in (default: a quarter)" },
	{ "ignore-xfrm", OPT_IGNORE_XFRM, NULL,
	  "go on although there are IPsec policies: none of them is for what is carried" },
	{ 0 },
};

struct options {
	struct ivb_up up;
	struct ivb_prefix *non_masq;
};

static int bad(const struct ivb_cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int bad(const struct ivb_cli *cli, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ivb_fail(cli, "up", IVB_EXIT_USAGE, "%s", text);
}

static int set_snat(const struct ivb_cli *cli, const char *value, struct options *o)
{
	__u8 policy;

	if (ivb_snat_by_name(&policy, value))
		return bad(cli, "--snat '%s': choose never, auto or always", value);
	o->up.snat = (enum ivb_snat)policy;
	return IVB_OPTS_GO;
}

static int set_snat_addr(const struct ivb_cli *cli, const char *value, struct options *o)
{
	struct ivb_up *up = &o->up;
	union ivb_addr addr, *list;
	__u32 *n, i;
	__u8 af;

	if (!strcmp(value, "none")) {
		up->no_snat_addrs = true;
		return IVB_OPTS_GO;
	}
	if (ivb_addr_parse(AF_UNSPEC, value, &af, &addr))
		return bad(cli, "--snat-addr '%s': not an IP address", value);
	if (!ivb_addr_is_unicast(af, &addr) || ivb_addr_is_loopback(af, &addr))
		return bad(cli, "--snat-addr %s: not an address that servers could answer to",
			   value);
	list = up->snat_addrs[af == AF_INET ? 0 : 1];
	n = &up->num_snat_addrs[af == AF_INET ? 0 : 1];
	for (i = 0; i < *n; i++) {
		if (!memcmp(&list[i], &addr, sizeof(addr)))
			return bad(cli, "--snat-addr %s: given twice", value);
	}
	if (*n == IVB_SNAT_ADDRS)
		return bad(cli, "--snat-addr %s: more than %d %s addresses", value, IVB_SNAT_ADDRS,
			   ivb_family_name(af));
	list[(*n)++] = addr;
	return IVB_OPTS_GO;
}

static int add_prefix(const struct ivb_cli *cli, const char *word, struct options *o)
{
	struct ivb_prefix p = { 0 };
	__u32 len;
	__u8 af;
	int r = ivb_addr_prefix_parse(word, &af, &p.addr, &len);

	if (r == -EBADMSG)
		return bad(cli, "--non-masq %s: the address has bits beyond the prefix length",
			   word);
	if (r)
		return bad(cli, "--non-masq '%s': not a prefix (as 10.0.0.0/8)", word);
	if (o->up.num_non_masq == IVB_MAX_NON_MASQ)
		return bad(cli, "--non-masq: more than %d prefixes", IVB_MAX_NON_MASQ);
	p.af = af;
	p.prefixlen = 32 + len;
	o->non_masq[o->up.num_non_masq++] = p;
	return IVB_OPTS_GO;
}

static int set_non_masq(const struct ivb_cli *cli, const char *value, struct options *o)
{
	_cleanup_free_ char *text = strdup(value);
	char *save = NULL, *word;
	int r;

	if (!o->non_masq)
		o->non_masq = calloc(IVB_MAX_NON_MASQ, sizeof(*o->non_masq));
	if (!text || !o->non_masq)
		return ivb_fail(cli, "up", IVB_EXIT_FAILURE, "out of memory");
	o->up.set_non_masq = true;
	o->up.non_masq = o->non_masq;
	for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		r = add_prefix(cli, word, o);
		if (r != IVB_OPTS_GO)
			return r;
	}
	return IVB_OPTS_GO;
}

static int set_snat_ports(const struct ivb_cli *cli, const char *value, struct options *o)
{
	if (!strcmp(value, "default")) {
		o->up.default_snat_ports = true;
		return IVB_OPTS_GO;
	}
	/* One port is hardly ever meant: it is one connection at a time to a server. */
	if (*value && !value[strspn(value, "0123456789")])
		return bad(cli,
			   "--snat-ports %s: that is one port; give the first and the last (as "
			   "10000-30000)",
			   value);
	if (ivb_num_range_parse(&o->up.snat_port_lo, &o->up.snat_port_hi, value, 1, 65535))
		return bad(cli, "--snat-ports '%s': not a range of ports (as 10000-30000)", value);
	return IVB_OPTS_GO;
}

static int set_snat_key(const struct ivb_cli *cli, const char *value, struct options *o)
{
	size_t len = strlen(value);

	if (!len || len > 16 || strspn(value, "0123456789abcdefABCDEF") != len)
		return bad(cli, "--snat-key '%s': not 1 to 16 hexadecimal digits", value);
	o->up.hash_key = strtoull(value, NULL, 16);
	o->up.set_hash_key = true;
	return IVB_OPTS_GO;
}

static int set_ignore_xfrm(const struct ivb_cli *cli, const char *value, struct options *o)
{
	(void)cli;
	(void)value;
	o->up.ignore_xfrm = true;
	return IVB_OPTS_GO;
}

static const char *name_of(int id)
{
	const struct ivb_opt *o = opts;

	while (o->id != id)
		o++;
	return o->name;
}

static int set_flag(const struct ivb_cli *cli, int id, const char *value, struct options *o)
{
	__u32 flag = 1u << (id - OPT_FLAG);

	if (value && strcmp(value, "yes") && strcmp(value, "no"))
		return bad(cli, "--%s '%s': choose yes or no", name_of(id), value);
	o->up.given_flags |= flag;
	if (!value || !strcmp(value, "yes"))
		o->up.flags |= flag;
	else
		o->up.flags &= ~flag;
	return IVB_OPTS_GO;
}

/* Options that are a number. */
static const struct number {
	size_t offset; /* the member's, in struct ivb_up */
	__u32 min, max;
	const char *most; /* what to call max, if not by its number */
} numbers[OPT_FLAG] = {
	[OPT_ZONE] = { offsetof(struct ivb_up, zone), 0, IVB_ZONE_MAX, NULL },
	[OPT_MAX_CONNS] = { offsetof(struct ivb_up, max_conns), IVB_MAX_CONNS_MIN,
			    IVB_MAX_CONNS_MAX, NULL },
	[OPT_MAX_CONNS6] = { offsetof(struct ivb_up, max_conns6), IVB_MAX_CONNS_MIN,
			     IVB_MAX_CONNS_MAX, NULL },
	[OPT_MAX_HALF_OPEN] = { offsetof(struct ivb_up, max_half_open), 1, IVB_MAX_CONNS_MAX,
				"half of --max-conns" },
};

static int set_number(const struct ivb_cli *cli, int id, const char *value, struct options *o)
{
	const struct number *n = &numbers[id];
	char most[16];

	if (!ivb_num_u32_parse((__u32 *)(void *)((char *)&o->up + n->offset), value, n->min,
			       n->max))
		return IVB_OPTS_GO;
	snprintf(most, sizeof(most), "%u", n->max);
	return bad(cli, "--%s '%s': a number from %u to %s is possible", name_of(id), value, n->min,
		   n->most ? n->most : most);
}

static int (*const setters[OPT_FLAG])(const struct ivb_cli *cli, const char *value,
				      struct options *o) = {
	[OPT_SNAT] = set_snat,
	[OPT_SNAT_ADDR] = set_snat_addr,
	[OPT_SNAT_PORTS] = set_snat_ports,
	[OPT_SNAT_KEY] = set_snat_key,
	[OPT_NON_MASQ] = set_non_masq,
	[OPT_IGNORE_XFRM] = set_ignore_xfrm,
};

static int set(const struct ivb_cli *cli, int id, const char *value, void *arg)
{
	if (id >= OPT_FLAG)
		return set_flag(cli, id, value, arg);
	return setters[id] ? setters[id](cli, value, arg) : set_number(cli, id, value, arg);
}

static const struct ivb_command_opts command = {
	.command = "up",
	.usage = "[OPTION]... DEV...",
	.help = "Loads the data plane and attaches it to the devices DEV: those by which clients, and those\n"
		"by which servers are reached. On a running instance: adds devices, changes options;\n"
		"takes it over with all its connections if another version has made it, and puts its programs in\n"
		"place of another build's.\n"
		"Services are added with `ipvs-bpf adm`.",
	.opts = opts,
	.set = set,
};

/* Warnings go to stderr, or into the JSON object. */
struct output {
	const struct ivb_cli *cli;
	struct json_object *warnings; /* NULL without --json */
};

static void warn(const struct output *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void warn(const struct output *out, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (out->warnings)
		json_object_array_add(out->warnings, json_object_new_string(text));
	else
		fprintf(stderr, "ipvs-bpf up: warning: %s\n", text);
}

static void warn_finding(const char *text, void *arg)
{
	warn(arg, "%s", text);
}

/* Whether a socket could be bound to the address: then answers to it are delivered here. */
static bool addr_is_local(int af, const union ivb_addr *addr)
{
	_cleanup_close_ int fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = addr->ip };

	memcpy(&sin6.sin6_addr, addr->ip6, sizeof(addr->ip6));
	if (fd < 0)
		return true;
	return (af == AF_INET ? !bind(fd, (struct sockaddr *)&sin, sizeof(sin))
			      : !bind(fd, (struct sockaddr *)&sin6, sizeof(sin6))) ||
	       errno != EADDRNOTAVAIL;
}

static void warn_snat_addr(const struct output *out, int af, const union ivb_addr *addr)
{
	char buf[IVB_ADDR_LEN];

	if (!addr_is_local(af, addr))
		warn(out,
		     "%s is not an address of this host: servers' answers come here only if the network "
		     "routes it here",
		     ivb_addr_fmt(buf, sizeof(buf), af, addr));
}

#define FEW_PORTS 1024

/* A range that was just given: what it will not do. */
static void warn_snat_ports(const struct output *out, const struct ivb_up *up,
			    const struct ivb_up_result *res)
{
	if (!up->snat_port_lo)
		return;
	if (res->num_snat_ports < FEW_PORTS)
		warn(out,
		     "--snat-ports %u-%u leaves SNAT %u port%s: from one address to one server there can be no "
		     "more connections at a time; --snat-ports default undoes it",
		     up->snat_port_lo, up->snat_port_hi, res->num_snat_ports,
		     res->num_snat_ports == 1 ? "" : "s");
	if (up->snat_port_lo < IVB_FIRST_SNAT_PORT)
		warn(out,
		     "--snat-ports %u-%u has ports below %d: the director's own services may want them later, "
		     "and servers may take who comes from them for privileged",
		     up->snat_port_lo, up->snat_port_hi, IVB_FIRST_SNAT_PORT);
}

static void warn_all(struct output *out, const struct ivb_up *up, const struct ivb_up_result *res)
{
	const struct ivb_findings found = { warn_finding, out };
	size_t i;

	for (i = 0; i < res->num_devs; i++)
		ivb_findings_dev(&found, res->devs[i].name, res->devs[i].ifindex, false);
	ivb_findings_ipvs(&found, res->flags);
	for (i = 0; i < up->num_snat_addrs[0]; i++)
		warn_snat_addr(out, AF_INET, &up->snat_addrs[0][i]);
	for (i = 0; i < up->num_snat_addrs[1]; i++)
		warn_snat_addr(out, AF_INET6, &up->snat_addrs[1][i]);
	if (res->ipvs_off)
		warn(out,
		     "the kernel's ip_vs is not loaded, so there is nothing to follow yet; run `ipvs-bpf up` "
		     "again when it is, or have `ipvs-bpf run` do it");
	warn_snat_ports(out, up, res);
	if (res->shared_ports)
		warn(out,
		     "the kernel may give %u of --snat-ports to this host's own connections: one to a server fails "
		     "while a client's has its port there; put them into the sysctl "
		     "net.ipv4.ip_local_reserved_ports, or leave ip_local_port_range out",
		     res->shared_ports);
	if (res->no_timer)
		warn(out,
		     "no expiry timer can be had (%s), so expiry by packets: connections that are over go as "
		     "packets of new ones come; `ipvs-bpf up` tries again",
		     strerror(-res->no_timer));
	if (!res->num_snat_ports)
		warn(out, "no port is left for SNAT; give some with --snat-ports");
}

static void say_json(const struct ivb_up_result *res, struct output *out)
{
	struct json_object *o = json_object_new_object(), *devs = json_object_new_array(), *d;
	size_t i;

	json_object_object_add(o, "instance", json_object_new_string(out->cli->instance));
	json_object_object_add(o, "fresh", json_object_new_boolean(res->fresh));
	if (res->took_over)
		json_object_object_add(o, "took_over_abi", json_object_new_int(res->took_over));
	json_object_object_add(o, "renewed", json_object_new_boolean(res->renewed));
	json_object_object_add(o, "ipvs", json_object_new_boolean(res->ipvs && !res->ipvs_off));
	json_object_object_add(o, "snat_ports", json_object_new_int64(res->num_snat_ports));
	json_object_object_add(o, "expiry",
			       json_object_new_string(res->no_timer ? "packets" : "timer"));
	for (i = 0; i < res->num_devs; i++) {
		d = json_object_new_object();
		json_object_object_add(d, "name", json_object_new_string(res->devs[i].name));
		json_object_object_add(d, "attach",
				       json_object_new_string(ivb_attached_by(res->devs[i].kind)));
		json_object_object_add(d, "new",
				       json_object_new_boolean(!res->devs[i].was_attached));
		json_object_array_add(devs, d);
	}
	json_object_object_add(o, "devices", devs);
	json_object_object_add(o, "warnings", out->warnings);
	ivb_json_print(o);
}

static void say(const struct ivb_up_result *res)
{
	bool attached = false;
	size_t i;

	if (res->took_over)
		printf("taken over with its connections: the instance of a version with ABI %d\n",
		       res->took_over);
	if (res->renewed)
		printf("another build's programs have been replaced by those of %s\n",
		       ivb_build_own());
	for (i = 0; i < res->num_devs; i++) {
		const struct ivb_up_dev *dev = &res->devs[i];

		printf("%s: %s%s\n", dev->name,
		       dev->was_attached ? "was attached already, by " : "attached by ",
		       ivb_attached_by(dev->kind));
		attached = attached || !dev->was_attached;
	}
	if (attached)
		puts("What is carried for services passes by netfilter: iptables and nftables rules (INPUT,\n"
		     "FORWARD, NAT) and conntrack do not see it, and rp_filter does not check it.");
}

static int run(const struct ivb_cli *cli, const struct ivb_up *up)
{
	_cleanup_free_ struct ivb_up_result *res = calloc(1, sizeof(*res));
	struct output out = { .cli = cli };
	struct ivb_err err = { 0 };
	int r;

	if (!res)
		return ivb_fail(cli, "up", IVB_EXIT_FAILURE, "out of memory");
	r = ivb_dp_up(up, res, &err);
	if (r)
		return ivb_fail_err(cli, "up", r, &err);
	if (cli->json)
		out.warnings = json_object_new_array();
	else
		say(res);
	fflush(stdout);
	warn_all(&out, up, res);
	if (cli->json)
		say_json(res, &out);
	return IVB_EXIT_OK;
}

int ivb_cmd_up(const struct ivb_cli *cli, int argc, char **argv)
{
	struct options o = { .up = { .instance = cli->instance } };
	int first, r;

	r = ivb_command_parse(cli, &command, argc, argv, &o, &first);
	if (r == IVB_OPTS_GO) {
		o.up.devs = argv + first;
		o.up.num_devs = (size_t)(argc - first);
		r = run(cli, &o.up);
	}
	free(o.non_masq);
	return r;
}
