/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a packet was passed, dropped or answered, in words. */
#ifndef IVB_DP_REPORT_REASON_H
#define IVB_DP_REPORT_REASON_H

#include <stddef.h>

#include <ivb/abi.h>

enum ivb_reason_kind {
	IVB_REASON_PASS,
	IVB_REASON_DROP,
	IVB_REASON_SENT,
};

struct ivb_reason_info {
	const char *name; /* reasons.def's name */
	const char *help;
	enum ivb_reason_kind kind;
};

/* Index 0 has no name. */
extern const struct ivb_reason_info ivb_reasons[IVB_R_MAX_];

/* "pass", "drop", "sent" */
const char *ivb_reason_kind_name(enum ivb_reason_kind kind);

/* The name that users see, in buf. */
const char *ivb_reason_name(enum ivb_reason reason, char *buf, size_t size);

#endif
