#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Takes the ratios that `check` holds on to over from build/bench.json, the last `make bench`.
set -eu
cd "$(dirname "$0")/../.."
json=build/bench.json
[ -s "$json" ] || {
	echo "bench-record: no $json; run make bench first" >&2
	exit 1
}
sed '/^[^#]/d' bench/host/recorded.txt >build/bench/recorded
sed '/^[#]/d; s/^\([^ ]* [^ ]*\).*/\1/' bench/host/recorded.txt | while read -r bench base; do
	sed -n "s/.*\"bench\":\"$bench\".*\"baseline\":\"$base\".*\"median\":\([0-9.]*\).*/$bench $base \1/p" "$json"
done >>build/bench/recorded
mv build/bench/recorded bench/host/recorded.txt
