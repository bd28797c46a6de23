#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Directors with one arm, with a bridge towards the servers, and with the clients in a VLAN: all carry.
# (The other tests have two arms and a device for each server.)
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin

# carries TITLE: TCP, UDP and a download, both families, SNAT on and off.
carries() {
	web
	udp_named 7
	big_file "$(few 8 1)"
	ok "$1: up" up
	for f in 4 6; do
		ok "$1, IPv$f: services" eval "service -t $f 80 rr && service -u $f 7 rr"
	done
	for snat in always never; do
		[ $snat = always ] || servers_route_back
		ok "$1: --snat $snat" ivb up --snat $snat
		for f in 4 6; do
			is "$1, IPv$f, SNAT $snat: HTTP" "$(tally "$(get $f 6)")" 'sv1=2 sv2=2 sv3=2'
			is "$1, IPv$f, SNAT $snat: UDP" "$(ask $f 3 7)" 'sv3 sv2 sv1'
			is "$1, IPv$f, SNAT $snat: download" "$(download $f)" "$big_md5"
		done
		verify
	done
	ns_clear
}

one_armed
carries 'one arm'

two_armed_bridge
carries 'bridge'

if two_armed_vlan 2>/dev/null; then
	carries 'VLAN device'
	two_armed_vlan
	ok "attached to the trunk" ivb up --snat always trunk s1 s2 s3
	web
	service -t 4 80 rr
	nok "tagged frames on a trunk are another network's" in_ns cl curl -s --max-time 2 "http://$(vip 4)/"
	verify
else
	skip "this kernel has no VLAN devices" "VLAN device"
fi

done_testing
