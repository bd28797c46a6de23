/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at the host, for `check` and `up`. */
#include "dp/setup/host.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/instance/limits.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "dp/instance/sysbpf_int.h"
#include "dp/load/load_int.h"
#include "dp/setup/ports_int.h"
#include "nl/link.h"
#include "nl/tc.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

int ivb_host_check_btf(struct ivb_err *err)
{
	if (access(BTF_PATH, R_OK))
		return ivb_err(err, -ENOENT,
			       "the kernel has no BTF (%s: %m); it has to be built with "
			       "CONFIG_DEBUG_INFO_BTF",
			       BTF_PATH);
	return 0;
}

int ivb_host_check_bpffs(struct ivb_err *err)
{
	return ivb_pins_check_lasting(err);
}

int ivb_host_check_programs(int *ret_no_timer, struct ivb_err *err)
{
	return ivb_load_probe(ret_no_timer, err);
}

bool ivb_host_has_tcx(void)
{
	return ivb_sysbpf_tcx_supported();
}

static int check_link(const struct ivb_link *l, const char *name, struct ivb_err *err)
{
	struct ivb_link master;

	if (l->flags & IFF_LOOPBACK)
		return ivb_err(err, -EINVAL,
			       "%s is the loopback device, which carries no client's packets",
			       name);
	if (l->type != ARPHRD_ETHER)
		return ivb_err(
			err, -EINVAL,
			"%s is not an Ethernet device (its type is %u): only frames with an Ethernet "
			"header can be carried",
			name, l->type);
	/*
	 * A device in a VRF receives for itself; a part of anything else receives for its master.
	 */
	if (!l->slave_kind[0] || !strcmp(l->slave_kind, "vrf"))
		return 0;
	if (ivb_link_by_index(&master, l->master))
		return ivb_err(err, -EINVAL, "%s is a part of a %s: attach to that instead", name,
			       l->slave_kind);
	return ivb_err(err, -EINVAL, "%s is a part of the %s %s: attach to %s instead", name,
		       l->slave_kind, master.name, master.name);
}

int ivb_host_check_dev(const char *name, struct ivb_link *ret, struct ivb_err *err)
{
	struct ivb_link l;
	int r = ivb_link_by_name(&l, name);

	if (r == -ENODEV)
		return ivb_err(err, r, "there is no network device %s", name);
	if (r)
		return ivb_err(err, r, "cannot look at device %s: %s", name, strerror(-r));
	r = check_link(&l, name, err);
	if (!r && ret)
		*ret = l;
	return r;
}

struct walk {
	int (*fn)(const struct ivb_host_prog *p, void *arg);
	void *arg;
};

static int visit(struct walk *w, struct ivb_host_prog *p)
{
	/* tc_...: ABI 2's */
	p->ours = p->prog_id && (!strncmp(p->name, IVB_NAME_PREFIX, strlen(IVB_NAME_PREFIX)) ||
				 !strcmp(p->name, "tc_ingress") || !strcmp(p->name, "tc_egress"));
	p->in_our_place = p->in_our_place && !p->ours;
	return w->fn(p, w->arg);
}

static int visit_tcx(__u32 ifindex, bool egress, struct walk *w)
{
	struct ivb_tcx on[IVB_TCX_MAX];
	__u32 n, i;
	int r;

	if (ivb_sysbpf_tcx_query(ifindex, egress ? IVB_BPF_TCX_EGRESS : IVB_BPF_TCX_INGRESS, on,
				 &n))
		return 0;
	for (i = 0; i < n; i++) {
		struct ivb_host_prog p = { .tcx = true,
					   .egress = egress,
					   .prog_id = on[i].prog_id };

		if (ivb_sysbpf_prog_name(p.prog_id, p.name, sizeof(p.name)))
			snprintf(p.name, sizeof(p.name), "?");
		r = visit(w, &p);
		if (r)
			return r;
	}
	return 0;
}

static int visit_filter(const struct ivb_tc_filter *f, void *arg)
{
	struct ivb_host_prog p = { .egress = f->egress, .prog_id = f->prog_id };

	p.in_our_place =
		!f->egress && f->priority == IVB_FILTER_PRIORITY && f->handle == IVB_FILTER_HANDLE;
	if (!p.prog_id || ivb_sysbpf_prog_name(p.prog_id, p.name, sizeof(p.name)))
		snprintf(p.name, sizeof(p.name), "%s", f->kind);
	return visit(arg, &p);
}

int ivb_host_progs(__u32 ifindex, int (*fn)(const struct ivb_host_prog *p, void *arg), void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };
	int r = visit_tcx(ifindex, false, &w);

	if (!r)
		r = visit_tcx(ifindex, true, &w);
	return r ? r : ivb_tc_filters(ifindex, visit_filter, &w);
}

static int count(const struct ivb_host_prog *p, void *arg)
{
	int *n = arg;

	*n += p->ours && !p->egress;
	return 0;
}

int ivb_host_count_ours(__u32 ifindex)
{
	int n = 0;

	ivb_host_progs(ifindex, count, &n);
	return n;
}

bool ivb_host_is_ipvlan(__u32 ifindex, struct ivb_link *ret)
{
	struct ivb_link l;

	return !ivb_link_by_index(&l, ifindex) && !strcmp(l.kind, "ipvlan") &&
	       !l.parent_elsewhere && !ivb_link_by_index(ret, l.parent);
}

int ivb_host_sysctl(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int n;

	return f && fscanf(f, "%d", &n) == 1 ? n : -1;
}

int ivb_host_snat_ports(__u32 *ret, struct ivb_err *err)
{
	static const struct ivb_config any; /* without addresses for SNAT alone */
	_cleanup_free_ struct ivb_port_set *taken = calloc(1, sizeof(*taken));
	__u32 port, n = 0;
	int r;

	if (!taken)
		return -ENOMEM;
	r = ivb_ports_add_bound(taken, &any, err);
	if (!r)
		r = ivb_ports_add_range(taken, err);
	if (!r)
		r = ivb_ports_add_reserved(taken, err);
	for (port = IVB_FIRST_SNAT_PORT; port < 65536; port++)
		n += !ivb_port_test(taken, port);
	if (!r)
		*ret = n;
	return r;
}
