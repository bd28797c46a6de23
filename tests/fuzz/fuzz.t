#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the fuzz target for FUZZ_SECONDS (default 5), on top of its committed inputs. What a run
# finds stays in build/fuzz: crash-* is the input to commit to tests/fuzz/corpus, as found-*, once
# the bug is mended.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
seconds=${FUZZ_SECONDS:-5}
log=$build/fuzz/parse.log

echo 1..1
mkdir -p "$build/fuzz/parse"
if "$build/tests/fuzz/fuzz_parse" -max_total_time="$seconds" -max_len=512 -timeout=5 \
	-artifact_prefix="$build/fuzz/" -print_final_stats=1 "$build/fuzz/parse" \
	"$top/tests/fuzz/corpus/parse" >"$log" 2>&1; then
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	echo "ok 1 - parse: $runs inputs in $seconds s"
else
	echo "not ok 1 - parse"
	tail -n 30 "$log" | sed 's/^/# /'
	exit 1
fi
