/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the packet cases run: a network namespace of this process's own with a client side, a
 * server side and a device that is not attached; the real programs, loaded without pins; and the
 * functions that write state into their maps and read it back.
 */
#ifndef TESTS_PKT_ENV_H
#define TESTS_PKT_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <ivb/abi.h>

#include "enter.h"
#include "pkt.h"

#define ZONE 7
#define MAX_CONNS 128
#define SMALL_MTU 1300 /* of the way to FAR */

/* Who is who, in both families. */
enum who {
	CLIENT, /* behind the gateway of the client side */
	CLIENT2,
	CLIENT_INSIDE, /* within what non_masq may hold */
	GATEWAY,
	VIP,
	VIP2,
	VIP_ELSEWHERE, /* routed, not local */
	VIP_NOWHERE,   /* neither local nor routed */
	DIRECTOR,      /* its address on the server side, SNAT's by default */
	SNAT_POOL,
	SERVER1,
	SERVER2,
	SERVER3,
	SERVER_SILENT, /* no neighbour entry */
	FAR,	       /* behind ROUTER, with SMALL_MTU */
	ROUTER,
	SERVER_OUTSIDE, /* behind the device that is not attached */
	SERVER_UNROUTED,
	SERVER_UNREACHABLE, /* an unreachable route */
	WHO_MAX_,
};

enum side { CLIENT_SIDE, SERVER_SIDE, OUTSIDE, SIDE_MAX_ };

struct bpf_map;

struct env {
	struct ivb_tc *skel;
	struct enter_bpf *enter;
	struct enter_how how; /* the next packets enter */
	enum side out;	      /* ENTER_EGRESS: the device that they leave by */
	unsigned int iif;     /* and the one that they came in by; 0: the host's own */
	struct spy_bpf *spy;  /* NULL: cannot be had here, and spy_why says why */
	int spy_why;
	int af;
	unsigned int ifindex[SIDE_MAX_];
	uint32_t hz;
	uint32_t num_services; /* of the case */
	uint32_t num_dests;
	uint32_t ring_words;
	const char *title;
	int failed; /* checks of the case */
	struct ivb_config config;
	uint64_t counters[2][IVB_R_MAX_][2]; /* before, after; packets, bytes */
	bool covered[IVB_R_MAX_];
};

union any_flow {
	struct ivb_flow flow;
	struct ivb_flow4 v4;
	struct ivb_flow6 v6;
};

/* --- env.c */
void env_network(struct env *t);
void env_load(struct env *t);
/* Empties every map and writes the configuration of a fresh instance. */
void env_reset(struct env *t);
/* The same within a case: what has failed so far is kept. */
void env_reset_maps(struct env *t);
void env_close(struct env *t);
/* Writes a whole array. */
void array_put(struct bpf_map *map, const void *values);
const uint8_t *side_mac(enum side side);
const uint8_t *who_mac(enum who who);
const char *who_text(int af, enum who who);
struct pkt_addr who_addr(int af, enum who who);
/* Runs ip(8) with these arguments; the case fails if that fails. */
void ip_command(struct env *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sysctl_write(const char *path, const char *value);

/* Gives who the MAC address that belongs to as. */
void neighbour_set(struct env *t, enum who who, enum who as);

/* --- enter.c: the way into the programs, and what they leave in the sk_buff */
void enter_open(struct env *t);
void enter_close(struct env *t);
/* Tells about the next packet; prog is the program that is to be run. */
int enter_prepare(struct env *t);
struct note;
/* One for several processors at once, to egress: the packet's cb[0] says which note is its own. */
int enter_noted(struct env *t);
void enter_give(struct env *t, uint32_t which, const struct note *note);
/* Of the last packet. */
const struct enter_seen *enter_seen(struct env *t);
/* Nothing, or a copy of this packet, has come in once more for kernel IPVS. */
void enter_compare_copy(struct env *t, const char *func, int line, const struct pkt_spec *copy);

/* --- spy.c: where packets are sent */
void spy_open(struct env *t);
void spy_close(struct env *t);
/* Forgets what was seen. */
void spy_reset(struct env *t);
/*
 * The last packet, in, was sent as out shows: with the next hop's MACs to that device, else through
 * the kernel to the neighbour towards out's destination.
 */
void spy_compare(struct env *t, const char *func, int line, const struct pkt_spec *in,
		 const struct pkt_spec *out);

/* --- state.c: what user space would have written */
struct service {
	struct ivb_service_key key;
	struct ivb_service value;
};

void config_write(struct env *t);
/* Ports that SNAT may use: low..high, in place of the default 1024..65535. */
void snat_ports(struct env *t, unsigned int low, unsigned int high);
void non_masq_add(struct env *t, enum who client);
/* The policy of a service of kernel IPVS's. */
void kernel_snat_add(struct env *t, int proto, enum who vip, uint16_t port, enum ivb_snat snat);
struct service service_add(struct env *t, int proto, enum who vip, uint16_t port,
			   enum ivb_snat snat);
/* Moves the service to another zone. */
void service_zone(struct env *t, struct service *s, uint32_t zone);
uint32_t dest_add(struct env *t, struct service *s, enum who server, uint16_t port,
		  uint32_t weight);
/* The dest's source address for SNAT; WHO_MAX_: none. */
void dest_set_snat(struct env *t, uint32_t slot, enum who who);
/* `up --snat-addr` */
void config_snat_addr(struct env *t, enum who who);
void dest_set_state(struct env *t, uint32_t slot, enum ivb_dest_state state);
/* The service's ring, period connections long: segments of {start, count, dest slots...}. */
void ring_write(struct env *t, struct service *s, uint32_t period, uint32_t num_segments, ...);
/* The service's table without segments, length entries long, of that scheduler. */
void table_write(struct env *t, struct service *s, enum ivb_scheduler scheduler, uint32_t length,
		 const uint32_t *words, uint32_t n);
void dest_set_weight(struct env *t, uint32_t slot, uint32_t weight);
void dest_limit(struct env *t, uint32_t slot, uint32_t upper, uint32_t lower);
void device_attach(struct env *t, enum side side, uint32_t zone);
/* One service with one server, rr: what most cases need. */
struct service simple(struct env *t, int proto, enum ivb_snat snat);
/* The same with another server. */
struct service simple_to(struct env *t, int proto, enum ivb_snat snat, enum who server);

/* --- observe.c: what the programs have written */
uint32_t jiffies_now(struct env *t);
bool flow_find(struct env *t, const struct pkt_spec *key, union any_flow *ret);
/* Sets every next hop's lock, as another CPU does while it writes. */
void nexthops_lock(struct env *t, uint32_t locked);
/* Whether a next hop between these two addresses is cached (and used, after nexthops_fresh()). */
bool nexthop_known(struct env *t, const struct pkt_addr *src, const struct pkt_addr *dst);
void flow_write(struct env *t, const struct pkt_spec *key, const union any_flow *flow);
/* The state of the connection of that packet, or IVB_NONE. */
uint32_t conn_state(struct env *t, const struct pkt_spec *key);
/* Puts it into a state, with the counts of its server and as if no packet had been seen in it. */
void conn_set_state(struct env *t, const struct pkt_spec *key, uint32_t state);
/* Jiffies until the connection of that packet ends. */
int32_t conn_expires_in(struct env *t, const struct pkt_spec *key);
void conn_expire_in(struct env *t, const struct pkt_spec *key, int32_t jiffies);
struct ivb_dest_conns dest_counts(struct env *t, uint32_t slot);
uint32_t flows_count(struct env *t);
/* Ends every connection, as if the timer had. */
void conns_forget(struct env *t);
uint32_t frags_count(struct env *t);
void frags_age(struct env *t, uint32_t jiffies);
/* Makes every cached next hop that many jiffies old, */
void nexthops_age(struct env *t, int32_t jiffies);
/* or fresh for so long that no slow machine gets in the way of a case. */
void nexthops_fresh(struct env *t);
void counters_read(struct env *t, int when);
/* The expiry timer runs from here on; and until so many flows are left, or false. */
void timer_arm(struct env *t);
bool flows_wait(struct env *t, uint32_t want);

/* --- verify.c. Law 4: every flow has its peer, recounted connections equal the counters. */
void verify(struct env *t);

/* --- xmit.c: one packet */
struct pkt_spec from(struct env *t, enum side side, enum who src, uint16_t sport, enum who dst,
		     uint16_t dport);
/* The packet as it leaves: new tuple, TTL one less. */
struct pkt_spec translated(struct env *t, const struct pkt_spec *in, enum who src, uint16_t sport,
			   enum who dst, uint16_t dport);
/* The same with the Ethernet header that the program writes on the fast path. */
struct pkt_spec by_way_of(struct pkt_spec spec, enum side side, enum who neighbour);

/* One TCP connection, or UDP's likeness of one: the packets of both sides as they come and go. */
struct conn {
	struct pkt_spec in, out;	     /* client to server */
	struct pkt_spec reply_in, reply_out; /* server to client */
};

/* The packets of a connection to VIP:80, on the slow path: MACs as they came. */
struct conn conn_of(struct env *t, int proto, enum who client, uint16_t port, enum who source,
		    uint16_t sport, enum who server);
/*
 * A first packet (SYN), and a first reply (SYN-ACK): on the fast path if another connection has
 * made the next hop known.
 */
void go_first(struct env *t, const struct conn *c);
void back_first(struct env *t, const struct conn *c);
/* One packet of either side on the fast path, with these TCP flags. */
void go(struct env *t, const struct conn *c, uint8_t flags);
void back(struct env *t, const struct conn *c, uint8_t flags);
/* The ICMP error that the program makes of that packet. */
struct pkt_spec icmp_answer(struct env *t, const struct pkt_spec *in, uint8_t type, uint8_t code,
			    uint32_t rest, enum who src);
/* An ICMP error that comes in, and quotes len bytes of a packet. */
struct pkt_spec icmp_from(struct env *t, enum side side, enum who src, enum who dst, uint8_t type,
			  uint8_t code, const struct pkt_spec *quote, size_t len);
/* The quote of quoted, translated to what the receiver knows: was. Checksums in it stay. */
struct pkt_spec requote(const struct pkt_spec *quoted, const struct pkt_spec *was);

struct outcome {
	int verdict;
	const struct pkt_spec *out; /* NULL: the packet as it was; not looked at when dropped */
	enum ivb_reason reason;
	enum ivb_reason also;
};

/* Sets the ctx fields gso_size and gso_segs for the next packet. */
void gso(unsigned int size);
void xmit(struct env *t, const char *func, int line, const struct pkt_spec *in,
	  struct outcome want);
void xmit_raw(struct env *t, const char *func, int line, const struct pkt *in, enum side side,
	      const struct pkt *out, struct outcome want);

/* A packet that must be sent, its content not looked at, and nothing counted. */
void send_blind(struct env *t, const struct pkt_spec *in);
void send_verdict(struct env *t, const struct pkt_spec *in, int verdict);
/* A packet that may be answered or not: adds to *a or *b if that reason was counted. */
void send_counting(struct env *t, const struct pkt_spec *in, enum ivb_reason reason_a, uint32_t *a,
		   enum ivb_reason reason_b, uint32_t *b);

#define expect(t, in, ...) xmit(t, __func__, __LINE__, in, (struct outcome){ __VA_ARGS__ })
#define expect_fast(t, in, out)         \
	do {                            \
		nexthops_fresh(t);      \
		expect_out(t, in, out); \
	} while (0)
#define expect_next(t, in) expect(t, in, -1, NULL, IVB_R_NONE, IVB_R_NONE)
#define expect_pass(t, in, reason) expect(t, in, -1, NULL, reason, IVB_R_NONE)
#define expect_drop(t, in, reason) expect(t, in, 2, NULL, reason, IVB_R_NONE)
#define expect_out(t, in, out) expect(t, in, 7, out, IVB_R_NONE, IVB_R_NONE)
#define expect_icmp(t, in, out, reason) expect(t, in, 7, out, reason, IVB_R_ICMP_SENT)

void fail(struct env *t, const char *func, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define check(t, cond, ...)                                       \
	do {                                                      \
		if (!(cond))                                      \
			fail(t, __func__, __LINE__, __VA_ARGS__); \
	} while (0)

#define check_int(t, got, want, what)                                                          \
	do {                                                                                   \
		long long got_ = (got), want_ = (want);                                        \
		if (got_ != want_)                                                             \
			fail(t, __func__, __LINE__, "%s: got %lld, expected %lld", what, got_, \
			     want_);                                                           \
	} while (0)

/* --- cases_*.c */
enum { V4 = 1, V6 = 2, BOTH = 3 };

struct test_case {
	const char *title;
	void (*run)(struct env *t);
	int families;
};

extern const struct test_case cases_pass[], cases_conn[], cases_snat[], cases_sched[], cases_tcp[],
	cases_forward[], cases_frag[], cases_icmp[], cases_time[], cases_kernel[],
	cases_kernel_frag[], cases_follow[], cases_follow_snat[], cases_direct[], cases_tunnel[],
	cases_flood[];

#endif
