#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every scheduler of the kernel's: it decides, and the engine follows. The same connections, with kernel IPVS
# alone and with us, go to the same servers; who answers is whom ipvsadm -Lnc names; eBPF carries the rest.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$(dirname "$0")/../lib/ipvs.sh"
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

ns_begin
ipvs_begin
two_armed
puppets 80
up='--snat always'
list='rr wrr lc wlc sed nq sh dh mh fo ovf lblc lblcr'
if modprobe ip_vs_twos 2>/dev/null; then
	list="$list twos"
fi

# who_of FAMILY FIRST LAST: the servers of these client ports, by ipvsadm -Lnc
who_of() {
	who=''
	kipvs -Lnc >"$tmp/lnc"
	i=$2
	while [ "$i" -le "$3" ]; do
		who="$who $(sed -n "s/.*:$i .* \[\?\(10\.2\.\|fd02:\)\([1-9]\)[.:].*/sv\2/p" "$tmp/lnc")"
		i=$((i + 1))
	done
	echo "${who# }"
}

# schedule FAMILY SCHEDULER VPORT: nine connections from nine addresses; every third stays open, so that the
# counts that some schedulers go by differ. (A port of its own: a server that comes back has its old counts.)
schedule() {
	v=$(vip "$1" "$3")
	kipvs -R <<-EOT
		-A -t $v -s $2
		-a -t $v -r $(rip "$1" 1 80) -m -w 1
		-a -t $v -r $(rip "$1" 2 80) -m -w 3
		-a -t $v -r $(rip "$1" 3 80) -m -w 2
	EOT
	answers='' asked=''
	for c in 1 2 3 4 5 6 7 8 9; do
		port=$(($3 * 10 + c))
		play tcp "$c" "$(vip "$1" | tr -d '[]')" "$3" "$(client "$1" $c)" "$port"
		play ask "$c"
		answers="$answers $said"
		play pace "$c" 3 0
		asked="$asked $said"
		[ $((c % 3)) = 0 ] || play rst "$c"
	done
	[ "$2" = twos ] || echo "answers:$answers"
	echo "asked on:$asked"
	[ "${answers# }" = "$(who_of "$1" $(($3 * 10 + 1)) $(($3 * 10 + 9)))" ] && echo "as ipvsadm -Lnc says"
	with_us "$2-$1"
	for c in 3 6 9; do
		play rst $c
	done
}

all() {
	vport=1000
	for s in $list; do
		vport=$((vport + 1))
		scenario "$s-4" schedule 4 "$s" $vport
	done
	for s in rr wlc mh; do
		vport=$((vport + 1))
		scenario "$s-6" schedule 6 "$s" $vport
	done
}

engines all
for s in $list; do
	report "$s-4" "$s: every connection is answered by the server that the kernel chose" '^as ipvsadm'
	report "$s-4" "$s: and answers on" '^asked on: 3 3 3 3 3 3 3 3 3$'
	compare "$s-4" "$s, IPv4"
	was_carried "$s-4" "$s, IPv4" 3 3
done
for s in rr wlc mh; do
	compare "$s-6" "$s, IPv6"
	was_carried "$s-6" "$s, IPv6" 3 3
done
[ -n "${IVB_KERNEL_ONLY:-}" ] || verify
done_testing
