/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where our program is attached, by what devs and the pins say and what the kernel says of them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/attach/attached.h"
#include "dp/attach/kind_int.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_name_int.h"
#include "dp/instance/pins_int.h"

const char *ivb_attached_by(enum ivb_attach kind)
{
	return ivb_kind_ops(kind)->name;
}

bool ivb_attached_by_link(enum ivb_attach kind)
{
	return ivb_kind_ops(kind)->by_link;
}

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
	enum ivb_attach kind = IVB_ATTACH_TCX;
	struct ivb_attachment *a;
	const char *what;
	__u32 ifindex;

	if (ivb_pin_name_dev(name, &ifindex, &what))
		return 0;
	a = find_or_add(arg, ifindex);
	if (!a)
		return -ENOMEM;
	if (ivb_kind_by_marker(&kind, what))
		a->kind = kind;
	return 0;
}

/* A device in devs is complete unless its kind's look() finds otherwise. */
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
		ivb_kind_ops(a->kind)->look(dp, a);
	}
	if (l.n)
		qsort(l.a, l.n, sizeof(*l.a), by_ifindex);
	*ret = l.a;
	*ret_n = l.n;
	return 0;
}
