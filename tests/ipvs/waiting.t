#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A first packet waits for the server's link-layer address, and is sent by another processor than the one that it
# came by: it is known there, gets its SNAT, and is not lost.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

[ "$(nproc)" -gt 1 ] || skip_all "one processor cannot send what another has made wait"
need taskset
ns_begin
ipvs_begin
servers=1
two_armed
start udp-sv1 sv1 "$tooldir/udp" serve 53 sv1
ok "the engine is on" follow --snat always
server=10.2.1.2
mac=$(mac sv1 eth0)
kipvs -A -u $vip4:53 -s rr
kipvs -a -u $vip4:53 -r $server:53 -m
# the server answers no question for its address; the director asks for a while
in_ns sv1 sysctl -qw net.ipv4.conf.eth0.arp_ignore=8
in_ns lb sysctl -qw net.ipv4.neigh.s1.mcast_solicit=30

waits() {
	in_ns lb ip neigh show "$server" dev s1 | grep -q INCOMPLETE
}

# the neighbour's entry is made by that processor, which sends what waits
for turn in 1 2 3; do
	in_ns lb ip neigh flush all
	start "ask$turn" cl taskset -c 0 "$tooldir/udp" ask -p $((4000 + turn)) -w 20000 $vip4 53
	asked=$started
	ok "$turn: a datagram waits" wait_for 10 waits
	in_ns lb taskset -c 1 ip neigh replace $server lladdr "$mac" dev s1 nud reachable
	rc=0
	wait "$asked" || rc=$?
	is "$turn: it is answered" $rc 0
done
is "none was dropped as unknown" "$(counter snat_unknown)" 0
is "each has SNAT" "$(ivb conn | grep -c " 10[.]2[.]1[.]1:")" 3
verify
done_testing
