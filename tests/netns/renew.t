#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of another build with the same ABI puts its programs in place of the running ones: by tcx and by clsact, while
# connections talk and begin; nothing is lost, the old programs go, connections end by the new timer. Killed in the
# middle, the next `up` goes on. build-test is the same tree with another constant.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lost.sh
. "$top/tests/lib/lost.sh"
# shellcheck source=tests/lib/live.sh
. "$top/tests/lib/live.sh"

need nginx curl bpftool
ns_begin
servers='1 2'
two_armed
web
one=$ipvs_bpf
two=$top/build/build-test/ipvs-bpf
pins=$(echo /sys/fs/bpf/ipvs-bpf/"$(ns_name lb)")
conns=$(few 200 60)
echo_servers 7
udp_named 9

all_talk() {
	sleep 0.3
	is "$1: all $conns connections talk" "$(talked)" "conns=$conns answered=$conns reset=0 closed=0 wrong=0"
	within "$1: nothing of them was lost" "$(lost)" 0 3
}

# programs: ids of all that the instance has, by place
programs() {
	for p_pin in prog-0 arm4 arm6; do
		echo "$p_pin $(bpftool -j prog show pinned "$pins"/v*/$p_pin | grep -o '^{"id":[0-9]*')"
	done
	bpftool -j map dump pinned "$pins"/v*/progs-0 | grep -o '"value":\["[^]]*' | sort
}

ids() {
	programs | sed 's/.*://' | grep '^[0-9]*$'
}

live() {
	for l_id in $1; do
		! bpftool prog show id "$l_id" >/dev/null 2>&1 || echo "$l_id"
	done
}

all_gone() {
	[ -z "$(live "$1")" ]
}

devices() {
	ivb status | sed -n '/^devices/,/^connections/p'
}

expired() {
	ivb status | awk '$1 == "IPv4" { sub(".*expired so far: ", ""); print $1 + 0 }'
}

# renewed BINARY: its `up` puts other programs in place
renewed() {
	ipvs_bpf=$1
	programs >"$tmp/before"
	before=$(ids)
	devices >"$tmp/devices"
	like "status tells of the other build" "$(ivb status)" '^programs: .* and this command has those of .*: .ipvs-bpf up'
	like "up replaces its programs" "$(ivb up)" "^another build's programs have been replaced"
	is "all of them" "$(programs | grep -cxFf - "$tmp/before")" 0
	is "devices as before" "$(devices | diff "$tmp/devices" -)" ''
	ok "the old ones are gone" wait_for 5 all_gone "$before"
	like "status tells of this build" "$(ivb status)" '^programs: [0-9.]+-[0-9a-f]{16}$'
	programs >"$tmp/after"
	unlike "up again replaces nothing" "$(ivb up)" "replaced"
	is "really" "$(programs | diff "$tmp/after" -)" ''
	all_talk "${1##*build/}"
	verify
}

# scenario KIND
scenario() {
	ipvs_bpf=$one
	ok "$1: up" up --snat always
	like "by $1" "$(devices)" " $1 "
	service -t 4 7 rr
	service -t 4 80 rr
	service -t 6 80 rr
	service -u 4 9 rr
	ok "UDP ends soon" ivb adm --set 0 0 2
	start talk cl "$tooldir/echo" talk -n "$conns" -i 20 $vip4 7
	talk=$started
	ok "$conns connections" wait_for 30 grep -q connected "$tmp/talk.log"
	rm -f "$tmp/stop" "$tmp/requests"
	requests "$tmp/requests" &
	requests=$!
	ok "requests" wait_for 20 test -s "$tmp/requests"
	lost >/dev/null
	talked >/dev/null
	renewed "$two"
	renewed "$one"
	killed_often
	: >"$tmp/stop"
	wait "$requests"
	is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
	diag "of $(wc -l <"$tmp/requests")"
	was=$(expired)
	like "UDP" "$(ask 4 1 9)" '^sv'
	ok "the timer ends connections" wait_for 20 more_expired "$was"
	verify
	stop "$talk" TERM
	ok "down" ivb down
}

more_expired() {
	[ "$(expired)" -gt "$1" ]
}

killed_often() {
	bad=0
	killed=0
	n=0
	while [ "$n" -lt "${KILLS:-$(few 6 2)}" ]; do
		n=$((n + 1))
		[ $((n % 2)) = 0 ] && ipvs_bpf=$one || ipvs_bpf=$two
		timeout -s KILL "0.$(od -An -N2 -tu2 /dev/urandom | awk '{ printf "%03d", 50 + $1 % 900 }')" \
			"$ipvs_bpf" --netns "$(ns_name lb)" up >/dev/null 2>&1
		[ $? -ne 137 ] || killed=$((killed + 1))
		# of the same build, or of the other one
		[ $((n % 3)) != 0 ] || ipvs_bpf=$one
		if ! said=$(ivb up 2>&1) || ! said=$(ivb status --verify 2>&1) || said=$(find "$pins" -name 'next-*' -o -name '*-next' | grep .) ||
			! said=$(ivb status --json) || ! echo "$said" | grep -q '"build_is_own": *true'; then
			bad=$((bad + 1))
			diag "after kill $n: $said"
		fi
	done
	diag "$killed of $n were killed"
	is "killed at any moment, the next up goes on" "$bad" 0
	all_talk "afterwards"
	verify
}

if [ -n "${IVB_SLOW:-}" ]; then
	scenario clsact
else
	scenario tcx
	IVB_TEST_NO_TCX=1
	export IVB_TEST_NO_TCX
	scenario clsact
fi
done_testing
