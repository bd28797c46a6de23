#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A million connections that wait for their end, and come to it: what the expiry timer spends on them while
# they wait, how long its longest run is, and how late the last one goes. IVB_SECONDS: how long they wait.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

total=1000000
wait=${IVB_SECONDS:-60}
ns_begin
servers=1
two_armed
servers_route_back
in_ns sv1 sysctl -qw net.ipv4.icmp_ratelimit=1000
ok "up" up --max-conns 2097152 --max-half-open 1048576
ok "UDP that nobody answers" service -u 4 9 rr
ivb timeout --udp-service $vip4:9 "$wait"

# figure NAME: of IPv4, in the status of now
figure() {
	ivb status --json | awk -v name="\"$1\":" '$1 == name { sub(/,$/, "", $2); print $2; exit }'
}

# spent SECONDS: nanoseconds of the timer in a second
spent() {
	spent_before=$(figure timer_ns)
	sleep "$1"
	echo $((($(figure timer_ns) - spent_before) / $1))
}

empty=$(spent 5)
began=$(date +%s)
diag "$(in_ns cl "$tooldir/flood" -u eth0 "$(mac lb wan)" $vip4 9 $total)"
made=$(date +%s)
is "all have been made" "$(figure connections)" $total
full=$(spent $((wait > 30 ? 20 : 5)))
diag "the timer: $empty ns a second while the table is empty, $full with $total connections"
ok "one that waits costs less than a third of a nanosecond a second" [ $((full - empty)) -lt $((total / 3)) ]
is "none is gone before its time" "$(figure connections) of $(($(date +%s) < began + wait ? 1 : 0))" "$total of 1"
sleep $((made + wait - $(date +%s)))
diag "their time is over: $(figure connections) are left"
gone=$((wait / 20 > 2 ? wait / 20 : 2))
ok "all are gone $gone s later, or as fast as they were made" \
	wait_for $((gone + made - began)) eval '[ "$(figure connections)" = 0 ]'
diag "the longest run: $(figure timer_longest_ns) ns; all of them, for each connection: $(($(figure timer_ns) / total)) ns"
verify

done_testing
