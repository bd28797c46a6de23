#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ICMP errors: those of the director for packets that it cannot forward, and those of routers and servers
# behind it, which must reach the one who sent the packet, quoting what he sent. With SNAT, both families.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
two_armed_router
udp_named 7
ok "up" up --snat always
for f in 4 6; do
	service -u $f 7 rr
	service -t $f 7 rr
	service -u $f 99 rr
done

sport=4000
for f in 4 6; do
	case $f in
	4)
		client=10.9.0.2
		exceeded='type 11 code 0' unreachable='type 3 code 3'
		;;
	6)
		client=fd09::2
		exceeded='type 3 code 0' unreachable='type 1 code 4'
		;;
	esac
	v=$(vip $f | tr -d '[]')
	for p in udp tcp; do
		sport=$((sport + 2))
		quote="quote $p $client [0-9]+ > $v 7 ttl"
		like "IPv$f $p: a first packet with TTL 1 is answered, in the VIP's name as by kernel IPVS" \
			"$(probe "$client" "$v" -p $p -s $sport -d 7 -t 1)" \
			"^icmp $v > $client $exceeded .*$quote"
		sport=$((sport + 1))
		like "IPv$f $p: with TTL 2 by the router behind the director: quoting what the client sent" \
			"$(probe "$client" "$v" -p $p -s $sport -d 7 -t 2)" \
			"^icmp $v > $client $exceeded .*$quote"
		like "IPv$f $p: with TTL 3 by the server" \
			"$(probe "$client" "$v" -p $p -s $sport -d 7 -t 3)" "^$p $v 7 > $client $sport "
		like "IPv$f $p: a later packet with TTL 1 is answered by the director" \
			"$(probe "$client" "$v" -p $p -s $sport -d 7 -t 1 -f A)" \
			"^icmp $v > $client $exceeded .*$quote"
	done

	like "IPv$f: the server's port unreachable reaches the client" \
		"$(probe "$client" "$v" -p udp -s $sport -d 99)" \
		"^icmp [^ ]+ > $client $unreachable .*quote udp $client $sport > $v 99 ttl"
	is "IPv$f: a socket sees it as refused" "$(ask $f 1 99)" ECONNREFUSED

	ivb adm -e -u "$(vip $f 7)" -r "$(rip $f 1 7)" -m -w 0
	ivb adm -e -t "$(vip $f 7)" -r "$(rip $f 1 7)" -m -w 0
	is "IPv$f: no usable server: refused" "$(ask $f 1 7)" ECONNREFUSED
	like "IPv$f: and so is TCP" "$(probe "$client" "$v" -s 4999 -d 7)" \
		"^icmp [^ ]+ > $client $unreachable .*quote tcp $client 4999 > $v 7 ttl"
done

like "the source route of an option is not followed" \
	"$(probe 10.9.0.2 $vip4 -p udp -d 99 -s 4998 -L; echo end)" '^end'
is "no ICMP message had a wrong checksum" "$(grep 'BAD CHECKSUM' "$tmp/probed")" ''
verify

done_testing
