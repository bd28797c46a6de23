# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Persistence with and without a netmask, services by firewall mark, quiescent and overloaded servers: who gets
# a connection is the kernel's business; ours is to carry it there.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

# servers_for SERVICE PORT [OPTION...]: the lines for ipvsadm -R
servers_for() {
	sf_s=$1 sf_p=$2
	shift 2
	for n in $servers; do
		echo "-a $sf_s -r $(rip 4 "$n" "$sf_p") -m $*"
	done
}

templates() {
	kipvs -Lnc | awk '$4 ~ /:0$/ { print "template", $1, $4, $5, $6 }' | sort
}

# the address of the server that a client's port is connected to
server_of() {
	server_is=$(conn_of "$1")
	server_is=${server_is#* }
}

persistent() {
	kipvs -R <<-EOT
		-A -t $vip4:2001 -s rr -p 10
		$(servers_for "-t $vip4:2001" 80)
	EOT
	visits 2001 10.9.0.1:3011 10.9.0.2:3012 10.9.0.1:3013 10.9.0.3:3014 10.9.0.2:3015 10.9.0.1:3016
	templates
	with_us persistent 3011 3012 3013 3014 3015 3016
	# a template waits for its connections, a minute at a time, then for its own time to end
	sleep 15
	templates
	leave 1 2 3 4 5 6
	sleep 75
	echo "in the end: $(templates)"
	visits 2001 10.9.0.1:3017 10.9.0.1:3018
	leave 1 2
}

netmask() {
	kipvs -R <<-EOT
		-A -t $vip4:2002 -s rr -p 30 -M 255.255.255.0
		$(servers_for "-t $vip4:2002" 80)
	EOT
	visits 2002 10.9.0.1:3021 10.9.0.2:3022 10.9.1.1:3023 10.9.0.3:3024 10.9.1.1:3025 10.1.0.2:3026
	templates
	with_us netmask 3021 3022 3023 3024 3025 3026
	leave 1 2 3 4 5 6
}

# both ports are one service
fwmark() {
	kipvs -R <<-EOT
		-A -f 7 -s rr -p 30
		$(servers_for '-f 7' 0)
	EOT
	in_ns lb iptables -t mangle -A PREROUTING -d $vip4 -p tcp -m multiport --dports 80,8080 -j MARK --set-mark 7 ||
		echo "no mark"
	visits 80 10.9.0.1:3031 10.9.0.2:3032 10.9.0.3:3033
	with_us fwmark 3031 3032 3033
	leave 1 2 3
	visits 8080 10.9.0.3:3034 10.9.0.2:3035 10.9.0.1:3036
	templates
	with_us fwmark-8080 3034 3035 3036
	leave 1 2 3
	in_ns lb iptables -t mangle -F PREROUTING
}

# quiescent 0|1: expire_quiescent_template
quiescent() {
	vs expire_quiescent_template="$1"
	kipvs -R <<-EOT
		-A -t $vip4:204$1 -s rr -p 30
		$(servers_for "-t $vip4:204$1" 80)
	EOT
	visits "204$1" 10.9.0.1:3041
	server_of 3041
	kipvs -e -t "$vip4:204$1" -r "$server_is" -m -w 0
	tell pace 1 3 0
	with_us "quiescent$1" 3041
	visit 2 "204$1" 10.9.0.1 3042
	echo "then: $said"
	visit 3 "204$1" 10.9.0.1 3043
	echo "then: $said"
	tell pace 1 3 0
	leave 1 2 3
	vs expire_quiescent_template=0
}

weight0() {
	kipvs -R <<-EOT
		-A -t $vip4:2005 -s rr
		$(servers_for "-t $vip4:2005" 80)
	EOT
	visits 2005 10.9.0.1:3051 10.9.0.1:3052 10.9.0.1:3053
	server_of 3051
	kipvs -e -t "$vip4:2005" -r "$server_is" -m -w 0
	for i in 4 5 6 7; do
		visit $i 2005 10.9.0.1 "305$i"
		echo "new: $said"
	done
	tell pace 1 5 100
	with_us weight0 3051
	leave 1
	tell pace 2 3 0
	act_inact
	leave 2 3 4 5 6 7
}

thresholds() {
	kipvs -R <<-EOT
		-A -t $vip4:2006 -s rr
		$(servers_for "-t $vip4:2006" 80 -x 2 -y 1)
	EOT
	visits 2006 10.9.0.1:3061 10.9.0.1:3062 10.9.0.1:3063 10.9.0.1:3064 10.9.0.1:3065 10.9.0.1:3066 \
		10.9.0.1:3067
	act_inact
	with_us thresholds 3061 3062 3063 3064 3065 3066
	# below the lower threshold, once the kernel has let them go
	leave 1 4
	visit 7 2006 10.9.0.1 3068
	echo "too early: $said"
	sleep 12
	act_inact
	visit 7 2006 10.9.0.1 3069
	echo "one place is free: $said"
	leave 2 3 5 6 7
}

persistence_play() {
	kipvs --set 900 120 300
	scenario persistent persistent
	scenario netmask netmask
	scenario fwmark fwmark
	scenario quiescent0 quiescent 0
	scenario quiescent1 quiescent 1
	scenario weight0 weight0
	scenario thresholds thresholds
	kipvs --set 20 10 20
}

persistence_check() {

	report persistent "a persistent client stays with its server" '^visits: sv3 sv2 sv3 sv1 sv2 sv3$'
	report persistent "the templates end in time" '^in the end: $'
	compare persistent "persistence"
	was_carried persistent "persistent connections" 6 6
	report netmask "so does a network with -M" '^visits: sv3 sv3 sv2 sv3 sv2 sv1$'
	compare netmask "persistence with a netmask"
	was_carried netmask "connections of such a network" 6 6
	report fwmark "a firewall mark makes one service of two ports" '^visits: sv1 sv2 sv3$'
	compare fwmark "a service by firewall mark"
	was_carried fwmark "its connections" 3 3
	was_carried fwmark-8080 "those of its second port" 3 3
	for q in 0 1; do
		report quiescent$q "expire_quiescent_template=$q: the old connection goes on" '^pace 1 3 0: 3$'
		compare quiescent$q "expire_quiescent_template=$q"
		was_carried quiescent$q "a connection of a quiescent server" 3 3
	done
	unlike "a server of weight 0 gets no new connection" "$(cat "$tmp/weight0.kernel")" '^new: sv3'
	compare weight0 "a server of weight 0"
	was_carried weight0 "its old connection" 5 5
	report thresholds "a seventh connection is one too many" ' ECONNREFUSED$'
	compare thresholds "thresholds"
	was_carried thresholds "connections up to the threshold" 6 6
}
