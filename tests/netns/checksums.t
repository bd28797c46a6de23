#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The four states that a packet's checksum can be in when it reaches us. A program that counts them first
# proves that the state occurs; then the data must arrive unharmed, and no kernel count a bad checksum.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl socat ethtool
ns_begin

# Bad checksums that the receivers have counted: snmp has a line of names and then one of values.
# shellcheck disable=SC2016 # awk
sum_errors() {
	for n in cl sv1; do
		in_ns $n cat /proc/net/snmp /proc/net/snmp6
	done | awk '
		$1 ~ /InCsumErrors$/ { sum += $2 }
		$2 ~ /^[A-Z]/ { for (i = 2; i <= NF; i++) name[i] = $i; next }
		$1 ~ /:$/ { for (i = 2; i <= NF; i++) if (name[i] == "InCsumErrors") sum += $i }
		END { print sum + 0 }'
}

# seen KEY DEV: whether packets in that state come in there (data of a plain routed connection)
seen() {
	watch_on "sum-$2" clsact lb "$2" || {
		cat "$tmp/sum-$2.log"
		stop "$started"
		return 1
	}
	in_ns cl curl -sS --max-time $((5 * slow)) "http://$plain:8080/f/small" >/dev/null
	seen_n=$(watched "sum-$2" "$1")
	echo "of that kind: $seen_n; none, unnecessary, complete, partial:" \
		"$(for k in sum0 sum1 sum2 sum3; do watched "sum-$2" $k; done | tr '\n' ' ')"
	stop "$started"
	[ "$seen_n" -gt 0 ]
}

# carries STATE KEY
carries() {
	web
	sinks 9000
	udp_named 7
	big_file "$(few 8 1)"
	head -c 30000 "$tmp/www/big" >"$tmp/www/small"
	servers_route_back
	ok "$1: comes in from the client" seen "$2" "${devs%% *}"
	ok "$1: and from the server" seen "$2" "${devs##* }"
	ok "$1: up" up
	for f in 4 6; do
		ok "$1, IPv$f: services" eval "service -t $f 80 rr && service -t $f 9000 rr && service -u $f 7 rr"
	done
	for snat in always never; do
		ok "$1: --snat $snat" ivb up --snat $snat
		for f in 4 6; do
			is "$1, IPv$f, SNAT $snat: download" "$(download $f)" "$big_md5"
			is "$1, IPv$f, SNAT $snat: upload" "$(upload $f 9000)" "$big_md5"
			for length in 1 2 3 700 1201 4001; do
				is "$1, IPv$f, SNAT $snat: datagrams of $length bytes" "$(ask $f 2 7 -l $length)" 'sv1 sv1'
			done
		done
		verify
	done
	is "$1: no receiver counts a bad checksum" "$(sum_errors)" 0
	ns_clear
}

tx_off() {
	in_ns "$1" ethtool -K "$2" tx off >/dev/null 2>&1
}

servers=1
plain=10.2.1.2
two_armed
carries PARTIAL sum3

# where the director has to sum what it sends, receivers look at it
two_armed
tx_off lb wan
tx_off lb s1
carries 'PARTIAL to a whole sum' sum3

two_armed
tx_off cl eth0
tx_off sv1 eth0
carries NONE sum0

# GRO looks at the checksum of what it does not merge
two_armed
tx_off cl eth0
tx_off sv1 eth0
if in_ns lb ethtool -K wan gro on 2>/dev/null && in_ns lb ethtool -K s1 gro on; then
	carries UNNECESSARY sum1
else
	skip "veth has no GRO here" UNNECESSARY
	ns_clear
fi

# vxlan with an outer checksum: software has summed the whole packet, and the inner one's sum remains
# vxlan SHORT NAME VNI LOCAL REMOTE DEV
vxlan() {
	ipn "$1" link add name "$2" type vxlan id "$3" dstport 4789 local "$4" remote "$5" udpcsum dev "$6"
}

complete_net() {
	nets <<-EOT
		cl u0 lb u1
		sv1 u0 lb u2
	EOT
	addrs cl u0 172.16.1.2/24
	addrs lb u1 172.16.1.1/24
	addrs sv1 u0 172.16.2.2/24
	addrs lb u2 172.16.2.1/24
	vxlan lb vxc 7 172.16.1.1 172.16.1.2 u1 && vxlan cl eth0 7 172.16.1.2 172.16.1.1 u0 &&
		vxlan lb vxs 8 172.16.2.1 172.16.2.2 u2 && vxlan sv1 eth0 8 172.16.2.2 172.16.2.1 u0 || return 1
	for d in 'cl eth0' 'sv1 eth0' 'lb vxc' 'lb vxs' 'cl u0' 'sv1 u0' 'lb u1' 'lb u2'; do
		# shellcheck disable=SC2086 # two words
		set -- $d
		ipn "$1" link set dev "$2" up
		tx_off "$1" "$2"
	done
	client_addrs eth0 vxc
	server_addrs 1 vxs
	devs='vxc vxs'
}
if complete_net 2>/dev/null; then
	carries COMPLETE sum2
else
	skip "this kernel has no vxlan" COMPLETE
fi

done_testing
