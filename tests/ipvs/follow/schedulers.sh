# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every scheduler of the kernel's: it decides, and the engine follows. The same connections, with kernel IPVS
# alone and with us, go to the same servers; who answers is whom ipvsadm -Lnc names; eBPF carries the rest.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

schedulers_begin() {
	list='rr wrr lc wlc sed nq sh dh mh fo ovf lblc lblcr'
	if modprobe ip_vs_twos 2>/dev/null; then
		list="$list twos"
	fi
}

# who_of FIRST: the servers of nine client ports from FIRST on, by ipvsadm -Lnc
who_of() {
	kipvs -Lnc | awk -v first="$1" '
		{
			port = $4
			sub(/.*:/, "", port)
			if (port >= first && port < first + 9)
				who[port - first] = $6
		}
		END {
			for (i = 0; i < 9; i++) {
				sub(/^\[?(10\.2\.|fd02:)/, "", who[i])
				printf "%ssv%s", i ? " " : "", substr(who[i], 1, 1)
			}
		}'
}

# schedule FAMILY SCHEDULER N: nine connections from nine addresses; every third stays open, so that the counts
# that some schedulers go by differ. (Ports of its own, in each round: a server that comes back has its old counts.)
schedule() {
	vport=$((1000 + $3 + later)) sport=$((2000 + $3 * 10 + later))
	v=$(vip "$1" $vport)
	case $1 in
	4) to=$vip4 ;;
	6) to=$vip6 ;;
	esac
	kipvs -R <<-EOT
		-A -t $v -s $2
		-a -t $v -r $(rip "$1" 1 80) -m -w 1
		-a -t $v -r $(rip "$1" 2 80) -m -w 3
		-a -t $v -r $(rip "$1" 3 80) -m -w 2
	EOT
	answers='' asked=''
	for c in 1 2 3 4 5 6 7 8 9; do
		play tcp "$c" "$to" $vport "$(client "$1" $c)" $((sport + c))
		play ask "$c"
		answers="$answers $said"
		play pace "$c" 3 0
		asked="$asked $said"
		[ $((c % 3)) = 0 ] || play close "$c"
	done
	[ "$2" = twos ] || echo "answers:$answers"
	echo "asked on:$asked"
	[ "${answers# }" = "$(who_of $((sport + 1)))" ] && echo "as ipvsadm -Lnc says"
	with_us "$2-$1"
	for c in 3 6 9; do
		play close $c
	done
}

schedulers_play() {
	n=0
	for s in $list; do
		n=$((n + 1))
		scenario "$s-4" schedule 4 "$s" $n
	done
	for s in rr wlc mh; do
		n=$((n + 1))
		scenario "$s-6" schedule 6 "$s" $n
	done
}

schedulers_check() {
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
}
