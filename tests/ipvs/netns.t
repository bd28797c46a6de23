#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Coming and going: connections from before `up`, `down` and `up` again, ip_vs unloaded and loaded, and the IPVS
# of another network namespace that has the very same addresses, ports and servers.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

[ -z "${IVB_KERNEL_ONLY:-}" ] || skip_all "there is nothing to compare here"
ns_begin
ipvs_begin
two_armed
puppets 80
kipvs --set 20 10 20
engine=engine

# says DESCRIPTION WANT COMMAND...: of the client
says() {
	says_what=$1 says_want=$2
	shift 2
	play "$@"
	is "$says_what" "$said" "$says_want"
}

# at_least DESCRIPTION IN OUT [PORT]: packets that eBPF has carried
at_least() {
	with_us now "${4:-}"
	was_carried now "$1" "$2" "$3"
}

one 80
says "a connection from before" ok tcp 1 $vip4 80 10.9.0.1 2001
says "whose client the server sees" "10.9.0.1 2001" ask 1 peer
ok "up --snat always" follow --snat always
says "it goes on" 50 pace 1 50 200
says "the server still sees the client" "10.9.0.1 2001" ask 1 peer
says "a new one" ok tcp 2 $vip4 80 10.9.0.1 2002
play ask 2 peer
like "is SNATed" "$said" '^10\.2\.1\.1 '
says "and goes on" 20 pace 2 20 50
at_least "the new one" 10 10 2002
verify

says "the new one ends" ok rst 2
ok "down" ivb down --force
says "the old one lives through down" 10 pace 1 10 100
ok "up --snat never" follow --snat never
says "and through up" 50 pace 1 50 200
says "with the same address" "10.9.0.1 2001" ask 1 peer
at_least "it is followed now" 10 10 2001
says "it ends" ok rst 1
verify

nok "ip_vs is in use while we are attached" modprobe -r ip_vs_rr ip_vs
ok "up --ipvs=no lets go" ivb up --ipvs=no --snat never $devs
kipvs -C
sleep 12
ok "ip_vs can be unloaded" wait_for 5 ip_vs_unload
nok "and is gone" test -e /proc/net/ip_vs
says "nobody is there" ECONNREFUSED tcp 1 $vip4 80 10.9.0.1 2003
verify
ok "it is loaded" modprobe ip_vs
kipvs --set 20 10 20
one 80
ok "up --ipvs" follow --snat always
# few ports, all of them found, and given again
ok "eight ports for SNAT" ivb up --snat-ports 30000-30007
for i in 1 2 3 4 5 6 7 8; do
	play tcp 1$i $vip4 80 10.9.0.1 210$i
	play ask 1$i
	is "connection $i finds one" "$said" sv1
done
is "each its own" "$(ivb conn | grep -o ':3000[0-7] ' | sort -u | wc -l)" 8
play tcp 19 $vip4 80 10.9.0.1 2109
unlike "the ninth connection has none" "$said" '^ok$'
within "which is counted" "$(counter no_port)" 1 100
says "the others go on" 20 pace 18 20 50
says "one ends" ok rst 11
# CLOSE lasts 10 seconds
sleep 12
says "then there is one again" ok tcp 20 $vip4 80 10.9.0.1 2110
for i in 12 13 14 15 16 17 18 19 20; do
	play rst $i
done
ok "all ports again" ivb up --snat-ports 1024-32767
verify

says "a connection" ok tcp 1 $vip4 80 10.9.0.1 2004
says "is served" 20 pace 1 20 50
at_least "and followed" 10 10 2004
verify

# The other's network: cx lx sx, addressed as cl lb sv1
ns_add cx lx sx
wires <<-EOT
	cx eth0 lx wan
	lx s1 sx eth0
EOT
{
	dev_batch eth0 10.1.0.2/24
	echo route add default via 10.1.0.1
	echo addr add 10.9.0.1/32 dev lo
} | ipb cx
{
	dev_batch wan 10.1.0.1/24
	dev_batch s1 10.2.1.1/24
	dev_batch lo $vip4/32
	echo route add 10.9.0.0/16 via 10.1.0.2
} | ipb lx
{
	dev_batch eth0 10.2.1.2/24
	echo route add default via 10.2.1.1
} | ipb sx
in_ns lx sysctl -qw net.ipv4.ip_forward=1
start puppet-sx sx "$tooldir/puppet" serve 80 sx
wait_listen sx tcp 80
in_ns lx ipvsadm -A -t $vip4:80 -s rr
in_ns lx ipvsadm -a -t $vip4:80 -r 10.2.1.2:80 -m
in_ns lx ipvsadm --set 20 10 20

player cx
says "in the other namespace: the same tuple" ok tcp 1 $vip4 80 10.9.0.1 2004
says "its own server answers" sx ask 1
says "and sees the client" "10.9.0.1 2004" ask 1 peer
says "its packets" 20 pace 1 20 50
is "we know one connection" "$(ivb conn | grep -c ':2004 ')" 1
with_us before 2004
says "more of them" 20 pace 1 20 50
with_us after 2004
is "are none of ours" "$(cat "$tmp/carried.after")" "$(cat "$tmp/carried.before")"
says "it is reset" ok rst 1
sleep 12
is "the kernel has let go of it" "$(in_ns lx ipvsadm -Lnc | grep -c ':2004 ')" 0
player_to cl
is "not of ours" "$(conn_of 2004)" "ESTABLISHED 10.2.1.2:80"
is "which we still know" "$(ivb conn | grep -c ':2004 ')" 1
with_us before 2004
says "and serve" 20 pace 1 20 50
with_us after 2004
nok "on the fast path" cmp "$tmp/carried.before" "$tmp/carried.after"
is "from the right server" "$(play ask 1 && echo "$said")" sv1
in_ns lx ipvsadm -C
says "the other's services may go" 10 pace 1 10 50
verify
done_testing
