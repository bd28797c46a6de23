#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Floods of first packets, each from another source: established connections do not notice, there are never more
# half-open ones than allowed, and a client that tries again gets in meanwhile.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers='1 2 3 4'
two_armed
servers_route_back
echo_servers 7
for n in $servers; do
	# what nobody listens on is not answered at all, so that UDP stays unanswered
	in_ns "sv$n" sysctl -qw net.ipv4.icmp_ratelimit=1000 net.ipv4.tcp_syncookies=1
done
max=2048
# IVB_FLOOD=1000000: as in the decision
total=${IVB_FLOOD:-$(few 50000 20000)}

ok "up" up --max-conns 32768 --max-half-open $max
ok "TCP" service -t 4 7 rr
ok "UDP that nobody answers" service -u 4 9 rr
ok "TCP over IPv6 that nobody answers" service -t 6 9 rr
ok "UDP over IPv6" service -u 6 9 rr

talkers=''
for i in 1 2 3 4; do
	start "talk$i" cl "$tooldir/echo" talk -n 250 -i $((200 * slow)) -p $((20000 + 1000 * i)) $vip4 7
	talkers="$talkers $started"
done
for i in 1 2 3 4; do
	ok "250 connections" wait_for 20 grep -q connected "$tmp/talk$i.log"
done

# ask_talkers: what they have heard since the last time
ask_talkers() {
	sleep $((slow > 1 ? 4 : 1))
	for p in $talkers; do
		kill -USR1 "$p"
	done
	sleep 0.2
	for i in 1 2 3 4; do
		tail -n 1 "$tmp/talk$i.log" | sed 's/ gap=.*//'
	done | sort -u
}

all='conns=250 answered=250 reset=0 closed=0 wrong=0'
is "all of them talk" "$(ask_talkers)" "$all"

# half_open FAMILY: how many there are, and how many had to go
half_open() {
	ivb status | sed -n "s/^  IPv$1 .*half-open \([0-9]*\) of [0-9]*, evicted so far: \([0-9]*\);.*/\1 \2/p"
}

# flooded DESCRIPTION FAMILY PORT [OPTION]
flooded() {
	flooded_before=$(counter half_open)
	diag "$1: $(in_ns cl "$tooldir/flood" ${4:+"$4"} eth0 "$(mac lb wan)" "$(vip "$2" | tr -d '[]')" "$3" "$total")"
	is "$1: those who talk do not notice" "$(ask_talkers)" "$all"
	half_open "$2" >"$tmp/half"
	read -r flooded_now flooded_gone <"$tmp/half"
	diag "half-open $flooded_now, evicted $flooded_gone, refused $(($(counter half_open) - flooded_before))"
	ok "no more are half-open than may be" [ "$flooded_now" -le $max ]
	ok "and not fewer" [ "$flooded_now" -ge $((max - 8)) ]
	ok "most were refused" [ $(($(counter half_open) - flooded_before)) -gt $((total / 2)) ]
	verify
}

flooded "SYN" 4 7
flooded "UDP" 4 9 -u
flooded "SYN over IPv6" 6 9
flooded "UDP over IPv6" 6 9 -u
is "the table was never full" "$(counter map_full)" 0

diag "a client in a flood of other sources: its second SYN comes a second after the first"
start flood cl "$tooldir/flood" -o 500000 -r $((20000 / slow)) eth0 "$(mac lb wan)" $vip4 7 $((80000 / slow))
flood=$started
sleep 1
refused=$(counter half_open)
start late cl "$tooldir/echo" talk -n 1 -q $vip4 7
ok "the client gets in" wait_for 4 grep -q connected "$tmp/late.log"
ok "while the flood goes on" kill -0 "$flood"
ok "and is refused" [ "$(counter half_open)" -gt $((refused + 1000)) ]
is "and the others do not notice" "$(ask_talkers)" "$all"
wait "$flood"
verify

ok "the bound can be changed" ivb up --max-half-open 100
like "and is seen" "$(ivb status)" 'half-open [0-9]+ of 100,'
nok "but it is at most a half" ivb up --max-half-open 20000
in_ns cl "$tooldir/flood" eth0 "$(mac lb wan)" $vip4 7 1000 >"$tmp/rate"
is "those who talk do not notice that either" "$(ask_talkers)" "$all"
verify

done_testing
