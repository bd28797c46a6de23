/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where our program is attached, by what devs and the pins say and what the kernel says of them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attach_int.h"
#include "dp/attach/attached.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_name_int.h"
#include "dp/instance/pins_int.h"
#include "dp/instance/sysbpf_int.h"
#include "dp/load/zones_int.h"
#include "nl/tc.h"

struct list {
	const struct ivb_dp *dp;
	struct ivb_attachment *a;
	size_t n;
};

static struct ivb_attachment *find_or_add(struct list *l, __u32 ifindex)
{
	struct ivb_attachment *a;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->a[i].ifindex == ifindex)
			return &l->a[i];
	}
	a = realloc(l->a, (l->n + 1) * sizeof(*a));
	if (!a)
		return NULL;
	l->a = a;
	a += l->n++;
	*a = (struct ivb_attachment){ .ifindex = ifindex, .state = IVB_ATTACH_HALF };
	return a;
}

/* "5", "5-egress" and "5-after" are links, "5-clsact" our mark on a qdisc. */
static int add_pin(const char *name, void *arg)
{
	struct ivb_attachment *a;
	const char *what;
	__u32 ifindex;

	if (ivb_pin_name_dev(name, &ifindex, &what))
		return 0;
	a = find_or_add(arg, ifindex);
	if (!a)
		return -ENOMEM;
	if (!strcmp(what, "-clsact"))
		a->kind = IVB_ATTACH_CLSACT;
	return 0;
}

/* A device in devs is complete unless look() finds otherwise. */
static int add_devs(struct list *l)
{
	__u32 ifindex, *prev = NULL;
	int fd = l->dp->fds[IVB_MAP_DEVS];
	struct ivb_attachment *a;
	struct ivb_dev dev;

	while (fd >= 0 && !bpf_map_get_next_key(fd, prev, &ifindex)) {
		prev = &ifindex;
		if (bpf_map_lookup_elem(fd, &ifindex, &dev))
			continue;
		a = find_or_add(l, ifindex);
		if (!a)
			return -ENOMEM;
		a->zone = dev.zone;
		a->kind = (enum ivb_attach)dev.kind;
		a->state = IVB_ATTACHED;
	}
	return 0;
}

/* Whether the device of that index here carries the link. */
static bool carries_link(__u32 ifindex, int tcx_type, __u32 link_id)
{
	struct ivb_tcx on[IVB_TCX_MAX];
	__u32 n, i;

	if (ivb_sysbpf_tcx_query(ifindex, tcx_type, on, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (on[i].link_id == link_id)
			return true;
	}
	return false;
}

static enum ivb_attachment_state look_at_link(const struct ivb_dp *dp,
					      const struct ivb_attachment *a)
{
	__u32 link_id, prog_id, ifindex;
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/links/%u", dp->path, a->ifindex);
	fd = bpf_obj_get(path);
	if (fd < 0 || ivb_sysbpf_tcx_link_info(fd, &link_id, &prog_id, &ifindex))
		return IVB_ATTACH_MISSING;
	if (carries_link(a->ifindex, IVB_BPF_TCX_INGRESS, link_id))
		return a->state;
	if (ifindex)
		return IVB_ATTACH_MOVED;
	return a->name[0] ? IVB_ATTACH_MISSING : IVB_ATTACH_GONE;
}

static bool egress_link_lives(const struct ivb_dp *dp, const struct ivb_attachment *a)
{
	__u32 link_id, prog_id, ifindex;
	_cleanup_close_ int fd = -1;
	char path[IVB_PIN_PATH_LEN];

	snprintf(path, sizeof(path), "%s/links/%u-egress", dp->path, a->ifindex);
	fd = bpf_obj_get(path);
	return fd >= 0 && !ivb_sysbpf_tcx_link_info(fd, &link_id, &prog_id, &ifindex) &&
	       carries_link(a->ifindex, IVB_BPF_TCX_EGRESS, link_id);
}

struct filter_search {
	const struct ivb_dp *dp;
	bool ingress, egress; /* found */
};

static int match_filter(const struct ivb_tc_filter *f, void *arg)
{
	struct filter_search *s = arg;
	__u32 zone;

	if (f->priority == IVB_FILTER_PRIORITY && f->handle == IVB_FILTER_HANDLE && f->prog_id &&
	    !ivb_zone_of(s->dp, f->prog_id, &zone)) {
		if (f->egress)
			s->egress = true;
		else
			s->ingress = true;
	}
	return 0;
}

static enum ivb_attachment_state look_at_filter(const struct ivb_dp *dp, struct ivb_attachment *a)
{
	struct filter_search s = { .dp = dp };

	/* A filter goes with its device, also when that moves to another namespace. */
	if (!a->name[0])
		return IVB_ATTACH_GONE;
	if (ivb_tc_filters(a->ifindex, match_filter, &s) || !s.ingress)
		return IVB_ATTACH_MISSING;
	a->egress = s.egress;
	return a->state;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct ivb_attachment *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int ivb_attached_list(const struct ivb_dp *dp, struct ivb_attachment **ret, size_t *ret_n,
		      struct ivb_err *err)
{
	struct list l = { .dp = dp };
	char path[IVB_PIN_PATH_LEN];
	size_t i;
	int r;

	snprintf(path, sizeof(path), "%s/links", dp->path);
	r = ivb_pins_list(path, add_pin, &l);
	if (!r || r == -ENOENT)
		r = add_devs(&l);
	if (r) {
		free(l.a);
		return ivb_err(err, r, "cannot list what is attached: %s", strerror(-r));
	}
	for (i = 0; i < l.n; i++) {
		struct ivb_attachment *a = &l.a[i];

		if (!if_indextoname(a->ifindex, a->name))
			a->name[0] = 0;
		if (a->kind == IVB_ATTACH_TCX) {
			a->state = look_at_link(dp, a);
			a->egress = egress_link_lives(dp, a);
		} else {
			a->state = look_at_filter(dp, a);
		}
	}
	if (l.n)
		qsort(l.a, l.n, sizeof(*l.a), by_ifindex);
	*ret = l.a;
	*ret_n = l.n;
	return 0;
}
