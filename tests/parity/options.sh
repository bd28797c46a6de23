#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The options of services, servers and listings, each with what it may stand beside; names of hosts and ports; and
# what people write: the examples of ipvsadm(8), and the commands of keepalived's, kube-router's, kube-proxy's and
# distributions' documents. Each command goes to ipvsadm and to `ipvs-bpf adm`, and their answers are compared.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"

parity_begin 1
ipn lb route add default via 10.1.0.2
ipn lb route add default via fd01::2
v=10.0.0.80:80
v6='[fd00::80]:80'
r=10.2.1.2:80
cp /etc/hosts "$tmp/hosts"
cat >>/etc/hosts <<EOT
10.0.0.80 vip.example vip
10.2.1.2 server.example
fd00::80 six.example
10.2.1.3 both.example
fd02:1::3 both.example
EOT
trap 'cp "$tmp/hosts" /etc/hosts; ns_end' EXIT

diag "schedulers and their flags"
port=1000
for s in rr wrr lc wlc sed nq fo ovf lblc lblcr sh dh mh; do
	eq -A -t 10.0.0.80:$port -s $s
	port=$((port + 1))
done
eq -L -n
eq -S -n
eq -C
eq -A -t $v
eq -L -n
eq -E -t $v
eq -E -t $v -s sh
# (ipvsadm 1.31 ends by a segmentation fault with -b ',')
for f in sh-port sh-port,sh-fallback flag-1 flag-2 flag-3 flag-1,flag-2,flag-3 sh-fallback,flag-3 '' 'sh-port,' ',sh-port'; do
	eq -E -t $v -s sh -b "$f"
	eq -L -n -t $v
done
eq -S -n
for f in mh-port mh-fallback,sh-port flag-4 flag-0 flag nosuch SH-PORT sh_port 'sh-port sh-fallback' sh-port,nosuch; do
	eq -E -t $v -s sh -b "$f"
done
eq -S -n
eq -E -t $v -b sh-port -s sh
eq -E -t $v -b flag-1 -s sh
eq -L -n
for f in mh-port mh-fallback mh-fallback,mh-port sh-port flag-1,flag-2; do
	eq -E -t $v -s mh -b $f
	eq -S -n
done
eq -E -t $v -s rr -b flag-1
eq -E -t $v -s rr -b sh-port
eq -L -n
eq -E -t $v -s wlc -b flag-2,flag-3
eq -L -n
eq -E -t $v -b flag-1
eq -E -t $v -b sh-port
eq -E -t $v -s
eq -E -t $v -s sh -b
eq -E -t $v -s sh -b sh-port -b sh-fallback
eq -E -t $v -s sh -s sh
eq -E -t $v -s ''
eq -E -t $v -s RR
eq -E -t $v -s 'rr '
eq -E -t $v --scheduler=sh --sched-flags=sh-port
eq -E -t $v --scheduler sh --sched-flags sh-port,sh-fallback
eq -Et$v -ssh -bsh-port
eq -L -n
eq -E -t 10.0.0.80:81 -s sh -b sh-port
eq -E -t 10.0.0.80:81 -s nosuch -b sh-port
eq -D -t $v -b sh-port
eq -C

diag "thresholds"
eq -A -t $v -s wlc
eq -a -t $v -r $r -m -x 100 -y 50
eq -a -t $v -r 10.2.1.3:80 -m -x 100
eq -a -t $v -r 10.2.1.4:80 -m -y 50
eq -a -t $v -r 10.2.1.5:80 -m -x 50 -y 100
eq -a -t $v -r 10.2.1.6:80 -m -x 7 -y 7
eq -a -t $v -r 10.2.1.7:80 -m -w 0 -x 1 -y 0
for n in -1 5x '' 2147483647 2147483648 4294967296 010 0x10; do
	eq -e -t $v -r $r -m -x "$n"
	eq -e -t $v -r $r -m -y "$n"
	eq -L -n --thresholds
done
eq -e -t $v -r $r -m -x 10 -y 20
eq -e -t $v -r $r -m -x 20 -y 10 -w 5
eq -e -t $v -r $r -m -x 20 -x 10
eq -e -t $v -r $r -m -y
eq -e -t $v -r $r --masquerading --u-threshold=200 --l-threshold 100
eq -L -n --thresholds
eq -L -n
eq -e -t $v -r $r -m -w 3
eq -L -n --thresholds
eq -d -t $v -r $r -x 5
eq -d -t $v -r $r -y 5
eq -A -t 10.0.0.80:81 -s rr -x 5
eq -E -t $v -s rr -y 5
eq -L --thresholds
eq -L --thresholds -t $v
eq -L -n --thresholds --exact
eq -L -n --thresholds --sort
eq -L -n --thresholds --nosort
eq -L -n --thresholds -c
eq -L -n --thresholds --timeout
eq -L -n --thresholds --daemon
eq -C

diag "listings: what stands beside what"
eq -R <<-EOT
	-A -t 10.0.0.80:80 -s wrr
	-a -t 10.0.0.80:80 -r 10.2.1.3:80 -m -w 2
	-a -t 10.0.0.80:80 -r 10.2.1.2:80 -m
	-A -u 10.0.0.80:53 -s rr
	-a -u 10.0.0.80:53 -r 10.2.1.2:53 -m
	-A -t [fd00::80]:443 -s wlc
	-a -t [fd00::80]:443 -r [fd02:1::2]:443 -m
EOT
for a in --stats --thresholds --persistent-conn -c --timeout --daemon; do
	for b in --rate --exact --sort -c --daemon "-t $v"; do
		# shellcheck disable=SC2086 # words
		eq -L $a $b
	done
done
eq -L -n --sort --sort
eq -L -n --nosort --nosort
eq -L -n --stats --rate --thresholds
eq -L -n --exact --rate -t $v
eq -l --numeric --stats --exact --sort
eq --list --connection --numeric
eq --list --rate --numeric --tcp-service $v
eq -Ln --rate -t 10.0.0.80:81
eq -Ln --stats -u 10.0.0.80:80
eq -LnX
eq -LXn --stats
eq -Lncc
eq -Lnn
eq -lLn
eq -L -n $v
eq -L -n -c --persistent-conn
eq -L -n --stats=1
eq -L --sort=yes
eq -L --numeric=1
for o in --stats --rate --exact --sort --nosort --timeout --daemon --thresholds --persistent-conn -c; do
	for c in -Z -D -S; do
		eq $c -t $v $o
	done
done
eq -A -t $v -s rr --sort
eq -E -t $v -s rr --exact
eq -a -t $v -r $r -m --stats
eq -e -t $v -r $r -m --nosort
eq -d -t $v -r $r --rate
eq -E -t $v -s rr --sort
eq -a -t $v -r 10.2.1.9:80 -m --sort
eq -e -t $v -r 10.2.1.9:80 -m --sort
eq -d -t $v -r 10.2.1.9:80 --sort
eq -C --sort
eq --set 900 120 300 --sort
eq -C --stats
eq -R --sort </dev/null
eq -Ln

diag "names"
reset
eq -A -t vip.example:80 -s rr
eq -A -t vip:http -s rr
eq -A -u vip.example:domain -s rr
eq -A -t six.example:80 -s rr
eq -A -t '[six.example]:80' -s rr
eq -A -t vip.example.:81 -s rr
eq -A -t VIP.EXAMPLE:82 -s rr
eq -A -t nosuch.example:80 -s rr
eq -A -t vip.example -s rr
eq -A -t :http -s rr
eq -A -t vip.example:nosuch -s rr
eq -A -t vip.example:HTTP -s rr
eq -A -t vip.example:www -s rr
eq -A -t vip.example:domain -s rr
eq -A -u vip.example:http -s rr
eq -A -u vip.example:ntp -s rr
eq -A -t vip.example:'http ' -s rr
eq -A -t 'vip.example :83' -s rr
eq -A -t -example:80 -s rr
eq -A -t a_b.example:80 -s rr
eq -a -t vip.example:80 -r server.example:80 -m
eq -a -t vip.example:80 -r server.example:http -m
eq -a -t vip.example:http -r both.example -m
eq -a -t vip.example:http -r six.example -m
eq -a -t "$v6" -r both.example:80 -m
eq -A -t "$v6" -s rr
eq -a -t "$v6" -r both.example:80 -m
eq -a -u vip:domain -r server.example:ntp -m
eq -L
eq -L -n
eq -L -t vip:80
eq -L -n -t vip.example:http
eq -S
eq -S -n
eq -L --stats
eq -e -t vip:80 -r server.example:http -m -w 9
eq -d -t vip:80 -r server.example:80
eq -D -t vip.example:http
eq -Ln

diag "differences"
later -L --tun-info
later -L --stats --tun-info
reset
eq -A -t $v -s rr
differs addresses 2 'illegal u_threshold' -a -t $v -r $r -m -x ' 5'
differs addresses 2 'illegal l_threshold' -a -t $v -r $r -m -y '+5'
ivb adm -a -t $v -r 10.2.1.3:80 -m -x 7
kernel -a -t $v -r 10.2.1.3:80 -m -x 7
kernel -d -t $v -r $r
differs '-S' 0 '' -S -n
differences_are_known

diag "what people write"
reset
# ipvsadm(8), with addresses that are there
eq -R <<-EOT
	-A -t 10.0.0.80:80 -s rr
	-a -t 10.0.0.80:80 -r 10.2.1.2:80 -m
	-a -t 10.0.0.80:80 -r 10.2.1.3:80 -m
	-a -t 10.0.0.80:80 -r 10.2.1.4:80 -m
	-a -t 10.0.0.80:80 -r 10.2.1.5:80 -m
	-a -t 10.0.0.80:80 -r 10.2.1.6:80 -m
EOT
eq -A -t '[fd00::80]:80' -s rr
eq -a -t '[fd00::80]:80' -r '[fd02:1::a0a0]:80' -m
eq -a -t '[fd00::80]:80' -r '[fd02:1::a0a1]:80' -m
eq -L --sort
# what ipvsadm-save writes, with and without -n
eq -S
eq --save --numeric
# kube-proxy's and kube-router's documents, and those who debug them
eq -ln
eq -L -n --stats
eq -Ln --rate
eq -Lnc
eq -lnc
eq --list -n
eq -L -n -t 10.0.0.80:80
eq -ln --stats --exact
eq -A -t 10.0.0.80:30080 -s rr
eq -a -t 10.0.0.80:30080 -r 10.2.1.2:8080 -m -w 1
eq -e -t 10.0.0.80:30080 -r 10.2.1.2:8080 -m -w 0
eq -d -t 10.0.0.80:30080 -r 10.2.1.2:8080
eq -D -t 10.0.0.80:30080
# keepalived's and distributions'
eq --set 7200 120 300
eq -L --timeout
eq -L --daemon
eq -L -c
eq -Z
eq -Z -t 10.0.0.80:80
eq --zero --tcp-service 10.0.0.80:80
eq --add-service --tcp-service 10.0.0.80:443 --scheduler wlc
eq --add-server --tcp-service 10.0.0.80:443 --real-server 10.2.1.2 --masquerading --weight 100
eq --edit-server --tcp-service 10.0.0.80:443 --real-server 10.2.1.2:443 --masquerading --weight 0
eq --list --tcp-service 10.0.0.80:443 --numeric
eq --delete-server --tcp-service 10.0.0.80:443 --real-server 10.2.1.2:443
eq --edit-service --udp-service 10.0.0.80:443 --scheduler wlc
eq --delete-service --tcp-service 10.0.0.80:443
eq -a -t 10.0.0.80:80 -r 10.2.1.2:80 -m -w 1 -x 1000 -y 800
eq -e -t 10.0.0.80:80 -r 10.2.1.2:80 -m -w 1 -x 1000 -y 800
eq -L -n --thresholds
eq
eq --clear
eq -Ln
verify
done_testing
