/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two looks at services and servers. */
#include <string.h>

#include "base/addr.h"
#include "dp/report/stats.h"

static __u64 rate(__u64 now, __u64 before, __u32 seconds)
{
	/* counters that were zeroed meanwhile */
	return now < before ? 0 : (now - before + seconds / 2) / seconds;
}

static void traffic_rate(struct ivb_traffic *t, const struct ivb_traffic *before, __u32 seconds)
{
	t->conns = rate(t->conns, before->conns, seconds);
	t->in_packets = rate(t->in_packets, before->in_packets, seconds);
	t->out_packets = rate(t->out_packets, before->out_packets, seconds);
	t->in_bytes = rate(t->in_bytes, before->in_bytes, seconds);
	t->out_bytes = rate(t->out_bytes, before->out_bytes, seconds);
}

static const struct ivb_stats_server *server_find(const struct ivb_stats_service *svc,
						  const struct ivb_stats_server *s)
{
	size_t i;

	for (i = 0; i < svc->num; i++) {
		const struct ivb_stats_server *o = &svc->servers[i];

		if (o->af == s->af && o->port == s->port && o->slot == s->slot &&
		    ivb_addr_equal(&o->addr, &s->addr))
			return o;
	}
	return NULL;
}

/* Both looks have the same order, but for what came or went: so the search goes on where it was. */
static const struct ivb_stats_service *service_find(const struct ivb_stats *stats, size_t *at,
						    const struct ivb_stats_service *s)
{
	size_t i, k;

	for (i = 0; i < stats->num; i++) {
		k = (*at + i) % stats->num;
		if (stats->services[k].ipvs == s->ipvs && stats->services[k].fwmark == s->fwmark &&
		    !memcmp(&stats->services[k].key, &s->key, sizeof(s->key))) {
			*at = k + 1;
			return &stats->services[k];
		}
	}
	return NULL;
}

void ivb_stats_rate(struct ivb_stats *now, const struct ivb_stats *before, __u32 seconds)
{
	static const struct ivb_stats_service no_service;
	static const struct ivb_stats_server no_server;
	size_t i, j, at = 0;

	for (i = 0; i < now->num; i++) {
		struct ivb_stats_service *s = &now->services[i];
		const struct ivb_stats_service *old = service_find(before, &at, s);

		if (!old)
			old = &no_service;
		traffic_rate(&s->kernel, &old->kernel, seconds);
		traffic_rate(&s->ebpf, &old->ebpf, seconds);
		for (j = 0; j < s->num; j++) {
			const struct ivb_stats_server *o = server_find(old, &s->servers[j]);

			if (!o)
				o = &no_server;
			traffic_rate(&s->servers[j].kernel, &o->kernel, seconds);
			traffic_rate(&s->servers[j].ebpf, &o->ebpf, seconds);
		}
	}
}
