# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Benches with real programs: nginx, wrk, iperf3, HAProxy. They need processors of their own, so how much of
# these others take is measured before and after each ("noisy, not judged").
# shellcheck disable=SC2034,SC2154 # for, and from, run.sh and tests/lib/netns.sh

# sockets_begin VARIANT...: directors as for the other benches, servers, and an own scheduling group (`nice`
# means nothing across such groups)
sockets_begin() {
	variants=''
	ends
	s_n=0
	s_names=''
	for s_v; do
		s_n=$((s_n + 1))
		s_names="$s_names $s_v:$s_n"
		director "$s_v" $s_n
		case $s_v in
		ipvs-bpf)
			bench_ours=lb$s_n
			with_ours $s_n 262144
			ivb_in $bench_ours adm -A -t "10.9.$s_n.1:5201" -s rr
			ivb_in $bench_ours adm -a -t "10.9.$s_n.1:5201" -r "10.2.$s_n.2:5201" -m
			;;
		nft-masq) with_nft $s_n masquerade ;;
		haproxy) with_haproxy $s_n ;;
		esac
	done
	cat >"$tmp/nginx.conf" <<-EOF
		worker_processes 1; error_log /dev/null; pid $tmp/nginx.pid; daemon off;
		events { worker_connections 8192; }
		http { access_log off; keepalive_requests 1000000000;
			server { listen 80 backlog=8192; location / { return 200 "ok"; } } }
	EOF
	start nginx sv nginx -c "$tmp/nginx.conf"
	wait_listen sv tcp 80
	start iperf3 sv iperf3 -s
	wait_listen sv tcp 5201
}

with_haproxy() {
	cat >"$tmp/haproxy.cfg" <<-EOF
		global
			nbthread 2
			maxconn 4000
		defaults
			mode tcp
			timeout connect 5s
			timeout client 30s
			timeout server 30s
		frontend f
			bind 10.9.$1.1:80
			default_backend b
		backend b
			balance roundrobin
			server s1 10.2.$1.2:80
			server s2 10.2.$1.3:80
		listen i
			bind 10.9.$1.1:5201
			server s1 10.2.$1.2:5201
	EOF
	start haproxy "lb$1" haproxy -db -f "$tmp/haproxy.cfg"
	wait_listen "lb$1" tcp 80
}

# target NAME N: where the client connects
target() {
	case $1 in
	route) echo "10.2.$2.2" ;;
	*) echo "10.9.$2.1" ;;
	esac
}

# cpu_ns: spent so far by the servers, HAProxy and the kernel's threads for packets
cpu_ns() {
	# shellcheck disable=SC2046,SC2086 # words
	cat $(for c_p in $cpu_pids; do echo /proc/$c_p/task/*/schedstat; done) | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

# cpu_sample: sample is that and what the programs took that this shell has waited for (so no subshell)
cpu_sample() {
	times >"$tmp/times"
	sample=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); s += t[1] * 60 + t[2] } printf "%.0f\n", s * 1e9 }' "$tmp/times")
	sample=$((sample + $(cpu_ns)))
}

# wrk_run SECONDS CONNECTIONS TARGET [OPTION...]
wrk_run() {
	w_secs=$1 w_conns=$2 w_to=$3
	shift 3
	in_ns cl timeout 20 wrk -t1 -c"$w_conns" -d"${w_secs}s" --latency "$@" "http://$w_to/" >"$tmp/wrk"
	w_requests=$(awk '/ requests in / { print $1 }' "$tmp/wrk")
	w_p50=$(awk '$1 == "50%" { v = $2 + 0; if ($2 ~ /ms/) v *= 1000; print v }' "$tmp/wrk")
	[ "${w_requests:-0}" -gt 0 ] || bail "wrk: no answers from $w_to: $(cat "$tmp/wrk")"
}

noisy() {
	n_lost=$("$top/build/bench/gaps" 300)
	echo "$1 $n_lost" >>"$noise"
}

# socket_bench BENCH ROUNDS: each variant in every round
socket_bench() {
	b_children=$(for b_p in $(pgrep -d' ' -f "$tmp/nginx.conf" || :); do pgrep -P "$b_p"; echo "$b_p"; done | sort -u)
	cpu_pids="$b_children $(pgrep -f "$tmp/haproxy.cfg" || :) $(pgrep -x 'ksoftirqd/[0-9]*' || :)"
	noisy "$1"
	b_r=0
	while [ $b_r -lt "$2" ]; do
		for b_v in $s_names; do
			"bench_$1" "${b_v%:*}" "${b_v#*:}" $b_r
		done
		b_r=$((b_r + 1))
	done
	noisy "$1"
}

# CPU time of everybody for a connection with one request
bench_cpu() {
	cpu_sample
	b_before=$sample
	wrk_run 1 16 "$(target "$1" "$2")" -H 'Connection: close'
	cpu_sample
	echo "cpu $1 $3 $(((sample - b_before) / w_requests))" >>"$figures"
}

# the median time of connect, request and answer, one at a time
bench_lat() {
	wrk_run 1 1 "$(target "$1" "$2")" -H 'Connection: close'
	echo "lat $1 $3 $w_p50" >>"$figures"
}

# the same for requests on 32 connections that stay
bench_requests() {
	wrk_run 1 32 "$(target "$1" "$2")"
	echo "requests $1 $3 $w_requests" >>"$figures"
}

# mean size of what leaves towards the server while a client sends as much as it can
bench_bulk() {
	[ "$1" != nft-masq ] || return 0
	b_lb=lb$2
	# shellcheck disable=SC2016,SC2046 # awk; two words
	set -- "$1" "$2" "$3" $(in_ns "$b_lb" awk '$1 == "ds:" { print $10, $11 }' /proc/net/dev)
	b_rate=$(in_ns cl timeout 10 iperf3 -c "$(target "$1" "$2")" -t 1 -f m | awk '/receiver/ { print $7 }')
	in_ns "$b_lb" awk -v b="$4" -v p="$5" -v v="$1" -v r="$3" \
		'$1 == "ds:" { printf "bulk %s %d %.0f\n", v, r, ($10 - b) / ($11 - p + 1) }' /proc/net/dev >>"$figures"
	echo "bulk-rate $1 $3 ${b_rate:-0}" >>"$figures"
}
