# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel IPVS as the oracle: the same commands are given to it (ipvsadm) and to ipvs-bpf (adm), in one network
# namespace, and what they answer is compared. Only in guests: not every host's kernel has IPVS.
# Where the two meet on the wire they have ports of their own: the kernel 5001, on virtual and real servers,
# ours 5002. So no connection of one can be taken for one of the other.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck disable=SC2154 # from netns.sh
talk=$top/build/tests/parity/talk
kernel_port=5001
ours_port=5002

# parity_begin SERVERS: the network with that many servers, both engines ready, nothing configured.
parity_begin() {
	[ -e /proc/net/ip_vs ] || modprobe ip_vs 2>/dev/null || skip_all "this kernel has no IPVS to compare with"
	need ipvsadm
	[ -x "$talk" ] || bail "no $talk: run make check-vm"
	ns_begin
	servers=$(seq "$1" | tr '\n' ' ')
	two_armed
	servers_route_back
	for n in $servers; do
		for p in $kernel_port $ours_port; do
			start "talk-$n-$p" "sv$n" "$talk" serve "$p" "sv$n"
		done
	done
	for n in $servers; do
		wait_listen "sv$n" tcp $ours_port
		wait_listen "sv$n" tcp $kernel_port
	done
	ok "ipvs-bpf comes up" up
	# or the kernel would answer only some of the connections that nobody serves
	in_ns lb sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000
	sport=20000
}

# The director's kernel IPVS.
kernel() {
	in_ns lb ipvsadm "$@"
}

# words FAMILY PORT WORD...: V becomes the virtual service's address, S1 S2 ... the servers', with that port.
words() {
	w_family=$1
	w_port=$2
	shift 2
	for w; do
		case $w in
		V) vip "$w_family" "$w_port" ;;
		S[1-9]*) rip "$w_family" "${w#S}" "$w_port" ;;
		*) printf '%s\n' "$w" ;;
		esac
	done
}

# both FAMILY WORD...: one change, made to both engines; the test ends if either refuses it.
# shellcheck disable=SC2046 # words
both() {
	both_f=$1
	shift
	kernel $(words "$both_f" $kernel_port "$@") || bail "kernel IPVS refused: $*"
	ivb adm $(words "$both_f" $ours_port "$@") || bail "ipvs-bpf refused: $*"
}

# same DESCRIPTION FAMILY tcp|udp COUNT: over COUNT new connections, one at a time, both engines choose the
# same servers in the same order. A source port is used once, so that no connection is an old one.
same() {
	case $2 in
	4) same_vip=$vip4 ;;
	6) same_vip=$vip6 ;;
	esac
	in_ns cl "$talk" ask "$3" "$same_vip" "$sport" "$4" $kernel_port $ours_port >"$tmp/chosen"
	sport=$((sport + $4))
	{
		read -r same_kernel
		read -r same_ours
	} <"$tmp/chosen"
	is "$1" "$same_ours" "$same_kernel"
}

# run_one FILE COMMAND...: its status in $status, its output in $tmp/FILE.out and .err; what legitimately differs
# is taken out: the connection table's size, the program's name, and the note that kernel IPVS has services too.
run_one() {
	run_file=$tmp/$1
	shift
	status=0
	"$@" >"$run_file.raw" 2>"$run_file.rawerr" </dev/null || status=$?
	sed 's/(size=[0-9]*)/(size=N)/' "$run_file.raw" >"$run_file.out"
	sed -e '/^ipvs-bpf adm: note: the kernel/d' -e 's/ipvs-bpf adm/ipvsadm/g' "$run_file.rawerr" >"$run_file.err"
}

# answers WORD...: the same command to both, word for word; 0 if they answer alike, else $answer tells.
answers() {
	run_one kernel kernel "$@"
	kernel_status=$status
	run_one ours ivb adm "$@"
	ours_status=$status
	answer=$({
		[ "$kernel_status" = "$ours_status" ] || echo "status: ipvsadm $kernel_status, ours $ours_status"
		diff -U 1 "$tmp/kernel.err" "$tmp/ours.err" || :
		diff -U 1 "$tmp/kernel.out" "$tmp/ours.out" || :
	} | sed '/^+++ /d; /^--- /d; /^@@/d')
	[ -z "$answer" ]
}

# eq WORD...: they must.
eq() {
	eq_rc=0
	answers "$@" || eq_rc=1
	tap_result "$eq_rc" "adm $*" || diag "$answer"
}

# differs REASON STATUS ERE WORD...: a listed difference: ours ends with that status and an error like ERE.
# No longer a difference? Then it should not be listed.
differs() {
	d_reason=$1 d_status=$2 d_ere=$3
	shift 3
	d_rc=0
	! answers "$@" || d_rc=1
	[ "$ours_status" = "$d_status" ] && grep -Eq -e "$d_ere" "$tmp/ours.err" || d_rc=1
	tap_result "$d_rc" "adm $* (differs: $d_reason)" ||
		diag "wanted status $d_status and an error like /$d_ere/; the difference is: ${answer:-none}"
}

# reset: both engines without services
reset() {
	kernel -C
	ivb adm -C
}
