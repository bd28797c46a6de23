/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of schedulers, SNAT policies, address families and protocols. */
#include "model/names.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct scheduler {
	const char *name;
	__u32 flags; /* flags that it knows */
} schedulers[IVB_SCHED_MAX_] = {
#define IVB_SCHEDULER(NAME, name, table, flags, ask) [IVB_SCHED_##NAME] = { #name, flags },
#include <ivb/schedulers.def>
};

static const char *const snats[IVB_SNAT_MAX_] = {
	[IVB_SNAT_DEFAULT] = "default",
	[IVB_SNAT_NEVER] = "never",
	[IVB_SNAT_AUTO] = "auto",
	[IVB_SNAT_ALWAYS] = "always",
};

const char *ivb_scheduler_name(__u32 scheduler)
{
	return scheduler < IVB_SCHED_MAX_ ? schedulers[scheduler].name : "?";
}

int ivb_scheduler_by_name(__u8 *ret, const char *name)
{
	size_t i;

	for (i = 0; i < IVB_SCHED_MAX_; i++) {
		if (!strcmp(name, schedulers[i].name)) {
			*ret = (__u8)i;
			return 0;
		}
	}
	return -ENOENT;
}

#define NUM_FLAGS 3

/* What a flag of the scheduler is called; one without a name of its own is "flag-<number>". */
static const char *flag_name(char *buf, size_t size, __u32 scheduler, unsigned int flag)
{
	static const char *const words[NUM_FLAGS] = { "fallback", "port" };

	if (scheduler < IVB_SCHED_MAX_ && schedulers[scheduler].flags & 1u << flag)
		snprintf(buf, size, "%s-%s", schedulers[scheduler].name, words[flag]);
	else
		snprintf(buf, size, "flag-%u", flag + 1);
	return buf;
}

/* A third one that sh or mh were given has no name, and is not shown. */
static bool is_shown(__u32 scheduler, unsigned int flag)
{
	__u32 known = scheduler < IVB_SCHED_MAX_ ? schedulers[scheduler].flags : 0;

	return !known || known & 1u << flag;
}

char *ivb_sched_flags_names(char buf[static IVB_SCHED_FLAGS_LEN], __u32 scheduler, __u16 flags)
{
	char name[16];
	size_t len = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < NUM_FLAGS; i++) {
		if (flags & 1u << i && is_shown(scheduler, i))
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
	__u32 other;

	for (i = 0; i < NUM_FLAGS; i++) {
		if (is_flag(text, len, scheduler, i) || is_flag(text, len, IVB_SCHED_MAX_, i))
			return (int)i;
	}
	for (other = 0; other < IVB_SCHED_MAX_; other++) {
		for (i = 0; i < NUM_FLAGS; i++) {
			if (is_flag(text, len, other, i))
				return -EXDEV;
		}
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
