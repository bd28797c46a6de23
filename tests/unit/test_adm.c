/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adm's command lines. The refusals' words and statuses are those that ipvsadm 1.31 gave for the
 * same lines on Debian 12, but for what is marked as ours.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "cli/adm/adm.h"
#include "tap.h"

#define SVC_ILLEGAL "illegal virtual server address[:port] specified"
#define DEST_ILLEGAL "illegal real server address[:port] specified"
#define TRY "Try `ipvs-bpf adm -h' or 'ipvs-bpf adm --help' for more information."
#define LATER " comes with a later version of ipvs-bpf"

/* Splits at blanks; '' is an empty word, and ~ stands for a blank. */
static int parse_line(struct ivb_adm *adm, const char *line, struct ivb_adm_error *err)
{
	static char buf[1024];
	char *argv[64] = { (char *)"adm" }, *word, *p;
	int argc = 1;

	snprintf(buf, sizeof(buf), "%s", line);
	for (word = strtok(buf, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "''"))
			*word = '\0';
		for (p = word; (p = strchr(p, '~')); p++)
			*p = ' ';
		argv[argc++] = word;
	}
	*err = (struct ivb_adm_error){};
	return ivb_adm_parse(adm, argc, argv, err);
}

static const struct {
	const char *line;
	int status;
	const char *text;
} refused[] = {
	/* services' addresses */
	{ "-A -t 10.9.9.9 -s rr", 2, "Zero port specified for non-persistent service" },
	{ "-A -t 10.9.9.9:0 -s rr", 2, "Zero port specified for non-persistent service" },
	{ "-A -t fd00::9:80 -s rr", 2, "Zero port specified for non-persistent service" },
	{ "-A -t 10.9.9.9: -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 10.9.9.9:65536 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 10.9.9.9:-5 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 10.9.9.9:8x -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 10.9.9.9:0x50 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 10.9.9.9:nosuch -s rr", 2, SVC_ILLEGAL },
	{ "-A -t 300.1.2.3:80 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t :80 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t '' -s rr", 2, SVC_ILLEGAL },
	{ "-A -t ~10.9.9.9:90 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t [fd00::9] -s rr", 2, SVC_ILLEGAL },
	{ "-A -t [fd00::9:80 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t [fd00::9]80 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t [fd00::zz]:80 -s rr", 2, SVC_ILLEGAL },
	{ "-A -t [10.9.9.9]:80 -s rr", 2,
	  SVC_ILLEGAL },			     /* ours: not "Zero port", which it is not */
	{ "-A -t 10.9.9:80 -s rr", 2, SVC_ILLEGAL }, /* ours: ipvsadm takes it for 10.9.0.9 */
	/* servers' addresses */
	{ "-a -t 10.9.9.9:80 -r 10.0.1.6:65536 -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.6: -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.6:-1 -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.6:nosuch -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r 300.1.1.1:80 -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r '' -m", 2, DEST_ILLEGAL },
	{ "-a -u [fd00::9]:53 -r [fd00:1::2] -m", 2, DEST_ILLEGAL },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.5:0 -m", 2, DEST_ILLEGAL }, /* ours: ipvsadm takes it */
	{ "-a -t 10.9.9.9:80 -r [fd00:1::2]:80 -m", 2,
	  "Different address family is allowed only for tunneling servers" },
	/* weights */
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w -1", 2, "illegal weight specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w abc", 2, "illegal weight specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w 5x", 2, "illegal weight specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w ''", 2, "illegal weight specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w 2147483648", 2, "illegal weight specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.3:80 -m -w 65536", 2,
	  "illegal weight specified" }, /* ours */
	/* twice */
	{ "-a -t 10.9.9.9:80 -r 10.0.1.7:80 -m -m", 2,
	  "multiple 'forwarding-method' options specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.7:80 -m -g", 2,
	  "multiple 'forwarding-method' options specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.8:80 -r 10.0.1.9:80 -m", 2,
	  "multiple 'real-server' options specified" },
	{ "-A -t 10.9.9.9:80 -u 10.9.9.9:80 -s rr", 2,
	  "multiple 'service-address' options specified" },
	{ "-A -t 10.9.9.9:80 -t 10.9.9.9:81 -s rr", 2,
	  "multiple 'service-address' options specified" },
	{ "-A -t 10.9.9.9:80 -s rr -s wrr", 2, "multiple 'scheduler' options specified" },
	/* what goes with what */
	{ "-A", 2,
	  "You need to supply the 'service-address' option for the 'add-service' command" },
	{ "-A -s rr", 2,
	  "You need to supply the 'service-address' option for the 'add-service' command" },
	{ "-A -t 10.9.9.9:80 -s rr -r 10.0.1.2:80", 2,
	  "Illegal 'real-server' option with the 'add-service' command" },
	{ "-A -t 10.9.9.9:80 -s rr -w 5", 2,
	  "Illegal 'weight' option with the 'add-service' command" },
	{ "-A -t 10.9.9.9:80 -s rr -m", 2,
	  "Illegal 'forwarding-method' option with the 'add-service' command" },
	{ "-A -t 10.9.9.9:80 -s rr -n", 2,
	  "Illegal 'numeric' option with the 'add-service' command" },
	{ "-A -t 10.9.9.9:80 -s rr -c", 2,
	  "Illegal 'connection' option with the 'add-service' command" },
	{ "-D", 2,
	  "You need to supply the 'service-address' option for the 'delete-service' command" },
	{ "-D -t 10.9.9.9:80 -s rr", 2,
	  "Illegal 'scheduler' option with the 'delete-service' command" },
	{ "-D -t 10.9.9.9:80 -r 10.0.1.2:80", 2,
	  "Illegal 'real-server' option with the 'delete-service' command" },
	{ "-E", 2,
	  "You need to supply the 'service-address' option for the 'edit-service' command" },
	{ "-a", 2, "You need to supply the 'service-address' option for the 'add-server' command" },
	{ "-a -t 10.9.9.9:80", 2,
	  "You need to supply the 'real-server' option for the 'add-server' command" },
	{ "-a -t 10.9.9.9:80 -m", 2,
	  "You need to supply the 'real-server' option for the 'add-server' command" },
	{ "-a -r 10.0.1.2:80", 2,
	  "You need to supply the 'service-address' option for the 'add-server' command" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2:80 -s rr", 2,
	  "Illegal 'scheduler' option with the 'add-server' command" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2:80 -p", 2,
	  "Illegal 'persistent' option with the 'add-server' command" },
	{ "-e", 2,
	  "You need to supply the 'service-address' option for the 'edit-server' command" },
	{ "-e -t 10.9.9.9:80", 2,
	  "You need to supply the 'real-server' option for the 'edit-server' command" },
	{ "-d", 2,
	  "You need to supply the 'service-address' option for the 'delete-server' command" },
	{ "-d -t 10.9.9.9:80", 2,
	  "You need to supply the 'real-server' option for the 'delete-server' command" },
	{ "-d -t 10.9.9.9:80 -r 10.0.1.2:80 -w 5", 2,
	  "Illegal 'weight' option with the 'delete-server' command" },
	{ "-d -t 10.9.9.9:80 -r 10.0.1.2:80 -m", 2,
	  "Illegal 'forwarding-method' option with the 'delete-server' command" },
	{ "-C -t 10.9.9.9:80", 2, "Illegal 'service-address' option with the 'flush' command" },
	{ "-C -n", 2, "Illegal 'numeric' option with the 'flush' command" },
	{ "-L -w 5", 2, "Illegal 'weight' option with the 'list' command" },
	{ "-L -m", 2, "Illegal 'forwarding-method' option with the 'list' command" },
	{ "-L -r 10.0.1.2:80", 2, "Illegal 'real-server' option with the 'list' command" },
	{ "-L -s rr", 2, "Illegal 'scheduler' option with the 'list' command" },
	{ "-L -c -t 10.9.9.9:80", 2,
	  "The option 'service-address' conflicts with the 'connection' option in the 'list' command" },
	{ "-L -c --stats", 2, "options conflicts in the list command" },
	{ "-C --zone 1", 2, "Illegal 'zone' option with the 'flush' command" },
	{ "-D -t 10.9.9.9:80 --snat auto", 2,
	  "Illegal 'snat' option with the 'delete-service' command" },
	{ "-L --snat auto", 2, "Illegal 'snat' option with the 'list' command" },
	{ "-L --timeout -t 10.9.9.9:80", 2,
	  "The option 'timeout' conflicts with the 'service-address' option in the 'list' command" },
	{ "-L --daemon -c", 2,
	  "The option 'daemon' conflicts with the 'connection' option in the 'list' command" },
	{ "-L --timeout --stats", 2, "options conflicts in the list command" },
	{ "-L --stats --stats", 2, "multiple 'stats' options specified" },
	{ "-S -t 10.9.9.9:80", 2, "Illegal 'service-address' option with the 'save' command" },
	{ "-S --nosort", 2, "Illegal 'nosort' option with the 'save' command" },
	{ "-S -c", 2, "Illegal 'connection' option with the 'save' command" },
	{ "-S --exact", 2, "Illegal 'exact' option with the 'save' command" },
	{ "-R -n", 2, "Illegal 'numeric' option with the 'restore' command" },
	{ "-R -t 10.9.9.9:80", 2, "Illegal 'service-address' option with the 'restore' command" },
	{ "-Z -n", 2, "Illegal 'numeric' option with the 'zero' command" },
	{ "-Z -r 10.0.0.2", 2, "Illegal 'real-server' option with the 'zero' command" },
	/* timeouts */
	{ "--set", 2, "--set option requires 3 timeout values" },
	{ "--set 1 2", 2, "--set option requires 3 timeout values" },
	{ "--set 1 2 3 4", 2, "unexpected argument 4" },
	{ "--set a b c", 2, "invalid timeout value `a' specified" },
	{ "--set 2678401 1 1", 2, "invalid timeout value `2678401' specified" },
	{ "--set -1 2 3", 255, "-1: unknown option" },
	{ "--set 5 6 7 -n", 2, "Illegal 'numeric' option with the 'set' command" },
	{ "--set 5 -t 10.9.9.9:80 6 7", 2,
	  "Illegal 'service-address' option with the 'set' command" },
	/* words that are out of place */
	{ "-R extra", 2, "unexpected argument extra" },
	{ "-Z extra", 2, "unexpected argument extra" },
	{ "-S -n extra", 2, "unexpected argument extra" },
	{ "-C extra", 2, "unexpected argument extra" },
	{ "-L extra", 2, "unexpected argument extra" },
	{ "-A -t 10.9.9.9:80 -s rr extra more", 2, "unexpected argument extra" },
	{ "-A -t 10.9.9.9:80 -s rr -- -n", 2, "unexpected argument -n" },
	{ "-A -D -t 10.9.9.9:80", 2, "invalid option `-D'" },
	{ "-A -A -t 10.9.9.9:80", 2, "invalid option `-A'" },
	{ "-L -C", 2, "invalid option `-C'" },
	{ "-LC", 2, "invalid option `-LC'" },
	{ "-A -t 10.9.9.9:80 -h", 2, "invalid option `-h'" },
	{ "extra", 255, TRY },
	{ "-n", 255, TRY },
	{ "-t 10.9.9.9:80", 255, TRY },
	{ "-Q", 255, TRY },
	{ "--nosuch", 255, TRY },
	{ "--add-serv -t 10.9.9.9:80", 255, TRY },
	{ "--start-daemon", 255, TRY },
	{ "-L --nosuch", 255, "--nosuch: unknown option" },
	{ "-Lq", 255, "-Lq: unknown option" },
	{ "-L --numeric=1", 255, "--numeric=1: option does not take an argument" },
	{ "-A -t", 255, "-t: missing argument" },
	{ "-A -t 10.9.9.9:80 -s", 255, "-s: missing argument" },
	{ "-a -t 10.9.9.9:80 -r", 255, "-r: missing argument" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2:80 -w", 255, "-w: missing argument" },
	{ "-A --tcp-service", 255, "--tcp-service: missing argument" },
	/* ours: what a later version brings */
	{ "-A -t 10.9.9.9:80 -s sh -b mh-port", 2, "incompatible scheduler flag `mh-port'" },
	{ "-A -t 10.9.9.9:80 -s sh -b sh-port,flag-4,x", 2, "invalid scheduler flag `flag-4'" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.7:80 -m -x -5", 2, "illegal u_threshold specified" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.7:80 -m -y 2147483648", 2, "illegal l_threshold specified" },
	{ "-A -t 10.9.9.9:80 -s rr -p", 2, "-p: persistence" LATER },
	{ "-A -t 10.9.9.9:80 -s rr -p 100", 2, "-p: persistence" LATER },
	{ "-A -t 10.9.9.9:80 -p -s rr", 2, "-p: persistence" LATER },
	{ "-A -u 10.9.9.9:53 -s rr -o", 2, "-o: one-packet scheduling" LATER },
	{ "-A -f 7 -s rr", 2, "-f: a service by firewall mark" LATER },
	{ "-L -f 7", 2, "-f: a service by firewall mark" LATER },
	{ "-A --sctp-service 10.9.9.9:36412 -s rr", 2, "--sctp-service: SCTP" LATER },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2 -g", 2,
	  "-g: direct routing" LATER "; say -m (masquerading)" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2 --ipip", 2,
	  "--ipip: tunnelling" LATER "; say -m (masquerading)" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.2", 2,
	  "direct routing (-g, which is meant without -m)" LATER "; say -m (masquerading)" },
	{ "-e -t 10.9.9.9:80 -r 10.0.1.2 -w 3", 2,
	  "direct routing (-g, which is meant without -m)" LATER "; say -m (masquerading)" },
	{ "-a -t 10.9.9.9:80 -r 10.0.1.7:80 -m --tun-type gue --tun-port 6", 2,
	  "--tun-type: tunnelling" LATER },
	{ "--start-daemon master", 2, "--start-daemon: the sync daemon" LATER },
	/* ours: ours */
	{ "-A -t 10.9.9.9:80 -s rr --snat default", 2,
	  "illegal SNAT policy specified: it is never, auto or always" },
	{ "-A -t 10.9.9.9:80 -s rr --zone 16777216", 2,
	  "illegal zone specified: it is a number up to 16777215" },
};

static void test_refused(void)
{
	struct ivb_adm_error err;
	struct ivb_adm adm;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int r = parse_line(&adm, refused[i].line, &err);

		ok(r < 0 && err.status == refused[i].status, "adm %s: refused with %d",
		   refused[i].line, refused[i].status);
		is_str(err.text, refused[i].text, "adm %s: why", refused[i].line);
	}
}

/* A request as text. */
static const char *request(const char *line)
{
	static const char *const lists[] = {
		[IVB_ADM_LIST_SERVICES] = "",
		[IVB_ADM_LIST_STATS] = " stats",
		[IVB_ADM_LIST_RATE] = " rate",
		[IVB_ADM_LIST_THRESHOLDS] = " thresholds",
		[IVB_ADM_LIST_PERSISTENT] = " persistent",
		[IVB_ADM_LIST_CONNS] = " conns",
		[IVB_ADM_LIST_TIMEOUTS] = " timeouts",
		[IVB_ADM_LIST_DAEMON] = " daemon",
	};
	static char buf[600];
	char vip[IVB_ADDRPORT_LEN], dest[IVB_ADDRPORT_LEN];
	static const char *const flags[] = { "", " fallback", " port", " fallback port" };
	struct ivb_adm_error err;
	struct ivb_adm a;

	if (parse_line(&a, line, &err)) {
		snprintf(buf, sizeof(buf), "refused: %s", err.text);
		return buf;
	}
	ivb_addrport_fmt(vip, sizeof(vip), a.key.af, &a.key.addr, a.key.port);
	ivb_addrport_fmt(dest, sizeof(dest), a.dest_af, &a.dest_addr, a.dest_port);
	switch (a.cmd) {
	case IVB_ADM_ADD:
	case IVB_ADM_EDIT:
		snprintf(buf, sizeof(buf), "%s %u %s zone %u sched %u%s snat %u",
			 a.cmd == IVB_ADM_ADD ? "add" : "edit", a.key.proto, vip, a.key.zone,
			 a.scheduler, flags[a.sched_flags & 3], a.snat);
		break;
	case IVB_ADM_DEL:
		snprintf(buf, sizeof(buf), "del %u %s", a.key.proto, vip);
		break;
	case IVB_ADM_LIST:
		snprintf(buf, sizeof(buf), "list%s%s%s%s%s%s", lists[a.list],
			 a.numeric ? " numeric" : "", a.exact ? " exact" : "",
			 a.nosort ? " nosort" : "", a.has_service ? " " : "",
			 a.has_service ? vip : "");
		break;
	case IVB_ADM_SAVE:
		snprintf(buf, sizeof(buf), "save%s", a.numeric ? " numeric" : "");
		break;
	case IVB_ADM_ZERO:
		snprintf(buf, sizeof(buf), "zero %s", a.has_service ? vip : "all");
		break;
	case IVB_ADM_SET:
		snprintf(buf, sizeof(buf), "set %u %u %u", a.timeouts[0], a.timeouts[1],
			 a.timeouts[2]);
		break;
	case IVB_ADM_RESTORE:
		return "restore";
	case IVB_ADM_ADD_DEST:
	case IVB_ADM_EDIT_DEST:
	case IVB_ADM_DEL_DEST:
		snprintf(buf, sizeof(buf), "%s %u %s dest %s weight %u",
			 a.cmd == IVB_ADM_ADD_DEST   ? "add"
			 : a.cmd == IVB_ADM_DEL_DEST ? "del"
						     : "edit",
			 a.key.proto, vip, dest, a.weight);
		break;
	default:
		snprintf(buf, sizeof(buf), "command %d", a.cmd);
	}
	return buf;
}

static void test_taken(void)
{
	static const char *const cases[][2] = {
		{ "", "list" },
		{ "-L", "list" },
		{ "-l", "list" },
		{ "-Ln", "list numeric" },
		{ "-Lnc", "list conns numeric" },
		{ "-L -n --exact", "list numeric exact" },
		{ "-L -X", "list exact" },
		{ "-L -n --sort --sort", "list numeric" },
		{ "-L -n --nosort", "list numeric nosort" },
		{ "--list --numeric --connection", "list conns numeric" },
		{ "-L -n -t 10.9.9.9:80", "list numeric 10.9.9.9:80" },
		{ "-L -t [fd00::9]:80", "list [fd00::9]:80" },
		{ "-A -t 10.9.9.9:80 -s rr", "add 6 10.9.9.9:80 zone 0 sched 0 snat 4" },
		{ "-A -u 10.9.9.9:53 -s wrr", "add 17 10.9.9.9:53 zone 0 sched 1 snat 4" },
		{ "-A -t [fd00::9]:80 -s rr", "add 6 [fd00::9]:80 zone 0 sched 0 snat 4" },
		{ "-A -t 10.9.9.9:080 -s rr", "add 6 10.9.9.9:80 zone 0 sched 0 snat 4" },
		{ "-A -t localhost:80 -s rr", "add 6 127.0.0.1:80 zone 0 sched 0 snat 4" },
		{ "-A -t 10.9.9.9:81 -s nosuch", "add 6 10.9.9.9:81 zone 0 sched 14 snat 4" },
		{ "-A -t 10.9.9.9:80", "add 6 10.9.9.9:80 zone 0 sched 3 snat 4" },
		{ "-A -t 10.9.9.9:80 -s ''", "add 6 10.9.9.9:80 zone 0 sched 3 snat 4" },
		{ "-A -t 10.9.9.9:80 -b sh-port,sh-fallback -s sh",
		  "add 6 10.9.9.9:80 zone 0 sched 8 fallback port snat 4" },
		{ "-E -t 10.9.9.9:80 -s mh -b ,flag-2,,mh-port,",
		  "edit 6 10.9.9.9:80 zone 0 sched 10 port snat 4" },
		{ "-A -t 10.9.9.9:80 -s rr --snat always --zone 7",
		  "add 6 10.9.9.9:80 zone 7 sched 0 snat 3" },
		{ "-E -t 10.9.9.9:80 -s wrr --snat=never",
		  "edit 6 10.9.9.9:80 zone 0 sched 1 snat 1" },
		{ "--add-service --tcp-service 10.9.9.9:80 --scheduler rr",
		  "add 6 10.9.9.9:80 zone 0 sched 0 snat 4" },
		{ "-s rr -A -t 10.9.9.9:80", "refused: " TRY },
		{ "-D -t 10.9.9.9:80", "del 6 10.9.9.9:80" },
		{ "-a -t 10.9.9.9:80 -r 10.0.1.2:80 -m",
		  "add 6 10.9.9.9:80 dest 10.0.1.2:80 weight 1" },
		{ "-a -t 10.9.9.9:80 -r 10.0.1.4 -m -w 0",
		  "add 6 10.9.9.9:80 dest 10.0.1.4:80 weight 0" },
		{ "-a -r 10.0.1.4 -t 10.9.9.9:80 -m",
		  "add 6 10.9.9.9:80 dest 10.0.1.4:80 weight 1" },
		{ "-at10.9.9.9:80 -r10.0.1.3 -mw6", "add 6 10.9.9.9:80 dest 10.0.1.3:80 weight 6" },
		{ "-a -t=10.9.9.9:80 -r=10.0.1.3 -m -w=65535",
		  "add 6 10.9.9.9:80 dest 10.0.1.3:80 weight 65535" },
		{ "-a -t [fd00::9]:80 -r [fd00:1::2]:8080 -m -w 7",
		  "add 6 [fd00::9]:80 dest [fd00:1::2]:8080 weight 7" },
		{ "-a -t [fd00::9]:80 -r fd00:1::2 -m",
		  "add 6 [fd00::9]:80 dest [fd00:1::2]:80 weight 1" },
		{ "--edit-server --tcp-service 10.9.9.9:80 --real-server=10.0.1.2:80 --masquerading --weight=5",
		  "edit 6 10.9.9.9:80 dest 10.0.1.2:80 weight 5" },
		{ "-d -t 10.9.9.9:80 -r 10.0.1.2:80",
		  "del 6 10.9.9.9:80 dest 10.0.1.2:80 weight 1" },
		{ "-L -n --stats --rate --thresholds", "list stats numeric" },
		{ "-L --rate --persistent-conn -t 10.9.9.9:80", "list rate 10.9.9.9:80" },
		{ "-L --thresholds --persistent-conn --exact", "list thresholds exact" },
		{ "-L --timeout --sort", "list timeouts" },
		{ "-L --daemon", "list daemon" },
		{ "-S -n", "save numeric" },
		{ "--save --sort", "save" },
		{ "-R", "restore" },
		{ "--restore", "restore" },
		{ "-Z", "zero all" },
		{ "--zero -u 10.9.9.9:53", "zero 10.9.9.9:53" },
		{ "--set 900 120 300", "set 900 120 300" },
		{ "--set 0 0 2678400", "set 0 0 2678400" },
		{ "--clear", "command 3" },
		{ "-h extra -Q", "command 12" },
		{ "-v", "command 13" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(request(cases[i][0]), cases[i][1], "adm %s", cases[i][0]);
}

/* Names of ports depend on /etc/services, which a small image may not have. */
static void test_names(void)
{
	FILE *f = fopen("/etc/services", "r");

	if (!f) {
		skip("no /etc/services here");
		return;
	}
	fclose(f);
	is_str(request("-A -t 10.9.9.9:http-alt -s rr"),
	       "add 6 10.9.9.9:8080 zone 0 sched 0 snat 4", "a port's name");
	is_str(request("-A -u 10.9.9.9:domain -s rr"), "add 17 10.9.9.9:53 zone 0 sched 0 snat 4",
	       "a UDP port's name");
}

int main(void)
{
	test_refused();
	test_taken();
	test_names();
	return done_testing();
}
