#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands killed with -9 at random moments while requests go on: what they were changing is whole afterwards, as
# it was or as it was to be; the next command works; no request fails. Then `up` and `down` themselves, which may
# leave half an instance: `up` makes it whole. KILLS=1000 for long.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
kills=${KILLS:-30}
ns_begin
servers='1 2'
two_armed
web
name=$(ns_name lb)
ok "up" up --snat always
service -t 4 80 wrr
service -t 6 80 wrr

requests() {
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		in_ns cl curl -s --max-time 10 "http://$vip4/" "http://[$vip6]/" || echo FAILED
	done >"$tmp/requests"
}

# random BELOW: a number
random() {
	od -An -N4 -tu4 /dev/urandom | awk -v n="$1" '{ print $1 % n }'
}

# killed COMMAND...: within the time that such commands take, from a few milliseconds to a hundred
killed() {
	timeout -s KILL "0.$(printf %06d "$(random $((1 << $(random 6) + 12)))")" "$ipvs_bpf" --netns "$name" "$@" >/dev/null 2>&1
	[ $? -ne 137 ] || dead=$((dead + 1))
}

# change N: one of all commands that change something, and of those that read
change() {
	case $1 in
	0) killed adm -e -t $vip4:80 -r 10.2.1.2:80 -m -w $((1 + $(random 9))) ;;
	1) killed adm -E -t $vip4:80 -s "$([ "$(random 2)" = 0 ] && echo rr || echo wrr)" ;;
	2) killed adm -A -t $vip4:$((9000 + $(random 20))) -s rr ;;
	3) killed adm -D -t $vip4:$((9000 + $(random 20))) ;;
	4) killed adm -a -t $vip4:9001 -r 10.2.$((1 + $(random 2))).2:80 -m ;;
	5) killed adm -d -t $vip4:9001 -r 10.2.$((1 + $(random 2))).2:80 ;;
	6) killed up --snat-ports $((2000 + $(random 2000)))-60000 --snat-addr 10.2.1.1 ;;
	7) killed up --non-masq "10.$((20 + $(random 20))).0.0/16" ;;
	8) killed up wan s1 s2 ;;
	9) killed status --verify ;;
	10) killed conn ;;
	*) killed stats ;;
	esac
}

requests &
dead=0
bad=0
n=0
while [ "$dead" -lt "$kills" ] && [ "$n" -lt $((kills * 8)) ]; do
	n=$((n + 1))
	change "$(random 12)"
	# the next command of either kind
	if ! said=$(ivb adm -L -n 2>&1) || ! said=$(ivb adm -e -t $vip4:80 -r 10.2.2.2:80 -m -w 2 2>&1); then
		bad=$((bad + 1))
		diag "after kill $n: $said"
	fi
	if [ $((n % 10)) -eq 0 ] && ! said=$(ivb status --verify 2>&1); then
		bad=$((bad + 1))
		diag "after kill $n: $said"
	fi
done
diag "$n commands"
is "so many were killed before their end" "$dead" "$kills"
is "the next ones work, and find nothing wrong" "$bad" 0
: >"$tmp/stop"
wait_for 20 test -s "$tmp/requests"
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
within "of so many" "$(wc -l <"$tmp/requests")" 5 9999999
verify

bad=0
n=0
while [ "$n" -lt $((kills / 3)) ]; do
	n=$((n + 1))
	case $((n % 2)) in
	0) killed down ;;
	*) ivb down >/dev/null 2>&1 && killed up --snat always wan s1 s2 ;;
	esac
	if ! said=$(ivb up --snat always wan s1 s2 2>&1) || ! said=$(ivb status --verify 2>&1); then
		bad=$((bad + 1))
		diag "after kill $n: $said"
	fi
done
is "$((kills / 3)) times up or down was killed: up makes it whole" "$bad" 0
ok "services again" eval "ivb adm -C; ivb adm -A -t $vip4:80 -s rr && ivb adm -a -t $vip4:80 -r 10.2.1.2:80 -m"
is "and they are served" "$(in_ns cl curl -s --max-time 10 "http://$vip4/")" sv1
verify

done_testing
