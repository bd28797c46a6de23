#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of a version with another ABI and longer values over a running instance, and back: 1,000 connections talk on,
# new ones begin, nothing that was set is lost. Killed in the middle, `up` finishes. What cannot be taken over is
# refused, and stays. ABI_TEST is the same tree with that other ABI.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lost.sh
. "$top/tests/lib/lost.sh"
# shellcheck source=tests/lib/live.sh
. "$top/tests/lib/live.sh"

need nginx curl bpftool
ns_begin
two_armed
web
big_file "$(few 12 2)"
one=$ipvs_bpf
two=$top/build/abi-test/ipvs-bpf
name=$(ns_name lb)
pins=/sys/fs/bpf/ipvs-bpf/$name
conns=$(few 1000 200)
echo_servers 7
udp_named 9

# with VERSION ABI: from here on that one's commands
with() {
	ipvs_bpf=$1
	abi=$2
}

settings() {
	ivb adm -S -n && ivb timeout && ivb snat && ivb status | sed -n '1s/^instance [^:]*//p'
}

# tuples: the connections that talk, with SNAT's ports
tuples() {
	ivb conn --service $vip4:7 | awk '$1 == "TCP" { print $2, $3, $4, $5, $6 }' | sort
}

# carried: packets of the connections that talk, both ways
carried() {
	ivb conn --service $vip4:7 | awk '$1 == "TCP" { n += $8 + $10 } END { print n }'
}

active() {
	ivb adm -L -n | awk -v s="$vip4:7" '$1 != "->" { on = $2 == s } on && $1 == "->" { print $2, $5, $6 }'
}

all_talk() {
	sleep 0.3
	is "$1: all $conns connections talk" "$(talked)" "conns=$conns answered=$conns reset=0 closed=0 wrong=0"
	within "$1: nothing of them was lost" "$(lost)" 0 3
}

# taken_over BY ABI FROM
taken_over() {
	tuples >"$tmp/tuples"
	settings >"$tmp/settings"
	active >"$tmp/active"
	taken_before=$(carried)
	with "$1" "$2"
	nok "ABI $3 is nothing that ABI $2 could list" ivb adm -L -n
	like "but it takes it over" "$(ivb up 2>&1)" "^taken over with its connections: .* ABI $3\$"
	is "which is gone" "$(ls "$pins")" "v$2"
	is "settings" "$(settings | diff "$tmp/settings" -)" ''
	is "connections and their ports" "$(tuples | diff "$tmp/tuples" -)" ''
	is "active and inactive ones" "$(active | diff "$tmp/active" -)" ''
	within "packets that were carried" "$(carried)" "$taken_before" 99999999
	all_talk "ABI $2"
	verify
	ok "requests go on" wait_for 20 more_than $(($(wc -l <"$tmp/requests") + 6))
}

ipvs_bpf=$one
ok "up" up --snat always --snat-ports 2000-60000 --expire-nodest-conn --max-half-open 2000
old=$(ls "$pins" | tr -d v)
new=$((old + 1))
abi=$old
service -t 4 7 rr
service -u 4 9 sh
for f in 4 6; do
	service -t $f 80 wrr
done
ok "a service's own timeout" ivb timeout --udp-service $vip4:9 200
start talk cl "$tooldir/echo" talk -n "$conns" -i 50 $vip4 7
talk=$started
ok "$conns connections" wait_for 30 grep -q connected "$tmp/talk.log"
in_ns cl curl -s --limit-rate "$(few 1M 100k)" --max-time $((90 * slow)) "http://$(vip 6)/f/big" | md5sum >"$tmp/md5" &
requests "$tmp/requests" &
ok "requests" wait_for 20 more_than 4
server=$(ask 4 1 9 -p 5000)
talked >/dev/null

taken_over "$two" $new "$old"
is "UDP: the same server" "$(ask 4 1 9 -p 5000)" "$server"
taken_over "$one" "$old" $new

# what is left of one that was interrupted, and does not concern who runs
half_way() {
	with "$one" "$old"
	ok "remains of ABI $new that never ran do not matter" mkdir -m 700 "$pins/v$new"
	ok "to listings" ivb adm -L -n
	ok "and up removes them" ivb up
	is "all of them" "$(ls "$pins")" "v$old"
}
half_way

# refused WHAT: `up` of the old ABI says so, and the new one goes on
refused() {
	with "$one" "$old"
	is "refused: $1" "$(ivb up 2>&1 | grep -c "$2")" 1
	is "and nothing has changed" "$(ls "$pins")" "v$new"
	with "$two" $new
	verify
}

# oldest N: what the new ABI says that it can be taken over by
oldest() {
	oldest_meta=$(bpftool -j map lookup pinned "$pins/v$new/meta" key 0 0 0 0 |
		sed 's/.*"value":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr ',' ' ' | awk -v n="$1" '{ $61 = n; print }')
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$pins/v$new/meta" key 0 0 0 0 value $oldest_meta
}

with "$two" $new
ok "ABI $new again" ivb up
oldest $new
refused "values that it does not know" "ABI $new, which this one (ABI $old) cannot take over"
oldest "$old"
ok "kernel IPVS is followed" eval 'ivb up --ipvs 2>/dev/null'
with "$one" "$old"
ok "ABI $old again" eval 'ivb up 2>/dev/null'
like "which would follow it as well" "$(ivb status)" '^ipvs engine: on, BUT NOT FOLLOWING'
ok "and no more" ivb up --ipvs=no

diag "killed at any moment, the next up goes on"
bad=0
killed=0
n=0
to=$new
while [ "$n" -lt "${KILLS:-4}" ]; do
	n=$((n + 1))
	if [ "$to" = "$new" ]; then with "$two" $new; else with "$one" "$old"; fi
	timeout -s KILL "0.$(od -An -N2 -tu2 /dev/urandom | awk '{ printf "%03d", 50 + $1 % 900 }')" "$ipvs_bpf" --netns "$name" up >/dev/null 2>&1
	[ $? -ne 137 ] || killed=$((killed + 1))
	# left as it was, or half way; what it says then is what is to be done
	[ ! -e "$pins/v$old" ] || [ ! -e "$pins/v$new" ] || halves=$((${halves:-0} + 1))
	if ! said=$(ivb up 2>&1) || [ "$(ls "$pins")" != "v$abi" ] || ! said=$(ivb status --verify 2>&1); then
		bad=$((bad + 1))
		diag "after kill $n: $said"
	fi
	to=$((old + new - to))
done
diag "$killed of $n were killed, ${halves:-0} left both"
is "nothing wrong afterwards" "$bad" 0
all_talk "afterwards"
verify

: >"$tmp/stop"
wait_for 60 test -s "$tmp/md5"
is "the download that began before all this has all data" "$(cat "$tmp/md5")" "$big_md5"
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
diag "of $(wc -l <"$tmp/requests")"
done_testing
