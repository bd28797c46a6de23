#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of a version with another ABI and longer values over a running instance, and back: 1,000 connections talk on,
# new ones begin, nothing that was set is lost. Killed in the middle, `up` finishes. What cannot be taken over is
# refused, and stays. ABI_TEST is the same tree with that other ABI.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

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
for n in $servers; do
	start "echo-sv$n" "sv$n" "$libdir/echo" serve 7
done
for n in $servers; do
	wait_listen "sv$n" tcp 7
done
udp_named 9

# with VERSION ABI: from here on that one's commands
with() {
	ipvs_bpf=$1
	abi=$2
}

# taken_over BY ABI FROM
taken_over() {
	with "$1" "$2"
	like "ABI $3 is taken over by ABI $2" "$(ivb up 2>&1)" "taken over.* ABI $3"
	is "and is gone" "$(ls "$pins")" "v$2"
}

# settings: what commands have set, and what is counted of servers
settings() {
	ivb adm -S -n
	ivb timeout
	ivb snat 2>/dev/null
	ivb status --json | jq -S '.settings // .config // empty' 2>/dev/null
}

# tuples: the echo connections and their ports towards the servers
tuples() {
	ivb conn | grep ":7 " | sed 's/ *[0-9:]* *ESTABLISHED.*//' | sort
}

counts() {
	ivb adm -L -n | awk '/:7 +rr/ { on = 1 } /:9 +rr/ { on = 0 } on && /->/ { print $2, $5, $6 }'
}

talked() {
	: >"$tmp/talk.log"
	kill -USR1 "$talk"
	wait_for 5 grep -q conns= "$tmp/talk.log"
	sed 's/ gap=.*//' "$tmp/talk.log"
}

requests() {
	while [ ! -e "$tmp/stop" ]; do
		in_ns cl curl -s --max-time $((10 * slow)) "http://$vip4/" "http://[$vip6]/" || echo FAILED
	done >"$tmp/requests"
}

with "$one" 1
ok "up" up --snat always --snat-ports 2000-60000 --expire-nodest-conn --max-half-open 2000 --non-masq 10.50.0.0/16
service -t 4 7 rr
service -u 4 9 rr
for f in 4 6; do
	service -t $f 80 wrr
done
ok "a service's own timeout" ivb timeout --udp-service $vip4:9 200
start talk cl "$libdir/echo" talk -n "$conns" -i 50 $vip4 7
talk=$started
ok "$conns connections" wait_for 30 grep -q connected "$tmp/talk.log"
in_ns cl curl -s --limit-rate "$(few 2M 100k)" --max-time $((60 * slow)) "http://$(vip 6)/f/big" | md5sum >"$tmp/md5" &
requests &
before=$(settings)
ivb conn >"$tmp/list"
head -n 5 "$tmp/list" | while read -r l; do diag "$l"; done
ivb adm -L -n | while read -r l; do diag "$l"; done
sleep 1
diag "$(talked)"
with "$two" 2
ivb up; echo rc $?; ls "$pins"
diag "$(talked)"
verify
ivb adm -L -n | while read -r l; do diag "$l"; done
with "$one" 1
ivb up; echo rc $?; ls "$pins"
sleep 0.5
diag "$(talked)"
verify
: >"$tmp/stop"
wait_for 30 test -s "$tmp/md5"
is md5 "$(cat "$tmp/md5")" "$big_md5"
is fail "$(grep -c FAILED "$tmp/requests")" 0
diag "$(wc -l <"$tmp/requests")"
ivb status
done_testing
