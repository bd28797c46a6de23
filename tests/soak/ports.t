#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# 10,000 short connections a second for 150 s through one SNAT address to four servers. In TIME_WAIT they
# keep their ports for 120 s, so 64512 ports would be enough for 2150 a second: those of ended ones are taken.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

rate=${RATE:-10000}
seconds=${SECS:-150}
ns_begin
servers='1 2 3 4'
two_armed
ok "up" up --snat always --snat-addr 10.0.0.100 --snat-ports 1024-65535 --max-conns 524288
addrs lb lo 10.0.0.100/32
ivb adm -A -t 10.0.0.80:80 -s rr
for n in $servers; do
	ivb adm -a -t 10.0.0.80:80 -r "10.2.$n.2:80" -m
	ipn "sv$n" route add default via "10.2.$n.1"
done
# shellcheck disable=SC2046 # words
said=$(printf 'run 100 50\nrun %s %s\n' "$rate" $((rate * seconds)) | "$tooldir/churn" -a -b 768 10.0.0.80:80 \
	"$(ns_name lb)" wan "$(ns_name cl)" eth0 $(for n in $servers; do echo "$(ns_name "sv$n")" eth0; done) | tail -n 1)
diag "$said"
reached=$(echo "$said" | awk '{ for (i = 1; i < NF; i++) v[$i] = $(i + 1); print int(v["done"] / v["seconds"]) }')
diag "$reached connections a second, of $rate that were wanted"
if [ $((reached * 100)) -lt $((rate * 95)) ]; then
	skip "this machine was too slow or too busy: $reached a second" "$rate connections a second"
else
	ok "$rate connections a second" true
fi
like "not one of $((rate * seconds)) failed" "$said" \
	"^begun $((rate * seconds)) done $((rate * seconds)) reset 0 stolen 0 strays 0 "
is "none was refused" "$(counter no_port)" 0
diag "$(ivb status)"
verify

done_testing
