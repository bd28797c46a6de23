#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Datagrams larger than the MTU: their fragments are carried in both directions, and whole datagrams arrive.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
two_armed
servers_route_back
udp_named 7

# reassembled SHORT FAMILY: datagrams put together there
reassembled() {
	case $2 in
	4) in_ns "$1" awk '$1 == "Ip:" && $2 ~ /[0-9]/ { print $16 }' /proc/net/snmp ;;
	6) in_ns "$1" awk '$1 == "Ip6ReasmOKs" { print $2 }' /proc/net/snmp6 ;;
	esac
}

ok "up" up
for f in 4 6; do
	ok "IPv$f service" service -u $f 7 rr
done

for snat in always never; do
	ok "--snat $snat" ivb up --snat $snat
	for f in 4 6; do
		for length in 1473 2960 9000 60000; do
			is "IPv$f, SNAT $snat: $length bytes there and back" "$(ask $f 6 7 -l $length)" \
				'sv3 sv2 sv1 sv3 sv2 sv1'
		done
		ok "the client put datagrams together" test "$(reassembled cl $f)" -ge 18
		ok "and so did a server" test "$(reassembled sv1 $f)" -ge 6
		# many senders at once
		for i in 1 2 3 4; do
			ask $f 6 7 -l 20000 -p $((20000 + i * 10)) >"$tmp/ask-$i" &
		done
		wait_for 30 eval '[ "$(wc -w <"$tmp/ask-1")$(wc -w <"$tmp/ask-2")$(wc -w <"$tmp/ask-3")$(wc -w <"$tmp/ask-4")" = 6666 ]'
		is "four senders at once" "$(cat "$tmp"/ask-? | grep -o 'sv[1-3]' | wc -l)" 24
	done
	verify
done

done_testing
