#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench/host/scale.sh [SCHEDULER...]: the same packets through a small and through a large instance: a hot
# packet's cost with a million connections in the table, a new connection's with 1,024 servers in the
# service; and what listing a million connections takes. NEW_ONLY=1: schedulers alone.
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
		$variants >"$tmp/out" ||
		bail "$9: no figures: $(for p_lb in lb1 lb2; do ivb_in $p_lb status | sed -n '/^dropped/,$p'; done)"
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
}

# listings: processor time and memory of commands that read all connections
listings() {
	for l_what in 'conn --count' 'conn' 'conn --json' 'conn --sort bytes' 'adm -L -n -c' 'adm --json -L -c' 'stats' \
		'status --verify'; do
		# shellcheck disable=SC2046,SC2086 # words
		set -- $("$top/build/bench/usage" "$ipvs_bpf" --netns "$(ns_name lb1)" $l_what)
		[ $# = 4 ] || bail "$l_what failed"
		printf '  %-24s %8d lines %10d bytes %6d ms %7d kB\n' "$l_what" "$@"
	done
}

ns_begin
[ $# -gt 0 ] || set -- rr wrr lc wlc sed nq fo ovf lblc lblcr twos sh dh mh
m=1000000
[ "${NEW_ONLY:-}" ] || {
	pair 9 16384 pkt-64k 256 1048576 $m 64 64 "256 flows, a million connections : 256"
	listings
	ns_clear
	pair 9 65536 pkt-64k 65536 1048576 $m 64 64 "65536 flows in turn, a million connections : 65536"
	ns_clear
}
# shellcheck disable=SC2034 # for net.sh
for scheduler; do
	# where one server gets all of them, its ports and its weight must suffice
	weight=1
	packets=4096
	case $scheduler in
	fo | ovf | lblc | lblcr | dh)
		weight=65535
		packets=2048
		;;
	esac
	pair 7 $packets new 1 524288 0 1024 16 "new connection, $scheduler, 1024 servers : 16"
	ns_clear
done
