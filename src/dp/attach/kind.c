/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of attaching: a row each, the better first. */
#include "dp/attach/kind_int.h"

#include <string.h>

static const struct ivb_attach_ops *const kinds[] = {
	[IVB_ATTACH_TCX] = &ivb_tcx_ops,
	[IVB_ATTACH_CLSACT] = &ivb_clsact_ops,
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == IVB_ATTACH_MAX_, "a kind has no row");

const struct ivb_attach_ops *ivb_kind_ops(__u32 kind)
{
	return kinds[kind < IVB_ATTACH_MAX_ ? kind : IVB_ATTACH_MAX_ - 1];
}

enum ivb_attach ivb_kind_best(void)
{
	__u32 kind = 0;

	while (kind < IVB_ATTACH_MAX_ - 1 && !kinds[kind]->supported())
		kind++;
	return (enum ivb_attach)kind;
}

bool ivb_kind_by_marker(enum ivb_attach *ret, const char *suffix)
{
	__u32 kind;

	for (kind = 0; kind < IVB_ATTACH_MAX_; kind++) {
		if (kinds[kind]->marker && !strcmp(kinds[kind]->marker, suffix)) {
			*ret = (enum ivb_attach)kind;
			return true;
		}
	}
	return false;
}
