/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local ports, from /proc. */
#include "dp/setup/ports_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

/* As /proc/net/tcp has them. */
#define TCP_TIME_WAIT_STATE 0x06
#define TCP_LISTEN_STATE 0x0a

static void add(struct ivb_port_set *s, __u32 lo, __u32 hi)
{
	for (; lo <= hi && lo < 65536; lo++)
		s->word[lo / 64] |= 1ull << (lo % 64);
}

/* Whether SNAT may use the address of a line of those files; if none was given, any. */
static bool is_source(const struct ivb_config *cfg, const char *text)
{
	union ivb_addr a = { 0 };
	bool v6 = strlen(text) == 32;
	__u32 i;

	if (sscanf(text, "%8x%8x%8x%8x", &a.ip6[0], &a.ip6[1], &a.ip6[2], &a.ip6[3]) < 1)
		return false;
	/* IPv4 by a socket of IPv6 */
	if (v6 && !a.ip6[0] && !a.ip6[1] && a.ip6[2] == htonl(0xffff)) {
		v6 = false;
		a = (union ivb_addr){ .ip = a.ip6[3] };
	}
	for (i = 0; i < cfg->num_snat_addrs[v6]; i++) {
		if (!memcmp(&a, &cfg->snat_addrs[v6][i], sizeof(a)))
			return true;
	}
	return !cfg->num_snat_addrs[v6];
}

void ivb_ports_parse_table(struct ivb_port_set *s, FILE *f, bool tcp, const struct ivb_config *cfg)
{
	unsigned int port, state;
	char line[512], addr[33];

	while (fgets(line, sizeof(line), f)) {
		/* "  0: 0100007F:0277 00000000:0000 0A ..." */
		if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", addr, &port,
			   &state) != 3 ||
		    port > 65535)
			continue;
		if (!tcp || state == TCP_LISTEN_STATE ||
		    (state != TCP_TIME_WAIT_STATE && is_source(cfg, addr)))
			add(s, port, port);
	}
}

/* A table that the kernel does not have (no IPv6, say) has no sockets. */
static int add_table(struct ivb_port_set *s, const char *path, bool tcp,
		     const struct ivb_config *cfg, struct ivb_err *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	if (!f && errno == ENOENT)
		return 0;
	if (!f)
		return ivb_err(err, -errno, "cannot read %s: %m", path);
	ivb_ports_parse_table(s, f, tcp, cfg);
	return ferror(f) ? ivb_err(err, -EIO, "cannot read %s", path) : 0;
}

int ivb_ports_add_bound(struct ivb_port_set *s, const struct ivb_config *cfg, struct ivb_err *err)
{
	int r = add_table(s, "/proc/net/tcp", true, cfg, err);

	if (!r)
		r = add_table(s, "/proc/net/tcp6", true, cfg, err);
	if (!r)
		r = add_table(s, "/proc/net/udp", false, cfg, err);
	return r ? r : add_table(s, "/proc/net/udp6", false, cfg, err);
}

int ivb_ports_parse_reserved(struct ivb_port_set *s, char *text)
{
	char *save = NULL, *word;
	unsigned int lo, hi;

	for (word = strtok_r(text, ",\n", &save); word; word = strtok_r(NULL, ",\n", &save)) {
		int n = sscanf(word, "%u-%u", &lo, &hi);

		if (n < 1 || lo > 65535 || (n == 2 && hi > 65535))
			return -EINVAL;
		add(s, lo, n == 2 ? hi : lo);
	}
	return 0;
}

int ivb_ports_add_range(struct ivb_port_set *s, struct ivb_err *err)
{
	static const char *const path = "/proc/sys/net/ipv4/ip_local_port_range";
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	unsigned int lo, hi;

	if (!f || fscanf(f, "%u %u", &lo, &hi) != 2)
		return ivb_err(err, -EIO, "cannot read %s", path);
	add(s, lo, hi);
	return 0;
}

int ivb_ports_add_reserved(struct ivb_port_set *s, struct ivb_err *err)
{
	static const char *const path = "/proc/sys/net/ipv4/ip_local_reserved_ports";
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	if (!f || (getline(&text, &size, f) < 0 && ferror(f)))
		return ivb_err(err, -EIO, "cannot read %s", path);
	if (text && ivb_ports_parse_reserved(s, text))
		return ivb_err(err, -EINVAL, "cannot understand %s", path);
	return 0;
}
