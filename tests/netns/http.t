#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Real HTTP through the director, both families, with and without SNAT: which server answers follows rr and
# wrr connection by connection, and the servers see whom they should.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
servers_route_back
rounds=$(few 4 2)

# seen FAMILY: whom the servers see, in three connections
seen() {
	in_ns cl curl -s --max-time $((5 * slow)) -H 'Connection: close' "http://$(vip "$1" 80)/who?[1-3]" | uniq |
		tr '\n' ' '
}

ok "up" up
for f in 4 6; do
	ok "IPv$f: a service with three servers" service -t $f 80 rr
	ok "and one with weights" service -t $f 8080 wrr
	for n in 1 2 3; do
		ok "server $n gets weight $n" ivb adm -e -t "$(vip $f 8080)" -r "$(rip $f $n 8080)" -m -w $n
	done
done

for snat in never always; do
	ok "--snat $snat" ivb up --snat "$snat"
	for f in 4 6; do
		is "IPv$f, SNAT $snat: rr takes servers in turn, the newest first" \
			"$(get $f $((3 * rounds)))" "$(repeat 'sv3 sv2 sv1' "$rounds")"
		case $snat$f in
		never4) is "the servers see the client" "$(seen $f)" '10.1.0.2 ' ;;
		never6) is "the servers see the client" "$(seen $f)" 'fd01::2 ' ;;
		always4) is "the servers see the director" "$(seen $f)" '10.2.3.1 10.2.2.1 10.2.1.1 ' ;;
		always6) is "the servers see the director" "$(seen $f)" 'fd02:3::1 fd02:2::1 fd02:1::1 ' ;;
		esac
		is "IPv$f, SNAT $snat: wrr, weights 1 2 3, two periods" "$(tally "$(get $f 12 8080)")" \
			'sv1=2 sv2=4 sv3=6'
		is "the requests of one connection stay with its server" \
			"$(in_ns cl curl -s --max-time $((10 * slow)) "http://$(vip $f 8080)/?[1-6]" | uniq -c | awk '{ print $1 }')" 6
	done
	verify
done
is "stats counts the connections, with or without ip_vs" \
	"$(ivb stats | awk -v s="$(vip 4 8080)" '$2 == s { print $3, $4 }')" 'bpf 26'
ok "down" ivb down
nok "nothing is served any more" in_ns cl curl -s --max-time 2 "http://$(vip 4 80)/"

done_testing
