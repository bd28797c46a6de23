#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who is SNATed and to what: policy of the director and of a service, clients left alone, addresses, ports,
# and a server that is its own client.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
servers=1
two_armed
servers_route_back
web
# another client, and an address for SNAT alone
addrs cl eth0 10.8.0.2/32 fd08::2/128
addrs lb lo 10.0.0.100/32 fd00::100/128
{
	echo route add 10.8.0.2 via 10.1.0.2
	echo route add fd08::2 via fd01::2
} | ipb lb

# seen FAMILY SOURCE [PATH [CURL OPTION...]]: whom the server sees; the port instead with PATH port
seen() {
	seen_v=$(vip "$1" 80)
	seen_from=$2
	seen_path=${3:-who}
	shift "$(($# > 3 ? 3 : $#))"
	in_ns cl curl -s --max-time $((3 * slow)) --interface "$seen_from" -H 'Connection: close' "$@" \
		"http://$seen_v/$seen_path" || echo none
}

# unused_port: one that no connection has; where the search for others begins is not known beforehand
unused_port() {
	ivb conn >"$tmp/conns"
	for unused in 5050 5051 5052 5053 5054; do
		grep -q ":$unused " "$tmp/conns" || break
	done
	echo "$unused"
}

ok "up --snat auto" up --snat auto --non-masq 10.8.0.0/16,fd08::/16
service -t 4 80 rr
service -t 6 80 rr
for f in 4 6; do
	case $f in
	4) near=10.8.0.2 far=10.1.0.2 lb=10.2.1.1 own=10.0.0.100 sv=10.2.1.2 ;;
	6) near=fd08::2 far=fd01::2 lb=fd02:1::1 own=fd00::100 sv=fd02:1::2 ;;
	esac
	v=$(vip $f 80)
	ok "IPv$f: auto" ivb up --snat auto --non-masq 10.8.0.0/16,fd08::/16
	is "IPv$f: a client is SNATed" "$(seen $f "$far")" "$lb"
	is "IPv$f: one of --non-masq is not" "$(seen $f "$near")" "$near"
	ok "IPv$f: without exceptions" ivb up --non-masq ''
	is "IPv$f: both are" "$(seen $f "$far") $(seen $f "$near")" "$lb $lb"

	ok "IPv$f: never, for this service" ivb adm -E -t "$v" -s rr --snat never
	is "IPv$f: the client is seen" "$(seen $f "$far")" "$far"
	ok "IPv$f: never, and always for this service" eval "ivb up --snat never && ivb adm -E -t $v -s rr --snat always"
	is "IPv$f: the director is seen" "$(seen $f "$far")" "$lb"
	ok "IPv$f: an edit without --snat" ivb adm -E -t "$v" -s rr
	is "IPv$f: keeps the service's policy" "$(seen $f "$far")" "$lb"

	ok "IPv$f: never again" ivb adm -E -t "$v" -s rr --snat never
	is "IPv$f: the client is seen" "$(seen $f "$far")" "$far"
	is "IPv$f: a server reaches itself through the VIP" \
		"$(in_ns sv1 curl -s --max-time $((3 * slow)) "http://$v/who" || echo none)" "$lb"
	like "IPv$f: both tuples are listed" "$(ivb conn)" \
		"^TCP +\\[?$sv\\]?:[0-9]+ .*$vip4|$vip6.* \\[?$lb\\]?:[0-9]+ +\\[?$sv\\]?:80 "

	ok "IPv$f: always, from an address for it alone" eval "ivb adm -E -t $v -s rr --snat always &&
		ivb up --snat-addr $own --snat-ports 5000-5099"
	is "IPv$f: which is seen" "$(seen $f "$far")" "$own"
	within "IPv$f: with a port of the range" "$(seen $f "$far" port)" 5000 5099
	kept=$(unused_port)
	is "IPv$f: a port of the range is kept" "$(seen $f "$far" port --local-port "$kept")" "$kept"
	within "IPv$f: unless it is taken" "$(seen $f "$near" port --local-port "$kept")" 5000 5099
	unlike "IPv$f: by another client's connection" \
		"$(ivb conn | grep ":$kept .*:$kept " | grep -F "$near")" .
done
verify

# the director's own connections to the server, from the address and with the ports that SNAT uses as well
big_file 4
ok "SNAT from the address of the director's own connections" eval "ivb adm -E -t $(vip 4 80) -s rr --snat always &&
	ivb down && up --snat always && service -t 4 80 rr"
in_ns lb curl -s --limit-rate 1M --max-time $((60 * slow)) http://10.2.1.2/f/big | md5sum >"$tmp/own" &
failed=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ "$(in_ns lb curl -s --max-time $((3 * slow)) http://10.2.1.2/)" = sv1 ] || failed=$((failed + 1))
	[ "$(seen 4 10.1.0.2)" = 10.2.1.1 ] || failed=$((failed + 1))
done
is "20 of the director's and 20 of clients' by turns: all are answered" "$failed" 0
ok "the director's long one, begun before, ends" wait_for 20 test -s "$tmp/own"
is "with all its data" "$(cat "$tmp/own")" "$big_md5"
verify

diag "a range that the kernel's own sockets have ports of as well"
from=$(in_ns lb awk '{ print $1 }' /proc/sys/net/ipv4/ip_local_port_range)
start echo sv1 "$tooldir/echo" serve 7
wait_listen sv1 tcp 7
# talk NAME NAMESPACE PORT ADDRESS: one connection from that port, which goes on talking
talk() {
	start "$1" "$2" "$tooldir/echo" talk -n 1 -i 100 -p "$3" "$4" 7
}
# hears NAME PID: what it has heard lately
hears() {
	sleep 1
	kill -USR1 "$2"
	sleep 0.2
	tail -n 1 "$tmp/$1.log" | sed 's/ gap=.*//'
}
# shellcheck disable=SC2086 # devs: words
again() {
	ivb down
	ivb up --snat always --snat-ports "$from-$((from + 3))" $devs 2>&1
	service -t 4 7 rr
}
fine='conns=1 answered=1 reset=0 closed=0 wrong=0'
talk own lb $((from + 1)) 10.2.1.2
own=$started
ok "the director has a connection to the server" wait_for 5 grep -q connected "$tmp/own.log"
like "up leaves its port alone, and says that others may meet" "$(again)" 'may give 3 of --snat-ports to this host'
talk client cl $((from + 1)) $vip4
client=$started
ok "a client has a connection from the same port" wait_for 5 grep -q connected "$tmp/client.log"
is "it is answered" "$(hears client "$client")" "$fine"
is "and so is the director" "$(hears own "$own")" "$fine"
given=$(ivb conn | sed -n 's/.* 10[.]2[.]1[.]1:\([0-9]*\) .*/\1/p')
# the two that are left
left=$(seq "$from" $((from + 3)) | grep -vx -e $((from + 1)) -e "$given")
host=${left%%[!0-9]*}
last=${left##*[!0-9]}
unlike "the client's got another port" "$given" "^$((from + 1))\$"
talk after lb "$host" 10.2.1.2
after=$started
ok "the director begins one with a port of the range that no client has" wait_for 5 grep -q connected "$tmp/after.log"
is "it is answered" "$(hears after "$after")" "$fine"
talk second cl "$last" $vip4
second=$started
ok "a client's has the last port" wait_for 5 grep -q connected "$tmp/second.log"
like "of the range" "$(ivb conn)" " 10[.]2[.]1[.]1:$last "
talk fails lb "$last" 10.2.1.2
is "with that the director gets none, but disturbs nobody" "$(hears second "$second")" "$fine"
nok "none" grep -q connected "$tmp/fails.log"
for who in "$own" "$after" "$client" "$second"; do
	kill "$who"
done
verify

done_testing
