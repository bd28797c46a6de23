/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that kernel IPVS has handled, at egress: their source translation. */
#include "kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static void snat_policy(struct env *t, enum ivb_snat snat)
{
	t->config.snat = snat;
	config_write(t);
}

/* The address that the kernel itself sends from to that server. */
static struct pkt_addr kernel_source(struct env *t, const struct pkt_addr *server)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	void *sa = t->af == AF_INET ? (void *)&sin : &sin6;
	void *addr = t->af == AF_INET ? (void *)&sin.sin_addr : &sin6.sin6_addr;
	socklen_t len = t->af == AF_INET ? sizeof(sin) : sizeof(sin6);
	size_t addr_len = t->af == AF_INET ? 4 : 16;
	int fd = socket(t->af, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pkt_addr source = { 0 };

	memcpy(addr, server->byte, addr_len);
	if (fd < 0 || connect(fd, sa, len) || getsockname(fd, sa, &len))
		bail("the kernel's own source address: %s", strerror(errno));
	close(fd);
	memcpy(source.byte, addr, addr_len);
	return source;
}

/* Its server sees that address and port. */
static void kconn_source(struct kconn *k, const struct pkt_addr *addr, uint16_t port)
{
	k->c.out.src = k->left_snat.src = k->c.reply_in.dst = *addr;
	k->c.out.sport = k->left_snat.sport = k->c.reply_in.dport = port;
}

/* The first packet, whose port is not known beforehand; 0: no flow. */
static uint16_t first_any_port(struct env *t, struct kconn *k)
{
	struct pkt_addr source = k->left_snat.src;
	union any_flow f;

	noted(t, SERVER_SIDE, &k->note);
	send_verdict(t, &k->left, -1);
	if (!flow_find(t, &k->c.in, &f))
		return 0;
	kconn_source(k, &source, ntohs(f.flow.sport));
	return ntohs(f.flow.sport);
}

static void check_source(struct env *t, const struct kconn *k, struct pkt_addr want)
{
	check(t, !memcmp(&want, &k->left_snat.src, sizeof(want)), "another source address");
}

/* With the policy, a client that is in non_masq and one that is not. */
static void policies(struct env *t)
{
	static const struct {
		enum ivb_snat policy;
		bool outside, inside;
	} cases[] = {
		{ IVB_SNAT_NEVER, false, false },
		{ IVB_SNAT_AUTO, true, false },
		{ IVB_SNAT_ALWAYS, true, true },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		bool inside = i % 2, snat = inside ? cases[i / 2].inside : cases[i / 2].outside;
		enum who client = inside ? CLIENT_INSIDE : CLIENT;
		struct kconn k = kconn_of(t, i % 4 < 2 ? IPPROTO_TCP : IPPROTO_UDP, client, 4000,
					  snat ? SNAT_POOL : client, 4000);

		env_reset_maps(t);
		non_masq_add(t, CLIENT_INSIDE);
		config_snat_addr(t, SNAT_POOL);
		snat_policy(t, cases[i / 2].policy);
		kconn_open(t, &k);
		kconn_renew(t, &k);
		kconn_renew_reply(t, &k);
		check_int(t, !!(flow_flags(t, &k.c.in) & IVB_FLOW_SNAT), snat, "SNAT");
		verify(t);
	}
}

/* What is said of the service comes before what is said of all. */
static void service_policies(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000);
	struct kconn udp = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, CLIENT, 4000);
	struct kconn other =
		kconn_via(t, kconn_of(t, IPPROTO_TCP, CLIENT, 4001, CLIENT, 4001), VIP2);

	config_snat_addr(t, SNAT_POOL);
	kernel_snat_add(t, IPPROTO_TCP, VIP, 80, IVB_SNAT_ALWAYS);
	kconn_open(t, &k);
	kconn_open(t, &udp);
	kconn_first(t, &other);
	conns_forget(t);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kernel_snat_add(t, IPPROTO_TCP, VIP2, 80, IVB_SNAT_NEVER);
	kernel_snat_add(t, IPPROTO_UDP, VIP, 80, IVB_SNAT_AUTO);
	non_masq_add(t, CLIENT);
	kconn_first(t, &k);
	kconn_first(t, &udp);
	kconn_first(t, &other);
}

/* A server that is its own client would answer itself: SNAT whatever the policy. */
static void hairpin(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, SERVER1, 4000, SNAT_POOL, 4000);
	struct kconn other = kconn_of(t, IPPROTO_TCP, SERVER2, 4000, SERVER2, 4000);

	config_snat_addr(t, SNAT_POOL);
	kconn_first(t, &k);
	kconn_renew(t, &k);
	check(t, flow_flags(t, &k.c.in) & IVB_FLOW_SNAT, "SNAT");
	kconn_first(t, &other);
	check(t, !(flow_flags(t, &other.c.in) & IVB_FLOW_SNAT), "no SNAT");
}

/*
 * By itself: what the kernel would send from, as it does when masquerading; though with IPv6 the
 * kernel takes the pool's, which stands first but in no network with the server.
 */
static void own_address(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 4000);

	if (t->af == AF_INET)
		check_source(t, &k, kernel_source(t, &k.left.dst));
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &k);
	kconn_renew(t, &k);
}

/*
 * Of several networks on the device, the server's; addresses that are link-local or going are no
 * use.
 */
static void own_network(struct env *t)
{
	bool v4 = t->af == AF_INET;
	struct kconn k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, DIRECTOR, 4000);
	const char *added = v4 ? "10.7.0.1/24" : "fd00:7::1/64 nodad";
	const char *unfit = v4 ? "169.254.1.1/16 scope link" : "fe80::1/64 nodad";
	struct pkt_addr source = pkt_addr(v4 ? "10.7.0.1" : "fd00:7::1");

	ip_command(t, "addr add %s dev srv0", unfit);
	ip_command(t, "addr add %s dev srv0", added);
	if (!v4)
		ip_command(t, "addr add fd00:7::2/64 nodad preferred_lft 0 dev srv0");
	snat_policy(t, IVB_SNAT_ALWAYS);
	k.left.dst = k.left_snat.dst = k.c.reply_in.src = who_addr(t->af, SERVER_UNROUTED);
	memcpy(&k.note.daddr, k.left.dst.byte, v4 ? 4 : 16);
	kconn_source(&k, &source, 4000);
	check_source(t, &k, kernel_source(t, &k.left.dst));
	kconn_first(t, &k);
	ip_command(t, "addr del %s dev srv0", v4 ? added : "fd00:7::1/64");
	ip_command(t, "addr del %s dev srv0", v4 ? "169.254.1.1/16" : "fe80::1/64");
	if (!v4)
		ip_command(t, "addr del fd00:7::2/64 dev srv0");
}

/* A device without an address: no source, and no packet that shows the client's to the server. */
static void no_address(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000);
	unsigned int outside = t->ifindex[OUTSIDE];

	ip_command(t, "link add bare0 up type veth peer name bare1");
	t->ifindex[OUTSIDE] = if_nametoindex("bare0");
	snat_policy(t, IVB_SNAT_ALWAYS);
	noted(t, OUTSIDE, &k.note);
	expect_drop(t, &k.left, IVB_R_NO_SNAT_ADDR);
	check_int(t, flows_count(t), 0, "flows");
	config_snat_addr(t, SNAT_POOL);
	expect_leave(t, &k.left, &k.left_snat);
	t->ifindex[OUTSIDE] = outside;
	ip_command(t, "link del bare0");
}

static void ports(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 20050, SNAT_POOL, 20050);
	uint16_t port, again;

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20099);
	kconn_open(t, &k);
	/* the client's own is not allowed: another, the same whenever it is asked for */
	k = kconn_of(t, IPPROTO_TCP, CLIENT2, 4000, SNAT_POOL, 0);
	port = first_any_port(t, &k);
	check(t, port >= 20000 && port <= 20099, "port %u is not among those allowed", port);
	kconn_renew(t, &k);
	conns_forget(t);
	env_reset_maps(t);
	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20099);
	again = first_any_port(t, &k);
	check_int(t, again, port, "port");
}

static void no_port(struct env *t)
{
	struct kconn a = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, SNAT_POOL, 20000);
	struct kconn b = kconn_of(t, IPPROTO_UDP, CLIENT2, 4000, SNAT_POOL, 0);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	snat_ports(t, 20000, 20000);
	kconn_first(t, &a);
	noted(t, SERVER_SIDE, &b.note);
	expect_drop(t, &b.left, IVB_R_NO_PORT);
	check_int(t, flows_count(t), 2, "flows");
	check(t, !(flow_flags(t, &a.c.reply_in) & IVB_FLOW_AMBIGUOUS), "another client's");
}

/*
 * Two virtual addresses, one client and port, one server: kernel IPVS could not tell the replies
 * apart.
 */
static void two_vips(struct env *t)
{
	struct kconn a = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000);
	struct kconn b = kconn_via(t, a, VIP2);
	struct kconn other = kconn_of(t, IPPROTO_TCP, CLIENT2, 4000, SNAT_POOL, 4000);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &a);
	/* another client with that port is no trouble */
	check(t, first_any_port(t, &other) != 4000, "port 4000 is given once");
	check(t, !(flow_flags(t, &a.c.reply_in) & IVB_FLOW_AMBIGUOUS), "the first's replies");
	check(t, first_any_port(t, &b) != 4000, "port 4000 is given once");
	check(t, flow_flags(t, &a.c.reply_in) & IVB_FLOW_AMBIGUOUS, "the first's replies");
	check(t, flow_flags(t, &b.c.reply_in) & IVB_FLOW_AMBIGUOUS, "the second's replies");
	check(t, !(flow_flags(t, &other.c.reply_in) & IVB_FLOW_AMBIGUOUS), "the other client's");
	check_int(t, flows_count(t), 6, "flows");
	/* each packet goes to its own connection, by what the note says */
	kconn_renew(t, &a);
	kconn_renew(t, &b);
	kconn_renew(t, &a);
	lease_never(t, &a.c.reply_in);
	lease_never(t, &b.c.reply_in);
	arriving(t);
	expect_carried(t, &a.c.reply_in, &a.c.reply_out, TCP_SYN | TCP_ACK);
	expect_carried(t, &b.c.reply_in, &b.c.reply_out, TCP_SYN | TCP_ACK);
	expect_carried(t, &a.c.reply_in, &a.c.reply_out, TCP_ACK);
	expect_carried(t, &b.c.reply_in, &b.c.reply_out, TCP_ACK);
}

/*
 * Two virtual addresses, one client's port, one server: known also if the first one's SNAT port is
 * not where the search begins, and what was there has ended.
 */
static void two_vips_apart(struct env *t)
{
	struct kconn other = kconn_of(t, IPPROTO_TCP, CLIENT2, 4000, SNAT_POOL, 4000);
	struct kconn a = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 0);
	struct kconn b =
		kconn_via(t, kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000), VIP2);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &other);
	check(t, first_any_port(t, &a) != 4000, "port 4000 is given once");
	timer_arm(t);
	conn_expire_in(t, &other.c.in, 0);
	check(t, flows_wait(t, 2), "the port's first connection ends");
	check(t, !(flow_flags(t, &a.c.reply_in) & IVB_FLOW_AMBIGUOUS), "it is alone");
	kconn_first(t, &b);
	check(t, flow_flags(t, &a.c.reply_in) & IVB_FLOW_AMBIGUOUS, "the first's replies");
	check(t, flow_flags(t, &b.c.reply_in) & IVB_FLOW_AMBIGUOUS, "the second's replies");
	verify(t);
	conn_expire_in(t, &a.c.in, 0);
	check(t, flows_wait(t, 2), "the first ends");
	verify(t);
	conn_expire_in(t, &b.c.in, 0);
	check(t, flows_wait(t, 0), "the second ends");
}

/* Without SNAT the server sees one connection: the newer one, as kernel IPVS has it. */
static void two_vips_plain(struct env *t)
{
	struct kconn a = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000);
	struct kconn b = kconn_via(t, a, VIP2);
	union any_flow f;

	kconn_open(t, &a);
	kconn_first(t, &b);
	check_int(t, flows_count(t), 2, "flows");
	check(t, !flow_find(t, &a.c.in, &f), "the older one has gone");
	arriving(t);
	expect_carried(t, &b.c.reply_in, &b.c.reply_out, TCP_SYN | TCP_ACK);
}

/* Older than our hooks: its server knows the client's own address. */
static void existed(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, CLIENT, 4000);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_existed(t, &k);
	kconn_open(t, &k);
	check_int(t, flow_flags(t, &k.c.in), IVB_FLOW_KERNEL, "flags");
	/* also when we have lost it, and find it again */
	conns_forget(t);
	kconn_renew(t, &k);
	check_int(t, flow_flags(t, &k.c.in), IVB_FLOW_KERNEL, "flags");
}

/* A policy that changes is for new connections. */
static void policy_changes(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000);
	struct kconn l = kconn_of(t, IPPROTO_TCP, CLIENT, 4001, CLIENT, 4001);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &k);
	snat_policy(t, IVB_SNAT_NEVER);
	kconn_first(t, &l);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_renew(t, &l);
	snat_policy(t, IVB_SNAT_NEVER);
	kconn_renew(t, &k);
	kconn_renew_reply(t, &k);
}

/*
 * What the kernel has fragmented, the later ones known by the first one's id; and one that is
 * whole.
 */
static void fragments(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, SNAT_POOL, 4000);
	struct pkt_spec in = k.left, out = k.left_snat, other;
	struct note n;

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &k);
	in.df = out.df = false;
	in.payload_len = out.payload_len = 80;
	in.frag_len = out.frag_len = 24;
	noted(t, SERVER_SIDE, &k.note);
	expect_leave(t, &in, &out);
	n = note_left(t, false);
	check(t, n.has_frag, "the note has the datagram's id");
	n.flags &= ~NOTE_DONE;
	in.frag_start = out.frag_start = 24;
	in.frag_len = out.frag_len = 999;
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &in, &out);
	/* another datagram's, or one whose first fragment has not been here */
	other = in;
	other.id ^= 0x100;
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &other, NULL);
	noted(t, SERVER_SIDE, &k.note);
	expect_leave(t, &in, NULL);
}

/* Checksums stay as right or wrong as they were, and GSO packets are one. */
static void checksums(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000, SNAT_POOL, 4000);

	config_snat_addr(t, SNAT_POOL);
	snat_policy(t, IVB_SNAT_ALWAYS);
	kconn_first(t, &k);
	k.left.csum_error = k.left_snat.csum_error = 0x1234;
	kconn_renew(t, &k);
	k.left.csum_error = k.left_snat.csum_error = 0;
	if (t->af == AF_INET) {
		k.left.no_csum = k.left_snat.no_csum = true;
		kconn_renew(t, &k);
	}
	k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, SNAT_POOL, 4000);
	kconn_first(t, &k);
	k.left.payload_len = k.left_snat.payload_len = 3000;
	gso(1400);
	kconn_renew(t, &k);
}

const struct test_case cases_follow_snat[] = {
	{ "egress SNAT: policies and non_masq", policies, BOTH },
	{ "egress SNAT: policies of services", service_policies, BOTH },
	{ "egress SNAT: hairpin", hairpin, BOTH },
	{ "egress SNAT: the host's own address", own_address, BOTH },
	{ "egress SNAT: of several networks, the server's", own_network, BOTH },
	{ "egress SNAT: no address", no_address, BOTH },
	{ "egress SNAT: ports", ports, BOTH },
	{ "egress SNAT: no free port", no_port, BOTH },
	{ "egress SNAT: two virtual addresses, one client's port", two_vips, BOTH },
	{ "egress SNAT: the same, with a port that is free again", two_vips_apart, BOTH },
	{ "egress SNAT: the same without SNAT", two_vips_plain, BOTH },
	{ "egress SNAT: connections older than the hooks", existed, BOTH },
	{ "egress SNAT: the policy changes", policy_changes, BOTH },
	{ "egress SNAT: fragments", fragments, BOTH },
	{ "egress SNAT: checksums and GSO", checksums, BOTH },
	{ 0 },
};
