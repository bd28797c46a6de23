/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what user space would have written: configuration, services, dests, rings. */
#include "env.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tap.h"
#include "tc.skel.h"

static void put(struct bpf_map *map, const void *key, const void *value)
{
	if (bpf_map__update_elem(map, key, bpf_map__key_size(map), value, bpf_map__value_size(map),
				 BPF_ANY))
		bail("%s: %s", bpf_map__name(map), strerror(errno));
}

static void put_addr(union ivb_addr *to, int af, enum who who)
{
	struct pkt_addr addr = who_addr(af, who);

	memset(to, 0, sizeof(*to));
	memcpy(to, addr.byte, af == AF_INET ? 4 : 16);
}

void config_write(struct env *t)
{
	uint32_t zero = 0;

	put(t->skel->maps.config, &zero, &t->config);
}

void snat_ports(struct env *t, unsigned int low, unsigned int high)
{
	static struct ivb_port_group groups[65536 / IVB_PORT_GROUP];
	static struct ivb_port_map blank;
	uint32_t n = 0;

	memset(groups, 0, sizeof(groups));
	for (unsigned int port = low; port <= high; port++, n++) {
		groups[n / IVB_PORT_GROUP].port[n % IVB_PORT_GROUP] = port;
		groups[port / IVB_PORT_GROUP].allowed |= 1u << port % IVB_PORT_GROUP;
	}
	array_put(t->skel->maps.snat_ports, groups);
	memset(&blank, 0xff, sizeof(blank));
	for (unsigned int port = low; port <= high; port++) {
		blank.used[port / 64] &= ~(1ull << port % 64);
		blank.full[port / 4096] &= ~(1ull << port / 64 % 64);
	}
	blank.cursor = blank.turn = blank.given_up_cursor = 0;
	memset(blank.given_up, 0, sizeof(blank.given_up));
	memset(blank.some_given_up, 0, sizeof(blank.some_given_up));
	blank.free = n;
	blank.reclaimed = 0;
	array_put(t->skel->maps.port_blank, &blank);
	t->config.num_snat_ports = n;
	config_write(t);
}

void non_masq_add(struct env *t, enum who client)
{
	uint32_t one = 1;
	struct ivb_prefix prefix = {
		.prefixlen = 32 + (t->af == AF_INET ? 24 : 64),
		.af = t->af,
	};

	put_addr(&prefix.addr, t->af, client);
	put(t->skel->maps.non_masq, &prefix, &one);
}

void kernel_snat_add(struct env *t, int proto, enum who vip, uint16_t port, enum ivb_snat snat)
{
	struct ivb_service_key key = {
		.port = htons(port),
		.proto = proto,
		.af = t->af,
	};
	uint32_t policy = snat;

	put_addr(&key.addr, t->af, vip);
	put(t->skel->maps.kernel_snat, &key, &policy);
	t->config.flags |= IVB_CONFIG_SNAT_OWN;
	config_write(t);
}

struct service service_add(struct env *t, int proto, enum who vip, uint16_t port,
			   enum ivb_snat snat)
{
	struct service s = {
		.key = { .port = htons(port), .proto = proto, .af = t->af, .zone = ZONE },
		.value = { .slot = t->num_services,
			   .sched = t->num_services * 2,
			   .first_dest = IVB_NONE,
			   .snat = snat },
	};

	t->num_services++;
	put_addr(&s.key.addr, t->af, vip);
	put(t->skel->maps.services, &s.key, &s.value);
	return s;
}

void service_zone(struct env *t, struct service *s, uint32_t zone)
{
	bpf_map__delete_elem(t->skel->maps.services, &s->key, sizeof(s->key), 0);
	s->key.zone = zone;
	put(t->skel->maps.services, &s->key, &s->value);
}

uint32_t dest_add(struct env *t, struct service *s, enum who server, uint16_t port, uint32_t weight)
{
	uint32_t slot = t->num_dests++;
	struct ivb_dest dest = {
		.vaddr = s->key.addr,
		.port = htons(port),
		.vport = s->key.port,
		.af = t->af,
		.proto = s->key.proto,
		.zone = ZONE,
		.state = IVB_DEST_AVAILABLE,
		.weight = weight,
		.service = s->value.slot,
		.next = s->value.first_dest,
	};

	put_addr(&dest.addr, t->af, server);
	put_addr(&dest.snat_addr, t->af, DIRECTOR);
	put(t->skel->maps.dests, &slot, &dest);
	s->value.first_dest = slot;
	s->value.num_dests++;
	put(t->skel->maps.services, &s->key, &s->value);
	return slot;
}

static struct ivb_dest dest_get(struct env *t, uint32_t slot)
{
	struct ivb_dest dest;

	if (bpf_map__lookup_elem(t->skel->maps.dests, &slot, sizeof(slot), &dest, sizeof(dest), 0))
		bail("dests: %s", strerror(errno));
	return dest;
}

void dest_set_state(struct env *t, uint32_t slot, enum ivb_dest_state state)
{
	struct ivb_dest dest = dest_get(t, slot);

	dest.state = state;
	put(t->skel->maps.dests, &slot, &dest);
}

void dest_set_snat(struct env *t, uint32_t slot, enum who who)
{
	struct ivb_dest dest = dest_get(t, slot);

	memset(&dest.snat_addr, 0, sizeof(dest.snat_addr));
	if (who != WHO_MAX_)
		put_addr(&dest.snat_addr, t->af, who);
	put(t->skel->maps.dests, &slot, &dest);
}

void config_snat_addr(struct env *t, enum who who)
{
	uint32_t family = t->af == AF_INET ? 0 : 1;

	put_addr(&t->config.snat_addrs[family][t->config.num_snat_addrs[family]++], t->af, who);
	config_write(t);
}

static uint32_t ring_put(struct env *t, uint32_t at, uint32_t word)
{
	put(t->skel->maps.ring, &at, &word);
	return at + 1;
}

/*
 * Segments in the arguments: start, count, and count dest slots each. In the ring the triplets come
 * first, then the slots.
 */
void ring_write(struct env *t, struct service *s, uint32_t period, uint32_t num_segments, ...)
{
	uint32_t first = t->ring_words, triplet = first, slots = first + 3 * num_segments;
	struct ivb_sched sched = {
		.length = period,
		.num_segments = num_segments,
		.first = first,
	};
	va_list ap;

	va_start(ap, num_segments);
	for (uint32_t i = 0; i < num_segments; i++) {
		uint32_t start = va_arg(ap, uint32_t), count = va_arg(ap, uint32_t);

		triplet = ring_put(t, triplet, start);
		triplet = ring_put(t, triplet, slots);
		triplet = ring_put(t, triplet, count);
		for (uint32_t j = 0; j < count; j++)
			slots = ring_put(t, slots, va_arg(ap, uint32_t));
	}
	va_end(ap);
	t->ring_words = slots;
	sched.capacity = slots - first;
	put(t->skel->maps.scheds, &s->value.sched, &sched);
}

void table_write(struct env *t, struct service *s, enum ivb_scheduler scheduler, uint32_t length,
		 const uint32_t *words, uint32_t n)
{
	struct ivb_sched sched = { .length = length, .first = t->ring_words, .capacity = n };

	for (uint32_t i = 0; i < n; i++)
		t->ring_words = ring_put(t, t->ring_words, words[i]);
	put(t->skel->maps.scheds, &s->value.sched, &sched);
	s->value.scheduler = scheduler;
	put(t->skel->maps.services, &s->key, &s->value);
}

void dest_set_weight(struct env *t, uint32_t slot, uint32_t weight)
{
	struct ivb_dest dest = dest_get(t, slot);

	dest.weight = weight;
	put(t->skel->maps.dests, &slot, &dest);
}

void dest_limit(struct env *t, uint32_t slot, uint32_t upper, uint32_t lower)
{
	struct ivb_dest dest = dest_get(t, slot);

	dest.upper = upper;
	dest.lower = lower;
	put(t->skel->maps.dests, &slot, &dest);
}

void device_attach(struct env *t, enum side side, uint32_t zone)
{
	struct ivb_dev dev = { .zone = zone };

	put(t->skel->maps.devs, &t->ifindex[side], &dev);
}

struct service simple_to(struct env *t, int proto, enum ivb_snat snat, enum who server)
{
	struct service s = service_add(t, proto, VIP, 80, snat);
	uint32_t slot = dest_add(t, &s, server, 8080, 1);

	ring_write(t, &s, 1, 1, 0, 1, slot);
	return s;
}

struct service simple(struct env *t, int proto, enum ivb_snat snat)
{
	return simple_to(t, proto, snat, SERVER1);
}
