#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The module ip_vs comes after `up`, goes, and comes again; and kernels whose ip_vs is not one that we know.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl ipvsadm
ns_begin
ip_vs_unload
[ ! -e /proc/net/ip_vs ] || skip_all "ip_vs cannot be unloaded here"
two_armed
web

# otherbtf FUNCTION=OTHER COMMAND...: on a kernel where FUNCTION is like OTHER, or is not there
otherbtf() (
	export OTHERBTF="$1" LD_PRELOAD="$tooldir/otherbtf.so"
	shift
	"$@"
)

# links: the hooks that are held
links() {
	bpftool link show 2>/dev/null | grep -c '^[0-9]*: tracing'
}

like "check says that there is none" "$(ivb check)" '^OK +follow .*ip_vs is not loaded'
like "up --ipvs without ip_vs warns" "$(follow --snat always 2>&1)" 'warning: .*ip_vs is not loaded'
like "and status shows it" "$(ivb status)" '^ipvs engine: on, BUT NOT FOLLOWING'
start run lb "$ipvs_bpf" --netns "$(ns_name lb)" run
run=$started
ok "the agent waits" wait_for 5 grep -q 'waiting for the module' "$tmp/run.log"
modprobe ip_vs
ok "it sees the module come" wait_for 10 grep -q 'following kernel IPVS' "$tmp/run.log"
stop "$run"
like "now it is followed" "$(ivb status)" '^ipvs engine: follows kernel IPVS'
kservice 4 80 rr
is "and carried, with no process of ours" "$(get 4 3)" 'sv3 sv2 sv1'
within "by eBPF" "$(fast in)" 3 1000
verify

nok "ip_vs cannot be unloaded while it is followed" modprobe -r ip_vs_rr ip_vs
ok "up --ipvs=no lets go" ivb up --ipvs=no
is "of all hooks" "$(links)" 0
is "and of the connections" "$(ivb conn | grep -c '^TCP')" 0
verify
kipvs -C
ok "then ip_vs can be unloaded" wait_for 5 ip_vs_unload || diag "$(lsmod | grep ip_vs)
$(bpftool prog list | grep -A1 tracing)"
is "for good" "$(cat /proc/net/ip_vs 2>&1 | grep -c 'No such file')" 1
ok "and loaded" modprobe ip_vs
ok "and followed again" follow
kservice 4 80 rr
servers_route_back
is "and carried" "$(get 4 3)" 'sv3 sv2 sv1'
ok "down lets go as well" ivb down
is "of all hooks" "$(links)" 0

# a kernel that is not as we know it
like "a function that we need is missing" "$(otherbtf ip_vs_conn_rcu_free= follow 2>&1)" "ip_vs_conn_rcu_free.*cannot be followed"
is "nothing half attached stays" "$(links) $(ls /sys/fs/bpf/ipvs-bpf 2>/dev/null)" '0 '
like "or has other arguments: check says so" "$(otherbtf ip_vs_nat_xmit=tcp_state_transition ivb check)" '^warning +follow .*ip_vs_nat_xmit takes .ip_vs_conn\* int sk_buff\* .*, not the'
like "one that IPv6 alone has need not be there" "$(otherbtf ip_vs_nat_xmit_v6= follow 2>&1
	ivb status)" '^ipvs engine: follows'
# by a device of its own: clsact has room for one of ours
ipn lb link add other type veth peer name other-end
like "another instance cannot follow the same" "$(ivb --instance other up --ipvs other 2>&1)" \
	'instance ivb-.*-lb follows kernel IPVS of this network namespace already'
is "and leaves nothing" "$(ls /sys/fs/bpf/ipvs-bpf)" "$(ns_name lb)"
ok "the first one goes on" eval '[ "$(get 4 1)" = sv3 ] && ivb status | grep -q "follows kernel IPVS"'
verify

done_testing
