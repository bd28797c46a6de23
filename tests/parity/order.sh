#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# rr and wrr choose the same servers in the same order as kernel IPVS, connection by connection, through
# every kind of change between connections.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"

# fill FAMILY -t|-u SCHEDULER WEIGHT...: a service with a server for each weight
fill() {
	fill_f=$1 fill_p=$2 fill_s=$3
	shift 3
	both "$fill_f" -A "$fill_p" V -s "$fill_s"
	n=0
	for w; do
		n=$((n + 1))
		both "$fill_f" -a "$fill_p" V -r S$n -m -w "$w"
	done
}

proto() {
	case $1 in
	-t) echo tcp ;;
	-u) echo udp ;;
	esac
}

# fixed FAMILY -t|-u SCHEDULER: the changes that the kernel's sources treat each in its own way
fixed() {
	f=$1 p=$2 s=$3 l=$(proto "$2")
	what="IPv$1 $l $3"
	fill "$f" "$p" "$s" 1 1 1
	same "$what: equal weights" "$f" "$l" 7
	both "$f" -a "$p" V -r S4 -m
	same "$what: a server joins in mid-turn" "$f" "$l" 6
	both "$f" -e "$p" V -r S2 -m -w 0
	same "$what: one gets weight 0" "$f" "$l" 5
	both "$f" -e "$p" V -r S2 -m -w 3
	same "$what: and weight 3" "$f" "$l" 9
	both "$f" -d "$p" V -r S3
	same "$what: one is removed" "$f" "$l" 5
	both "$f" -a "$p" V -r S3 -m -w 2
	same "$what: and comes back" "$f" "$l" 8
	for n in 1 2 3 4; do
		both "$f" -e "$p" V -r S$n -m -w 0
	done
	same "$what: nobody has weight" "$f" "$l" 2
	both "$f" -e "$p" V -r S4 -m -w 1
	same "$what: one has again" "$f" "$l" 3
	both "$f" -D "$p" V
	fill "$f" "$p" "$s" 100 50 10
	same "$what: weights with a common divisor" "$f" "$l" 20
	both "$f" -D "$p" V
	fill "$f" "$p" "$s" 7 3 5 1
	same "$what: weights without one" "$f" "$l" 19
	both "$f" -E "$p" V -s "$s"
	same "$what: the service is edited, nothing changed" "$f" "$l" 5
	both "$f" -D "$p" V
	fill "$f" "$p" "$s" 65535 1 32768
	same "$what: large weights" "$f" "$l" 12
	both "$f" -D "$p" V
}

# steps SEED COUNT: a reproducible series of changes, a line each; the services start with no server.
steps() {
	awk -v seed="$1" -v count="$2" -v servers="${servers##* }" 'BEGIN {
		srand(seed)
		while (count-- > 0) {
			n = 1 + int(rand() * 5)
			w = rand() < 0.2 ? 0 : 1 + int(rand() * (rand() < 0.3 ? 100 : 5))
			if (!(n in has)) {
				print "-a V -r S" n " -m -w " w
				has[n] = 1
			} else if (rand() < 0.3) {
				print "-d V -r S" n
				delete has[n]
			} else {
				print "-e V -r S" n " -m -w " w
			}
		}
	}'
}

# series FAMILY -t|-u SCHEDULER SEED COUNT
series() {
	f=$1 p=$2 s=$3 l=$(proto "$2")
	both "$f" -A "$p" V -s "$s"
	steps "$4" "$5" >"$tmp/steps"
	i=0
	while read -r command rest; do
		i=$((i + 1))
		# shellcheck disable=SC2086 # words
		both "$f" "$command" "$p" $rest
		same "IPv$f $l $s, series $4, step $i: $command $rest" "$f" "$l" $((1 + i * 7 % 10))
	done <"$tmp/steps"
	both "$f" -D "$p" V
}

parity_begin 5
for s in rr wrr; do
	fixed 4 -u "$s"
	series 4 -u "$s" 1 12
	series 6 -t "$s" 2 8
done
# a change of scheduler starts afresh
fill 4 -u rr 1 2 3
same "rr before the change" 4 udp 4
both 4 -E -u V -s wrr
same "rr becomes wrr" 4 udp 9
both 4 -E -u V -s rr
same "wrr becomes rr" 4 udp 5
both 4 -D -u V
verify
done_testing
