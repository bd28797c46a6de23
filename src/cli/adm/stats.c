/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adm -L --stats and --rate. There is no estimator: a rate is what has come between two looks, a
 * second apart, and nobody is kept waiting meanwhile (the instance's lock is not held).
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/adm/list.h"
#include "dp/instance/instance.h"
#include "dp/report/traffic.h"
#include "dp/services/list.h"
#include "model/names.h"

#define RATE_SECONDS 1
#define NUM_COUNTS 5

/* Services with their servers' traffic, ended and live. */
struct look {
	struct ivb_adm_table table;
	struct ivb_carried live;
	__u64 at; /* time by ivb_clock_monotonic_ns() */
};

static void look_fini(struct look *l)
{
	ivb_adm_list_fini(&l->table);
	ivb_traffic_carried_fini(&l->live);
}

/* A server's own counters have only ended connections, but the number of all. */
static void dest_traffic(const struct look *l, const struct ivb_dest_info *d, struct ivb_traffic *t)
{
	*t = (struct ivb_traffic){ 0 };
	if (d->slot < l->live.num_dests)
		*t = l->live.dests[d->slot];
	t->conns = d->conns.conns;
	t->in_packets += d->conns.in_packets;
	t->out_packets += d->conns.out_packets;
	t->in_bytes += d->conns.in_bytes;
	t->out_bytes += d->conns.out_bytes;
}

static int look_take(struct look *l, struct ivb_dp *dp, const struct ivb_adm *adm,
		     struct ivb_err *err)
{
	int r;

	/* The ended ones come first: a connection that ends in between is not to be counted twice. */
	r = ivb_adm_list_load(&l->table, dp, adm, err);
	if (!r)
		r = ivb_traffic_carried_read(&l->live, dp, err);
	l->at = ivb_clock_monotonic_ns();
	return r;
}

/* As ipvsadm: with a unit from eight digits on, unless it is to be exact. */
static void print_count(__u64 n, bool exact)
{
	static const struct {
		__u64 below, divisor;
		char unit;
	} units[] = {
		{ 1000000000ull, 1000ull, 'K' },
		{ 100000000000ull, 1000000ull, 'M' },
		{ 100000000000000ull, 1000000000ull, 'G' },
		{ ~0ull, 1000000000000ull, 'T' },
	};
	int i = 0;

	if (exact && n >= 100000000) {
		printf(" %llu", n);
	} else if (n < 100000000) {
		printf("%9llu", n);
	} else {
		while (n >= units[i].below && i < 3)
			i++;
		printf("%8llu%c", n / units[i].divisor, units[i].unit);
	}
}

static void print_traffic(const struct ivb_traffic *t, bool exact)
{
	const __u64 n[NUM_COUNTS] = { t->conns, t->in_packets, t->out_packets, t->in_bytes,
				      t->out_bytes };
	int i;

	for (i = 0; i < NUM_COUNTS; i++)
		print_count(n[i], exact);
	putchar('\n');
}

static __u64 grown(__u64 now, __u64 before, double seconds)
{
	/* a server that was removed and came back counts from zero again */
	return now < before ? 0 : (__u64)((double)(now - before) / seconds + 0.5);
}

/* What t was at the look before; by slot, for services and servers may have come and gone. */
static void rate_of(struct ivb_traffic *t, const struct ivb_traffic *before, double seconds)
{
	t->conns = grown(t->conns, before->conns, seconds);
	t->in_packets = grown(t->in_packets, before->in_packets, seconds);
	t->out_packets = grown(t->out_packets, before->out_packets, seconds);
	t->in_bytes = grown(t->in_bytes, before->in_bytes, seconds);
	t->out_bytes = grown(t->out_bytes, before->out_bytes, seconds);
}

static void print_look(const struct look *l, const struct ivb_adm *adm, __u32 max_conns,
		       const struct ivb_traffic *before, double seconds)
{
	size_t i, j;

	ivb_adm_list_print_title(adm, max_conns);
	for (i = 0; i < l->table.num; i++) {
		const struct ivb_adm_entry *e = &l->table.entries[i];
		_cleanup_free_ struct ivb_traffic *t = calloc(e->num_dests + 1, sizeof(*t));
		char name[IVB_ADM_NAME_LEN], line[IVB_ADM_NAME_LEN + 8];

		if (!t)
			return;
		for (j = 0; j < e->num_dests; j++) {
			dest_traffic(l, &e->dests[j], &t[j + 1]);
			if (before)
				rate_of(&t[j + 1], &before[e->dests[j].slot], seconds);
			ivb_traffic_add(&t[0], &t[j + 1]);
		}
		ivb_adm_list_name(name, sizeof(name), e->info.key.af, &e->info.key.addr,
				  e->info.key.port, e->info.key.proto, adm->numeric);
		snprintf(line, sizeof(line), "%-4s %s", ivb_proto_name(e->info.key.proto), name);
		printf("%-33s", line);
		print_traffic(&t[0], adm->exact);
		for (j = 0; j < e->num_dests; j++) {
			printf("  -> %-28s", ivb_adm_list_dest_name(name, sizeof(name),
								    &e->dests[j], adm->numeric));
			print_traffic(&t[j + 1], adm->exact);
		}
	}
}

int ivb_adm_stats_print(struct ivb_dp *dp, const struct ivb_adm *adm, struct ivb_err *err)
{
	__cleanup(look_fini) struct look l = { 0 };
	int r = look_take(&l, dp, adm, err);

	ivb_dp_unlock(dp);
	if (!r)
		print_look(&l, adm, dp->meta.max_conns, NULL, 1);
	return r;
}

static int look_open(struct look *l, const char *instance, const struct ivb_adm *adm,
		     __u32 *ret_max_conns, struct ivb_err *err)
{
	__cleanup(ivb_dp_closep) struct ivb_dp *dp = NULL;
	int r = ivb_dp_open(&dp, instance, IVB_LOCK_SHARED, err);

	if (r)
		return r;
	*ret_max_conns = dp->meta.max_conns;
	return look_take(l, dp, adm, err);
}

int ivb_adm_stats_print_rate(const char *instance, const struct ivb_adm *adm, struct ivb_err *err)
{
	__cleanup(look_fini) struct look first = { 0 }, second = { 0 };
	_cleanup_free_ struct ivb_traffic *before = NULL;
	const struct timespec pause = { .tv_sec = RATE_SECONDS };
	__u32 max_conns = 0;
	double seconds;
	size_t i, j;
	int r;

	r = look_open(&first, instance, adm, &max_conns, err);
	if (r)
		return r;
	before = calloc(first.live.num_dests + 1, sizeof(*before));
	if (!before)
		return -ENOMEM;
	for (i = 0; i < first.table.num; i++) {
		for (j = 0; j < first.table.entries[i].num_dests; j++) {
			const struct ivb_dest_info *d = &first.table.entries[i].dests[j];

			if (d->slot < first.live.num_dests)
				dest_traffic(&first, d, &before[d->slot]);
		}
	}
	nanosleep(&pause, NULL);
	r = look_open(&second, instance, adm, &max_conns, err);
	if (r)
		return r;
	if (second.live.num_dests != first.live.num_dests)
		return ivb_err(err, -EAGAIN, "the instance was replaced meanwhile; try again");
	seconds = (double)(second.at - first.at) / 1e9;
	print_look(&second, adm, max_conns, before, seconds);
	return 0;
}
