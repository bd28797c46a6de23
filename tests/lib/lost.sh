# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether TCP had to repair anything.

# shellcheck disable=SC2046,SC2086,SC2154 # words; from topology.sh

# lost: segments of established connections that were sent again, and not only because the other end was slow to
# answer (TCP says so: DSACK). First packets that were held back come again by design.
lost() {
	for lost_ns in cl $(printf "sv%s " $servers); do
		in_ns "$lost_ns" cat /proc/net/snmp /proc/net/netstat
	done | awk '
		$1 == head { for (i = 2; i <= NF; i++) n[name[i]] += $i; head = ""; next }
		{ head = $1; for (i = 2; i <= NF; i++) name[i] = $i }
		END {
			lost = n["RetransSegs"] - n["TCPDSACKRecv"] - n["TCPSynRetrans"]
			print (("RetransSegs" in n) ? (lost > 0 ? lost : 0) : -1)
		}'
}
