#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a guest: is everything there that the other guest tests stand on?
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# not ns_begin: these checks come before any that need the product
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap ns_end EXIT

case $(uname -r) in
6.1.*) kernel=6.1 ;;
6.12.*) kernel=6.12 ;;
7.3.*) kernel=7.3 ;;
*) kernel=unknown ;;
esac
is "a kernel of the series that was asked for" "$kernel" "${IVB_KERNEL:-6.1, 6.12 or 7.3}"

ok "the kernel's BTF is there" test -s /sys/kernel/btf/vmlinux
is "bpffs is mounted" "$(stat -f -c %T /sys/fs/bpf)" bpf_fs
ok "a BPF map can be pinned there" bpftool map create /sys/fs/bpf/smoke type array key 4 value 4 entries 1 name smoke
rm -f /sys/fs/bpf/smoke
is "ip is iproute2's, also under timeout" "$(timeout 5 ip -V | cut -d ' ' -f 1-2)" "ip utility,"

ok "ip_vs loads" modprobe ip_vs
ok "ip_vs has BTF" test -s /sys/kernel/btf/ip_vs
for s in rr wrr lc wlc sh mh dh sed nq fo ovf lblc lblcr; do
	ok "ipvsadm -A with scheduler $s" ipvsadm -A -u 192.0.2.1:53 -s $s
	ipvsadm -D -u 192.0.2.1:53
done
ipvsadm -A -t 192.0.2.1:80 -s wrr
ok "ipvsadm -a" ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.2:80 -m -w 3
is "ipvsadm -Ln lists it" "$(ipvsadm -Ln | awk '/->/ && /Masq/ { print $2, $3, $4 }')" "192.0.2.2:80 Masq 3"

[ "$kernel" = 6.1 ] || ok "ipvsadm -A with scheduler twos" ipvsadm -A -u 192.0.2.1:53 -s twos
ipvsadm -C

ns_add a b
wire a eth0 b eth0
addrs a eth0 198.51.100.1/24
addrs b eth0 198.51.100.2/24
ok "tc clsact" in_ns a tc qdisc add dev eth0 clsact
ok "nft" in_ns a nft add table inet smoke
ok "iptables" in_ns a iptables -t nat -A POSTROUTING -j MASQUERADE
nginx_on b
wait_listen b tcp 80
is "nginx and curl from one namespace to another" "$(in_ns a curl -s http://198.51.100.2/)" b
done_testing
