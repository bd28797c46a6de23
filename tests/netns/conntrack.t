#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where conntrack is active on the director, what we carry makes no entry in it, and what we do not carry does.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl nft conntrack
ns_begin
two_armed
web
udp_named 7
# a firewall that looks at connections, and would not let ours through
in_ns lb nft -f - <<-EOT || skip_all "this kernel has no nftables with conntrack"
	table inet fw {
		chain forward {
			type filter hook forward priority 0; policy accept;
			ct state established accept
			ip daddr 10.2.0.0/16 drop
		}
		chain input {
			type filter hook input priority 0; policy accept;
			ct state new counter
		}
	}
EOT

entries() {
	in_ns lb conntrack -L 2>/dev/null
	in_ns lb conntrack -L -f ipv6 2>/dev/null
}

ok "up" up --snat always
for f in 4 6; do
	service -t $f 80 rr
	service -u $f 7 rr
	is "IPv$f: HTTP" "$(get $f 3)" 'sv3 sv2 sv1'
	is "IPv$f: UDP" "$(ask $f 3 7)" 'sv3 sv2 sv1'
done
is "no conntrack entry speaks of a VIP or a server" \
	"$(entries | grep -E '10\.0\.0\.80|fd00::80|10\.2\.|fd02:')" ''

ok "a connection that is the director's own" probe 10.1.0.2 10.1.0.1 -p icmp
like "is seen by conntrack" "$(entries)" 'icmp .*src=10\.1\.0\.2 dst=10\.1\.0\.1'
verify

done_testing
