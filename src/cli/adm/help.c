/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adm --help. */
#include <stdio.h>

#include "cli/adm/adm_int.h"
#include "cli/cli.h"

static const char *const usages[] = {
	"-A|E virtual-service [-s scheduler] [-b sched-flags] [--snat policy]",
	"-D virtual-service",
	"-C",
	"-R",
	"-S [-n]",
	"-a|e virtual-service -r server-address -m [-w weight] [-x upper] [-y lower]",
	"-d virtual-service -r server-address",
	"-L|l [virtual-service] [options]",
	"-Z [virtual-service]",
	"--set tcp tcpfin udp",
	"-h",
};

int ivb_adm_help(const char *program)
{
	size_t i;

	puts("Usage:");
	for (i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
		printf("  %s %s\n", program, usages[i]);
	puts("\n"
	     "Commands:\n"
	     "Either long or short options are allowed.\n"
	     "  --add-service     -A        add virtual service with options\n"
	     "  --edit-service    -E        edit virtual service with options\n"
	     "  --delete-service  -D        delete virtual service\n"
	     "  --clear           -C        clear the whole table\n"
	     "  --restore         -R        restore rules from stdin: all of them or none\n"
	     "  --save            -S        save rules to stdout\n"
	     "  --add-server      -a        add real server with options\n"
	     "  --edit-server     -e        edit real server with options\n"
	     "  --delete-server   -d        delete real server\n"
	     "  --list            -L|-l     list the table\n"
	     "  --zero            -Z        zero counters in a service or all services\n"
	     "  --set tcp tcpfin udp        set connection timeout values, in seconds; 0 leaves one\n"
	     "  --help            -h        display this help message\n"
	     "  --version         -v        display the version\n"
	     "\n"
	     "virtual-service:\n"
	     "  --tcp-service|-t  service-address   service-address is host:port or [IPv6]:port\n"
	     "  --udp-service|-u  service-address   the same\n"
	     "  --zone            number            of the devices (up --zone), default 0\n"
	     "\n"
	     "Options:\n"
	     "  --scheduler    -s scheduler         rr, wrr, lc, wlc (the default), sed, nq, fo, ovf, sh,\n"
	     "                                      dh, mh, lblc, lblcr or twos\n"
	     "  --sched-flags  -b flags             sh-port, sh-fallback, mh-port, mh-fallback (commas)\n"
	     "  --snat            policy            never, auto or always translate the client's\n"
	     "                                      address too (default: as `up --snat` says)\n"
	     "  --real-server  -r server-address    server-address is host (and port)\n"
	     "  --masquerading -m                   masquerading (NAT), the only method\n"
	     "  --weight       -w weight            capacity of real server, 0 to 65535, default 1\n"
	     "  --u-threshold  -x number            of connections from which on it gets no more\n"
	     "  --l-threshold  -y number            below which it gets some again, default 3/4 of -x\n"
	     "  --connection   -c                   output of current IPVS connections\n"
	     "  --timeout                           output of timeout (tcp tcpfin udp)\n"
	     "  --daemon                            output of daemon information: there is none\n"
	     "  --stats                             output of statistics information\n"
	     "  --rate                              output of rate information, over one second\n"
	     "  --exact                             expand numbers (display exact values)\n"
	     "  --thresholds                        output of thresholds information\n"
	     "  --persistent-conn                   output of persistent connection info\n"
	     "  --nosort                            disable sorting output of service/server entries\n"
	     "  --sort                              does nothing, for backwards compatibility\n"
	     "  --numeric      -n                   numeric output of addresses and ports\n"
	     "The other options of ipvsadm come with later versions.");
	return IVB_EXIT_OK;
}
