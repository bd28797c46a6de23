#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections disappear in the kernel when their time is over, with no process of ours alive; what they held
# (ports, counts, slots) is free again. In guests that skip idle time the long timeouts are tried as well.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
servers=1
two_armed
web
udp_named 7
ok "up, with some SNAT ports" up --snat always --snat-ports 2001-2064
for f in 4 6; do
	service -t $f 80 rr
	service -u $f 7 rr
done

conns() {
	ivb adm -L -n -c | grep -c "^$1"
}

# A connection that is reset closes: 10 s. The client's own stack knows nothing of it.
reset_one() {
	probe "$1" "$2" -s "$3" -d 80 -f S -q 1000 >"$tmp/synack" || return 1
	probe "$1" "$2" -s "$3" -d 80 -f A -q 1001 -w 1 -a "$(($(sed 's/.* seq \([0-9]*\) .*/\1/' "$tmp/synack") + 1))"
	probe "$1" "$2" -s "$3" -d 80 -f R -q 1001 -w 1
	:
}

for i in 1 2 3 4; do
	ok "connection $i, IPv4, reset" reset_one 10.9.0.2 $vip4 $((4000 + i))
	ok "connection $i, IPv6, reset" reset_one fd09::2 $vip6 $((4000 + i))
done
is "eight connections are closed" "$(ivb adm -L -n -c | grep -c '^TCP.* CLOSE ')" 8
like "and inactive" "$(ivb adm -L -n)" '10.2.1.2:80 +Masq +1 +0 +4'
verify
is "they hold their ports" "$(ivb conn | grep -c ' 10[.]2[.]1[.]1:20[0-6][0-9] ')" 4
ok "they disappear after their 10 seconds" wait_for 20 eval '[ "$(conns TCP)" = 0 ]'
like "and their counts" "$(ivb adm -L -n)" '10.2.1.2:80 +Masq +1 +0 +0'
is "and hold none" "$(ivb conn | grep -c ' 10[.]2[.]1[.]1:20[0-6][0-9] ')" 0
ok "a client is served" probe 10.9.0.2 $vip4 -s 4006 -d 80
is "no process of ours did it" "$(pgrep -f "$ipvs_bpf --netns $(ns_name lb)")" ''
verify

diag "timeouts of single services"
for f in 4 6; do
	ok "IPv$f: three seconds for one" ivb timeout --udp-service "$(vip $f 7)" 3
	is "IPv$f: which is shown" "$(ivb timeout --udp-service "$(vip $f 7)" | awk '{ print $3 }')" 3
	is "IPv$f: an answer" "$(ask $f 1 7)" sv1
done
like "all that have some" "$(ivb timeout)" "^UDP +$vip4:7 +3\$"
is "and only they" "$(ivb timeout | wc -l)" 2
is "two connections" "$(conns UDP)" 2
ok "are gone after three seconds" wait_for 5 eval '[ "$(conns UDP)" = 0 ]'
ok "TCP: established, and after a FIN" ivb timeout --tcp-service $vip4:80 50 20
probe 10.9.0.2 $vip4 -s 4007 -d 80 -f S -q 1000 >"$tmp/synack"
probe 10.9.0.2 $vip4 -s 4007 -d 80 -f A -q 1001 -w 1 -a "$(($(sed 's/.* seq \([0-9]*\) .*/\1/' "$tmp/synack") + 1))"
like "is how long it has" "$(ivb adm -L -n -c)" '^TCP +00:(49|50) +ESTABLISHED +10.9.0.2:4007 '
nok "there must be such a service" ivb timeout --tcp-service $vip4:81 50 20
nok "and two numbers" ivb timeout --tcp-service $vip4:80 50
nok "of seconds" ivb timeout --udp-service $vip4:7 1x
ivb adm -D -u $vip4:7
service -u 4 7 rr
is "a new service has none" "$(ivb timeout --udp-service $vip4:7)" "UDP  $vip4:7           0"
ivb timeout --udp-service "$(vip 6 7)" 0
ivb timeout --tcp-service $vip4:80 0 0
is "and none is left" "$(ivb timeout)" ''
verify

diag "no timer can be had: packets do its work, those of new connections and the first of each second"
ivb down
without_timer() {
	env LD_PRELOAD="$tooldir/notimer.so" "$ipvs_bpf" --netns "$(ns_name lb)" "$@"
}
# shellcheck disable=SC2086 # words
like "up all the same, but it says so" "$(without_timer up --snat always --max-conns 8192 --max-conns6 8192 $devs 2>&1)" \
	'no expiry timer .*Cannot allocate memory.* by packets'
like "check says so too" "$(without_timer check)" '^warning +timer +.* by packets'
for f in 4 6; do
	without_timer adm -A -u "$(vip $f 7)" -s rr
	without_timer adm -a -u "$(vip $f 7)" -r "$(rip $f 1 7)" -m
	ivb timeout --udp-service "$(vip $f 7)" 2
	like "IPv$f: status says so" "$(ivb status)" "^  IPv$f .* expiry: by packets"
	is "IPv$f: 40 connections" "$(ask $f 40 7 | tr ' ' '\n' | sort | uniq -c | sed 's/^ *//')" "40 sv1"
done
sleep 3
is "which are over, but still there, as no packet has come" "$(conns UDP)" 80
verify
sleep 1
for f in 4 6; do
	is "IPv$f: new connections" "$(ask $f 20 7 | tr ' ' '\n' | sort | uniq -c | sed 's/^ *//')" "20 sv1"
done
is "the others have gone with them" "$(conns UDP)" 40
like "and are counted" "$(ivb status)" '^  IPv4 .*expired so far: 40;'
verify
ok "up again has a timer" up
like "as status says" "$(ivb status)" '^  IPv4 .* expiry timer runs'
ok "which ends them" wait_for 10 eval '[ "$(conns UDP)" = 0 ]'
verify
for f in 4 6; do
	ivb timeout --udp-service "$(vip $f 7)" 0
	service -t $f 80 rr
done

if [ -z "${IVB_SLOW:-}" ]; then
	skip "only guests skip idle time" "UDP: 300 s, TIME_WAIT: 120 s"
else
	is "HTTP" "$(get 4 1)" sv1
	is "UDP" "$(ask 4 2 7) $(ask 6 2 7)" 'sv1 sv1 sv1 sv1'
	like "closed connections wait" "$(ivb adm -L -n -c)" '^TCP .*(TIME_WAIT|FIN_WAIT)'
	is "UDP connections" "$(conns UDP)" 4
	sleep 130
	is "TIME_WAIT is over after 120 s" "$(conns TCP)" 0
	is "UDP is not" "$(conns UDP)" 4
	sleep 180
	is "but is after 300 s" "$(conns UDP)" 0
	like "no connection is counted" "$(ivb adm -L -n | grep '10\.2\.1\.2' | sort -u)" 'Masq +1 +0 +0'
	verify
fi

done_testing
