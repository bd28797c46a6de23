#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ICMP errors about kernel IPVS's connections that eBPF carries, with SNAT and without: path MTU discovery in both
# directions, by the director's own devices and by a router behind it, and what servers and routers refuse.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl socat
ns_begin
ipvs_begin
two_armed_router
for f in 4 6; do
	case $f in
	4) gw=10.2.1.1 ;;
	6) gw=fd02:1::1 ;;
	esac
	ipn rt "-$f" route add default via $gw
done
web
sinks 9000
udp_named 7
big_file "$(few 8 1)"

# served FAMILY -t|-u PORT SERVER_PORT
served() {
	kipvs -A "$2" "$(vip "$1" "$3")" -s rr
	kipvs -a "$2" "$(vip "$1" "$3")" -r "$(rip "$1" 1 "$4")" -m
}

ok "the engine is on" follow --snat always
for f in 4 6; do
	# the same servers with SNAT and (+1) without
	served $f -t 80 80
	served $f -t 81 80
	served $f -t 9000 9000
	served $f -t 9001 9000
	served $f -u 7 7
	served $f -u 8 7
	served $f -u 98 99
	served $f -u 99 99
	for p in 81 9001; do
		ivb snat --tcp-service "$(vip $f $p)" never
	done
	for p in 8 99; do
		ivb snat --udp-service "$(vip $f $p)" never
	done
done

# learnt SHORT ADDRESS: the path MTU that this host has found out
learnt() {
	ipn "$1" route get "$2" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

# narrow SHORT DEV MTU: that end of a link alone, so that the far end still announces 1500
narrow() {
	ipn "$1" link set dev "$2" mtu "$3"
	for n in cl sv1 lb rt; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
	done
	# the director looks at a next hop once a second
	sleep 1.1
}

# fetch FAMILY PORT
fetch() {
	in_ns cl curl -s --max-time $((60 * slow)) "http://$(vip "$1" "$2")/f/big" | md5sum
}

for f in 4 6; do
	v=$(vip $f | tr -d '[]')
	for more in 0 1; do
		case $f$more in
		40) what="IPv4, SNAT" seen=10.2.1.1 ;;
		41) what="IPv4, no SNAT" seen=10.1.0.2 ;;
		60) what="IPv6, SNAT" seen=fd02:1::1 ;;
		61) what="IPv6, no SNAT" seen=fd01::2 ;;
		esac
		narrow rt down 1350
		is "$what: upload, a narrow link behind the router" "$(upload $f $((9000 + more)))" "$big_md5"
		is "$what: the client has learnt it" "$(learnt cl "$v")" 1350
		narrow rt down 1500
		narrow rt up 1350
		is "$what: download, the router's narrow link to the director" "$(fetch $f $((80 + more)))" "$big_md5"
		is "$what: the server has learnt it" "$(learnt sv1 $seen)" 1350
		narrow rt up 1500
		narrow lb wan 1400
		is "$what: download, the director's narrow device to the client" "$(fetch $f $((80 + more)))" "$big_md5"
		is "$what: the server has learnt that" "$(learnt sv1 $seen)" 1400
		narrow lb wan 1500
		is "$what: a server's port unreachable reaches the client's socket" "$(ask $f 1 $((98 + more)))" ECONNREFUSED
	done

	# a later packet of a connection, which the router cannot forward any more
	case $f in
	4) client=10.9.0.2 exceeded='type 11 code 0' ;;
	6) client=fd09::2 exceeded='type 3 code 0' ;;
	esac
	for more in 0 1; do
		for ttl in 64 2; do
			probe $client "$v" -p udp -s $((4000 + more)) -d $((7 + more)) -t $ttl >"$tmp/told"
		done
		like "IPv$f, port $((7 + more)): time exceeded behind the director, quoting what the client sent" "$(cat "$tmp/told")" \
			"^icmp $v > $client $exceeded .*quote udp $client $((4000 + more)) > $v $((7 + more)) ttl"
	done
done
is "no ICMP message had a wrong checksum" "$(grep 'BAD CHECKSUM' "$tmp/probed")" ''
within "packets were carried" "$(fast in)" 100 1000000
verify
done_testing
