/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet, or a connection, costs a director: packets made in the kernel
 * (BPF_F_TEST_XDP_LIVE_FRAMES), in short batches, the variants one after another in every round:
 *   live BENCH ROUNDS BATCHES PACKETS FLOWS CLIENTS SERVERS VARIANT=NETNS:N[:PINS[:FILL]]...
 * Each variant has a network namespace of its own. Prints "BENCH VARIANT ROUND NS ENTRIES" (ns: the
 * round's quickest batch, per packet or connection; entries: connections that the director then
 * knows). flood-* has one variant, and prints
 * two: a packet of an established connection beside a flood to the service, and beside one to no
 * service that costs as much of the processor (-load); and what one of the floods' costs (-refused).
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ivb/abi.h>
#include "live.h"
#include "bench/live.skel.h"
#include "pkt/csum.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type of newer headers */
#define TCX_EGRESS 47
#define LIVE_FRAMES 2 /* BPF_F_TEST_XDP_LIVE_FRAMES */
#define VARIANTS 8
#define DESTS 4096 /* that are looked at */
#define CHUNK 4096
#define FLOOD_FIRST (1u << 22) /* of the sources */
#define LOSSES 3
#define NO_TIME 1e12
#define SYN 0x02
#define ACK 0x10

enum bench { PKT_HOT, PKT_64K, NEW, CONN, PROG, FLOOD_SYN, FLOOD_UDP, BENCHES };
static const char *const names[] = { "pkt-hot", "pkt-64k",   "new",	 "conn",
				     "prog",	"flood-syn", "flood-udp" };

struct variant {
	char name[32];
	int netns, n, dest_conns;
	bool nat, conntrack;
	unsigned int client, server; /* ifindex of the director's devices */
	__u32 next;		     /* of the connections that are made anew */
	__u64 made;
	int losses; /* batches in which something did not arrive */
	__u32 fill;   /* connections that are there, if more than those that packets are sent of */
	int restored; /* prog: fd of what is measured */
};

static struct live_bpf *skel;
static struct variant variants[VARIANTS];
static int num_variants, ends_netns[2];

static void die(const char *what, const char *why)
{
	fprintf(stderr, "live: %s: %s\n", what, why);
	exit(1);
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		die("setns", strerror(errno));
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path, strerror(errno));
	return fd;
}

static int attach(const struct bpf_program *prog, unsigned int ifindex, int type)
{
	int fd = bpf_link_create(bpf_program__fd(prog), ifindex, type, NULL);

	if (fd < 0)
		die(bpf_program__name(prog), strerror(errno));
	return fd;
}

/*
 * From client 0.0.0.0:0 to the variant's service or, where nothing is translated, its first server.
 */
static int make_frame(const struct variant *v, __u8 proto, __u8 flags)
{
	int l4 = proto == IPPROTO_TCP ? 20 : 8 + (skel->bss->flood ? 12 : 18);
	struct ethhdr *eth = (void *)skel->bss->frame;
	struct iphdr *ip = (void *)(eth + 1);
	__be16 *port = (void *)(ip + 1);
	__u64 sum = htons(proto) + htons(l4);

	memset(eth, 0, sizeof(skel->bss->frame));
	memcpy(eth->h_dest, (__u8[]){ 2, 0, 0, 1, v->n, 1 }, ETH_ALEN);
	memcpy(eth->h_source, (__u8[]){ 2, 0, 0, 1, v->n, 2 }, ETH_ALEN);
	eth->h_proto = htons(ETH_P_IP);
	*ip = (struct iphdr){ .version = 4,
			      .ihl = 5,
			      .tot_len = htons(20 + l4),
			      .ttl = 64,
			      .protocol = proto,
			      .daddr = htonl(v->nat ? VIP(v->n) : NET_SERVER(v->n) + 2) };
	for (int i = 0; i < 10; i++)
		sum += i < 6 ? 0 : ((__u16 *)ip)[i];
	port[1] = htons(LIVE_PORT);
	if (proto == IPPROTO_TCP) {
		struct tcphdr *tcp = (void *)port;

		tcp->seq = htonl(flags & SYN ? 999 : 1000);
		tcp->ack_seq = flags & ACK ? htonl(5001) : 0;
		tcp->doff = 5;
		((__u8 *)tcp)[13] = flags;
		tcp->window = htons(65000);
	} else {
		port[2] = htons(l4);
	}
	for (int i = 0; i < l4 / 2; i++)
		sum += port[i];
	port[proto == IPPROTO_TCP ? 8 : 3] = ~csum_fold(sum);
	for (int i = 0, s = 0; i < 10; i++, ip->check = ~csum_fold(s))
		s += i == 5 ? 0 : ((__u16 *)ip)[i];
	return ETH_HLEN + 20 + l4;
}

static void flows(__u32 base, __u32 n)
{
	skel->bss->base = base;
	skel->bss->flows = n;
	skel->bss->turn = 0;
}

/*
 * One batch through the director of a variant; nanoseconds each. They all have to arrive. Others than
 * ours may lose something LOSSES times (conntrack does, once in some million packets): such a
 * batch gives no time.
 */
static double batch(struct variant *v, int len, int packets, int size, __u64 *arrived)
{
	struct xdp_md md = { .data_end = len, .ingress_ifindex = v->client };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = skel->bss->frame, .data_size_in = len,
		    .ctx_in = &md, .ctx_size_in = sizeof(md), .repeat = packets,
		    .flags = LIVE_FRAMES, .batch_size = size);
	__u64 before = *arrived;
	char why[120];

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.generate), &o))
		die("live frames", strerror(errno));
	if (*arrived - before == (__u64)packets && !skel->bss->strange)
		return o.duration;
	if (skel->bss->flood && *arrived - before >= skel->bss->flood_theirs)
		return o.duration;
	snprintf(why, sizeof(why), "%d sent, %llu arrived, %llu are wrong", packets,
		 (unsigned long long)(*arrived - before), (unsigned long long)skel->bss->strange);
	if (v->dest_conns >= 0 || skel->bss->strange || ++v->losses > LOSSES)
		die(v->name, why);
	fprintf(stderr, "live: %s: %s: not counted\n", v->name, why);
	return NO_TIME;
}

/* Connections that the director knows. */
static long entries(const struct variant *v)
{
	struct ivb_dest_conns c;
	long n = 0;
	FILE *f;

	if (v->dest_conns >= 0) {
		for (__u32 i = 0; i < DESTS && !bpf_map_lookup_elem(v->dest_conns, &i, &c); i++)
			n += c.active + c.inactive;
		return n;
	}
	if (!v->conntrack)
		return 0;
	f = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re");
	if (!f || fscanf(f, "%ld", &n) != 1)
		die("nf_conntrack_count", strerror(errno));
	fclose(f);
	return n;
}

/* In this variant's namespace, with what its packets must look like. */
static void use(const struct variant *v)
{
	enter(v->netns);
	skel->bss->server_net = NET_SERVER(v->n);
	skel->bss->snat_addr =
		v->nat && strcmp(v->name, "nft-dnat") ? htonl(NET_SERVER(v->n) + 1) : 0;
	skel->bss->strange = 0;
}

/*
 * The flows that the packets of pkt-* will belong to; both directions of none has been established
 * before.
 */
static void establish(struct variant *v, enum bench b, int num)
{
	int len;

	if (b == PKT_HOT) {
		flows(0, num);
		len = make_frame(v, IPPROTO_UDP, 0);
		batch(v, len, num, 64, &skel->bss->sunk);
		v->made = num;
		return;
	}
	num = v->fill > (__u32)num ? v->fill : (__u32)num;
	for (int i = 0, n; i < num; i += n) {
		n = num - i < CHUNK ? num - i : CHUNK;
		/*
		 * conntrack takes a connection up in the middle, but a bare ACK after SYN is
		 * invalid to it
		 */
		flows(i, n);
		if (v->dest_conns >= 0)
			batch(v, make_frame(v, IPPROTO_TCP, SYN), n, 64, &skel->bss->sunk);
		flows(i, n);
		batch(v, make_frame(v, IPPROTO_TCP, ACK), n, 64, &skel->bss->sunk);
	}
	v->made = num;
}

static double packets_of(struct variant *v, enum bench b, int packets, int num)
{
	bool fresh = b == NEW || b == CONN;
	int len = make_frame(v, b == PKT_HOT ? IPPROTO_UDP : IPPROTO_TCP, fresh ? SYN : ACK);
	double ns;

	flows(fresh ? v->next : 0, fresh ? packets : num);
	if (!fresh)
		skel->bss->turn = v->next;
	ns = batch(v, len, packets, b == CONN ? 16 : 64,
		   b == CONN ? &skel->bss->done : &skel->bss->sunk);
	v->next = fresh ? v->next + packets : skel->bss->turn;
	v->made += fresh ? packets : 0;
	return ns;
}

/* A flood's packets: to the service, or to no service. */
static void flood_frame(const struct variant *v, bool udp, bool shed, struct live_flood *f)
{
	struct tcphdr *tcp = (void *)(skel->bss->frame + ETH_HLEN + 20);
	__u16 *check = udp ? (void *)tcp + 6 : (void *)&tcp->check;

	make_frame(v, udp ? IPPROTO_UDP : IPPROTO_TCP, SYN);
	if (shed) {
		tcp->dest = htons(SHED_PORT);
		*check =
			csum_update(*check, csum_fold((__u64)tcp->dest + (__u16)~htons(LIVE_PORT)));
	}
	memcpy(f->frame, skel->bss->frame, HEADERS);
}

static int by_value(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Of a packet, from the blocks without the slowest tenth: what else the machine did. */
static double packet_ns(struct live_blocks *b)
{
	__u32 n = b->num - b->num / 10;
	double sum = 0;

	if (n < 100)
		die("flood", "too few blocks");
	qsort(b->ns, b->num, sizeof(b->ns[0]), by_value);
	for (__u32 i = 0; i < n; i++)
		sum += b->ns[i];
	return sum / n / FLOOD_BLOCK;
}

/*
 * Both floods by turns, beside the same connections of the same director. The one to no service
 * gets as many more packets as it takes for the same time of the processor.
 */
static void flood_round(struct variant *v, enum bench b, int packets, int num, int round)
{
	struct live_flood *f = skel->bss->floods;
	double each[2];
	int len, i;

	skel->bss->flood = 1;
	skel->bss->flood_turn = skel->bss->flood_kind = 0;
	skel->bss->flood_which = skel->bss->flood_spell = skel->bss->flood_theirs = 0;
	for (i = 0; i < 2; i++) {
		flood_frame(v, b == FLOOD_UDP, i, &f[i]);
		f[i].owed = f[i].blocks[0].num = f[i].blocks[1].num = 0;
		if (!f[i].share)
			f[i].share = FLOOD_ONE;
	}
	len = make_frame(v, IPPROTO_TCP, ACK);
	flows(0, num);
	batch(v, len, packets, FLOOD_BLOCK, &skel->bss->sunk);
	skel->bss->flood = 0;
	/* each of them must be carried */
	flows(0, num);
	batch(v, len, num, 64, &skel->bss->sunk);
	for (i = 0; i < 2; i++) {
		const char *name = i ? "no-service" : v->name;
		double ns = packet_ns(&f[i].blocks[0]);

		each[i] = packet_ns(&f[i].blocks[1]);
		if (round < 0)
			continue;
		printf("%s %s %d %.1f %ld 0\n", names[b], name, round, ns, entries(v));
		printf("%s-refused %s %d %.1f\n", names[b], name, round, each[i]);
		printf("%s-load %s %d %.1f\n", names[b], name, round,
		       each[i] * f[i].share / FLOOD_ONE);
	}
	f[1].share = (__u32)(each[0] / each[1] * FLOOD_ONE);
	fflush(stdout);
}

/* The program alone, in a test run that restores the packet each time. */
static double prog(struct variant *v, int packets)
{
	int len = make_frame(v, IPPROTO_UDP, 0), map = bpf_map__fd(skel->maps.target);
	struct __sk_buff skb = { .ifindex = v->client };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = skel->bss->frame, .data_size_in = len,
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = packets);
	__u32 zero = 0;

	if (bpf_map_update_elem(map, &zero, &v->restored, BPF_ANY))
		die("tail call", strerror(errno));
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.restore), &o))
		die("test run", strerror(errno));
	/* TC_ACT_UNSPEC of `nothing`, TC_ACT_REDIRECT of ours */
	if ((int)o.retval != (v->dest_conns >= 0 ? 7 : -1))
		die(v->name, "the program did not carry the packet");
	return o.duration;
}

static void open_variant(char *arg, struct variant *v)
{
	char *name = strtok(arg, "="), *netns = strtok(NULL, ":"), *n = strtok(NULL, ":"),
	     *pins = strtok(NULL, ":"), *fill = strtok(NULL, ":"), path[300];

	if (!name || !netns || !n)
		die("variant", "NAME=NETNS:N[:PINS[:FILL]]");
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->netns = open_or_die(netns);
	v->n = atoi(n);
	v->dest_conns = -1;
	v->fill = fill ? atoi(fill) : 0;
	v->conntrack = !strncmp(name, "nft", 3);
	v->nat = v->conntrack || pins;
	enter(v->netns);
	v->client = if_nametoindex("dc");
	v->server = if_nametoindex("ds");
	if (!v->client || !v->server)
		die(netns, "no dc or no ds");
	v->restored = bpf_program__fd(skel->progs.nothing);
	if (!pins)
		return;
	snprintf(path, sizeof(path), "%s/dest_conns", pins);
	v->dest_conns = bpf_obj_get(path);
	if (v->dest_conns < 0)
		die(path, strerror(errno));
}

/* Ours as it is attached at the client's side. */
static int attached_prog(const struct variant *v)
{
	LIBBPF_OPTS(bpf_prog_query_opts, o);
	__u32 id = 0;

	o.prog_ids = &id;
	o.prog_cnt = 1;
	if (bpf_prog_query_opts(v->client, TCX_INGRESS, &o) || !id)
		die("query", strerror(errno));
	return bpf_prog_get_fd_by_id(id);
}

static void prepare(struct variant *v, enum bench b, int num)
{
	char dev[16];

	use(v);
	if (!strcmp(v->name, "null-neigh")) {
		skel->bss->hops[0] =
			(struct live_hop){ v->client, v->server, htonl(NET_SERVER(v->n) + 2) };
		skel->bss->hops[1] =
			(struct live_hop){ v->server, v->client, htonl(NET_CLIENT(v->n) + 2) };
		attach(skel->progs.null_neigh, v->client, TCX_INGRESS);
		attach(skel->progs.null_neigh, v->server, TCX_INGRESS);
	}
	if (b == FLOOD_SYN || b == FLOOD_UDP) {
		attach(skel->progs.shed, v->client, TCX_INGRESS);
		skel->bss->flood_next = FLOOD_FIRST;
	}
	if (b == PROG && v->dest_conns >= 0)
		v->restored = attached_prog(v);
	if (b != CONN) {
		attach(skel->progs.sink, v->server, TCX_EGRESS);
	} else {
		for (int i = 0; i < 2; i++) {
			enter(ends_netns[i]);
			snprintf(dev, sizeof(dev), "%c%d", "cs"[i], v -> n);
			attach(i ? skel->progs.server_end : skel->progs.client_end,
			       if_nametoindex(dev), TCX_INGRESS);
		}
		use(v);
	}
	if (b == FLOOD_SYN || b == FLOOD_UDP) {
		establish(v, PKT_64K, num);
		v->made = 0; /* not told from a flood's, later */
	}
	if (b == PKT_HOT || b == PKT_64K || (b == PROG && v->dest_conns >= 0))
		establish(v, b == PROG ? PKT_HOT : b, num);
}

static double one(struct variant *v, enum bench b, int packets, int num)
{
	if (b != PROG)
		return packets_of(v, b, packets, num);
	flows(0, num);
	return prog(v, packets);
}

int main(int argc, char **argv)
{
	enum bench b = 0;
	cpu_set_t cpu;

	if (argc < 9)
		die("usage",
		    "live BENCH ROUNDS BATCHES PACKETS FLOWS CLIENTS SERVERS NAME=NETNS:N[:PINS[:FILL]]...");
	while (b < BENCHES && strcmp(argv[1], names[b]))
		b++;
	int rounds = atoi(argv[2]), batches = atoi(argv[3]), packets = atoi(argv[4]),
	    num = atoi(argv[5]);

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	skel = live_bpf__open_and_load();
	if (!skel || b == BENCHES)
		die(argv[1], "cannot load");
	for (int i = 0; i < 2; i++)
		ends_netns[i] = open_or_die(argv[6 + i]);
	for (int i = 8; i < argc && num_variants < VARIANTS; i++)
		open_variant(argv[i], &variants[num_variants++]);
	for (int i = 0; i < num_variants; i++)
		prepare(&variants[i], b, num);
	for (int r = -2; r < rounds && (b == FLOOD_SYN || b == FLOOD_UDP); r++)
		flood_round(&variants[0], b, packets, num, r);
	if (b == FLOOD_SYN || b == FLOOD_UDP)
		return 0;
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < num_variants; i++) {
			struct variant *v = &variants[i];
			double best = NO_TIME, ns;

			use(v);
			one(v, b, packets / 4, num); /* warms caches up */
			for (int k = 0; k < batches; k++) {
				ns = one(v, b, packets, num);
				best = ns < best ? ns : best;
			}
			if (best >= NO_TIME)
				die(v->name, "packets were lost in every batch of a round");
			printf("%s %s %d %.1f %ld %llu\n", argv[1], v->name, r, best, entries(v),
			       (unsigned long long)v->made);
			fflush(stdout);
		}
	}
	return 0;
}
