#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Other programs on the same devices see every packet that we do not carry; frames to another MAC, to
# everybody, and tagged ones are not looked at.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
two_armed
servers_route_back
udp_named 7
udp_named 9
ok "up" up --snat always
service -u 4 7 rr
service -u 6 7 rr

# direct FAMILY COUNT PORT: past the VIP, by plain routing
direct() {
	in_ns cl "$tooldir/udp" ask -w $((2000 * slow)) -c "$2" "$(rip "$1" 1)" "$3" >/dev/null
}

watchers=''
watch_on behind clsact lb wan && watchers=behind
ok "a clsact filter on the same device" test -n "$watchers"
rc=0
watch_on tcx tcx lb wan || rc=$?
case $rc:$(cat "$tmp/tcx.log") in
*attached*) watchers="$watchers tcx" ;;
*) skip "this kernel has no tcx" "a second tcx program on the same device" ;;
esac

for w in $watchers; do
	for f in 4 6; do
		before=$(watched "$w" 9)
		ok "IPv$f: 5 datagrams by plain routing" direct $f 5 9
		is "IPv$f: $w sees each of them" "$(watched "$w" 9)" $((before + 5))
		before=$(watched "$w" 7)
		ok "IPv$f: 4 datagrams to a server's own address" direct $f 4 7
		is "IPv$f: $w sees them: the service is the VIP's" "$(watched "$w" 7)" $((before + 4))
		before=$(watched "$w" 7)
		is "IPv$f: 3 datagrams to the VIP" "$(ask $f 3 7)" 'sv3 sv2 sv1'
		is "IPv$f: $w does not see them, for they are carried" "$(watched "$w" 7)" "$before"
	done
	before=$(watched "$w" 0)
	ok "an echo request to the VIP is the stack's to answer" probe 10.9.0.1 $vip4 -p icmp
	is "$w sees it" "$(watched "$w" 0)" $((before + 1))
done

conns() {
	ivb adm -L -n -c | grep -c '10\.9\.'
}

# untouched DESCRIPTION MAC KEY [OPTION...]: a datagram to the service in a frame that is not for us
untouched() {
	what=$1
	frame_mac=$2
	key=$3
	shift 3
	before=$(watched behind "$key")
	nok "$what: not answered" in_ns cl "$tooldir/probe" -w $((200 * slow)) -p udp -d 7 "$@" eth0 \
		"$frame_mac" 10.9.0.9 $vip4
	is "$what: the filter behind sees it" "$(watched behind "$key")" $((before + 1))
	is "$what: no connection" "$(conns)" 0
}

untouched "another host's MAC" 02:00:00:00:00:99 7
untouched "broadcast" ff:ff:ff:ff:ff:ff 7
untouched "multicast" 01:00:5e:00:00:01 7
untouched "VLAN 10 on this device" "$(mac lb wan)" 1 -v 10
ok "while the same datagram to the director's MAC is answered" \
	probe 10.9.0.9 $vip4 -p udp -d 7
is "and is a connection" "$(conns)" 1

verify
ok "down" ivb down
for w in $watchers; do
	before=$(watched "$w" 9)
	ok "5 datagrams by plain routing" direct 4 5 9
	is "$w is still there after down" "$(watched "$w" 9)" $((before + 5))
done

done_testing
