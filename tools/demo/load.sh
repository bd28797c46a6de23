# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo under load: at least 100,000 requests, on connections kept alive and on new ones, while a server is
# drained and removed and comes back. wrk's errors and answers other than 2xx are failures.
# shellcheck disable=SC2034,SC2154 # read by, and from, the other parts

# wrk_start SECONDS CONNECTIONS URL [OPTION...]: in the background
wrk_start() {
	wrk_log=$tmp/wrk
	wrk_t=$1 wrk_c=$2 wrk_url=$3
	shift 3
	nsenter --net="/run/netns/$(ns_name cl)" wrk -t 2 -c "$wrk_c" -d "${wrk_t}s" --timeout 5s "$@" "$wrk_url" \
		>"$wrk_log" 2>&1 &
	wrk_pid=$!
	proc_list="$proc_list $wrk_pid"
}

# wrk_wait: sets $wrk_requests, $wrk_failed, $wrk_rate
wrk_wait() {
	wait "$wrk_pid" || stop_here "wrk: $(tail -n 1 "$wrk_log")"
	wrk_requests=$(awk '/requests in/ { print $1 }' "$wrk_log")
	wrk_rate=$(awk '/^Requests\/sec/ { printf "%d", $2 }' "$wrk_log")
	wrk_failed=$(awk '/Socket errors/ { gsub(",", ""); n += $4 + $6 + $8 + $10 }
		/Non-2xx/ { n += $NF } END { print n + 0 }' "$wrk_log")
	[ "${wrk_requests:-0}" -gt 0 ] || stop_here "wrk did not get an answer"
}

# wrk_end: the same, and counts them among ours
wrk_end() {
	wrk_wait
	total=$((total + wrk_requests))
	total_failed=$((total_failed + wrk_failed))
	[ "$wrk_failed" -eq 0 ] || fail "$(grep -E 'Socket errors|Non-2xx' "$wrk_log")"
}

# active FAMILY N: active connections of a server, as the listing shows them
active() {
	ivb adm -L -n | awk -v r="$(rip "$1" "$2" 80)" '$2 == r { print $5 }'
}

drained() {
	[ "$(active 4 3)" = 0 ]
}

# counters: what the product has counted for each server of the services on port 80
counters() {
	say "per server, as ipvs-bpf --json adm -L has it:"
	say "$(printf '%-16s %6s %10s %10s %10s %9s %9s' server weight conns 'packets>' '<packets' 'MB>' '<MB')"
	ivb --json adm -L -n | awk '
		{ k = $0; sub(/^[^"]*"/, "", k); sub(/".*/, "", k) }
		{ v = $0; sub(/^[^:]*:/, "", v); gsub(/[", ]/, "", v); x[k] = v }
		k == "slot" && "weight" in x {
			if (x["port"] == 80)
				printf "  %-16s %6d %10d %10d %10d %9.1f %9.1f\n", x["address"], x["weight"], x["conns"],
					x["in_packets"], x["out_packets"], x["in_bytes"] / 1e6, x["out_bytes"] / 1e6
			delete x["weight"]
		}'
}

load() {
	section "Load, connections kept alive: server 3 is drained, removed, and comes back"
	wrk_start 6 48 "http://$(vip 4)/"
	sleep 1
	show "under load" 5 adm -L -n -t "$(vip 4 80)"
	say "the table of connections, live:"
	prompt adm -L -n -c '| grep ESTABLISHED | tail -n 6'
	ivb adm -L -n -c | grep ESTABLISHED | tail -n 6 | sed 's/^/    /'
	say "all of it by state: $(ivb adm -L -n -c | awk '/^(TCP|UDP)/ { n[$3]++ }
		END { for (s in n) printf "%s%s %d", sep, s, n[s]; }' sep=', ' | sed 's/^, //')"
	run adm -e -t "$(vip 4 80)" -r 10.2.3.2:80 -m -w 0
	if wait_for 5 drained; then
		say "its connections have ended by themselves (nginx: 500 requests on each)"
	else
		say "it still has $(active 4 3) active connections; they will be cut now"
	fi
	show "drained" 4 adm -L -n -t "$(vip 4 80)"
	run adm -d -t "$(vip 4 80)" -r 10.2.3.2:80
	sleep 1
	show "removed" 3 adm -L -n -t "$(vip 4 80)"
	run adm -a -t "$(vip 4 80)" -r 10.2.3.2:80 -m -w 3
	wrk_end
	say "$wrk_requests requests, $wrk_rate a second, failed: $wrk_failed"
	note "requests on connections kept alive, IPv4" "$wrk_requests, $wrk_failed failed"

	section "Load, a new connection for each request"
	for f in 4 6; do
		wrk_start 3 48 "http://$(vip $f)/" -H 'Connection: close'
		if [ $f = 4 ]; then
			sleep 1
			run adm -e -t "$(vip 4 80)" -r 10.2.2.2:80 -m -w 0
			sleep 0.5
			run adm -e -t "$(vip 4 80)" -r 10.2.2.2:80 -m -w 2
		fi
		wrk_end
		say "IPv$f: $wrk_requests requests on as many connections, $wrk_rate a second, failed: $wrk_failed"
		note "requests on a new connection each, IPv$f" "$wrk_requests, $wrk_failed failed"
	done
	# however slow the machine is
	while [ "$total" -lt 100000 ] && [ $(($(date +%s) - began)) -lt 50 ]; do
		wrk_start 3 48 "http://$(vip 6)/"
		wrk_end
		say "IPv6, kept alive: $wrk_requests requests, failed: $wrk_failed"
	done
	counters
}
