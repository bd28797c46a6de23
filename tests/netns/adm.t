#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# adm beyond single commands: saving and restoring, all lines or none; counters, rates and zeroing against what the
# client's own namespace counts; filters of conn and stats; ten thousand services.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl nft
ns_begin
servers='1 2'
two_armed
servers_route_back
web
# every server below has a route, or there would be warnings
ipn lb route add default via 10.1.0.2

ok "up" up
service -t 4 80 rr
service -t 6 80 rr

# what the client counts itself: "in PACKETS BYTES out PACKETS BYTES"
in_ns cl nft -f - <<-EOT
	table inet seen {
		chain sent {
			type filter hook output priority 0
			ip daddr $vip4 tcp dport 80 counter comment "in"
		}
		chain got {
			type filter hook input priority 0
			ip saddr $vip4 tcp sport 80 counter comment "out"
		}
	}
EOT
seen() {
	in_ns cl nft list table inet seen | awk '{
		for (i = 1; i < NF; i++) if ($i == "packets") n[$NF] = $(i + 1) " " $(i + 3)
	}
	END { print "in", n["\"in\""], "out", n["\"out\""] }'
}
# from listings whose columns are the same: conns, packets in and out, bytes in and out
listed() {
	awk -v c="$1" '$2 == "10.0.0.80:80" { print "in", $(c + 1), $(c + 3), "out", $(c + 2), $(c + 4) }'
}
servers_listed() {
	awk -v c="$1" '
		$1 == "TCP" || $1 == "UDP" { mine = $2 == "10.0.0.80:80" }
		mine && $1 == "->" { ip += $c; op += $(c + 1); ib += $(c + 2); ob += $(c + 3) }
		END { print "in", ip, ib, "out", op, ob }'
}

is "20 connections" "$(get 4 20 | wc -w)" 20
is "adm -L --stats: what the client has counted" "$(ivb adm -L -n --stats --exact | listed 3)" "$(seen)"
is "and so have its servers together" "$(ivb adm -L -n --stats --exact | servers_listed 4)" "$(seen)"
is "stats: the same" "$(ivb stats | awk '$2 == "10.0.0.80:80" { print "in", $5, $7, "out", $6, $8 }')" "$(seen)"
like "and 20 connections" "$(ivb adm -L -n --stats)" '^TCP +10.0.0.80:80 +20 '
before=$(seen)
ok "-Z of another service" ivb adm -Z -t '[fd00::80]:80'
is "changes nothing" "$(ivb adm -L -n --stats --exact | listed 3)" "$before"
ok "-Z" ivb adm -Z -t 10.0.0.80:80
is "zero" "$(ivb adm -L -n --stats | listed 3)" "in 0 0 out 0 0"
first=$(seen)
get 4 4 >/dev/null
is "and counts on, what the client counts" "$(ivb adm -L -n --stats --exact | listed 3)" \
	"$(seen | awk -v f="$first" '{ split(f, a); print "in", $2 - a[2], $3 - a[3], "out", $5 - a[5], $6 - a[6] }')"

# rates: a second of 20 connections
ivb adm -L -n --rate >"$tmp/rate" &
rate=$!
sleep 0.3
get 4 20 >/dev/null
wait $rate
within "--rate: connections per second" "$(awk '$2 == "10.0.0.80:80" { print $3 }' "$tmp/rate")" 15 21
ivb stats --rate=1 --service 10.0.0.80:80 >"$tmp/rate" &
rate=$!
sleep 0.3
get 4 20 >/dev/null
wait $rate
within "stats --rate" "$(awk '$2 == "10.0.0.80:80" { print $4 }' "$tmp/rate")" 15 21
is "of one service" "$(grep -c '^TCP' "$tmp/rate")" 1

diag "filters"
get 6 3 >/dev/null
is "conn --count" "$(ivb conn --count)" "$(ivb conn | grep -c '^TCP')"
is "conn --service" "$(ivb conn --count --service '[fd00::80]:80')" 3
is "conn --server" "$(ivb conn --count --server 10.2.1.2)" "$(ivb conn | grep -c ' 10.2.1.2:80 ')"
is "conn --client" "$(ivb conn --count --client 10.1.0.0/24) $(ivb conn --count --client 10.9.0.0/16)" \
	"$(ivb conn | grep -c '^TCP *10.1.0.') 0"
is "conn --state" "$(ivb conn --count --state time_wait)" "$(ivb conn | grep -c TIME_WAIT)"
is "as JSON" "$(ivb conn --json --state TIME_WAIT --client fd01::/64 | grep -c '"state"')" 3
is "stats --server" "$(ivb stats --server 10.2.1.2 | grep -c -- '->.*10.2')" 1
is "stats --sort: the busiest first" "$(ivb stats --sort conns | awk '$1 == "TCP" { print $2 }' | tr '\n' ' ')" \
	'10.0.0.80:80 [fd00::80]:80 '
nok "a filter that is none" ivb conn --client 10.0.0.0/33
nok "a state that is none" ivb conn --state ASLEEP

diag "timeouts"
ok "--set" ivb adm --set 100 0 50
is "kept, and 0 leaves one as it is" "$(ivb adm -L --timeout)" "Timeout (tcp tcpfin udp): 100 120 50"
ok "by up, too" up
is "they are still there" "$(ivb adm -L --timeout)" "Timeout (tcp tcpfin udp): 100 120 50"
start held cl socat -u "TCP4:10.0.0.80:80" OPEN:/dev/null
wait_for 5 eval '[ "$(ivb conn --count --state ESTABLISHED)" = 1 ]'
within "a connection gets the new one" "$(ivb conn --state ESTABLISHED | awk '/^TCP/ { print $7 }')" 95 100

diag "saving and restoring"
ivb adm -S -n >"$tmp/saved"
like "saved" "$(cat "$tmp/saved")" '^-a -t 10.0.0.80:80 -r 10.2.1.2:80 -m -w 1$'
printf -- '-A -t 10.0.0.80:90 -s rr\n\n-A -t 10.0.0.80:80 -s rr\n' >"$tmp/wrong"
rc=0
out=$(ivb adm -R <"$tmp/wrong" 2>&1) || rc=$?
is "the faulty line is named" "$rc $out" "255 line 3: Service already exists (nothing has been changed)"
printf -- '-C\n-A -t 10.0.0.80:90 -s rr\n-a -t 10.0.0.80:90 -r 10.2.1.9 -m -w 70000\n' >"$tmp/wrong"
rc=0
out=$(ivb adm -R <"$tmp/wrong" 2>&1) || rc=$?
is "also one that cannot be read" "$rc $out" "2 line 3: illegal weight specified (nothing has been changed)"
is "and nothing has changed" "$(ivb adm -S -n)" "$(cat "$tmp/saved")"
# called by ipvsadm's names
mkdir "$tmp/bin"
for n in ipvsadm ipvsadm-save ipvsadm-restore; do
	ln -s "$(realpath "$ipvs_bpf")" "$tmp/bin/$n"
done
is "ipvsadm-save" "$("$tmp/bin/ipvsadm-save" --netns "$(ns_name lb)" -n)" "$(cat "$tmp/saved")"
ok "ipvsadm-restore" eval "{ echo '# a comment'; cat '$tmp/saved'; } | '$tmp/bin/ipvsadm-restore' --netns '$(ns_name lb)'"
is "it is as it was" "$("$tmp/bin/ipvsadm" --netns "$(ns_name lb)" -S -n)" "$(cat "$tmp/saved")"
is "the connection lived through it" "$(ivb conn --count --state ESTABLISHED)" 1
rc=0
out=$("$tmp/bin/ipvsadm" --netns "$(ns_name lb)" -Q 2>&1) || rc=$?
like "ipvsadm speaks as ipvsadm" "$rc $out" "^255 Try .ipvsadm -h' or 'ipvsadm --help' for more information.$"
is "and the service works" "$(get 4 2 | wc -w)" 2

# a tenth of it on slow machines
many=$(few 10000 500)
diag "$many services with 10 servers each"
awk -v n="$many" 'BEGIN {
	for (i = 0; i < n; i++) {
		v = sprintf("10.128.%d.%d:80", i / 250, i % 250 + 1)
		print "-A -t " v " -s " (i % 2 ? "rr" : "wrr")
		for (j = 0; j < 10; j++)
			printf "-a -t %s -r 10.64.%d.%d:80 -m -w %d\n", v, (i * 10 + j) / 250 % 250, (i * 10 + j) % 250 + 2, j % 3 + 1
	}
}' >"$tmp/many"
# took COMMAND...: $ms of processor time, since other tests run beside this one
took() {
	times >"$tmp/from" # of this shell: not in a substitution
	"$@" >/dev/null || bail "$* failed"
	times >"$tmp/to"
	ms=$(awk '
		FNR == 2 {
			for (i = 1; i <= 2; i++) {
				split($i, t, "[ms]")
				ms += (NR == 2 ? -1000 : 1000) * (t[1] * 60 + t[2])
			}
		}
		END { print int(ms) }' "$tmp/from" "$tmp/to")
}
restore() {
	ivb adm -R <"$tmp/many"
}
hundred() {
	i=0
	while [ $i -lt 100 ]; do
		"$@"
		i=$((i + 1))
	done
}
# machines differ: everything is compared with a hundred commands that do nothing
took hundred ivb --version
base=$ms
took restore
diag "-R: $ms ms; a hundred commands that do nothing: $base ms"
within "-R takes no longer than 2,000 commands that do nothing" "$ms" 0 $((20 * base))
took ivb adm -L -n
diag "-L -n: $ms ms"
within "-L -n takes no longer than 400" "$ms" 0 $((4 * base))
is "all of them are there" "$(ivb adm -S -n | grep -c '^-[Aa] -t 10.128')" $((many * 11))
# the command's own work: what it takes beyond one that does nothing; to look at all services would be a hundredfold
took hundred ivb --version
base=$ms
took hundred ivb adm -e -t 10.128.0.1:80 -r 10.64.0.2:80 -m -w 5
diag "100 changes of a weight: $ms ms; 100 times nothing: $base ms"
within "a change of a weight takes no more beyond that than a command that does nothing" $((ms - base)) $((-base)) "$base"
verify
ok "-C" ivb adm -C
verify

done_testing
