#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP through the director: real DNS, and datagrams that are checked to the byte. A socket is a connection.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need dnsmasq dig
ns_begin
two_armed
servers_route_back
udp_named 7
for n in $servers; do
	start "dns-sv$n" "sv$n" dnsmasq --no-daemon --conf-file=/dev/null --user=root --pid-file= --no-resolv \
		--no-hosts --local-ttl=0 "--address=/who.test/10.2.$n.2"
done
for n in $servers; do
	wait_listen "sv$n" udp 53
done
count=$(few 9 6)

# resolve FAMILY [OPTION]: three queries, each from a socket of its own
resolve() {
	in_ns cl dig +short +tries=1 +time=$((2 * slow)) ${2:+"$2"} "@$(vip "$1" | tr -d '[]')" \
		who.test who.test who.test | tr '\n' ' '
}

ok "up" up
for f in 4 6; do
	ok "IPv$f: DNS service" service -u $f 53 rr
	ok "DNS service, TCP" service -t $f 53 rr
	ok "echo service" service -u $f 7 wrr
	ok "a server gets weight 4" ivb adm -e -u "$(vip $f 7)" -r "$(rip $f 2 7)" -m -w 4
done

for snat in never always; do
	ok "--snat $snat" ivb up --snat "$snat"
	for f in 4 6; do
		is "IPv$f, SNAT $snat: DNS queries go round" "$(resolve $f)" '10.2.3.2 10.2.2.2 10.2.1.2 '
		is "IPv$f, SNAT $snat: and over TCP" "$(resolve $f +tcp)" '10.2.3.2 10.2.2.2 10.2.1.2 '
		is "IPv$f, SNAT $snat: sockets follow the weights" "$(tally "$(ask $f 12 7)")" 'sv1=2 sv2=8 sv3=2'
		is "one socket is one connection" "$(ask $f "$count" 7 -s | tr ' ' '\n' | uniq -c | awk '{ print $1 }')" \
			"$count"
		for length in 0 1 511 1400; do
			unlike "IPv$f, SNAT $snat: $length bytes come back unharmed" \
				"$(ask $f 3 7 -l $length)" 'timeout|different|E[A-Z]'
		done
	done
	verify
done

done_testing
