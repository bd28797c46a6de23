#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No run of the expiry timer is longer than a millisecond, whatever there is to do: all connections due at
# once, half of them while the others have to be looked at, all to be looked at, and nothing. In guests, where
# only instructions take time, that must hold; elsewhere a timer that only waits for as long shows what is the
# machine's own. IVB_CONNS: how many connections (make soak-ticks: a million).
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

total=${IVB_CONNS:-16384}
half=$((total / 2))
wait=$((total / 10000 + 20))
ns_begin
servers=1
two_armed
servers_route_back
in_ns sv1 sysctl -qw net.ipv4.icmp_ratelimit=1000

figure() {
	ivb status --json | awk -v name="\"$1\":" '$1 == name { sub(/,$/, "", $2); print $2; exit }'
}

without_timer() {
	env LD_PRELOAD="$tooldir/notimer.so" "$ipvs_bpf" --netns "$(ns_name lb)" "$@"
}

# first_packets PORT COUNT: each of another client
first_packets() {
	in_ns cl "$tooldir/flood" -u eth0 "$(mac lb wan)" $vip4 "$1" "$2" >"$tmp/flood"
}

# fill: half of them to each of two services, while there is no timer
# shellcheck disable=SC2086 # words
fill() {
	ivb down 2>/dev/null
	without_timer up --max-conns $((total * 2)) --max-half-open $total $devs 2>/dev/null >&2
	for fill_port in 9 10; do
		ivb adm -A -u $vip4:$fill_port -s rr
		ivb adm -a -u $vip4:$fill_port -r "$(rip 4 1 $fill_port)" -m
		ivb timeout --udp-service $vip4:$fill_port $wait
	done
	fill_began=$(date +%s)
	for fill_port in 9 10; do
		first_packets $fill_port $half
	done
	is "$total connections" "$(figure connections)" "$total"
}

# due: until the time of those is over
due() {
	due_rest=$((fill_began + wait + 2 - $(date +%s)))
	sleep $((due_rest > 0 ? due_rest : 0))
}

# up_again: the timer runs from here on
# shellcheck disable=SC2086 # words
up_again() {
	ivb up $devs >/dev/null
}

# runs SECONDS WHAT: of the timer, from now on; only guests let us look at single ones
runs() {
	if [ -n "${IVB_SLOW:-}" ]; then
		runs_said=$("$tooldir/ticks" "$(echo "/sys/fs/bpf/ipvs-bpf/$(ns_name lb)"/v*/hand4)" "$1" 2>&1)
		like "$2: runs were seen" "$runs_said" '^runs [1-9]'
	else
		runs_said=
		sleep "$1"
	fi
	runs_longest=$(figure timer_longest_ns)
	diag "$2: $runs_said; the longest since up: $runs_longest ns; connections now: $(figure connections)"
	[ -z "${IVB_SLOW:-}" ] || ok "none was longer than a millisecond" [ "$runs_longest" -lt 1000000 ]
}

seconds=$((total / 200000 + 2))
fill
due
is "their time is over, and none is gone" "$(figure connections)" "$total"
ok "a timer" up_again
runs $seconds "all due at once"
ok "they go" wait_for 20 eval '[ "$(figure connections)" = 0 ]'
verify
fill
sleep $((wait / 2))
first_packets 10 $half
due
is "one half has been heard of since" "$(figure connections)" "$total"
ok "a timer" up_again
runs $seconds "half of them due, the others to be looked at"
ok "one half goes" wait_for 20 eval '[ "$(figure connections)" = $half ]'
runs 2 "half of them, which wait"
verify
fill
sleep $((wait / 2))
first_packets 9 $half
first_packets 10 $half
due
ok "a timer, when all have been heard of since" up_again
runs 2 "all to be looked at, none due"
is "none goes" "$(figure connections)" "$total"
verify
if [ -z "${IVB_SLOW:-}" ]; then
	diag "a timer that waits for 0.3 ms each time: $("$tooldir/ticks" -c 5 2>&1)"
fi

done_testing
