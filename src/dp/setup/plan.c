/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options to config, snat_ports and non_masq. */
#include "dp/setup/plan_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/config_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/limits.h"
#include "dp/setup/ports_int.h"

/* Seconds, as kernel IPVS has them (ip_vs_proto_tcp.c, ip_vs_proto_udp.c). */
static const __u32 timeouts[IVB_S_MAX_] = {
	[IVB_S_NONE] = 2,	 [IVB_S_ESTABLISHED] = 15 * 60, [IVB_S_SYN_SENT] = 2 * 60,
	[IVB_S_SYN_RECV] = 60,	 [IVB_S_FIN_WAIT] = 2 * 60,	[IVB_S_TIME_WAIT] = 2 * 60,
	[IVB_S_CLOSE] = 10,	 [IVB_S_CLOSE_WAIT] = 60,	[IVB_S_LAST_ACK] = 30,
	[IVB_S_LISTEN] = 2 * 60, [IVB_S_SYNACK] = 120,		[IVB_S_UDP] = 5 * 60,
};

static int set_defaults(const struct ivb_dp *dp, struct ivb_config *c, struct ivb_err *err)
{
	int i;

	*c = (struct ivb_config){ .snat = IVB_SNAT_NEVER };
	for (i = 0; i < IVB_S_MAX_; i++)
		c->timeouts[i] = timeouts[i] * dp->meta.hz;
	c->max_half_open[0] = IVB_HALF_OPEN_DEFAULT(dp->meta.max_conns);
	c->max_half_open[1] = IVB_HALF_OPEN_DEFAULT(dp->meta.max_conns6);
	if (getrandom(&c->hash_key, sizeof(c->hash_key), 0) != sizeof(c->hash_key))
		return ivb_err(err, -errno, "cannot get random bytes: %m");
	return 0;
}

/*
 * One number for both families; it is IPv4's table that limits it, and IPv6's, where smaller, its
 * own.
 */
static int plan_half_open(const struct ivb_dp *dp, __u32 n, struct ivb_config *c,
			  struct ivb_err *err)
{
	__u32 max = IVB_HALF_OPEN_MAX(dp->meta.max_conns);
	__u32 max6 = IVB_HALF_OPEN_MAX(dp->meta.max_conns6);

	if (n > max)
		return ivb_err(err, -EINVAL,
			       "--max-half-open %u: with room for %u connections (--max-conns) at "
			       "most %u is possible, so that established ones have the other half",
			       n, dp->meta.max_conns, max);
	c->max_half_open[0] = n;
	c->max_half_open[1] = n < max6 ? n : max6;
	return 0;
}

/* The bitmap of an address whose ports are all free: what may not be used is marked. */
static void plan_blank(struct ivb_plan *p)
{
	__u64 *taken = p->blank.used;
	__u32 i;

	for (i = 0; i < 65536 / 64; i++) {
		taken[i] = ~((__u64)p->ports[i * 2].allowed | (__u64)p->ports[i * 2 + 1].allowed
								      << 32);
		if (taken[i] == ~0ull)
			p->blank.full[i / 64] |= 1ull << i % 64;
		p->blank.free += (__u32)__builtin_popcountll(~taken[i]);
	}
}

/*
 * The ports that SNAT may take, in ascending order (the programs search them by halves). A range
 * that was given is taken whole but for sockets that are there now, and the programs look for those
 * that come later, unless ip_local_reserved_ports keeps it from sockets; the default leaves alone
 * what the kernel gives to them.
 */
static int plan_ports(const struct ivb_up *up, struct ivb_plan *p, struct ivb_err *err)
{
	struct ivb_port_set taken = { 0 }, range = { 0 }, reserved = { 0 };
	__u32 lo = up->snat_port_lo ? up->snat_port_lo : IVB_FIRST_SNAT_PORT;
	__u32 hi = up->snat_port_hi ? up->snat_port_hi : 65535;
	__u32 port, n = 0;
	int r;

	r = ivb_ports_add_bound(&taken, &p->config, err);
	if (!r)
		r = ivb_ports_add_range(up->snat_port_lo ? &range : &taken, err);
	if (!r)
		r = ivb_ports_add_reserved(up->snat_port_lo ? &reserved : &taken, err);
	if (r)
		return r;
	p->config.flags &= ~(__u32)IVB_CONFIG_HOST_PORTS;
	for (port = lo; port <= hi; port++) {
		if (ivb_port_test(&taken, port))
			continue;
		if (up->snat_port_lo && !ivb_port_test(&reserved, port)) {
			p->config.flags |= IVB_CONFIG_HOST_PORTS;
			p->shared_ports += ivb_port_test(&range, port);
		}
		p->ports[n / IVB_PORT_GROUP].port[n % IVB_PORT_GROUP] = (__u16)port;
		p->ports[port / IVB_PORT_GROUP].allowed |= 1u << port % IVB_PORT_GROUP;
		n++;
	}
	plan_blank(p);
	if (!n && (up->snat_port_lo || p->config.snat != IVB_SNAT_NEVER))
		return ivb_err(
			err, -EADDRINUSE,
			"no port is left for SNAT in %u-%u: all are in use%s; choose others with "
			"--snat-ports",
			lo, hi, up->snat_port_lo ? "" : " or reserved for local sockets");
	p->config.num_snat_ports = n;
	p->set_ports = true;
	return 0;
}

/* Packets that nobody follows must not be kept from whoever translates them now. */
static int plan_notrack(const struct ivb_up *up, struct ivb_config *c, struct ivb_err *err)
{
	if (c->flags & IVB_CONFIG_IPVS)
		return 0;
	if (up->flags & IVB_CONFIG_NOTRACK)
		return ivb_err(err, -EINVAL,
			       "--notrack is for connections of kernel IPVS: it needs --ipvs");
	c->flags &= ~(__u32)IVB_CONFIG_NOTRACK;
	return 0;
}

int ivb_plan(const struct ivb_dp *dp, const struct ivb_up *up, bool fresh, struct ivb_plan *ret,
	     struct ivb_err *err)
{
	struct ivb_config *c = &ret->config;
	int r, i;

	if (fresh)
		r = set_defaults(dp, c, err);
	else
		r = ivb_config_get(dp, c, err);
	if (r)
		return r;
	if (up->max_half_open)
		r = plan_half_open(dp, up->max_half_open, c, err);
	if (r)
		return r;
	if (up->snat != IVB_SNAT_DEFAULT)
		c->snat = up->snat;
	ret->had_notrack = c->flags & IVB_CONFIG_NOTRACK;
	c->flags = (c->flags & ~(up->given_flags | IVB_CONFIG_DRAIN)) | up->flags;
	r = plan_notrack(up, c, err);
	if (r)
		return r;
	if (up->set_hash_key)
		c->hash_key = up->hash_key;
	for (i = 0; i < 2; i++) {
		if (up->no_snat_addrs)
			c->num_snat_addrs[i] = 0;
		if (!up->num_snat_addrs[i])
			continue;
		c->num_snat_addrs[i] = up->num_snat_addrs[i];
		memcpy(c->snat_addrs[i], up->snat_addrs[i], sizeof(c->snat_addrs[i]));
	}
	ret->non_masq = up->non_masq;
	ret->num_non_masq = up->num_non_masq;
	ret->set_non_masq = up->set_non_masq;
	return fresh || up->snat_port_lo || up->default_snat_ports ? plan_ports(up, ret, err) : 0;
}

static int write_ports(const struct ivb_dp *dp, const struct ivb_plan *p, struct ivb_err *err)
{
	__u32 group;

	/* all of them: the bits of the ports that may not be used any more are in any of them */
	for (group = 0; group < 65536 / IVB_PORT_GROUP; group++) {
		if (bpf_map_update_elem(dp->fds[IVB_MAP_SNAT_PORTS], &group, &p->ports[group],
					BPF_ANY))
			return ivb_err(err, -errno, "cannot write the map %s/snat_ports: %m",
				       dp->path);
	}
	return 0;
}

/* The same ports in use as before, among others that may not be used. */
static void change_blank(struct ivb_port_map *m, const struct ivb_port_map *old,
			 const struct ivb_port_map *new)
{
	__u32 i;

	memcpy(m->full, new->full, sizeof(m->full));
	m->free = 0;
	for (i = 0; i < 65536 / 64; i++) {
		m->used[i] = (m->used[i] & ~old->used[i]) | new->used[i];
		m->free += (__u32)__builtin_popcountll(~m->used[i]);
		if (m->used[i] == ~0ull)
			m->full[i / 64] |= 1ull << i % 64;
	}
}

/*
 * Packets mark ports meanwhile; what is lost of that they find out as they come to these ports
 * again.
 */
static int write_blank(const struct ivb_dp *dp, const struct ivb_plan *p, struct ivb_err *err)
{
	int fd = dp->fds[IVB_MAP_PORT_MAPS], i;
	struct ivb_port_key key, *prev = NULL;
	struct ivb_port_map old = { 0 }, m;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->fds[IVB_MAP_PORT_BLANK], &zero, &old) ||
	    bpf_map_update_elem(dp->fds[IVB_MAP_PORT_BLANK], &zero, &p->blank, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/port_blank: %m", dp->path);
	for (i = 0; i < 65536 && !bpf_map_get_next_key(fd, prev, &key); i++) {
		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &m))
			continue;
		change_blank(&m, &old, &p->blank);
		bpf_map_update_elem(fd, &key, &m, BPF_EXIST);
	}
	return 0;
}

static bool is_wanted(const struct ivb_plan *p, const struct ivb_prefix *key)
{
	size_t i;

	for (i = 0; i < p->num_non_masq; i++) {
		if (!memcmp(&p->non_masq[i], key, sizeof(*key)))
			return true;
	}
	return false;
}

/* New ones first, so that clients in both lists never see neither. */
static int write_non_masq(const struct ivb_dp *dp, const struct ivb_plan *p, struct ivb_err *err)
{
	struct ivb_prefix key, next, *prev = NULL;
	int fd = dp->fds[IVB_MAP_NON_MASQ];
	__u32 one = 1;
	size_t i;

	for (i = 0; i < p->num_non_masq; i++) {
		if (bpf_map_update_elem(fd, &p->non_masq[i], &one, BPF_ANY))
			return ivb_err(err, -errno, "cannot write the map %s/non_masq: %m",
				       dp->path);
	}
	while (!bpf_map_get_next_key(fd, prev, &next)) {
		/* Deleting the key that the walk stands at would begin it again. */
		if (prev && !is_wanted(p, &key))
			bpf_map_delete_elem(fd, &key);
		key = next;
		prev = &key;
	}
	if (prev && !is_wanted(p, &key))
		bpf_map_delete_elem(fd, &key);
	return 0;
}

int ivb_plan_write(const struct ivb_dp *dp, const struct ivb_plan *p, struct ivb_err *err)
{
	struct ivb_config first = p->config;
	int r;

	if (p->set_ports) {
		/* While the list is being written there are none beyond the shorter one's end. */
		if (!ivb_config_get(dp, &first, NULL) &&
		    first.num_snat_ports > p->config.num_snat_ports) {
			first.num_snat_ports = p->config.num_snat_ports;
			r = ivb_config_put(dp, &first, err);
			if (r)
				return r;
		}
		r = write_ports(dp, p, err);
		if (!r)
			r = write_blank(dp, p, err);
		if (r)
			return r;
	}
	if (p->set_non_masq) {
		r = write_non_masq(dp, p, err);
		if (r)
			return r;
	}
	return ivb_config_put(dp, &p->config, err);
}
