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

# words FAMILY PORT WORD...: V becomes the virtual service's address, S1 S2 ... the servers', with that port; K1
# K2 ... the servers' with the kernel's.
words() {
	w_family=$1
	w_port=$2
	shift 2
	for w; do
		case $w in
		V) vip "$w_family" "$w_port" ;;
		K[1-9]*) rip "$w_family" "${w#K}" "$kernel_port" ;;
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

# Without other programs where possible: starting one is what takes time in a guest.

# slurp FILE: into $text
slurp() {
	text=''
	while IFS= read -r slurp_line || [ -n "$slurp_line" ]; do
		text="$text$slurp_line
"
	done <"$1"
}

# run_one COMMAND...: $status, $out and $err. What may differ is taken out: the connection table's size, the
# program's name, the note that the kernel has services as well, and our warnings: $warning has those.
run_one() {
	status=0
	"$@" >"$tmp/out" 2>"$tmp/err" <"${stdin:-/dev/null}" || status=$?
	slurp "$tmp/out"
	case $text in
	*' (size='*)
		out="${text%%" (size="*} (size=N)${text#*" (size="*")"}"
		;;
	*) out=$text ;;
	esac
	slurp "$tmp/err"
	warning=''
	while :; do
		case $text in
		'ipvs-bpf adm: note: the kernel'*) ;;
		'ipvs-bpf adm: warning: '*)
			warning=$warning${text%%"
"*}
			;;
		*) break ;;
		esac
		text=${text#*"
"}
	done
	err=''
	while :; do
		case $text in
		*'ipvs-bpf adm'*)
			err="$err${text%%'ipvs-bpf adm'*}ipvsadm"
			text=${text#*'ipvs-bpf adm'}
			;;
		*) break ;;
		esac
	done
	err=$err$text
}

# answers WORD...: the same command to both, word for word; 0 if they answer alike. -R reads standard input.
answers() {
	stdin=''
	[ "$1" != -R ] || {
		stdin=$tmp/in
		cat >"$stdin"
	}
	run_one kernel "$@"
	kernel_status=$status kernel_out=$out kernel_err=$err
	run_one ivb adm "$@"
	[ "$status" = "$kernel_status" ] && [ "$err" = "$kernel_err" ] && [ "$out" = "$kernel_out" ]
}

explain() {
	[ "$kernel_status" = "$status" ] || diag "status: ipvsadm $kernel_status, ours $status"
	for explain_what in err out; do
		eval "printf %s \"\$kernel_$explain_what\" >\"\$tmp/kernel\"; printf %s \"\$$explain_what\" >\"\$tmp/ours\""
		diag "$(diff -U 1 "$tmp/kernel" "$tmp/ours" | sed 1,3d)"
	done
}

# eq WORD...: they must.
eq() {
	eq_rc=0
	answers "$@" || eq_rc=1
	tap_result "$eq_rc" "adm $*" || explain
}

# differs ROW STATUS TEXT WORD...: a difference that docs/differences.md has, in the row that begins with ROW: ours
# ends with that status and an error with TEXT. No longer a difference? Then it should not be there.
differs() {
	d_reason=$1 d_status=$2 d_text=$3
	printf '%s\n' "$d_reason" >>"$tmp/differences"
	shift 3
	d_rc=0
	! answers "$@" || [ "$warning" ] || d_rc=1
	case $status:$warning$err in
	"$d_status":*"$d_text"*) ;;
	*) d_rc=1 ;;
	esac
	tap_result "$d_rc" "adm $* (differs: $d_reason)" || {
		diag "wanted status $d_status and an error with '$d_text'; what differs:"
		explain
	}
}

# later WORD..., method WORD...: refused by name, never ignored.
later() {
	differs "refused by name" 2 'comes with a later version of ipvs-bpf' "$@"
}

method() {
	differs "forwarding method" 2 'comes with a later version of ipvs-bpf' "$@"
}

# differences_are_known: the rows that differs() was given are all there
differences_are_known() {
	awk -F ' *[|] *' '/^## The bpf engine/ { on = 1 } on { gsub(/`/, "", $2); print $2 }' \
		"$top/docs/differences.md" >"$tmp/rows"
	is "every difference has its row in docs/differences.md" "$(sort -u "$tmp/differences" | grep -vxF -f "$tmp/rows")" ''
}

# reset: both engines without services
reset() {
	kernel -C
	ivb adm -C
}
