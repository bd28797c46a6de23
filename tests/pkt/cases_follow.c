/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets that kernel IPVS has handled, at egress: connections become ours, and leases are renewed.
 */
#include "kernel.h"

#include <netinet/in.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "family_maps.h"
#include "tc.skel.h"

#define SLACK (2 * (int)(t)->hz) /* slow machines */

#define check_jiffies(t, got, want, what)                                                         \
	do {                                                                                      \
		int got__ = (got), want__ = (want);                                               \
		check(t, got__ <= want__ && got__ >= want__ - SLACK, "%s: in %d jiffies, not %d", \
		      what, got__, want__);                                                       \
	} while (0)

static struct kconn plain(struct env *t, int proto)
{
	return kconn_of(t, proto, CLIENT, 4000, CLIENT, 4000);
}

static void check_first(struct env *t, int proto)
{
	struct kconn k = plain(t, proto);
	bool tcp = proto == IPPROTO_TCP;
	union any_flow f;

	env_reset_maps(t);
	/* replies before the client's packets make no connection */
	kconn_renew_reply(t, &k);
	check_int(t, flows_count(t), 0, "flows");
	kconn_first(t, &k);
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, flow_flags(t, &k.c.in), IVB_FLOW_KERNEL, "flags");
	check_int(t, flow_flags(t, &k.c.reply_in), IVB_FLOW_KERNEL | IVB_FLOW_REPLY, "flags");
	check_int(t, conn_state(t, &k.c.in), IVB_CONN_KERNEL | (tcp ? IVB_S_SYN_RECV : IVB_S_UDP),
		  "state");
	check_jiffies(t, conn_expires_in(t, &k.c.in), k.note.timeout + GRACE_S * (int)t->hz, "end");
	check(t, note_left(t, false).flags & NOTE_DONE, "the note has been used");
	if (flow_find(t, &k.c.in, &f))
		check_int(t, f.flow.dest, BUCKET, "bucket of the server");
	check_int(t, lease_left(t, &k.c.reply_in) == INT32_MIN, tcp, "no lease for replies");
	check_int(t, lease_left(t, &k.c.in) == INT32_MIN, tcp, "no lease");
	verify(t);
}

static void first_packet(struct env *t)
{
	check_first(t, IPPROTO_TCP);
	check_first(t, IPPROTO_UDP);
}

/*
 * The first lease of the client's lets replies through for a second; then they need one of their
 * own.
 */
static void renewal(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);
	int lease = k.note.lease;

	kconn_first(t, &k);
	kconn_renew(t, &k);
	check_jiffies(t, lease_left(t, &k.c.in), lease, "client's lease");
	check(t, lease_left(t, &k.c.reply_in) <= (int)t->hz, "replies' first lease is a second");
	check_int(t, conn_state(t, &k.c.in), IVB_CONN_KERNEL | IVB_S_ESTABLISHED, "state");
	kconn_renew_reply(t, &k);
	check_jiffies(t, lease_left(t, &k.c.reply_in), lease, "replies' lease");
	/* a client's packet does not touch it any more, nor the other way round */
	lease_set(t, &k.c.in, -5 * (int)t->hz);
	lease_set(t, &k.c.reply_in, -5 * (int)t->hz);
	kconn_renew(t, &k);
	check(t, lease_left(t, &k.c.reply_in) < 0, "replies' lease has ended");
	check_jiffies(t, lease_left(t, &k.c.in), lease, "client's lease");
	lease_set(t, &k.c.in, -5 * (int)t->hz);
	kconn_renew_reply(t, &k);
	check(t, lease_left(t, &k.c.in) < 0, "client's lease has ended");
	check_jiffies(t, lease_left(t, &k.c.reply_in), lease, "replies' lease");
	/* the kernel's timeout has changed, and so has the connection's end */
	k.note.timeout = 300 * t->hz;
	kconn_renew_reply(t, &k);
	check_jiffies(t, conn_expires_in(t, &k.c.in), (300 + GRACE_S) * (int)t->hz, "end");
}

/* Less than a second is all that replies get as well. */
static void short_lease(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_UDP);

	k.note.lease = t->hz / 10;
	kconn_first(t, &k);
	check(t, lease_left(t, &k.c.reply_in) <= (int)t->hz / 10, "replies' lease");
	check(t, lease_left(t, &k.c.in) <= (int)t->hz / 10, "client's lease");
}

/* A state in which kernel IPVS has to see every packet. */
static void no_lease(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);

	kconn_open(t, &k);
	k.note.lease = 0;
	k.note.state = IVB_S_LAST_ACK;
	kconn_renew(t, &k);
	check_int(t, lease_left(t, &k.c.in), INT32_MIN, "client's lease");
	check(t, lease_left(t, &k.c.reply_in) > 0, "replies keep theirs");
	check_int(t, conn_state(t, &k.c.in), IVB_CONN_KERNEL | IVB_S_LAST_ACK, "state");
	kconn_renew_reply(t, &k);
	check_int(t, lease_left(t, &k.c.reply_in), INT32_MIN, "replies' lease");
	arriving(t);
	expect_slow(t, &k.c.in, NULL, TCP_ACK);
	expect_slow(t, &k.c.reply_in, NULL, TCP_ACK);
}

static void synced_ago(struct env *t, const struct kconn *k, uint32_t jiffies)
{
	struct bpf_map *map = t->skel->maps.kernel_conns;
	struct ivb_kernel_conn kc;
	uint64_t cp = k->note.cp;

	check(t, map_get(map, &cp, &kc), "kernel connection");
	kc.synced = jiffies_now(t) - jiffies;
	bpf_map__update_elem(map, &cp, sizeof(cp), &kc, sizeof(kc), 0);
}

/*
 * While the sync daemon is master: no lease before the backup knows, and it is told twice a
 * timeout.
 */
static void sync_master(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);

	k.note.flags = NOTE_MASTER;
	kconn_first(t, &k);
	kconn_renew(t, &k);
	check_int(t, lease_left(t, &k.c.in), INT32_MIN, "lease before the backup knows");
	check_int(t, lease_left(t, &k.c.reply_in), INT32_MIN, "replies' lease");
	k.note.flags = NOTE_MASTER | NOTE_SYNCED;
	kconn_renew(t, &k);
	check_jiffies(t, lease_left(t, &k.c.in), (int)k.note.lease, "lease");
	check(t, lease_left(t, &k.c.reply_in) > 0, "replies' lease");
	/* it still knows */
	k.note.flags = NOTE_MASTER;
	lease_set(t, &k.c.in, -1);
	synced_ago(t, &k, k.note.timeout / 2 - 10 * t->hz);
	kconn_renew(t, &k);
	check_jiffies(t, lease_left(t, &k.c.in), (int)k.note.lease, "lease");
	/* it is to be told again first */
	lease_set(t, &k.c.in, -1);
	synced_ago(t, &k, k.note.timeout / 2);
	kconn_renew(t, &k);
	check(t, lease_left(t, &k.c.in) < 0, "no lease until it is told again");
	k.note.flags |= NOTE_SYNCED;
	kconn_renew(t, &k);
	check_jiffies(t, lease_left(t, &k.c.in), (int)k.note.lease, "lease");
}

/* Conntrack's, an application's, another way of forwarding: not looked at, whatever the policy. */
static void leave(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000);
	struct note n = { .flags = NOTE_NOT_OURS, .cp = k.note.cp };

	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &k.left, NULL);
	check_int(t, flows_count(t), 0, "flows");
}

/* An address that another sk_buff had: the note does not fit, and the packet is nobody's. */
static void stale_note(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000);
	struct pkt_spec other[4];
	struct note n;

	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	for (int i = 0; i < 4; i++)
		other[i] = k.left;
	other[0].sport++;
	other[1].dport++;
	other[2].src = who_addr(t->af, CLIENT2);
	other[3].dst = who_addr(t->af, SERVER2);
	for (int i = 0; i < 4; i++) {
		noted(t, SERVER_SIDE, &k.note);
		expect_leave(t, &other[i], NULL);
		check(t, !(note_left(t, false).flags & NOTE_DONE), "the note is as it was");
	}
	n = k.note;
	n.af = t->af == AF_INET ? AF_INET6 : AF_INET;
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &k.left, NULL);
	/* the packet that it was about has come already */
	n = k.note;
	n.flags |= NOTE_DONE;
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &k.left, NULL);
	/* no note at all */
	noted(t, SERVER_SIDE, &k.note);
	t->how.noted = 0;
	expect_leave(t, &k.left, NULL);
	check_int(t, flows_count(t), 0, "flows");
	/* the reply's note is no client's */
	kconn_first(t, &k);
	n = note_of_reply(&k);
	noted(t, CLIENT_SIDE, &n);
	expect_leave(t, &k.left, NULL);
	check(t, !(note_left(t, true).flags & NOTE_DONE), "the note is as it was");
}

/* Packets that ingress has carried are not looked at; copies are, and go no further. */
static void marks(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000);
	struct note n;

	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	kconn_open(t, &k);
	noted(t, SERVER_SIDE, &k.note);
	t->how.mark = MARK_CARRIED;
	expect_leave(t, &k.left, NULL);
	check_int(t, enter_seen(t)->mark, 0, "mark");
	check(t, !(note_left(t, false).flags & NOTE_DONE), "the note is as it was");
	t->how.mark = 0x1234;
	expect_leave(t, &k.left, &k.left_snat);
	check_int(t, enter_seen(t)->mark, 0x1234, "mark");

	n = k.note;
	n.state = IVB_S_CLOSE_WAIT;
	noted(t, SERVER_SIDE, &n);
	t->how.mark = TAG_COPY;
	k.left.flags = TCP_FIN | TCP_ACK;
	expect_drop(t, &k.left, IVB_R_COPIES);
	check_int(t, conn_state(t, &k.c.in), IVB_CONN_KERNEL | IVB_S_CLOSE_WAIT, "state");
	n = note_of_reply(&k);
	n.state = IVB_S_LAST_ACK;
	n.lease = 0;
	noted(t, CLIENT_SIDE, &n);
	t->how.mark = TAG_COPY;
	expect_drop(t, &k.reply_left, IVB_R_COPIES);
	check_int(t, conn_state(t, &k.c.in), IVB_CONN_KERNEL | IVB_S_LAST_ACK, "state");
	check_int(t, lease_left(t, &k.c.reply_in), INT32_MIN, "replies' lease");
	/* nobody has told of it, or it is not for us */
	t->how.noted = 0;
	expect_drop(t, &k.reply_left, IVB_R_COPIES);
	n.flags = NOTE_NOT_OURS;
	noted(t, CLIENT_SIDE, &n);
	t->how.mark = TAG_COPY;
	expect_drop(t, &k.reply_left, IVB_R_COPIES);
}

/* Its end has been missed: another connection stands under the same key. */
static void replaced(struct env *t)
{
	struct kconn old = plain(t, IPPROTO_TCP), k = old;
	struct ivb_traffic traffic;

	kconn_open(t, &old);
	k.note.cp += 4096;
	kconn_first(t, &k);
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, lease_left(t, &k.c.in), INT32_MIN, "lease of the old one");
	traffic = traffic_of(t, &old);
	check_int(t, traffic.conns, 1, "ended connections");
	check_int(t, traffic.in_packets, 1, "packets in");
	check_int(t, traffic.out_packets, 1, "packets out");
	check(t, traffic.in_bytes > traffic.out_bytes && traffic.out_bytes, "bytes");
	verify(t);
	/* the same kernel connection, but another server's now */
	k.note.dport = 0x1234;
	k.left.dport = k.left_snat.dport = k.c.reply_in.sport = 0x3412;
	kconn_first(t, &k);
	check_int(t, flows_count(t), 2, "flows");
	check_int(t, flow_flags(t, &k.c.reply_in), IVB_FLOW_KERNEL | IVB_FLOW_REPLY, "flags");
}

/* Where the bpf engine has a connection under the key, kernel IPVS's is not ours. */
static void other_engine(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);

	simple(t, IPPROTO_TCP, IVB_SNAT_NEVER);
	go_first(t, &k.c);
	kconn_first(t, &k);
	kconn_renew(t, &k);
	kconn_renew_reply(t, &k);
	check_int(t, conn_state(t, &k.c.in), IVB_S_SYN_RECV, "state");
	check_int(t, flow_flags(t, &k.c.in), 0, "flags");
	/* nor where it has the replies of another service */
	k = kconn_via(t, k, VIP2);
	kconn_first(t, &k);
	check_int(t, flows_count(t), 2, "flows");
}

/* Without room the kernel does it alone; with SNAT it cannot. */
static void table_full(struct env *t)
{
	struct kconn k;

	for (int i = 0; i < MAX_CONNS; i++) {
		k = kconn_of(t, IPPROTO_UDP, CLIENT, 4000 + i, CLIENT, 4000 + i);
		kconn_first(t, &k);
	}
	check_int(t, flows_count(t), 2 * MAX_CONNS, "flows");
	k = kconn_of(t, IPPROTO_UDP, CLIENT, 5000, CLIENT, 5000);
	kconn_first(t, &k);
	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	noted(t, SERVER_SIDE, &k.note);
	expect_drop(t, &k.left, IVB_R_MAP_FULL);
	check_int(t, flows_count(t), 2 * MAX_CONNS, "flows");
}

/* As if we were down already: new connections pass as they are, old ones go on. */
static void drain(struct env *t)
{
	struct kconn old = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000);
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4001, CLIENT, 4001);

	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	kconn_first(t, &old);
	t->config.flags |= IVB_CONFIG_DRAIN;
	config_write(t);
	kconn_first(t, &k);
	kconn_renew(t, &old);
	kconn_renew_reply(t, &old);
	check_int(t, flows_count(t), 2, "flows");
}

/* What came in by a device of another zone is not this one's connection. */
static void other_zone(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);

	device_attach(t, CLIENT_SIDE, ZONE + 1);
	kconn_first(t, &k);
	check_int(t, flows_count(t), 0, "flows");
	/* by one that is not attached: the device of the way back is what counts */
	t->ifindex[CLIENT_SIDE] ^= 0x40000000;
	kconn_first(t, &k);
	t->ifindex[CLIENT_SIDE] ^= 0x40000000;
	check_int(t, flows_count(t), 2, "flows");
}

/* Of the host's own: no device that it came in by. */
static void local_client(struct env *t)
{
	struct kconn k = plain(t, IPPROTO_TCP);

	noted(t, SERVER_SIDE, &k.note);
	t->iif = 0;
	expect_leave(t, &k.left, NULL);
	check(t, flow_flags(t, &k.c.in) & IVB_FLOW_LOCAL, "the flow is a local client's");
	check(t, flow_flags(t, &k.c.reply_in) & IVB_FLOW_LOCAL, "and its replies'");
}

/* Headers that are cut short: of such a packet there is nothing to know. */
static void truncated(struct env *t)
{
	struct kconn k = kconn_of(t, IPPROTO_TCP, CLIENT, 4000, DIRECTOR, 4000);
	struct pkt_spec cut = k.left;

	t->config.snat = IVB_SNAT_ALWAYS;
	config_write(t);
	cut.l4_len = 12;
	noted(t, SERVER_SIDE, &k.note);
	expect_leave(t, &cut, NULL);
	cut = k.left;
	cut.ethertype = 0x0806;
	expect_leave(t, &cut, NULL);
	check_int(t, flows_count(t), 0, "flows");
}

const struct test_case cases_follow[] = {
	{ "egress: first packet", first_packet, BOTH },
	{ "egress: leases are renewed", renewal, BOTH },
	{ "egress: a short lease", short_lease, BOTH },
	{ "egress: states without a lease", no_lease, BOTH },
	{ "egress: a backup that is told of connections", sync_master, BOTH },
	{ "egress: connections that are not for us", leave, BOTH },
	{ "egress: notes of other packets", stale_note, BOTH },
	{ "egress: marks", marks, BOTH },
	{ "egress: an old connection is replaced", replaced, BOTH },
	{ "egress: a connection of the bpf engine", other_engine, BOTH },
	{ "egress: table full", table_full, BOTH },
	{ "egress: draining", drain, BOTH },
	{ "egress: zones", other_zone, BOTH },
	{ "egress: client on the director", local_client, BOTH },
	{ "egress: truncated headers", truncated, BOTH },
	{ 0 },
};
