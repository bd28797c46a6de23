# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The networks that tests and the demo work in, and the real servers of those networks.
#
#   cl 10.1.0.2 ---- 10.1.0.1 lb 10.2.N.1 ---- 10.2.N.2 svN      (IPv6: fd01::2 fd01::1 fd02:N::1 fd02:N::2)
#                    VIP 10.0.0.80, fd00::80 on lb's lo
#   10.9.0.0/16 and fd09::/16 are routed to cl and nobody's: raw packets from there meet no socket of cl's.
# The servers have no route back to the client unless servers_route_back is called.
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh

vip4=10.0.0.80
vip6=fd00::80
servers='1 2 3'

# vip FAMILY [PORT]: as curl and adm write it
vip() {
	case $1 in
	4) echo "$vip4${2:+:$2}" ;;
	6) echo "[$vip6]${2:+:$2}" ;;
	esac
}

# rip FAMILY N [PORT]: server N; with a single one the test may set rip4 and rip6
rip() {
	case $1 in
	4) echo "${rip4:-10.2.$2.2}${3:+:$3}" ;;
	6) echo "${3:+[}${rip6:-fd02:$2::2}${3:+]:$3}" ;;
	esac
}

# nets [SHORT...]: namespaces lb (forwards, has the VIPs on lo), cl and svN; then the veth pairs of stdin.
nets() {
	ns_lb="$ns_lb lb"
	# shellcheck disable=SC2046,SC2086 # words
	ns_add lb cl $(printf ' sv%s' $servers) "$@"
	in_ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	wires
	dev_batch lo $vip4/32 $vip6/128 | ipb lb
}

# client_addrs CLIENTDEV DIRECTORDEV
client_addrs() {
	{
		dev_batch "$1" 10.1.0.2/24 fd01::2/64
		echo route add default via 10.1.0.1
		echo route add default via fd01::1
	} | ipb cl
	{
		dev_batch "$2" 10.1.0.1/24 fd01::1/64
		echo route add 10.9.0.0/16 via 10.1.0.2
		echo route add fd09::/16 via fd01::2
	} | ipb lb
}

# server_addrs N DIRECTORDEV: sv<N>'s addresses, and the director's on that device
server_addrs() {
	dev_batch eth0 "10.2.$1.2/24" "fd02:$1::2/64" | ipb "sv$1"
	dev_batch "$2" "10.2.$1.1/24" "fd02:$1::1/64" | ipb lb
}

# server_wires: the lines for wires
server_wires() {
	for n in $servers; do
		echo "lb s$n sv$n eth0"
	done
}

# Two arms: a device for the client and one for each server. Devices to attach: $devs
two_armed() {
	nets <<-EOT
		cl eth0 lb wan
		$(server_wires)
	EOT
	client_addrs eth0 wan
	devs=wan
	for n in $servers; do
		server_addrs "$n" "s$n"
		devs="$devs s$n"
	done
}

# Two arms, and sv1 behind a router: lb s1 10.2.1.1 -- 10.2.1.254 rt 10.3.0.1 -- 10.3.0.2 sv1
two_armed_router() {
	servers=1
	nets rt <<-EOT
		cl eth0 lb wan
		lb s1 rt up
		rt down sv1 eth0
	EOT
	client_addrs eth0 wan
	in_ns rt sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1
	{
		dev_batch up 10.2.1.254/24 fd02:1::fe/64
		dev_batch down 10.3.0.1/24 fd03::1/64
	} | ipb rt
	{
		dev_batch s1 10.2.1.1/24 fd02:1::1/64
		echo route add 10.3.0.0/24 via 10.2.1.254
		echo route add fd03::/64 via fd02:1::fe
	} | ipb lb
	{
		dev_batch eth0 10.3.0.2/24 fd03::2/64
		echo route add default via 10.3.0.1
		echo route add default via fd03::1
	} | ipb sv1
	devs='wan s1'
	rip4=10.3.0.2
	rip6=fd03::2
}

# bridge SHORT PORT...: br0 with these ports, all up
bridge() {
	bridge_ns=$1
	shift
	{
		echo link add br0 type bridge forward_delay 0
		echo link set dev br0 up
		for bridge_port; do
			echo link set dev "$bridge_port" master br0 up
		done
	} | ipb "$bridge_ns"
}

# The servers behind ports of a bridge of lb's; attached is the bridge.
two_armed_bridge() {
	nets <<-EOT
		cl eth0 lb wan
		$(server_wires)
	EOT
	client_addrs eth0 wan
	# shellcheck disable=SC2046,SC2086 # words
	bridge lb $(printf ' s%s' $servers)
	for n in $servers; do
		server_addrs "$n" br0
	done
	devs='wan br0'
}

# One arm: lb, the client and the servers on one switch; lb has a single device, eth0.
one_armed() {
	nets sw <<-EOT
		lb eth0 sw lb
		cl eth0 sw cl
		$(for n in $servers; do echo "sv$n eth0 sw sv$n"; done)
	EOT
	# shellcheck disable=SC2046,SC2086 # words
	bridge sw lb cl $(printf ' sv%s' $servers)
	client_addrs eth0 eth0
	for n in $servers; do
		server_addrs "$n" eth0
	done
	devs=eth0
}

# The client's side of lb is VLAN 10 on device `trunk`.
two_armed_vlan() {
	nets <<-EOT
		cl eth0 lb trunk
		$(server_wires)
	EOT
	printf '%s\n' 'link set dev eth0 up' 'link add link eth0 name v10 type vlan id 10' | ip -n "$(ns_name cl)" -batch - &&
		printf '%s\n' 'link set dev trunk up' 'link add link trunk name wan type vlan id 10' |
		ip -n "$(ns_name lb)" -batch - || return 1
	client_addrs v10 wan
	devs=wan
	for n in $servers; do
		server_addrs "$n" "s$n"
		devs="$devs s$n"
	done
}

# up [OPTION...]: the product, on all of $devs
up() {
	# shellcheck disable=SC2046,SC2086 # words
	ivb up "$@" $devs $(few '' '--max-conns 8192 --max-conns6 8192')
}

# For tests without SNAT: the way back to the client leads through the director.
servers_route_back() {
	for n in $servers; do
		printf 'route add default via %s\n' "10.2.$n.1" "fd02:$n::1" | ipb "sv$n"
	done
}

# nginx_on SHORT [LINES...]: on ports 80 and 8080; answers with its namespace's short name at /, and with
# $tmp/www's files below /f/. LINES go into the http block.
nginx_on() {
	nginx_ns=$1
	shift
	mkdir -p "$tmp/nginx-$nginx_ns" "$tmp/www"
	cat >"$tmp/nginx-$nginx_ns/conf" <<-EOT
		daemon off;
		master_process off;
		worker_rlimit_nofile 8192;
		pid $tmp/nginx-$nginx_ns/pid;
		error_log stderr;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $tmp/nginx-$nginx_ns/body;
			proxy_temp_path $tmp/nginx-$nginx_ns/proxy;
			fastcgi_temp_path $tmp/nginx-$nginx_ns/fastcgi;
			uwsgi_temp_path $tmp/nginx-$nginx_ns/uwsgi;
			scgi_temp_path $tmp/nginx-$nginx_ns/scgi;
			default_type text/plain;
			$*
			server {
				listen 80 backlog=4096;
				listen [::]:80 backlog=4096;
				listen 8080;
				listen [::]:8080;
				location / { return 200 "$nginx_ns\n"; }
				location /who { return 200 "\$remote_addr\n"; }
				location /f/ { alias $tmp/www/; }
			}
		}
	EOT
	start "nginx-$nginx_ns" "$nginx_ns" /usr/sbin/nginx -c "$tmp/nginx-$nginx_ns/conf"
}

# web: nginx on every server.
web() {
	for n in $servers; do
		nginx_on "sv$n"
	done
	for n in $servers; do
		wait_listen "sv$n" tcp 80
	done
}

# udp_named PORT: on every server a UDP service that puts its server's name before what it was sent.
udp_named() {
	for n in $servers; do
		start "udp-sv$n-$1" "sv$n" "$libdir/udp" serve "$1" "sv$n"
	done
	for n in $servers; do
		wait_listen "sv$n" udp "$1"
	done
}

# service -t|-u FAMILY PORT SCHEDULER [OPTION...]: with all servers, in order, weight 1; on the same port.
service() {
	service_p=$1
	service_f=$2
	service_port=$3
	service_s=$4
	shift 4
	ivb adm -A "$service_p" "$(vip "$service_f" "$service_port")" -s "$service_s" "$@" || return 1
	for n in $servers; do
		ivb adm -a "$service_p" "$(vip "$service_f" "$service_port")" \
			-r "$(rip "$service_f" "$n" "$service_port")" -m || return 1
	done
}

# unserve -t|-u FAMILY PORT
unserve() {
	ivb adm -D "$1" "$(vip "$2" "$3")"
}

# get FAMILY N [PORT]: N connections, one after another; who answered, on one line.
get() {
	in_ns cl curl -s --max-time $((5 * slow)) -H 'Connection: close' \
		"http://$(vip "$1" "${3:-80}")/?[1-$2]" | tr '\n' ' ' | sed 's/ $//'
}

# ask FAMILY COUNT PORT [OPTION...]: the same with UDP (see udp.c)
ask() {
	ask_to=$(vip "$1" | tr -d '[]')
	ask_n=$2
	ask_port=$3
	shift 3
	in_ns cl "$libdir/udp" ask -w $((2000 * slow)) -c "$ask_n" "$@" "$ask_to" "$ask_port" |
		tr '\n' ' ' | sed 's/ $//'
}

# big_file MEGABYTES: $tmp/www/big, and its MD5 sum in $big_md5
big_file() {
	mkdir -p "$tmp/www"
	head -c "$1"M /dev/urandom >"$tmp/www/big"
	big_md5=$(md5sum <"$tmp/www/big")
}

# download FAMILY [PORT]: the MD5 sum of what came
download() {
	in_ns cl curl -s --max-time $((60 * slow)) "http://$(vip "$1" "${2:-80}")/f/big" | md5sum
}

# sinks PORT: on every server; what one receives leaves its MD5 sum in $tmp/sink-svN
sinks() {
	for n in $servers; do
		start "sink-sv$n" "sv$n" socat -u "TCP6-LISTEN:$1,reuseaddr,fork,ipv6only=0" \
			SYSTEM:"md5sum >$tmp/sink.new; mv $tmp/sink.new $tmp/sink"
	done
	for n in $servers; do
		wait_listen "sv$n" tcp "$1"
	done
}

# upload FAMILY PORT: the MD5 sum of what arrived
upload() {
	rm -f "$tmp/sink"
	in_ns cl timeout $((60 * slow)) socat -u "FILE:$tmp/www/big" "TCP:$(vip "$1" "$2")"
	wait_for 20 test -s "$tmp/sink"
	cat "$tmp/sink"
}

# repeat WORD COUNT: WORD, COUNT times
repeat() {
	repeat_out=''
	repeat_i=0
	while [ "$repeat_i" -lt "$2" ]; do
		repeat_out="$repeat_out${repeat_out:+ }$1"
		repeat_i=$((repeat_i + 1))
	done
	echo "$repeat_out"
}

# tally: words of the first argument counted, as "sv1=3 sv2=6"
tally() {
	echo "$1" | tr ' ' '\n' | sort | uniq -c | awk '{ printf "%s%s=%d", (NR > 1 ? " " : ""), $2, $1 }'
}

# watch_on NAME tcx|clsact SHORT DEV: another program on the device; fails where it cannot be.
watch_on() {
	rm -f "$tmp/$1.fifo"
	mkfifo "$tmp/$1.fifo"
	start "$1" "$3" "$libdir/watch" "$2" "$4" "$tmp/$1.fifo"
	wait_for 10 grep -q . "$tmp/$1.log" && grep -q '^attached' "$tmp/$1.log"
}

# watched NAME KEY: how many packets it has seen (see watch.c)
watched() {
	watched_lines=$(wc -l <"$tmp/$1.log")
	echo "$2" >"$tmp/$1.fifo"
	wait_for 10 awk -v n="$watched_lines" 'END { exit NR <= n }' "$tmp/$1.log"
	tail -n 1 "$tmp/$1.log"
}

# probe SRC DST [OPTION...]: a raw packet from the client to the director (see probe.c) and what comes back,
# which is also added to $tmp/probed
probe() {
	in_ns cl "$libdir/probe" -w $((300 * slow)) eth0 "$(mac lb wan)" "$@" >"$tmp/probe"
	probe_rc=$?
	tee -a "$tmp/probed" <"$tmp/probe"
	return "$probe_rc"
}
