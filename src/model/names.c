/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of schedulers, SNAT policies, address families and protocols. */
#include "model/names.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *const schedulers[IVB_SCHED_MAX_] = {
	[IVB_SCHED_RR] = "rr",	     [IVB_SCHED_WRR] = "wrr",	[IVB_SCHED_LC] = "lc",
	[IVB_SCHED_WLC] = "wlc",     [IVB_SCHED_SED] = "sed",	[IVB_SCHED_NQ] = "nq",
	[IVB_SCHED_FO] = "fo",	     [IVB_SCHED_OVF] = "ovf",	[IVB_SCHED_SH] = "sh",
	[IVB_SCHED_DH] = "dh",	     [IVB_SCHED_MH] = "mh",	[IVB_SCHED_LBLC] = "lblc",
	[IVB_SCHED_LBLCR] = "lblcr", [IVB_SCHED_TWOS] = "twos",
};

static const char *const snats[IVB_SNAT_MAX_] = {
	[IVB_SNAT_DEFAULT] = "default",
	[IVB_SNAT_NEVER] = "never",
	[IVB_SNAT_AUTO] = "auto",
	[IVB_SNAT_ALWAYS] = "always",
};

const char *ivb_scheduler_name(__u32 scheduler)
{
	return scheduler < IVB_SCHED_MAX_ ? schedulers[scheduler] : "?";
}

int ivb_scheduler_by_name(__u8 *ret, const char *name)
{
	size_t i;

	for (i = 0; i < IVB_SCHED_MAX_; i++) {
		if (!strcmp(name, schedulers[i])) {
			*ret = (__u8)i;
			return 0;
		}
	}
	return -ENOENT;
}

#define NUM_FLAGS 3

/* What a flag of the scheduler is called; buf is for those without a name of their own. */
static const char *flag_name(char *buf, size_t size, __u32 scheduler, unsigned int flag)
{
	static const char *const sh[] = { "sh-fallback", "sh-port" };
	static const char *const mh[] = { "mh-fallback", "mh-port" };

	if (scheduler == IVB_SCHED_SH && flag < ARRAY_LEN(sh))
		return sh[flag];
	if (scheduler == IVB_SCHED_MH && flag < ARRAY_LEN(mh))
		return mh[flag];
	snprintf(buf, size, "flag-%u", flag + 1);
	return buf;
}

char *ivb_sched_flags_names(char buf[static IVB_SCHED_FLAGS_LEN], __u32 scheduler, __u16 flags)
{
	char name[16];
	size_t len = 0;
	unsigned int i;

	buf[0] = '\0';
	/* a third one that sh or mh were given has no name, and is not shown */
	for (i = 0; i < (scheduler == IVB_SCHED_SH || scheduler == IVB_SCHED_MH ? 2 : NUM_FLAGS);
	     i++) {
		if (flags & 1u << i)
			len += (size_t)snprintf(buf + len, IVB_SCHED_FLAGS_LEN - len, "%s%s",
						len ? "," : "",
						flag_name(name, sizeof(name), scheduler, i));
	}
	return buf;
}

/* Whether the first len characters of text are the flag's name with that scheduler. */
static bool is_flag(const char *text, size_t len, __u32 scheduler, unsigned int flag)
{
	char buf[16];
	const char *name = flag_name(buf, sizeof(buf), scheduler, flag);

	return strlen(name) == len && !memcmp(name, text, len);
}

/* The flag's number, or -EINVAL; -EXDEV: it is another scheduler's. */
static int flag_find(const char *text, size_t len, __u32 scheduler)
{
	unsigned int i;

	for (i = 0; i < NUM_FLAGS; i++) {
		if (is_flag(text, len, scheduler, i) || is_flag(text, len, IVB_SCHED_MAX_, i))
			return (int)i;
	}
	for (i = 0; i < NUM_FLAGS; i++) {
		if (is_flag(text, len, IVB_SCHED_SH, i) || is_flag(text, len, IVB_SCHED_MH, i))
			return -EXDEV;
	}
	return -EINVAL;
}

int ivb_sched_flags_by_names(__u16 *ret, __u32 scheduler, const char **text)
{
	const char *s = *text;
	__u16 flags = 0;

	for (; *s; s += strspn(s, ",")) {
		size_t len = strcspn(s, ",");
		int flag = len ? flag_find(s, len, scheduler) : 0;

		if (flag < 0) {
			*text = s;
			return flag;
		}
		if (len)
			flags |= (__u16)(1u << flag);
		s += len;
	}
	*ret = flags;
	return 0;
}

const char *ivb_snat_name(__u32 snat)
{
	return snat < IVB_SNAT_MAX_ ? snats[snat] : "?";
}

int ivb_snat_by_name(__u8 *ret, const char *name)
{
	size_t i;

	for (i = IVB_SNAT_NEVER; i < IVB_SNAT_MAX_; i++) {
		if (!strcmp(name, snats[i])) {
			*ret = (__u8)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *ivb_family_name(int af)
{
	return af == AF_INET ? "IPv4" : "IPv6";
}

const char *ivb_proto_name(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_SCTP:
		return "SCTP";
	}
	return "?";
}
