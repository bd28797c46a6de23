#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# record.sh: what bench-vm measured last becomes what `check` compares with.
set -eu
cd "$(dirname "$0")/../.."
. bench/vm/lib.sh
[ -s "$bench_dir/figures" ] || {
	echo "record.sh: nothing measured yet: make bench-vm" >&2
	exit 1
}
{
	echo "# KERNEL CONFIG METRIC RATIO, as bench/vm/targets.txt has them. Written by \`make bench-vm-record\`."
	bench_report as=ratios | grep -E ' (null|ipvs-engine|bpf-engine) '
} >bench/vm/recorded.new
mv bench/vm/recorded.new bench/vm/recorded.txt
