/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening what there is of an instance, complete or not: for `up` and `down`. Internal to dp. */
#ifndef IVB_DP_INSTANCE_INSTANCE_INT_H
#define IVB_DP_INSTANCE_INSTANCE_INT_H

#include <stdbool.h>

#include "dp/instance/instance.h"

enum ivb_map_family {
	IVB_MAP_V4,
	IVB_MAP_V6, /* made with the first IPv6 service */
	IVB_MAP_BOTH,
};

/* How an upgrade takes what is in a map; see ivb/maps.def. */
enum ivb_map_taken {
	IVB_TAKEN_SET,
	IVB_TAKEN_MOVING,
	IVB_TAKEN_CONNS,
	IVB_TAKEN_REBUILT,
	IVB_TAKEN_META,
	IVB_TAKEN_ANEW,
};

/* A row of ivb/maps.def, with the sizes of its keys and values. */
struct ivb_map_row {
	const char *name;
	__u32 key, value;
	enum ivb_map_family family;
	enum ivb_map_taken taken;
};

extern const struct ivb_map_row ivb_map_rows[IVB_MAP_MAX_];

enum ivb_open {
	IVB_OPEN_EXISTING, /* -ENOENT without a sentence if there is none */
	IVB_OPEN_CREATE,   /* makes the folders if they are not there */
	IVB_OPEN_SALVAGE, /* `down`'s way: as existing, but others' maps and a missing v<ABI> do not matter */
};

/*
 * As ivb_dp_open(), but what is missing or half made is no error: descriptors are -1, meta is zero.
 */
int ivb_dp_open_any(struct ivb_dp **ret, const char *instance, enum ivb_lock lock,
		    enum ivb_open how, struct ivb_err *err);

/* An ABI number other than ours of which the instance has a folder; 0: none. */
int ivb_dp_other_abi(const char *instance);

/* -EBUSY with a sentence if another version is half way in taking over this one's instance. */
int ivb_dp_check_whole(const struct ivb_dp *dp, const char *instance, struct ivb_err *err);

/* Opens the pinned maps that dp has no descriptor of, and checks their keys' and values' sizes. */
int ivb_dp_open_maps(struct ivb_dp *dp, struct ivb_err *err);

/* Whether `up` has made everything (meta is written last). */
bool ivb_dp_is_complete(const struct ivb_dp *dp);

/* Writes dp->meta: from there on the instance is what it says. */
int ivb_dp_write_meta(const struct ivb_dp *dp, struct ivb_err *err);

/* -ENOENT with a sentence if a map's pin is missing (IPv6's may). */
int ivb_dp_check_maps(const struct ivb_dp *dp, struct ivb_err *err);

/* Whether the IPv6 maps are there. */
bool ivb_dp_has_v6(const struct ivb_dp *dp);

/* Forgets the maps, as if none were there. */
void ivb_dp_close_maps(struct ivb_dp *dp);

/* -EXDEV with a sentence if the instance serves another network namespace than the current one. */
int ivb_dp_check_netns(const struct ivb_dp *dp, struct ivb_err *err);

/* SO_NETNS_COOKIE of the current network namespace. */
int ivb_netns_cookie(__u64 *ret);

#endif
