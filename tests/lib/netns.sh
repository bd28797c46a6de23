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
ipvs_bpf=${IPVS_BPF:-$top/build/ipvs-bpf}
libdir=$top/build/tests/lib

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

# ns_add SHORT...: with loopback up and no IPv6 duplicate address detection to wait for.
ns_add() {
	for ns_new; do
		ip netns add "$ns_prefix-$ns_new" || bail "cannot make a network namespace"
		ns_list="$ns_list $ns_new"
		in_ns "$ns_new" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
		ip -n "$ns_prefix-$ns_new" link set lo up
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

# wire NS1 DEV1 NS2 DEV2: a veth pair, both ends up.
wire() {
	ip link add name "$2" netns "$ns_prefix-$1" type veth peer name "$4" netns "$ns_prefix-$3" ||
		bail "cannot make a veth pair"
	ipn "$1" link set dev "$2" up
	ipn "$3" link set dev "$4" up
}

# addrs SHORT DEV ADDRESS...: of either family.
addrs() {
	addrs_ns=$1
	addrs_dev=$2
	shift 2
	for addrs_a; do
		case $addrs_a in
		*:*) ipn "$addrs_ns" addr add "$addrs_a" dev "$addrs_dev" nodad ;;
		*) ipn "$addrs_ns" addr add "$addrs_a" dev "$addrs_dev" ;;
		esac
	done
}

mac() {
	ipn "$1" -br link show dev "$2" | awk '{ print $3 }'
}

# start NAME SHORT COMMAND...: in the background; its output goes to $tmp/NAME.log, its id to $started.
start() {
	start_log=$tmp/$1.log
	start_ns=/run/netns/$ns_prefix-$2
	shift 2
	nsenter --net="$start_ns" "$@" >"$start_log" 2>&1 </dev/null &
	started=$!
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
	wait_end=$(($(date +%s) + $1 * slow + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$wait_end" ] || return 1
		sleep 0.05
	done
}

has_listener() {
	in_ns "$1" ss -Hln"$2" "sport = :$3" | grep -q .
}

# wait_listen SHORT tcp|udp PORT
wait_listen() {
	case $2 in
	tcp) wait_for 10 has_listener "$1" t "$3" ;;
	udp) wait_for 10 has_listener "$1" u "$3" ;;
	esac || bail "nothing listens on $2 port $3 in namespace $1: $(tail -n 3 "$tmp"/*.log 2>/dev/null)"
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
	trap '' INT TERM HUP
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

# ivb ARGUMENT...: on the director `lb`.
ivb() {
	ivb_in lb "$@"
}

# verify: law 4; every scenario ends with it.
verify() {
	verify_rc=0
	verify_out=$(ivb status --verify 2>&1) || verify_rc=$?
	[ "$verify_rc" -ne 0 ] || printf '%s\n' "$verify_out" | grep -q '^verify: .* 0 problems' || verify_rc=1
	tap_result "$verify_rc" "status --verify finds nothing wrong" || diag "$verify_out"
}

# counter NAME: of `status`; 0 when it is not listed.
counter() {
	ivb status | awk -v n="$1" '$1 == n { c = $2 } END { print c + 0 }'
}
