# SPDX-License-Identifier: GPL-2.0-or-later
# Includes that go up, or to a neighbour of the same floor. First file: floors.txt; then sources.
FNR == NR {
	if ($0 ~ /^#/ || NF < 2)
		next
	for (i = 2; i <= NF; i++)
		floor[$1 "/" $i] = FNR
	roots[$1] = 1
	next
}

# The root that a file stands in, and its folder there; "" without one.
function place(path, root, rest) {
	for (root in roots) {
		if (index(path, root "/") != 1)
			continue
		rest = substr(path, length(root) + 2)
		return root "/" (rest ~ /\// ? substr(rest, 1, index(rest, "/") - 1) : ".")
	}
	return ""
}

FNR == 1 {
	here = place(FILENAME)
	if (here && !(here in floor))
		print FILENAME " stands in " here ", which tools/floors.txt does not have"
}

/^#include "/ && here {
	split($0, quoted, "\"")
	used = quoted[2]
	there = place((here ~ /^src\// ? "src/" : "bpf/") used)
	if (!there || there == here)
		next
	if (!(there in floor))
		print FILENAME " includes " used ": tools/floors.txt does not have " there
	else if (floor[there] <= floor[here])
		print FILENAME " includes " used ": " there " is not below " here
}
