# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel IPVS on the director `lb`, and the ipvs engine that follows it. For guests: the host has no ip_vs.
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh and topology.sh

# ipvs_begin: after ns_begin. Loads ip_vs.
ipvs_begin() {
	need ipvsadm
	modprobe ip_vs 2>/dev/null
	[ -e /proc/net/ip_vs ] || skip_all "this kernel has no ip_vs"
}

# ip_vs_unload: with whatever leans on it, as earlier tests have left it there; modprobe takes ip_vs along with
# the last of them, if nothing holds it at that moment.
ip_vs_unload() {
	for unload_m in $(awk '$1 == "ip_vs" { gsub(",", " ", $4); print $4 }' /proc/modules); do
		modprobe -r "$unload_m" 2>/dev/null
	done
	[ ! -e /sys/module/ip_vs ] || modprobe -r ip_vs
}

# kipvs ARGUMENT...: the kernel's table.
kipvs() {
	in_ns lb ipvsadm "$@"
}

# vs NAME=VALUE...: net.ipv4.vs settings of the director.
vs() {
	for vs_set; do
		in_ns lb sysctl -qw "net.ipv4.vs.$vs_set"
	done
}

# kservice FAMILY PORT SCHEDULER [OPTION...]: a TCP service of the kernel's with every server, by NAT.
kservice() {
	ks_f=$1 ks_p=$2 ks_v=$(vip "$1" "$2")
	kipvs -A -t "$ks_v" -s "$3" || bail "ipvsadm -A failed"
	shift 3
	for n in $servers; do
		kipvs -a -t "$ks_v" -r "$(rip "$ks_f" "$n" "$ks_p")" -m "$@" || bail "ipvsadm -a failed"
	done
}

# follow [OPTION...]: the ipvs engine on all devices.
follow() {
	up --ipvs "$@"
}

# kconns: the kernel's connections without the heading, as ipvsadm -Lnc prints them.
kconns() {
	kipvs -Lnc | sed 1,2d
}

# fast in|out [SHORT]: packets that eBPF carried for connections that live, all of them together.
fast() {
	ivb_in "${2:-lb}" conn --json | tr -d ' \n' | grep -o "\"$1\":{\"packets\":[0-9]*" | awk -F: '{ n += $3 } END { print n + 0 }'
}

# With IVB_ENGINE=none a script of tests/ipvs shows what kernel IPVS does alone: with the masquerading that it
# needs for SNAT, and without what only we can answer.
alone() {
	[ "${IVB_ENGINE:-}" = none ]
}

# await COMMAND...: for what takes seconds and costs a program to look at
await() {
	for _ in $(seq 60); do
		! "$@" || return 0
		sleep 0.5
	done
	return 1
}

# keepalived_in SHORT OPTION...: real keepalived with the configuration $tmp/SHORT.conf; its id: $started
keepalived_in() {
	ka_ns=$1
	shift
	start "keepalived-$ka_ns" "$ka_ns" /usr/sbin/keepalived -n -l -D -f "$tmp/$ka_ns.conf" \
		-p "$tmp/$ka_ns.pid" -c "$tmp/$ka_ns.checkers" -r "$tmp/$ka_ns.vrrp" "$@"
}

# talk NAME OPTION...: long-lived connections from the client (see echo.c)
talk() {
	talk_name=$1
	shift
	start "$talk_name" cl "$tooldir/echo" talk "$@"
	eval "talk_$talk_name=$started"
	wait_for 10 grep -q connected "$tmp/$talk_name.log" || bail "talk $*: $(cat "$tmp/$talk_name.log")"
}

# talked NAME: what became of them since it was last asked
talked() {
	talked_lines=$(wc -l <"$tmp/$1.log")
	kill -USR1 "$(eval "echo \$talk_$1")"
	wait_for 5 awk -v n="$talked_lines" 'END { exit NR <= n }' "$tmp/$1.log" || bail "talk $1 says nothing"
	tail -n 1 "$tmp/$1.log"
}
