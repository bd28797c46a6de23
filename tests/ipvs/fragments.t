#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel IPVS decides, eBPF carries: datagrams in fragments, on the fast path and past kernel IPVS, which
# reassembles them and lets the kernel fragment them again.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

# ask FAMILY: a large question from one port, so that it is always the same connection.
ask() {
	case $1 in
	4) ask_vip=$vip4 ;;
	6) ask_vip=$vip6 ;;
	esac
	in_ns cl "$top/build/tests/tools/udp" ask -l 3000 -p 4000 -w $((1000 * slow)) "$ask_vip" 53
}

ns_begin
ipvs_begin
two_armed
udp_named 53
ok "the engine is on" follow --snat always
for f in 4 6; do
	v=$(vip $f 53)
	kipvs -A -u "$v" -s rr
	for n in $servers; do
		kipvs -a -u "$v" -r "$(rip $f "$n" 53)" -m
	done
	ok "IPv$f: the first question and its answer" ask $f
	# replies' first lease is a second, which they have not used
	sleep 2
	before=$(counter pass_kernel)
	ok "IPv$f: an answer that kernel IPVS sees" ask $f
	ok "IPv$f: it did see it" test "$(counter pass_kernel)" -gt "$before"
	before=$(counter pass_kernel)
	ok "IPv$f: an answer past kernel IPVS" ask $f
	is "IPv$f: it did not see it" "$(counter pass_kernel)" "$before"
done
is "nothing was dropped as unknown" "$(counter snat_unknown)" 0
verify

done_testing
