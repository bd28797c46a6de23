#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of a version with another ABI, and of another build, over an instance that follows kernel IPVS: connections with
# SNAT (IPv4, IPv6) and by direct routing talk on, by the same ports, new ones begin, those that end leave nothing
# behind. Killed at any of its calls of bpf(), `up` goes on.
# shellcheck disable=SC2154 # by topology.sh, and by eval
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/lost.sh
. "$top/tests/lib/lost.sh"

need bpftool nginx curl strace
ns_begin
ipvs_begin
two_armed
web
one=$ipvs_bpf
two=$top/build/abi-test/ipvs-bpf
three=$top/build/build-test/ipvs-bpf
pins=/sys/fs/bpf/ipvs-bpf/$(ns_name lb)
conns=${CONNS:-50}
kinds='snat snat6 direct'
echo_servers 7
echo_servers 8
servers_answer_directly

# where KIND: the service of these connections
where() {
	case $1 in
	snat) vip 4 7 ;;
	snat6) vip 6 7 ;;
	direct) vip 4 8 ;;
	esac
}

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

# established KIND: all of them, to kernel IPVS; a listing may miss one while others come and go
established() {
	[ "$(kconns | awk -v v="$(where "$1")" '$3 == "ESTABLISHED" && $5 == v' | wc -l)" = "$conns" ]
}

# carried KIND: packets of clients
carried() {
	ivb conn --json --service "$(where "$1")" | tr -d ' \n' | grep -o '"in":{"packets":[0-9]*' |
		awk -F: '{ n += $3 } END { print n + 0 }'
}

talks_on() {
	for k in $kinds; do
		eval "was_$k=$(carried "$k")"
	done
	sleep 1
	for k in $kinds; do
		is "$1: all talk, $k" "$(talked "$k" | sed 's/ gap=.*//')" "conns=$conns answered=$conns reset=0 closed=0 wrong=0"
		ok "$1: kernel IPVS has them" await established "$k"
		within "$1: they are carried" "$(carried "$k")" $(($(eval "echo \$was_$k") + conns / 2)) 99999999
	done
	within "$1: nothing was lost" "$(lost)" 0 3
	is "$1: by the same ports" "$(tuples | comm -13 - "$tmp/tuples")" ''
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
kservice 6 7 rr
kservice 4 80 rr
kipvs -A -t "$vip4:8" -s rr
for n in $servers; do
	kipvs -a -t "$vip4:8" -r "$(rip 4 "$n" 8)" -g
done
talk snat -n "$conns" -i 200 $vip4 7
talk snat6 -n "$conns" -i 200 $vip6 7
talk direct -n "$conns" -i 200 $vip4 8
sleep 1
tuples >"$tmp/tuples"
is "those by NAT have SNAT" "$(ivb conn --json | grep -c '"snat": *true')" $((2 * conns))
lost >/dev/null
for k in $kinds; do
	talked "$k" >/dev/null
done
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

# calls_of BINARY: to bpf(), of a whole takeover by it
calls_of() {
	strace -f -qq -e trace=bpf -o "$tmp/calls" "$1" --netns "$(ns_name lb)" up >/dev/null 2>&1
	grep -c ' bpf(' "$tmp/calls"
}

# killed_at CALL: `up`, killed when it begins its CALLth bpf()
killed_at() {
	strace -f -qq -e trace=bpf -e "inject=bpf:signal=KILL:when=$1" -o "$tmp/calls" "$ipvs_bpf" --netns "$(ns_name lb)" up >/dev/null 2>&1
	is "killed at call $1 of $calls" $? 137
	! bpftool -j map dump pinned "$pins/v$to/meta" 2>/dev/null | grep -q "\"abi\":${to}[,}]" || late=$((late + 1))
}

# half of them spread over all calls, half over the last 4 %, where the commitment is behind
calls=$(calls_of "$one")
ipvs_bpf=$one
talks_on "back with ABI $abi"
kills=${KILLS:-6}
n=0 late=0
while [ "$n" -lt "$kills" ]; do
	n=$((n + 1))
	case $((n % 2)) in
	0) ipvs_bpf=$one && to=$abi && call=$((calls - calls * (kills + 2 - n) / kills / 25)) ;;
	1) ipvs_bpf=$two && to=$((abi + 1)) && call=$((calls * n / (kills + 1))) ;;
	esac
	killed_at $call
	ok "after kill $n, up goes on" ivb up
	is "to its end" "$(ls "$pins")" "v$to"
	talks_on "after kill $n"
	begins "after kill $n"
done
within "killed after the commitment" $late 1 "$kills"

: >"$tmp/stop"
for k in $kinds; do
	stop "$(eval "echo \$talk_$k")" TERM
done
sleep 125 # TIME_WAIT
ok "connections end, in all tables" await none
verify
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
diag "of $(wc -l <"$tmp/requests")"

done_testing
