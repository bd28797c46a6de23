# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Direct routing and IPIP tunnels, whose answers never meet the director, and a server on the director itself:
# they are as they are without the engine, and the first two are carried.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

methods_begin() {
	modprobe ipip
	start puppet-lb lb "$tooldir/puppet" serve 8080 director
	wait_listen lb tcp 8080
	sinks 9000
	big_file 8
	servers_answer_directly
	for n in $servers; do
		in_ns "sv$n" sysctl -qw net.ipv4.conf.tunl0.rp_filter=0
		echo link set dev tunl0 up | ipb "sv$n"
	done
}

# method NAME PORT SERVER_PORT OPTION CLIENT_PORT: a steady connection, then its end
method() {
	kipvs -A -t "$vip4:$2" -s rr
	for n in $servers; do
		kipvs -a -t "$vip4:$2" -r "$(rip 4 "$n" "$3")" "$4"
	done
	sport=$(($5 + later))
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
	sport=$((3321 + later))
	visit 1 82 10.9.0.1 $sport
	echo "answered by $said"
	tell pace 1 30 1000
	conn_of $sport
	with_us director $sport
	leave 1
}

# Much data, in large packets as the devices' offloads make them, through a tunnel.
tunnel_bulk() {
	kipvs -A -t $vip4:9000 -s rr
	kipvs -a -t $vip4:9000 -r "$(rip 4 1 9000)" -i
	echo "upload: $(upload 4 9000)"
	with_us tunnel-bulk
}

methods_play() {
	scenario dr method dr 80 80 -g 3301
	scenario tunnel method tunnel 80 80 -i 3311
	scenario tunnel-bulk tunnel_bulk
	scenario director on_director
}

methods_check() {
	for m in dr tunnel; do
		report $m "$m: who answers" '^answered by sv3$'
		report $m "$m: sees the client" '^who is seen: 10.9.0.1$'
		report $m "$m: lives longer than the timeout" '^pace 1 40 1000: 40$'
		compare $m "$m"
	done
	was_carried dr "direct routing" 30 0
	was_carried tunnel "tunnels" 30 0
	report tunnel-bulk "much through a tunnel" "^upload: $big_md5"
	compare tunnel-bulk "much through a tunnel"
	was_carried tunnel-bulk "much through a tunnel" 50 0
	report director "a server on the director" '^answered by director$'
	compare director "a server on the director"
	not_carried director "a server on the director"
	modprobe -r ipip
}
