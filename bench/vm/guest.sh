#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh REPEATS CONFIG...: in a guest whose clock counts instructions (run.sh --icount 0),
# measures each config of configs.sh in a network of its own. TAP, with lines "# figure CONFIG METRIC
# INSTRUCTIONS" in it: of the client, the server and the director together, for one operation.
export IVB_SLOW=1
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../tests/lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
ops=$top/build/bench/ops
null=$top/build/bench/null
# shellcheck source=bench/vm/configs.sh
. "$top/bench/vm/configs.sh"

# a repeat is that many batches of so many operations
batches=16 batch_pairs=40 batch_connections=8
repeats=$1
shift
# what a proof expects to see, at least
pairs=$((batch_pairs * batches * repeats))
connections=$((batch_connections * batches * repeats))

# measure METRIC N: prints the figures, one for each repeat
measure() {
	in_ns cl "$ops" "$1" "$to" $port "$2" $batches "$repeats" >"$tmp/figures" 2>"$tmp/faults" ||
		bail "$config: $1: $(cat "$tmp/faults")"
	while read -r figure; do
		echo "# figure $config $1 $figure"
	done <"$tmp/figures"
}

ns_begin
ipvs_begin
# and stay so: a packet to a stale one takes another way
sysctl -qw net.ipv4.neigh.default.base_reachable_time_ms=3600000
is "programs are compiled" "$(cat /proc/sys/net/core/bpf_jit_enable)" 1
for config; do
	name=$(echo "$config" | tr - _)
	"set_up_$name"
	# neighbours become reachable; kernel threads of IPVS, and what removing namespaces leaves to do, come to rest
	in_ns cl "$ops" pair "$to" $port 1 2 1 >"$tmp/figures" 2>&1 || bail "$config: $(cat "$tmp/figures")"
	sleep 10
	ok "$config: the clock counts instructions" "$ops" calm
	measure pair $batch_pairs
	measure connection $batch_connections
	"prove_$name"
	ns_clear
done
done_testing
