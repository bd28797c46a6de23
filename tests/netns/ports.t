#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SNAT's ports when there are few: 95 % of an address's held by open connections, and thousands of short ones
# through the rest, of which none may fail, nor take a port from an open one; on every CPU. No socket is at either end:
# build/tests/tools/churn makes and answers the packets.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers=1
two_armed
addrs lb lo 10.0.0.101/32 10.0.0.102/32
ports=8000
ok "up, with $ports ports" up --snat always --snat-ports 20001-28000
ivb adm -A -t 10.0.0.80:80 -s rr
ivb adm -a -t 10.0.0.80:80 -r 10.2.1.2:80 -m

mkfifo "$tmp/in" "$tmp/out"
start churn lb sh -c "'$tooldir/churn' -a 10.0.0.80:80 $(ns_name lb) wan $(ns_name cl) eth0 $(ns_name sv1) eth0 \
	<'$tmp/in' >'$tmp/out'"
exec 3>"$tmp/in" 4<"$tmp/out"

# churn COMMAND...: what came of it, in $said; none may be missed but by the queues between devices
churn() {
	echo "$*" >&3
	read -r said <&4
	diag "$said"
	ok "packets were repeated only if the queues between devices lost some" \
		awk -v said="$said" 'BEGIN { exit said !~ / repeated 0 / && said ~ / lost 0$/ }'
}

# the few that may wait for a link-layer address: the stack keeps 40 or so packets for each
churn hold 100 20
churn hold 20000 $((ports * 95 / 100 - 20))
like "connections on 95 % of the ports, held open" "$said" '^begun 7580 done 7580 reset 0 stolen 0 '
churn run 10000 30000
like "30000 short ones, one after another, through the rest: none fails" "$said" \
	'^begun 30000 done 30000 reset 0 stolen 0 strays 0 reused 29[0-9]*'
like "status tells of it" "$(ivb status)" '^  10[.]2[.]1[.]1 > 10[.]2[.]1[.]2:80 TCP: 7[56][0-9]* of 8000 [(]9[45] %[)], and [0-9]+ .*RUNNING SHORT'
like "check tells the bound" "$(ivb check)" '^OK +snat-ports +8000 ports: .* up to 66 new TCP'
within "7600 of the connections are open" "$(ivb conn | grep -c ' ESTABLISHED ')" 7600 7600
is "none was refused" "$(counter no_port)" 0
verify

ok "two more addresses" ivb up --snat-addr 10.2.1.1 --snat-addr 10.0.0.101 --snat-addr 10.0.0.102
churn hold 10000 6000
like "more connections than one address has ports, held open" "$said" '^begun 6000 done 6000 '
within "the second and the third have some of them" "$(ivb conn | grep ' ESTABLISHED ' | grep -c ' 10[.]0[.]0[.]10[12]:')" 5500 6000
is "none was refused" "$(counter no_port)" 0
verify
exec 3>&- 4<&-

done_testing
