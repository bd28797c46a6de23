# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host's side of the instruction bench. bench_boot KERNEL BOOT REPEATS CONFIG...: one guest; its TAP goes to
# standard output, and its figures, as lines "KERNEL BOOT CONFIG METRIC INSTRUCTIONS", are added to
# $bench_dir/figures.

bench_dir=${BUILD:-build}/vm/bench

bench_begin() {
	mkdir -p "$bench_dir"
	: >"$bench_dir/figures"
}

bench_boot() {
	boot_kernel=$1 boot_n=$2 boot_repeats=$3
	shift 3
	boot_rc=0
	tools/vm/run.sh --kernel "$boot_kernel" --icount 0 --timeout "${IVB_VM_TIMEOUT:-600}" \
		--console "$bench_dir/console-$boot_kernel.log" \
		-- sh bench/vm/guest.sh "$boot_repeats" "$@" >"$bench_dir/out" \
		2>"$bench_dir/errors" || boot_rc=$?
	sed -n "s/^# figure /$boot_kernel $boot_n /p" "$bench_dir/out" >>"$bench_dir/figures"
	cat "$bench_dir/out"
	sed 's/^/# /' "$bench_dir/errors"
	return $boot_rc
}

# bench_report [VARIABLE=VALUE...]: of all figures so far (see report.awk)
# shellcheck disable=SC2086 # words
bench_report() {
	bench_vars=''
	for v; do
		bench_vars="$bench_vars -v $v"
	done
	awk $bench_vars -f bench/vm/report.awk bench/vm/targets.txt "$bench_dir/figures"
}
