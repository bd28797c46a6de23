#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` over a running instance, with every option that there is: connections talk on, and the option applies to new
# ones, or is refused. Then `down` and `up`: what survives that.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/live.sh
. "$top/tests/lib/live.sh"

need nginx curl
ns_begin
servers='1 2'
two_armed
web
servers_route_back
udp_named 9
echo_servers 7
ok "up" ivb up --max-conns 4096 --max-conns6 4096 wan s1
service -t 4 7 rr
service -t 4 80 rr
service -t 6 80 rr
service -u 4 9 sh
ivb adm -e -t $vip4:7 -r 10.2.2.2:7 -m -w 0
start talk cl "$tooldir/echo" talk -n 50 -i 20 $vip4 7
talk=$started
wait_for 10 grep -q connected "$tmp/talk.log"

# changes OPTION...: on the running instance; connections go on
changes() {
	talked >/dev/null
	ok "up $*" ivb up "$@"
	sleep 0.1
	is "connections talk on" "$(talked)" "conns=50 answered=50 reset=0 closed=0 wrong=0"
}

# refuses PATTERN OPTION...
refuses() {
	refuses_like=$1
	shift
	nok "not up $*" ivb up "$@"
	like "it says why" "$(ivb up "$@" 2>&1)" "$refuses_like"
	is "connections talk on" "$(talked | sed 's/ answered=[0-9]*//')" "conns=50 reset=0 closed=0 wrong=0"
}

# seen: whom a server sees
seen() {
	in_ns cl curl -s --max-time $((3 * slow)) -H "Connection: close" "http://$vip4/who"
}

is "without SNAT the server sees the client" "$(seen)" 10.1.0.2
changes --snat always s2
is "SNAT: the director" "$(seen | sed 's/[12].1$/N.1/')" 10.2.N.1
ivb adm -e -t $vip4:80 -r 10.2.1.2:80 -m -w 0
is "a device more: its servers are reached" "$(seen)" 10.2.2.1
changes --snat auto --non-masq 10.1.0.0/16
is "but these clients" "$(seen)" 10.1.0.2
changes --non-masq ''
is "no more" "$(seen)" 10.2.2.1
addrs lb s2 10.2.2.9/24
changes --snat-addr 10.2.2.9
is "another address" "$(seen)" 10.2.2.9
changes --snat-ports 3000-3003
is "its ports" "$(in_ns cl curl -s --max-time 3 http://$vip4/port | sed 's/^300[0-3]$/ok/')" ok
few=$(ivb up --snat-ports 1-100 2>&1)
like "a few low ports: up says what they are" "$few" "leaves SNAT (100|[0-9][0-9]) ports.*--snat-ports default"
like "and that they are low" "$few" "has ports below 1024"
changes --snat-ports default
like "status tells the default ports" "$(ivb status)" "ports 1024-32767 "
changes --snat-addr none
like "and that the address is gone" "$(ivb status)" "^SNAT by each server's route"
is "which servers see" "$(seen)" 10.2.2.1
changes --snat-addr 10.2.2.9 --snat-ports 3000-60000 --non-masq 10.77.0.0/16,fd00:77::/32
like "status tells what was given" "$(ivb status)" \
	"^SNAT by 10.2.2.9 .*ports 3000-60000; --non-masq .*10.77.0.0/16"
like "as JSON too" "$(ivb status --json | tr -d ' \n')" \
	'"snat_addresses":\["10.2.2.9"\],"snat_port_ranges":\["3000-60000"\],"non_masq_prefixes":\[("[^"]*",?){2}\]'
changes --non-masq ''
changes --snat-key 1234abcd
changes --snat never
is "never again" "$(seen)" 10.1.0.2
addrs lb wan 10.8.0.1/32
ivb adm -A -t 10.8.0.80:80 -s rr && ivb adm -a -t 10.8.0.80:80 -r 10.2.2.2:80 -m
ipn cl route add 10.8.0.80 via 10.1.0.1
nok "an address that is not ours" in_ns cl curl -s --max-time 1 http://10.8.0.80/
changes --any-vip
is "is served as well" "$(in_ns cl curl -s --max-time 3 http://10.8.0.80/)" sv2
changes --any-vip=no
nok "and no more" in_ns cl curl -s --max-time 1 http://10.8.0.80/
changes --expire-nodest-conn
like "expire-nodest-conn" "$(ivb status)" 'expire-nodest-conn'
changes --expire-nodest-conn=no
unlike "no more" "$(ivb status)" 'expire-nodest-conn'
for option in $(ivb up --help | sed -n 's/^  --\([a-z-]*\)\[=yes|no\].*/\1/p'); do
	like "status --json tells of --$option" "$(ivb status --json)" "\"$(echo "$option" | tr - _)\": *false"
done
changes --max-half-open 100
like "half-open ones" "$(ivb status)" 'half-open 0 of 100'
refuses '--max-half-open 2049.*at most 2048' --max-half-open 2049
changes --ignore-xfrm
changes --max-conns 4096 --max-conns6 4000
refuses '--max-conns cannot be changed.*down' --max-conns 8192
refuses '--max-conns cannot be changed.*down' --max-conns 2048
refuses '--max-conns6 cannot be changed.*down' --max-conns6 8192
refuses 'attached in zone 0, not 3.*down wan' --zone 3 wan
refuses '--notrack.*needs --ipvs' --notrack
changes --zone 0 wan s1 s2
verify

diag "down, and up again"
ok "some with SNAT" ivb up --snat always
start snat cl "$tooldir/echo" talk -n 20 -i 20 $vip4 7
snat=$started
wait_for 10 grep -q connected "$tmp/snat.log"
server=$(ask 4 1 9 -p 5000)
ivb adm -S -n >"$tmp/rules"
is "down says which connections it cuts" "$(ivb down --dry-run | grep -c "$vip4:7 ")" 70
ok "down" ivb down
ok "up" ivb up --snat always wan s1 s2
is "services are not kept" "$(ivb adm -S -n)" ''
ok "but restored from what adm -S wrote" eval 'ivb adm -R <"$tmp/rules"'
is "as they were" "$(ivb adm -S -n | diff "$tmp/rules" -)" ''
sleep 0.5
# (a few are closed instead: by their server, which the director has reset)
is "TCP connections have ended, at once" "$(talked | sed 's/reset=.*closed/ended/; s/ended=.*wrong/wrong/')" \
	"conns=50 answered=0 wrong=0"
: >"$tmp/snat.log"
kill -USR1 "$snat"
ok "those with SNAT too" wait_for 5 grep -q ' reset=20 ' "$tmp/snat.log"
is "UDP with sh goes on with its server" "$(ask 4 1 9 -p 5000)" "$server"
is "new connections are served" "$(get 4 2 | tr -d '12')" 'sv sv'
verify
done_testing
