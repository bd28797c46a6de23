#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# From IPVS with conntrack and MASQUERADE to us and back, under traffic: not a request fails, and no connection
# is cut. `down` says what it would cut, and `down --drain` waits.
# shellcheck disable=SC2154 # long_*: by eval
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl socat iptables
ns_begin
ipvs_begin
two_armed
web
mkdir -p "$tmp/www"
head -c 1000000 /dev/urandom >"$tmp/www/slow"
slow_md5=$(md5sum <"$tmp/www/slow")

# requests one after another, each on a connection of its own, until told to stop: "ok N failed M"
load() {
	n=0 failed=0
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		n=$((n + 1))
		in_ns cl curl -s -o /dev/null --max-time $((10 * slow)) "http://$(vip 4 80)/" || failed=$((failed + 1))
		sleep 1
	done
	echo "$n requests, $failed failed" >"$tmp/load"
}

# download NAME: a connection that lives through what comes
long() {
	start "long-$1" cl curl -s -o "$tmp/long-$1" --max-time $((100 * slow)) --limit-rate 4k "http://$(vip 4 80)/f/slow"
	eval "long_$1=\$started"
}

whole() {
	wait "$(eval "echo \$long_$1")"
	is "the $2 connection came whole" "$(md5sum <"$tmp/long-$1")" "$slow_md5"
}

vs conntrack=1
in_ns lb iptables -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL -j MASQUERADE
kservice 4 80 rr
load &
loading=$!
long before
sleep 2
ok "the engine is on" follow --snat always
is "conntrack's connections are left to it" "$(fast in)" 0
ok "new connections without conntrack" vs conntrack=0
sleep 1
long with
sleep 5
within "are carried" "$(fast in)" 5 100000
is "the older ones go on" "$(kill -0 "$long_before" 2>&1)" ''

# and back
ok "new connections with conntrack again" vs conntrack=1
sleep 1
like "down would cut the one that lives" "$(ivb down --dry-run)" '^TCP 10\.1\.0\.2:[0-9]+ > 10\.0\.0\.80:80 > .* ESTABLISHED$'
nok "draining one device is refused" ivb down --drain wan
start drain lb "$ipvs_bpf" --netns "$(ns_name lb)" down --drain
drain=$started
ok "down --drain waits" wait_for 10 grep -q 'waiting for' "$tmp/drain.log"
like "status says so" "$(ivb status)" 'DRAINING'
is "the connection lives" "$(kill -0 "$long_with" 2>&1)" ''
stop "$drain" INT
like "interrupted, it takes everything back" "$(cat "$tmp/drain.log")" 'interrupted with [1-9]'
unlike "nothing is drained any more" "$(ivb status)" 'DRAINING'
whole before "older"
whole with "carried"
start drain lb "$ipvs_bpf" --netns "$(ns_name lb)" down --drain
drain=$started
wait "$drain"
is "down --drain ends when none is left" $? 0
is "and leaves nothing" "$(ls /sys/fs/bpf/ipvs-bpf 2>/dev/null)" ''
is "kernel IPVS goes on" "$(get 4 3 | tr ' ' '\n' | sort | uniq -c | wc -l)" 3
touch "$tmp/stop"
wait "$loading"
like "no request failed on the way there and back" "$(cat "$tmp/load")" '^[1-9][0-9]* requests, 0 failed$'
diag "$(cat "$tmp/load")"

done_testing
