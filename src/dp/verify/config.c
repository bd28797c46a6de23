/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services, their lists of servers, and their scheduler tables, as packets would follow them.
 * Nobody changes them while we hold the lock, so everything is looked at once.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/maps_int.h"
#include "dp/verify/verify_int.h"
#include "model/sched.h"

#define SEGMENT_WORDS (sizeof(struct ivb_segment) / sizeof(__u32))

struct config {
	struct ivb_verifier *v;
	struct ivb_dest *dests;
	struct ivb_sched *scheds;
	__u32 *ring;
	__u8 *listed; /* count of lists that have the dest, by dest */
	__u8 *slots;  /* slots that are taken, by service slot */
};

static void config_free(struct config *c)
{
	free(c->dests);
	free(c->scheds);
	free(c->ring);
	free(c->listed);
	free(c->slots);
}

static int read_config(struct config *c)
{
	const struct ivb_dp *dp = c->v->dp;
	const struct ivb_meta *m = &dp->meta;
	int r;

	c->listed = calloc(m->max_dests, 1);
	c->slots = calloc(m->max_services, 1);
	if (!c->listed || !c->slots)
		return -ENOMEM;
	r = ivb_map_read_array(dp->fds[IVB_MAP_DESTS], sizeof(*c->dests), m->max_dests,
			       (void **)&c->dests);
	if (!r)
		r = ivb_map_read_array(dp->fds[IVB_MAP_SCHEDS], sizeof(*c->scheds),
				       2 * m->max_services, (void **)&c->scheds);
	if (!r)
		r = ivb_map_read_array(dp->fds[IVB_MAP_RING], sizeof(*c->ring), m->max_ring,
				       (void **)&c->ring);
	return r;
}

static void check_list(struct config *c, const char *name, const struct ivb_service *svc)
{
	__u32 slot = svc->first_dest, n = 0;
	const struct ivb_dest *d;

	for (; slot != IVB_NONE; slot = d->next, n++) {
		if (slot >= c->v->dp->meta.max_dests) {
			ivb_verify_problem(c->v, "service %s: server slot %u does not exist", name,
					   slot);
			return;
		}
		d = &c->dests[slot];
		if (c->listed[slot]++) {
			ivb_verify_problem(
				c->v, "service %s: server slot %u is in two lists, or twice in one",
				name, slot);
			return;
		}
		if (d->state != IVB_DEST_AVAILABLE || d->service != svc->slot)
			ivb_verify_problem(
				c->v,
				"service %s: server slot %u in its list is not its own (state %u, "
				"service slot %u)",
				name, slot, d->state, d->service);
	}
	if (n != svc->num_dests)
		ivb_verify_problem(c->v, "service %s: %u servers in the list, and a count of %u",
				   name, n, svc->num_dests);
}

/* The dest slots of one segment; first and count have not been checked yet. */
static void check_segment(struct config *c, const char *name, const struct ivb_service *svc,
			  const struct ivb_sched *s, const struct ivb_segment *seg)
{
	__u32 slots = s->first + s->num_segments * SEGMENT_WORDS, end = s->first + s->capacity, i;
	const struct ivb_dest *d;

	if (!seg->count || seg->first < slots || seg->first > end ||
	    seg->count > end - seg->first) {
		ivb_verify_problem(
			c->v, "service %s: a segment lies outside of its scheduler table", name);
		return;
	}
	for (i = seg->first; i < seg->first + seg->count; i++) {
		d = c->ring[i] < c->v->dp->meta.max_dests ? &c->dests[c->ring[i]] : NULL;
		if (!d || d->state != IVB_DEST_AVAILABLE || d->service != svc->slot || !d->weight) {
			ivb_verify_problem(
				c->v,
				"service %s: its scheduler table names server slot %u, which takes "
				"no connections of it",
				name, c->ring[i]);
			return;
		}
	}
}

/*
 * A word that is a dest slot: the service's own, and of that weight or, if there is none given,
 * any.
 */
static bool names_own(const struct config *c, const struct ivb_service *svc, __u32 slot,
		      const __u32 *weight)
{
	const struct ivb_dest *d = slot < c->v->dp->meta.max_dests ? &c->dests[slot] : NULL;

	return d && d->state == IVB_DEST_AVAILABLE && d->service == svc->slot &&
	       (!weight || (*weight && d->weight == *weight));
}

/* A table without segments. */
static void check_words(struct config *c, const char *name, const struct ivb_service *svc,
			const struct ivb_sched *s)
{
	bool list = ivb_sched_kind(svc->scheduler) == IVB_SCHED_KIND_LIST;
	const __u32 *words = c->ring + s->first;
	__u64 i;

	if (ivb_sched_table_words(ivb_sched_kind(svc->scheduler), 0, s->length) > s->capacity) {
		ivb_verify_problem(c->v, "service %s: its scheduler table is longer than its room",
				   name);
		return;
	}
	for (i = 0; i < s->length; i++) {
		if (names_own(c, svc, words[list ? 2 * i : i], list ? &words[2 * i + 1] : NULL))
			continue;
		ivb_verify_problem(c->v,
				   "service %s: its scheduler table names server slot %u, which is "
				   "not its own, or has another weight",
				   name, words[list ? 2 * i : i]);
		return;
	}
}

static void check_table(struct config *c, const char *name, const struct ivb_service *svc)
{
	const struct ivb_meta *m = &c->v->dp->meta;
	const struct ivb_sched *s;
	struct ivb_segment seg;
	__u32 i, last = 0;

	if (svc->sched / 2 != svc->slot) {
		ivb_verify_problem(c->v, "service %s: scheduler table %u is another's", name,
				   svc->sched);
		return;
	}
	s = &c->scheds[svc->sched];
	if (!s->length)
		return;
	if (s->first > m->max_ring || s->capacity > m->max_ring - s->first ||
	    !s->num_segments != (ivb_sched_kind(svc->scheduler) != IVB_SCHED_KIND_RING) ||
	    s->num_segments > s->capacity / SEGMENT_WORDS) {
		ivb_verify_problem(c->v, "service %s: its scheduler table lies outside of the ring",
				   name);
		return;
	}
	if (!s->num_segments)
		check_words(c, name, svc, s);
	for (i = 0; i < s->num_segments; i++) {
		memcpy(&seg, &c->ring[s->first + i * SEGMENT_WORDS], sizeof(seg));
		if ((i ? seg.start <= last : seg.start != 0) || seg.start >= s->length) {
			ivb_verify_problem(
				c->v,
				"service %s: the segments of its scheduler table are not in "
				"order",
				name);
			return;
		}
		last = seg.start;
		check_segment(c, name, svc, s, &seg);
	}
}

static int visit_service(const void *key_p, const void *value, void *arg)
{
	char addr[IVB_ADDRPORT_LEN], name[IVB_ADDRPORT_LEN + 32];
	struct ivb_service_key key;
	struct config *c = arg;
	struct ivb_service svc;

	memcpy(&key, key_p, sizeof(key));
	memcpy(&svc, value, sizeof(svc));
	ivb_addrport_fmt(addr, sizeof(addr), key.af, &key.addr, key.port);
	snprintf(name, sizeof(name), "%s (protocol %u, zone %u)", addr, key.proto, key.zone);
	if (svc.slot >= c->v->dp->meta.max_services) {
		ivb_verify_problem(c->v, "service %s: slot %u does not exist", name, svc.slot);
		return 0;
	}
	if (c->slots[svc.slot]++)
		ivb_verify_problem(c->v, "service %s: slot %u is another service's too", name,
				   svc.slot);
	check_list(c, name, &svc);
	check_table(c, name, &svc);
	return 0;
}

int ivb_verify_config(struct ivb_verifier *v)
{
	struct config c __cleanup(config_free) = { .v = v };
	__u32 i;
	int r;

	r = read_config(&c);
	if (!r)
		r = ivb_map_walk_hash(v->dp->fds[IVB_MAP_SERVICES], sizeof(struct ivb_service_key),
				      sizeof(struct ivb_service), visit_service, &c);
	if (r)
		return ivb_err(v->err, r, "cannot read the services: %s", strerror(-r));
	for (i = 0; i < v->dp->meta.max_dests; i++) {
		if (c.dests[i].state == IVB_DEST_AVAILABLE && !c.listed[i])
			ivb_verify_problem(v, "server slot %u is in no service's list", i);
	}
	return 0;
}
