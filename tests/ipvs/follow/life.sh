# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection's life, in the kernel's tables, while eBPF carries its packets: alive as long as traffic flows in
# either direction, states and counts after FIN and RST from either side, and the end of what is idle.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

# the state of the connection that was dialled last
state() {
	state_is=$(conn_of "$sport")
	echo "state: ${state_is% *}"
}

steady() {
	vport=80
	one 80
	dial 1 4001
	tell pace 1 45 1000
	state
	act_inact
	with_us steady "$sport"
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
	dial 1 4011
	tell fin 1
	tell hear 1
	state
	dial 2 4012
	tell ask 2 fin
	state
	tell close 2
	state
	dial 3 4013
	tell rst 3
	state
	dial 4 4014
	tell ask 4 rst
	state
	dial 5 4015
	act_inact
	with_us ends "$sport"
	tell rst 5
	sleep 11
	act_inact
}

# CLOSE_WAIT: 60 seconds since the last packet
client_fin() {
	vport=82
	one 82
	dial 1 4021
	play say 1 'stream\s70\s1000'
	tell fin 1
	sleep 5
	state
	sleep 58
	state
	act_inact
	tell drain 1
	state
}

# FIN_WAIT: 10 seconds, as set below
server_fin() {
	vport=83
	one 83
	dial 1 4031
	play ask 1 lines
	before=$said
	tell ask 1 fin
	play push 1 16 1000
	state
	act_inact
	dial 2 4032
	play ask 2 lines
	echo "lines since: $((said - before))"
	leave 2
	sleep 12
	act_inact
}

udp_ends() {
	kipvs -A -u $vip4:84 -s rr
	kipvs -a -u $vip4:84 -r "$(rip 4 1 80)" -m
	sport=$((later + 4041))
	play udp 1 $vip4 84 10.9.0.1 $sport
	tell ask 1
	play say 1 'stream\s45\s1000'
	tell drain 1
	state
	with_us udp-replies $sport
	sleep 10
	state
	sleep 12
	state
	sport=$((later + 4042))
	play udp 2 $vip4 84 10.9.0.1 $sport
	tell pace 2 45 1000
	state
	with_us udp-both $sport
	sleep 22
	state
	tell ask 2
}

life_play() {
	scenario steady steady
	scenario ends ends
	scenario client-fin client_fin
	scenario server-fin server_fin
	scenario udp udp_ends
}

life_check() {
	report steady "a request a second for 45 seconds, where 20 idle seconds are too many" '^pace 1 45 1000: 45$'
	report steady "an idle connection is cut" '^ask 1: ECONNRESET$'
	compare steady "a steady connection, then an idle one"
	was_carried steady "its packets" 45 20
	report ends "client's FIN" '^state: TIME_WAIT$'
	report ends "RST" '^state: CLOSE$'
	report ends "in the end only the closed ones count" '^0/2$'
	compare ends "FIN and RST from either side"
	was_carried ends "packets before those" 2 2
	report client-fin "half-closed by the client: the server goes on for longer than CLOSE_WAIT lasts" '^drain 1: 70 EOF$'
	compare client-fin "half-closed by the client"
	report server-fin "half-closed by the server: the client goes on for longer than FIN_WAIT lasts" '^lines since: 22$'
	compare server-fin "half-closed by the server"
	report udp "a UDP stream of replies alone outlives the timeout" '^drain 1: 45 timeout$'
	compare udp "UDP, replies alone and both ways"
	was_carried udp-replies "half of the replies, one a second" 0 20
	was_carried udp-both "half of UDP both ways, one a second" 18 18
	[ -n "${IVB_KERNEL_ONLY:-}" ] ||
		is "a connection that the kernel has cut is not listed by conn" "$(cat "$tmp/gone")" "it lives on"
		verify
}
