/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses as text: numeric and strict (no host names, no "10.1" for 10.0.0.1, no blanks).
 * Addresses and ports are in network byte order; IPv4 fills the first word and zeroes the rest.
 */
#ifndef IVB_BASE_ADDR_H
#define IVB_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include <ivb/abi.h>

#define IVB_ADDR_LEN 48	    /* the longest address and a NUL */
#define IVB_ADDRPORT_LEN 56 /* "[address]:65535" and a NUL */

/* "10.0.0.1", "fd00::1" or "[fd00::1]"; af AF_UNSPEC takes either family. -EINVAL otherwise. */
int ivb_addr_parse(int af, const char *s, __u8 *ret_af, union ivb_addr *ret);

/*
 * "10.0.0.1:80", "[fd00::1]:80", or an address alone: then *ret_port is 0 and *ret_has_port false.
 * A port follows an IPv6 address only in brackets. -EINVAL otherwise.
 */
int ivb_addrport_parse(const char *s, __u8 *ret_af, union ivb_addr *ret, __be16 *ret_port,
		       bool *ret_has_port);

/*
 * "10.0.0.0/8", or an address alone (a full-length prefix). -EINVAL: malformed;
 * -ERANGE: the length is too long; -EBADMSG: bits are set beyond the length.
 */
int ivb_addr_prefix_parse(const char *s, __u8 *ret_af, union ivb_addr *ret, __u32 *ret_len);

/* Write at most size bytes and return buf. */
char *ivb_addr_fmt(char *buf, size_t size, int af, const union ivb_addr *a);
char *ivb_addrport_fmt(char *buf, size_t size, int af, const union ivb_addr *a, __be16 port);

bool ivb_addr_equal(const union ivb_addr *a, const union ivb_addr *b);
bool ivb_addr_is_zero(const union ivb_addr *a);
/* A server can have it, as the kernel sees it: one host, and in IPv6 of more than the link. */
bool ivb_addr_is_unicast(int af, const union ivb_addr *a);
bool ivb_addr_is_loopback(int af, const union ivb_addr *a);

#endif
