#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench/host/scale.sh [SCHEDULER...]: the same packets through a small and through a large instance: a hot
# packet's cost with a million connections in the table, a new connection's with 1,024 servers in the
# service. NEW_ONLY=1: the latter alone.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../tests/lib/netns.sh"
# shellcheck source=bench/host/net.sh
. "$(dirname "$0")/net.sh"
# shellcheck disable=SC2034 # for net.sh
protocols=t

# pair ROUNDS PACKETS BENCH FLOWS CONNS FILL DESTS-LARGE DESTS-SMALL WORDS: prints medians and their ratio
pair() {
	variants=''
	ends
	director large 1
	dests=$7
	with_ours 1 "$5"
	variants=$variants:$6
	director small 2
	dests=$8
	with_ours 2 524288
	# shellcheck disable=SC2086 # words
	"$top/build/bench/live" "$3" "$1" 4 "$2" "$4" "/run/netns/$(ns_name cl)" "/run/netns/$(ns_name sv)" \
		$variants >"$tmp/out" || bail "$9: no figures"
	p_wrong=$(awk '$5 != $6' "$tmp/out")
	[ -z "$p_wrong" ] || bail "$9: connections are missing: $p_wrong"
	for p_lb in lb1 lb2; do
		p_out=$(ivb_in $p_lb status --verify 2>&1) || bail "$9: status --verify: $p_out"
	done
	sort -k2,2 -k4,4n "$tmp/out" | awk -v what="$9" '
		{ n[$2]++; v[$2, n[$2]] = $4; r[$3, $2] = $4; most = $5 > most ? $5 : most }
		END {
			large = v["large", int((n["large"] + 1) / 2)]
			small = v["small", int((n["small"] + 1) / 2)]
			printf "%-58s %6.0f %6.0f ns  %.2f  (%d connections)\n", what, large, small, large / small, most
		}'
	ns_clear
}

ns_begin
[ $# -gt 0 ] || set -- rr wrr
m=1000000
[ "${NEW_ONLY:-}" ] || pair 9 16384 pkt-64k 256 1048576 $m 64 64 "256 flows, a million connections : 256"
[ "${NEW_ONLY:-}" ] || pair 9 65536 pkt-64k 65536 1048576 $m 64 64 "65536 flows in turn, a million connections : 65536"
# shellcheck disable=SC2034 # for net.sh
for scheduler; do
	pair 7 4096 new 1 524288 0 1024 16 "new connection, $scheduler, 1024 servers : 16"
done
