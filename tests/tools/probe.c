/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends one raw frame with an IP packet and prints the IP packets that come back to its source,
 * whatever the host's own stack thinks of them: what traceroute, scanners and forgers see.
 *   probe [options] DEV DSTMAC SRC DST       (DSTMAC: or "-": send nothing, only listen)
 * Exit status 0: something came back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* linux/ipv6.h and netinet/in.h do not go together */
struct ip6 {
	__be32 flow;
	__be16 len;
	__u8 next, hops;
	struct in6_addr saddr, daddr;
};

static struct {
	int proto, sport, dport, ttl, length, df, vlan, wait_ms, count, id;
	const char *flags;
	__u32 seq, ack;
	int bad_sum, lsrr;
} opt = { .proto = IPPROTO_TCP,
	  .sport = 4000,
	  .dport = 80,
	  .ttl = 64,
	  .wait_ms = 300,
	  .count = 1,
	  .flags = "S",
	  .seq = 1000 };

static __u32 sum_add(__u32 sum, const void *data, size_t len)
{
	const __u8 *p = data;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static __be16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* Of a transport header and its data; addresses are len bytes each. */
static __be16 l4_sum(const void *saddr, const void *daddr, size_t alen, int proto, const void *l4,
		     size_t len)
{
	__u32 sum = sum_add(sum_add(0, saddr, alen), daddr, alen);

	return sum_fold(sum_add(sum + proto + len, l4, len));
}

static size_t put_l4(__u8 *p, int v6)
{
	struct tcphdr *th = (void *)p;
	struct udphdr *uh = (void *)p;
	size_t head;

	if (opt.proto == IPPROTO_TCP) {
		*th = (struct tcphdr){ .source = htons(opt.sport),
				       .dest = htons(opt.dport),
				       .doff = 5,
				       .seq = htonl(opt.seq),
				       .ack_seq = htonl(opt.ack),
				       .window = htons(65000),
				       .syn = !!strchr(opt.flags, 'S'),
				       .ack = !!strchr(opt.flags, 'A'),
				       .fin = !!strchr(opt.flags, 'F'),
				       .rst = !!strchr(opt.flags, 'R'),
				       .psh = !!strchr(opt.flags, 'P') };
		head = sizeof(*th);
	} else if (opt.proto == IPPROTO_UDP) {
		*uh = (struct udphdr){ .source = htons(opt.sport),
				       .dest = htons(opt.dport),
				       .len = htons(sizeof(*uh) + opt.length) };
		head = sizeof(*uh);
	} else { /* echo request */
		memcpy(p, v6 ? "\x80\0\0\0\0\1\0\1" : "\x08\0\0\0\0\1\0\1", 8);
		head = 8;
	}
	memset(p + head, 'x', opt.length);
	return head + opt.length;
}

static void set_l4_sum(__u8 *p, __be16 sum)
{
	size_t at = opt.proto == IPPROTO_TCP ? 16 : opt.proto == IPPROTO_UDP ? 6 : 2;

	if (opt.bad_sum)
		sum = ~sum;
	memcpy(p + at, &sum, sizeof(sum));
}

static size_t put_v4(__u8 *p, const char *src, const char *dst)
{
	static const __u8 lsrr[8] = {
		0x83, 7, 4, 10, 99, 99, 99, 0
	}; /* via 10.99.99.99, and end of list */
	size_t hlen = sizeof(struct iphdr) + (opt.lsrr ? sizeof(lsrr) : 0);
	size_t len = put_l4(p + hlen, 0);
	struct iphdr *ip = (void *)p;

	*ip = (struct iphdr){ .version = 4,
			      .ihl = hlen / 4,
			      .ttl = opt.ttl,
			      .protocol = opt.proto,
			      .tot_len = htons(hlen + len),
			      .frag_off = htons(opt.df ? 0x4000 : 0),
			      .id = htons(opt.id) };
	if (opt.lsrr)
		memcpy(ip + 1, lsrr, sizeof(lsrr));
	inet_pton(AF_INET, src, &ip->saddr);
	inet_pton(AF_INET, dst, &ip->daddr);
	ip->check = sum_fold(sum_add(0, ip, hlen));
	if (opt.proto == IPPROTO_ICMP)
		set_l4_sum(p + hlen, sum_fold(sum_add(0, p + hlen, len)));
	else
		set_l4_sum(p + hlen, l4_sum(&ip->saddr, &ip->daddr, 4, opt.proto, p + hlen, len));
	return hlen + len;
}

static size_t put_v6(__u8 *p, const char *src, const char *dst)
{
	struct ip6 *ip = (void *)p;
	int proto = opt.proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : opt.proto;
	size_t len = put_l4(p + sizeof(*ip), 1);

	*ip = (struct ip6){
		.flow = htonl(6u << 28), .len = htons(len), .next = proto, .hops = opt.ttl
	};
	inet_pton(AF_INET6, src, &ip->saddr);
	inet_pton(AF_INET6, dst, &ip->daddr);
	set_l4_sum(p + sizeof(*ip),
		   l4_sum(&ip->saddr, &ip->daddr, 16, proto, p + sizeof(*ip), len));
	return sizeof(*ip) + len;
}

static const char *proto_name(int proto)
{
	static char num[8];

	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	snprintf(num, sizeof(num), "%d", proto);
	return num;
}

struct packet {
	int v6, proto, ttl;
	const __u8 *l4;
	size_t l4_len, alen;
	const void *saddr, *daddr;
};

/* Extension headers and fragments are not expected in what comes back. */
static int parse(const __u8 *p, size_t len, struct packet *k)
{
	const struct iphdr *ip = (const void *)p;
	const struct ip6 *ip6 = (const void *)p;
	size_t hlen;

	if (len >= sizeof(*ip6) && ip->version == 6) {
		*k = (struct packet){
			1,  ip6->next,	 ip6->hops,  p + sizeof(*ip6), len - sizeof(*ip6),
			16, &ip6->saddr, &ip6->daddr
		};
		return 0;
	}
	hlen = ip->ihl * 4;
	if (len < sizeof(*ip) || ip->version != 4 || len < hlen)
		return -1;
	if (ntohs(ip->tot_len) < len)
		len = ntohs(ip->tot_len);
	*k = (struct packet){ 0, ip->protocol, ip->ttl,	  p + hlen, len - hlen,
			      4, &ip->saddr,   &ip->daddr };
	return 0;
}

static void print_addrs(const struct packet *k)
{
	char s[INET6_ADDRSTRLEN], d[INET6_ADDRSTRLEN];
	int af = k->v6 ? AF_INET6 : AF_INET;

	inet_ntop(af, k->saddr, s, sizeof(s));
	inet_ntop(af, k->daddr, d, sizeof(d));
	printf("%s ", proto_name(k->proto));
	if ((k->proto == IPPROTO_TCP || k->proto == IPPROTO_UDP) && k->l4_len >= 4)
		printf("%s %u > %s %u", s, k->l4[0] << 8 | k->l4[1], d, k->l4[2] << 8 | k->l4[3]);
	else
		printf("%s > %s", s, d);
}

static int sum_is_wrong(const struct packet *k)
{
	if (k->proto == IPPROTO_ICMP)
		return sum_fold(sum_add(0, k->l4, k->l4_len));
	return l4_sum(k->saddr, k->daddr, k->alen, k->proto, k->l4, k->l4_len);
}

static void print_packet(const struct packet *k, int sum_ready)
{
	const struct tcphdr *th = (const void *)k->l4;
	struct packet quote;

	print_addrs(k);
	if (k->proto == IPPROTO_TCP && k->l4_len >= sizeof(*th))
		printf(" %s%s%s%s%s seq %u ack %u", th->syn ? "S" : "", th->fin ? "F" : "",
		       th->rst ? "R" : "", th->psh ? "P" : "", th->ack ? "A" : "", ntohl(th->seq),
		       ntohl(th->ack_seq));
	if ((k->proto == IPPROTO_ICMP || k->proto == IPPROTO_ICMPV6) && k->l4_len >= 8) {
		printf(" type %u code %u mtu %u", k->l4[0], k->l4[1],
		       k->v6 ? ntohl(*(const __be32 *)(k->l4 + 4))
			     : ntohs(*(const __be16 *)(k->l4 + 6)));
		if (!parse(k->l4 + 8, k->l4_len - 8, &quote) && k->l4[0] != 0 && k->l4[0] != 129) {
			printf(" quote ");
			print_addrs(&quote);
		}
	}
	printf(" ttl %d length %zu%s\n", k->ttl, k->l4_len,
	       sum_ready && sum_is_wrong(k) ? " BAD CHECKSUM" : "");
}

/* Reads one packet; prints it if it is for src. Returns whether it was. */
static int receive(int fd, const char *src)
{
	static __u8 buf[70000];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, 0);
	struct in6_addr want;
	struct packet k;
	int ready = 1;

	if (n < (ssize_t)sizeof(struct iphdr) || from.sll_pkttype == PACKET_OUTGOING ||
	    parse(buf, n, &k))
		return 0;
	if (inet_pton(k.v6 ? AF_INET6 : AF_INET, src, &want) != 1 || memcmp(&want, k.daddr, k.alen))
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			ready = !(((struct tpacket_auxdata *)CMSG_DATA(c))->tp_status &
				  TP_STATUS_CSUMNOTREADY);
	print_packet(&k, ready);
	return 1;
}

static int open_packet(const char *dev, struct sockaddr_ll *to)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), on = 1;

	*to = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = if_nametoindex(dev) };
	if (fd < 0 || !to->sll_ifindex || bind(fd, (struct sockaddr *)to, sizeof(*to)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on))) {
		fprintf(stderr, "probe: %s: %s\n", dev, strerror(errno));
		exit(2);
	}
	return fd;
}

static void send_frame(const char *dev, const char *dmac, const char *src, const char *dst)
{
	static __u8 frame[70000];
	struct sockaddr_ll to;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), v6 = !!strchr(dst, ':');
	struct ether_addr *mac = ether_aton(dmac);
	struct ifreq ifr = { 0 };
	__u16 type = htons(v6 ? 0x86dd : 0x0800), tag[2] = { htons(0x8100), htons(opt.vlan) };
	__u8 *p = frame + 12;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (!mac || fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		fprintf(stderr, "probe: bad MAC '%s' or device '%s'\n", dmac, dev);
		exit(2);
	}
	memcpy(frame, mac, 6);
	memcpy(frame + 6, ifr.ifr_hwaddr.sa_data, 6);
	if (opt.vlan) {
		memcpy(p, tag, 4);
		p += 4;
	}
	memcpy(p, &type, 2);
	p += 2;
	p += v6 ? put_v6(p, src, dst) : put_v4(p, src, dst);
	to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(dev) };
	if (sendto(fd, frame, p - frame, 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
		fprintf(stderr, "probe: send: %s\n", strerror(errno));
		exit(2);
	}
	close(fd);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:s:d:t:l:v:w:n:f:q:a:i:DBL")) != -1) {
		switch (c) {
		case 'p':
			opt.proto = *optarg == 't'   ? IPPROTO_TCP
				    : *optarg == 'u' ? IPPROTO_UDP
						     : IPPROTO_ICMP;
			break;
		case 's':
			opt.sport = atoi(optarg);
			break;
		case 'd':
			opt.dport = atoi(optarg);
			break;
		case 't':
			opt.ttl = atoi(optarg);
			break;
		case 'l':
			opt.length = atoi(optarg);
			break;
		case 'v':
			opt.vlan = atoi(optarg);
			break;
		case 'w':
			opt.wait_ms = atoi(optarg);
			break;
		case 'n':
			opt.count = atoi(optarg);
			break;
		case 'f':
			opt.flags = optarg;
			break;
		case 'q':
			opt.seq = strtoul(optarg, NULL, 10);
			break;
		case 'a':
			opt.ack = strtoul(optarg, NULL, 10);
			break;
		case 'i':
			opt.id = atoi(optarg);
			break;
		case 'D':
			opt.df = 1;
			break;
		case 'B':
			opt.bad_sum = 1;
			break;
		case 'L':
			opt.lsrr = 1;
			break;
		default:
			optind = argc + 1;
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to;
	int fd, got = 0;
	long end;

	setvbuf(stdout, NULL, _IOLBF, 0);
	options(argc, argv);
	if (argc - optind != 4) {
		fputs("usage: probe [-p tcp|udp|icmp] [-s SPORT] [-d DPORT] [-f SAFRP] [-q SEQ] [-a ACK] [-t TTL]\n"
		      "  [-l LENGTH] [-v VLAN] [-i IPID] [-D(f)] [-B(ad checksum)] [-L(SRR)] [-n ANSWERS] [-w MS]\n"
		      "  DEV DSTMAC SRC DST\n",
		      stderr);
		return 2;
	}
	argv += optind;
	fd = open_packet(argv[0], &to);
	if (strcmp(argv[1], "-"))
		send_frame(argv[0], argv[1], argv[2], argv[3]);
	end = now_ms() + opt.wait_ms;
	while (got < opt.count && now_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, end - now_ms()) > 0)
			got += receive(fd, argv[2]);
	}
	return !got;
}
