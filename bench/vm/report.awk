# SPDX-License-Identifier: GPL-2.0-or-later
# Reads targets.txt, then lines "KERNEL BOOT CONFIG METRIC INSTRUCTIONS". The director's part of a figure is what
# it has over the median of `direct` in the same boot. Prints a table; with json=FILE writes that too; with
# as=ratios prints "KERNEL CONFIG METRIC RATIO" lines instead.

FNR == 1 { file++ }
/^#/ || !NF { next }
file == 1 { target[$1, $2, $3] = $4; next }
{
	add(kernels, $1)
	add(configs, $3)
	boots[$1, $2] = $1
	total[$1, $2, $3, $4] = total[$1, $2, $3, $4] " " $5
}

function add(list, what,	i) {
	for (i = 1; i in list; i++)
		if (list[i] == what)
			return
	list[i] = what
}

# sorted(TEXT, INTO): the numbers of TEXT, in order; how many
function sorted(text, into,	n, i, j, t) {
	n = split(text, into, " ")
	for (i = 2; i <= n; i++) {
		t = into[i] + 0
		for (j = i - 1; j > 0 && into[j] + 0 > t; j--)
			into[j + 1] = into[j]
		into[j + 1] = t
	}
	return n
}

function median(text,	v, n) {
	n = sorted(text, v)
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

# director(K, C, M): its instructions, for each repeat of each boot
function director(k, c, m,	b, part, v, n, i, base, all) {
	for (b in boots) {
		if (boots[b] != k)
			continue
		split(b, part, SUBSEP)
		if (!((k, part[2], "direct", m) in total))
			continue
		base = median(total[k, part[2], "direct", m])
		n = split(total[k, part[2], c, m], v, " ")
		for (i = 1; i <= n; i++)
			all = all " " (v[i] - base)
	}
	return all
}

function ratio(k, c, m,	masq) {
	masq = median(director(k, "ipvs-masq", m))
	return masq ? median(director(k, c, m)) / masq : 0
}

function row(k, c, m,	v, n, all, r, text, t) {
	all = director(k, c, m)
	n = sorted(all, v)
	if (!n)
		return
	r = ratio(k, c, m)
	if (as == "ratios") {
		printf "%s %s %s %.3f\n", k, c, m, r
		return
	}
	t = target[k, c, m]
	printf "%-6s %-12s %-10s %9d %9d %9d %7.3f%s\n", k, c, m, v[1], median(all), v[n], r,
		t ? sprintf("  %s %s", t, r <= t ? "reached" : "missed") : ""
	text = sprintf("{\"kernel\":\"%s\",\"config\":\"%s\",\"metric\":\"%s\",\"instructions\":" \
		"{\"min\":%d,\"median\":%d,\"max\":%d},\"ratio\":%.4f%s}",
		k, c, m, v[1], median(all), v[n], r, t ? ",\"target\":" t : "")
	results = results (results ? ",\n " : "") text
}

END {
	if (as != "ratios")
		printf "%-6s %-12s %-10s %9s %9s %9s %7s  %s\n", "kernel", "config", "per", "min", "median", "max", "ratio", "target"
	for (i = 1; i in kernels; i++)
		for (m = 1; m <= 2; m++)
			for (j = 1; j in configs; j++)
				if (configs[j] != "direct")
					row(kernels[i], configs[j], m == 1 ? "pair" : "connection")
	if (json)
		printf "{\"results\":[\n %s\n]}\n", results >json
}
