#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What each map has lives through an upgrade, there and back: for every row of include/ivb/maps.def that is to be
# copied, an entry is in the old instance's map before `up` of the other ABI, and in the new one's after it. A map that
# begins anew must be one of those of which decision 18 says so.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need ip
ns_begin
ns_add lb sv1
# the other end sends nothing, and without timers no program runs: what changes is changed by the upgrade
in_ns sv1 sysctl -qw net.ipv6.conf.default.disable_ipv6=1
wire lb srv0 sv1 eth0
addrs lb srv0 10.1.0.1/24 fd00:1::1/64
one=$ipvs_bpf
two=$top/build/abi-test/ipvs-bpf
pins=/sys/fs/bpf/ipvs-bpf/$(ns_name lb)

ivb_still() {
	env LD_PRELOAD="$tooldir/notimer.so" "$ipvs_bpf" --netns "$(ns_name lb)" "$@"
}

# Begin empty: next hops, fragments, memory of refused first packets, counters, epochs of servers (with them the
# leases), and what a program has for itself or for a moment.
anew='counters cursors first_tries frags hand4 hand6 icmp_tokens kernel_dests nexthops notes port_want waiting'
is "maps that begin anew" "$("$tooldir/taken" rows | awk '$2 == "ANEW" { print $1 }' | sort | tr '\n' ' ')" "$anew "

# taken_over BINARY: all that was there before
taken_over() {
	ok "$2: what is there" eval '"$tooldir/taken" put "$pins"/v* >"$tmp/entries"'
	is "$2: an entry of each map at least" "$(cut -d' ' -f1 "$tmp/entries" | sort -u | wc -l)" \
		"$("$tooldir/taken" rows | grep -c -e SET -e MOVING)"
	ipvs_bpf=$1
	like "$2: taken over" "$(ivb_still up 2>&1)" '^taken over with its connections'
	"$tooldir/taken" find "$pins"/v* "$tmp/entries" >"$tmp/found"
	diag "$(tr '\n' ',' <"$tmp/found")"
	is "$2: every entry of every map" "$(awk '$2 != $4 || !$2' "$tmp/found")" ''
}

ok "up" ivb_still up srv0 --snat auto --non-masq 10.9.0.0/16 --non-masq fd00:9::/32 --snat-ports 2000-60000
for v in 10.5.0.1:80 '[fd00:5::1]:80'; do
	ok "a service" ivb_still adm -A -t "$v" -s wrr
done
ok "a server" ivb_still adm -a -t 10.5.0.1:80 -r 10.1.0.11 -m -w 3
ok "a server" ivb_still adm -a -t '[fd00:5::1]:80' -r '[fd00:1::11]:80' -m -w 3
taken_over "$two" "to the other ABI"
taken_over "$one" "and back"
ok "down" ivb_still down
done_testing
