# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host's side of the vm tier: vm_tier KERNEL boots guests (one for each number of processors that
# guest-tests.txt asks for), runs the listed tests in them, and prints one TAP stream.
# build/vm/KERNEL/ keeps each guest's console.

# listed KERNEL: "SMP TEST:SECONDS" for each test of the list that is meant for this kernel; with
# IVB_GUEST_ALL=1 for each of the list.
listed() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "${IVB_GUEST_TESTS:-tests/vm/guest-tests.txt}" | while read -r test options; do
		smp=1 seconds=600 only=
		for o in $options; do
			case $o in
			smp=*) smp=${o#*=} ;;
			timeout=*) seconds=${o#*=} ;;
			kernel=*) only=${o#*=} ;;
			*)
				echo "guest-tests.txt: $test: unknown option '$o'" >&2
				exit 1
				;;
			esac
		done
		case ",${only:-$1}," in
		*",$1,"*) echo "$smp $test:$seconds" ;;
		*) [ -z "${IVB_GUEST_ALL-}" ] || echo "$smp $test:$seconds" ;;
		esac
	done
}

# boot KERNEL SMP TEST:SECONDS...: the deadline is in real time, and for all of them.
boot() {
	boot_kernel=$1 boot_smp=$2
	shift 2
	boot_label=$boot_kernel
	[ "$boot_smp" = 1 ] || boot_label=$boot_kernel-smp$boot_smp
	echo "@ boot $boot_label"
	for t; do
		echo "@ expect ${t%:*}"
	done
	echo "@ expect kernel-log"
	boot_rc=0
	tools/vm/run.sh --kernel "$boot_kernel" --smp "$boot_smp" --timeout "${IVB_VM_TIMEOUT:-1800}" \
		--console "$vm_dir/console-smp$boot_smp.log" \
		-- env "IVB_KERNEL=$boot_kernel" sh tests/vm/guest.sh "$@" 2>"$vm_dir/run.err" || boot_rc=$?
	sed 's/^/!/' "$vm_dir/run.err"
	case $boot_rc in
	0) echo "@ over the guest ended early" ;;
	124) echo "@ over the guest passed its deadline" ;;
	125) echo "@ over the guest died (see $vm_dir/console-smp$boot_smp.log)" ;;
	*) echo "@ over the guest could not be run (status $boot_rc)" ;;
	esac
}

# One processor first: most tests are there, and idle time is skipped.
boots() {
	listed "$1" >"$vm_dir/list" || {
		echo "@ boot $1"
		echo "@ expect guest-tests.txt"
		echo "@ over it cannot be read"
		return
	}
	cut -d ' ' -f 1 "$vm_dir/list" | sort -nu | while read -r smp; do
		# shellcheck disable=SC2046 # a list of names
		boot "$1" "$smp" $(sed -n "s/^$smp //p" "$vm_dir/list") </dev/null
	done
}

vm_tier() {
	vm_dir=${BUILD:-build}/vm/$1
	mkdir -p "$vm_dir"
	# mawk, Debian's awk, would read ahead until its buffer is full
	case $(awk -W version 2>&1 </dev/null) in
	mawk*) vm_awk='awk -W interactive' ;;
	*) vm_awk="awk" ;;
	esac
	boots "$1" | $vm_awk -f tests/vm/tap.awk
}
