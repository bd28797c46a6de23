/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that users write and read for what abi.h has as numbers. */
#ifndef IVB_MODEL_NAMES_H
#define IVB_MODEL_NAMES_H

#include <stdbool.h>

#include <ivb/abi.h>

/* "rr", ...; "?" for anything else. */
const char *ivb_scheduler_name(__u32 scheduler);
/* -ENOENT: there is no such scheduler. */
int ivb_scheduler_by_name(__u8 *ret, const char *name);

#define IVB_SCHED_FLAGS_LEN 40

/*
 * A scheduler's flags, in ipvsadm's words: "sh-fallback,sh-port" (enum ivb_service_flags); those of
 * schedulers that have none are "flag-1" to "flag-3". Parsing: -EINVAL, or -EXDEV if it is another
 * scheduler's, and *text is the one that is wrong.
 */
char *ivb_sched_flags_names(char buf[static IVB_SCHED_FLAGS_LEN], __u32 scheduler, __u16 flags);
int ivb_sched_flags_by_names(__u16 *ret, __u32 scheduler, const char **text);

/* "default", "never", "auto", "always". */
const char *ivb_snat_name(__u32 snat);
/* "never", "auto", "always"; -EINVAL otherwise ("default" is not for users to write). */
int ivb_snat_by_name(__u8 *ret, const char *name);

/* Of an address family: "IPv4", "IPv6". */
const char *ivb_family_name(int af);

/* "TCP", "UDP", "SCTP". */
const char *ivb_proto_name(__u8 proto);

#endif
