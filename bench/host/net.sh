# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The benches' network: one client, one server, and between them a director for each variant, all side by side.
# Variant n has 10.1.n.0/24 (client .2), 10.9.n.1 (its service), 10.2.n.0/24 (servers .2 and .3).
# shellcheck disable=SC2034,SC2154 # for, and from, run.sh and tests/lib/netns.sh

variants=''
dests=16 # of the service on port 81: 16 times 64k ports, so that no bench comes near their end
scheduler=rr
weight=1
protocols='t u'
bench_pins=/sys/fs/bpf/ipvs-bpf

# director NAME N: a namespace lbN, wired up; neighbours are permanent, so none of them is probed.
director() {
	d_n=$2
	variants="$variants $1=/run/netns/$(ns_name "lb$d_n"):$d_n"
	ns_add "lb$d_n"
	wires <<-EOF
		lb$d_n dc cl c$d_n
		lb$d_n ds sv s$d_n
	EOF
	ipb "lb$d_n" <<-EOF
		link set dev lo up
		link set dev dc address 02:00:00:01:0$d_n:01 up
		link set dev ds address 02:00:00:02:0$d_n:01 up
		addr add 10.9.$d_n.1/32 dev lo
		addr add 10.1.$d_n.1/24 dev dc
		addr add 10.2.$d_n.1/24 dev ds
		neigh replace 10.1.$d_n.2 lladdr 02:00:00:01:0$d_n:02 dev dc nud permanent
		neigh replace 10.2.$d_n.2 lladdr 02:00:00:02:0$d_n:02 dev ds nud permanent
		neigh replace 10.2.$d_n.3 lladdr 02:00:00:02:0$d_n:02 dev ds nud permanent
		route add 10.100.0.0/16 via 10.1.$d_n.2
	EOF
	ipb cl <<-EOF
		link set dev c$d_n address 02:00:00:01:0$d_n:02 up
		addr add 10.1.$d_n.2/24 dev c$d_n
		neigh replace 10.1.$d_n.1 lladdr 02:00:00:01:0$d_n:01 dev c$d_n nud permanent
		route add 10.9.$d_n.1 via 10.1.$d_n.1
		route add 10.2.$d_n.0/24 via 10.1.$d_n.1
	EOF
	ipb sv <<-EOF
		link set dev s$d_n address 02:00:00:02:0$d_n:02 up
		addr add 10.2.$d_n.2/24 dev s$d_n
		addr add 10.2.$d_n.3/24 dev s$d_n
		neigh replace 10.2.$d_n.1 lladdr 02:00:00:02:0$d_n:01 dev s$d_n nud permanent
		route add 10.1.$d_n.0/24 via 10.2.$d_n.1
	EOF
	# TIME_WAIT at the server and timestamps of several clients behind one address: a reused port is refused
	for d_ns in "lb$d_n" cl sv; do
		in_ns "$d_ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0 net.ipv4.tcp_max_tw_buckets=0 \
			net.ipv4.ip_local_port_range='1024 65535'
	done
	for d_dev in dc ds; do
		in_ns "lb$d_n" sysctl -qw net.ipv4.conf.$d_dev.rp_filter=0
	done
}

# each_dest: "ADDRESS-END PORT" of the service on port 81
each_dest() {
	d_i=0
	while [ $d_i -lt $dests ]; do
		echo $((2 + d_i % 2)) $((80 + d_i / 2))
		d_i=$((d_i + 1))
	done
}

# with_ours N CONNS: eBPF carries, as the product sets it up
with_ours() {
	ns_lb="$ns_lb lb$1"
	# the whole range is SNAT's: no socket of the director's is looked for
	in_ns "lb$1" sysctl -qw net.ipv4.ip_local_reserved_ports=1024-65535
	half_open=''
	if "$ipvs_bpf" up --help | grep -q -e --max-half-open; then
		half_open="--max-half-open ${bench_half_open:-$(($2 / 2))}"
	fi
	# shellcheck disable=SC2086 # words
	ivb_in "lb$1" up --snat always --snat-ports 1024-65535 --max-conns "$2" $half_open dc ds >/dev/null 2>&1 ||
		bail "cannot set up ipvs-bpf"
	for o_proto in $protocols; do
		echo "-A -$o_proto 10.9.$1.1:80 -s rr"
		echo "-A -$o_proto 10.9.$1.1:81 -s $scheduler"
		for o_end in 2 3; do
			echo "-a -$o_proto 10.9.$1.1:80 -r 10.2.$1.$o_end:80 -m"
		done
		each_dest | sed "s/\(.*\) \(.*\)/-a -$o_proto 10.9.$1.1:81 -r 10.2.$1.\1:\2 -m -w $weight/"
	done | ivb_in "lb$1" adm -R || bail "cannot set up the services"
	variants=$variants:$(echo "$bench_pins/$(ns_name "lb$1")"/v*)
}

# with_nft N [masquerade]: conntrack translates. Checksums are taken for checked by the NIC, as ours does.
with_nft() {
	{
		echo "table ip lb {"
		echo " chain pre { type nat hook prerouting priority dstnat;"
		echo "  ip daddr 10.9.$1.1 meta l4proto { tcp, udp } th dport 80 dnat to numgen inc mod 2 map { 0 : 10.2.$1.2, 1 : 10.2.$1.3 }"
		echo "  ip daddr 10.9.$1.1 meta l4proto { tcp, udp } th dport 81 dnat ip to numgen inc mod $dests map {"
		each_dest | awk -v n="$1" '{ printf "%s %d : 10.2.%d.%d . %d", (NR > 1 ? "," : ""), NR - 1, n, $1, $2 }'
		echo "  }"
		echo " }"
		[ -z "${2:-}" ] || echo " chain post { type nat hook postrouting priority srcnat; oifname ds masquerade; }"
		echo "}"
	} | in_ns "lb$1" nft -f - || bail "cannot load the nftables rules"
	in_ns "lb$1" sysctl -qw net.netfilter.nf_conntrack_checksum=0
}

# ends: the namespaces of clients and servers
ends() {
	ns_add cl sv
	ipn cl link set dev lo up
	ipn sv link set dev lo up
}
