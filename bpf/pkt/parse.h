/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the headers of an Ethernet frame that holds IPv4 or IPv6: no context, no maps; also
 * compiled natively. Nothing is believed that lies outside of the frame or of the IP packet's own
 * length.
 */
#ifndef IVB_PKT_PARSE_H
#define IVB_PKT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#ifndef AF_INET
#define AF_INET 2
#define AF_INET6 10
#endif

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define IPV6_EXT_MAX 6 /* extension headers gone through */
/* The transport header starts below this offset, or the packet is not ours. */
#define IVB_L4_OFF_MAX 320
#define IVB_HEADERS_MAX (IVB_L4_OFF_MAX + 20)

/* linux/ipv6.h keeps the numbers of the extension headers to the kernel (RFC 8200, RFC 4303). */
enum { NEXTHDR_HOP = 0, NEXTHDR_ROUTING = 43, NEXTHDR_FRAGMENT = 44, NEXTHDR_DEST = 60 };

/* What a parser may answer. */
enum ivb_parse {
	IVB_PARSE_OK,
	IVB_PARSE_OTHER,     /* a protocol that we do not carry */
	IVB_PARSE_SHORT,     /* the headers go on behind end: need bytes must be there at least */
	IVB_PARSE_MALFORMED, /* lengths that do not fit each other */
};

enum ivb_pkt_flags {
	IVB_PKT_FRAGMENT = 1 << 0,	/* of a fragmented datagram, first or later */
	IVB_PKT_LATER = 1 << 1,		/* not the first: no transport header, no ports */
	IVB_PKT_SOURCE_ROUTE = 1 << 2,	/* LSRR, SSRR; IPv6 routing header with segments left */
	IVB_PKT_DONT_FRAGMENT = 1 << 3, /* IPv4 DF */
	IVB_PKT_SLOW = 1 << 4, /* not the parser's: the first fragment went to kernel IPVS */
};

struct ivb_pkt {
	__u32 flags;  /* enum ivb_pkt_flags */
	__u32 l4_off; /* of the transport header, from the start of the frame */
	__u32 l3_len; /* of the IP packet as its header says; 64 kB and more: as the frame is */
	__u32 need;   /* IVB_PARSE_SHORT: bytes before end; IVB_HEADERS_MAX is always enough */
	__be32 frag_id;
	union {
		struct {
			__be16 sport; /* TCP and UDP */
			__be16 dport;
		};
		__u32 ports; /* both, as they stand in the packet */
	};
	__u8 proto;	 /* transport protocol */
	__u8 frag_proto; /* protocol as every fragment of the datagram has it */
	__u8 ttl;	 /* or hop limit */
	__u8 tcp_flags;	 /* or the ICMP type */
	__u8 l4_len;	 /* of the transport header: with TCP's options */
};

struct ivb_ip6_ext {
	__u8 nexthdr;
	__u8 len; /* in 8 bytes, the first 8 not counted */
	__u8 type;
	__u8 left; /* routing: segments left */
};

struct ivb_ip6_frag {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset; /* 13 bits offset, 2 reserved, M */
	__be32 id;
};

/*
 * The transport header at p->l4_off; l3_end is where the IP packet ends in the frame. Of a packet
 * quoted in an ICMP error no more than 8 bytes of it need to be there (RFC 792).
 */
static __always_inline int parse_l4(void *data, void *end, __u32 l3_end, const int af,
				    const bool quoted, struct ivb_pkt *p)
{
	const bool tcp = p->proto == IPPROTO_TCP;
	__u32 off = p->l4_off,
	      size = tcp && !quoted ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	__u8 *l4;

	if (!tcp && p->proto != IPPROTO_UDP &&
	    p->proto != (af == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return IVB_PARSE_OTHER;
	if (p->flags & IVB_PKT_LATER)
		return IVB_PARSE_OK;
	if (off + size > l3_end || off > IVB_L4_OFF_MAX)
		return IVB_PARSE_MALFORMED;
	p->need = off + size;
	p->l4_len = size;
	l4 = (__u8 *)data + off;
	if ((void *)(l4 + sizeof(struct udphdr)) > end)
		return IVB_PARSE_SHORT;
	if (!tcp && p->proto != IPPROTO_UDP) {
		p->tcp_flags = l4[0];
		return IVB_PARSE_OK;
	}
	p->ports = *(__u32 *)l4;
	if (tcp && !quoted) {
		if ((void *)(l4 + sizeof(struct tcphdr)) > end)
			return IVB_PARSE_SHORT;
		p->tcp_flags = l4[13];
		p->l4_len = (l4[12] >> 4) * 4;
	}
	return IVB_PARSE_OK;
}

/*
 * Whether the options (40 bytes at most) ask for a source route; -1: the list is broken. Reads one
 * byte beyond them. Two things are hidden from clang: which register was compared with the end
 * (clang 14, all kernels, "R4 offset is outside of the packet"), and that the step has two cases,
 * since a branch here makes 40 x 40 paths.
 */
static __always_inline int ipv4_source_route(const __u8 *opt, const void *end, __u32 len)
{
	__u32 i = 0, n;

	for (n = 0; n < 40 && i < len && i < 40; n++) {
		const __u8 *o = opt + i;
		__u64 nop;

		asm volatile("" : "+r"(o));
		if ((const void *)(o + 2) > end)
			return -1;
		if (o[0] == 0) /* end of list */
			return 0;
		if (o[0] == 131 || o[0] == 137) /* LSRR, SSRR */
			return 1;
		nop = ((__u64)(o[0] ^ 1) - 1) >> 63; /* no operation: a single byte */
		asm volatile("" : "+r"(nop));
		if (o[1] + nop * 2 < 2)
			return -1;
		i += nop + o[1] * (1 - nop);
	}
	return i > len ? -1 : 0;
}

/* len: the frame's, as the packet has it (data..end may be only the linear part of it). */
static __always_inline int parse_ipv4(void *data, void *end, __u32 len, const bool quoted,
				      struct ivb_pkt *p)
{
	struct iphdr *ip = (void *)((char *)data + ETH_HLEN);
	__u32 hlen, l3_end;
	__u16 frag;
	int r;

	p->need = ETH_HLEN + sizeof(*ip);
	if ((void *)(ip + 1) > end)
		return len < p->need ? IVB_PARSE_MALFORMED : IVB_PARSE_SHORT;
	hlen = ip->ihl * 4;
	if (ip->version != 4 || hlen < sizeof(*ip))
		return IVB_PARSE_MALFORMED;
	/* A total length of 0 is a GSO packet of more than 64 kB (BIG TCP). */
	l3_end = ip->tot_len ? ETH_HLEN + bpf_ntohs(ip->tot_len) : len;
	if ((!quoted && l3_end > len) || l3_end < ETH_HLEN + hlen)
		return IVB_PARSE_MALFORMED;
	p->l3_len = l3_end - ETH_HLEN;
	p->proto = p->frag_proto = ip->protocol;
	p->ttl = ip->ttl;
	p->l4_off = ETH_HLEN + hlen;
	frag = bpf_ntohs(ip->frag_off);
	if (frag & 0x4000)
		p->flags |= IVB_PKT_DONT_FRAGMENT;
	if (frag & 0x3fff) {
		p->flags |= IVB_PKT_FRAGMENT;
		p->frag_id = ip->id;
		if (frag & 0x1fff)
			p->flags |= IVB_PKT_LATER;
	}
	if (hlen > sizeof(*ip) && !quoted) {
		p->need = ETH_HLEN + hlen + 1;
		if ((char *)data + ETH_HLEN + hlen + 1 > (char *)end)
			return len < p->need ? IVB_PARSE_MALFORMED : IVB_PARSE_SHORT;
		r = ipv4_source_route((__u8 *)(ip + 1), end, hlen - sizeof(*ip));
		if (r < 0)
			return IVB_PARSE_MALFORMED;
		if (r)
			p->flags |= IVB_PKT_SOURCE_ROUTE;
	}
	return parse_l4(data, end, l3_end, AF_INET, quoted, p);
}

static __always_inline bool ipv6_is_ext(__u8 next)
{
	return next == NEXTHDR_HOP || next == NEXTHDR_ROUTING || next == NEXTHDR_DEST ||
	       next == NEXTHDR_FRAGMENT;
}

/*
 * Steps over one extension header; 1: it was the last, or a fragment's end of what can be read.
 * What has been found so far lives in *p, read and written there each time: in registers the
 * verifier follows every combination of headers (70,000 instructions of its own for that).
 */
static __always_inline int ipv6_step(void *data, void *end, volatile struct ivb_pkt *p)
{
	__u32 off = p->l4_off;
	__u8 next = p->proto;
	struct ivb_ip6_ext *ext;
	struct ivb_ip6_frag *frag;

	if (!ipv6_is_ext(next))
		return 1;
	if (off > IVB_L4_OFF_MAX)
		return -IVB_PARSE_MALFORMED;
	ext = (void *)((char *)data + off);
	frag = (void *)ext;
	if ((void *)(frag + 1) > end) { /* all of them are at least 8 bytes */
		p->need = off + sizeof(*frag);
		return -IVB_PARSE_SHORT;
	}
	if (next == NEXTHDR_FRAGMENT) {
		__u16 offset = bpf_ntohs(frag->offset);

		p->proto = frag->nexthdr;
		p->l4_off = off + sizeof(*frag);
		if (!(offset & 0xfff9)) /* an atomic fragment (RFC 6946) */
			return 0;
		p->flags |= IVB_PKT_FRAGMENT;
		p->frag_id = frag->id;
		p->frag_proto = frag->nexthdr;
		if (!(offset & 0xfff8))
			return 0;
		p->flags |= IVB_PKT_LATER;
		return 1;
	}
	if (next == NEXTHDR_ROUTING && ext->left)
		p->flags |= IVB_PKT_SOURCE_ROUTE;
	p->proto = ext->nexthdr;
	p->l4_off = off + (ext->len + 1) * 8;
	return 0;
}

/* Steps over all extension headers, to the transport header. */
static __always_inline int ipv6_skip(void *data, void *end, __u32 l3_end, struct ivb_pkt *p)
{
	volatile struct ivb_pkt *v = p;
	__u32 off, i;
	int r;

	for (i = 0; i < IPV6_EXT_MAX; i++) {
		r = ipv6_step(data, end, v);
		off = v->l4_off;
		if (r < 0)
			return off + 8 > l3_end ? IVB_PARSE_MALFORMED : -r;
		if (off > l3_end || off > IVB_L4_OFF_MAX)
			return IVB_PARSE_MALFORMED;
		if (r)
			return IVB_PARSE_OK;
	}
	return ipv6_is_ext(v->proto) ? IVB_PARSE_OTHER : IVB_PARSE_OK;
}

static __always_inline int parse_ipv6(void *data, void *end, __u32 len, const bool quoted,
				      struct ivb_pkt *p)
{
	struct ipv6hdr *ip6 = (void *)((char *)data + ETH_HLEN);
	const __u32 off = ETH_HLEN + sizeof(*ip6);
	__u32 l3_end;
	int r;

	p->need = off;
	if ((void *)(ip6 + 1) > end)
		return len < off ? IVB_PARSE_MALFORMED : IVB_PARSE_SHORT;
	if (ip6->version != 6)
		return IVB_PARSE_MALFORMED;
	/* A payload length of 0 is a jumbogram, which is how GSO packets of more than 64 kB look.
	 */
	l3_end = ip6->payload_len ? off + bpf_ntohs(ip6->payload_len) : len;
	if (!quoted && l3_end > len)
		return IVB_PARSE_MALFORMED;
	p->l3_len = l3_end - ETH_HLEN;
	p->ttl = ip6->hop_limit;
	p->proto = p->frag_proto = ip6->nexthdr;
	p->l4_off = off;
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP) {
		r = ipv6_skip(data, end, l3_end, p);
		if (r)
			return r;
	}
	if (p->flags & IVB_PKT_LATER && p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return IVB_PARSE_OTHER;
	return parse_l4(data, end, l3_end, AF_INET6, quoted, p);
}

/*
 * data is where the Ethernet header starts, or, for a packet quoted in an ICMP error, would start:
 * 14 bytes before the IP header. *p must be zeroed. Returns an enum ivb_parse.
 */
static __always_inline int ivb_parse(void *data, void *end, __u32 len, const int af,
				     const bool quoted, struct ivb_pkt *p)
{
	return af == AF_INET ? parse_ipv4(data, end, len, quoted, p)
			     : parse_ipv6(data, end, len, quoted, p);
}

/*
 * The same for what nearly every packet is: IPv4 without options and not a fragment, IPv6 without
 * extension headers, TCP or UDP, headers within reach. False: ask ivb_parse(). *p must be zeroed.
 */
static __always_inline bool ivb_parse_plain(void *data, void *end, __u32 len, const int af,
					    struct ivb_pkt *p)
{
	const __u32 l4_off =
		ETH_HLEN + (af == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	struct iphdr *ip = (void *)((char *)data + ETH_HLEN);
	struct ipv6hdr *ip6 = (void *)ip;
	__u8 *l4;

	if ((char *)data + l4_off > (char *)end)
		return false;
	if (af == AF_INET) {
		if (*(__u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x3fff))
			return false;
		p->proto = ip->protocol;
		p->ttl = ip->ttl;
		p->l3_len = bpf_ntohs(ip->tot_len);
		if (ip->frag_off & bpf_htons(0x4000))
			p->flags = IVB_PKT_DONT_FRAGMENT;
	} else {
		p->proto = ip6->nexthdr;
		p->ttl = ip6->hop_limit;
		p->l3_len = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
		if (ip6->version != 6 || !ip6->payload_len)
			return false;
	}
	p->l4_off = l4_off;
	l4 = (__u8 *)data + l4_off;
	if (p->l3_len + ETH_HLEN > len || (void *)(l4 + sizeof(struct udphdr)) > end)
		return false;
	p->ports = *(__u32 *)l4;
	if (p->proto == IPPROTO_UDP) {
		p->l4_len = sizeof(struct udphdr);
		return p->l3_len >= l4_off - ETH_HLEN + sizeof(struct udphdr);
	}
	if (p->proto != IPPROTO_TCP || p->l3_len < l4_off - ETH_HLEN + sizeof(struct tcphdr) ||
	    (void *)(l4 + sizeof(struct tcphdr)) > end)
		return false;
	p->tcp_flags = l4[13];
	p->l4_len = (l4[12] >> 4) * 4;
	return true;
}

#endif
