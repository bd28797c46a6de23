#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two tenants with the same addresses on one director, told apart by zone alone: each reaches its own
# servers, and the packets of one never meet the other's services or connections.
#   cl, sv1: zone 1 (devices wan, s1)    cm, sm1: zone 2 (devices wan2, t1), same addresses
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
servers=1
two_armed
# The second tenant: what comes in from its devices is routed by a table of its own.
ns_add cm sm1
wire cm eth0 lb wan2
wire sm1 eth0 lb t1
addrs cm eth0 10.1.0.2/24 fd01::2/64
addrs sm1 eth0 10.2.1.2/24 fd02:1::2/64
addrs lb wan2 10.1.0.1/24 fd01::1/64
addrs lb t1 10.2.1.1/24 fd02:1::1/64
ipn cm route add default via 10.1.0.1
ipn cm route add default via fd01::1
for f in '' -6; do
	for d in wan2 t1; do
		# shellcheck disable=SC2086 # none or one option
		ipn lb $f rule add iif $d lookup 101 ||
			skip_all "this kernel has no policy routing"
	done
done
for r in '10.1.0.0/24 dev wan2' '10.2.1.0/24 dev t1' 'fd01::/64 dev wan2' 'fd02:1::/64 dev t1'; do
	# shellcheck disable=SC2086 # words
	ipn lb route add $r table 101
done
web
nginx_on sm1
big_file "$(few 8 1)"
rate=$(few 2M 250k)
wait_listen sm1 tcp 80
port() {
	case $1 in
	cl) echo 5000 ;;
	cm) echo 5001 ;;
	esac
}
for n in cl cm; do
	in_ns $n sysctl -qw net.ipv4.tcp_max_tw_buckets=0
done
fetch() {
	in_ns "$1" curl -s --max-time $((3 * slow)) --local-port "$(port "$1")" "http://$(vip "$2")/" || echo none
}

# Zone 2 has other ports, the client's and the server's: so that packets which go astray can be told.
for n in cl cm sv1 sm1; do
	# not by `ok`, whose subshell would keep from us what is to be ended
	watch_on $n-saw clsact $n eth0 || bail "no watcher at $n"
done
ok "up, zone 1" ivb up --zone 1 --snat always --snat-ports 3000-3000 wan s1
ok "up, zone 2" ivb up --zone 2 wan2 t1
for f in 4 6; do
	ok "IPv$f service in zone 1" ivb adm -A -t "$(vip $f 80)" -s rr --zone 1
	ok "its server" ivb adm -a -t "$(vip $f 80)" -r "$(rip $f 1 80)" -m --zone 1
	is "IPv$f: zone 1 is served" "$(fetch cl $f)" sv1
	is "IPv$f: the same packet of zone 2 is not" "$(fetch cm $f)" none
	astray=$(watched cl-saw 5001) # the stack's resets just now: it knows nothing of zones
	ok "IPv$f service in zone 2" ivb adm -A -t "$(vip $f 80)" -s rr --zone 2
	ok "its server" ivb adm -a -t "$(vip $f 80)" -r "$(rip $f 1 8080)" -m --zone 2
	is "IPv$f: zone 2 has its own server" "$(fetch cm $f)" sm1
	is "IPv$f: zone 1 still has its own" "$(fetch cl $f)" sv1
	is "IPv$f: in quick turns as well" "$(for n in cm cl cm cl cm; do fetch $n $f; done | tr '\n' ' ')" \
		'sm1 sv1 sm1 sv1 sm1 '
	for n in cl cm; do
		in_ns $n curl -s --max-time $((30 * slow)) --limit-rate "$rate" --local-port "$(port $n)" \
			"http://$(vip $f 80)/f/big" | md5sum >"$tmp/md5-$n" &
	done
	wait_for 40 test -s "$tmp/md5-cl" -a -s "$tmp/md5-cm"
	is "IPv$f: and both at once" "$(cat "$tmp/md5-cl" "$tmp/md5-cm")" "$big_md5
$big_md5"
	rm "$tmp"/md5-*
	is "IPv$f: no packet for one client or server went to the other" \
		"$(watched cl-saw 5001) $(watched cm-saw 5000) $(watched sv1-saw 8080) $(watched sm1-saw 80)" "$astray 0 0 0"
	is "IPv$f: nor was one thought to" "$(counter dev_unattached)" 0
done
verify

done_testing
