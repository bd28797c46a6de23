#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `up` of this tree over an instance of the last released revision (tests/upgrade-from.txt), which is built from git's
# history: connections of both families talk on by the same ports, new ones begin, what was set stays; and back again.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/lost.sh
. "$top/tests/lib/lost.sh"
# shellcheck source=tests/lib/live.sh
. "$top/tests/lib/live.sh"

rev=$(sed '/^#/d;/^$/d' "$top/tests/upgrade-from.txt")
from=$top/build/upgrade-from/$rev

[ -e "$top/.git" ] || skip_all "no git history here (an archive of the source): revision $rev cannot be built"
need git make nginx curl bpftool

# build_old: the old revision's command, once
build_old() {
	[ ! -x "$from/build/ipvs-bpf" ] || return 0
	if ! git -C "$top" cat-file -e "$rev^{commit}"; then
		echo "revision $rev of tests/upgrade-from.txt is not in the history of $top: a shallow clone? \`git fetch --unshallow\` brings it"
		return 1
	fi
	rm -rf "$from" && mkdir -p "$from" &&
		git -C "$top" archive -o "$from/source.tar" "$rev" &&
		tar -xf "$from/source.tar" -C "$from" &&
		make -C "$from" --no-print-directory BUILD="$from/build" "$from/build/ipvs-bpf"
}

ok "the command of revision $rev" build_old
[ -x "$from/build/ipvs-bpf" ] || done_testing
old=$from/build/ipvs-bpf
new=$ipvs_bpf

ns_begin
two_armed
web
pins=/sys/fs/bpf/ipvs-bpf/$(ns_name lb)
conns=$(few 200 60)
echo_servers 7
udp_named 9

settings() {
	ivb adm -S -n && ivb timeout && ivb snat && ivb status | sed -n '1{s/^instance [^:]*//;s/services of adm/services/;p;}'
}

# tuples: of the connections that talk, with SNAT's ports
tuples() {
	ivb conn --service "$vip4:7" | awk '$1 == "TCP" { print $2, $3, $4, $5, $6 }' | sort
	ivb conn --service "[$vip6]:7" | awk '$1 == "TCP" { print $2, $3, $4, $5, $6 }' | sort
}

counts() {
	ivb adm -L -n | awk '$1 != "->" { on = $2 ~ /:7$/ } on && $1 == "->" { print $2, $5, $6 }'
}

# carried: packets of the connections that talk, both ways
carried() {
	for c_vip in "$vip4:7" "[$vip6]:7"; do
		ivb conn --service "$c_vip"
	done | awk '$1 == "TCP" { n += $8 + $10 } END { print n }'
}

talk4='' talk6='' log=''

all_talk() {
	sleep 0.3
	for talk in "$talk4" "$talk6"; do
		eval "log=\$log_$talk"
		: >"$log"
		kill -USR1 "$talk"
		wait_for 5 grep -q conns= "$log"
		is "$1: all connections talk" "$(sed 's/ gap=.*//' "$log")" \
			"conns=$conns answered=$conns reset=0 closed=0 wrong=0"
	done
	within "$1: nothing was lost" "$(lost)" 0 3
}

# taken_over WHO BINARY
taken_over() {
	tuples >"$tmp/tuples"
	settings >"$tmp/settings"
	counts >"$tmp/counts"
	carried_before=$(carried)
	was=$(ls "$pins")
	is "$1: connections before" "$(wc -l <"$tmp/tuples")" $((2 * conns))
	ipvs_bpf=$2
	like "$1: taken over" "$(ivb up 2>&1)" "^taken over with its connections: .* ABI ${was#v}\$"
	unlike "$1: the old folder is gone" "$(ls "$pins")" "^$was\$"
	is "$1: settings" "$(settings | diff "$tmp/settings" -)" ''
	is "$1: connections and their ports" "$(tuples | diff "$tmp/tuples" -)" ''
	is "$1: active and inactive ones" "$(counts | diff "$tmp/counts" -)" ''
	within "$1: packets that were carried" "$(carried)" "$carried_before" 99999999
	all_talk "$1"
	verify
	ok "$1: new connections begin" wait_for 20 more_than $(($(wc -l <"$tmp/requests") + 6))
}

ipvs_bpf=$old
ok "up of $rev" up --snat always --snat-ports 2000-60000 --expire-nodest-conn
for f in 4 6; do
	service -t $f 7 rr
	service -t $f 80 wrr
done
service -u 4 9 sh
ok "a service's own timeout" ivb timeout --udp-service "$vip4:9" 200
for f in 4 6; do
	start talk$f cl "$tooldir/echo" talk -n "$conns" -i 50 "$(eval echo "\$vip$f")" 7
	eval "talk$f=$started log_$started=$start_log"
	ok "IPv$f: $conns connections" wait_for 30 grep -q connected "$start_log"
done
requests "$tmp/requests" &
requests=$!
ok "requests" wait_for 20 more_than 4
lost >/dev/null

taken_over "from $rev" "$new"
like "bpftool shows whose the programs are" "$(bpftool prog show pinned "$pins"/v*/prog-0)" ' name ivb_ingress '
like "and the maps" "$(bpftool map show pinned "$pins"/v*/flows4)" ' name ivb_flows4 '
taken_over "back to $rev" "$old"
taken_over "from $rev again" "$new"

: >"$tmp/stop"
wait "$requests"
is "no request failed" "$(grep -c FAILED "$tmp/requests")" 0
done_testing
