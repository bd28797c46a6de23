#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The engine follows kernel IPVS in everything: the same scenarios are played with kernel IPVS alone and with us,
# and compared. They stand in follow/, a room each; IVB_ROOMS="life sysctls" plays some of them alone, and
# IVB_KERNEL_ONLY=1 shows what they say without us. (All in one network: what costs time in a guest is `up`.)
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"
rooms=${IVB_ROOMS:-schedulers persistence life changes sysctls stays methods}

need iptables curl perl
ns_begin
ipvs_begin
two_armed
puppets 80 8080
# room by room: _begin adds to the network, _play is what both engines play, _check looks at the results
for room in $rooms; do
	# shellcheck source=/dev/null
	. "$(dirname "$0")/follow/$room.sh"
	if command -v "${room}_begin" >/dev/null; then
		"${room}_begin"
	fi
done

play_rooms() {
	for room in $rooms; do
		"${room}_play"
	done
}

kipvs --set 20 10 20
engines '--snat always' play_rooms
for room in $rooms; do
	"${room}_check"
done
[ -n "${IVB_KERNEL_ONLY:-}" ] || verify
done_testing
