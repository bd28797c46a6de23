/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To be preloaded into ipvs-bpf: a kernel whose types are others. OTHERBTF=FUNCTION=OTHER: FUNCTION
 * has the arguments of OTHER. OTHERBTF=FUNCTION= means that there is no such function.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

struct btf;
int btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind);

/* What is behind "FUNCTION=", or NULL if it is about another function. */
static const char *other(const char *function)
{
	const char *said = getenv("OTHERBTF");
	size_t len = strlen(function);

	return said && !strncmp(said, function, len) && said[len] == '=' ? said + len + 1 : NULL;
}

int btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	static int (*real)(const struct btf *, const char *, __u32);
	const char *to = kind == BTF_KIND_FUNC ? other(name) : NULL;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "btf__find_by_name_kind");
	if (to && !*to)
		return -ENOENT;
	return real(btf, to ? to : name, kind);
}
