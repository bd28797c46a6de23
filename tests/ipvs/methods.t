#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Direct routing and IPIP tunnels, whose answers never meet the director, and a server on the director itself:
# they work with the engine as they do without it.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

ns_begin
ipvs_begin
modprobe ipip
one_armed
puppets 80
start puppet-lb lb "$libdir/puppet" serve 8080 director
wait_listen lb tcp 8080
# servers that have the virtual address, keep quiet about it, and answer clients themselves
for n in $servers; do
	in_ns "sv$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0
	{
		dev_batch lo $vip4/32
		echo link set dev tunl0 up
		echo route add 10.1.0.0/24 dev eth0
		echo route add 10.9.0.0/16 via 10.1.0.2
	} | ipb "sv$n"
done
up='--snat always'

# method NAME PORT SERVER_PORT OPTION: a steady connection, then its end
method() {
	kipvs -A -t "$vip4:$2" -s rr
	for n in $servers; do
		kipvs -a -t "$vip4:$2" -r "$(rip 4 "$n" "$3")" "$4"
	done
	sport=$((2001 + later))
	visit 1 "$2" 10.9.0.1 $sport
	echo "answered by $said"
	play ask 1 peer
	echo "who is seen: ${said% *}"
	tell pace 1 40 1000
	conn_of $sport
	act_inact
	with_us "$1" $sport
	tell fin 1
	tell hear 1
	conn_of $sport
	act_inact
	sleep 22
	act_inact
}

on_director() {
	kipvs -A -t "$vip4:82" -s rr
	kipvs -a -t "$vip4:82" -r 10.1.0.1:8080 -m
	sport=$((2101 + later))
	visit 1 82 10.9.0.1 $sport
	echo "answered by $said"
	tell pace 1 30 1000
	conn_of $sport
	with_us director $sport
	leave 1
}

all() {
	later=0
	[ "$engine" = kernel ] || later=5000
	scenario dr method dr 80 80 -g
	later=$((later + 10))
	scenario tunnel method tunnel 80 80 -i
	scenario director on_director
}

kipvs --set 20 10 20
engines all
for m in dr tunnel; do
	report $m "$m: who answers" '^answered by sv3$'
	report $m "$m: sees the client" '^who is seen: 10.9.0.1$'
	report $m "$m: lives longer than the timeout" '^pace 1 40 1000: 40$'
	compare $m "$m"
done
report director "a server on the director" '^answered by director$'
compare director "a server on the director"
not_carried director "a server on the director"
[ -n "${IVB_KERNEL_ONLY:-}" ] || verify
ns_clear
modprobe -r ipip
done_testing
