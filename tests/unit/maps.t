#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A row of include/ivb/maps.def that does not say how an upgrade takes what is in the map, or that would lose what
# commands have set, does not compile.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

cd "$(dirname "$0")/../.." || exit
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/ivb"
def=include/ivb/maps.def

# compile SED-SCRIPT: the table of user space, with the rows edited so
compile() {
	sed "$1" $def >"$tmp/ivb/maps.def"
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I"$tmp" -Iinclude -Isrc -fsyntax-only src/dp/instance/instance.c
}

# broken WHAT MAP WAY ERE: that map's way is the other one, and the compiler says why not
broken() {
	broken_edit="/, $2,/s/, SET)/$3)/"
	broken_said=$(compile "$broken_edit" 2>&1) && broken_said="it compiles"
	nok "the edit of $2 has been made" cmp -s $def "$tmp/ivb/maps.def"
	like "$1" "$broken_said" "error: .*$4"
}

ok "the rows compile" compile ''
for map in non_masq kernel_snat services config; do
	broken "$map without a way" $map '' "requires 9 arguments, but only 8"
	broken "$map with an empty way" $map ', ' "IVB_TAKEN_"
	broken "$map in a way that nobody knows" $map ', LATER' "IVB_TAKEN_LATER"
	broken "$map begins anew, though commands set it" $map ', ANEW' "the map $map is set by commands"
	broken "$map is left to connections" $map ', CONNS' "the map $map is set by commands"
done
done_testing
