#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --notrack, in both families: with net.ipv4.vs.conntrack=1 connections are carried and have no conntrack entry.
# What is untracked ends on the kernel's way; only beside conntrack's entries are FIN and RST carried as well.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$top/tests/lib/follow.sh"

# services FAMILY: TCP and UDP, port 80
services() {
	for s_p in -t -u; do
		echo "-A $s_p $(vip "$1" 80) -s rr"
		echo "-a $s_p $(vip "$1" 80) -r $(rip "$1" 1 80) -m"
	done | kipvs -R
}

# plain FAMILY: the services' address as others than ipvsadm write it
plain() {
	case $1 in
	4) echo "$vip4" ;;
	6) echo "$vip6" ;;
	esac
}

# entries FAMILY PORT: conntrack's for what comes from that port of the client's
entries() {
	in_ns lb conntrack -L -f "ipv$1" -d "$(plain "$1")" 2>/dev/null | grep -c " sport=$2 dport=80 "
}

# replies_of FAMILY: for packets that the server has begun, as conntrack understands them
replies_of() {
	in_ns lb conntrack -L -f "ipv$1" -s "$(rip "$1" 1)" 2>/dev/null | grep -c sport=80
}

# copies FAMILY PORT: whether FIN and RST of this client's port are to be carried, kernel IPVS getting copies
copies() {
	bpftool map dump pinned "$(pinned)/flows$1" | awk -v p="$((($2 % 256) * 256 + $2 / 256))" '
		{ gsub(/[",:]/, " ") }
		$1 == "sport" { port = $2 }
		$1 == "flags" && port == p { print int($2 / 128) % 2 ? "copies" : "none" }'
}

# reset_by PORT: the kernel's state after the client's RST
reset_by() {
	play rst 1
	sleep 1
	conn_of "$1"
}

# talks FAMILY PORT WHOM: a connection of each protocol
talks() {
	play tcp 1 "$(plain "$1")" 80 "$(client "$1" 1)" "$2"
	play pace 1 20 50
	is "IPv$1: TCP is answered" "$said" 20
	play ask 1 peer
	is "IPv$1: the server sees whom it should" "${said% *}" "$3"
	play udp 2 "$(plain "$1")" 80 "$(client "$1" 1)" "$(($2 + 100))"
	play pace 2 20 50
	is "IPv$1: UDP is answered" "$said" 20
}

need conntrack nft
ns_begin
ipvs_begin
servers=1
two_armed
puppets 80
# IPv6 addresses are none on a device that is down
ipn cl link set dev lo up
in_ns lb nft -f - <<-EOT || bail "nft failed"
	table inet fw {
		chain forward {
			type filter hook forward priority 0
			ct state new counter accept
		}
		chain input {
			type filter hook input priority 0
			ct state new counter accept
		}
	}
EOT
services 4
services 6

# conntrack at work, and nothing of it kept: FIN and RST are carried
ok "up" follow --snat always
talks 6 6001 fd02:1::1
is "IPv6: beside conntrack FIN and RST are carried" "$(copies 6 6001)" copies
like "IPv6: and known to the kernel" "$(reset_by 6001)" '^CLOSE '

vs conntrack=1
# without the rules they are conntrack's, as the numbers below can tell
talks 6 6002 fd09::1
is "IPv6: without rules there is a conntrack entry" "$(entries 6 6002)" 1
is "IPv6: and nothing is carried" "$(carried 6002)" "0 0"
play rst 1
like "status says so" "$(ivb status)" 'WARNING: net.ipv4.vs.conntrack is 1.*--notrack'
like "and how many services there are to follow" "$(ivb status)" 'follows kernel IPVS, which has [1-9]'
like "up as well" "$(ivb up 2>&1)" 'warning: net.ipv4.vs.conntrack is 1.*--notrack'

ok "up --notrack" follow --snat always --notrack
unlike "no such word any more" "$(ivb status)" 'WARNING'
for f in 6 4; do
	port=${f}003
	talks $f "$port" "$(rip $f 1 | sed 's/2$/1/')"
	carried "$port" >"$tmp/carried.$f"
	was_carried $f "IPv$f" 20 20
	is "IPv$f: no conntrack entries" "$(entries $f "$port")" 0
	is "IPv$f: nor of the replies" "$(replies_of $f)" 0
	is "IPv$f: untracked, FIN and RST go the kernel's way" "$(copies $f "$port")" none
	like "IPv$f: where RST ends the connection" "$(reset_by "$port")" '^CLOSE '
	port=${f}004
	play tcp 1 "$(plain $f)" 80 "$(client $f 1)" "$port"
	play pace 1 20 50
	play ask 1 fin
	is "IPv$f: the server's FIN" "$said" EOF
	play close 1
	sleep 1
	like "IPv$f: both FINs are in the kernel's table" "$(conn_of "$port")" '^TIME_WAIT '
	is "IPv$f: and there is no entry of theirs" "$(entries $f "$port") $(replies_of $f)" "0 0"
done
verify
done_testing
