/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood of first packets, each from a source of its own: SYN, or datagrams of one byte.
 *   flood [-u] [-o FIRST] [-r PACKETS_PER_SECOND] DEV DSTMAC ADDRESS PORT COUNT
 * Sources are 10.9.0.0/16 or fd09::/16 and ports from 1024; all COUNT are different, and others with
 * another FIRST. Prints the
 * rate.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FRAME 80
#ifndef PACKET_QDISC_BYPASS
#define PACKET_QDISC_BYPASS 20
#endif

static struct {
	int proto, af, rate;
	uint32_t first;
	uint16_t port;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} to;
	struct ether_header eth;
} opt = { .proto = IPPROTO_TCP };

static uint32_t sum(uint32_t s, const void *data, size_t len)
{
	const uint16_t *p = data;

	for (; len > 1; len -= 2)
		s += *p++;
	return len ? s + *(const uint8_t *)p : s;
}

static uint16_t fold(uint32_t s)
{
	s = (s >> 16) + (s & 0xffff);
	return ~(s + (s >> 16));
}

/* The transport header and what its checksum says, given the sum of the addresses. */
static size_t transport(uint8_t *at, uint16_t sport, uint32_t addrs)
{
	struct tcphdr tcp = { .source = htons(sport),
			      .dest = opt.port,
			      .seq = htonl(sport * 7919u),
			      .doff = 5,
			      .syn = 1,
			      .window = htons(65535) };
	struct udphdr udp = { .source = htons(sport), .dest = opt.port, .len = htons(9) };
	size_t len = opt.proto == IPPROTO_TCP ? sizeof(tcp) : sizeof(udp) + 1;

	addrs += htons(opt.proto) + htons(len);
	if (opt.proto == IPPROTO_TCP) {
		tcp.check = fold(sum(addrs, &tcp, sizeof(tcp)));
		memcpy(at, &tcp, sizeof(tcp));
	} else {
		at[sizeof(udp)] = 0;
		udp.check = fold(sum(addrs, &udp, sizeof(udp)));
		memcpy(at, &udp, sizeof(udp));
	}
	return len;
}

/* The nth packet; returns its length. */
static size_t frame(uint8_t *at, uint32_t n)
{
	uint16_t sport = 1024 + n / 65536;
	uint8_t *l3 = at + sizeof(opt.eth);
	size_t len;

	memcpy(at, &opt.eth, sizeof(opt.eth));
	if (opt.af == AF_INET) {
		struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = opt.proto };

		ip.saddr = htonl(10u << 24 | 9u << 16 | (n & 0xffff));
		ip.daddr = opt.to.v4.s_addr;
		len = transport(l3 + sizeof(ip), sport, sum(sum(0, &ip.saddr, 4), &ip.daddr, 4));
		ip.tot_len = htons(sizeof(ip) + len);
		ip.check = fold(sum(0, &ip, sizeof(ip)));
		memcpy(l3, &ip, sizeof(ip));
		return sizeof(opt.eth) + sizeof(ip) + len;
	}
	struct ip6_hdr ip6 = { .ip6_flow = htonl(6u << 28),
			       .ip6_nxt = opt.proto,
			       .ip6_hlim = 64,
			       .ip6_dst = opt.to.v6 };

	ip6.ip6_src.s6_addr[0] = 0xfd;
	ip6.ip6_src.s6_addr[1] = 0x09;
	ip6.ip6_src.s6_addr[14] = n >> 8;
	ip6.ip6_src.s6_addr[15] = n;
	len = transport(l3 + sizeof(ip6), sport, sum(sum(0, &ip6.ip6_src, 16), &ip6.ip6_dst, 16));
	ip6.ip6_plen = htons(len);
	memcpy(l3, &ip6, sizeof(ip6));
	return sizeof(opt.eth) + sizeof(ip6) + len;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What the device takes no more of is sent again. */
static void send_all(int fd, uint32_t count)
{
	static uint8_t frames[BATCH][FRAME];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	uint32_t n = 0, i, batch;
	double begun = now();
	int sent;

	while (n < count) {
		batch = count - n < BATCH ? count - n : BATCH;
		for (i = 0; i < batch; i++) {
			iov[i] = (struct iovec){ frames[i], frame(frames[i], opt.first + n + i) };
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		sent = sendmmsg(fd, msgs, batch, 0);
		n += sent > 0 ? sent : 0;
		while (opt.rate && now() - begun < (double)n / opt.rate)
			usleep(100);
	}
	printf("%u packets, %.0f a second\n", n, n / (now() - begun));
}

int main(int argc, char **argv)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct ifreq ifr = { 0 };
	struct ether_addr *mac;
	int c, fd, on = 1;

	while ((c = getopt(argc, argv, "uo:r:")) != -1) {
		if (c == 'u')
			opt.proto = IPPROTO_UDP;
		else if (c == 'o')
			opt.first = strtoul(optarg, NULL, 10);
		else if (c == 'r')
			opt.rate = atoi(optarg);
		else
			return 2;
	}
	argv += optind;
	if (argc - optind != 5 || !(mac = ether_aton(argv[1])))
		return fputs("usage: flood [-u] [-o FIRST] [-r RATE] DEV DSTMAC ADDRESS PORT COUNT\n", stderr),
		       2;
	opt.af = strchr(argv[2], ':') ? AF_INET6 : AF_INET;
	opt.port = htons(atoi(argv[3]));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[0]);
	ll.sll_ifindex = if_nametoindex(argv[0]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (inet_pton(opt.af, argv[2], &opt.to) != 1 || fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) ||
	    bind(fd, (void *)&ll, sizeof(ll)))
		return perror("flood"), 1;
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	memcpy(opt.eth.ether_dhost, mac, 6);
	memcpy(opt.eth.ether_shost, ifr.ifr_hwaddr.sa_data, 6);
	opt.eth.ether_type = htons(opt.af == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	send_all(fd, strtoul(argv[4], NULL, 10));
	return 0;
}
