#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With traffic going on: commands killed, weights changed, servers drained and removed, services flushed and
# restored. No process of ours is needed by any packet, and established connections go on.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/live.sh
. "$top/tests/lib/live.sh"

need nginx curl
ns_begin
two_armed
web
big_file "$(few 24 3)"
rate=$(few 3M 200k)
ok "up" up --snat always
service -t 4 80 wrr
service -t 6 80 wrr

# busy: more answers have come
busy() {
	wait_for 20 more_than $(($(wc -l <"$tmp/requests") + 6))
}

slow_download() {
	in_ns cl curl -s --limit-rate "$rate" --max-time $((60 * slow)) "http://$(vip "$1")/f/big" |
		md5sum >"$tmp/md5-$1"
}

slow_download 4 &
slow_download 6 &
requests "$tmp/requests" &
ok "requests are answered" busy

name=$(ns_name lb)
is "no process of ours is alive" "$(pgrep -f "$ipvs_bpf --netns $name")" ''

killed=0
for i in 1 2 3 4 5 6 7 8 9; do
	# not by ivb: the process itself must be killed, not a shell that waits for it
	"$ipvs_bpf" --netns "$name" adm -L -n -c >/dev/null &
	p1=$!
	"$ipvs_bpf" --netns "$name" adm -e -t "$(vip 4 80)" -r "$(rip 4 1 80)" -m -w $i &
	p2=$!
	"$ipvs_bpf" --netns "$name" status --verify >/dev/null &
	p3=$!
	sleep 0.00$i
	for p in $p1 $p2 $p3; do
		kill -9 "$p" && killed=$((killed + 1))
		wait "$p"
	done
done 2>/dev/null
ok "commands were killed with -9 ($killed of 27)" test "$killed" -gt 0
ok "requests go on" busy
ok "the next command works" ivb adm -e -t "$(vip 4 80)" -r "$(rip 4 1 80)" -m -w 5
like "and its change is there" "$(ivb adm -L -n)" '10.2.1.2:80 +Masq +5 '

for n in 2 3; do
	for f in 4 6; do
		ivb adm -e -t "$(vip $f 80)" -r "$(rip $f $n 80)" -m -w $((n * 3))
	done
done
ok "requests go on with other weights" busy

for f in 4 6; do
	ok "IPv$f: server 2 is drained" ivb adm -e -t "$(vip $f 80)" -r "$(rip $f 2 80)" -m -w 0
done
unlike "it gets no new connection" "$(get 4 6)" sv2
ok "requests go on" busy

ok "other services come and go" eval '
	for i in 1 2 3 4 5; do
		ivb adm -A -t 10.0.0.80:$((9000 + i)) -s rr && ivb adm -a -t 10.0.0.80:$((9000 + i)) -r 10.2.1.2:80 -m
	done && for i in 1 2 3 4 5; do ivb adm -D -t 10.0.0.80:$((9000 + i)); done'
ok "a second up with the same devices" up
ok "requests go on" busy

: >"$tmp/stop"
ok "the downloads that began before all this end" wait_for 60 test -s "$tmp/md5-4" -a -s "$tmp/md5-6"
is "with all data, IPv4" "$(cat "$tmp/md5-4")" "$big_md5"
is "with all data, IPv6" "$(cat "$tmp/md5-6")" "$big_md5"
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
verify

# as with kernel IPVS: connections of a removed server wait for it to come back
rm -f "$tmp"/md5-*
slow_download 4 &
ok "a download has begun" wait_for 10 eval 'ivb adm -L -n -c | grep -q ESTABLISHED'
ok "all services are flushed" ivb adm -C
nok "nothing is served" in_ns cl curl -s --max-time $((2 * slow)) "http://$(vip 4)/"
ok "and restored" service -t 4 80 wrr
ok "the download goes on" wait_for 60 test -s "$tmp/md5-4"
is "with all data" "$(cat "$tmp/md5-4")" "$big_md5"
verify

done_testing
