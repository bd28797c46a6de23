#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `ipvs-bpf adm -L` prints is what ipvsadm prints, byte for byte, but for the size of the connection table:
# services and servers, their order, names, and connections with their states and counts.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"

# change WORD...: one change, made to both with the same addresses; no packet meets these services.
change() {
	kernel "$@" || bail "kernel IPVS refused: $*"
	ivb adm "$@" || bail "ipvs-bpf refused: $*"
}

listings() {
	eq -L -n
	eq -Ln
	eq -ln
	eq --list --numeric
	eq -L -n --sort
	eq -L -n --exact
	eq -L
	eq -L -n -c
}

parity_begin 3
ipn lb route add default via 10.1.0.2
ipn lb route add default via fd01::2
# names for some of the addresses; the others stay numbers
cp /etc/hosts "$tmp/hosts"
cat >>/etc/hosts <<EOT
10.0.0.80 vip.example
fd00::80 vip6.example
10.2.1.2 server.example
2001:db8:1111:2222:3333:4444:5555:6666 a-long-name-of-a-host.subdomain.example
EOT

diag "nothing"
listings

diag "services alone"
change -A -t 10.0.0.80:80 -s rr
listings
change -A -u 10.0.0.80:53 -s wrr
change -A -t 10.0.0.80:443 -s wrr
change -A -t '[fd00::80]:80' -s rr
change -A -u '[fd00::80]:53' -s rr
listings

diag "servers"
change -a -t 10.0.0.80:80 -r 10.2.1.2:80 -m
change -a -t 10.0.0.80:80 -r 10.2.3.2:8080 -m -w 5
change -a -t 10.0.0.80:80 -r 10.2.2.2 -m -w 0
change -a -t 10.0.0.80:443 -r 10.2.1.2:443 -m -w 65535
change -a -t '[fd00::80]:80' -r '[fd02:1::2]:80' -m -w 7
change -a -t '[fd00::80]:80' -r '[fd02:2::2]:65535' -m
change -a -u '[fd00::80]:53' -r '[fd02:1::2]:53' -m
listings

diag "order and width"
change -A -t '[2001:db8:1111:2222:3333:4444:5555:6666]:65535' -s wrr
change -a -t '[2001:db8:1111:2222:3333:4444:5555:6666]:65535' \
	-r '[2001:db8:1111:2222:3333:4444:5555:7777]:65535' -m -w 65535
change -A -t 192.168.111.222:65535 -s wrr
for a in 192.168.111.223:65535 192.168.111.223:80 10.0.0.9:80 1.0.0.9:80 200.0.0.9:80; do
	change -a -t 192.168.111.222:65535 -r $a -m
done
for a in 192.168.111.222:80 10.0.0.1:80 200.0.0.1:80 1.1.1.1:80; do
	change -A -t $a -s rr
done
listings
eq -L -n -t 10.0.0.80:80
eq -L -t 10.0.0.80:80
eq -L -n -u 10.0.0.80:53
eq -L -n -t '[fd00::80]:80'
eq -L -n -t '[2001:db8:1111:2222:3333:4444:5555:6666]:65535'

diag "edits"
change -e -t 10.0.0.80:80 -r 10.2.1.2:80 -m -w 9
change -E -t 10.0.0.80:80 -s wrr
change -d -t 10.0.0.80:80 -r 10.2.2.2:80
listings
change -D -t 192.168.111.222:65535
change -D -t 10.0.0.80:80
listings
change -C
listings
cp "$tmp/hosts" /etc/hosts

# Connections: each engine has its own, and the ports tell them apart (lib.sh); so ours are renamed.
ours_as_kernel() {
	sed -e "s/$ours_port/$kernel_port/g" -e "s/5004/5003/g"
}

# Time left is compared by times_agree; the order of connections is a hash's.
comparable() {
	case $* in
	*-c*) sed 's/ [0-9][0-9]:[0-9][0-9] / mm:ss /' | sort ;;
	*) cat ;;
	esac
}

# seen WORD...: the listings agree when ports are renamed.
seen() {
	run_one kernel "$@"
	kernel_out=$(printf %s "$out" | comparable "$@")
	run_one ivb adm "$@"
	is "adm $* with connections" "$(printf %s "$out" | ours_as_kernel | comparable "$@")" "$kernel_out"
}

# times_agree: each connection's time left, to 2 seconds
times_agree() {
	kernel -L -n -c >"$tmp/k"
	ivb adm -L -n -c 2>/dev/null >"$tmp/o"
	ours_as_kernel <"$tmp/o" | awk -v k="$tmp/k" '
	function left(t,	p) {
		split(t, p, ":")
		return p[1] * 60 + p[2]
	}
	BEGIN {
		while ((getline <k) > 0)
			if ($2 ~ /:/)
				want[$1 $4 $5 $6] = left($2)
	}
	$2 ~ /:/ {
		d = left($2) - want[$1 $4 $5 $6]
		if (d < -2 || d > 2)
			print $0 " (" want[$1 $4 $5 $6] " s in the kernel)"
	}'
}

both_servers() {
	both 4 -A "$1" V -s rr
	for n in 1 2 3; do
		both 4 -a "$1" V -r S$n -m
	done
}

diag "connections"
both_servers -t
both_servers -u
both 6 -A -t V -s rr
both 6 -a -t V -r S1 -m
same "TCP, open and closed again" 4 tcp 4
same "UDP" 4 udp 4
same "TCP over IPv6" 6 tcp 2
# One that stays open, and one whose server never answers; made at the same moment in both.
ipn lb neigh replace 10.2.1.77 lladdr 02:00:00:00:00:77 dev s1
for port in 5003 5004; do
	case $port in
	5003) cmd=kernel ;;
	5004) cmd='ivb adm' ;;
	esac
	start "hold-$port" sv1 socat -u "TCP6-LISTEN:$port,ipv6only=0,fork" OPEN:/dev/null
	wait_listen sv1 tcp $port
	$cmd -A -t 10.0.0.80:$port -s rr
	$cmd -a -t 10.0.0.80:$port -r 10.2.1.2:$port -m
	$cmd -A -t 10.0.0.80:1$port -s rr
	$cmd -a -t 10.0.0.80:1$port -r 10.2.1.77:1$port -m
done
for port in 5003 5004; do
	start "held-$port" cl socat -u "TCP4:10.0.0.80:$port,sourceport=30000,reuseaddr" OPEN:/dev/null
	start "silent-$port" cl socat -u "TCP4:10.0.0.80:1$port,sourceport=30001,reuseaddr,connect-timeout=1" OPEN:/dev/null
done
established() {
	[ "$(in_ns cl ss -Htn state established 'sport = :30000' | wc -l)" = 2 ]
}
wait_for 5 established || bail "no connection to ports 5003 and 5004"
# the states settle
sleep 1
seen -L -n
seen -L -n -c
is "times left agree" "$(times_agree)" ''
sleep 20
is "times left agree 20 seconds later" "$(times_agree)" ''
# TIME_WAIT is over after 120 s, the others are not
sleep 110
seen -L -n
seen -L -n -c
verify
done_testing
