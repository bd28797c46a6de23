# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Namespaces, processes and waiting for tests and the demo: all that is made here is undone when the
# script ends, also on a signal. Namespaces are named ivb-<pid>-<short name>, so runs do not collide.

# Scripts live two folders below the top, and start with: . "$(dirname "$0")/../lib/netns.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=tests/lib/topology.sh
. "$top/tests/lib/topology.sh"
# shellcheck source=tests/lib/services.sh
. "$top/tests/lib/services.sh"
ipvs_bpf=${IPVS_BPF:-$top/build/ipvs-bpf}
tooldir=$top/build/tests/tools

ns_prefix=ivb-$$
ns_list=''
ns_lb=''
proc_list=''
tmp=''

# Guests emulate their processor: deadlines are longer there, and amounts smaller.
if [ -n "${IVB_SLOW:-}" ]; then
	slow=10
else
	slow=1
fi

# few FAST SLOW: an amount.
few() {
	if [ "$slow" = 1 ]; then
		echo "$1"
	else
		echo "$2"
	fi
}

# The name that `ip netns` and --netns know.
ns_name() {
	echo "$ns_prefix-$1"
}

# in_ns SHORT COMMAND...: unlike `ip netns exec` it keeps the mounts, hence bpffs.
in_ns() {
	in_ns_file=/run/netns/$ns_prefix-$1
	shift
	nsenter --net="$in_ns_file" "$@"
}

# ns_add SHORT...: with no IPv6 duplicate address detection to wait for. (Starting a program is what costs
# time in a guest: hence one ip for many namespaces, and batches elsewhere.)
ns_add() {
	printf "netns add $ns_prefix-%s\n" "$@" | ip -batch - || bail "cannot make network namespaces"
	for ns_new; do
		ns_list="$ns_list $ns_new"
		in_ns "$ns_new" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
	done
}

ns_del() {
	ip netns del "$ns_prefix-$1"
	ns_list=$(printf '%s\n' "$ns_list" | sed "s/ $1\\>//")
}

# ipn SHORT ARGUMENT...: ip in a namespace.
ipn() {
	ipn_ns=$ns_prefix-$1
	shift
	ip -n "$ipn_ns" "$@"
}

# ipb SHORT: a batch of ip's commands, from standard input.
ipb() {
	ip -n "$ns_prefix-$1" -batch - || bail "cannot set up namespace $1"
}

# wires: lines of "NS1 DEV1 NS2 DEV2", each a veth pair; its ends are down.
wires() {
	while read -r wires_a wires_b wires_c wires_d; do
		echo "link add name $wires_b netns $ns_prefix-$wires_a type veth peer name $wires_d netns $ns_prefix-$wires_c"
	done | ip -batch - || bail "cannot make veth pairs"
}

# wire NS1 DEV1 NS2 DEV2: one, up.
wire() {
	echo "$*" | wires
	ipn "$1" link set dev "$2" up
	ipn "$3" link set dev "$4" up
}

# dev_batch DEV ADDRESS...: the lines of a batch that bring a device up with addresses of either family
dev_batch() {
	echo "link set dev $1 up"
	addr_batch "$@"
}

addr_batch() {
	addr_dev=$1
	shift
	for addr; do
		case $addr in
		*:*) echo "addr add $addr dev $addr_dev nodad" ;;
		*) echo "addr add $addr dev $addr_dev" ;;
		esac
	done
}

# addrs SHORT DEV ADDRESS...
addrs() {
	addrs_ns=$1
	shift
	addr_batch "$@" | ipb "$addrs_ns"
}

mac() {
	ipn "$1" -br link show dev "$2" | awk '{ print $3 }'
}

# start NAME SHORT COMMAND...: in the background; its output goes to $tmp/NAME.log, its id to $started.
start() {
	start_log=$tmp/$1.log
	start_ns=$2
	shift 2
	# an earlier one's: who waits for its first line must not find that
	rm -f "$start_log"
	nsenter --net="/run/netns/$ns_prefix-$start_ns" "$@" >"$start_log" 2>&1 </dev/null &
	started=$!
	eval "ns_pid_$start_ns=$started"
	proc_list="$proc_list $started"
}

# stop PID [SIGNAL]: one that `start` began.
stop() {
	kill -"${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	proc_list=$(printf '%s\n' "$proc_list" | sed "s/ $1\\>//")
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the time is over.
wait_for() {
	wait_polls=$(($1 * slow * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		wait_polls=$((wait_polls - 1))
		[ "$wait_polls" -gt 0 ] || return 1
		sleep 0.05
	done
}

# listens PID PROTO STATE PORT: a look at the namespace of that process, without starting a program.
listens() {
	read -r listens_comm <"/proc/$1/comm" && [ "$listens_comm" != nsenter ] || return 1
	for listens_f in "/proc/$1/net/$2" "/proc/$1/net/${2}6"; do
		while read -r _ listens_local _ listens_state _; do
			case $listens_local/$listens_state in
			*:$4/$3) return 0 ;;
			esac
		done <"$listens_f"
	done
	return 1
}

# wait_listen SHORT tcp|udp PORT: for what was started last in that namespace
wait_listen() {
	case $2 in
	tcp) listen_state=0A ;;
	udp) listen_state=07 ;;
	esac
	listen_pid=$(eval "echo \$ns_pid_$1")
	wait_for 10 listens "$listen_pid" "$2" "$listen_state" "$(printf %04X "$3")" ||
		bail "nothing listens on $2 port $3 in namespace $1: $(tail -n 3 "$tmp"/*.log 2>/dev/null)"
}

need_root() {
	[ "$(id -u)" = 0 ] || skip_all "only root can make network namespaces"
}

# need PROGRAM...
need() {
	for need_p; do
		command -v "$need_p" >/dev/null || skip_all "no program '$need_p': tools/install-packages.sh installs it"
	done
}

# ns_begin: at the start of every test. A mounted bpffs is needed, and stays.
ns_begin() {
	need_root
	[ -x "$ipvs_bpf" ] || bail "no $ipvs_bpf: run make"
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/ipvs-bpf-test.XXXXXX") || exit 1
	# for the programs that give up their rights, nginx and dnsmasq
	chmod 755 "$tmp"
	trap ns_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# a reader that has gone: `tests/netns/x.t | head`
	trap 'exit 141' PIPE
	[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] || mount -t bpf -o mode=700 bpf /sys/fs/bpf ||
		bail "cannot mount bpffs"
}

# ns_clear: ends what was started and removes the namespaces; the script may then build another network.
# shellcheck disable=SC2086 # the lists are words
ns_clear() {
	for ns_p in $proc_list; do
		kill "$ns_p" 2>/dev/null
	done
	for ns_p in $proc_list; do
		# one that does not obey
		wait_for 2 no_process "$ns_p" || kill -KILL "$ns_p" 2>/dev/null
		wait "$ns_p" 2>/dev/null
	done
	for ns_p in $ns_lb; do
		[ ! -e "/sys/fs/bpf/ipvs-bpf/$ns_prefix-$ns_p" ] || ivb_in "$ns_p" down >/dev/null 2>&1
	done
	for ns_p in $ns_list; do
		ip netns del "$ns_prefix-$ns_p" 2>/dev/null
	done
	proc_list=''
	ns_list=''
	ns_lb=''
}

no_process() {
	! kill -0 "$1"
}

ns_end() {
	ns_rc=$?
	trap '' INT TERM HUP PIPE
	ns_clear
	rm -rf "$tmp"
	return "$ns_rc"
}

# ivb_in SHORT ARGUMENT...: the product, on the director of that name.
ivb_in() {
	ivb_ns=$ns_prefix-$1
	shift
	"$ipvs_bpf" --netns "$ivb_ns" "$@"
}

# pinned: the folder of the director's maps; its name has the number of the ABI
pinned() {
	echo "/sys/fs/bpf/ipvs-bpf/$ns_prefix-lb"/v*
}

# ivb ARGUMENT...: on the director `lb`.
ivb() {
	ivb_in lb "$@"
}

# answer ARGUMENT...: the exit status, in $rc, and all that is printed, in $out.
# shellcheck disable=SC2034 # read by the tests
answer() {
	rc=0
	out=$(ivb "$@" 2>&1 </dev/null) || rc=$?
}

# verify [SHORT]: law 4; every scenario ends with it.
verify() {
	verify_rc=0
	verify_out=$(ivb_in "${1:-lb}" status --verify 2>&1) || verify_rc=$?
	[ "$verify_rc" -ne 0 ] || printf '%s\n' "$verify_out" | grep -q '^verify: .* 0 problems' || verify_rc=1
	tap_result "$verify_rc" "status --verify finds nothing wrong${1:+ on $1}" || diag "$verify_out"
}

# counter NAME: of `status`; 0 when it is not listed.
counter() {
	ivb status | awk -v n="$1" '$1 == n { c = $2 } END { print c + 0 }'
}
