#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A VIP is served only while it is the director's own (or with --any-vip), and a listener of the director on
# the same address and port never answers a client, whatever keeps us from serving.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
udp_named 7
# the director's own services, on the same ports
nginx_on lb
wait_listen lb tcp 80
for a in $vip4 $vip6; do
	start "udp-lb-$a" lb "$tooldir/udp" serve 7 lb "$a"
	wait_listen lb udp 7
done

# answers FAMILY: what a client gets from HTTP and UDP, in two words
answers() {
	echo "$(in_ns cl curl -s --max-time $((2 * slow)) "http://$(vip "$1")/" || echo none)" \
		"$(ask "$1" 1 7)"
}

serve() {
	for f in 4 6; do
		service -t $f 80 rr
		service -u $f 7 rr
	done
}

for f in 4 6; do
	is "IPv$f: without us the director's own services answer" "$(answers $f)" 'lb lb'
done

ok "up" up --snat always
serve
for f in 4 6; do
	is "IPv$f: with us the servers do" "$(answers $f)" 'sv3 sv3'
	for n in 1 2 3; do
		ivb adm -e -t "$(vip $f 80)" -r "$(rip $f $n 80)" -m -w 0
		ivb adm -e -u "$(vip $f 7)" -r "$(rip $f $n 7)" -m -w 0
	done
	is "IPv$f: all weights 0: refused, not the director's" "$(answers $f)" 'none ECONNREFUSED'
	for n in 1 2 3; do
		ivb adm -d -t "$(vip $f 80)" -r "$(rip $f $n 80)"
		ivb adm -d -u "$(vip $f 7)" -r "$(rip $f $n 7)"
	done
	is "IPv$f: no server at all: the same" "$(answers $f)" 'none ECONNREFUSED'
done
verify
ivb down

ok "up with one SNAT port" up --snat always --snat-ports 2000-2000
serve
for f in 4 6; do
	is "IPv$f: three connections fit, one on each server" "$(ask $f 3 7)" 'sv3 sv2 sv1'
	unlike "IPv$f: a fourth finds no port: never the director's answer" "$(ask $f 1 7 -w $((500 * slow)))" 'lb|sv'
done
verify
ivb down

ok "up with 16 connections at most" up --snat always --max-conns 16 --max-conns6 16
serve
for f in 4 6; do
	is "IPv$f: as many as fit" "$(tally "$(ask $f 16 7)")" 'sv1=5 sv2=5 sv3=6'
	unlike "IPv$f: one more: never the director's answer" "$(ask $f 1 7 -w $((500 * slow)))" 'lb|sv'
done
ok "and it is counted" test "$(counter map_full)" -ge 2
verify
ivb down

# owned: whether the servers answer at 10.0.0.81 (the director's own would be "lb")
owned() {
	[ "$(in_ns cl curl -s --max-time $((2 * slow)) http://10.0.0.81/)" = sv1 ]
}

ok "up" up --snat always
ok "a service at an address that is not local" ivb adm -A -t 10.0.0.81:80 -s rr
ivb adm -a -t 10.0.0.81:80 -r 10.2.1.2:80 -m
nok "not served without a route to it" owned
ipn lb route add 10.0.0.0/24 via 10.1.0.2
nok "nor with one" owned
is "no connection was made" "$(ivb adm -L -n -c | grep -c 10.0.0.81)" 0
like "the reason is counted" "$(counter pass_not_local)" '[1-9]'
addrs lb lo 10.0.0.81/32
ok "served as soon as the address is there" wait_for 3 owned
ipn lb addr del 10.0.0.81/32 dev lo
ok "and not for long when it is gone" wait_for 3 eval '! owned'
verify
ivb down
ok "up --any-vip" up --any-vip --snat always
ivb adm -A -t 10.0.0.81:80 -s rr
ivb adm -a -t 10.0.0.81:80 -r 10.2.1.2:80 -m
ok "now it is served" owned
verify

done_testing
