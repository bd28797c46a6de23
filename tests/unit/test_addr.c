/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes and numbers as text: what is taken, and what is not. */
#include <arpa/inet.h>
#include <errno.h>

#include "base/addr.h"
#include "base/num.h"
#include "tap.h"

/* The text that a parsed address gives, or "-EINVAL". */
static const char *reparse(int af, const char *s)
{
	static char buf[IVB_ADDR_LEN];
	union ivb_addr a;
	__u8 got;

	if (ivb_addr_parse(af, s, &got, &a))
		return "-EINVAL";
	return ivb_addr_fmt(buf, sizeof(buf), got, &a);
}

static void test_addr(void)
{
	static const struct {
		int af;
		const char *in, *out;
	} cases[] = {
		{ AF_UNSPEC, "10.0.0.1", "10.0.0.1" },
		{ AF_UNSPEC, "255.255.255.255", "255.255.255.255" },
		{ AF_UNSPEC, "fd00:0:0::9", "fd00::9" },
		{ AF_UNSPEC, "[fd00::9]", "fd00::9" },
		{ AF_UNSPEC, "::", "::" },
		{ AF_UNSPEC, "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
		{ AF_INET6, "fd00::9", "fd00::9" },
		{ AF_INET, "fd00::9", "-EINVAL" },
		{ AF_INET, "[10.0.0.1]", "-EINVAL" },
		{ AF_INET6, "10.0.0.1", "-EINVAL" },
		{ AF_UNSPEC, "", "-EINVAL" },
		{ AF_UNSPEC, "[]", "-EINVAL" },
		{ AF_UNSPEC, "[fd00::9", "-EINVAL" },
		{ AF_UNSPEC, "[10.0.0.1]", "-EINVAL" },
		{ AF_UNSPEC, "10.1", "-EINVAL" },
		{ AF_UNSPEC, "10.0.0.1 ", "-EINVAL" },
		{ AF_UNSPEC, " 10.0.0.1", "-EINVAL" },
		{ AF_UNSPEC, "10.0.0.256", "-EINVAL" },
		{ AF_UNSPEC, "010.0.0.1", "-EINVAL" },
		{ AF_UNSPEC, "0x0a.0.0.1", "-EINVAL" },
		{ AF_UNSPEC, "fe80::1%eth0", "-EINVAL" },
		{ AF_UNSPEC, "fd00::1::2", "-EINVAL" },
		{ AF_UNSPEC, "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", "-EINVAL" },
		{ AF_UNSPEC, "example.org", "-EINVAL" },
	};
	union ivb_addr a = { .ip6 = { 1, 2, 3, 4 } }, b;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(reparse(cases[i].af, cases[i].in), cases[i].out, "address '%s'",
		       cases[i].in);
	ok(!ivb_addr_parse(AF_INET, "1.2.3.4", NULL, &a) && !a.ip6[1] && !a.ip6[2] && !a.ip6[3],
	   "IPv4 zeroes the other words");
	b = a;
	is_int(ivb_addr_parse(AF_INET, "x", NULL, &a), -EINVAL, "an error");
	ok(ivb_addr_equal(&a, &b), "and nothing written");
}

static const char *reparse_port(const char *s)
{
	static char buf[IVB_ADDRPORT_LEN + 8];
	union ivb_addr a;
	bool has_port;
	__be16 port;
	__u8 af;

	if (ivb_addrport_parse(s, &af, &a, &port, &has_port))
		return "-EINVAL";
	ivb_addrport_fmt(buf, IVB_ADDRPORT_LEN, af, &a, port);
	if (!has_port)
		strcat(buf, " none");
	return buf;
}

static void test_addrport(void)
{
	static const char *const cases[][2] = {
		{ "10.0.0.1:80", "10.0.0.1:80" },
		{ "10.0.0.1:65535", "10.0.0.1:65535" },
		{ "10.0.0.1:0", "10.0.0.1:0" },
		{ "10.0.0.1", "10.0.0.1:0 none" },
		{ "[fd00::1]:80", "[fd00::1]:80" },
		{ "[fd00::1]", "[fd00::1]:0 none" },
		{ "fd00::1", "[fd00::1]:0 none" },
		{ "fd00::1:80", "[fd00::1:80]:0 none" },
		{ "10.0.0.1:", "-EINVAL" },
		{ "10.0.0.1:65536", "-EINVAL" },
		{ "10.0.0.1:-1", "-EINVAL" },
		{ "10.0.0.1:80x", "-EINVAL" },
		{ "10.0.0.1: 80", "-EINVAL" },
		{ "10.0.0.1:+80", "-EINVAL" },
		{ ":80", "-EINVAL" },
		{ "", "-EINVAL" },
		{ "[fd00::1]80", "-EINVAL" },
		{ "[fd00::1:80", "-EINVAL" },
		{ "[fd00::1]:", "-EINVAL" },
		{ "[10.0.0.1]:80", "-EINVAL" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0 none" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(reparse_port(cases[i][0]), cases[i][1], "address and port '%s'",
		       cases[i][0]);
}

static void test_prefix(void)
{
	static const struct {
		const char *in, *out;
		int r;
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", 0 },
		{ "0.0.0.0/0", "0.0.0.0/0", 0 },
		{ "10.1.2.3", "10.1.2.3/32", 0 },
		{ "10.1.2.2/31", "10.1.2.2/31", 0 },
		{ "fd00::/8", "fd00::/8", 0 },
		{ "::/0", "::/0", 0 },
		{ "fd00::1", "fd00::1/128", 0 },
		{ "2001:db8:8000::/33", "2001:db8:8000::/33", 0 },
		{ "fd00:0:0:1::/64", "fd00:0:0:1::/64", 0 },
		{ "10.0.0.1/8", NULL, -EBADMSG },
		{ "10.0.0.0/33", NULL, -ERANGE },
		{ "fd00::/129", NULL, -ERANGE },
		{ "fd00::1/127", NULL, -EBADMSG },
		{ "fd00:0:0:1::/63", NULL, -EBADMSG },
		{ "10.0.0.0/", NULL, -EINVAL },
		{ "10.0.0.0/8x", NULL, -EINVAL },
		{ "/8", NULL, -EINVAL },
		{ "10.0.0.0/255.0.0.0", NULL, -EINVAL },
	};
	char buf[IVB_ADDR_LEN], again[IVB_ADDR_LEN + 4];
	union ivb_addr a;
	__u32 len;
	size_t i;
	__u8 af;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_int(ivb_addr_prefix_parse(cases[i].in, &af, &a, &len), cases[i].r, "prefix '%s'",
		       cases[i].in);
		if (cases[i].r)
			continue;
		snprintf(again, sizeof(again), "%s/%u", ivb_addr_fmt(buf, sizeof(buf), af, &a), len);
		is_str(again, cases[i].out, "prefix '%s' again", cases[i].in);
	}
}

static void test_kinds(void)
{
	static const struct {
		const char *addr;
		bool unicast, loopback;
	} cases[] = {
		{ "10.0.0.1", true, false },
		{ "0.0.0.0", false, false },
		{ "223.255.255.255", true, false },
		{ "224.0.0.1", false, false },
		{ "239.1.1.1", false, false },
		{ "240.0.0.1", true, false },
		{ "255.255.255.255", false, false },
		{ "127.0.0.1", true, true },
		{ "127.9.9.9", true, true },
		{ "fd00::1", true, false },
		{ "::", false, false },
		{ "::1", true, true },
		{ "ff02::1", false, false },
		{ "fe80::1", false, false },
		{ "febf::1", false, false },
		{ "fec0::1", true, false },
		{ "::ffff:10.0.0.1", false, false },
		{ "::10.0.0.1", true, false },
	};
	union ivb_addr a;
	size_t i;
	__u8 af;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ivb_addr_parse(AF_UNSPEC, cases[i].addr, &af, &a);
		is_int(ivb_addr_is_unicast(af, &a), cases[i].unicast, "%s unicast", cases[i].addr);
		is_int(ivb_addr_is_loopback(af, &a), cases[i].loopback, "%s loopback",
		       cases[i].addr);
	}
}

static void test_num(void)
{
	static const struct {
		const char *in;
		__u32 min, max;
		int r;
		__u32 value;
	} cases[] = {
		{ "0", 0, 10, 0, 0 },
		{ "007", 0, 10, 0, 7 },
		{ "4294967295", 0, ~0u, 0, ~0u },
		{ "4294967296", 0, ~0u, -ERANGE, 0 },
		{ "18446744073709551616", 0, ~0u, -ERANGE, 0 },
		{ "99999999999999999999999999", 0, ~0u, -ERANGE, 0 },
		{ "11", 0, 10, -ERANGE, 0 },
		{ "1", 2, 10, -ERANGE, 0 },
		{ "", 0, 10, -EINVAL, 0 },
		{ "-1", 0, 10, -EINVAL, 0 },
		{ "+1", 0, 10, -EINVAL, 0 },
		{ " 1", 0, 10, -EINVAL, 0 },
		{ "1 ", 0, 10, -EINVAL, 0 },
		{ "0x1", 0, 10, -EINVAL, 0 },
		{ "1e1", 0, 10, -EINVAL, 0 },
	};
	__u32 lo, hi;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u32 v = 0;

		is_int(ivb_num_u32_parse(&v, cases[i].in, cases[i].min, cases[i].max), cases[i].r,
		       "number '%s'", cases[i].in);
		ok(v == cases[i].value, "number '%s': value", cases[i].in);
	}
	ok(!ivb_num_range_parse(&lo, &hi, "1024-65535", 1, 65535) && lo == 1024 && hi == 65535,
	   "range");
	ok(!ivb_num_range_parse(&lo, &hi, "80", 1, 65535) && lo == 80 && hi == 80, "range of one");
	is_int(ivb_num_range_parse(&lo, &hi, "90-80", 1, 65535), -EINVAL, "range backwards");
	is_int(ivb_num_range_parse(&lo, &hi, "80-", 1, 65535), -EINVAL, "range without end");
	is_int(ivb_num_range_parse(&lo, &hi, "-80", 1, 65535), -EINVAL, "range without start");
	is_int(ivb_num_range_parse(&lo, &hi, "0-80", 1, 65535), -ERANGE, "range from too low");
	is_int(ivb_num_range_parse(&lo, &hi, "1-2-3", 1, 65535), -EINVAL, "range of three");
}

int main(void)
{
	test_addr();
	test_addrport();
	test_prefix();
	test_kinds();
	test_num();
	return done_testing();
}
