#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel IPVS decides, eBPF carries: HTTP through services of the kernel's, with SNAT and without.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl
ns_begin
ipvs_begin
two_armed
web
big_file "$(few 20 3)"
ok "the engine is on" follow --snat always
for f in 4 6; do
	kservice $f 80 rr
	is "IPv$f: the kernel's order" "$(get $f 6)" 'sv3 sv2 sv1 sv3 sv2 sv1'
	is "IPv$f: a download comes whole" "$(download $f)" "$(md5sum <"$tmp/www/big")"
	is "IPv$f: the server sees the director" "$(in_ns cl curl -s --max-time $((5 * slow)) "http://$(vip $f)/who" |
		grep -cE '^(10\.2\.[123]\.1|fd02:[123]::1)$')" 1
done
within "packets were carried from clients" "$(fast in)" 20 100000
within "and to them" "$(fast out)" 20 100000
verify

done_testing
