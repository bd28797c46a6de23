#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots a stock Debian kernel under QEMU with this tree in /ipvs-bpf, runs COMMAND there, streams its output
# and returns its exit status; 124: the deadline passed, 125: the guest died. By default a guest skips idle
# time (-icount ...,sleep=off): a test that sleeps for ten minutes takes seconds.
set -eu

usage() {
	cat >&2 <<-EOT
	usage: run.sh --kernel 6.1|6.12|7.3 [options] -- COMMAND [ARGUMENT]...
	       run.sh --kernel 6.1|6.12|7.3 [options] --shell
	  --smp N               processors (default 1; more need --icount off)
	  --icount auto|0|off   auto: skip idle time; 0: the same, and 1 instruction = 1 ns; off: real time, and
	                        KVM if this host has it (default: auto; with --smp above 1 or --shell: off)
	  --mem SIZE            memory (default 1G)
	  --timeout SECONDS     deadline in real time (default 300; none with --shell)
	  --add SRC[:DEST]      lay a file or folder into the guest at DEST (default: /SRC's last part)
	  --console FILE        keep what the guest's console said
	  --shell               an interactive shell on this terminal instead of COMMAND
	EOT
	exit 2
}

die() {
	echo "run.sh: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
kernel='' smp=1 icount='' mem=1G limit=300 console='' shell='' adds=''
while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --smp | --icount | --mem | --timeout | --add | --console)
		[ $# -ge 2 ] || usage
		case $1 in
		--kernel) kernel=$2 ;;
		--smp) smp=$2 ;;
		--icount) icount=$2 ;;
		--mem) mem=$2 ;;
		--timeout) limit=$2 ;;
		--console) console=$2 ;;
		--add) adds="$adds$2
" ;;
		esac
		shift 2
		;;
	--shell)
		shell=1
		shift
		;;
	--)
		shift
		break
		;;
	*) usage ;;
	esac
done
[ -n "$kernel" ] || usage
[ -n "$shell" ] || [ $# -gt 0 ] || usage
if [ -z "$icount" ]; then
	icount=auto
	[ -z "$shell" ] && [ "$smp" = 1 ] || icount=off
fi
case $icount in
auto | 0) [ "$smp" = 1 ] || die "--icount $icount counts one processor's instructions: use --smp 1 or --icount off" ;;
off) ;;
*) usage ;;
esac
command -v qemu-system-x86_64 >/dev/null ||
	die "this host has no qemu-system-x86_64 (Debian package qemu-system-x86); tools/install-packages.sh installs it"

base=$("$here/mkbase.sh" "$kernel")
tree=$("$here/fetch-kernel.sh" "$kernel")
set_vmlinuz() {
	vmlinuz=$1
}
set_vmlinuz "$tree"/boot/vmlinuz-*

work=$(mktemp -d "${TMPDIR:-/tmp}/ipvs-bpf-vm.XXXXXX")
guest=''
tty=''
# shellcheck disable=SC2317 # called by the trap
undo() {
	# QEMU, or `timeout`, which passes the signal on to it
	[ -z "$guest" ] || kill "$guest" 2>/dev/null || :
	[ -z "$tty" ] || stty "$tty" 2>/dev/null || :
	rm -rf "$work"
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# add SRC DEST: DEST is a path in the guest.
add() {
	[ -e "$1" ] || die "--add $1: no such file"
	mkdir -p "$work/root$(dirname "$2")"
	cp -RL --preserve=mode,timestamps "$1" "$work/root$2"
}

quote() {
	for a; do
		printf " '"
		printf '%s' "$a" | sed "s/'/'\\\\''/g"
		printf "'"
	done
	echo
}

overlay() {
	mkdir -p "$work/root/ipvs-bpf/build"
	for d in demo check tests tools bench docs; do
		[ ! -e "$top/$d" ] || add "$top/$d" "/ipvs-bpf/$d"
	done
	(
		cd "$top"
		[ ! -d build ] || find build/ipvs-bpf build/abi-test/ipvs-bpf build/build-test/ipvs-bpf build/tests build/bench build/bpf -type f \
			! -name '*.[acdoh]' -o -name '*.bpf.o' 2>/dev/null
	) | while read -r f; do
		add "$top/$f" "/ipvs-bpf/$f"
	done
	printf '%s' "$adds" | while IFS= read -r a; do
		case $a in
		*:/*) add "${a%%:/*}" "/${a#*:/}" ;;
		*) add "$a" "/$(basename "$a")" ;;
		esac
	done
	# what our own programs need and no program of the base does (a sanitizer's runtime, say)
	find "$work/root" -type f -perm -u+x -exec ldd {} + 2>/dev/null |
		sed -n 's,^[^/]*\(/[^ :]*\) (0x.*,\1,p' | sort -u >"$work/libs"
	while read -r l; do
		case $l in
		/lib*) dest=/usr$l ;;
		*) dest=$l ;;
		esac
		grep -qxF ".$dest" "$base.list" || add "$l" "$dest"
	done <"$work/libs"
	[ $# -eq 0 ] || {
		printf 'exec'
		quote "$@"
	} >"$work/root/command"
	(cd "$work/root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/overlay"
	cat "$base" "$work/overlay" >"$work/initrd"
	rm -rf "$work/root" "$work/overlay"
}
overlay "$@"

# A host may have /dev/kvm and yet not be able to run a guest: ask QEMU itself, once.
kvm_works() {
	{
		sleep 0.3
		printf 'info status\nquit\n'
	} | timeout 5 qemu-system-x86_64 -accel kvm -cpu host -nodefaults -display none -serial none \
		-monitor stdio | grep -q 'VM status: running'
}

set -- -nodefaults -no-reboot -display none -monitor none -m "$mem" -smp "$smp" -kernel "$vmlinuz" -initrd "$work/initrd"
case $icount in
off)
	if kvm_works 2>/dev/null; then
		set -- "$@" -accel kvm -cpu host
	else
		set -- "$@" -accel tcg,thread=multi -cpu max
	fi
	;;
# rdrand must stay on: without it the guest's random numbers are never ready, as idle time gives no noise
*) set -- "$@" -accel tcg -cpu max -icount "shift=$icount,sleep=off" ;;
esac
args='console=ttyS0 quiet loglevel=4 oops=panic panic=-1'
# what only costs time under emulation
args="$args mitigations=off init_on_alloc=0 no5lvl cryptomgr.notests tsc=reliable"
# QEMU keeps what it has translated by virtual address: with programs at random ones, each start is a first one
# (three times the cost of starting one)
args="$args norandmaps"

if [ -n "$shell" ]; then
	[ -t 0 ] || die "--shell needs a terminal"
	tty=$(stty -g)
	size=$(stty size)
	args="$args ivb.mode=shell ivb.rows=${size% *} ivb.cols=${size#* } ivb.term=${TERM:-vt100}"
	# in the background, so that a signal to this script ends the guest; signal=off: Ctrl-C is the guest's
	exec 3<&0
	qemu-system-x86_64 "$@" -append "$args" -chardev stdio,id=con,signal=off -serial chardev:con <&3 &
	guest=$!
	rc=0
	wait "$guest" || rc=$?
	guest=''
	[ "$rc" = 0 ] || die "QEMU failed: see above"
	exit 0
fi

mkfifo "$work/out"
: >"$work/console"
# held open for writing here until QEMU has ended, so that the reader ends then, whether QEMU opened it or not
exec 8<>"$work/out"
cat "$work/out" 8>&- &
reader=$!
timeout -k 5 "$limit" qemu-system-x86_64 "$@" -append "$args" -serial "file:$work/console" \
	-device virtio-serial-pci -chardev "file,id=out,path=$work/out" -device virtserialport,chardev=out,name=out \
	-chardev "file,id=status,path=$work/status" -device virtserialport,chardev=status,name=status \
	</dev/null >"$work/qemu" 2>&1 8>&- &
guest=$!
rc=0
wait "$guest" || rc=$?
guest=''
exec 8>&-
wait "$reader" || :
[ -z "$console" ] || tr -d '\r' <"$work/console" >"$console"
if [ -s "$work/status" ]; then
	exit "$(cat "$work/status")"
fi
{
	cat "$work/qemu"
	if [ "$rc" = 124 ] || [ "$rc" = 137 ]; then
		echo "run.sh: the guest was ended: it was not done after $limit seconds"
		rc=124
	else
		echo "run.sh: the guest died; the end of its console:"
		tail -n 30 "$work/console" | tr -d '\r'
		rc=125
	fi
} >&2
exit "$rc"
