/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the names of pins say. */
#include "dp/instance/pin_name_int.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/num.h"

/* A number as we print it: digits without a zero before them. */
static int number_parse(const char *text, __u32 max, __u32 *ret)
{
	if (text[0] == '0' && text[1])
		return -EINVAL;
	return ivb_num_u32_parse(ret, text, 0, max) ? -EINVAL : 0;
}

int ivb_pin_name_abi(const char *name, __u32 *ret_abi)
{
	return name[0] == 'v' ? number_parse(name + 1, INT_MAX, ret_abi) : -EINVAL;
}

int ivb_pin_name_zone(const char *name, __u32 *ret_zone)
{
	static const char prog[] = "prog-";
	const size_t len = sizeof(prog) - 1;

	return strncmp(name, prog, len) ? -EINVAL : number_parse(name + len, UINT_MAX, ret_zone);
}

int ivb_pin_name_dev(const char *name, __u32 *ret_ifindex, const char **ret_what)
{
	static const char *const endings[] = { "", "-clsact", "-egress", "-after" };
	size_t digits = strspn(name, "0123456789"), i;
	char number[sizeof("4294967295")];

	if (digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, name, digits);
	number[digits] = 0;
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcmp(name + digits, endings[i]))
			continue;
		if (number_parse(number, UINT_MAX, ret_ifindex))
			return -EINVAL;
		*ret_what = endings[i];
		return 0;
	}
	return -EINVAL;
}
