# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is compared: for each CONFIG a function set_up_CONFIG (the network, servers listening, the address that
# the client asks in $to) and prove_CONFIG: that the packets went the way that this one stands for.
# In function names - is _.
# shellcheck disable=SC2034,SC2154 # read by guest.sh; from tests/lib

port=8080
all_configs='direct null route ipvs-masq kube ipvs-noct ipvs-engine bpf-engine'
servers='1 2'

serve() {
	for n in $servers; do
		start "ops-sv$n" "sv$n" "$ops" serve $port
	done
	for n in $servers; do
		wait_listen "sv$n" tcp $port
	done
}

# As a network card's would hide what packets cost one by one. OFFLOADED: "NAMESPACE DEVICE" lines
no_offloads() {
	while read -r off_ns off_dev; do
		in_ns "$off_ns" ethtool -K "$off_dev" tso off gso off gro off tx off >/dev/null 2>&1 ||
			bail "ethtool: no offloads of $off_dev in $off_ns"
	done
}

# director [VIP]: client, director and servers; what is asked is the virtual service
director() {
	two_armed
	{
		printf '%s eth0\n' cl
		printf 'lb %s\n' $devs
		printf 'sv%s eth0\n' $servers
	} | no_offloads
	serve
	to=$vip4
}

# forwarded: IPv4 packets that the director's own stack has forwarded
forwarded() {
	in_ns lb cat /proc/net/snmp | awk '/^Ip: [0-9]/ { print $7 }'
}

# entered: packets that came in by the director's devices
entered() {
	in_ns lb cat /proc/net/dev | awk '/wan:|s[0-9]+:/ { sub(":", " "); n += $3 } END { print n + 0 }'
}

entries() {
	in_ns lb cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0
}

# rule TABLE CHAIN WORDS: packets that the first rule with these words has seen
rule() {
	in_ns lb iptables -t "$1" -nvxL "$2" | awk -v w="$3" 'index($0, w) { print $1; exit }'
}

at_least() {
	within "$config: $1" "$2" "$3" 1000000000
}

# kernel_balanced: each connection was kernel IPVS's
kernel_balanced() {
	at_least "connections of kernel IPVS" "$(kconns | wc -l)" "$connections"
}

# carried: what eBPF has carried, both ways, is nearly every packet of the pairs
carried() {
	at_least "packets that eBPF carried to the servers" "$(fast in)" "$pairs"
	at_least "packets that eBPF carried to the client" "$(fast out)" "$pairs"
	is "$config: entries of conntrack" "$(entries)" 0
	verify
}

set_up_direct() {
	ns_add cl sv1
	wire cl eth0 sv1 eth0
	addrs cl eth0 10.2.1.1/24
	addrs sv1 eth0 10.2.1.2/24
	printf '%s eth0\n' cl sv1 | no_offloads
	start ops-sv1 sv1 "$ops" serve $port
	wait_listen sv1 tcp $port
	to=10.2.1.2
}

prove_direct() {
	:
}

set_up_route() {
	director
	servers_route_back
	to=$(rip 4 1)
}

prove_route() {
	at_least "packets forwarded by the stack" "$(forwarded)" $((2 * (pairs + connections)))
}

set_up_null() {
	set_up_route
	start null lb "$null" wan s1 "$(mac sv1 eth0)" "$(mac lb s1)" s1 wan "$(mac cl eth0)" "$(mac lb wan)"
	wait_for 10 grep -q attached "$tmp/null.log" || bail "null: $(cat "$tmp/null.log")"
}

prove_null() {
	is "$config: packets forwarded by the stack" "$(forwarded)" 0
	at_least "packets that came" "$(entered)" $((2 * (pairs + connections)))
}

set_up_ipvs_masq() {
	director
	vs conntrack=1
	kservice 4 $port rr
	in_ns lb iptables -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL -j MASQUERADE ||
		bail "iptables failed"
}

prove_ipvs_masq() {
	kernel_balanced
	at_least "connections masqueraded" "$(rule nat POSTROUTING MASQUERADE)" "$connections"
	at_least "entries of conntrack" "$(entries)" "$connections"
}

set_up_kube() {
	director
	vs conntrack=1 expire_nodest_conn=1 expire_quiescent_template=1
	in_ns lb sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	printf '%s\n' "addr del $vip4/32 dev lo" 'link add kube-ipvs0 type dummy' "addr add $vip4/32 dev kube-ipvs0" | ipb lb
	kservice 4 $port rr
	in_ns lb ipset restore <<-EOT || bail "ipset failed"
		create KUBE-CLUSTER-IP hash:ip,port
		create KUBE-LOAD-BALANCER hash:ip,port
		create KUBE-LOAD-BALANCER-FW hash:ip,port
		create KUBE-LOOP-BACK hash:ip,port,ip
		create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
		create KUBE-IPVS-IPS hash:ip
		add KUBE-CLUSTER-IP $vip4,tcp:$port
		add KUBE-IPVS-IPS $vip4
		$(for n in $servers; do echo "add KUBE-LOOP-BACK $(rip 4 "$n"),tcp:$port,$(rip 4 "$n")"; done)
	EOT
	in_ns lb iptables-restore <"$top/bench/vm/kube.rules" || bail "iptables-restore failed"
}

prove_kube() {
	kernel_balanced
	at_least "connections masqueraded" "$(rule nat KUBE-POSTROUTING random-fully)" "$connections"
	at_least "replies that KUBE-FORWARD looked at" "$(rule filter FORWARD KUBE-FORWARD)" "$pairs"
}

set_up_ipvs_noct() {
	director
	servers_route_back
	vs conntrack=0
	kservice 4 $port rr
}

prove_ipvs_noct() {
	kernel_balanced
	is "$config: entries of conntrack" "$(entries)" 0
}

set_up_ipvs_engine() {
	director
	vs conntrack=0
	kservice 4 $port rr
	follow --snat always --max-conns 8192 --max-conns6 8192 >/dev/null || bail "ipvs-bpf up --ipvs failed"
}

prove_ipvs_engine() {
	kernel_balanced
	carried
}

set_up_bpf_engine() {
	director
	up --snat always >/dev/null || bail "ipvs-bpf up failed"
	service -t 4 $port rr || bail "ipvs-bpf adm failed"
}

prove_bpf_engine() {
	is "$config: connections of kernel IPVS" "$(kconns | wc -l)" 0
	is "$config: packets forwarded by the stack" "$(forwarded)" 0
	carried
}
