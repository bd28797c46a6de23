/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses as text. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* s[0..len) without a NUL after it. */
static int parse_len(int af, const char *s, size_t len, __u8 *ret_af, union ivb_addr *ret)
{
	union ivb_addr a = {};
	char buf[IVB_ADDR_LEN];

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		if (af == AF_INET)
			return -EINVAL;
		af = AF_INET6;
		s++;
		len -= 2;
	}
	if (!len || len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, s, len);
	buf[len] = '\0';
	if (af == AF_UNSPEC)
		af = strchr(buf, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(af, buf, &a) != 1)
		return -EINVAL;
	if (ret_af)
		*ret_af = (__u8)af;
	*ret = a;
	return 0;
}

int ivb_addr_parse(int af, const char *s, __u8 *ret_af, union ivb_addr *ret)
{
	return parse_len(af, s, strlen(s), ret_af, ret);
}

int ivb_addrport_parse(const char *s, __u8 *ret_af, union ivb_addr *ret, __be16 *ret_port,
		       bool *ret_has_port)
{
	const char *colon;
	__u16 port = 0;
	int r;

	if (s[0] == '[') {
		colon = strchr(s, ']');
		if (!colon)
			return -EINVAL;
		colon++;
		if (*colon && *colon != ':')
			return -EINVAL;
	} else {
		colon = strchr(s, ':');
		if (!colon ||
		    strchr(colon + 1, ':')) /* none, or an IPv6 address without brackets */
			colon = s + strlen(s);
	}
	if (*colon) {
		r = ivb_num_u16_parse(&port, colon + 1, 0, 65535);
		if (r)
			return -EINVAL;
	}
	r = parse_len(AF_UNSPEC, s, (size_t)(colon - s), ret_af, ret);
	if (r)
		return r;
	*ret_port = htons(port);
	*ret_has_port = *colon == ':';
	return 0;
}

static bool host_bits(const union ivb_addr *a, __u32 words, __u32 len)
{
	__u32 i, keep;

	for (i = 0; i < words; i++, len -= keep) {
		keep = len > 32 ? 32 : len;
		if (keep < 32 && (ntohl(a->ip6[i]) & (0xffffffffu >> keep)))
			return true;
	}
	return false;
}

int ivb_addr_prefix_parse(const char *s, __u8 *ret_af, union ivb_addr *ret, __u32 *ret_len)
{
	const char *slash = strchr(s, '/');
	union ivb_addr a;
	__u32 len, max;
	__u8 af;
	int r;

	r = parse_len(AF_UNSPEC, s, slash ? (size_t)(slash - s) : strlen(s), &af, &a);
	if (r)
		return r;
	max = af == AF_INET ? 32 : 128;
	len = max;
	if (slash) {
		r = ivb_num_u32_parse(&len, slash + 1, 0, max);
		if (r)
			return r;
	}
	if (host_bits(&a, max / 32, len))
		return -EBADMSG;
	*ret_af = af;
	*ret = a;
	*ret_len = len;
	return 0;
}

char *ivb_addr_fmt(char *buf, size_t size, int af, const union ivb_addr *a)
{
	if (!inet_ntop(af, a, buf, (socklen_t)size))
		snprintf(buf, size, "?");
	return buf;
}

char *ivb_addrport_fmt(char *buf, size_t size, int af, const union ivb_addr *a, __be16 port)
{
	char addr[IVB_ADDR_LEN];

	ivb_addr_fmt(addr, sizeof(addr), af, a);
	snprintf(buf, size, af == AF_INET6 ? "[%s]:%u" : "%s:%u", addr, ntohs(port));
	return buf;
}

bool ivb_addr_equal(const union ivb_addr *a, const union ivb_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool ivb_addr_is_zero(const union ivb_addr *a)
{
	return !(a->ip6[0] | a->ip6[1] | a->ip6[2] | a->ip6[3]);
}

bool ivb_addr_is_unicast(int af, const union ivb_addr *a)
{
	if (ivb_addr_is_zero(a))
		return false;
	if (af == AF_INET6)
		return ntohl(a->ip6[0]) >> 24 != 0xff && ntohl(a->ip6[0]) >> 22 != 0xfe80 >> 6 &&
		       !(!a->ip6[0] && !a->ip6[1] && a->ip6[2] == htonl(0xffff));
	return ntohl(a->ip) >> 28 != 0xe && a->ip != htonl(INADDR_BROADCAST);
}

bool ivb_addr_is_loopback(int af, const union ivb_addr *a)
{
	if (af == AF_INET6)
		return !(a->ip6[0] | a->ip6[1] | a->ip6[2]) && ntohl(a->ip6[3]) == 1;
	return ntohl(a->ip) >> 24 == 127;
}
