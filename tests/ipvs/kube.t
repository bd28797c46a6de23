#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kube-proxy's layout in ipvs mode: how it works without us, then docs/kube-proxy.md's steps, as written.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"
# shellcheck source=tests/lib/kube.sh
. "$top/tests/lib/kube.sh"

ns_begin
ipvs_begin
need ipset conntrack
kube_node

# whom the servers see, case by case
is "pod to ClusterIP: the pod" "$(seen pc $web_ip:80 3)" "$pc $pc $pc"
is "node to ClusterIP: the node" "$(seen lb $web_ip:80 3)" "10.244.1.1 10.244.1.1 $node_ip"
is "outside to NodePort, policy Cluster: the node" "$(seen cl $node_ip:30080 3)" "10.244.1.1 10.244.1.1 $node_ip"
is "outside to ClusterIP: the node" "$(seen cl $web_ip:80 3)" "10.244.1.1 10.244.1.1 $node_ip"
is "outside to LoadBalancer: the node" "$(seen cl $lb_ip:80 3)" "10.244.1.1 10.244.1.1 $node_ip"
is "outside to NodePort, policy Local: the client" "$(seen cl $node_ip:30081 2)" "$client_ip $client_ip"
is "pod to itself: the node" "$(seen p1 $local_ip:80 2)" "10.244.1.1 $p1"
is "UDP" "$(in_ns pc "$libdir/udp" ask -c 2 -w 5000 $dns_ip 53 | sort | tr '\n' ' ')" "p1 r1 "
done_testing
