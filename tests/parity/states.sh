#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same packets, one by one, through kernel IPVS and through us: after each of them both list the connection
# in the same state with the same time left, and count as many active and inactive ones. No stack answers: client
# and server are addresses that nobody has.
# shellcheck source=tests/parity/lib.sh
. "$(dirname "$0")/lib.sh"
raw=$top/build/tests/parity/raw

# A letter a packet, capital from the client: S SYN (from the server SYN-ACK), D SYN with data, A ACK, P data, F FIN, R RST,
# X RST far out of the window, U a datagram. What they are about is the connection's client port, from 4000 up.
cat >"${TMPDIR:-/tmp}/ivb-lives.$$" <<'EOT'
SsAPpFaPpfA client closes first
SsAPppfAPFa server closes first
SsAFpppfA half-closed by the client, data after its FIN
SsAfAPPFa half-closed by the server
SsAFfAa both close at once
SsAFPFPf FIN repeated
SsAPR client resets
SsAPr server resets
SsAFr reset while closing
Sr refused
SSsSA SYN repeated
SsssA SYN-ACK repeated
DsApFafA SYN with data
SsAXPp RST out of the window from the client
SsAxPp RST out of the window from the server
SRsA RST before the server answers
SsRA RST before the connection is established
SFA FIN before the server answers
Ssa no ACK of the client's
SsASa SYN in an established connection
SsAsA SYN-ACK in an established connection
SsAFfASsA the same ports again after TIME_WAIT
SsARSsA the same ports again after a reset
SsAfSsA the same ports again after the server's FIN
SsAFSaA the same ports again after the client's FIN
SsApFSaA the same ports again, and the server acknowledges
SsApfSaA the same ports again, and the server acknowledges
A ACK of no connection
F FIN of no connection
UUuUu datagrams
UUU datagrams without an answer
EOT

parity_begin 1
mv "${TMPDIR:-/tmp}/ivb-lives.$$" "$tmp/lives"
[ -x "$raw" ] || bail "no $raw: run make check-vm"
ipb lb <<-EOT
	neigh replace 10.9.0.77 lladdr 02:00:00:00:00:77 dev wan
	neigh replace fd09::77 lladdr 02:00:00:00:00:77 dev wan
	route replace 10.9.0.77/32 dev wan
	route replace fd09::77/128 dev wan
	neigh replace 10.2.1.77 lladdr 02:00:00:00:00:78 dev s1
	neigh replace fd02:1::77 lladdr 02:00:00:00:00:78 dev s1
EOT
for p in -t -u; do
	for f in 4 6; do
		case $f in
		4) server=10.2.1.77 ;;
		6) server='[fd02:1::77]' ;;
		esac
		both $f -A $p V -s rr
		kernel -a $p "$(vip $f $kernel_port)" -r "$server:$kernel_port" -m
		ivb adm -a $p "$(vip $f $ours_port)" -r "$server:$ours_port" -m
	done
done
wan=$(mac lb wan) s1=$(mac lb s1)

# packets STEP: those of that step, of every life, to client and server; all lives end with the last step, so that
# none expires on the way
packets() {
	awk -v step="$1" -v last="$steps" -v kp=$kernel_port -v op=$ours_port -v to_cl="$tmp/from-cl" -v to_sv="$tmp/from-sv" '
	BEGIN {
		split("S:S:0 D:S:100 A:A:0 P:PA:100 F:FA:0 R:R:0 X:R:0 U:U:10 s:SA:0 a:A:0 p:PA:100 f:FA:0 r:RA:0 x:R:0 u:U:10", w, " ")
		for (i in w) {
			split(w[i], x, ":")
			flags[x[1]] = x[2]
			len[x[1]] = x[3]
		}
		printf "" >to_cl
		printf "" >to_sv
	}
	{
		c = substr($1, step - last + length($1), 1)
		if (step - last + length($1) < 1)
			next
		seq = c ~ /[Xx]/ ? 2000000000 : 1000 * step
		for (e = 0; e < 2; e++) {
			port = e ? op : kp
			if (c ~ /[A-Z]/) {
				print "10.9.0.77", 3999 + NR, "10.0.0.80", port, flags[c], seq, len[c] >to_cl
				print "fd09::77", 3999 + NR, "fd00::80", port, flags[c], seq, len[c] >to_cl
			} else {
				print "10.2.1.77", port, "10.9.0.77", 3999 + NR, flags[c], seq, len[c] >to_sv
				print "fd02:1::77", port, "fd09::77", 3999 + NR, flags[c], seq, len[c] >to_sv
			}
		}
	}' "$tmp/lives"
}

steps=$(awk '{ if (length($1) > n) n = length($1) } END { print n }' "$tmp/lives")
step=0
while [ $step -lt "$steps" ]; do
	step=$((step + 1))
	packets $step
	in_ns cl "$raw" eth0 "$wan" <"$tmp/from-cl" || bail "cannot send"
	in_ns sv1 "$raw" eth0 "$s1" <"$tmp/from-sv" || bail "cannot send"
	{
		echo "step $step"
		echo kernel
		kernel -L -n -c
		kernel -L -n
		echo ours
		ivb adm -L -n -c 2>/dev/null
		ivb adm -L -n 2>/dev/null
	} >>"$tmp/said"
done

# For each life and family a line of what kernel IPVS said after each packet, then one of what we did. A time that
# differs by no more than 2 s is the same.
awk -v last="$steps" -v lives="$tmp/lives" '
function left(t,	p) {
	split(t, p, ":")
	return p[1] * 60 + p[2]
}
BEGIN {
	while ((getline <lives) > 0)
		life[++n] = $1
}
$1 == "step" { step = $2 }
$1 == "kernel" || $1 == "ours" { who = $1 }
($1 == "TCP" || $1 == "UDP") && $2 ~ /^[0-9]+:[0-9]+$/ {
	family = $4 ~ /^\[/ ? 6 : 4
	port = $4
	sub(/.*:/, "", port)
	state[who, family, port - 3999, step] = $3
	time[who, family, port - 3999, step] = left($2)
}
($1 == "TCP" || $1 == "UDP") && $3 == "rr" { service = $1 ($2 ~ /^\[/ ? 6 : 4) }
$1 == "->" && $3 == "Masq" { counts[who, service, step] = $5 "/" $6 }
END {
	for (f = 4; f <= 6; f += 2) {
		for (i = 1; i <= n; i++) {
			k = o = ""
			for (s = last - length(life[i]) + 1; s <= last; s++) {
				c = " " substr(life[i], s - last + length(life[i]), 1) ":"
				d = time["ours", f, i, s] - time["kernel", f, i, s]
				k = k c state["kernel", f, i, s] "," time["kernel", f, i, s]
				o = o c state["ours", f, i, s] "," (d > 2 || d < -2 ? time["ours", f, i, s] : time["kernel", f, i, s])
			}
			print "kernel " f " " i k
			print "ours " f " " i o
		}
	}
	split("TCP4 TCP6 UDP4 UDP6", names, " ")
	for (j = 1; j <= 4; j++) {
		for (who = 1; who <= 2; who++) {
			printf "%s counts %s", who == 1 ? "kernel" : "ours", names[j]
			for (s = 1; s <= last; s++)
				printf " %s", counts[who == 1 ? "kernel" : "ours", names[j], s]
			print ""
		}
	}
}' "$tmp/said" >"$tmp/compared"

for f in 4 6; do
	n=0
	while read -r life what; do
		n=$((n + 1))
		is "IPv$f: $what ($life)" "$(sed -n "s/^ours $f $n //p" "$tmp/compared")" \
			"$(sed -n "s/^kernel $f $n //p" "$tmp/compared")"
	done <"$tmp/lives"
done
for s in TCP4 TCP6 UDP4 UDP6; do
	is "$s: active and inactive, packet by packet" "$(sed -n "s/^ours counts $s //p" "$tmp/compared")" \
		"$(sed -n "s/^kernel counts $s //p" "$tmp/compared")"
	like "$s: they are counted" "$(sed -n "s/^kernel counts $s //p" "$tmp/compared")" '[1-9]'
done
verify

done_testing
