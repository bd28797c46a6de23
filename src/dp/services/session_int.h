/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session of changes, from inside: services and dests as they will be. What has not been looked
 * at is not in memory, so that one change costs the same with ten services and with ten thousand.
 * Private to src/dp.
 */
#ifndef IVB_DP_SERVICES_SESSION_INT_H
#define IVB_DP_SERVICES_SESSION_INT_H

#include <ifaddrs.h>
#include <stdbool.h>

#include "dp/instance/instance.h"
#include "model/sched.h"
#include "model/slices.h"
#include "nl/route.h"

/* A service's dests in list order, the newest first. */
struct ivb_session_list {
	struct ivb_sched_dest *dests;
	size_t num, room;
};

/* svc is as it will be but for sched, first_dest and num_dests, which follow from the list. */
struct ivb_session_service {
	struct ivb_service_key key;
	struct ivb_service svc;
	bool exists;  /* the map has it, with the table of svc.sched */
	bool wanted;  /* will be there */
	bool rewrite; /* table and list are written too; else svc alone, if touched */
	bool touched;
	bool loaded; /* list and cursor are there */
	__u32 tag;   /* ivb_session.tag at the last change */
	struct ivb_session_list list;
	struct ivb_cursor cursor;
	struct ivb_table table; /* table and the next are apply's */
	struct ivb_slice slice;
};

struct ivb_session_dest {
	struct ivb_dest dest;
	__u32 slot;
	bool changed;
	bool fresh; /* counters begin at zero */
};

/* A removed dest, to be revived by its addresses; the slots that may be given away. */
struct ivb_session_search;

struct ivb_session {
	struct ivb_dp *dp;
	struct ivb_config config;
	__u32 tag,
		failed_tag; /* the caller's: what it is doing, and what it was that apply refused */

	void *services; /* tree, by key */
	struct ivb_session_service **service_list;
	size_t num_services;
	bool all_services;  /* all that there are have been read */
	bool *service_used; /* slots that are taken; NULL: not needed yet */
	__u32 next_service;

	struct ivb_session_dest **dests; /* servers by slot */
	__u32 *dest_list;		 /* slots of those that have been looked at */
	size_t num_dests;
	struct ivb_session_search *search;

	void *routes;	       /* tree, by address */
	struct ifaddrs *addrs; /* addresses of all devices; NULL: not needed yet */
	bool enable_v6;	       /* an IPv6 service is among them */
};

/* -ESRCH and its sentence if there will be none. *ret stays the session's. */
int ivb_session_service(struct ivb_session *session, const struct ivb_service_key *key,
			struct ivb_session_service **ret, struct ivb_err *err);
/* The same, with list and cursor, to be rewritten. */
int ivb_session_service_change(struct ivb_session *session, const struct ivb_service_key *key,
			       struct ivb_session_service **ret, struct ivb_err *err);
/* One that is not there, or -EEXIST: a slot, no servers; the caller fills in the rest. */
int ivb_session_service_new(struct ivb_session *session, const struct ivb_service_key *key,
			    struct ivb_session_service **ret, struct ivb_err *err);
int ivb_session_service_load(struct ivb_session *session, struct ivb_session_service *s,
			     struct ivb_err *err);
/* Reads all that there are. */
int ivb_session_services_all(struct ivb_session *session, struct ivb_err *err);

/* The dest as it will be. */
int ivb_session_dest(struct ivb_session *session, __u32 slot, struct ivb_session_dest **ret,
		     struct ivb_err *err);
/*
 * For a new server: the dest of the same one that waits for its connections to end (*ret_revive),
 * else one without connections.
 */
int ivb_session_dest_find(struct ivb_session *session, const struct ivb_dest *like,
			  struct ivb_session_dest **ret, bool *ret_revive, struct ivb_err *err);
void ivb_session_dests_search_free(struct ivb_session_search *s);
/* From its service's list it goes by itself; it may be revived, in this session as well. */
int ivb_session_dest_remove(struct ivb_session *session, struct ivb_session_dest *d);

/* What the scheduler has to know of a dest, as it will be. */
struct ivb_sched_dest ivb_session_dest_sched(const struct ivb_session_dest *d);

int ivb_session_service_list_insert(struct ivb_session_list *list, const struct ivb_sched_dest *d);

/* The kernel's answer about the way to an address, asked once: 0 or -errno. */
int ivb_session_dest_route(struct ivb_session *session, int af, const union ivb_addr *addr,
			   struct ivb_route *ret);

/* Plans what puts everything right after a command that was killed while it wrote. */
int ivb_session_repair(struct ivb_session *session, struct ivb_err *err);

#endif
