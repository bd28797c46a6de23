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

# mean DEV: bytes per packet that left the director there since the last call
packets=0
bytes=0
mean() {
	# shellcheck disable=SC2016,SC2046 # awk; two words
	set -- $(in_ns lb awk -v d="$1:" '$1 == d { print $10, $11 }' /proc/net/dev)
	mean=$((($1 - bytes) / ($2 - packets + 1)))
	bytes=$1
	packets=$2
}

for state in on off; do
	offloads $state
	for f in 4 6; do
		is "IPv$f, offloads $state: download" "$(download $f)" "$big_md5"
		mean s1
		is "IPv$f, offloads $state: upload" "$(upload $f 9000)" "$big_md5"
		mean s1
		diag "mean size of packets to the server: $mean"
		case $state in
		on) ok "large packets are forwarded whole (mean $mean)" test "$mean" -gt 10000 ;;
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
