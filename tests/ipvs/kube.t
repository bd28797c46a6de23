#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kube-proxy's layout in ipvs mode: how it works without us, then docs/kube-proxy.md's steps, as written.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/kube.sh
. "$top/tests/lib/kube.sh"

# the node's addresses and ours, as the servers see them in three connections
by_node="10.244.1.1 10.244.1.1 $node_ip"
snat=10.244.1.254
by_us="$snat $snat $snat"
any_server="\($p1\|$p2\|$r1\)"

# everyone WHAT OUTSIDE HAIRPIN: whom the servers see of clients from outside, and of a pod that is its own
# server every other time
everyone() {
	is "$1: pod to ClusterIP, the pod is seen" "$(seen pc $web_ip:80 3)" "$pc $pc $pc"
	is "$1: node to ClusterIP, the node" "$(seen lb $web_ip:80 3)" "$by_node"
	is "$1: outside to NodePort, policy Cluster, the node" "$(seen cl $node_ip:30080 3)" "$2"
	is "$1: outside to ClusterIP, the node" "$(seen cl $web_ip:80 3)" "$2"
	is "$1: outside to LoadBalancer, the node" "$(seen cl $lb_ip:80 3)" "$2"
	is "$1: outside to NodePort, policy Local, the client" "$(seen cl $node_ip:30081 2)" "$client_ip $client_ip"
	is "$1: pod to itself, the node" "$(seen p1 $local_ip:80 2)" "$3"
	is "$1: UDP" "$(in_ns pc "$tooldir/udp" ask -c 2 -w 5000 $dns_ip 53 | sort | tr '\n' ' ')" "p1 r1 "
}

# entries_from ADDRESS [MORE]: conntrack's that a packet from there has made; both are basic regular expressions
entries_from() {
	tracked "^[a-z]* *[0-9]* [0-9]* [A-Z_]* *src=$1 ${2-}"
}

ns_begin
ipvs_begin
need ipset conntrack
kube_node
everyone "kernel alone" "$by_node" "10.244.1.1 $p1"
steady n2 $node_ip:30080 15 old

# step by step
addrs lb cni0 $snat/32
# shellcheck disable=SC2046 # words
ok "untracked packets are forwarded" untracked -A
ok "up" follow --notrack --snat auto --snat-addr $snat --non-masq $pods_cidr
like "status tells of the rules" "$(ivb status)" '^notrack: on, by'
# but not the entry of the connection that goes on
in_ns lb sh -c "conntrack -D -p tcp --state TIME_WAIT; conntrack -D -p udp" >/dev/null 2>&1
everyone accelerated "$by_us" "$p1 $snat"
is "no conntrack entries of pods' connections" "$(entries_from "$pc")" ""
is "nor of connections from outside" "$(entries_from "$client_ip" ".*dport=\(30080\|80\) ")" ""
is "nor of replies" "$(entries_from "$any_server")" ""
like "but of policy Local" "$(entries_from "$client_ip" ".*dport=30081")" .
like "and of the node's" "$(entries_from "$web_ip")" .

# a service that comes after `up`, and goes: known without a process of ours. Nobody else would translate its clients
services_known() {
	bpftool map dump pinned "$(pinned)/kernel_services" | grep -c '"port": 20480'
}
known=$(services_known)
restore_service -t $dns_ip:80 $p1:8080 $r1:8080 | kipvs -R
is "a later service: outside, our address" "$(seen cl $dns_ip:80 2)" "$snat $snat"
is "no conntrack entries" "$(entries_from "$client_ip" ".*dst=$dns_ip ")" ""
is "it is known" "$(services_known)" $((known + 1))
kipvs -D -t $dns_ip:80
is "until it goes" "$(services_known)" "$known"

# somebody takes the rules away
in_ns lb nft delete table ip ipvs-bpf
like "status tells that rules are gone" "$(ivb status)" '^notrack: on, BUT ITS RULES ARE GONE'
ok "up makes them again" ivb up
like "as status tells" "$(ivb status)" '^notrack: on, by'

# pods' other traffic
is "pod to pod" "$(seen pc $p1:8080 1) $(seen pc $r1:8080 1)" "$pc $pc"
like "tracked, on the same node" "$(entries_from "$pc" ".*dst=$p1 .*ASSURED")" .
like "tracked, on another" "$(entries_from "$pc" ".*dst=$r1 .*ASSURED")" .
is "pod to the outside, by way of the node" "$(seen pc $client_ip:8080 1)" "$node_ip"

# through two leases, while the endpoints change
steady pc $web_ip:80 15 pod
steady cl $node_ip:30080 15 outside
sleep 5
quiet_pod=$(server_of $pc)
quiet_cl=$(server_of $client_ip)
endpoint_quiet $web_ip:80 "$quiet_pod"
endpoint_quiet $node_ip:30080 "$quiet_cl"
unlike "new connections avoid what has become quiet" "$(names pc $web_ip:80 4)" "$(pod_of "$quiet_pod")"
sleep 60
is "a connection from before goes on as it was" "$(served old)" "15 in 1"
is "a pod's, whose server has become quiet" "$(served pod)" "15 in 1"
is "one from outside" "$(served outside)" "15 in 1"
within "all but some of their packets are carried by eBPF, in" "$(fast_of $pc $quiet_pod in)" 26 40
within "and out" "$(fast_of $client_ip $quiet_cl out)" 14 40
is "no conntrack entries of theirs" "$(entries_from "\($pc\|$client_ip\)" ".*dport=\(30080\|80\) ")" ""
is "nor of their replies" "$(entries_from "$any_server")" ""
verify
endpoint_gone $node_ip:30080 "$quiet_cl"
endpoint_add $node_ip:30080 "$quiet_cl"
like "an endpoint comes back" "$(names cl $node_ip:30080 3)" "$(pod_of "$quiet_cl")"

# a pod that is gone at once
steady cl $node_ip:30080 12 cut ''
sleep 5
gone=$(server_of $client_ip)
endpoint_gone $node_ip:30080 "$gone"

# and back, with connections that end by themselves
steady cl $web_ip:80 8 last
sleep 5
start drain lb "$ipvs_bpf" --netns "$(ns_name lb)" down --drain
drain=$started
ok "down --drain waits" wait_for 10 grep -q 'waiting for' "$tmp/drain.log"
is "drained: new connections are the kernel's" "$(seen cl $lb_ip:80 3)" "$by_node"
like "tracked" "$(entries_from "$client_ip" ".*dst=$lb_ip")" .
sleep 30
is "the last of ours has ended as it began" "$(served last)" "8 in 1"
like "the pod that went had two requests" "$(steadied cut)" "^2 $(pod_of "$gone")"
like "and others the rest" "$(served cut)" "^12 in [23]$"
unlike "kernel IPVS has let go of the connection" "$(kconns)" "ESTABLISHED.*$gone"
wait "$drain"
is "down --drain has ended" $? 0
is "and its rules with it" "$(in_ns lb nft list tables | grep ipvs-bpf)" ""
ok "the last rule taken away" untracked -D
kipvs -C
kube_services
is "as at first: pod to ClusterIP" "$(seen pc $web_ip:80 3)" "$pc $pc $pc"
is "as at first: outside to NodePort" "$(seen cl $node_ip:30080 3)" "$by_node"
done_testing
