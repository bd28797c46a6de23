/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of `up --notrack`, and the map kernel_services as it was before the hooks. */
#include "dp/follow/notrack_int.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/follow/hooks.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"
#include "nl/ipvs.h"
#include "nl/notrack.h"

#define FTP_PORT 21

/* kube-proxy's of externalTrafficPolicy Local: the server is to see the client. */
static const struct {
	const char *name;
	__u8 dim, family;
} kube_sets[] = {
	{ "KUBE-EXTERNAL-IP-LOCAL", 2, AF_INET },
	{ "KUBE-LOAD-BALANCER-LOCAL", 2, AF_INET },
	{ "KUBE-NODE-PORT-LOCAL-TCP", 1, AF_INET },
	{ "KUBE-NODE-PORT-LOCAL-UDP", 1, AF_INET },
	{ "KUBE-6-EXTERNAL-IP-LOCAL", 2, AF_INET6 },
	{ "KUBE-6-LOAD-BALANCER-LOCAL", 2, AF_INET6 },
	{ "KUBE-6-NODE-PORT-LOCAL-TCP", 1, AF_INET6 },
	{ "KUBE-6-NODE-PORT-LOCAL-UDP", 1, AF_INET6 },
};

#define NUM_KUBE_SETS (sizeof(kube_sets) / sizeof(kube_sets[0]))

/* As service_key() of bpf/engine_ipvs/services.h. */
static bool is_carried(const struct ivb_ipvs_service *s)
{
	return !s->fwmark && !s->one_packet && !s->pe &&
	       (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP) &&
	       !(s->proto == IPPROTO_TCP && s->port == htons(FTP_PORT));
}

static int write_service(const struct ivb_dp *dp, const struct ivb_ipvs_service *s,
			 struct ivb_err *err)
{
	struct ivb_service_key key = {
		.addr = s->addr, .port = s->port, .proto = s->proto, .af = s->af
	};
	__u32 one = 1;

	if (!is_carried(s))
		bpf_map_delete_elem(dp->fds[IVB_MAP_KERNEL_SERVICES], &key);
	else if (bpf_map_update_elem(dp->fds[IVB_MAP_KERNEL_SERVICES], &key, &one, BPF_ANY))
		return ivb_err(err, -errno, "cannot write the map %s/kernel_services: %m",
			       dp->path);
	return 0;
}

static int write_services(const struct ivb_dp *dp, struct ivb_err *err)
{
	struct ivb_ipvs_service *services = NULL;
	size_t n = 0, i;
	int r = ivb_ipvs_list(&services, &n);

	if (r)
		return ivb_err(err, r, "cannot list kernel IPVS's services: %s", strerror(-r));
	for (i = 0; i < n && !r; i++)
		r = write_service(dp, &services[i], err);
	ivb_ipvs_free(services, n);
	return r;
}

static size_t add_sets(struct ivb_notrack_rule *rules)
{
	size_t n = 0, i;

	for (i = 0; i < NUM_KUBE_SETS; i++) {
		rules[n] = (struct ivb_notrack_rule){ .comment = kube_sets[i].name,
						      .prog_fd = -1,
						      .set_dim = kube_sets[i].dim,
						      .family = kube_sets[i].family,
						      .leave = true };
		n += !ivb_notrack_ipset_find(kube_sets[i].name, &rules[n].set);
	}
	return n;
}

int ivb_notrack_on(struct ivb_dp *dp, struct ivb_err *err)
{
	_cleanup_close_ int followed = ivb_pin_get(dp, "followed"),
			    begins = ivb_pin_get(dp, "begins");
	struct ivb_notrack_rule rules[NUM_KUBE_SETS + 2];
	size_t n = 0;
	int r;

	if (followed < 0 || begins < 0)
		return ivb_err(err, -ENOENT, "cannot open the pins %s/followed and begins: %s",
			       dp->path, strerror(followed < 0 ? -followed : -begins));
	if (!ivb_hooks_tell_services(dp))
		return ivb_err(
			err, -EOPNOTSUPP,
			"--notrack is not possible here: this kernel's ip_vs has no function that "
			"tells when a service goes (ip_vs_unlink_service or __ip_vs_del_service), "
			"so packets to services that are gone would be kept out of conntrack");
	r = write_services(dp, err);
	if (r)
		return r;
	rules[n++] = (struct ivb_notrack_rule){ .comment = "connections that are followed",
						.prog_fd = followed };
	n += add_sets(rules + n);
	rules[n++] =
		(struct ivb_notrack_rule){ .comment = "first packets to services of kernel IPVS",
					   .prog_fd = begins };
	r = ivb_notrack_write(rules, n);
	if (r == -EOPNOTSUPP)
		return ivb_err(err, r,
			       "cannot make the rules of --notrack: this kernel lacks nf_tables, "
			       "nft_compat, nft_ct or xt_bpf");
	if (r)
		return ivb_err(err, r, "cannot make the rules of --notrack: %s", strerror(-r));
	return 0;
}

int ivb_notrack_off(struct ivb_err *err)
{
	int r = ivb_notrack_remove();

	if (r)
		return ivb_err(err, r,
			       "cannot remove the nf_tables tables " IVB_NOTRACK_TABLE
			       " (nft delete table ip " IVB_NOTRACK_TABLE "): %s",
			       strerror(-r));
	return 0;
}
