#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Much data in both directions: equal to the byte with segmentation offloads on and off, and with them on
# the director forwards large packets whole.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl socat iperf3 ethtool
ns_begin
servers=1
two_armed
web
sinks 9000
big_file "$(few 64 4)"
ok "up" up --snat always
for f in 4 6; do
	service -t $f 80 rr
	service -t $f 9000 rr
	service -t $f 5201 rr
	service -u $f 5201 rr
done

offloads() {
	in_ns cl ethtool -K eth0 tx "$1" tso "$1" gso "$1" >/dev/null 2>&1
	in_ns sv1 ethtool -K eth0 tx "$1" tso "$1" gso "$1" >/dev/null 2>&1
}

# forwarded: since the last call, packets that the client sent (came), that left the director to the server (left),
# and these ones' mean size
forwarded() {
	# shellcheck disable=SC2046 # words
	set -- $(in_ns lb awk '$1 == "wan:" { came = $3 } $1 == "s1:" { left = $11 " " $10 } END { print came, left }' /proc/net/dev)
	came=$(($1 - ${came_before:-0})) left=$(($2 - ${left_before:-0}))
	mean=$((($3 - ${bytes_before:-0}) / (left + 1)))
	came_before=$1 left_before=$2 bytes_before=$3
}

for state in on off; do
	offloads $state
	for f in 4 6; do
		is "IPv$f, offloads $state: download" "$(download $f)" "$big_md5"
		forwarded
		is "IPv$f, offloads $state: upload" "$(upload $f 9000)" "$big_md5"
		forwarded
		diag "packets of the client's: $came, to the server: $left, of $mean bytes"
		case $state in
		# how large TCP makes them is its own affair
		on)
			ok "large packets (mean $mean)" test "$mean" -gt 3000
			within "are forwarded whole" "$left" 1 $((came + came / 50 + 10))
			;;
		off) ok "and small ones are not merged (mean $mean)" test "$mean" -lt 1600 ;;
		esac
	done
done

offloads on
start iperf3 sv1 iperf3 -s
wait_listen sv1 tcp 5201
for f in 4 6; do
	for way in '' -R; do
		# shellcheck disable=SC2086 # words
		out=$(in_ns cl timeout $((10 * slow)) iperf3 -c "$(vip $f | tr -d '[]')" -t 1 -f m $way 2>&1)
		rate=$(echo "$out" | awk '/receiver/ { print $7 }')
		ok "IPv$f: iperf3 $way ${rate:-?} Mbit/s" test "${rate%%.*}" -gt 0
	done
	out=$(in_ns cl timeout $((10 * slow)) iperf3 -c "$(vip $f | tr -d '[]')" -u -b 10M -t 1 2>&1)
	like "IPv$f: iperf3 UDP" "$out" 'receiver'
done
verify

done_testing
