#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input: a clear sentence and the right exit status each time (1: it failed, 2: it was not understood),
# and neither the running data plane nor the configuration changes.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
big_file "$(few 16 2)"

# refuses STATUS ERE ARGUMENT...: the product's answer to these arguments
refuses() {
	want_rc=$1
	want_text=$2
	shift 2
	answer "$@"
	like "refused ($want_rc): $*" "$rc $out" "^$want_rc .*$want_text"
}

# before there is anything
refuses 1 'up' adm -L -n
refuses 1 'up' status
refuses 1 'not up' stats
refuses 1 'nosuchdev' up nosuchdev
refuses 1 'name the devices' up
refuses 1 'lo' up lo
refuses 2 '.' up --snat sometimes wan
refuses 2 '.' up --snat-ports 5000-4000 wan
refuses 2 '.' up --snat-ports 0-70000 wan
refuses 2 'one port; .*10000-30000' up --snat-ports 5000 wan
refuses 2 '.' up --snat-addr 10.0.0 wan
refuses 2 '.' up --non-masq 10.0.0.0/33 wan
refuses 2 '.' up --max-conns none wan
refuses 2 '.' up --zone 16777216 wan
refuses 2 'unknown|frobnicate' frobnicate
is "nothing of that was left behind" "$(find "/sys/fs/bpf/ipvs-bpf/$(ns_name lb)" 2>/dev/null | wc -l)" 0

ok "up" up --snat always
service -t 4 80 rr
service -t 6 80 rr
listing=$(ivb adm -L -n)
in_ns cl curl -s --limit-rate "$(few 4M 200k)" --max-time $((60 * slow)) "http://$vip4/f/big" |
	md5sum >"$tmp/md5" &
download=$!

v=10.0.0.80:80
refuses 255 'already exists' adm -A -t $v -s rr
refuses 255 'No such service' adm -E -t 10.0.0.80:81 -s rr
refuses 255 'No such service' adm -D -t 10.0.0.80:81
refuses 255 '(No such service|Service not defined)' adm -a -t 10.0.0.80:81 -r 10.2.1.2:80 -m
refuses 255 'already exists' adm -a -t $v -r 10.2.1.2:80 -m
refuses 255 'No such destination' adm -e -t $v -r 10.2.9.9:80 -m
refuses 255 'No such destination' adm -d -t $v -r 10.2.9.9:80
refuses '[12]' '.' adm -a -t $v -r '[fd02:1::2]:80' -m
refuses 1 '10.1.0.1' adm -a -t $v -r 10.1.0.1:80 -m
refuses 2 'weight' adm -a -t $v -r 10.2.1.9:80 -m -w 65536
refuses 2 'weight' adm -e -t $v -r 10.2.1.2:80 -m -w -1
refuses 2 '-m' adm -a -t $v -r 10.2.1.9:80
refuses 2 '.' adm -a -t $v -r 10.2.1.9:80 -g
refuses 2 '.' adm -a -t $v -r 10.2.1.9:80 -i
refuses 255 'range' adm -a -t $v -r 10.2.1.9:80 -m -x 5 -y 6
refuses 255 'nosuch|[Ss]cheduler' adm -A -t 10.0.0.80:82 -s nosuch
refuses 2 '.' adm -A -t 10.0.0.80:82 -s rr -p 300
refuses 2 '.' adm -A -t 10.0.0.80:82 -s rr --snat perhaps
refuses 2 '.' adm -A -f 1 -s rr
refuses 2 '.' adm -A -t 10.0.0.80 -s rr
refuses 2 '.' adm -A -t 10.0.0.80:70000 -s rr
refuses 2 '.' adm -A -t 10.0.0:80 -s rr
refuses 2 '.' adm -A -t fd00::80:80 -s rr
refuses 2 '.' adm -A -s rr
refuses 2 '.' adm -A -D -t $v
refuses 2 'timeout' adm --set 1 2
refuses 2 'illegal|conflict|Illegal' adm -L --stats -c
refuses 255 'No such service' adm -Z -t 10.0.0.80:81
refuses 2 'sync daemon' adm --start-daemon master
refuses 2 '.' adm -L -n extra
refuses 1 'max-conns' up --max-conns 1024 wan
refuses 1 'nosuchdev' up wan nosuchdev
refuses 1 'nosuchdev' down nosuchdev
is "the configuration is as it was" "$(ivb adm -L -n | sed 's/[0-9 ]*$//')" "$(echo "$listing" | sed 's/[0-9 ]*$//')"

rc=0
out=$("$ipvs_bpf" --netns nosuchns status 2>&1) || rc=$?
like "unknown namespace" "$rc $out" '^1 .*nosuchns'
rc=0
out=$("$ipvs_bpf" --instance "$(ns_name lb)" status 2>&1) || rc=$?
like "another namespace's instance" "$rc $out" '^1 .*namespace'
rc=0
out=$(setpriv --reuid 65534 --clear-groups --bounding-set -all "$ipvs_bpf" --instance "$(ns_name lb)" status 2>&1) || rc=$?
like "not permitted" "$rc $out" '^1 .*([Pp]ermission|permitted|root)'
rc=0
out=$(unshare -m sh -c "umount -l /sys/fs/bpf; '$ipvs_bpf' --netns '$(ns_name lb)' status" 2>&1) || rc=$?
like "no bpffs" "$rc $out" '^1 .*mount -t bpf'

# another ABI, and a folder that is not root's
pins=/sys/fs/bpf/ipvs-bpf
mkdir -p "$pins/$ns_prefix-abi/v99" && chmod 700 "$pins/$ns_prefix-abi"
rc=0
out=$("$ipvs_bpf" --instance "$ns_prefix-abi" adm -L 2>&1) || rc=$?
like "pins of another ABI" "$rc $out" '^1 .*(v99|ABI)'
rmdir "$pins/$ns_prefix-abi/v99" "$pins/$ns_prefix-abi"
mkdir -p "$pins/$ns_prefix-own/v1" && chown -R 65534 "$pins/$ns_prefix-own"
rc=0
out=$("$ipvs_bpf" --instance "$ns_prefix-own" adm -L 2>&1) || rc=$?
like "pins that are not root's" "$rc $out" '^1 .*(root|owner|owned)'
rmdir "$pins/$ns_prefix-own/v1" "$pins/$ns_prefix-own"

# two at once: one after the other, none lost
for i in 1 2 3 4 5 6; do
	ivb adm -A -t "10.0.0.80:90$i" -s rr &
	eval "p$i=$!"
done
rc=0
for i in 1 2 3 4 5 6; do
	eval "wait \$p$i" || rc=1
done
is "six processes at once add six services" "$rc $(ivb adm -L -n | grep -c '10.0.0.80:90')" '0 6'
flock "$pins/$ns_prefix-lb" true

ok "the download that went on all the while ends" wait_for 60 test -s "$tmp/md5"
wait $download
is "with all data" "$(cat "$tmp/md5")" "$big_md5"
is "and the service works" "$(get 6 3)" 'sv3 sv2 sv1'
verify

done_testing
