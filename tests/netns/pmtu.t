#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Path MTU discovery through the director, SNAT on: a narrow device of the director's own in either direction,
# and a narrow link behind a router. The sender learns, large segments included, and all data arrives.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl socat
ns_begin
two_armed_router
web
sinks 9000
udp_named 7
big_file "$(few 8 1)"
ok "up" up --snat always
for f in 4 6; do
	service -t $f 80 rr
	service -t $f 9000 rr
	service -u $f 7 rr
done

# learnt SHORT ADDRESS: the path MTU that this host has found out
learnt() {
	ipn "$1" route get "$2" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

forget() {
	for n in cl sv1; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
	done
}

# narrow SHORT DEV MTU: that end of a link alone, so that the far end still announces 1500
narrow() {
	ipn "$1" link set dev "$2" mtu "$3"
	# the director looks at a next hop once a second
	[ "$3" = 1500 ] || sleep 1.1
}

for f in 4 6; do
	case $f in
	4) snat=10.2.1.1 ;;
	6) snat=fd02:1::1 ;;
	esac
	v=$(vip $f | tr -d '[]')

	narrow lb s1 1400
	is "IPv$f: upload, the director's device to the server has MTU 1400" "$(upload $f 9000)" "$big_md5"
	is "the client has learnt it" "$(learnt cl "$v")" 1400
	forget
	is "a datagram with Don't Fragment set: refused by the learnt MTU" \
		"$(ask $f 2 7 -s -d -l 1440)" 'EMSGSIZE EMSGSIZE'
	narrow lb s1 1500
	forget

	narrow lb wan 1400
	is "IPv$f: download, the director's device to the client has MTU 1400" "$(download $f)" "$big_md5"
	is "the server has learnt it" "$(learnt sv1 "$snat")" 1400
	narrow lb wan 1500
	forget

	narrow rt down 1350
	is "IPv$f: upload, the link behind the router has MTU 1350" "$(upload $f 9000)" "$big_md5"
	is "the client has learnt it" "$(learnt cl "$v")" 1350
	narrow rt down 1500
	forget

	narrow rt up 1350
	is "IPv$f: download, the router's link to the director has MTU 1350" "$(download $f)" "$big_md5"
	is "the server has learnt it" "$(learnt sv1 "$snat")" 1350
	narrow rt up 1500
	forget
done
verify

done_testing
