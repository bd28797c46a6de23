/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock: a stamp for each connection, when it ends. Above them, a line of 16 stamps at a time,
 * when somebody of a group has to be looked at, and again when one of 16 groups. These may be too
 * early, never too late: who shortens a connection's time lowers them, who lengthens it does not.
 */
#ifndef IVB_CONN_CLOCK_H
#define IVB_CONN_CLOCK_H

#include "lib/verdict.h"
#include "lib/tuple.h"

#define SLACK_MAX_S 4

static __always_inline __u32 *clock_stamp(const int af, __u32 id)
{
	__u32 group = id / IVB_CLOCK_GROUP;
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, clock), &group);

	return g ? &g->expires[id & (IVB_CLOCK_GROUP - 1)] : NULL;
}

/* A stamp is never one of the special values; it may be up to two jiffies late for that. */
static __always_inline __u32 stamp_at(__u32 jiffies)
{
	return jiffies > IVB_CLOCK_BUSY ? jiffies : IVB_CLOCK_BUSY + 1;
}

/* A line has the stamps of groups, a row those of lines. Rows follow the lines in the map. */
#define CLOCK_LINES(af) (CONN_MASK(af) / IVB_CLOCK_GROUP / IVB_CLOCK_GROUP + 1)
#define CLOCK_ROWS(af) ((CLOCK_LINES(af) - 1) / IVB_CLOCK_GROUP + 1)

static __always_inline struct ivb_clock_group *clock_row(const int af, __u32 row)
{
	row += CLOCK_LINES(af);
	return bpf_map_lookup_elem(MAP_OF(af, due), &row);
}

/* When one of a line's groups is to be looked at. */
static __always_inline __u32 *line_stamp(const int af, __u32 line)
{
	struct ivb_clock_group *g = clock_row(af, line / IVB_CLOCK_GROUP);

	return g ? &g->expires[line & (IVB_CLOCK_GROUP - 1)] : NULL;
}

/* When one of a group's connections is to be looked at. */
static __always_inline __u32 *group_stamp(const int af, __u32 group)
{
	__u32 line = group / IVB_CLOCK_GROUP;
	struct ivb_clock_group *g = bpf_map_lookup_elem(MAP_OF(af, due), &line);

	return g ? &g->expires[group & (IVB_CLOCK_GROUP - 1)] : NULL;
}

/*
 * Lowers a stamp. Returns what it is now, or 0 if it was as early already. If another CPU writes it
 * as well, it becomes due at once, which is never wrong.
 */
static __always_inline __u32 stamp_lower(__u32 *stamp, __u32 at)
{
	__u32 seen = READ_ONCE(*stamp);

	if (seen && (__s32)(at - seen) >= 0)
		return 0;
	if (__sync_val_compare_and_swap(stamp, seen, at) == seen)
		return at;
	at = stamp_at((__u32)bpf_jiffies64());
	WRITE_ONCE(*stamp, at);
	return at;
}

/*
 * Has the clock look at a group as early as that, as a connection of it ends then. The connection's
 * own stamp must have been written before, with a full barrier in between (a compare-and-exchange).
 * The sweep clears the group's stamp before it reads the connections', so one of the two sees what
 * the other did.
 */
static __always_inline int clock_due(const int af, __u32 group, __u32 at)
{
	__u32 *stamp = group_stamp(af, group);

	at = stamp ? stamp_lower(stamp, at) : 0;
	stamp = line_stamp(af, group / IVB_CLOCK_GROUP);
	if (at && stamp)
		stamp_lower(stamp, at);
	return 0;
}

GLOBAL int clock_due4(__u32 group, __u32 at)
{
	return clock_due(AF_INET, group, at);
}

GLOBAL int clock_due6(__u32 group, __u32 at)
{
	return clock_due(AF_INET6, group, at);
}

/* The delay with which a connection that has so long to go may be looked at. */
static __always_inline __u32 clock_slack(__u32 jiffies)
{
	__u32 slack = jiffies / 64;

	return slack < SLACK_MAX_S * ivb_hz ? slack : SLACK_MAX_S * ivb_hz;
}

#endif
