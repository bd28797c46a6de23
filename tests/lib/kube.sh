# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What kube-proxy in ipvs mode leaves on a node, made by hand: its dummy device, ipsets, chains, sysctls and
# IPVS services, with a bridge CNI's pods below. The names and rules are those of kube-proxy 1.34.
#
#   node lb  192.168.0.1   cni0 10.244.1.1/24: pods pc .9 (a client), p1 .2, p2 .3
#   node n2  192.168.0.2        10.244.2.1/24: pod r1 .2
#   cl       192.168.0.9   outside of the cluster; all three on one switch, sw
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh

pods_cidr=10.244.0.0/16
web_ip=10.96.0.80   # ClusterIP; NodePort 30080, externalTrafficPolicy Cluster
local_ip=10.96.0.81 # ClusterIP; NodePort 30081, externalTrafficPolicy Local
lb_ip=198.51.100.80 # web's LoadBalancer address
dns_ip=10.96.0.10   # ClusterIP of a UDP service
node_ip=192.168.0.1
client_ip=192.168.0.9
p1=10.244.1.2
p2=10.244.1.3
r1=10.244.2.2
pc=10.244.1.9

# pod NS ADDRESS: its own side
pod() {
	printf '%s\n' "link set dev eth0 up" "addr add $2/24 dev eth0" "route add default via ${2%.*}.1" | ipb "$1"
}

kube_net() {
	# else the module makes a device of its own when it is loaded
	modprobe dummy numdummies=0 2>/dev/null
	ns_lb="$ns_lb lb"
	ns_add lb n2 cl sw pc p1 p2 r1
	wires <<-EOT
		lb eth0 sw lb
		n2 eth0 sw n2
		cl eth0 sw cl
		lb vpc pc eth0
		lb vp1 p1 eth0
		lb vp2 p2 eth0
		n2 vr1 r1 eth0
	EOT
	bridge sw lb n2 cl
	{
		echo link add cni0 type bridge forward_delay 0
		dev_batch cni0 10.244.1.1/24
		for kn_port in vpc vp1 vp2; do
			# a pod must be able to reach itself through a service
			echo link set dev $kn_port master cni0 up
			echo link set dev $kn_port type bridge_slave hairpin on
		done
		dev_batch eth0 $node_ip/24
		echo route add 10.244.2.0/24 via 192.168.0.2
		# down, as kube-proxy leaves it
		echo link add kube-ipvs0 type dummy
		addr_batch kube-ipvs0 $web_ip/32 $local_ip/32 $lb_ip/32 $dns_ip/32
	} | ipb lb
	{
		dev_batch eth0 192.168.0.2/24
		dev_batch vr1 10.244.2.1/24
		echo route add 10.244.1.0/24 via $node_ip
	} | ipb n2
	{
		dev_batch eth0 $client_ip/24
		echo route add 10.96.0.0/16 via $node_ip
		echo route add $lb_ip/32 via $node_ip
	} | ipb cl
	pod pc $pc
	pod p1 $p1
	pod p2 $p2
	pod r1 $r1
	in_ns n2 sysctl -qw net.ipv4.ip_forward=1
	modprobe br_netfilter 2>/dev/null
	in_ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.bridge.bridge-nf-call-iptables=1 || bail "no br_netfilter"
	devs='eth0 cni0'
}

# kube_sets: with what kube-proxy has put in for the services below
kube_sets() {
	in_ns lb ipset restore <<-EOT
		$(printf 'create %s hash:ip,port\n' KUBE-CLUSTER-IP KUBE-EXTERNAL-IP KUBE-EXTERNAL-IP-LOCAL KUBE-LOAD-BALANCER \
			KUBE-LOAD-BALANCER-LOCAL)
		$(printf 'create %s bitmap:port range 0-65535\n' KUBE-NODE-PORT-TCP KUBE-NODE-PORT-LOCAL-TCP KUBE-NODE-PORT-UDP \
			KUBE-NODE-PORT-LOCAL-UDP KUBE-HEALTH-CHECK-NODE-PORT)
		create KUBE-LOOP-BACK hash:ip,port,ip
		create KUBE-IPVS-IPS hash:ip
		add KUBE-CLUSTER-IP $web_ip,tcp:80
		add KUBE-CLUSTER-IP $local_ip,tcp:80
		add KUBE-CLUSTER-IP $dns_ip,udp:53
		add KUBE-LOAD-BALANCER $lb_ip,tcp:80
		add KUBE-NODE-PORT-TCP 30080
		add KUBE-NODE-PORT-TCP 30081
		add KUBE-NODE-PORT-LOCAL-TCP 30081
		add KUBE-LOOP-BACK $p1,tcp:8080,$p1
		add KUBE-LOOP-BACK $p2,tcp:8080,$p2
		add KUBE-LOOP-BACK $p1,udp:53,$p1
		$(printf 'add KUBE-IPVS-IPS %s\n' $web_ip $local_ip $lb_ip $dns_ip)
	EOT
}

# kube_rules: kube-proxy's, with --cluster-cidr; and what stands beside them on a strict node: the masquerading
# of what leaves the cluster, a FORWARD that drops by default, and whatever conntrack calls invalid.
kube_rules() {
	in_ns lb iptables-restore <<-EOT
		*nat
		:KUBE-SERVICES - [0:0]
		:KUBE-POSTROUTING - [0:0]
		:KUBE-NODE-PORT - [0:0]
		:KUBE-LOAD-BALANCER - [0:0]
		:KUBE-MARK-MASQ - [0:0]
		-A PREROUTING -j KUBE-SERVICES
		-A OUTPUT -j KUBE-SERVICES
		-A POSTROUTING -j KUBE-POSTROUTING
		-A POSTROUTING -s $pods_cidr ! -d $pods_cidr -j MASQUERADE --random-fully
		-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN
		-A KUBE-POSTROUTING -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
		-A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER
		-A KUBE-LOAD-BALANCER -m set --match-set KUBE-LOAD-BALANCER-LOCAL dst,dst -j RETURN
		-A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-LOCAL-TCP dst -j RETURN
		-A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
		-A KUBE-NODE-PORT -p udp -m set --match-set KUBE-NODE-PORT-LOCAL-UDP dst -j RETURN
		-A KUBE-NODE-PORT -p udp -m set --match-set KUBE-NODE-PORT-UDP dst -j KUBE-MARK-MASQ
		-A KUBE-SERVICES ! -s $pods_cidr -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ
		-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
		-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ
		-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
		-A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT
		-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
		-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
		-A KUBE-POSTROUTING -j MASQUERADE --random-fully
		-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
		COMMIT
		*filter
		:FORWARD DROP [0:0]
		:KUBE-FORWARD - [0:0]
		:KUBE-NODE-PORT - [0:0]
		:KUBE-IPVS-FILTER - [0:0]
		-A FORWARD -m conntrack --ctstate INVALID -j DROP
		-A FORWARD -j KUBE-FORWARD
		-A FORWARD -s 10.244.1.0/24 -j ACCEPT
		-A FORWARD -d 10.244.1.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A INPUT -j KUBE-IPVS-FILTER
		-A INPUT -j KUBE-NODE-PORT
		-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
		-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A KUBE-NODE-PORT -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j ACCEPT
		-A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j RETURN
		-A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN
		-A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP dst,dst -j RETURN
		-A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -j RETURN
		-A KUBE-IPVS-FILTER -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j RETURN
		-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT
		COMMIT
	EOT
}

# restore_service -t|-u ADDRESS:PORT SERVER:PORT...: lines for ipvsadm -R
restore_service() {
	rs_p=$1 rs_v=$2
	shift 2
	echo "-A $rs_p $rs_v -s rr"
	for rs_r; do
		echo "-a $rs_p $rs_v -r $rs_r -m -w 1"
	done
}

# kube_services: as kube-proxy makes them; NodePorts on each of the node's addresses
kube_services() {
	# kube-proxy leaves conn_reuse_mode alone since Linux 5.9
	vs conntrack=1 expire_nodest_conn=1 expire_quiescent_template=1
	in_ns lb sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	for ks_v in $web_ip:80 $lb_ip:80 $node_ip:30080 10.244.1.1:30080; do
		restore_service -t $ks_v $p1:8080 $p2:8080 $r1:8080
	done >"$tmp/services"
	for ks_v in $local_ip:80 $node_ip:30081 10.244.1.1:30081; do
		restore_service -t $ks_v $p1:8080 $p2:8080
	done >>"$tmp/services"
	restore_service -u $dns_ip:53 $p1:53 $r1:53 >>"$tmp/services"
	kipvs -R <"$tmp/services"
}

# kube_node: all of it, with nginx in every serving pod and outside, and a UDP service in two pods
kube_node() {
	kube_net
	kube_sets || bail "ipset failed"
	kube_rules || bail "iptables-restore failed"
	kube_services || bail "ipvsadm -R failed"
	for kn_pod in p1 p2 r1 cl; do
		nginx_on $kn_pod
	done
	for kn_pod in p1 p2 r1 cl; do
		wait_listen $kn_pod tcp 8080
	done
	for kn_pod in p1 r1; do
		start "udp-$kn_pod" $kn_pod "$tooldir/udp" serve 53 $kn_pod
		wait_listen $kn_pod udp 53
	done
}

# seen FROM ADDRESS:PORT N: whom the servers see in N connections of that namespace's, sorted
seen() {
	in_ns "$1" curl -s --max-time $((5 * slow)) -H 'Connection: close' "http://$2/who?[1-$3]" | sort | tr '\n' ' ' |
		sed 's/ $//'
}

# steady NS ADDRESS:PORT N NAME [PATH]: N requests in one connection, one in three seconds; when the connection
# dies, curl goes on with another, which the server sees come from another port
steady() {
	start "steady-$4" "$1" curl -s --rate 20/m --max-time 30 -o "$tmp/seen-$4.#1" "http://$2/${5-port}?[1-$3]"
}

# steadied NAME: the answers, and how many of each
steadied() {
	cat "$tmp/seen-$1".* | sort | uniq -c | sed 's/^ *//'
}

# served NAME: how many answers, and in how many connections
served() {
	steadied "$1" | awk '{ n += $1 } END { print n + 0, "in", NR }'
}

# server_of CLIENT: of its established connection
server_of() {
	kconns | awk -v c="$1" '$3 == "ESTABLISHED" && index($4, c ":") == 1 { print $6 }'
}

# pod_of ADDRESS:PORT
pod_of() {
	case $1 in
	$p1:*) echo p1 ;;
	$p2:*) echo p2 ;;
	$r1:*) echo r1 ;;
	esac
}

# names FROM ADDRESS:PORT N: who answers
names() {
	in_ns "$1" curl -s --max-time $((5 * slow)) -H 'Connection: close' "http://$2/?[1-$3]" | tr '\n' ' '
}

# fast_of CLIENT SERVER in|out: packets that eBPF has carried of the busiest connection of these
fast_of() {
	ivb conn --json | tr -d ' \n' | sed 's/{"proto/\n&/g' | grep "$1" | grep "${2%:*}" |
		grep -o "\"$3\":{\"packets\":[0-9]*" | awk -F: '$3 > n { n = $3 } END { print n + 0 }'
}

# tracked EXPRESSION: conntrack entries of the node that match
tracked() {
	in_ns lb conntrack -L 2>/dev/null | grep -e "$1"
}

# docs/kube-proxy.md's one rule: what is not tracked is not ESTABLISHED either
untracked() {
	in_ns lb iptables "$1" FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT
}

# endpoint_add, endpoint_gone SERVICE SERVER: what kube-proxy does when a pod comes, and when it goes: no new
# connections first, and no server once there is none left (which it looks for once a minute)
endpoint_add() {
	kipvs -a -t "$1" -r "$2" -m -w 1
}

endpoint_quiet() {
	kipvs -e -t "$1" -r "$2" -m -w 0
}

endpoint_gone() {
	kipvs -d -t "$1" -r "$2"
}
