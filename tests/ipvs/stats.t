#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What kernel IPVS has counted and what eBPF carried past it make what was sent. The client's own
# namespace counts that, with nftables: in = packets and bytes to the service, out = from it.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

fwmark=7
marked=7007 # the UDP port whose packets get it
second=10.0.0.81

# count_rules in|out: a line of the table below for each service
count_rules() {
	while read -r name family addr proto port; do
		case $1 in
		in) echo "$family daddr $addr $proto dport $port counter comment \"in $name\"" ;;
		out) echo "$family saddr $addr $proto sport $port counter comment \"out $name\"" ;;
		esac
	done <<-EOT
		tcp4 ip $vip4 tcp 80
		tcp6 ip6 $vip6 tcp 80
		udp4 ip $vip4 udp 5353
		udp6 ip6 $vip6 udp 5353
		mark ip $vip4 udp $marked
		own ip $vip4 tcp 8080
		pair1 ip $vip4 tcp 81
		pair2 ip $second tcp 81
		all ip $second tcp 8080
	EOT
}

client_counts() {
	in_ns cl nft -f - <<-EOT
		table inet seen {
			chain sent {
				type filter hook output priority 0
				$(count_rules in)
			}
			chain got {
				type filter hook input priority 0
				$(count_rules out)
			}
		}
	EOT
}

# look: what both have now, the kernel's part when its estimator has come by (every two seconds)
look() {
	sleep 5
	ivb stats >"$tmp/stats" && in_ns cl nft list table inet seen >"$tmp/seen"
}

# sent NAME: "in PACKETS BYTES out PACKETS BYTES"
sent() {
	awk -v name="$1" '
		{ for (i = 1; i < NF; i++) if ($i == "packets") { p = $(i + 1); b = $(i + 3) } }
		$0 ~ "\"in " name "\"" { in_ = p " " b }
		$0 ~ "\"out " name "\"" { out = p " " b }
		END { print "in", in_, "out", out }' "$tmp/seen"
}

# told SERVICE: the same from `stats`; carried SERVICE: eBPF's part of it; SERVICE as in its first columns
told() {
	awk -v s="$1" '$1 " " $2 == s { print "in", $5, $7, "out", $6, $8 }' "$tmp/stats"
}

carried() {
	awk -v s="$1" '$1 " " $2 == s { print "in", $10, $12, "out", $11, $13 }' "$tmp/stats"
}

# servers_of SERVICE: the sum of its servers
servers_of() {
	awk -v s="$1" '
		$1 != "->" { mine = $1 " " $2 == s }
		mine && $1 == "->" { ip += $4; op += $5; ib += $6; ob += $7 }
		END { print "in", ip, ib, "out", op, ob }' "$tmp/stats"
}

# kernel_of SERVICE: total less carried
kernel_of() {
	awk -v s="$1" '$1 " " $2 == s { print $4, $5 - $10, $6 - $11, $7 - $12, $8 - $13 }' "$tmp/stats"
}

# agree WHEN SERVICE NAME
agree() {
	is "$1, $2: as the client counted" "$(told "$2")" "$(sent "$3")"
	is "$1, $2: its servers together" "$(servers_of "$2")" "$(sent "$3")"
}

agree_all() {
	look
	agree "$1" "TCP $(vip 4 80)" tcp4
	agree "$1" "TCP $(vip 6 80)" tcp6
	agree "$1" "UDP $(vip 4 5353)" udp4
	agree "$1" "UDP $(vip 6 5353)" udp6
	agree "$1" "FWM $fwmark" mark
	agree "$1" "TCP $(vip 4 8080)" own
}

# traffic: the same for every service, so that a second round makes twice as much
traffic() {
	for f in 4 6; do
		get $f 3 >/dev/null
		is "IPv$f: a download comes whole" "$(download $f)" "$(md5sum <"$tmp/www/big")"
		is "IPv$f: UDP on one connection" "$(ask $f 30 5353 -s | tr ' ' '\n' | sort -u | wc -l)" 1
	done
	is "UDP by fwmark" "$(ask 4 20 $marked -s | wc -w)" 20
	is "the bpf engine" "$(get 4 3 8080)" "$1"
}

udp_service() {
	kipvs "$@" -s rr || bail "ipvsadm -A failed"
	shift
	for n in $servers; do
		kipvs -a "$1" "$2" -r "$(rip "$f" "$n" "$port")" -m || bail "ipvsadm -a failed"
	done
}

need nginx curl nft
ns_begin
ipvs_begin
servers='1 2'
two_armed
like "without an instance it says so" "$(ivb stats 2>&1)" 'is not up'
web
udp_named 5353
udp_named $marked
big_file "$(few 20 2)"
client_counts
kipvs --set 30 10 20
ok "the engine is on" follow --snat always
for f in 4 6; do
	kservice $f 80 rr
	port=5353
	udp_service -A -u "$(vip $f 5353)"
done
f=4 port=$marked
udp_service -A -f $fwmark
in_ns lb nft "add table ip pick; add chain ip pick pre { type filter hook prerouting priority -150; };
	add rule ip pick pre ip daddr $vip4 udp dport $marked meta mark set $fwmark"
service -t 4 8080 rr

traffic 'sv2 sv1 sv2'
# one that is still open
start hold cl socat "TCP:$(vip 4 80)" 'EXEC:sleep 1000'
hold=$started
agree_all "while they live"
is "the kernel's part is what the kernel says" "$(kernel_of "TCP $(vip 4 80)")" \
	"$(kipvs -Ln --stats --exact -t "$(vip 4 80)" | awk '$1 == "TCP" { print $3, $4, $5, $6, $7 }')"
within "eBPF carried most of the download" "$(carried "TCP $(vip 4 80)" | cut -d ' ' -f 5)" 20 100000
within "and of UDP" "$(carried "UDP $(vip 6 5353)" | cut -d ' ' -f 2)" 20 30
stop "$hold"
sleep 150
is "the connections have ended" "$(kconns)" ''
agree_all "when they have ended"
traffic 'sv1 sv2 sv1'
agree_all "with new ones beside them"

ivb stats --json >"$tmp/json"
ok "JSON has the same numbers" awk -v RS='' -v want="$(told "UDP $(vip 4 5353)")" '
	{ gsub(/[ \n]/, "") }
	match($0, /"protocol":"UDP","address":"10.0.0.80","port":5353,[^{]*/) {
		split(substr($0, RSTART, RLENGTH), w, /[:,]/)
		for (i in w)
			n[w[i]] = w[i + 1]
		got = "in " n["\"in_packets\""] " " n["\"in_bytes\""] " out " n["\"out_packets\""] " " n["\"out_bytes\""]
	}
	END { print "got", got, "want", want; exit got != want }' "$tmp/json"

# what a removed server has carried stays in its service
before=$(told "TCP $(vip 4 80)")
kipvs -d -t "$(vip 4 80)" -r "$(rip 4 1 80)"
look
is "a service keeps what a removed server got" "$(told "TCP $(vip 4 80)")" "$before"
like "which is shown" "$(cat "$tmp/stats")" '-> 10\.2\.1\.2:80 .* removed$'
kipvs -D -t "$(vip 4 80)"
kipvs -A -f 8 -s rr
kipvs -a -f 8 -r "$(rip 4 1 $marked)" -m
look
like "a removed service is shown" "$(cat "$tmp/stats")" '^TCP  10\.0\.0\.80:80 .* unlisted$'
like "and what one of two marks has sent to the same server" "$(cat "$tmp/stats")" \
	"^UDP  10\\.0\\.0\\.80:$marked .* unlisted\$"

# one client port, one server, two virtual addresses: its replies never reach the kernel
addrs lb lo $second/32
for v in $vip4 $second; do
	kipvs -A -t $v:81 -s rr
	kipvs -a -t $v:81 -r "$(rip 4 1 80)" -m
done
for v in $vip4 $second; do
	is "one client port for two virtual addresses: $v" \
		"$(in_ns cl curl -s --max-time $((5 * slow)) --local-port 33333 -H 'Connection: close' "http://$v:81/")" sv1
done
kipvs -A -t $second:0 -s rr -p 60
kipvs -a -t $second:0 -r "$(rip 4 1 0)" -m
is "a service of all ports" "$(in_ns cl curl -s --max-time $((5 * slow)) "http://$second:8080/?[1-4]" | uniq)" sv1
look
agree "two virtual addresses" "TCP $vip4:81" pair1
agree "two virtual addresses" "TCP $second:81" pair2
agree "all ports" "TCP $second:0" all
verify

done_testing
