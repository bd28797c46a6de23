# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Real servers and real clients for the networks of topology.sh, and what watches packets on the way.
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh and topology.sh

# nginx_on SHORT [LINES...]: on ports 80 and 8080; answers with its namespace's short name at /, with whom it
# sees at /who and /port, and with $tmp/www's files below /f/. LINES go into the http block.
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
				location /port { return 200 "\$remote_port\n"; }
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
		start "udp-sv$n-$1" "sv$n" "$tooldir/udp" serve "$1" "sv$n"
	done
	for n in $servers; do
		wait_listen "sv$n" udp "$1"
	done
}

# echo_servers PORT: on every server
echo_servers() {
	for n in $servers; do
		start "echo-sv$n-$1" "sv$n" "$tooldir/echo" serve "$1"
	done
	for n in $servers; do
		wait_listen "sv$n" tcp "$1"
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
	# never from a port that a live connection has: that would be the old connection, and its server
	ask_from=40000
	[ ! -e "$tmp/ask-from" ] || read -r ask_from <"$tmp/ask-from"
	echo "$((ask_from + ask_n))" >"$tmp/ask-from"
	in_ns cl "$tooldir/udp" ask -p "$ask_from" -w $((2000 * slow)) -c "$ask_n" "$@" "$ask_to" "$ask_port" |
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
	start "$1" "$3" "$tooldir/watch" "$2" "$4" "$tmp/$1.fifo"
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
	in_ns cl "$tooldir/probe" -w $((300 * slow)) eth0 "$(mac lb wan)" "$@" >"$tmp/probe"
	probe_rc=$?
	tee -a "$tmp/probed" <"$tmp/probe"
	return "$probe_rc"
}
