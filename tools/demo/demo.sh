#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A load balancer, its clients and its servers in network namespaces of their own, at work before your eyes.
# Everything is taken away again at the end, also on Ctrl-C. Exit status 0: no request failed.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../tests/lib/netns.sh"
# shellcheck source=tools/demo/say.sh
. "$(dirname "$0")/say.sh"
# shellcheck source=tools/demo/load.sh
. "$(dirname "$0")/load.sh"
# shellcheck source=tools/demo/compare.sh
. "$(dirname "$0")/compare.sh"

network() {
	section "The network: six namespaces, joined by veth pairs"
	two_armed
	ns_add sv4
	wire lb s4 sv4 eth0
	server_addrs 4 s4
	devs="$devs s4"
	# SNAT has addresses of its own, which the servers know the way to, and so all ports of them
	addrs lb lo 10.0.0.100/32 fd00::100/128
	for n in 1 2 3 4; do
		ipn sv$n route add 10.0.0.100 via 10.2.$n.1
		ipn sv$n route add fd00::100 via fd02:$n::1
	done
	cat <<-EOT
	                              +------------+  10.2.1.2  sv1  nginx
	  client 10.1.0.2 ------------|  director  |  10.2.2.2  sv2  nginx
	         fd01::2              +------------+  10.2.3.2  sv3  nginx
	                  virtual 10.0.0.80           10.2.4.2  sv4  UDP echo
	                          fd00::80
	                     SNAT 10.0.0.100
	                          fd00::100

	  The servers have no route to the client: they can answer only because the director
	  puts an address of its own in the client's place (SNAT). It does so without
	  conntrack, and without an iptables or nftables rule.
	EOT
	for n in cl sv1 sv2 sv3; do
		# wrk closes and opens many times; nothing here is worth two minutes of TIME_WAIT
		in_ns $n sysctl -qw net.ipv4.tcp_max_tw_buckets=0 net.ipv4.ip_local_port_range='1024 65535'
	done
	for n in 1 2 3; do
		# ends connections by itself, so that a server can be drained under load
		nginx_on sv$n 'keepalive_requests 500;'
	done
	start udp sv4 "$tooldir/udp" serve 7 sv4
	for n in 1 2 3; do
		wait_listen sv$n tcp 80
	done
	wait_listen sv4 udp 7
}

services() {
	section "Set up: ipvs-bpf up, then ipvsadm's language"
	run up --snat always --snat-addr 10.0.0.100 --snat-addr fd00::100 \
		--snat-ports 1024-65535 "$devs"
	for f in 4 6; do
		run adm -A -t "$(vip $f 80)" -s wrr
		for n in 1 2 3; do
			run adm -a -t "$(vip $f 80)" -r "$(rip $f $n 80)" -m -w $n
		done
	done
	run adm -A -u "$(vip 4 7)" -s rr
	run adm -a -u "$(vip 4 7)" -r 10.2.4.2:7 -m
	run adm -A -t "$(vip 4 5201)" -s rr
	run adm -a -t "$(vip 4 5201)" -r 10.2.1.2:5201 -m
	run adm -A -t "$(vip 6 5201)" -s rr
	run adm -a -t "$(vip 6 5201)" -r '[fd02:1::2]:5201' -m
}

who_answers() {
	section "Who answers: weights are 1, 2 and 3"
	for f in 4 6; do
		answers=$(get $f 60)
		[ "$(echo "$answers" | wc -w)" = 60 ] || stop_here "of 60 requests, one by one, some were not answered"
		for n in 1 2 3; do
			bar "IPv$f sv$n, weight $n" "$(echo "$answers" | tr ' ' '\n' | grep -c sv$n)" 60
		done
	done
	say "UDP: $(ask 4 50 7 | tr ' ' '\n' | grep -c sv4) of 50 datagrams came back from sv4, each byte as sent"
}

nothing_runs() {
	section "No process of ours carries a packet"
	wrk_start 3 32 "http://$(vip 4)/"
	killed=0
	for i in 1 2 3 4 5 6 7 8 9; do
		"$ipvs_bpf" --netns "$(ns_name lb)" adm -e -t "$(vip 4 80)" -r 10.2.1.2:80 -m -w 1 &
		victim=$!
		sleep 0.00$i
		kill -9 $victim && killed=$((killed + 1))
		wait $victim
	done 2>/dev/null
	say "changes of a weight begun: 9, killed with -9 in the middle of it: $killed"
	say "processes of ours alive now: $(pgrep -fc "$ipvs_bpf --netns $(ns_name lb)")"
	run adm -e -t "$(vip 4 80)" -r 10.2.1.2:80 -m -w 1
	wrk_end
	say "requests meanwhile: $wrk_requests, failed: $wrk_failed"
}

bulk() {
	section "Bulk data: iperf3 through the director, one stream each"
	start iperf3 sv1 iperf3 -s
	wait_listen sv1 tcp 5201
	for f in 4 6; do
		for way in '' -R; do
			# shellcheck disable=SC2086 # none or one option
			rate=$(in_ns cl timeout 20 iperf3 -c "$(vip $f | tr -d '[]')" -t 1 -f g $way 2>&1 |
				awk '/receiver/ { print $7 }')
			[ -n "$rate" ] || fail "iperf3 got no answer"
			say "IPv$f $([ -n "$way" ] && echo 'server to client' || echo 'client to server'): ${rate:-no answer} Gbit/s"
		done
	done
}

the_end() {
	section "What is left when all is done"
	prompt status --verify
	ivb status --verify >"$tmp/status" 2>&1 || fail "status --verify found something wrong"
	sed 's/^/    /' "$tmp/status"
	summary
}

need curl wrk iperf3 nginx nft conntrack
ns_begin
network
services
who_answers
load
nothing_runs
bulk
compare
the_end
exit "$failures"
