#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `metrics`: Prometheus' text format, rule by rule, and the counts of what the client has sent.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl
ns_begin
two_armed
web
ok "up" up --snat always
service -t 4 80 rr
service -t 6 80 rr
get 4 6 >/dev/null
get 6 6 >/dev/null
ivb metrics >"$tmp/before"
is "metrics" $? 0
conns_before=$(awk '/^ipvs_bpf_server_connections_total/ { n += $2 } END { print n }' "$tmp/before")
get 4 6 >/dev/null
ivb metrics >"$tmp/after"

# metric and label names, quotes, numbers; a TYPE before the samples, all of a metric together, no sample twice
# (https://prometheus.io/docs/instrumenting/exposition_formats/)
faults=$(awk '
	/^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ./ { next }
	/^# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge)$/ {
		if ($3 in type)
			print "twice: " $0
		type[$3] = $4
		metric = $3
		next
	}
	/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*")*\})? [0-9]+$/ {
		name = $0
		sub(/[{ ].*/, "", name)
		if (name != metric)
			print "not under its TYPE: " $0
		if ((type[name] == "counter") != (name ~ /_total$/))
			print "name and type: " $0
		key = $0
		sub(/ [0-9]+$/, "", key)
		if (seen[key]++)
			print "twice: " $0
		next
	}
	{ print "not of the format: " $0 }' "$tmp/after")
is "every line is of Prometheus' format" "$faults" ""
is "six connections more" \
	"$(awk '/^ipvs_bpf_server_connections_total/ { n += $2 } END { print n }' "$tmp/after")" $((conns_before + 6))
like "a server's packets" "$(cat "$tmp/after")" \
	'^ipvs_bpf_server_packets_total\{engine="bpf",family="IPv6",protocol="TCP",address="fd00::80",port="80",zone="0",server="fd02:1::2",server_port="80",direction="in",path="ebpf"\} [1-9]'
like "both devices" "$(grep -c '^ipvs_bpf_device_attached{.*} 1$' "$tmp/after")" '^[2-9]$'
like "the timers run" "$(grep -c '^ipvs_bpf_expiry_running{.*} 1$' "$tmp/after")" '^2$'
is "every reason, in packets and bytes" "$(grep -c '^ipvs_bpf_packets_total{kind' "$tmp/after")" \
	"$(grep -c '^ipvs_bpf_bytes_total{kind' "$tmp/after")"
is "nothing but the metrics" "$(ivb metrics more 2>&1)" "ipvs-bpf metrics: unexpected 'more'; see --help"
verify
done_testing
