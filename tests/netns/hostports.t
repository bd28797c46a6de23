#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SNAT with ports that the director's own sockets get as well: its own TCP connections and UDP sockets towards
# the same server, begun before `up` and after it, and what keeps the kernel from choosing a client's port.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers=1
two_armed
servers_route_back
start tcp sv1 "$tooldir/echo" serve 7
wait_listen sv1 tcp 7
start udp sv1 "$tooldir/udp" serve 7 sv1
wait_listen sv1 udp 7
from=$(in_ns lb awk '{ print $1 }' /proc/sys/net/ipv4/ip_local_port_range)
last=$((from + 7))
one=$((from + 2))

# talk NAME NAMESPACE PORT ADDRESS: a TCP connection from that port, which goes on talking
talk() {
	start "$1" "$2" "$tooldir/echo" talk -n 1 -i 100 -p "$3" "$4" 7
	talking="$talking $started"
	eval "pid_$1=$started"
}

# asks NAME NAMESPACE PORT ADDRESS: a UDP socket of that port, which asks for 10 seconds
asks() {
	start "$1" "$2" "$tooldir/udp" ask -s -c 100 -i 100 -p "$3" "$4" 7
	talking="$talking $started"
}

# connected NAME
connected() {
	wait_for 5 grep -q connected "$tmp/$1.log"
}

# hears NAME: what it has heard of its TCP connection
hears() {
	eval "kill -USR1 \$pid_$1"
	sleep 0.2
	tail -n 1 "$tmp/$1.log" | sed 's/ gap=.*//'
}
fine='conns=1 answered=1 reset=0 closed=0 wrong=0'

# answers NAME: of its UDP socket: all of one kind, and some
answers() {
	wait_for 5 grep -q . "$tmp/$1.log"
	sort -u "$tmp/$1.log" | tr '\n' ' '
}

# shellcheck disable=SC2086 # devs: words
begin() {
	ivb down 2>/dev/null
	ivb up --snat always --snat-ports "$from-$last" $devs 2>&1
	for begin_f in 4 6; do
		service -t "$begin_f" 7 rr
		service -u "$begin_f" 7 rr
	done
}

for f in 4 6; do
	talking=
	sv=$(rip $f 1)
	[ $f = 4 ] && vip=$vip4 || vip=$vip6
	like "IPv$f: up says whose ports they are" "$(begin)" "may give 8 of --snat-ports to this host's own"
	like "and status that they are looked up" "$(ivb status)" "8 ports .but those of this host's sockets."
	talk own lb $one "$sv"
	asks ownudp lb $one "$sv"
	ok "IPv$f: the director has a connection, begun after up" connected own
	talk client cl $one "$vip"
	asks clientudp cl $one "$vip"
	ok "a client has one from the same port" connected client
	sleep 1
	is "it is answered" "$(hears client)" "$fine"
	is "and so is the director" "$(hears own)" "$fine"
	is "UDP: a client is answered" "$(answers clientudp)" 'sv1 '
	is "and so is the director" "$(answers ownudp)" 'sv1 '
	unlike "TCP: the client's has another port" "$(ivb conn | grep ^TCP)" "[.:0-9]\\]?:$one +\\[?$sv\\]?:7 "
	unlike "UDP: the client's has another port" "$(ivb conn | grep ^UDP)" "[.:0-9]\\]?:$one +\\[?$sv\\]?:7 "
	like "there are two" "$(ivb conn | grep -c ":7 ")" '^2$'
	verify
	like "IPv$f: up once more, with these" "$(begin)" "may give 7 of --snat-ports"
	talk again cl $one "$vip"
	ok "a client's connection" connected again
	sleep 0.5
	is "is answered" "$(hears again)" "$fine"
	is "and so is the director" "$(hears own) $(answers ownudp)" "$fine sv1 "
	talk keeps cl $last "$vip"
	ok "IPv$f: a client's has the last port" connected keeps
	talk fails lb $last "$sv"
	sleep 1.5
	nok "with that the director gets none" grep -q connected "$tmp/fails.log"
	is "but disturbs nobody" "$(hears keeps)" "$fine"
	for pid in $talking; do
		kill "$pid" 2>/dev/null
	done
	verify
done

echo "$from-$last" | in_ns lb tee /proc/sys/net/ipv4/ip_local_reserved_ports >/dev/null
unlike "the range in ip_local_reserved_ports: no warning" "$(begin)" 'this host'
unlike "and nothing to be looked up" "$(ivb status)" "this host's sockets"
echo "$from $((last + 16))" | in_ns lb tee /proc/sys/net/ipv4/ip_local_port_range >/dev/null
start chosen lb "$tooldir/echo" talk -n 8 -i 100 "$(rip 4 1)" 7
ok "the kernel chooses ports for eight connections of the director's own" connected chosen
is "none of which is SNAT's" \
	"$(in_ns lb ss -Htn state established dport = :7 | awk -v last="$last" '{ sub(/.*:/, "", $3); n += $3 > last } END { print n }')" 8
stop "$started"
verify

done_testing
