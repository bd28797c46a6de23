#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection's life, in the kernel's tables, while eBPF carries its packets: alive as long as traffic flows in
# either direction, states and counts after FIN and RST from either side, and the end of what is idle.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

ns_begin
ipvs_begin
two_armed
puppets 80
up='--snat always'

# dial_up ID PORT: the connection ID, from that port on; the second round has ports of its own
dial_up() {
	[ "$engine" = kernel ] || set -- "$1" $(($2 + 5000))
	visit "$1" "$vport" 10.9.0.1 "$2"
	echo "$1 is answered by $said"
	sport=$2
}

# the state of the connection that was dialled last
state() {
	state_is=$(conn_of "$sport")
	echo "state: ${state_is% *}"
}

steady() {
	vport=80
	one 80
	dial_up 1 2001
	tell pace 1 60 1000
	state
	act_inact
	with_us steady
	sleep 10
	state
	sleep 12
	state
	[ "$engine" = kernel ] || echo "it lives on" | grep -v "$(ivb conn | grep -c ":$sport ")" >"$tmp/gone"
	tell ask 1
}

ends() {
	vport=81
	one 81
	dial_up 1 2011
	tell fin 1
	tell hear 1
	state
	dial_up 2 2012
	tell ask 2 fin
	state
	tell close 2
	state
	dial_up 3 2013
	tell rst 3
	state
	dial_up 4 2014
	tell ask 4 rst
	state
	dial_up 5 2015
	act_inact
	with_us ends
	tell rst 5
	sleep 11
	act_inact
}

# CLOSE_WAIT: 60 seconds since the last packet
client_fin() {
	vport=82
	one 82
	dial_up 1 2021
	play say 1 'stream\s80\s1000'
	tell fin 1
	sleep 5
	state
	sleep 65
	state
	act_inact
	tell drain 1
	state
}

# FIN_WAIT: 10 seconds, as set below
server_fin() {
	vport=83
	one 83
	dial_up 1 2031
	play ask 1 lines
	before=$said
	tell ask 1 fin
	play push 1 25 1000
	state
	act_inact
	dial_up 2 2032
	play ask 2 lines
	echo "lines since: $((said - before))"
	leave 2
	sleep 12
	act_inact
}

udp_ends() {
	kipvs -A -u $vip4:84 -s rr
	kipvs -a -u $vip4:84 -r "$(rip 4 1 80)" -m
	sport=$((engine_port + 2041))
	play udp 1 $vip4 84 10.9.0.1 $sport
	tell ask 1
	play say 1 'stream\s60\s1000'
	tell drain 1
	state
	with_us udp-replies
	sleep 10
	state
	sleep 12
	state
	sport=$((engine_port + 2042))
	play udp 2 $vip4 84 10.9.0.1 $sport
	tell pace 2 60 1000
	state
	with_us udp-both $sport
	sleep 22
	state
	tell ask 2
}

all() {
	engine_port=0
	[ "$engine" = kernel ] || engine_port=5000
	scenario steady steady
	scenario ends ends
	scenario client-fin client_fin
	scenario server-fin server_fin
	scenario udp udp_ends
}

kipvs --set 20 10 20
engines all

report steady "a request a second for a minute, where 20 idle seconds are too many" '^pace 1 60 1000: 60$'
report steady "an idle connection is cut" '^ask 1: ECONNRESET$'
compare steady "a steady connection, then an idle one"
was_carried steady "its packets" 80 40
report ends "client's FIN" '^state: TIME_WAIT$'
report ends "RST" '^state: CLOSE$'
report ends "in the end only the closed ones count" '^0/2$'
compare ends "FIN and RST from either side"
was_carried ends "packets before those" 2 2
report client-fin "half-closed by the client: the server goes on for longer than CLOSE_WAIT lasts" '^drain 1: 80 EOF$'
compare client-fin "half-closed by the client"
report server-fin "half-closed by the server: the client goes on for longer than FIN_WAIT lasts" '^lines since: 31$'
compare server-fin "half-closed by the server"
report udp "a UDP stream of replies alone outlives the timeout" '^drain 1: 60 timeout$'
compare udp "UDP, replies alone and both ways"
was_carried udp-replies "most replies of the stream" 0 40
was_carried udp-both "most of UDP both ways" 40 40
[ -n "${IVB_KERNEL_ONLY:-}" ] || {
	is "a connection that the kernel has cut is not listed by conn" "$(cat "$tmp/gone")" "it lives on"
	verify
}
done_testing
