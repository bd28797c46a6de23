# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel settings that decide about connections (net.ipv4.vs.*), and IPVS's sync daemon: what they do without us,
# they do with us. (expire_nodest_conn: changes; expire_quiescent_template: persistence; conntrack: stays.)
# shellcheck disable=SC2034,SC2154 # from and for netns.sh, topology.sh and follow.sh

sysctls_begin() {
	ns_add bk
	wire lb sync bk sync
	addrs lb sync 10.7.0.1/24
	addrs bk sync 10.7.0.2/24
}

# reuse 0|1: a client's port once more, while the kernel remembers it as closed: by a reset, then in TIME_WAIT
reuse() {
	vs conn_reuse_mode="$1"
	kservice 4 80 rr
	vport=80
	dial 1 311$1
	leave 1
	dial 1 311$1
	tell ask 1 fin
	tell close 1
	dial 1 311$1
	play pace 1 10 100
	with_us "reuse$1" "$sport"
	leave 1
	vs conn_reuse_mode=1
}

# sloppy 0|1: a connection that the kernel has forgotten
sloppy() {
	vs sloppy_tcp="$1"
	vport=$((103 + $1))
	one $vport
	dial 1 "312$1"
	sleep 22
	tell ask 1
	tell pace 1 10 100
	conn_of "$sport"
	with_us "sloppy$1" "$sport"
	leave 1
	vs sloppy_tcp=0
}

# a minute's peace is granted, then idle ones go at random
drop_entry() {
	kipvs --set 900 10 60
	vport=105
	one 105
	dial 1 3131
	for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		play tcp $i $vip4 105
	done
	vs drop_entry=3
	tell pace 1 26 5000
	[ "$(kconns | grep -c ':105 ')" -lt 18 ] && echo "idle ones have been dropped"
	with_us drop-entry "$sport"
	vs drop_entry=0
	leave 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
	kipvs --set 20 10 20
}

# secure_tcp=3: another table of states, with timeouts of its own
secure() {
	vs secure_tcp=3
	sleep 2
	vport=108
	one 108
	dial 1 3161
	tell pace 1 20 100
	conn_of "$sport"
	with_us secure-tcp "$sport"
	tell fin 1
	tell hear 1
	conn_of "$sport"
	vs secure_tcp=0
	sleep 2
}

# drop_packet=3, am_droprate=1: every packet that would begin a connection
drop_packet() {
	vport=109
	one 109
	dial 1 3171
	vs am_droprate=1 drop_packet=3
	sleep 2
	tell pace 1 20 100
	with_us drop-packet "$sport"
	play tcp 2 $vip4 109 10.9.0.1 $((3172 + later))
	echo "a new one: $said"
	vs drop_packet=0 am_droprate=10
	sleep 2
	dial 3 3173
	leave 1 2 3
}

# backup_only: while it is a sync backup, IPVS looks at no packet
backup_only() {
	vport=106
	one 106
	dial 1 3141
	play pace 1 20 100
	with_us backup-only "$sport"
	kipvs --start-daemon backup --mcast-interface sync --syncid 9
	vs backup_only=1
	play pace 1 60 200
	case $said in
	*' ECONNRESET') [ "${said% *}" -le 26 ] && echo "it looks away" ;;
	*) echo "$said" ;;
	esac
	vs backup_only=0
	kipvs --stop-daemon backup
	dial 2 3142
	leave 1 2
}

# a packet now and then reaches the backup, whatever sync_threshold and sync_period are
synced() {
	kipvs --set 40 10 60
	kipvs --start-daemon master --mcast-interface sync --syncid 7
	in_ns bk ipvsadm --start-daemon backup --mcast-interface sync --syncid 7
	vs 'sync_threshold=3 30'
	vport=107
	one 107
	dial 1 3151
	play tcp 2 $vip4 107
	sleep 5
	echo "copies: $(in_ns bk ipvsadm -Lnc | grep -c ':107 ')"
	tell pace 1 80 1000
	echo "copies: $(in_ns bk ipvsadm -Lnc | grep -c 'ESTABLISHED.*:107 ')"
	with_us synced "$sport"
	leave 1 2
	kipvs --stop-daemon master
	in_ns bk ipvsadm --stop-daemon backup
	kipvs --set 20 10 20
}

sysctls_play() {
	scenario reuse0 reuse 0
	scenario reuse1 reuse 1
	scenario sloppy0 sloppy 0
	scenario sloppy1 sloppy 1
	scenario drop-entry drop_entry
	scenario secure-tcp secure
	scenario drop-packet drop_packet
	scenario backup-only backup_only
	scenario synced synced
}

sysctls_check() {
	for m in 0 1; do
		compare reuse$m "conn_reuse_mode=$m"
		was_carried reuse$m "a port used once more" 5 5
	done
	report sloppy0 "without sloppy_tcp a forgotten connection is reset" '^ask 1: ECONNRESET$'
	report sloppy1 "with sloppy_tcp it goes on" '^ask 1: sv1$'
	compare sloppy0 "sloppy_tcp=0"
	compare sloppy1 "sloppy_tcp=1"
	was_carried sloppy1 "a connection that began in the middle" 5 5
	report drop-entry "drop_entry=3 hits the idle" '^idle ones have been dropped$'
	report drop-entry "and spares the living" '^pace 1 26 5000: 26$'
	compare drop-entry "drop_entry"
	was_carried drop-entry "what drop_entry spares" 10 10
	report secure-tcp "secure_tcp=3: a connection is served" '^pace 1 20 100: 20$'
	compare secure-tcp "secure_tcp"
	was_carried secure-tcp "a connection under secure_tcp" 10 10
	report drop-packet "drop_packet=3 spares what is established" '^pace 1 20 100: 20$'
	unlike "and keeps new ones out" "$(cat "$tmp/drop-packet.kernel")" '^a new one: ok$'
	compare drop-packet "drop_packet and am_droprate"
	was_carried drop-packet "a connection while new ones are dropped" 10 10
	report backup-only "backup_only: IPVS lets go of a connection" '^it looks away$'
	compare backup-only "backup_only"
	was_carried backup-only "packets before that" 10 10
	report synced "the sync daemon: a connection of two packets has no copy, one of more has" '^copies: 1$'
	unlike "and keeps it while it lives" "$(cat "$tmp/synced.kernel")" '^copies: 0$'
	compare synced "sync_threshold"
	was_carried synced "packets of a synced connection" 40 40
}
