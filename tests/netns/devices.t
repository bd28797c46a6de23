#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices deleted, made anew under the same name, moved to another namespace: `status` tells, the others go on,
# `up` mends, `down` leaves nothing behind, not even on a device that has left.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
ok "up" up --snat always
service -t 4 80 rr

# our programs on a device's ingress; "none" where the kernel has no tcx and clsact says it
ours() {
	ours_rc=0
	ours_out=$(in_ns "$1" "$tooldir/watch" list "$2") || ours_rc=$?
	[ "$ours_rc" != 3 ] || ours_out=$(in_ns "$1" tc filter show dev "$2" ingress)
	echo "$ours_out" | grep -c tc_ingress
}

device() {
	ivb status | awk -v d="$1" '$1 == d'
}

is "attached" "$(ours lb wan) $(ours lb s3)" '1 1'
like "status shows it" "$(device s3)" '^ *s3 .*(tcx|clsact) +attached'

ipn lb link del dev s3
unlike "a deleted device is not shown as attached" "$(device s3)" ' attached'
like "but as gone" "$(ivb status)" 'gone|no longer exists|deleted'
like "clients reach the others, by a second SYN if need be" "$(tally "$(get 4 6)")" '^sv1=[0-9] sv2=[0-9]$'
ok "the server behind it is drained" ivb adm -e -t 10.0.0.80:80 -r 10.2.3.2:80 -m -w 0
is "now all requests are answered" "$(tally "$(get 4 4)")" 'sv1=2 sv2=2'

wire lb s3 sv3 eth0
server_addrs 3 s3
is "a new device of that name is not attached by itself" "$(ours lb s3)" 0
ivb adm -e -t 10.0.0.80:80 -r 10.2.3.2:80 -m -w 1
unlike "connections to it are not made: replies would go astray" "$(get 4 3)" sv3
ok "that is counted" test "$(counter dev_unattached)" -gt 0
ok "up with it" ivb up s3
is "attached again" "$(ours lb s3)" 1
is "all servers answer" "$(tally "$(get 4 6)")" 'sv1=2 sv2=2 sv3=2'
verify

ns_add far
ipn lb link set dev s2 netns "$(ns_name far)"
like "status tells that a device has left" "$(ivb status)" 'another network namespace|clsact gone'
like "the others go on" "$(tally "$(get 4 6)")" '^sv1=[0-9] sv3=[0-9]$'
verify
ipn far link set dev s2 netns "$(ns_name lb)"
dev_batch s2 10.2.2.1/24 fd02:2::1/64 | ipb lb
ok "it comes back, and up mends it" ivb up s2
is "all servers answer" "$(tally "$(get 4 6)")" 'sv1=2 sv2=2 sv3=2'
is "attached once" "$(ours lb s2)" 1

ok "down of one device" ivb down s1
is "detached there" "$(ours lb s1)" 0
is "attached elsewhere" "$(ours lb wan)" 1
ipn lb link set dev s2 netns "$(ns_name far)"
ok "down" ivb down
is "nothing is attached any more" "$(ours lb wan) $(ours lb s3)" '0 0'
is "nor on the device that has left" "$(ours far s2)" 0
nok "no pins are left" test -e "$(pinned)"
ok "down again is no harm" eval 'ivb down || [ $? = 1 ]'
ok "and up works again" ivb up wan s1 s3
verify

done_testing
