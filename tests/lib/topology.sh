# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The networks that tests and the demo work in.
#
#   cl 10.1.0.2 ---- 10.1.0.1 lb 10.2.N.1 ---- 10.2.N.2 svN      (IPv6: fd01::2 fd01::1 fd02:N::1 fd02:N::2)
#                    VIP 10.0.0.80, fd00::80 on lb's lo
#   10.9.0.0/16 and fd09::/16 are routed to cl and nobody's: raw packets from there meet no socket of cl's.
# The servers have no route back to the client unless servers_route_back is called.
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh

vip4=10.0.0.80
vip6=fd00::80
servers='1 2 3'

# vip FAMILY [PORT]: as curl and adm write it
vip() {
	case $1 in
	4) echo "$vip4${2:+:$2}" ;;
	6) echo "[$vip6]${2:+:$2}" ;;
	esac
}

# rip FAMILY N [PORT]: server N; with a single one the test may set rip4 and rip6
rip() {
	case $1 in
	4) echo "${rip4:-10.2.$2.2}${3:+:$3}" ;;
	6) echo "${3:+[}${rip6:-fd02:$2::2}${3:+]:$3}" ;;
	esac
}

# nets [SHORT...]: namespaces lb (forwards, has the VIPs on lo), cl and svN; then the veth pairs of stdin.
nets() {
	ns_lb="$ns_lb lb"
	# shellcheck disable=SC2046,SC2086 # words
	ns_add lb cl $(printf ' sv%s' $servers) "$@"
	in_ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	wires
	dev_batch lo $vip4/32 $vip6/128 | ipb lb
}

# client_addrs CLIENTDEV DIRECTORDEV
client_addrs() {
	{
		dev_batch "$1" 10.1.0.2/24 fd01::2/64
		echo route add default via 10.1.0.1
		echo route add default via fd01::1
	} | ipb cl
	{
		dev_batch "$2" 10.1.0.1/24 fd01::1/64
		echo route add 10.9.0.0/16 via 10.1.0.2
		echo route add fd09::/16 via fd01::2
	} | ipb lb
}

# server_addrs N DIRECTORDEV: sv<N>'s addresses, and the director's on that device
server_addrs() {
	dev_batch eth0 "10.2.$1.2/24" "fd02:$1::2/64" | ipb "sv$1"
	dev_batch "$2" "10.2.$1.1/24" "fd02:$1::1/64" | ipb lb
}

# server_wires: the lines for wires
server_wires() {
	for n in $servers; do
		echo "lb s$n sv$n eth0"
	done
}

# Two arms: a device for the client and one for each server. Devices to attach: $devs
two_armed() {
	nets <<-EOT
		cl eth0 lb wan
		$(server_wires)
	EOT
	client_addrs eth0 wan
	devs=wan
	for n in $servers; do
		server_addrs "$n" "s$n"
		devs="$devs s$n"
	done
}

# servers_answer_directly: they have the IPv4 virtual address, keep quiet about it, and answer clients from it by a
# wire of their own, as direct routing and tunnels want it.
servers_answer_directly() {
	in_ns cl sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	for n in $servers; do
		echo "sv$n direct cl direct$n"
	done | wires
	for n in $servers; do
		dev_batch "direct$n" "10.8.$n.1/24" | ipb cl
		in_ns "sv$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.rp_filter=0
		{
			dev_batch lo $vip4/32
			dev_batch direct "10.8.$n.2/24"
			echo route add default via "10.8.$n.1" table 100
			echo rule add from $vip4 lookup 100
		} | ipb "sv$n"
	done
}

# Two arms, and sv1 behind a router: lb s1 10.2.1.1 -- 10.2.1.254 rt 10.3.0.1 -- 10.3.0.2 sv1
two_armed_router() {
	servers=1
	nets rt <<-EOT
		cl eth0 lb wan
		lb s1 rt up
		rt down sv1 eth0
	EOT
	client_addrs eth0 wan
	in_ns rt sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1
	{
		dev_batch up 10.2.1.254/24 fd02:1::fe/64
		dev_batch down 10.3.0.1/24 fd03::1/64
	} | ipb rt
	{
		dev_batch s1 10.2.1.1/24 fd02:1::1/64
		echo route add 10.3.0.0/24 via 10.2.1.254
		echo route add fd03::/64 via fd02:1::fe
	} | ipb lb
	{
		dev_batch eth0 10.3.0.2/24 fd03::2/64
		echo route add default via 10.3.0.1
		echo route add default via fd03::1
	} | ipb sv1
	devs='wan s1'
	rip4=10.3.0.2
	rip6=fd03::2
}

# bridge SHORT PORT...: br0 with these ports, all up
bridge() {
	bridge_ns=$1
	shift
	{
		echo link add br0 type bridge forward_delay 0
		echo link set dev br0 up
		for bridge_port; do
			echo link set dev "$bridge_port" master br0 up
		done
	} | ipb "$bridge_ns"
}

# The servers behind ports of a bridge of lb's; attached is the bridge.
two_armed_bridge() {
	nets <<-EOT
		cl eth0 lb wan
		$(server_wires)
	EOT
	client_addrs eth0 wan
	# shellcheck disable=SC2046,SC2086 # words
	bridge lb $(printf ' s%s' $servers)
	for n in $servers; do
		server_addrs "$n" br0
	done
	devs='wan br0'
}

# One arm: lb, the client and the servers on one switch; lb has a single device, eth0.
one_armed() {
	nets sw <<-EOT
		lb eth0 sw lb
		cl eth0 sw cl
		$(for n in $servers; do echo "sv$n eth0 sw sv$n"; done)
	EOT
	# shellcheck disable=SC2046,SC2086 # words
	bridge sw lb cl $(printf ' sv%s' $servers)
	client_addrs eth0 eth0
	for n in $servers; do
		server_addrs "$n" eth0
	done
	devs=eth0
}

# The client's side of lb is VLAN 10 on device `trunk`.
two_armed_vlan() {
	nets <<-EOT
		cl eth0 lb trunk
		$(server_wires)
	EOT
	printf '%s\n' 'link set dev eth0 up' 'link add link eth0 name v10 type vlan id 10' | ip -n "$(ns_name cl)" -batch - &&
		printf '%s\n' 'link set dev trunk up' 'link add link trunk name wan type vlan id 10' |
		ip -n "$(ns_name lb)" -batch - || return 1
	client_addrs v10 wan
	devs=wan
	for n in $servers; do
		server_addrs "$n" "s$n"
		devs="$devs s$n"
	done
}

# up [OPTION...]: the product, on all of $devs
up() {
	# shellcheck disable=SC2046,SC2086 # words
	ivb up $(few '' '--max-conns 8192 --max-conns6 8192') "$@" $devs
}

# For tests without SNAT: the way back to the client leads through the director.
servers_route_back() {
	for n in $servers; do
		printf 'route add default via %s\n' "10.2.$n.1" "fd02:$n::1" | ipb "sv$n"
	done
}
