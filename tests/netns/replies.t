#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A server's reply that we cannot forward is addressed to the director itself, whose stack knows nothing of the
# connection: it must not see the packet, or it would reset the server. Raw replies, and what comes back to sv1.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers=1
two_armed
start sink sv1 "$tooldir/udp" serve 7 sv1
wait_listen sv1 udp 7
# the one port: so that the test knows it
ok "up" up --snat always --snat-ports 2001-2001
service -t 4 80 rr
service -t 6 80 rr
service -u 4 7 rr
service -u 6 7 rr
# no listener: but it must not reset the connections that are faked here
in_ns sv1 nft -f - <<-EOT || skip_all "this kernel has no nftables"
	table inet quiet {
		chain out {
			type filter hook output priority 0;
			tcp flags rst drop
		}
	}
EOT

# reply PROTO FAMILY [OPTION...]: from the server; what comes back to it
reply() {
	proto=$1
	family=$2
	shift 2
	case $proto in
	tcp) set -- -p tcp -s 80 -d 2001 -f A "$@" ;;
	udp) set -- -p udp -s 7 -d 2001 "$@" ;;
	esac
	case $family in
	4) set -- 10.2.1.2 10.2.1.1 "$@" ;;
	6) set -- fd02:1::2 fd02:1::1 "$@" ;;
	esac
	in_ns sv1 "$tooldir/probe" -w $((200 * slow)) eth0 "$(mac lb s1)" "$@" || echo nothing
}

for f in 4 6; do
	case $f in
	4)
		client=10.9.0.2 lb=10.2.1.1 gone='type 11 code 0' big='type 3 code 4 mtu 1300'
		clients=10.9.0.0/16 router=10.1.0.2 dead=10.1.0.77
		;;
	6)
		client=fd09::2 lb=fd02:1::1 gone='type 3 code 0' big='type 2 code 0 mtu 1300'
		clients=fd09::/16 router=fd01::2 dead=fd01::77
		;;
	esac
	v=$(vip $f | tr -d '[]')

	like "IPv$f: a reply to a port of no connection meets the stack, which resets" "$(reply tcp $f)" '^tcp .* R'
	nok "IPv$f: a connection begins" probe "$client" "$v" -d 80
	ok "IPv$f: and one of UDP" probe "$client" "$v" -p udp -d 7
	is "they are there" "$(ivb adm -L -n -c | grep -cF "$client")" 2
	for p in tcp udp; do
		is "IPv$f $p: a good reply is forwarded" "$(reply $p $f)" nothing
		like "IPv$f $p: TTL 1: time exceeded, from the director" "$(reply $p $f -t 1)" \
			"^icmp $lb > .* $gone .*quote $p .* $lb 2001 ttl"
		ipn lb link set dev wan mtu 1300
		wait_for 3 eval "reply $p $f -l 1350 -D | grep -q icmp"
		like "IPv$f $p: too large for the client's side: told so" "$(reply $p $f -l 1350 -D)" \
			"^icmp $lb > .* $big .*quote $p .* $lb 2001 ttl"
		ipn lb link set dev wan mtu 1500
		[ $f = 6 ] || is "IPv$f $p: a source route: dropped" "$(reply $p $f -L)" nothing

		ipn lb route replace "$clients" via "$dead"
		sleep 1.1
		is "IPv$f $p: the client's router is dead: nothing" "$(reply $p $f)" nothing
		ipn lb route del "$clients"
		sleep 1.1
		unlike "IPv$f $p: no route to the client: no reset" "$(reply $p $f)" '^tcp|code [34] mtu 0 quote udp'
		ipn lb route replace "$clients" via "$router"
	done
	ivb adm -d -t "$(vip $f 80)" -r "$(rip $f 1 80)"
	is "IPv$f: the server has been removed: no reset" "$(reply tcp $f)" nothing
	ivb adm -D -t "$(vip $f 80)"
	is "IPv$f: and so has the service" "$(reply tcp $f)" nothing
done
verify

done_testing
