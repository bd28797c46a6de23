#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# conn and stats: sorted, again and again; and listings of tens of thousands of connections: in little memory, and
# nobody waits for who reads them slowly.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers='1 2'
two_armed
servers_route_back
udp_named 7
ok "up" up --max-conns 131072 --max-half-open 65536
service -u 4 7 rr
service -u 4 9 rr
service -u 6 7 rr

# connections of one packet each way; and one of 30
ask 4 5 7 >/dev/null
ask 6 2 7 >/dev/null
for _ in $(seq 30); do
	echo x
	sleep 0.02
done | in_ns cl socat -T 0.5 - "UDP4:$vip4:7,sourceport=5000" >/dev/null
is "8 connections" "$(ivb conn --count)" 8

diag "sorted"
# sums COLUMN COLUMN: of each connection, in the order of the listing
sums() {
	awk -v a="$1" -v b="$2" '$1 == "UDP" { print $a + $b }'
}
for s in packets bytes; do
	case $s in
	packets) a=8 b=10 ;;
	bytes) a=9 b=11 ;;
	esac
	ivb conn --sort $s | sums $a $b >"$tmp/sorted"
	is "by $s: all of them" "$(wc -l <"$tmp/sorted")" 8
	is "by $s: the largest first" "$(cat "$tmp/sorted")" "$(sort -rn "$tmp/sorted")"
done
like "the busy one is first" "$(ivb conn --sort bytes --client 10.1.0.0/24 | sed -n 2p)" "^UDP +10.1.0.2:5000 +$vip4:7 "
is "and in JSON" "$(ivb --json conn --sort packets | grep -o '"client": [^}]*' | sed -n '1s/.*"port": //p')" '5000 '
is "sorted or not, the same ones" "$(ivb conn --sort packets | sort | cut -c 1-95)" "$(ivb conn | sort | cut -c 1-95)"
nok "an order that is none" ivb conn --sort age
nok "seconds that are none" ivb conn --watch=0

diag "again and again"
# watch NAME COMMAND...: in the background, into $tmp/NAME; by itself, not in a shell, as it is what will be ended
watches=''
watch() {
	watch_name=$1
	shift
	"$ipvs_bpf" --netns "$(ns_name lb)" "$@" >"$tmp/$watch_name" &
	watches="$watches $!"
	proc_list="$proc_list $!"
}
watch count conn --count --watch=1
watch conns conn --watch=1
watch json --json conn --watch=1 --sort packets
watch stats stats --watch=1 --service $vip4:7
watch rate stats --watch --rate=1 --service $vip4:7
# the rates' first second is over, and everybody has looked twice; a connection comes; two more looks
wait_for 5 test -s "$tmp/rate"
sleep 0.4
ask 4 1 7 >/dev/null
sleep 2.1
for p in $watches; do
	stop "$p"
done
# looks NAME COLUMN: of the line of the service
looks() {
	awk -v c="$2" '$2 == "10.0.0.80:7" { printf "%s%d", (n++ ? " " : ""), $c }' "$tmp/$1"
}
is "conn --count --watch" "$(grep . "$tmp/count" | tr '\n' ' ')" '8 8 9 9 '
is "conn --watch, each look with its head" \
	"$(awk '/^pro / { look++ } /^UDP/ { n[look]++ } END { print n[1], n[2], n[3], n[4] }' "$tmp/conns")" '8 8 9 9'
is "as JSON, an object each" "$(grep -c '^{$' "$tmp/json") $(grep -c '^}$' "$tmp/json")" '4 4'
is "stats --watch" "$(looks stats 4)" '6 6 7 7'
is "stats --watch --rate: in the second in which it came" "$(looks rate 4)" '0 1 0'

diag "many connections"
many=40000
in_ns cl "$tooldir/flood" -u -r 40000 eth0 "$(mac lb wan)" $vip4 9 $many >/dev/null
within "they are there" "$(ivb conn --count)" $((many * 95 / 100)) $((many + 9))
# little COMMAND...: with no more memory than it needs without connections
little() {
	prlimit --as=$((12 << 20)) "$ipvs_bpf" --netns "$(ns_name lb)" "$@" >"$tmp/listed"
}
total=$(ivb conn --count)
ok "conn" little conn
is "lists all of them" "$(grep -c '^UDP' "$tmp/listed")" "$total"
ok "as JSON" little --json conn
is "all of them too" "$(grep -c '"state"' "$tmp/listed")" "$total"
ok "adm -L -n -c" little adm -L -n -c
is "the same" "$(grep -c '^UDP' "$tmp/listed")" "$total"
ok "as JSON" little --json adm -L -c
is "that too" "$(grep -c '"state"' "$tmp/listed")" "$total"
ok "stats" little stats
nok "sorted it takes more: this fails" little conn --sort packets
like "and says so" "$(little conn --sort packets 2>&1)" 'no memory to sort more than [0-9]+ connections'
is "with more it does not" "$(ivb conn --sort packets | grep -c '^UDP')" "$total"

# slowly COMMAND...: whoever reads it has not begun yet; meanwhile another command changes something
mkfifo "$tmp/slow"
for what in 'conn' '--json conn' 'adm -L -n -c'; do
	# shellcheck disable=SC2086 # words
	"$ipvs_bpf" --netns "$(ns_name lb)" $what >"$tmp/slow" &
	writer=$!
	exec 8<"$tmp/slow"
	read -r _ <&8
	ok "a change while somebody reads '$what'" timeout 5 "$ipvs_bpf" --netns "$(ns_name lb)" \
		adm -e -u $vip4:9 -r 10.2.1.2:9 -m -w 3
	within "who reads on gets the rest" "$(wc -l <&8)" "$total" $((total + 10))
	exec 8<&-
	wait $writer
done
verify

done_testing
