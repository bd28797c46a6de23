# SPDX-License-Identifier: GPL-2.0-or-later
# Ratios of the host's benches, from targets, noise and figures (in this order): a table on standard output,
# and, if -v json=FILE and -v svg=FILE are given, the same for machines and as a picture.
# Ratios are of a round, ours over the other's, as both were measured side by side.

function fail(text) { print "report: " text >"/dev/stderr"; exit 1 }

# sorts v[1..n]
function sort(v, n,    i, j, t) {
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (j = i - 1; j > 0 && v[j] > t; j--)
			v[j + 1] = v[j]
		v[j + 1] = t
	}
}

function median(v, n) { return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }

function unit(bench) {
	if (bench ~ /^(pkt-|new$|prog$)/) return "ns/packet"
	if (bench == "conn") return "ns/connection"
	if (bench == "cpu") return "CPU ns/connection"
	if (bench == "bulk") return "bytes/packet"
	if (bench == "bulk-rate") return "Mbit/s"
	if (bench == "lat") return "us"
	if (bench == "requests") return "requests"
	if (bench == "mem") return "bytes/connection"
	return "ns"
}

# the median of a variant's own figures
function value(bench, variant,    v, n, r) {
	n = 0
	for (r = 0; r < rounds[bench]; r++)
		if ((bench, variant, r) in figure)
			v[++n] = figure[bench, variant, r]
	sort(v, n)
	return n ? median(v, n) : 0
}

function verdict(bench, base, ratio, noisy,    key, ok) {
	key = bench SUBSEP base
	if (!(key in gate)) return "-"
	if (noisy) return "noisy, not judged"
	ok = (key in more) ? ratio >= gate[key] : ratio <= gate[key]
	if (!ok) failed++
	if (ok && stretch[key] != "-" && ratio <= stretch[key]) return "goal reached"
	return ok ? "holds" : "MISSED"
}

FILENAME ~ /targets/ {
	if ($0 !~ /^#/) {
		gate[$1, $2] = $3
		stretch[$1, $2] = $4
		if ($5 == "more") more[$1, $2] = 1
	}
	next
}
FILENAME ~ /noise/ { if ($2 > lost[$1]) lost[$1] = $2; next }
{
	figure[$1, $2, $3] = $4
	if ($3 + 1 > rounds[$1]) rounds[$1] = $3 + 1
	if (!($1 in seen)) { seen[$1] = 1; benches[++nb] = $1 }
	if (!(($1, $2) in has)) { has[$1, $2] = 1; variants[$1] = variants[$1] " " $2 }
}

function one(bench, base,    n, r, v, noisy, ours, key, g) {
	n = 0
	for (r = 0; r < rounds[bench]; r++)
		if (((bench, "ipvs-bpf", r) in figure) && figure[bench, base, r] > 0)
			v[++n] = figure[bench, "ipvs-bpf", r] / figure[bench, base, r]
	if (!n) return
	sort(v, n)
	# what is a count (bytes) needs no quiet machine, nor do short batches in the kernel
	noisy = (bench in lost) && lost[bench] > 30 && bench != "bulk"
	ours = value(bench, "ipvs-bpf")
	key = bench SUBSEP base
	g = (key in gate) ? gate[key] : "-"
	printf "%-9s %-10s %10.0f %10.0f  %-17s %5.2f %5.2f %5.2f  %4s %4s  %2d  %s\n", bench, base, ours, \
		value(bench, base), unit(bench), v[1], median(v, n), v[n], g, \
		(key in stretch) ? stretch[key] : "-", n, verdict(bench, base, median(v, n), noisy)
	results = results (results ? ",\n" : "") sprintf("  {\"bench\":\"%s\",\"variant\":\"ipvs-bpf\",\"baseline\":\"%s\",\"unit\":\"%s\",\"value\":%.1f,\"baseline_value\":%.1f,\"ratio\":{\"min\":%.3f,\"median\":%.3f,\"max\":%.3f},\"rounds\":%d,\"noisy\":%s}", \
		bench, base, unit(bench), ours, value(bench, base), v[1], median(v, n), v[n], n, noisy ? "true" : "false")
	bars++
	bar_name[bars] = bench " / " base
	bar_low[bars] = v[1]; bar[bars] = median(v, n); bar_high[bars] = v[n]
	bar_gate[bars] = g; bar_faint[bars] = noisy
}

function picture(    i, y, scale, x0, w, color, h) {
	x0 = 170; w = 560; scale = w / 1.6; h = 46 + bars * 24
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", x0 + w + 70, h >svg
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"10\" y=\"18\" font-size=\"14\">ipvs-bpf, with others = 1 (median of rounds, least and most; | what must hold)</text>\n" >svg
	printf "<line x1=\"%.0f\" y1=\"26\" x2=\"%.0f\" y2=\"%d\" stroke=\"#888\"/>\n", x0 + scale, x0 + scale, h - 8 >svg
	for (i = 1; i <= bars; i++) {
		y = 32 + (i - 1) * 24
		color = bar_faint[i] ? "#bbb" : bar[i] <= 1 ? "#4a8" : "#d95"
		printf "<text x=\"10\" y=\"%d\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>", y + 13, bar_name[i], x0, y, at(bar[i], scale), color >svg
		printf "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"black\"/>", x0 + at(bar_low[i], scale), y + 8, x0 + at(bar_high[i], scale), y + 8 >svg
		if (bar_gate[i] != "-")
			printf "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"red\" stroke-width=\"2\"/>", x0 + at(bar_gate[i], scale), y - 2, x0 + at(bar_gate[i], scale), y + 18 >svg
		printf "<text x=\"%d\" y=\"%d\">%.2f%s</text>\n", x0 + w + 8, y + 13, bar[i], bar_faint[i] ? " noisy" : "" >svg
	}
	print "</svg>" >svg
	close(svg)
}

# longer bars than the picture is wide end at its edge
function at(ratio, scale) { return (ratio > 1.6 ? 1.6 : ratio) * scale }

END {
	if (!nb) fail("no figures")
	printf "%-9s %-10s %10s %10s  %-17s %17s  %4s %4s  %2s\n", "bench", "baseline", "ours", "baseline", "unit", "min  med.  max", "gate", "goal", "n"
	for (i = 1; i <= nb; i++) {
		k = split(variants[benches[i]], names, " ")
		for (j = 1; j <= k; j++)
			if (names[j] != "ipvs-bpf")
				one(benches[i], names[j])
	}
	if (json) {
		printf "{\"machine\":{%s},\n \"results\":[\n%s\n ]}\n", machine, results >json
		close(json)
	}
	if (svg) picture()
	exit failed ? 1 : 0
}
