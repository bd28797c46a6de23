#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Services, servers, weights and schedulers changed under traffic, as fast as commands can be started: no request
# fails. And what becomes of connections whose server is removed.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
udp_named 7
ok "up" up --snat always
name=$(ns_name lb)
v=$(vip 4 80)

# adm by the program itself: a shell around each command would be half of the time
adm() {
	"$ipvs_bpf" --netns "$name" adm "$@"
}

# requests FILE ADDRESS: new connections until $tmp/stop is there; who answered
requests() {
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		in_ns cl curl -s --max-time $((10 * slow)) -H 'Connection: close' "http://$2/?[1-20]" ||
			echo "FAILED $?"
	done >"$1"
}

datagrams() {
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		in_ns cl "$tooldir/udp" ask -c 20 -w $((2000 * slow)) $vip4 7 || echo "FAILED $?"
	done >"$1"
}

# turn N: eight changes. Server 3 comes and goes; the others are always there.
turn() {
	for s in rr wrr lc wlc sed nq fo ovf sh dh mh; do
		[ $((turn_i = (turn_i + 1) % 11)) != $(($1 % 11)) ] || turn_s=$s
	done
	adm -E -t "$v" -s "$turn_s" && adm -E -u "$vip4:7" -s "$turn_s" &&
		adm -e -t "$v" -r "$(rip 4 1 80)" -m -w $((1 + $1 % 7)) &&
		adm -d -t "$v" -r "$(rip 4 3 80)" &&
		adm -e -t "$v" -r "$(rip 4 2 80)" -m -w $((1 + $1 % 5)) -x 60000 &&
		adm -a -t "$v" -r "$(rip 4 3 80)" -m -w $((1 + $1 % 3)) &&
		adm -A -t 10.0.0.80:9000 -s "$turn_s" && adm -D -t 10.0.0.80:9000
}

service -t 4 80 wlc
service -t 6 80 wlc
service -u 4 7 wlc
requests "$tmp/requests-4" "$v" &
pids=$!
requests "$tmp/requests-6" "$(vip 6 80)" &
pids="$pids $!"
datagrams "$tmp/datagrams" &
pids="$pids $!"
ok "requests are answered" wait_for 10 test -s "$tmp/requests-4" -a -s "$tmp/requests-6" -a -s "$tmp/datagrams"

turns=$(few 60 5)
begun=$(date +%s%N)
i=0
turn_i=0
while [ "$i" -lt "$turns" ] && turn $i; do
	i=$((i + 1))
done
took=$((($(date +%s%N) - begun) / 1000000))
is "all changes were made" "$i" "$turns"
diag "$((turns * 8)) changes in $took ms: $((turns * 8000 / took)) a second"
: >"$tmp/stop"
# shellcheck disable=SC2086 # words
wait $pids
for f in requests-4 requests-6 datagrams; do
	sort "$tmp/$f" | uniq -c >"$tmp/$f.tally"
	diag "$f: $(tr '\n' ' ' <"$tmp/$f.tally")"
	unlike "$f: none failed" "$(cat "$tmp/$f.tally")" 'FAILED|timeout|E[A-Z]'
	like "$f: they went on" "$(cat "$tmp/$f.tally")" 'sv'
done
verify

# A UDP flow of a removed server moves at once. Its client keeps its port.
first=$(in_ns cl "$tooldir/udp" ask -p 5000 $vip4 7)
ok "$first, which answers port 5000, is removed" adm -d -u $vip4:7 -r "$(rip 4 "${first#sv}" 7)"
moved=$(in_ns cl "$tooldir/udp" ask -p 5000 $vip4 7)
like "port 5000 goes elsewhere at once" "$moved" 'sv[123]'
nok "to another" test "$moved" = "$first"
like "what is left on it is seen" "$(ivb adm -L -n -c)" "UDP .*:5000 .*10.2.${moved#sv}.2:7"

verify
done_testing
