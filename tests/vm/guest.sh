#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh TEST:SECONDS...: runs inside a guest; runs each test program in turn, under its deadline, and
# sends what it says to the host, line by line: "@ begin TEST", "|" + a line of its output, "!" + a line of
# its errors, "@ end TEST STATUS". Then it clears away whatever the test left behind. tests/vm/tap.awk reads it.
set -u

# what tests take for a slow machine
export IVB_SLOW=1
top=/ipvs-bpf
cd "$top" || exit 1

processes() {
	for p in /proc/[0-9]*; do
		echo "${p#/proc/}"
	done
}

# Only user processes have a command line; those of `$keep` are ours.
leftovers() {
	processes | while read -r p; do
		case $keep in
		*" $p "*) continue ;;
		esac
		what=$(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline") || continue
		[ -z "$what" ] || echo "$p $what"
	done
}

tidy() {
	leftovers | grep -v guest.sh | while read -r p what; do
		echo "!left a process behind: $what"
		kill -9 "$p" 2>/dev/null
	done
	ip netns list | while read -r ns _; do
		echo "!left a network namespace behind: $ns"
		ip netns delete "$ns"
	done
	for d in /sys/fs/bpf/*; do
		[ -e "$d" ] || continue
		[ -z "$(find "$d" ! -type d)" ] || echo "!left pins behind: $d"
		rm -rf "$d"
	done
	for d in /sys/class/net/*; do
		d=${d##*/}
		case $d in
		lo | bonding_masters) ;;
		*) ! ip link delete "$d" 2>/dev/null || echo "!left a device behind: $d" ;;
		esac
	done
	[ ! -e /proc/net/ip_vs ] || ipvsadm -C
}

# A deadline in the guest's time: with idle time skipped, a test that hangs asleep is found at once.
run() {
	echo "@ begin $1"
	keep=" $(processes | tr '\n' ' ')"
	mkfifo /run/test.out /run/test.err
	sed -u 's/^/|/' </run/test.out &
	sed -u 's/^/!/' </run/test.err &
	rc=0
	timeout -k 10 "$2" "./$1" </dev/null >/run/test.out 2>/run/test.err || rc=$?
	keep="$keep$(jobs -p | tr '\n' ' ')"
	tidy >/run/tidy
	# the writers are gone now, and so the readers end
	wait
	# should the last line have had no end
	echo
	cat /run/tidy
	rm -f /run/test.out /run/test.err
	echo "@ end $1 $rc"
}

kernel_log() {
	echo "@ begin kernel-log"
	bad=$(dmesg | grep -A 40 -m 1 -E 'WARNING:|BUG:|Oops|general protection|Call Trace|unregister_netdevice: waiting')
	echo "|${bad:+not }ok 1 - the kernel had nothing to complain of"
	[ -z "$bad" ] || printf '%s\n' "$bad" | sed 's/^/!/'
	echo "|1..1"
	echo "@ end kernel-log 0"
}

for t; do
	run "${t%:*}" "${t##*:}"
done
kernel_log
