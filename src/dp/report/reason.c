/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a packet was passed, dropped or answered, in words. */
#include "dp/report/reason.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct ivb_reason_info ivb_reasons[IVB_R_MAX_] = {
#define IVB_PASS(name_, help_) [IVB_R_##name_] = { #name_, help_, IVB_REASON_PASS },
#define IVB_DROP(name_, help_) [IVB_R_##name_] = { #name_, help_, IVB_REASON_DROP },
#define IVB_SENT(name_, help_) [IVB_R_##name_] = { #name_, help_, IVB_REASON_SENT },
#include <ivb/reasons.def>
#undef IVB_PASS
#undef IVB_DROP
#undef IVB_SENT
};

const char *ivb_reason_kind_name(enum ivb_reason_kind kind)
{
	static const char *const names[] = {
		[IVB_REASON_PASS] = "pass",
		[IVB_REASON_DROP] = "drop",
		[IVB_REASON_SENT] = "sent",
	};

	return names[kind];
}

const char *ivb_reason_name(enum ivb_reason reason, char *buf, size_t size)
{
	char *p;

	snprintf(buf, size, "%s", ivb_reasons[reason].name ? ivb_reasons[reason].name : "");
	for (p = buf; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return buf;
}
