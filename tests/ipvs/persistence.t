#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Persistence with and without a netmask, services by firewall mark, quiescent and overloaded servers: who gets
# a connection is the kernel's business; ours is to carry it there.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

need iptables
ns_begin
ipvs_begin
two_armed
puppets 80 8080
up='--snat always'
# the first round's templates as well
pause=75

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
		-A -t $vip4:2001 -s rr -p 30
		$(servers_for "-t $vip4:2001" 80)
	EOT
	visits 2001 10.9.0.1:2011 10.9.0.2:2012 10.9.0.1:2013 10.9.0.3:2014 10.9.0.2:2015 10.9.0.1:2016
	templates
	with_us persistent
	# a template waits for its connections, then for its own time to end
	sleep 50
	templates
	leave 1 2 3 4 5 6
	sleep 50
	echo "in the end: $(templates)"
	visits 2001 10.9.0.1:2017 10.9.0.1:2018
	leave 1 2
}

netmask() {
	kipvs -R <<-EOT
		-A -t $vip4:2002 -s rr -p 30 -M 255.255.255.0
		$(servers_for "-t $vip4:2002" 80)
	EOT
	visits 2002 10.9.0.1:2021 10.9.0.2:2022 10.9.1.1:2023 10.9.0.3:2024 10.9.1.1:2025 10.1.0.2:2026
	templates
	with_us netmask
	leave 1 2 3 4 5 6
}

# both ports are one service
fwmark() {
	kipvs -R <<-EOT
		-A -f 7 -s rr -p 30
		$(servers_for '-f 7' 0)
	EOT
	visits 80 10.9.0.1:2031 10.9.0.2:2032 10.9.0.3:2033
	with_us fwmark
	leave 1 2 3
	visits 8080 10.9.0.3:2034 10.9.0.2:2035 10.9.0.1:2036
	templates
	with_us fwmark-8080
	leave 1 2 3
}

# quiescent 0|1: expire_quiescent_template
quiescent() {
	vs expire_quiescent_template="$1"
	kipvs -R <<-EOT
		-A -t $vip4:204$1 -s rr -p 30
		$(servers_for "-t $vip4:204$1" 80)
	EOT
	visits "204$1" 10.9.0.1:2041
	server_of 2041
	kipvs -e -t "$vip4:204$1" -r "$server_is" -m -w 0
	tell pace 1 3 0
	with_us "quiescent$1"
	visit 2 "204$1" 10.9.0.1 2042
	echo "then: $said"
	visit 3 "204$1" 10.9.0.1 2043
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
	visits 2005 10.9.0.1:2051 10.9.0.1:2052 10.9.0.1:2053
	server_of 2051
	kipvs -e -t "$vip4:2005" -r "$server_is" -m -w 0
	for i in 4 5 6 7; do
		visit $i 2005 10.9.0.1 "205$i"
		echo "new: $said"
	done
	tell pace 1 5 100
	with_us weight0 2051
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
	visits 2006 10.9.0.1:2061 10.9.0.1:2062 10.9.0.1:2063 10.9.0.1:2064 10.9.0.1:2065 10.9.0.1:2066 \
		10.9.0.1:2067
	act_inact
	with_us thresholds
	# below the lower threshold, once the kernel has let them go
	leave 1 4
	visit 7 2006 10.9.0.1 2068
	echo "too early: $said"
	sleep 12
	act_inact
	visit 7 2006 10.9.0.1 2069
	echo "one place is free: $said"
	leave 2 3 5 6 7
}

all() {
	scenario persistent persistent
	scenario netmask netmask
	scenario fwmark fwmark
	scenario quiescent0 quiescent 0
	scenario quiescent1 quiescent 1
	scenario weight0 weight0
	scenario thresholds thresholds
}

in_ns lb iptables -t mangle -A PREROUTING -d $vip4 -p tcp -m multiport --dports 80,8080 -j MARK --set-mark 7 ||
	bail "iptables failed"
engines all

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
[ -n "${IVB_KERNEL_ONLY:-}" ] || verify
done_testing
