# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bench_gate KERNEL: one boot; every ratio that recorded.txt has for this kernel may be exceeded by 5 % at most.
# TAP. Counted instructions do not depend on what else the host does.
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=bench/vm/lib.sh
. bench/vm/lib.sh

# proofs KERNEL: the guest's own results
proofs() {
	while IFS= read -r line; do
		case $line in
		'ok '*) tap_result 0 "$1 ${line#* - }" ;;
		'not ok '*) tap_result 1 "$1 ${line#* - }" ;;
		'Bail out!'*) tap_result 1 "$1 $line" ;;
		1..*) planned=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done <"$bench_dir/tap"
}

# judge KERNEL CONFIG METRIC RECORDED
judge() {
	got=$(awk -v k="$1" -v c="$2" -v m="$3" '$1 == k && $2 == c && $3 == m { print $4 }' "$bench_dir/ratios")
	verdict=$(awk -v got="${got:-none}" -v was="$4" 'BEGIN {
		print (got == "none" ? "missing" : got > was * 1.05 ? "worse" : got < was * 0.95 ? "better" : "same")
	}')
	judge_rc=0
	case $verdict in
	better) diag "better than recorded by more than 5 %: make bench-vm bench-vm-record" ;;
	worse | missing) judge_rc=1 ;;
	esac
	tap_result $judge_rc "$1 $2, per $3: ${got:-no} ratio, recorded $4"
}

bench_gate() {
	bench_dir=$bench_dir-$1
	bench_begin
	sed -n "s/^$1 //p" bench/vm/recorded.txt >"$bench_dir/recorded"
	# shellcheck disable=SC2046 # words
	bench_boot "$1" 1 3 direct ipvs-masq $(cut -d ' ' -f 1 "$bench_dir/recorded" | sort -u) >"$bench_dir/tap"
	gate_rc=$?
	planned=none
	proofs "$1"
	is "$1 the guest ran to its end" "$gate_rc $planned" "0 $tap_count"
	bench_report as=ratios >"$bench_dir/ratios"
	while read -r config metric was; do
		judge "$1" "$config" "$metric" "$was"
	done <"$bench_dir/recorded"
	done_testing
}
