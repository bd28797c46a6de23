/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of kernel IPVS: what its hooks would have told of their packets, those packets as
 * they come to the egress program, and what is kept of the connection.
 */
#ifndef TESTS_PKT_KERNEL_H
#define TESTS_PKT_KERNEL_H

#include "env.h"
#include "engine_ipvs/note_types.h"

#define MARK_CARRIED 0x1b50
#define TAG_COPY 0x1b51
#define PRIORITY_SLOW 0x49564253
#define GRACE_S 90
#define BUCKET 5 /* of the server, in kernel_dests */

struct kconn {
	struct conn c;		    /* as they come in, and as we carry them */
	struct pkt_spec undone;	    /* a reply that kernel IPVS is given */
	struct pkt_spec left;	    /* the client's, as kernel IPVS sends it */
	struct pkt_spec left_snat;  /* and as it leaves */
	struct pkt_spec reply_left; /* the server's */
	struct note note;	    /* of the client's packets */
};

/* A connection of client:port to VIP:80 on SERVER1:8080, which sees source:sport. */
struct kconn kconn_of(struct env *t, int proto, enum who client, uint16_t port, enum who source,
		      uint16_t sport);
/* The same one through another virtual address: another connection of kernel IPVS. */
struct kconn kconn_via(struct env *t, struct kconn k, enum who vip);

/* Kernel IPVS says this of the next packet that leaves by that side; what the note is like then. */
void noted(struct env *t, enum side side, const struct note *n);
struct note note_of_reply(const struct kconn *k);
struct note note_left(struct env *t, bool reply);
/* From here on packets come in again. */
void arriving(struct env *t);

/* A packet that leaves, changed as shown; or is dropped. */
#define expect_leave(t, in, out) expect(t, in, -1, out, IVB_R_NONE, IVB_R_NONE)

/* A first packet of it leaves, without lease; one with a lease; a reply with a lease. */
void kconn_first(struct env *t, struct kconn *k);
void kconn_renew(struct env *t, struct kconn *k);
void kconn_renew_reply(struct env *t, struct kconn *k);
/* All of them: both directions have their leases; both next hops are known. */
void kconn_open(struct env *t, struct kconn *k);

/* Jiffies until the lease of that packet's direction ends; INT32_MIN: it has never had one. */
int32_t lease_left(struct env *t, const struct pkt_spec *key);
void lease_set(struct env *t, const struct pkt_spec *key, int32_t jiffies);
void lease_never(struct env *t, const struct pkt_spec *key);
void flow_flags_add(struct env *t, const struct pkt_spec *key, uint16_t flags);
/* Without IVB_FLOW_COPY, which is asked for by itself. */
uint16_t flow_flags(struct env *t, const struct pkt_spec *key);
bool flow_copies(struct env *t, const struct pkt_spec *key);
/* A server with that bucket is removed. */
void epoch_move(struct env *t, uint32_t bucket);
/* The address that the tunnel begins at is not known any more. */
void tunnel_forget(struct env *t, const struct kconn *k);
/* Kernel IPVS had the connection before our hooks were there. */
void kconn_existed(struct env *t, const struct kconn *k);
/* What was carried of the connections of that server: conns, in, out packets and bytes. */
struct ivb_traffic traffic_of(struct env *t, const struct kconn *k);

/*
 * The packet is carried on the fast path, and marked; with flags, if it is TCP's. copy: kernel IPVS
 * gets one.
 */
void carried(struct env *t, const char *func, int line, const struct pkt_spec *in,
	     const struct pkt_spec *out, int flags, bool copy);
/* The packet goes to kernel IPVS as out (NULL: as it came). */
void slow(struct env *t, const char *func, int line, const struct pkt_spec *in,
	  const struct pkt_spec *out, int flags);

#define expect_carried(t, in, out, flags) carried(t, __func__, __LINE__, in, out, flags, false)
#define expect_copied(t, in, out, flags) carried(t, __func__, __LINE__, in, out, flags, true)
#define expect_slow(t, in, out, flags) slow(t, __func__, __LINE__, in, out, flags)

#endif
