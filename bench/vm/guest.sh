#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh PAIRS CONNECTIONS REPEATS CONFIG...: in a guest whose clock counts instructions (run.sh --icount 0),
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

n_pairs=$1 n_connections=$2 repeats=$3
shift 3
# what a proof expects to see; the warm-up is beyond it
pairs=$((n_pairs * repeats))
connections=$((n_connections * repeats))

# measure METRIC N: prints the figures, one for each repeat
measure() {
	in_ns cl "$ops" "$1" "$to" $port "$2" "$repeats" >"$tmp/figures" 2>"$tmp/faults" ||
		bail "$config: $1: $(cat "$tmp/faults")"
	while read -r figure; do
		echo "# figure $config $1 $figure"
	done <"$tmp/figures"
}

ns_begin
ipvs_begin
is "programs are compiled" "$(cat /proc/sys/net/core/bpf_jit_enable)" 1
for config; do
	name=$(echo "$config" | tr - _)
	"set_up_$name"
	# kernel threads that IPVS starts, and what removing namespaces left to do
	sleep 5
	ok "$config: the clock counts instructions" "$ops" calm
	measure pair "$n_pairs"
	measure connection "$n_connections"
	"prove_$name"
	ns_clear
done
done_testing
