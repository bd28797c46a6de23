#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Right and wrong command lines: `ipvs-bpf adm` says what ipvsadm says, on the same streams, and ends with the
# same status. Every difference has a row in docs/differences.md.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"

parity_begin 1
# every server below has a route, or ours would warn
ipn lb route add default via 10.1.0.2
ipn lb route add default via fd01::2
v=10.0.0.80:80
v6='[fd00::80]:80'
r=10.2.1.2:80

diag "services and servers, and what is not there"
eq -A -t $v -s rr
eq -A -t $v -s rr
eq -A -t $v -s wrr
eq -A -u $v -s wrr
eq -A -t "$v6" -s rr
eq -A -t 10.0.0.80:81 -s nosuch
eq -E -t 10.0.0.80:82 -s rr
eq -E -t $v -s nosuch
eq -D -t 10.0.0.80:82
eq -D -u 10.0.0.80:82
eq -a -t 10.0.0.80:82 -r $r -m
eq -a -t $v -r $r -m
eq -a -t $v -r $r -m
eq -a -t $v -r $r -m -w 4
eq -a -t "$v6" -r '[fd02:1::2]:80' -m -w 7
eq -a -t "$v6" -r fd02:1::3 -m
eq -a -t "$v6" -r fd02:1::4:80 -m
eq -e -t $v -r 10.2.1.9:80 -m
eq -e -t 10.0.0.80:82 -r 10.2.1.9:80 -m
eq -e -t $v -r $r -m -w 3
eq -e -t $v -r $r -m
eq -d -t $v -r 10.2.1.9:80
eq -d -t 10.0.0.80:82 -r 10.2.1.9:80
eq -L -n
eq -L -n -t $v
eq -L -n -t "$v6"
eq -L -n -u $v
eq -L -n -t 10.0.0.80:82
eq -L -n -t '[fd00::81]:80'

diag "weights"
eq -a -t $v -r 10.2.1.3:80 -m -w -1
eq -a -t $v -r 10.2.1.3:80 -m -w abc
eq -a -t $v -r 10.2.1.3:80 -m -w 2147483648
eq -a -t $v -r 10.2.1.3:80 -m -w 5x
eq -a -t $v -r 10.2.1.3:80 -m -w 0x10
eq -a -t $v -r 10.2.1.3:80 -m -w ''
eq -a -t $v -r 10.2.1.3:80 -m -w 65535
eq -a -t $v -r 10.2.1.5:80 -m -w 010
eq -a -t $v -r 10.2.1.6:80 -m -w 0
eq -L -n

diag "addresses and ports of servers"
eq -a -t $v -r '[fd02:1::2]:80' -m
eq -a -t "$v6" -r 10.2.1.2:80 -m
for port in 65536 99999 '' -1 nosuch; do
	eq -a -t $v -r "10.2.1.7:$port" -m
done
eq -a -t $v -r 300.1.1.1:80 -m
eq -a -t $v -r nosuch.invalid:80 -m
eq -a -t $v -r 224.0.0.1:80 -m
eq -a -t $v -r 0.0.0.0:80 -m
eq -a -t $v -r 255.255.255.255:80 -m
eq -a -t $v -r '' -m
eq -a -t "$v6" -r '[fe80::1]:80' -m
eq -a -t "$v6" -r '[ff02::1]:80' -m
eq -a -t "$v6" -r '[::]:80' -m
eq -a -t "$v6" -r '[::ffff:10.2.1.2]:80' -m
eq -a -t $v -r 10.2.1.7 -m
eq -a -t $v -r 10.2.1.8:8080 -m
eq -L -n

diag "addresses and ports of services"
for a in 10.0.0.80 10.0.0.80: 10.0.0.80:65536 10.0.0.80:-5 10.0.0.80:8x 10.0.0.80:nosuch 300.1.2.3:80 :80 '' \
	nosuch.invalid:80 fd00::80:80 '[fd00::80]' '[fd00::80:80' '[fd00::80]80' '[fd00::zz]:80' 10.0.0.80:0x50 \
	' 10.0.0.80:90' '10.0.0.80:82 ' 10.0.0.80:HTTPS 10.0.0.80:85:86 10.0.0.80:0 10.0.0.80:tftp; do
	eq -A -t "$a" -s rr
done
eq -A -u 10.0.0.80:ssh -s rr
eq -A -u 10.0.0.80:tftp -s rr
eq -A -t 10.0.0.80:https -s rr
eq -A -t 10.0.0.80:083 -s rr
eq -A -t localhost:83 -s rr
eq -L -n
eq -L
# not listed beside 127.0.0.1: ipvsadm compares addresses by a difference that overflows, and then the order
# hangs on the kernel's hash
eq -D -t localhost:83
eq -A -t 0.0.0.0:80 -s rr
eq -A -t 224.0.0.1:80 -s rr
eq -L -n

diag "command lines"
eq -A
eq -A -s rr
eq -A -t
eq -A -t $v -s
eq -A --tcp-service
eq -A -t $v -u $v -s rr
eq -A -t $v -t 10.0.0.80:81 -s rr
eq -A -t $v -s rr -s wrr
for o in "-r $r" '-w 5' -m -n -c; do
	# shellcheck disable=SC2086 # words
	eq -A -t 10.0.0.80:99 -s rr $o
done
for c in -D -a -A; do
	eq -A $c -t $v
done
eq -D
eq -D -t
eq -D -t $v -s rr
eq -D -t $v -r $r
eq -E
eq -a
eq -a -t $v
eq -a -t $v -m
eq -a -r $r
eq -a -t $v -r
eq -a -t $v -r $r -s rr
eq -a -t $v -r $r -w
eq -a -t $v -r $r -m -m
eq -a -t $v -r $r -r 10.2.1.9:80 -m
eq -e -t $v
eq -e
eq -d
eq -d -t $v
eq -d -t $v -r $r -w 5
eq -d -t $v -r $r -m
eq -C -t $v
eq -C -n
eq -C extra
eq -L extra
eq -A -t 10.0.0.80:99 -s rr extra
eq extra
eq -n
eq -n -L
eq -t $v
eq ''
eq -L -w 5
eq -L -m
eq -L -r $r
eq -L -s rr
eq -L -c -t $v
eq -L -n -n
eq -L -c -c
eq -L -n --foo
eq -L -L
eq -L -C
eq -LC
eq -Q
eq --nosuch
eq --add-serv -t $v
eq -A -t $v -h
eq -L -n -c
eq -lnc
eq --list --numeric
eq --tcp-service=$v -A
eq --add-service --tcp-service 10.0.0.80:97 --scheduler rr
eq --add-server --tcp-service=10.0.0.80:97 --real-server $r --masquerading --weight=4
eq -at10.0.0.80:97 -r10.2.1.3 -mw6
eq --edit-server --tcp-service 10.0.0.80:97 --real-server $r --masquerading --weight 5
eq --edit-service --tcp-service 10.0.0.80:97 --scheduler wrr
eq -Ln
eq --delete-server --tcp-service 10.0.0.80:97 --real-server $r
eq --delete-service --tcp-service 10.0.0.80:97
eq --clear
eq -Ln

diag "timeouts"
for o in '' '1' '1 2' '1 2 3 4' 'a b c' '1 b 3' '-1 2 3' '2678401 1 1' '1 2678401 1' '5 6 7 -n' '-n 5 6 7' '5x 6 7' \
	"5 -t $v 6 7" '10 20 30'; do
	# shellcheck disable=SC2086 # words
	eq --set $o
done
eq -L --timeout
eq --set 0 0 0
eq -L --timeout -n
eq --set 0 25 0
eq -L --timeout --sort
eq -L --timeout --exact
eq -L --timeout --nosort
eq -L --timeout -t $v
eq -L --timeout --stats
eq --set 900 120 300
eq -L --daemon
eq -L --daemon -c
eq -L --daemon --stats
eq -L --daemon --timeout

diag "saving, restoring, other listings"
reset
for o in '' -n --numeric "-t $v" "-n -t $v" -c --sort --nosort '-n -n' --exact extra '-n extra'; do
	# shellcheck disable=SC2086 # words
	eq -S $o
done
for o in extra -n "-t $v" '' ; do
	# shellcheck disable=SC2086 # words
	eq -R $o </dev/null
done
eq -R <<-EOT
	-A -t 10.0.0.80:80 -s rr
	-a -t 10.0.0.80:80 -r 10.2.1.2:80 -m -w 5
	-a -t 10.0.0.80:80 -r 10.2.1.3 -m

	ipvsadm -A -u 10.0.0.80:53 -s wrr
	  --add-service   --tcp-service=[fd00::80]:http  -s rr  
	-a -t [fd00::80]:80 -r [fd02:1::2]:8080 -m -w 0
	-A -t 10.0.0.80:99 -s rr
	-E -t 10.0.0.80:99 -s wrr
	-e -t 10.0.0.80:80 -r 10.2.1.3 -m -w 9
	-D -t 10.0.0.80:99
EOT
eq -S -n
eq -S
eq --save -n --sort
for o in --stats --rate --thresholds --persistent-conn '--stats --thresholds' '--rate --thresholds' \
	'--stats --persistent-conn' '--thresholds --persistent-conn' '--stats --exact' '--thresholds --exact'; do
	# shellcheck disable=SC2086 # words
	eq -L -n $o
done
eq -L --stats
eq -L --thresholds
eq -L -n --stats -t $v
eq -L -n --thresholds -t $v
eq -L -n --persistent-conn -t $v
eq -L -n --stats -t 10.0.0.80:81
eq -L --stats --stats
eq -L --exact --exact
eq -Z
eq --zero
eq -Z -t $v
eq -Z -t 10.0.0.80:81
for o in "-t $v -n" -n -c extra "-r $r" '-s rr'; do
	# shellcheck disable=SC2086 # words
	eq -Z $o
done
eq -R <<-EOT
	-C
	-A -t 10.0.0.80:80 -s rr
EOT
eq -S -n

diag "differences"
reset
eq -A -t $v -s rr
method -a -t $v -r 10.2.1.3:80
method -a -t $v -r 10.2.1.4:80 -g
method -a -t $v -r 10.2.1.5:80 -i
later -A -t 10.0.0.80:92 -s rr -p
later -A -t 10.0.0.80:93 -s rr -o
later -A -f 7 -s rr
later -A --sctp-service 10.0.0.80:94 -s rr
later --start-daemon master
later --stop-daemon backup
differs -R 255 'line 2: Service already exists' \
	-R <<-EOT
		-A -t 10.0.0.80:98 -s rr
		-A -t 10.0.0.80:98 -s rr
	EOT
differs -R 2 'line 2: illegal virtual server address' -R <<-EOT
	-A -t 10.0.0.80:99 -s rr
	-A -t 10.0.0.80:99x -s rr
EOT
like "none of them was taken" "$(ivb adm -S -n)" '^-A -t 10.0.0.80:80 -s rr$'
unlike "none of them at all" "$(ivb adm -S -n)" ':9[89]'
differs -R 2 'line 1: -L is not restored' -R <<-EOT
	-L -n
EOT
differs weight 2 'illegal weight specified' -a -t $v -r 10.2.1.8:80 -m -w 65536
differs addresses 2 'illegal real server address' -a -t $v -r 10.2.1.9:0 -m
differs addresses 2 'illegal real server address' -a -t $v -r 10.2.9:80 -m
differs addresses 2 'illegal virtual server address' -A -t 10.0.80:80 -s rr
differs addresses 2 'illegal weight specified' -a -t $v -r 10.2.1.8:80 -m -w +5
differs addresses 2 'illegal virtual server address' -A -t 10.0.0.80:+81 -s rr
differs "clients on the director, servers on the director" 1 'address of the director itself' \
	-a -t $v -r 127.0.0.1:80 -m
ipn lb route add unreachable 10.66.0.0/16
differs "a server without a route to it, or behind a device that is not attached" 0 'warning: ' -a -t $v -r 10.66.0.1:80 -m
differences_are_known
eq -D -t $v
verify
done_testing
