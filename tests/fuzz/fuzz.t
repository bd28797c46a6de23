#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs each fuzz target for FUZZ_SECONDS (default 3), on top of its committed inputs. What a run
# finds stays in build/fuzz: NAME-crash-* is the input to commit to tests/fuzz/corpus/NAME, as
# found-*, once the bug is mended.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
seconds=${FUZZ_SECONDS:-3}
n=0
failed=0

echo 1..3
for target in parse adm text; do
	n=$((n + 1))
	log=$build/fuzz/$target.log
	mkdir -p "$build/fuzz/$target"
	if "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=512 -timeout=5 \
		-artifact_prefix="$build/fuzz/$target-" -print_final_stats=1 "$build/fuzz/$target" \
		"$top/tests/fuzz/corpus/$target" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok $n - $target: $runs inputs in $seconds s"
	else
		echo "not ok $n - $target"
		tail -n 30 "$log" | sed 's/^/# /'
		failed=1
	fi
done
exit $failed
