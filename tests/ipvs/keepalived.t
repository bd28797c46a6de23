#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Real keepalived drives kernel IPVS on a director that we carry for: checks, a server that dies and comes back,
# quorum and sorry_server, inhibit_on_failure, reload. IVB_ENGINE=none: kernel IPVS alone, with MASQUERADE.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

ns_begin
ipvs_begin
need keepalived
two_armed
web
echo_servers 7

# The director's own connections (the checks) and the clients use the same few ports, and the SNAT address is the
# checks' own: a flow that took a check's answer would make a server look dead.
for n in lb cl; do
	in_ns $n sysctl -qw net.ipv4.ip_local_port_range="40000 40255"
done

# healthy N / ill N: what the server's application says of itself
healthy() {
	echo well >"$tmp/www/sv$1"
}

ill() {
	rm -f "$tmp/www/sv$1"
}

# real PORT tcp|http N WEIGHT [LINE]: keepalived wants a keyword a line. HTTP asks nginx about that server.
real() {
	cat <<-EOT
		real_server $(rip 4 "$3") $1 {
			weight $4
			$5
			$(case $2 in
			tcp) echo 'TCP_CHECK {' ;;
			http) printf '%s\n' 'HTTP_GET {' 'connect_port 80' 'url {' "path /f/sv$3" 'status_code 200' '}' ;;
			esac)
				connect_timeout 5
				retry 0
			}
		}
	EOT
}

# conf INHIBIT WEIGHT SERVERS...: :80 with TCP checks; :7 with HTTP checks, where the first server has that weight;
# :8080 with a quorum and a sorry server
conf() {
	conf_inhibit=$1 conf_weight=$2
	shift 2
	cat >"$tmp/lb.conf" <<-EOT
		global_defs {
			router_id lb
		}
		virtual_server $vip4 80 {
			delay_loop 1
			lvs_sched wrr
			lvs_method NAT
			protocol TCP
			$(for n; do real 80 tcp "$n" $((n == 1 ? conf_weight : 1)); done)
		}
		virtual_server $vip4 7 {
			delay_loop 1
			lvs_sched rr
			lvs_method NAT
			protocol TCP
			$(for n in 1 2; do real 7 http "$n" 1 "$conf_inhibit"; done)
		}
		virtual_server $vip4 8080 {
			delay_loop 1
			lvs_sched rr
			lvs_method NAT
			protocol TCP
			quorum 2
			sorry_server $(rip 4 3) 8080
			$(for n in 1 2; do real 8080 tcp "$n" 1; done)
		}
	EOT
}

# pool PORT: $pool is what the kernel has, as "sv1=1 sv2=1". The table is read without starting a program, as it is
# looked at often.
pool() {
	pool='' pool_here=''
	while read -r pool_a pool_b _ pool_w _; do
		case $pool_a in
		TCP) [ "$pool_b" = "$(printf '0A000050:%04X' "$1")" ] && pool_here=1 || pool_here='' ;;
		'->') [ -z "$pool_here" ] || pool="$pool sv$((0x${pool_b%??:*} & 15))=$pool_w" ;;
		esac
	done <"/proc/$keepalived/net/ip_vs"
	# a server that comes back is put at the end
	pool=$(printf '%s\n' $pool | sort | tr '\n' ' ')
	pool=${pool% }
}

pool_is() {
	pool "$1"
	[ "$pool" = "$2" ]
}

# settles DESCRIPTION PORT POOL
settles() {
	await pool_is "$2" "$3"
	is "$1" "$pool" "$3"
}

# all_answer NAME COUNT DESCRIPTION: since the last time; every connection lives and was answered
all_answer() {
	like "$3" "$(talked "$1")" "^conns=$2 answered=$2 reset=0 closed=0 wrong=0 "
}

# carried DESCRIPTION: established packets went past kernel IPVS, both ways, since the last time
carried_in=0 carried_out=0
carried() {
	sleep 1
	! alone || return 0
	set -- "$1" "$(fast in)" "$(fast out)"
	if [ "$2" -gt "$carried_in" ] && [ "$3" -gt "$carried_out" ]; then
		ok "$1" true
	else
		is "$1" "in $carried_in -> $2, out $carried_out -> $3" "more of both"
	fi
	carried_in=$2 carried_out=$3
}

# load / loaded: requests all the while, each on a connection of its own; then how they ended, and how many failed
# one after the other
load() {
	start load cl curl -s --rate 20/s --max-time $((5 * slow)) -H 'Connection: close' -w '%{stderr}%{http_code} %{exitcode}\n' \
		-o /dev/null "http://$(vip 4 80)/?[1-10000]"
	load_pid=$started
	wait_for 10 test -s "$tmp/load.log" || bail "no load"
}

loaded() {
	stop "$load_pid"
	awk '$1 == 200 { ok++; row = 0; next } { if ($2 == 7) refused++; else other = other " " $1 "/" $2; if (++row > most) most = row }
		END { printf "ok=%d refused=%d other=%s row=%d", ok, refused, other, most }' "$tmp/load.log"
}

if alone; then
	vs conntrack=1
	in_ns lb iptables -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL -j MASQUERADE
else
	follow --snat always
fi
mkdir -p "$tmp/www"
healthy 1
healthy 2

# --- what keepalived sets up is served
conf inhibit_on_failure 1 1 2
keepalived_in lb -C
keepalived=$started
settles "a service with TCP checks" 80 "sv1=1 sv2=1"
settles "a service with HTTP checks" 7 "sv1=1 sv2=1"
settles "a service with a quorum" 8080 "sv1=1 sv2=1"
is "requests go to both servers" "$(tally "$(get 4 4)")" "sv1=2 sv2=2"
is "and those of the other port" "$(tally "$(get 4 4 8080)")" "sv1=2 sv2=2"
talk long -n 4 "$vip4" 7
sleep 2
all_answer long 4 "four connections, two to each server, are answered"
carried "eBPF carries them"

# --- inhibit_on_failure: no new connections, the old ones go on
ill 1
settles "inhibit_on_failure: the ill server has weight 0" 7 "sv1=0 sv2=1"
talked long >/dev/null
carried "eBPF still carries its connections"
all_answer long 4 "its connections go on"
talk two -n 2 "$vip4" 7
is "new ones go to the other" "$(kconns | awk -v r="$(rip 4 2 7)" '$NF == r { n++ } END { print n + 0 }')" 4
stop "$started"
healthy 1
settles "the server is well again" 7 "sv1=1 sv2=1"

# --- a server dies under load
load
sleep 1
stop "$(sed -n 1p "$tmp/nginx-sv1/pid")"
settles "a server dies: it is taken out" 80 "sv2=1"
# with two servers of one weight every second request is the other's: two in a row would be a healthy one's
like "requests to the dead server were refused, none to the other" "$(loaded)" \
	'^ok=[1-9][0-9]* refused=[0-9]+ other= row=[01]$'
settles "one with inhibit_on_failure keeps its place" 7 "sv1=0 sv2=1"
settles "below the quorum the sorry server serves alone" 8080 "sv3=1"
is "requests go to the other" "$(get 4 3)" "sv2 sv2 sv2"
is "and to the sorry server" "$(get 4 3 8080)" "sv3 sv3 sv3"
all_answer long 4 "long connections to both servers have noticed nothing"
carried "and are carried"

# --- it comes back
load
nginx_on sv1
settles "a server comes back: it serves" 80 "sv1=1 sv2=1"
settles "the quorum is there again: no sorry server" 8080 "sv1=1 sv2=1"
settles "the third service has it as well" 7 "sv1=1 sv2=1"
like "no request failed in the meantime" "$(loaded)" '^ok=[1-9][0-9]* refused=0 other= row=0$'
is "requests go to both" "$(tally "$(get 4 4)")" "sv1=2 sv2=2"
is "also on the port with the quorum" "$(tally "$(get 4 4 8080)")" "sv1=2 sv2=2"

# --- reload under load: another weight, one more server, no inhibit_on_failure
load
conf '' 3 1 2 3
kill -HUP "$keepalived"
settles "reload: weights and servers are the new ones" 80 "sv1=3 sv2=1 sv3=1"
like "no request failed in the meantime" "$(loaded)" '^ok=[1-9][0-9]* refused=0 other= row=0$'
is "requests follow the weights" "$(tally "$(get 4 10)")" "sv1=6 sv2=2 sv3=2"
all_answer long 4 "long connections have noticed nothing"
carried "and are carried"

# --- without inhibit_on_failure the server is gone, and its connections wait for it
ill 1
settles "without inhibit_on_failure the ill server is taken out" 7 "sv2=1"
sleep 2
talked long >/dev/null
sleep 2
like "its connections are not served any more, the others are" "$(talked long)" \
	'^conns=4 answered=2 reset=0 closed=0 wrong=0 '
healthy 1
settles "it is well again" 7 "sv1=1 sv2=1"
sleep 20
talked long >/dev/null
sleep 2
all_answer long 4 "its connections go on where they stopped"
carried "and are carried"

# --- the checks themselves
is "no check of a healthy server ever failed" \
	"$(grep -E 'Removing|Disabling' "$tmp/keepalived-lb.log" | grep -v sorry | grep -E "\[$(rip 4 2)\]|\[$(rip 4 3)\]")" ""
alone || verify
stop "$keepalived"
is "keepalived takes its services with it" "$(kipvs -Ln | grep -c "$vip4")" 0
alone || verify
[ "$tap_failed" = 0 ] || diag "$(tail -n 60 "$tmp/keepalived-lb.log")"
done_testing
