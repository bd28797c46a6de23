#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Settings of kernel IPVS (docs/ipvs-sysctls.md) that no scenario of follow.t plays: with the engine on they do
# what the kernel says they do.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$top/tests/lib/follow.sh"

# udp PORT: a UDP service with server 1
udp() {
	kipvs -R <<-EOT
		-A -u $vip4:$1 -s rr
		-a -u $vip4:$1 -r $(rip 4 1 80) -m
	EOT
}

# setting NAME: as it is now
setting() {
	in_ns lb sysctl -n "net.ipv4.vs.$1"
}

# raw PROTOCOL: from 10.9.0.1 to the service's address, what standard input has behind the IP header
raw() {
	in_ns cl socat -u - "IP4-SENDTO:$vip4:$1,bind=10.9.0.1"
}

# conns PROTOCOL PORT: the kernel's connections of that service
conns() {
	kconns | grep -c "^$1 .* $vip4:$2 "
}

# A client whose way to the director is a tunnel
tunnel_client() {
	modprobe ipip
	in_ns cl ip link add tun0 type ipip local 10.1.0.2 remote 10.1.0.1
	in_ns lb ip link add tun0 type ipip local 10.1.0.1 remote 10.1.0.2
	printf '%s\n' "link set dev tun0 up" "rule add from 10.9.0.9 lookup 102" "route add default dev tun0 table 102" | ipb cl
	echo "link set dev tun0 up" | ipb lb
	in_ns lb sysctl -qw net.ipv4.conf.tun0.rp_filter=0
}

# The mark that ignore_tunneled puts on the outer packet is taken off where the tunnel ends (skb_scrub_packet(), in
# stable kernels of spring 2025 and later): what was in it is looked at all the same.
ignore_tunneled() {
	tunnel_client
	for it in 0 1; do
		vs ignore_tunneled=$it
		play tcp 7 $vip4 80 10.9.0.9 706$it
		play pace 7 20 50
		is "ignore_tunneled=$it: a connection through a tunnel to the director" "$said" 20
		like "is kernel IPVS's" "$(conn_of 706$it)" '^ESTABLISHED '
		carried 706$it >"$tmp/carried.tunnel"
		was_carried tunnel "its replies" 0 10
		play rst 7
	done
	vs ignore_tunneled=0
	echo "rule del from 10.9.0.9 lookup 102" | ipb cl
	in_ns cl ip link del tun0
	in_ns lb ip link del tun0
	modprobe -r ipip
}

# copies PORT: the backup's
copies() {
	in_ns bk ipvsadm -Lnc | awk -v v="$vip4:$1" '$5 == v { n += $3 == "ESTABLISHED" } END { print n + 0 }'
}

# automatic defences: on while free pages are fewer than amemthresh, which then says how many packets go
amemthresh() {
	vs amemthresh=100000000 drop_packet=1
	sleep 2
	is "amemthresh: few pages are free, drop_packet=1 becomes" "$(setting drop_packet)" 2
	play pace 1 20 50
	is "what is established goes on" "$said" 20
	play tcp 2 $vip4 80 10.9.0.1 7002
	unlike "a new one does not come in" "$said" '^ok$'
	vs amemthresh=1024
	sleep 2
	is "amemthresh: enough are free, drop_packet becomes" "$(setting drop_packet)" 1
	vs drop_packet=0
	play tcp 2 $vip4 80 10.9.0.1 7003
	is "and new ones come in" "$said" ok
}

# A service by mark without a server; its addresses are delivered here, and one of them is not ours
cache_bypass() {
	in_ns lb nft -f - <<-EOT || bail "nft failed"
		table ip pick {
			chain pre {
				type filter hook prerouting priority mangle
				ip daddr $(rip 4 2) ip saddr 10.9.0.0/16 meta mark set 5
			}
		}
	EOT
	printf '%s\n' "rule add fwmark 5 lookup 100" "route add local 0.0.0.0/0 dev lo table 100" | ipb lb
	kipvs -A -f 5 -s rr
	play tcp 3 "$(rip 4 2)" 80 10.9.0.1 7011
	unlike "cache_bypass=0: no server, no connection" "$said" '^ok$'
	vs cache_bypass=1
	play tcp 3 "$(rip 4 2)" 80 10.9.0.1 7012
	play pace 3 20 50
	is "cache_bypass=1: the address itself answers" "$said" 20
	like "by a connection of the kernel's" "$(conn_of 7012)" '^ESTABLISHED 0\.0\.0\.0:0$'
	is "which is not carried" "$(carried 7012)" "0 0"
	play rst 3
	vs cache_bypass=0
	kipvs -D -f 5
	in_ns lb nft delete table ip pick
}

# The counters and rates are made by the estimator, of what the kernel sees
estimation() {
	like "est_nice, est_cpulist" "$(in_ns lb sysctl net.ipv4.vs.est_nice net.ipv4.vs.est_cpulist | tr '\n' ' ')" \
		'est_nice = 0 .*est_cpulist = '
	vs est_nice=5
	sleep 1
	like "est_nice=5: the estimator's" "$(ps -eo ni,comm | awk '$2 ~ /^ipvs-e:/ { printf "%d ", $1 }')" '(^| )5 '
	vs run_estimation=0
	udp 5001
	play udp 4 $vip4 5001 10.9.0.1 7021
	play pace 4 20 50
	sleep 4
	is "run_estimation=0: the kernel has counted nothing" \
		"$(kipvs -Ln --stats --exact -u $vip4:5001 | awk '$1 == "UDP" { print $3, $4, $5 }')" "0 0 0"
	carried 7021 >"$tmp/carried.estimation"
	was_carried estimation "and we have: packets" 10 10
	vs run_estimation=1
	sleep 4
	is "run_estimation=1: all of them together" "$(ivb stats | awk -v v="$vip4:5001" '$2 == v { print $5, $6 }')" "20 20"
}

# a packet of a server's without a connection, to a client that would answer
nat_icmp_send() {
	kipvs -A -u $vip4:5002 -s rr
	kipvs -a -u $vip4:5002 -r "$(rip 4 1 5002)" -m
	start named cl "$tooldir/udp" serve 5003 client
	wait_listen cl udp 5003
	for ni in 0 1; do
		vs nat_icmp_send=$ni
		echo x | in_ns sv1 socat -t 2 - "UDP4:10.1.0.2:5003,sourceport=5002" >"$tmp/nis.$ni" 2>&1
	done
	like "nat_icmp_send=0: it passes" "$(cat "$tmp/nis.0")" '^client'
	like "nat_icmp_send=1: port unreachable" "$(cat "$tmp/nis.1")" 'Connection refused'
	vs nat_icmp_send=0
}

# port unreachable about a datagram from the service, which nobody has asked for
schedule_icmp() {
	udp 5004
	for si in 0 1; do
		vs schedule_icmp=$si
		LC_ALL=C perl -e '
			my ($vip, $client) = map { pack "C4", split /\./ } @ARGV;
			my $udp = pack "n4", 5004, 7031, 8, 0;
			my $ip = pack "CCnnnCCna4a4", 0x45, 0, 28, 1, 0, 64, 17, 0, $vip, $client;
			my ($text, $sum) = (pack("CCnN", 3, 3, 0, 0) . $ip . $udp, 0);
			$sum += $_ for unpack "n*", $text;
			$sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
			substr $text, 2, 2, pack "n", ~$sum & 0xffff;
			print $text' $vip4 10.9.0.1 | raw 1
		sleep 0.5
		is "schedule_icmp=$si: connections that an error began" "$(conns UDP 5004)" $si
	done
	vs schedule_icmp=0
}

# a chunk of data from the middle of an association (whose checksum nobody here looks at)
sloppy_sctp() {
	kipvs -A --sctp-service $vip4:5006 -s rr
	kipvs -a --sctp-service $vip4:5006 -r "$(rip 4 1 80)" -m
	for ss in 0 1; do
		vs sloppy_sctp=$ss
		LC_ALL=C perl -e 'print pack "nnNN CCn N n2 N a4", 7041, 5006, 1, 0, 0, 3, 20, 1, 0, 0, 0, "data"' | raw 132
		sleep 0.5
		is "sloppy_sctp=$ss: associations" "$(conns SCTP 5006)" $ss
	done
	is "not carried" "$(carried 7041)" "0 0"
	vs sloppy_sctp=0
}

# sent DEV: packets by that device of the director's
sent() {
	in_ns lb awk -v d="$1:" '$1 == d { print $11 }' /proc/net/dev
}

# A second way to the clients, for what comes from the service's address
snat_reroute() {
	printf '%s\n' "rule add from $vip4 lookup 101" "route add 10.9.0.0/16 via 10.8.0.2 dev w2 table 101" | ipb lb
	for sr in 0 1; do
		vs snat_reroute=$sr
		play tcp 6 $vip4 80 10.9.0.1 705$sr
		before=$(sent w2)
		play pace 6 20 50
		is "snat_reroute=$sr: a connection" "$said" 20
		within "what is carried goes by the virtual address's rule" $(($(sent w2) - before)) 15 60
		carried 705$sr >"$tmp/carried.reroute"
		was_carried reroute "both ways" 10 10
		play rst 6
	done
	printf '%s\n' "rule del from $vip4 lookup 101" "route flush table 101" | ipb lb
}

# sync_conns PORT PACKETS [OPTION...]: a connection of so many packets, twenty a second; time for copies of it
sync_conns() {
	sc_p=$1 sc_n=$2
	shift 2
	kipvs -A -t "$vip4:$sc_p" -s rr "$@"
	kipvs -a -t "$vip4:$sc_p" -r "$(rip 4 1 80)" -m
	play tcp 5 $vip4 "$sc_p" 10.9.0.1 "$((2000 + sc_p))"
	play pace 5 "$sc_n" 50
	is "port $sc_p: a connection is served" "$said" "$sc_n"
	sleep 3
}

# told PORT: how often the backup has been told of the client's port PORT and the service's PORT - 2000
told() {
	awk '/^[ \t]*0x/ { $1 = ""; gsub(/ /, ""); printf "%s", $0; next } { print "" }' "$tmp/messages.log" |
		grep -o "$(printf '%04x%04x' "$1" $(($1 - 2000)))" | wc -l
}

# Repetitions come an eighth of sync_refresh_period apart, with the client's packets; carried ones are none
retries() {
	start messages bk tcpdump -i sync -Z root -nlx udp and dst portrange 8848-8849
	started_messages=$started
	wait_for 10 grep -q "listening on" "$tmp/messages.log" || bail "tcpdump: $(cat "$tmp/messages.log")"
	vs sync_retries=2 'sync_threshold=3 0'
	sync_conns 5014 120
	is "sync_retries=2: messages of a connection" "$(told 7014)" 3
	carried 7014 >"$tmp/carried.retries"
	was_carried retries "which is carried when the backup has been told so often" 10 10
	play rst 5
	stop "$started_messages"
	vs sync_retries=0 'sync_threshold=3 30'
}

syncing() {
	vs sync_ports=2 sync_qlen_max=64 sync_sock_size=65536 'sync_threshold=3 30'
	in_ns bk sysctl -qw net.ipv4.vs.sync_ports=2
	kipvs --start-daemon master --mcast-interface sync --syncid 7
	in_ns bk ipvsadm --start-daemon backup --mcast-interface sync --syncid 7
	is "sync_ports=2: the backup's sockets" "$(in_ns bk ss -lnu | grep -c ':884[89] ')" 2
	sync_conns 5010 20
	is "and the copies that came by them" "$(copies 5010)" 1
	carried 7010 >"$tmp/carried.sync"
	was_carried sync "a connection that the backup knows" 10 10
	play rst 5
	vs sync_persist_mode=1
	sync_conns 5011 20 -p 60
	is "sync_persist_mode=1: copies of a connection" "$(copies 5011)" 0
	is "of its template" "$(in_ns bk ipvsadm -Lnc | awk -v v="$vip4:5011" '$5 == v' | wc -l)" 1
	play rst 5
	vs sync_persist_mode=0
	vs sync_refresh_period=10
	sync_conns 5012 20
	is "sync_refresh_period=10: copies" "$(copies 5012)" 1
	carried 7012 >"$tmp/carried.refresh"
	was_carried refresh "a connection that is refreshed" 10 10
	play rst 5
	retries
	vs sync_refresh_period=0 sync_version=0
	sync_conns 5013 20
	is "sync_version=0: copies" "$(copies 5013)" 1
	carried 7013 >"$tmp/carried.version"
	was_carried version "a connection told of in the old form" 10 10
	play rst 5
	kipvs --stop-daemon master
	in_ns bk ipvsadm --stop-daemon backup
}

need nft perl socat ss tcpdump
ns_begin
ipvs_begin
servers='1 2'
two_armed
ns_add bk
wire lb sync bk sync
addrs lb sync 10.7.0.1/24
addrs bk sync 10.7.0.2/24
wire lb w2 cl w2
addrs lb w2 10.8.0.1/24
addrs cl w2 10.8.0.2/24
in_ns cl sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w2.rp_filter=0
devs="$devs w2"
puppets 80
vs run_estimation=1
ok "up" follow --snat always
one 80
play tcp 1 $vip4 80 10.9.0.1 7001
play pace 1 20 50
is "a connection" "$said" 20
carried 7001 >"$tmp/carried.first"
was_carried first "it is carried" 10 10
is "debug_level: this kernel has none" "$(ls /proc/sys/net/ipv4/vs/debug_level 2>/dev/null)" ""
amemthresh
cache_bypass
estimation
nat_icmp_send
schedule_icmp
sloppy_sctp
snat_reroute
ignore_tunneled
syncing
play pace 1 20 50
is "the first connection goes on" "$said" 20
verify
done_testing
