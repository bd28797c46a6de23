/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services and their servers, as `adm` changes and lists them. Changes need an instance opened with
 * IVB_LOCK_EXCLUSIVE; packets see each of them whole or not at all, and a process killed in the
 * middle leaves the old or the new state of each service for the next one to go on with.
 */
#ifndef IVB_DP_SERVICES_SERVICES_H
#define IVB_DP_SERVICES_SERVICES_H

#include <stddef.h>

#include <ivb/abi.h>

struct ivb_dp;
struct ivb_err;

/* What the user says of a server. */
struct ivb_server {
	__u8 af;
	__be16 port;
	union ivb_addr addr;
	__u32 weight;
	__u32 upper; /* limits of connections, 0: none (see struct ivb_dest) */
	__u32 lower;
};

/*
 * A session of changes. They are planned in memory until ivb_session_apply() writes them all; a change
 * that is refused leaves the session as it was before. Applied once.
 */
struct ivb_session;

int ivb_session_open(struct ivb_session **ret, struct ivb_dp *dp, struct ivb_err *err);
void ivb_session_closep(struct ivb_session **session); /* __cleanup's */
/* What cannot be is found before anything is written (-ENOSPC, -E2BIG: see ivb_session_failed()). */
int ivb_session_apply(struct ivb_session *session, struct ivb_err *err);
/*
 * A number of the caller's for the changes that follow; and that of the last one of what was
 * refused.
 */
void ivb_session_tag(struct ivb_session *session, __u32 tag);
__u32 ivb_session_failed(const struct ivb_session *session);

/*
 * Errors that all of these share: -ESRCH no such service; -ENOSPC a limit is reached; other -errno
 * from the maps. err has the sentence.
 */

/* -EEXIST: there is one; -ENOENT: no such scheduler. */
int ivb_service_add(struct ivb_session *session, const struct ivb_service_key *key, __u32 scheduler,
		    __u16 flags, __u8 snat, struct ivb_err *warn, struct ivb_err *err);
/* snat IVB_SNAT_MAX_: as it is. -ENOENT: no such scheduler. */
int ivb_service_edit(struct ivb_session *session, const struct ivb_service_key *key,
		     __u32 scheduler, __u16 flags, __u8 snat, struct ivb_err *err);
int ivb_service_del(struct ivb_session *session, const struct ivb_service_key *key,
		    struct ivb_err *err);
/* All services. */
int ivb_service_flush(struct ivb_session *session, struct ivb_err *err);

/*
 * -EEXIST: there is one; -EINVAL: not a unicast address; -EADDRNOTAVAIL: the director's own address;
 * -EAFNOSUPPORT: not of the service's family; -ERANGE: lower is more than upper. warn: what works, but perhaps not as expected.
 */
int ivb_dest_add(struct ivb_session *session, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err);
/* -ENOENT: no such server. */
int ivb_dest_edit(struct ivb_session *session, const struct ivb_service_key *key,
		  const struct ivb_server *server, struct ivb_err *warn, struct ivb_err *err);
/* The weight of server does not matter. -ENOENT: no such server. */
int ivb_dest_del(struct ivb_session *session, const struct ivb_service_key *key,
		 const struct ivb_server *server, struct ivb_err *err);

#endif
