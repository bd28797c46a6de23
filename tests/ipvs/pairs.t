#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two processors make connections of kernel IPVS at once that are in each other's way: the same client ports through
# two virtual addresses to one server, and the same ports of two clients. None is lost, and none is mixed up.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

second=10.0.0.81
each=60

[ "$(nproc)" -gt 1 ] || skip_all "one processor cannot do two things at once"
need taskset
ns_begin
ipvs_begin
servers=1
two_armed
addrs cl eth0 10.1.0.3/24
addrs lb lo $second/32
start echo-sv1 sv1 "$tooldir/echo" serve 7
wait_listen sv1 tcp 7
ok "the engine is on" follow --snat always
for v in $vip4 $second; do
	kipvs -A -t $v:7 -s rr
	kipvs -a -t $v:7 -r "$(rip 4 1 7)" -m
done

# crowd NAME CPU SOURCE VIP: connections from the same ports as the others', all at once, on that processor
crowd() {
	start "$1" cl taskset -c "$2" "$tooldir/echo" talk -n $each -p 20000 -a "$3" -i 500 "$4" 7
	eval "talk_$1=$started"
}

crowd first 0 10.1.0.2 $vip4
crowd other 1 10.1.0.3 $vip4
crowd second 1 10.1.0.2 $second
crowd fourth 0 10.1.0.3 $second
for c in first other second fourth; do
	ok "$c: all connect" wait_for 20 grep -q connected "$tmp/$c.log"
done
sleep 3
for c in first other second fourth; do
	talked $c >/dev/null
done
# two emulated processors are slow, and a lost packet is sent again after a while
sleep 10
for c in first other second fourth; do
	like "$c: all are answered, with their own bytes" "$(talked $c)" "^conns=$each answered=$each reset=0 closed=0 wrong=0 "
done
ivb conn >"$tmp/conns"
is "every connection is there" "$(grep -c '^TCP' "$tmp/conns")" $((4 * each))
is "with a port of its own towards the server" "$(awk '$1 == "TCP" { print $4 }' "$tmp/conns" | sort -u | wc -l)" $((4 * each))
within "and carried" "$(fast in)" $((4 * each)) 1000000
is "none was dropped as unknown" "$(counter snat_unknown)" 0
verify
done_testing
