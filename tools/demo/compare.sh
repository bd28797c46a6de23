# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same namespaces, the same servers, the same client: our address against another one that nftables
# serves with DNAT and masquerade, in turns. Client, servers and director share the processors, so the
# ratios say what a whole system gains, which is less than what the director alone does.
# shellcheck disable=SC2154 # from the other parts

nft_vip=10.0.0.90

nft_service() {
	addrs lb lo $nft_vip/32
	in_ns lb nft -f - <<-EOT
		table ip demo {
			chain in {
				type nat hook prerouting priority -100;
				ip daddr $nft_vip tcp dport 80 dnat to numgen inc mod 3 map {
					0 : 10.2.1.2, 1 : 10.2.2.2, 2 : 10.2.3.2
				}
			}
			chain out {
				type nat hook postrouting priority 100;
				ip daddr 10.2.0.0/16 masquerade
			}
		}
	EOT
}

# median FILE
median() {
	sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%d", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# ratio A B
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'
}

# contest TITLE [WRK OPTION...]: four rounds of one second each, in turns
contest() {
	contest_title=$1
	shift
	: >"$tmp/ours"
	: >"$tmp/nft"
	for _ in 1 2 3 4; do
		wrk_start 1 32 "http://$(vip 4)/" "$@"
		wrk_end
		echo "$wrk_rate" >>"$tmp/ours"
		wrk_start 1 32 "http://$nft_vip/" "$@"
		wrk_wait
		echo "$wrk_rate" >>"$tmp/nft"
		# conntrack's closed connections would fill its ports
		in_ns lb conntrack -F >/dev/null 2>&1
	done
	contest_ours=$(median "$tmp/ours")
	contest_nft=$(median "$tmp/nft")
	contest_ratio=$(ratio "$contest_ours" "$contest_nft")
	say "$(printf '%-24s %8d %8d   %s' "$contest_title" "$contest_ours" "$contest_nft" "$contest_ratio")"
	note "$contest_title, ipvs-bpf : nftables" "$contest_ratio"
}

compare() {
	section "Beside nftables DNAT + masquerade, in turns (medians of 4 rounds of 1 s)"
	nft_service || {
		say "this kernel has no nftables NAT: left out"
		return
	}
	for n in 1 2 3; do
		ivb adm -e -t "$(vip 4 80)" -r "10.2.$n.2:80" -m -w 1
	done
	say "$(printf '%-24s %8s %8s   %s' '' ipvs-bpf nftables ratio)"
	contest 'requests/s, kept alive'
	contest 'connections/s' -H 'Connection: close'
	in_ns lb nft delete table ip demo
}
