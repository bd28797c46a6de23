/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends the packets that standard input describes, one a line, as they are said to be:
 *   raw DEV DSTMAC
 *   SRC SPORT DST DPORT FLAGS SEQ LENGTH     FLAGS: of FSRPA, - for none, U for UDP
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "pkt.h"

static uint8_t flags_of(const char *letters)
{
	static const char all[] = "FSRPA";
	uint8_t flags = 0;

	for (int i = 0; all[i]; i++)
		flags |= !!strchr(letters, all[i]) << i;
	return flags;
}

static int send_line(int fd, const char *line, struct pkt_spec spec)
{
	char src[64], dst[64], flags[8];
	static struct pkt pkt;

	if (sscanf(line, "%63s %hu %63s %hu %7s %u %zu", src, &spec.sport, dst, &spec.dport, flags,
		   &spec.seq, &spec.payload_len) != 7)
		return -1;
	spec.af = strchr(src, ':') ? AF_INET6 : AF_INET;
	spec.src = pkt_addr(src);
	spec.dst = pkt_addr(dst);
	spec.ttl = 64;
	spec.proto = flags[0] == 'U' ? IPPROTO_UDP : IPPROTO_TCP;
	spec.flags = flags_of(flags);
	spec.ack = spec.flags & TCP_ACK ? 1 : 0;
	pkt_build(&pkt, &spec);
	return send(fd, pkt.data, pkt.len, 0) == (ssize_t)pkt.len ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct pkt_spec spec = { 0 };
	struct ether_addr *mac;
	struct ifreq ifr = { 0 };
	char line[256];
	int fd;

	if (argc != 3 || !(mac = ether_aton(argv[2])))
		return fputs("usage: raw DEV DSTMAC\n", stderr), 2;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	ll.sll_ifindex = if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) || bind(fd, (void *)&ll, sizeof(ll)))
		return perror("raw"), 1;
	memcpy(spec.dmac, mac, 6);
	memcpy(spec.smac, ifr.ifr_hwaddr.sa_data, 6);
	while (fgets(line, sizeof(line), stdin)) {
		if (send_line(fd, line, spec))
			return fprintf(stderr, "raw: cannot send: %s", line), 1;
	}
	return 0;
}
