#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [BOOTS [CONFIG...]]: what the director spends on both kernels, counted in guests: a table, and
# build/bench-vm.json. Every boot measures all configs, each time beginning with another one.
set -u
cd "$(dirname "$0")/../.." || exit
. bench/vm/lib.sh
# shellcheck source=bench/vm/configs.sh
. bench/vm/configs.sh

boots=${1:-3}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || eval "set -- $all_configs"

kernels='6.1 6.12'
bench_begin
rc=0
boot=1
while [ "$boot" -le "$boots" ]; do
	for kernel in $kernels; do
		echo "== boot $boot of $boots, $kernel: $*" >&2
		bench_boot "$kernel" "$boot" 3 "$@" >"$bench_dir/tap" || rc=1
		grep -A 3 -E '^(not ok|Bail out)' "$bench_dir/tap" >&2 && rc=1
	done
	first=$1
	shift
	set -- "$@" "$first"
	boot=$((boot + 1))
done
bench_report "json=${BUILD:-build}/bench-vm.json"
[ "$rc" = 0 ] || echo "run.sh: not every proof held: see above" >&2
exit $rc
