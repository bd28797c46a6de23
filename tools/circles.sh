#!/bin/sh
# Circles between object files: each symbol that one needs and another has is an arrow. Prints the
# files of each circle. tools/circles.sh OBJECT...
# SPDX-License-Identifier: GPL-2.0-or-later
set -u

arrows() {
	nm -A -g "$@" | awk '
		{ file = substr($1, 1, index($1, ":") - 1) }
		$(NF - 1) == "U" { needs[file, $NF] = 1; next }
		$(NF - 1) ~ /^[TDBRC]$/ { has[$NF] = file }
		END {
			for (n in needs) {
				split(n, part, SUBSEP)
				if (part[2] in has && has[part[2]] != part[1])
					print part[1], has[part[2]]
			}
		}'
}

arrows "$@" | sort -u | tsort 2>&1 >/dev/null | sed -n 's/^tsort: \(.*\.o\)$/\1/p; s/^tsort: -: \(.*loop.*\)/\1/p'
