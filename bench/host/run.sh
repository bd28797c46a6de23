#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench/host/run.sh [--short] [BENCH...]: what a director costs, side by side with others, as ratios; see
# docs/performance.md. Writes build/bench/figures, lines of "BENCH VARIANT ROUND VALUE [ENTRIES MADE]", and,
# unless --short, build/bench.json and build/bench.svg. Exit 1: a ratio is above what must hold.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../tests/lib/netns.sh"
# shellcheck source=bench/host/net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source=bench/host/sockets.sh
. "$(dirname "$0")/sockets.sh"

figures=$top/build/bench/figures
noise=$top/build/bench/noise
short=''
if [ "${1:-}" = --short ]; then
	short=1
	shift
fi

# kernel_bench BENCH ROUNDS BATCHES PACKETS FLOWS CONNS VARIANT...: directors of its own, all interleaved
kernel_bench() {
	k_bench=$1 k_rounds=$2 k_batches=$3 k_packets=$4 k_flows=$5 k_conns=$6
	shift 6
	variants=''
	ends
	k_n=0
	for k_v; do
		k_n=$((k_n + 1))
		director "$k_v" $k_n
		case $k_v in
		ipvs-bpf)
			bench_ours=lb$k_n
			with_ours $k_n "$k_conns"
			;;
		nft-dnat) with_nft $k_n ;;
		nft-masq) with_nft $k_n masquerade ;;
		esac
	done
	# shellcheck disable=SC2086 # words
	"$top/build/bench/live" "$k_bench" "$k_rounds" "$k_batches" "$k_packets" "$k_flows" \
		"/run/netns/$(ns_name cl)" "/run/netns/$(ns_name sv)" $variants >"$tmp/out" ||
		bail "$k_bench: no figures"
	cat "$tmp/out" >>"$figures"
	verify_ours
	k_bad=$(awk '$2 == "ipvs-bpf" && $6 && $5 != $6' "$tmp/out")
	[ -z "$k_bad" ] || bail "$k_bench: connections are missing: $k_bad"
	ns_clear
}

verify_ours() {
	v_out=$(ivb_in "$bench_ours" status --verify 2>&1) && echo "$v_out" | grep -q '^verify: .* 0 problems' ||
		bail "status --verify: $v_out"
}

# memory: bytes of the maps for a connection, both directions; conntrack's entry without its extensions
memory() {
	for m in "$bench_pins/$(ns_name "$bench_ours")"/v*/*; do
		case $m in
		*/flows4 | */conns4 | */clock4 | */due4 | */half_open4) bpftool -j map show pinned "$m" ;;
		esac
	done | awk -v conns=262144 '{
		if (match($0, /"bytes_memlock":[0-9]+/))
			sum += substr($0, RSTART + 16, RLENGTH - 16)
	} END { printf "mem ipvs-bpf 0 %.0f\n", sum / conns }' >>"$figures"
	awk '$1 == "nf_conntrack" { print "mem nft-masq 0", $4 }' /proc/slabinfo >>"$figures"
}

rounds() {
	if [ "$short" ]; then
		echo "$1"
	else
		echo "$2"
	fi
}

run() {
	case $1 in
	pkt-hot) kernel_bench pkt-hot "$(rounds 11 15)" 4 8192 256 65536 ipvs-bpf nft-masq null-neigh route ;;
	pkt-64k) kernel_bench pkt-64k "$(rounds 11 15)" 4 16384 65536 262144 ipvs-bpf nft-masq null-neigh route ;;
	new) kernel_bench new 11 3 4096 1 524288 ipvs-bpf nft-masq nft-dnat ;;
	conn) kernel_bench conn "$(rounds 7 11)" 8 1536 1 262144 ipvs-bpf nft-masq null-neigh route ;;
	flood-*)
		bench_half_open=2048
		kernel_bench "$1" 25 1 524288 1000 65536 ipvs-bpf
		bench_half_open=''
		;;
	prog) kernel_bench prog "$(rounds 7 15)" 6 65536 256 65536 ipvs-bpf null ;;
	sockets)
		need nginx wrk iperf3 haproxy bpftool
		sockets_begin ipvs-bpf nft-masq haproxy route
		socket_bench cpu 21
		socket_bench bulk 3
		socket_bench lat 3
		socket_bench requests 3
		memory
		verify_ours
		ns_clear
		;;
	*) bail "no bench $1" ;;
	esac
}

need nft
ns_begin
mkdir -p "$top/build/bench"
: >"$figures"
: >"$noise"
if [ $# -eq 0 ]; then
	set -- pkt-hot pkt-64k new conn
	[ "$short" ] || set -- "$@" prog sockets
fi
for bench; do
	run "$bench"
done

set --
[ "$short" ] || set -- -v json="$top/build/bench.json" -v svg="$top/build/bench.svg"
cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
awk "$@" -v machine="\"kernel\":\"$(uname -r)\",\"cpu\":\"$cpu\",\"cpus\":$(nproc)" -f "$top/bench/host/report.awk" \
	"$top/bench/host/targets.txt" "$noise" "$figures"
