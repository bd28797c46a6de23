#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The schedulers that go by counts of connections, weights or hashes choose the same servers as kernel IPVS,
# connection by connection, while connections stay open, are closed, cut and expire, and servers come, go, change
# their weights and reach their limits.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"

# hold_begin FAMILY tcp|udp: who holds connections, one and the same to both engines
hold_begin() {
	mkfifo "$tmp/steps" "$tmp/said"
	case $1 in
	4) hold_vip=$vip4 ;;
	6) hold_vip=$vip6 ;;
	esac
	in_ns cl "$talk" hold "$2" "$hold_vip" "$sport" $kernel_port $ours_port <"$tmp/steps" >"$tmp/said" &
	hold_pid=$!
	exec 7>"$tmp/steps" 8<"$tmp/said"
	rm "$tmp/steps" "$tmp/said"
	sport=$((sport + 300))
}

hold_end() {
	exec 7>&- 8<&-
	wait $hold_pid
}

step() {
	echo "$1 $2" >&7
	read -r step_kernel <&8
	read -r step_ours <&8
}

# opens DESCRIPTION COUNT: that many more connections, which stay
opens() {
	step o "$2"
	is "$1" "$step_ours" "$step_kernel"
}

# counted: servers, weights and counts, without ports
counted() {
	kernel -Ln >"$tmp/kernel"
	ivb adm -Ln >"$tmp/ours" 2>/dev/null
	for counted_f in kernel ours; do
		sed -n "s/:500[12] / /gp" "$tmp/$counted_f" >"$tmp/$counted_f.counts"
	done
	is "$what: weights and counts" "$(cat "$tmp/ours.counts")" "$(cat "$tmp/kernel.counts")"
}

settle() {
	sleep 0.3
}

# counts_begin FAMILY SCHEDULER
counts_begin() {
	f=$1 what="IPv$1 $2"
	both "$f" -A -t V -s "$2"
	both "$f" -a -t V -r S1 -m -w 1
	both "$f" -a -t V -r S2 -m -w 3
	both "$f" -a -t V -r S3 -m -w 2
	hold_begin "$f" tcp
	opens "$what: at first" 11
	for i in 0 3 4 7; do
		step c $i
	done
	settle
	opens "$what: some were closed" 7
	for i in 1 5 9 10 12; do
		step r $i
	done
	settle
	opens "$what: some were cut" 6
}

counts_end() {
	counted
	life_ends
}

# Servers that come back would have their old connections, and the engines end those in different moments of a
# second.
life_ends() {
	hold_end
	both "$f" -D -t V
	sleep 125
}

# by_counts FAMILY SCHEDULER: a life, with what each scheduler treats in its own way
by_counts() {
	counts_begin "$@"
	counted
	both "$f" -a -t V -r S4 -m -w 2
	opens "$what: a server joins" 7
	both "$f" -e -t V -r S2 -m -w 0
	opens "$what: one has weight 0" 5
	both "$f" -e -t V -r S2 -m -w 5
	both "$f" -d -t V -r S3
	opens "$what: it has again, and one is removed" 8
	both "$f" -a -t V -r S3 -m -w 2
	opens "$what: and comes back with its connections" 5
	counted
	# those that were cut are gone after 10 s
	sleep 12
	opens "$what: those that were cut have expired" 9
	both "$f" -e -t V -r S1 -m -w 65535
	both "$f" -e -t V -r S2 -m -w 32768
	opens "$what: large weights" 8
	counts_end
}

# in_short FAMILY SCHEDULER
in_short() {
	counts_begin "$@"
	both "$f" -e -t V -r S1 -m -w 4
	both "$f" -e -t V -r S2 -m -w 0
	opens "$what: other weights" 7
	counts_end
}

# limits FAMILY SCHEDULER: upper and lower thresholds
limits() {
	f=$1 what="IPv$1 $2, limits"
	both "$f" -A -t V -s "$2"
	both "$f" -a -t V -r S1 -m -w 1 -x 3
	both "$f" -a -t V -r S2 -m -w 4 -x 8 -y 2
	both "$f" -a -t V -r S3 -m -w 2
	hold_begin "$f" tcp
	opens "$what: some are reached" 24
	counted
	both "$f" -e -t V -r S3 -m -w 2 -x 1
	opens "$what: all are" 3
	for i in $(seq 0 17); do
		step r "$i"
	done
	settle
	opens "$what: connections that were cut still count" 2
	sleep 12
	opens "$what: below the lower one, or three quarters" 6
	both "$f" -e -t V -r S1 -m -w 1
	both "$f" -e -t V -r S2 -m -w 3
	both "$f" -e -t V -r S3 -m -w 3
	opens "$what: there are none any more" 9
	counted
	life_ends
}

# by_hash FAMILY FLAGS SCHEDULER: FLAGS may be none. mh goes by the servers' ports as well: so both have the same
# ones, and the kernel is asked first, as replies would be taken for ours afterwards.
by_hash() {
	f=$1 what="IPv$1 $3 $2"
	case $2 in
	none) both "$f" -A -u V -s "$3" ;;
	*) both "$f" -A -u V -s "$3" -b "$2" ;;
	esac
	same "$what: without servers" "$f" udp 1
	both "$f" -a -u V -r K1 -m -w 3
	both "$f" -a -u V -r K2 -m -w 1
	both "$f" -a -u V -r K3 -m -w 0
	same "$what: three servers" "$f" udp 12
	both "$f" -e -u V -r K3 -m -w 70
	same "$what: weight 70 in place of 0" "$f" udp 12
	both "$f" -e -u V -r K1 -m -w 0
	same "$what: weight 0 in place of 3" "$f" udp 12
	both "$f" -d -u V -r K2
	same "$what: one is removed" "$f" udp 8
	both "$f" -D -u V
}

parity_begin 4
by_counts 4 wlc
limits 4 wrr
by_hash 4 none dh
by_hash 4 sh-port,sh-fallback sh
by_hash 6 mh-port mh
# each process that is started costs a guest a third of a second
if [ -z "${IVB_LONG:-}" ]; then
	for s in lc sed nq fo ovf lblc lblcr; do
		in_short 4 $s
	done
else
	for s in lc sed nq fo ovf lblc lblcr; do
		by_counts 4 $s
	done
	by_counts 6 wlc
	limits 4 rr
	limits 4 wlc
	by_hash 6 sh-port,sh-fallback sh
	by_hash 4 none sh
	by_hash 4 mh-port,mh-fallback mh
fi
reset
eq -A -t 10.0.0.80:80 -s sh -b sh-port,sh-fallback
eq -A -t 10.0.0.80:81 -s mh -b mh-port
eq -A -t 10.0.0.80:82 -s rr -b flag-1,flag-3
eq -A -t 10.0.0.80:83
eq -A -t 10.0.0.80:84 -s sh -b sh-port,mh-port
eq -A -t 10.0.0.80:84 -s mh -b no-port,mh-port
eq -A -t 10.0.0.80:84 -s mh -b ,mh-port,
eq -E -t 10.0.0.80:81 -s mh
eq -a -t 10.0.0.80:80 -r 10.2.1.2:80 -m -x 5 -y 6
eq -a -t 10.0.0.80:80 -r 10.2.1.2:80 -m -x 5 -y 5
eq -a -t 10.0.0.80:80 -r 10.2.1.3:80 -m -x five
eq -Ln
reset
verify
done_testing
