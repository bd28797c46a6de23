#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of a version with another ABI, and of another build, over an instance that follows kernel IPVS: connections with
# SNAT talk on by the same ports, new ones begin, those that end leave nothing behind. Killed in the middle, `up` goes on.
# shellcheck disable=SC2154 # by topology.sh, and by eval
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/lost.sh
. "$top/tests/lib/lost.sh"

need bpftool nginx curl
ns_begin
ipvs_begin
two_armed
web
one=$ipvs_bpf
two=$top/build/abi-test/ipvs-bpf
three=$top/build/build-test/ipvs-bpf
pins=/sys/fs/bpf/ipvs-bpf/$(ns_name lb)
conns=${CONNS:-100}
for n in $servers; do
	start "echo-sv$n" "sv$n" "$libdir/echo" serve 7
	start "echo6-sv$n" "sv$n" "$libdir/echo" serve 7
done

# tuples: of connections, with SNAT's ports
tuples() {
	ivb conn | awk '{ print $1, $2, $3, $4, $5 }' | sort
}

# hook_ids: the links of the hooks
hook_ids() {
	for h in "$pins"/v*/hooks/*; do
		bpftool -j link show pinned "$h" | grep -o '^{"id":[0-9]*'
	done
}

talks_on() {
	was=$(fast in)
	sleep 1
	is "$1: all talk" "$(talked old | sed 's/ gap=.*//')" "conns=$conns answered=$conns reset=0 closed=0 wrong=0"
	within "$1: nothing was lost" "$(lost)" 0 3
	is "$1: kernel IPVS has them" "$(kconns | grep -c "ESTABLISHED.* $vip4:7 ")" "$conns"
	is "$1: by the same ports" "$(tuples | comm -13 - "$tmp/tuples")" ''
	within "$1: they are carried" "$(fast in)" $((was + conns / 2)) 99999999
	verify
}

requests() {
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		in_ns cl curl -s --max-time 15 "http://$vip4/" || echo FAILED
	done >"$tmp/requests"
}

more_than() {
	[ "$(wc -l <"$tmp/requests")" -gt "$1" ]
}

# begins WHO: new connections; servers have no way back to clients without SNAT
begins() {
	ok "$1: new ones begin" wait_for 100 more_than $(($(wc -l <"$tmp/requests") + 5))
}

none() {
	[ -z "$(kconns)$(ivb conn --count | grep -v '^0$')" ]
}

# taken_over BINARY ABI
taken_over() {
	ipvs_bpf=$1
	like "ABI $2 takes over" "$(ivb up 2>&1)" '^taken over with its connections'
	is "alone" "$(ls "$pins")" "v$2"
	talks_on "ABI $2"
}

# where conntrack is at work as well, what our rules do not find is not SNATed, and is not answered
vs conntrack=1
ok "the engine is on" follow --snat always --notrack
abi=$(ls "$pins" | tr -d v)
kservice 4 7 rr
kservice 4 80 rr
talk old -n "$conns" -i 200 $vip4 7
sleep 1
tuples >"$tmp/tuples"
is "all have SNAT" "$(ivb conn --json | grep -c '"snat": *true')" "$conns"
lost >/dev/null
talked old >/dev/null
: >"$tmp/requests"
requests &
begins "before"

hook_ids >"$tmp/hooks"
ipvs_bpf=$three
like "another build" "$(ivb up)" "^another build's programs have been replaced"
is "as many hooks" "$(hook_ids | wc -l)" "$(wc -l <"$tmp/hooks")"
is "others" "$(hook_ids | grep -cxFf "$tmp/hooks")" 0
talks_on "another build"

taken_over "$two" $((abi + 1))
begins "ABI $((abi + 1))"

# loading takes seconds in a guest, so this is for when there is time
n=0
while [ "$n" -lt "${KILLS:-0}" ]; do
	n=$((n + 1))
	case $((n % 3)) in
	0) ipvs_bpf=$three && to=$abi ;;
	1) ipvs_bpf=$one && to=$abi ;;
	2) ipvs_bpf=$two && to=$((abi + 1)) ;;
	esac
	timeout -s KILL "$(od -An -N2 -tu2 /dev/urandom | awk -v s="${KILL_WITHIN:-10}" '{ print 0.5 + $1 / 65536 * s }')" \
		"$ipvs_bpf" --netns "$(ns_name lb)" up >/dev/null 2>&1
	diag "killed: $?, and there is $(ls "$pins" | tr '\n' ' ')$(find "$pins" -name '*next*' -path "*v$to*" | wc -l)"
	ok "after kill $n, up goes on" ivb up
	is "to its end" "$(ls "$pins")" "v$to"
	talks_on "after kill $n"
	begins "after kill $n"
done

: >"$tmp/stop"
stop "$talk_old" TERM
sleep 125 # TIME_WAIT
ok "connections end, in all tables" await none
verify
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
diag "of $(wc -l <"$tmp/requests")"

done_testing
