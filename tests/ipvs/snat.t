#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SNAT for connections of kernel IPVS: whose, to what address and port; fragments; ICMP errors; two virtual
# addresses with one server and one client port; no conntrack entry anywhere.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl nft conntrack
ns_begin
ipvs_begin
servers=1
two_armed
servers_route_back
web
udp_named 7
addrs cl eth0 10.8.0.2/32 fd08::2/128
addrs lb lo 10.0.0.81/32 fd00::81/128 10.0.0.100/32 fd00::100/128
{
	echo route add 10.8.0.2 via 10.1.0.2
	echo route add fd08::2 via fd01::2
} | ipb lb
# conntrack is at work on the host for other reasons, and distrusts what it does not know
in_ns lb nft -f - <<-EOT
	table inet other {
		chain forward { type filter hook forward priority 0; ct state invalid drop; }
		chain input { type filter hook input priority 0; ct state established accept; ct state new accept; }
	}
EOT

# whom FAMILY SOURCE [CURL OPTION...]: whom the server sees; with two virtual addresses
whom() {
	whom_v=$(vip "$1" 80)
	whom_from=$2
	shift 2
	in_ns cl curl -s --max-time $((5 * slow)) --interface "$whom_from" "$@" "http://$whom_v/who" || echo none
}

# same_port ADDRESS: an answer through it, to one port of the client's
same_port() {
	printf 'GET / HTTP/1.0\r\n\r\n' | in_ns cl socat -t $((3 * slow)) - "TCP:$1,bind=:40002,reuseaddr" | tail -n 1
}

ok "the engine is on" follow --snat auto --non-masq 10.8.0.0/16,fd08::/16
for f in 4 6; do
	kservice $f 80 rr
	kipvs -A -u "$(vip $f 7)" -s rr
	kipvs -a -u "$(vip $f 7)" -r "$(rip $f 1 7)" -m
	case $f in
	4) near=10.8.0.2 far=10.1.0.2 lb=10.2.1.1 own=10.0.0.100 second=10.0.0.81:80 ;;
	6) near=fd08::2 far=fd01::2 lb=fd02:1::1 own=fd00::100 second='[fd00::81]:80' ;;
	esac
	is "IPv$f: auto: a client has SNAT" "$(whom $f $far)" $lb
	is "IPv$f: one of --non-masq has not" "$(whom $f $near)" $near
	ok "IPv$f: never, for this service" ivb snat --tcp-service "$(vip $f 80)" never
	is "IPv$f: the client is seen" "$(whom $f $far)" $far
	like "IPv$f: the policy is listed" "$(ivb snat)" "^TCP +.*:80 +never"
	ok "IPv$f: always, for this service" ivb snat --tcp-service "$(vip $f 80)" always
	is "IPv$f: every client has SNAT" "$(whom $f $near)" $lb
	ok "IPv$f: the default again" ivb snat --tcp-service "$(vip $f 80)" default
	is "IPv$f: no policy is left" "$(ivb snat)" ''

	# large datagrams, both ways
	is "IPv$f: UDP" "$(ask $f 2 7)" 'sv1 sv1'
	is "IPv$f: datagrams of many fragments" "$(ask $f 3 7 -l 20000) $(ask $f 2 7 -l 4000 -s)" 'sv1 sv1 sv1 sv1 sv1'

	# one client port, two virtual addresses, one server: the same tuple once kernel IPVS has translated it
	kipvs -A -t "$second" -s rr
	kipvs -a -t "$second" -r "$(rip $f 1 80)" -m
	is "IPv$f: two virtual addresses, one client port" "$(same_port "$(vip $f 80)") $(same_port "$second")" 'sv1 sv1'
	is "IPv$f: two ports towards the server" "$(ivb conn | awk -v "six=$((f == 6))" '($2 ~ /^\[/) == six && $2 ~ /:40002$/ { print $4 }' | sort -u | grep -c :)" 2
	ok "IPv$f: an address for SNAT alone" ivb up --snat-addr $own
	is "IPv$f: it is seen" "$(whom $f $far)" $own
done
like "bpftool shows flows by their fields' names" "$(bpftool map dump pinned "$(pinned)/flows4" | tr -d ' \n')" \
	'"key":\{"saddr":[0-9]+,"daddr":[0-9]+,"sport":[0-9]+,"dport":[0-9]+,"proto":(0x)?(6|11|17),"zone":(0x)?0\},"value":\{"flow":\{'
is "no connection of ours is in conntrack" "$(in_ns lb conntrack -L 2>/dev/null | grep -cE 'dport=(80|7) ')" 0
is "and nothing was dropped for want of knowledge" "$(counter snat_unknown)" 0
within "packets were carried" "$(fast in)" 10 100000
diag "$(ivb status | sed -n '/left to/,$p')"
verify

done_testing
