/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespace, its devices and routes; the loaded programs; the fresh state of every case. */
#include "env.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ivb/progs.h>

#include "tap.h"
#include "tc.skel.h"

static const char *const who_texts[WHO_MAX_][2] = {
	[CLIENT] = { "198.51.100.5", "2001:db8:c::5" },
	[CLIENT2] = { "198.51.100.6", "2001:db8:c::6" },
	[CLIENT_INSIDE] = { "198.51.101.9", "2001:db8:c:1::9" },
	[GATEWAY] = { "192.0.2.254", "2001:db8:1::fe" },
	[VIP] = { "203.0.113.10", "2001:db8:f::10" },
	[VIP2] = { "203.0.113.11", "2001:db8:f::11" },
	[VIP_ELSEWHERE] = { "203.0.114.99", "2001:db8:f1::99" },
	[VIP_NOWHERE] = { "203.0.115.99", "2001:db8:f2::99" },
	[DIRECTOR] = { "10.1.0.1", "fd00:1::1" },
	[SNAT_POOL] = { "10.1.0.2", "fd00:1::2" },
	[SERVER1] = { "10.1.0.11", "fd00:1::11" },
	[SERVER2] = { "10.1.0.12", "fd00:1::12" },
	[SERVER3] = { "10.1.0.13", "fd00:1::13" },
	[SERVER_SILENT] = { "10.1.0.19", "fd00:1::19" },
	[FAR] = { "10.2.0.11", "fd00:2::11" },
	[ROUTER] = { "10.1.0.254", "fd00:1::fe" },
	[SERVER_OUTSIDE] = { "10.9.0.11", "fd00:9::11" },
	[SERVER_UNROUTED] = { "10.7.0.11", "fd00:7::11" },
	[SERVER_UNREACHABLE] = { "10.8.0.11", "fd00:8::11" },
};

static const char *const side_names[SIDE_MAX_] = { "cli0", "srv0", "out0" };

const uint8_t *side_mac(enum side side)
{
	static uint8_t mac[SIDE_MAX_][6];

	memcpy(mac[side], (uint8_t[]){ 2, 0, 0, 0, 1, side + 1 }, 6);
	return mac[side];
}

const uint8_t *who_mac(enum who who)
{
	static uint8_t mac[WHO_MAX_][6];

	memcpy(mac[who], (uint8_t[]){ 2, 0, 0, 0, 2, who + 1 }, 6);
	return mac[who];
}

const char *who_text(int af, enum who who)
{
	return who_texts[who][af == AF_INET6];
}

struct pkt_addr who_addr(int af, enum who who)
{
	return pkt_addr(who_text(af, who));
}

void sysctl_write(const char *path, const char *value)
{
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "/proc/sys/net/%s", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		bail("%s: %s", file, strerror(errno));
	close(fd);
}

/* The pipe to ip -batch is the namespace's whole description. */
static FILE *batch_open(void)
{
	FILE *f = popen("ip -batch - >&2", "w");

	if (!f)
		bail("ip: %s", strerror(errno));
	return f;
}

void ip_command(struct env *t, const char *fmt, ...)
{
	FILE *f = batch_open();
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	if (pclose(f))
		fail(t, __func__, __LINE__, "ip %s", fmt);
}

static void batch_side(FILE *f, enum side side, const char *addr4, const char *addr6)
{
	const char *name = side_names[side];
	const uint8_t *m = side_mac(side);

	fprintf(f, "link add %s address %02x:%02x:%02x:%02x:%02x:%02x type veth peer name %sp\n",
		name, m[0], m[1], m[2], m[3], m[4], m[5], name);
	fprintf(f, "addr add %s dev %s\n", addr4, name);
	fprintf(f, "addr add %s dev %s nodad\n", addr6, name);
	fprintf(f, "link set %s up\nlink set %sp up\n", name, name);
}

static void batch_neighbour(FILE *f, enum side side, enum who who)
{
	const uint8_t *m = who_mac(who);

	for (int v6 = 0; v6 < 2; v6++)
		fprintf(f,
			"neigh add %s lladdr %02x:%02x:%02x:%02x:%02x:%02x dev %s nud permanent\n",
			who_texts[who][v6], m[0], m[1], m[2], m[3], m[4], m[5], side_names[side]);
}

void neighbour_set(struct env *t, enum who who, enum who as)
{
	const uint8_t *m = who_mac(as);

	ip_command(t,
		   "neigh replace %s lladdr %02x:%02x:%02x:%02x:%02x:%02x dev srv0 nud permanent",
		   who_text(t->af, who), m[0], m[1], m[2], m[3], m[4], m[5]);
}

void env_network(struct env *t)
{
	cpu_set_t one;
	FILE *f;

	/* one CPU: counters and tokens are per CPU, and the cases are about one packet at a time */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (unshare(CLONE_NEWNET))
		bail("a new network namespace: %s", strerror(errno));
	sysctl_write("ipv6/conf/default/accept_dad", "0");
	sysctl_write("ipv6/conf/default/addr_gen_mode", "1");

	f = batch_open();
	fputs("link set lo up\n", f);
	batch_side(f, CLIENT_SIDE, "192.0.2.1/24", "2001:db8:1::1/64");
	batch_side(f, SERVER_SIDE, "10.1.0.1/24", "fd00:1::1/64");
	batch_side(f, OUTSIDE, "10.9.0.1/24", "fd00:9::1/64");
	for (int v6 = 0; v6 < 2; v6++) {
		fprintf(f, "addr add %s dev lo\n", who_texts[VIP][v6]);
		fprintf(f, "addr add %s dev lo\n", who_texts[VIP2][v6]);
		fprintf(f, "addr add %s dev srv0%s\n", who_texts[SNAT_POOL][v6],
			v6 ? " nodad" : "");
	}
	batch_neighbour(f, CLIENT_SIDE, GATEWAY);
	for (enum who who = SERVER1; who <= SERVER3; who++)
		batch_neighbour(f, SERVER_SIDE, who);
	batch_neighbour(f, SERVER_SIDE, ROUTER);
	batch_neighbour(f, OUTSIDE, SERVER_OUTSIDE);
	fputs("route add 198.51.100.0/22 via 192.0.2.254\n"
	      "route add 2001:db8:c::/47 via 2001:db8:1::fe\n"
	      "route add 203.0.114.0/24 via 192.0.2.254\n"
	      "route add 2001:db8:f1::/48 via 2001:db8:1::fe\n"
	      "route add 10.2.0.0/24 via 10.1.0.254 mtu lock 1300\n"
	      "route add fd00:2::/64 via fd00:1::fe mtu lock 1300\n"
	      "route add unreachable 10.8.0.0/24\n"
	      "route add unreachable fd00:8::/64\n",
	      f);
	if (pclose(f))
		bail("ip could not set up the namespace");
	sysctl_write("ipv4/ip_forward", "1");
	sysctl_write("ipv6/conf/all/forwarding", "1");
	for (int i = 0; i < SIDE_MAX_; i++)
		t->ifindex[i] = if_nametoindex(side_names[i]);
}

static uint32_t kernel_hz(void)
{
	struct timespec ts;

	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return (1000000000 + ts.tv_nsec / 2) / ts.tv_nsec;
}

static void resize(struct bpf_map *map, uint32_t entries)
{
	if (bpf_map__set_max_entries(map, entries))
		bail("%s: cannot be resized", bpf_map__name(map));
}

static void install(struct ivb_tc *s, uint32_t index, const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	if (bpf_map__update_elem(s->maps.ivb_progs, &index, sizeof(index), &fd, sizeof(fd), 0))
		bail("progs: %s", strerror(errno));
}

void env_load(struct env *t)
{
	struct ivb_tc *s;
	int r;

	s = t->skel = ivb_tc__open();
	if (!s)
		bail("the skeleton does not open: %s", strerror(errno));
	t->hz = kernel_hz();
	s->rodata->ivb_hz = t->hz;
	s->rodata->ivb_zone = ZONE;
	s->rodata->ivb_conn_mask4 = s->rodata->ivb_conn_mask6 = MAX_CONNS - 1;
	resize(s->maps.ivb_flows4, 2 * MAX_CONNS);
	resize(s->maps.ivb_flows6, 2 * MAX_CONNS);
	resize(s->maps.ivb_conns4, MAX_CONNS);
	resize(s->maps.ivb_conns6, MAX_CONNS);
	resize(s->maps.ivb_clock4, MAX_CONNS / IVB_CLOCK_GROUP);
	resize(s->maps.ivb_clock6, MAX_CONNS / IVB_CLOCK_GROUP);
	resize(s->maps.ivb_due4, IVB_CLOCK_DUE(MAX_CONNS));
	resize(s->maps.ivb_due6, IVB_CLOCK_DUE(MAX_CONNS));
	resize(s->maps.ivb_half_open4, MAX_CONNS);
	resize(s->maps.ivb_half_open6, MAX_CONNS);
	resize(s->maps.ivb_first_tries, 16);
	s->rodata->ivb_tries_mask = 15;
	resize(s->maps.ivb_services, 64);
	resize(s->maps.ivb_service_state, 64);
	resize(s->maps.ivb_dests, 64);
	resize(s->maps.ivb_dest_conns, 64);
	resize(s->maps.ivb_dest_bases, 64);
	resize(s->maps.ivb_scheds, 128);
	resize(s->maps.ivb_ring, 1024);
	resize(s->maps.ivb_frags, 256);
	resize(s->maps.ivb_kernel_conns, MAX_CONNS);
	resize(s->maps.ivb_kernel_replies, MAX_CONNS);
	resize(s->maps.ivb_kernel_traffic, 256);
	r = ivb_tc__load(s);
	if (r)
		bail("the programs do not load: %s", strerror(-r));
	install(s, IVB_PROG_INGRESS6, s->progs.ivb_ingress6);
	install(s, IVB_PROG_EGRESS6, s->progs.ivb_egress6);
	install(s, IVB_PROG_EGRESS4, s->progs.ivb_egress4);
}

void env_close(struct env *t)
{
	ivb_tc__destroy(t->skel);
}

static void hash_empty(struct bpf_map *map)
{
	char key[64];

	while (!bpf_map__get_next_key(map, NULL, key, bpf_map__key_size(map)))
		if (bpf_map__delete_elem(map, key, bpf_map__key_size(map), 0))
			bail("%s: cannot be emptied", bpf_map__name(map));
}

static void percpu_zero(struct bpf_map *map)
{
	size_t len = (size_t)((bpf_map__value_size(map) + 7) & ~7u) * libbpf_num_possible_cpus();
	void *zeros = calloc(1, len);

	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
		if (bpf_map__update_elem(map, &i, sizeof(i), zeros, len, 0))
			bail("%s: cannot be zeroed", bpf_map__name(map));
	free(zeros);
}

void array_put(struct bpf_map *map, const void *values)
{
	uint32_t n = bpf_map__max_entries(map), *keys = calloc(n, sizeof(*keys));

	for (uint32_t i = 0; i < n; i++)
		keys[i] = i;
	if (bpf_map_update_batch(bpf_map__fd(map), keys, values, &n, NULL))
		bail("%s: %s", bpf_map__name(map), strerror(errno));
	free(keys);
}

static void array_zero(struct bpf_map *map)
{
	void *zeros = calloc(bpf_map__max_entries(map), bpf_map__value_size(map));

	array_put(map, zeros);
	free(zeros);
}

void env_reset(struct env *t)
{
	t->failed = 0;
	env_reset_maps(t);
}

void env_reset_maps(struct env *t)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, t->skel->obj)
	{
		/* writing to a timer's map would stop the timer */
		if (bpf_map__is_internal(map) || !strncmp(bpf_map__name(map), "ivb_hand", 8))
			continue;
		switch (bpf_map__type(map)) {
		case BPF_MAP_TYPE_HASH:
		case BPF_MAP_TYPE_LRU_HASH:
		case BPF_MAP_TYPE_LPM_TRIE:
			hash_empty(map);
			break;
		case BPF_MAP_TYPE_ARRAY:
			array_zero(map);
			break;
		case BPF_MAP_TYPE_PERCPU_ARRAY:
			percpu_zero(map);
			break;
		default:
			break;
		}
	}
	t->num_services = t->num_dests = t->ring_words = 0;
	memset(&t->how, 0, sizeof(t->how));
	t->iif = 0;
	gso(0);
	memset(&t->config, 0, sizeof(t->config));
	t->config.snat = IVB_SNAT_NEVER;
	t->config.hash_key = 0x123456789abcdef0;
	/* all different, so that a stamp tells the state */
	for (uint32_t i = 0; i < IVB_S_MAX_; i++)
		t->config.timeouts[i] = (100 + 10 * i) * t->hz;
	config_write(t);
	snat_ports(t, 1024, 65535);
	device_attach(t, CLIENT_SIDE, ZONE);
	device_attach(t, SERVER_SIDE, ZONE);
	counters_read(t, 0);
}
