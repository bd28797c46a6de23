/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections of kernel IPVS; see kernel.h. */
#include "kernel.h"
#include "family_maps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

static void note_addrs(struct env *t, struct kconn *k)
{
	size_t len = t->af == AF_INET ? 4 : 16;

	memcpy(&k->note.caddr, k->c.in.src.byte, len);
	memcpy(&k->note.vaddr, k->c.in.dst.byte, len);
	memcpy(&k->note.daddr, k->left.dst.byte, len);
	k->note.cport = htons(k->c.in.sport);
	k->note.vport = htons(k->c.in.dport);
	k->note.dport = htons(k->left.dport);
	/* what kernel addresses look like: a number that names the connection */
	k->note.cp = 0xffff800000000000 | (uint64_t)k->note.proto << 40 |
		     (uint64_t)k->c.in.sport << 24 | k->c.in.src.byte[len - 1] << 16 |
		     k->c.in.dst.byte[len - 1] << 8;
}

struct kconn kconn_of(struct env *t, int proto, enum who client, uint16_t port, enum who source,
		      uint16_t sport)
{
	struct kconn k = { .c = conn_of(t, proto, client, port, source, sport, SERVER1) };

	k.undone = k.c.reply_in;
	k.undone.dst = k.c.in.src;
	k.undone.dport = port;
	k.left = by_way_of(translated(t, &k.c.in, client, port, SERVER1, 8080), SERVER_SIDE,
			   SERVER1);
	k.left_snat = by_way_of(k.c.out, SERVER_SIDE, SERVER1);
	k.reply_left = by_way_of(k.c.reply_out, CLIENT_SIDE, GATEWAY);
	k.note.af = t->af;
	k.note.proto = proto;
	k.note.state = proto == IPPROTO_TCP ? IVB_S_ESTABLISHED : IVB_S_UDP;
	k.note.timeout = 60 * t->hz;
	k.note.lease = 15 * t->hz;
	k.note.dest = BUCKET;
	note_addrs(t, &k);
	return k;
}

struct kconn kconn_via(struct env *t, struct kconn k, enum who vip)
{
	k.c.in.dst = k.c.reply_out.src = k.reply_left.src = who_addr(t->af, vip);
	note_addrs(t, &k);
	return k;
}

static void notes_put(struct env *t, const struct notes *n)
{
	struct bpf_map *map = t->skel->maps.notes;
	int cpus = libbpf_num_possible_cpus();
	struct notes *all = calloc(cpus, sizeof(*all));
	uint32_t zero = 0;

	_Static_assert(sizeof(*n) % 8 == 0, "as it stands in the per-CPU map");
	/* the cases run on the first CPU */
	all[0] = *n;
	if (bpf_map__update_elem(map, &zero, sizeof(zero), all, cpus * sizeof(*all), BPF_ANY))
		bail("notes: %s", strerror(errno));
	free(all);
}

static struct notes notes_get(struct env *t)
{
	struct bpf_map *map = t->skel->maps.notes;
	int cpus = libbpf_num_possible_cpus();
	struct notes *all = calloc(cpus, sizeof(*all)), first;
	uint32_t zero = 0;

	if (bpf_map__lookup_elem(map, &zero, sizeof(zero), all, cpus * sizeof(*all), 0))
		bail("notes: %s", strerror(errno));
	first = all[0];
	free(all);
	return first;
}

void noted(struct env *t, enum side side, const struct note *n)
{
	bool reply = n->flags & NOTE_REPLY;
	struct notes all = notes_get(t);

	all.from[0].skb = all.from[1].skb = 0;
	all.from[reply] = *n;
	notes_put(t, &all);
	t->how.prog = ENTER_EGRESS;
	t->how.noted = reply ? 2 : 1;
	t->how.mark = 0;
	t->out = side;
	t->iif = t->ifindex[reply ? SERVER_SIDE : CLIENT_SIDE];
}

struct note note_of_reply(const struct kconn *k)
{
	struct note n = k->note;

	n.flags |= NOTE_REPLY;
	return n;
}

struct note note_left(struct env *t, bool reply)
{
	return notes_get(t).from[reply];
}

void arriving(struct env *t)
{
	memset(&t->how, 0, sizeof(t->how));
	t->iif = 0;
}

void kconn_first(struct env *t, struct kconn *k)
{
	struct pkt_spec in = k->left, out = k->left_snat;
	struct note n = k->note;

	if (in.proto == IPPROTO_TCP) {
		in.flags = out.flags = TCP_SYN;
		n.state = IVB_S_SYN_RECV;
		n.lease = 0;
	}
	noted(t, SERVER_SIDE, &n);
	expect_leave(t, &in, &out);
}

void kconn_renew(struct env *t, struct kconn *k)
{
	noted(t, SERVER_SIDE, &k->note);
	expect_leave(t, &k->left, &k->left_snat);
}

void kconn_renew_reply(struct env *t, struct kconn *k)
{
	struct note n = note_of_reply(k);

	noted(t, CLIENT_SIDE, &n);
	expect_leave(t, &k->reply_left, &k->reply_left);
}

void kconn_open(struct env *t, struct kconn *k)
{
	kconn_first(t, k);
	kconn_renew(t, k);
	kconn_renew_reply(t, k);
	arriving(t);
	expect_carried(t, &k->c.in, &k->c.out, TCP_ACK);
	expect_carried(t, &k->c.reply_in, &k->c.reply_out, TCP_ACK);
}

static union any_flow flow_get(struct env *t, const struct pkt_spec *key)
{
	union any_flow f;

	if (!flow_find(t, key, &f))
		bail("IPv%d, %s: no such flow", t->af == AF_INET ? 4 : 6, t->title);
	return f;
}

int32_t lease_left(struct env *t, const struct pkt_spec *key)
{
	uint32_t lease = flow_get(t, key).flow.lease;

	return lease ? (int32_t)(lease - jiffies_now(t)) : INT32_MIN;
}

void lease_set(struct env *t, const struct pkt_spec *key, int32_t jiffies)
{
	union any_flow f = flow_get(t, key);

	f.flow.lease = jiffies_now(t) + jiffies;
	flow_write(t, key, &f);
}

void lease_never(struct env *t, const struct pkt_spec *key)
{
	union any_flow f = flow_get(t, key);

	f.flow.lease = 0;
	flow_write(t, key, &f);
}

void flow_flags_add(struct env *t, const struct pkt_spec *key, uint16_t flags)
{
	union any_flow f = flow_get(t, key);

	f.flow.flags |= flags;
	flow_write(t, key, &f);
}

uint16_t flow_flags(struct env *t, const struct pkt_spec *key)
{
	return flow_get(t, key).flow.flags & ~IVB_FLOW_COPY;
}

bool flow_copies(struct env *t, const struct pkt_spec *key)
{
	return flow_get(t, key).flow.flags & IVB_FLOW_COPY;
}

void epoch_move(struct env *t, uint32_t bucket)
{
	struct bpf_map *map = t->skel->maps.kernel_dests;
	struct ivb_kernel_dest d;

	map_get(map, &bucket, &d);
	d.epoch++;
	if (bpf_map__update_elem(map, &bucket, sizeof(bucket), &d, sizeof(d), BPF_ANY))
		bail("kernel_dests: %s", strerror(errno));
}

void kconn_existed(struct env *t, const struct kconn *k)
{
	struct bpf_map *map = t->skel->maps.kernel_conns;
	struct ivb_kernel_conn kc = {
		.conn = IVB_NONE,
		.flags = IVB_KERNEL_EXISTED,
		.af = t->af,
	};
	uint64_t cp = k->note.cp;

	if (bpf_map__update_elem(map, &cp, sizeof(cp), &kc, sizeof(kc), BPF_NOEXIST))
		bail("kernel_conns: %s", strerror(errno));
}

void tunnel_forget(struct env *t, const struct kconn *k)
{
	struct ivb_tunnel_key key = { .server = k->note.daddr, .af = t->af };

	if (bpf_map__delete_elem(t->skel->maps.kernel_tunnels, &key, sizeof(key), 0))
		bail("kernel_tunnels: %s", strerror(errno));
}

struct ivb_traffic traffic_of(struct env *t, const struct kconn *k)
{
	struct ivb_traffic_key key = {
		.vaddr = k->note.vaddr,
		.daddr = k->note.daddr,
		.vport = k->note.vport,
		.dport = k->note.dport,
		.proto = k->note.proto,
		.af = t->af,
	};
	struct ivb_traffic traffic = { 0 };

	map_get(t->skel->maps.kernel_traffic, &key, &traffic);
	return traffic;
}

/* From the server's side: its packets are for the director's MAC there. */
static bool is_reply(const struct pkt_spec *in)
{
	return !memcmp(in->dmac, side_mac(SERVER_SIDE), 6);
}

void carried(struct env *t, const char *func, int line, const struct pkt_spec *in,
	     const struct pkt_spec *out, int flags, bool copy)
{
	struct pkt_spec a = *in, b = *out;

	a.flags = b.flags = flags;
	nexthops_fresh(t);
	if (nexthop_known(t, &b.src, &b.dst))
		b = is_reply(in) ? by_way_of(b, CLIENT_SIDE, GATEWAY)
				 : by_way_of(b, SERVER_SIDE, SERVER1);
	xmit(t, func, line, &a, (struct outcome){ 7, &b, IVB_R_NONE, IVB_R_NONE });
	if (enter_seen(t)->mark != MARK_CARRIED)
		fail(t, func, line, "marked %#x", enter_seen(t)->mark);
	enter_compare_copy(t, func, line, copy ? &a : NULL);
}

void slow(struct env *t, const char *func, int line, const struct pkt_spec *in,
	  const struct pkt_spec *out, int flags)
{
	struct pkt_spec a = *in, b = out ? *out : *in;
	uint32_t priority = is_reply(in) ? PRIORITY_SLOW : 0;

	a.flags = b.flags = flags;
	xmit(t, func, line, &a, (struct outcome){ -1, &b, IVB_R_PASS_KERNEL, IVB_R_NONE });
	if (enter_seen(t)->mark != t->how.mark)
		fail(t, func, line, "marked %#x", enter_seen(t)->mark);
	if (enter_seen(t)->priority != priority)
		fail(t, func, line, "priority %#x, expected %#x", enter_seen(t)->priority,
		     priority);
	enter_compare_copy(t, func, line, NULL);
}
