# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What stays on the kernel's path, untouched by us and working: one-packet scheduling, SIP persistence, FTP and
# connections that conntrack translates. With raw notrack rules those of net.ipv4.vs.conntrack=1 are ours.
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

stays_begin() {
	for n in $servers; do
		start "ftpd-$n" "sv$n" perl "$top/tests/tools/ftpd.pl" "sv$n"
		wait_listen "sv$n" tcp 21
	done
}

# udp_service VPORT [OPTION...]
udp_service() {
	us_p=$1
	shift
	kipvs -A -u "$vip4:$us_p" -s rr "$@" || echo "refused"
	for n in $servers; do
		kipvs -a -u "$vip4:$us_p" -r "$(rip 4 "$n" 80)" -m
	done
}

# lines received so far by each server, which the client asks for directly
lines() {
	lines_are=''
	for n in $servers; do
		play tcp 9$n "$(rip 4 "$n")" 80
		play ask 9$n lines
		lines_are="$lines_are $said"
		play rst 9$n
	done
	echo "$lines_are"
}

# Each datagram is a connection: nine from one socket go to three servers. (Their answers need no director.)
one_packet() {
	lines >"$tmp/before"
	udp_service 5001 -o
	play udp 1 $vip4 5001 10.9.0.1 $((3201 + later))
	play push 1 9 50
	echo "before: $(cat "$tmp/before")" >"$tmp/lines"
	echo "after: $(lines)" >>"$tmp/lines"
	# asking for it is a line as well
	awk '{ a[NR] = $2; b[NR] = $3; c[NR] = $4 } END { print "got:", a[2] - a[1] - 1, b[2] - b[1] - 1, c[2] - c[1] - 1 }' \
		"$tmp/lines"
	with_us one-packet $((3201 + later))
}

# invite ID CALL: a SIP message on the client's connection ID
invite() {
	play ask "$1" "INVITE\\ssip:a@b\\sSIP/2.0\\r\\nVia:\\sSIP/2.0/UDP\\s10.9.0.1\\r\\nCall-ID:\\s$2\\r\\n\\r\\n"
	echo "$2: $said"
}

# a client's call is a connection of its own to persistence: its messages go to one server from whatever port
sip() {
	udp_service 5060 -p 60 --pe sip
	for i in 1 2 3 4; do
		play udp $i $vip4 5060 10.9.0.1 $((3210 + i + later))
	done
	invite 1 one
	invite 2 two
	invite 3 one
	invite 4 two
	invite 1 one
	with_us sip $((3211 + later))
}

# one association with each server, and what it answers
sctp() {
	modprobe sctp || echo "no sctp"
	kipvs -R <<-EOT
		-A --sctp-service $vip4:5006 -s rr
		$(for n in $servers; do echo "-a --sctp-service $vip4:5006 -r $(rip 4 "$n" 80) -m"; done)
	EOT
	for n in $servers; do
		start "sctp-sv$n" "sv$n" socat "SCTP-LISTEN:80,bind=$(rip 4 "$n"),fork" "SYSTEM:read x; echo sv$n hears \$x"
	done
	sleep 2
	for n in 1 2 3; do
		# SCTP has no half-closed associations
		{ echo "hello" && sleep 5; } | in_ns cl socat -t 1 - "SCTP-CONNECT:$vip4:5006,bind=10.9.0.1:$((3260 + n + later))"
	done
	kconns | awk '$2 == "SCTP" || $1 == "SCTP" { print "sctp", $3, $NF }' | sort
	with_us sctp $((3261 + later)) $((3262 + later)) $((3263 + later))
	for n in $servers; do
		stop "$(eval "echo \$ns_pid_sv$n")"
	done
}

ftp() {
	modprobe ip_vs_ftp || echo "no ip_vs_ftp"
	vs conntrack=1
	kservice 4 21 rr
	for how in '' '' '' '-P-' '-P-' '-P-'; do
		# shellcheck disable=SC2086 # a word or none
		echo "ftp${how:+ active}: $(in_ns cl curl -s --max-time 20 --local-port $((3400 + later))-$((3439 + later)) \
			--disable-epsv --disable-eprt $how "ftp://$vip4/x")"
	done
	# shellcheck disable=SC2046 # numbers
	with_us ftp $(seq $((3400 + later)) $((3439 + later)))
	vs conntrack=0
}

# Conntrack's connections, with the usual MASQUERADE: the server sees the director
masqueraded() {
	vs conntrack=1
	in_ns lb iptables -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ -j MASQUERADE || echo failed
	one 5003
	visit 1 5003 10.9.0.1 $((3231 + later))
	echo "answered by $said"
	play ask 1 peer
	echo "who is seen: ${said% *}"
	tell pace 1 20 50
	with_us masqueraded $((3231 + later))
	leave 1
	in_ns lb iptables -t nat -F POSTROUTING
	vs conntrack=0
}

# a connection made while vs.conntrack=1 stays conntrack's when that has become 0
flagged() {
	vs conntrack=1
	one 5004
	visit 1 5004 10.9.0.1 $((3241 + later))
	echo "answered by $said"
	vs conntrack=0
	tell pace 1 20 50
	play ask 1 peer
	echo "who is seen: ${said% *}"
	with_us flagged $((3241 + later))
	leave 1
}

# the pair of rules that makes them ours
notrack() {
	vs conntrack=1
	in_ns lb iptables -t raw -A PREROUTING -d $vip4 -j CT --notrack
	in_ns lb iptables -t raw -A PREROUTING -s 10.2.0.0/16 -j CT --notrack
	one 5005
	visit 1 5005 10.9.0.1 $((3251 + later))
	echo "answered by $said"
	tell pace 1 20 50
	with_us notrack $((3251 + later))
	leave 1
	in_ns lb iptables -t raw -F PREROUTING
	vs conntrack=0
}

stays_play() {
	# conntrack is at work on this host, for reasons of its own
	in_ns lb iptables -A FORWARD -m conntrack --ctstate NEW -j ACCEPT || bail "iptables failed"
	scenario one-packet one_packet
	scenario sip sip
	scenario sctp sctp
	scenario ftp ftp
	scenario masqueraded masqueraded
	scenario flagged flagged
	scenario notrack notrack
	in_ns lb iptables -F FORWARD
}

stays_check() {
	report one-packet "one-packet scheduling: each datagram by itself" '^got: 3 3 3$'
	compare one-packet "one-packet scheduling"
	not_carried one-packet "one-packet scheduling"
	is "SIP persistence: a call's messages go to one server" "$(tr '\n' ' ' <"$tmp/sip.kernel")" \
		'one: sv3 two: sv2 one: sv3 two: sv2 one: sv3 '
	compare sip "SIP persistence"
	not_carried sip "SIP persistence"
	report sctp "SCTP: an association is served" '^sv1 hears hello$'
	compare sctp "SCTP"
	not_carried sctp "SCTP"
	report ftp "FTP, passive" '^ftp: sv1$'
	report ftp "FTP, active" '^ftp active: sv1$'
	compare ftp "FTP"
	not_carried ftp "FTP"
	report masqueraded "conntrack and MASQUERADE: the server sees the director" '^who is seen: 10.2.1.1$'
	compare masqueraded "conntrack and MASQUERADE"
	not_carried masqueraded "conntrack and MASQUERADE"
	report flagged "a connection of vs.conntrack=1" '^who is seen: 10.9.0.1$'
	compare flagged "a connection of vs.conntrack=1 when that is 0"
	not_carried flagged "a connection of vs.conntrack=1 when that is 0"
	compare notrack "vs.conntrack=1 with raw notrack"
	was_carried notrack "vs.conntrack=1 with raw notrack" 10 10
}
