# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What an administrator changes under live connections: firewall rules bite within one lease and are undone, a
# server that is removed takes effect at once and may come back, and a service that is removed likewise.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

# rule CHAIN MATCH...: dropped there while questions are asked, five in a second. A lease lasts 5 seconds, and
# the kernel may have granted one with the packet before. TCP brings what was lost.
rule() {
	dial 1 $((vport * 10 + 4000))
	play pace 1 20 200
	with_us "rule-$1" "$sport"
	in_ns lb iptables -I "$@" -j DROP
	play pace 1 60 200
	case $said in
	*' timeout') [ "${said% *}" -le 26 ] && echo "the rule in $1 bites" ;;
	esac
	in_ns lb iptables -D "$@" -j DROP
	tell hear 1 20000
	tell pace 1 20 100
	leave 1
}

input() {
	vport=91
	one 91
	rule INPUT -d $vip4 -p tcp --dport 91
}

output() {
	vport=92
	one 92
	rule OUTPUT -d "$(rip 4 1)" -p tcp --dport 80
}

forward() {
	vport=93
	one 93
	rule FORWARD -s "$(rip 4 1)" -p tcp --sport 80
}

# flap 0|1: expire_nodest_conn
flap() {
	vs expire_nodest_conn="$1"
	vport=$((94 + $1))
	one "$vport"
	dial 1 $((vport * 10 + 4000))
	dial 2 $((vport * 10 + 4001))
	play pace 1 20 100
	with_us "flap$1" $((sport - 1))
	kipvs -d -t "$vip4:$vport" -r "$(rip 4 1 80)"
	tell ask 1
	tell ask 2
	kipvs -a -t "$vip4:$vport" -r "$(rip 4 1 80)" -m
	tell hear 1 20000
	tell hear 2 20000
	echo "left: $(kconns | grep -c "ESTABLISHED .*:$vport ")"
	dial 3 $((vport * 10 + 4002))
	play pace 3 20 100
	with_us "again$1" "$sport"
	tell pace 2 20 100
	leave 1 2 3
	vs expire_nodest_conn=0
}

# service_gone PORT [PORT]: a service that goes takes its servers with it; with the last one, here unless there is
# a second port, IPVS looks at no packet any more
service_gone() {
	[ -z "${2:-}" ] || one "$2"
	vport=$1
	one "$1"
	dial 1 $(($1 * 10 + 4000))
	kipvs -D -t "$vip4:$1"
	tell ask 1
	one "$1"
	tell hear 1 20000
	tell ask 1
	leave 1
}

# to another server's address, under its live connection
moved() {
	vport=97
	one 97
	dial 1 4971
	kipvs -a -t $vip4:97 -r "$(rip 4 2 80)" -m
	kipvs -d -t $vip4:97 -r "$(rip 4 1 80)"
	tell ask 1
	dial 2 4972
	kipvs -a -t $vip4:97 -r "$(rip 4 1 80)" -m
	tell hear 1 20000
	leave 1 2
}

changes_play() {
	scenario input input
	scenario output output
	scenario forward forward
	scenario flap0 flap 0
	scenario flap1 flap 1
	scenario service-gone service_gone 96 99
	scenario last-service service_gone 98
	scenario moved moved
}

changes_check() {
	for c in input output forward; do
		report $c "a DROP rule in $c bites" '^the rule in .* bites$'
		report $c "and is undone" '^pace 1 20 100: 20$'
		compare $c "a DROP rule in $c"
	done
	for c in INPUT OUTPUT FORWARD; do
		was_carried "rule-$c" "packets before the rule in $c" 10 10
	done
	report flap0 "a removed server gets nothing" '^ask 1: timeout$'
	report flap0 "back again, it goes on" '^hear 1 20000: sv1$'
	report flap1 "expire_nodest_conn=1: a removed server's connections are cut" '^left: 0$'
	for e in 0 1; do
		compare flap$e "a server that flaps, expire_nodest_conn=$e"
		was_carried flap$e "its packets before" 10 10
		was_carried again$e "and after" 10 10
	done
	report service-gone "so do those of a service that is gone" '^ask 1: timeout$'
	report service-gone "and they go on when it is back" '^hear 1 20000: sv1$'
	compare service-gone "a service that goes and comes back"
	report last-service "without any service the stack answers" '^ask 1: ECONNRESET$'
	compare last-service "the last service goes"
	report moved "a new connection goes to the new server, the old one waits" '^2 is answered by sv2$'
	compare moved "a server replaced by another"
}
