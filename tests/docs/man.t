#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The man page has every command, and every long option of each, that --help has.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

cd "$(dirname "$0")/../.." || exit
bin=${BUILD:-build}/ipvs-bpf
man=man/ipvs-bpf.8
[ -x "$bin" ] || skip_all "no $bin: run make"

commands=$("$bin" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
like "there are commands" "$commands" '^up$'

# options of the man page's text about one command, or about all
in_man() {
	awk -v want="$1" '
		/^\.It Cm [a-z]/ && depth == 1 { is = $3 == want }
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		/^\.Sh/ { is = 0; depth = 0 }
		is' "$man" | tr ' ' '\n' | sed -n 's/^-\([a-z0-9-][a-z0-9-]*\)$/\1/p' | sort -u
}
in_help() {
	"$bin" "$1" --help | grep -oE -e '--[a-z0-9][a-z0-9-]*' | sed 's/^--//' | sort -u
}

for c in $commands; do
	like "$c has a paragraph" "$(grep -E '^\.It Cm ' "$man")" "^\.It Cm $c( |\$)"
	in_help "$c" >"/tmp/help.$$"
	in_man "$c" >"/tmp/man.$$"
	# of other commands, in examples and references
	"$bin" --help | grep -oE -e '--[a-z-]+' | sed 's/^--//' >"/tmp/global.$$"
	is "$c: options that the page does not have" "$(grep -vxF -f "/tmp/global.$$" "/tmp/help.$$" | grep -vxF -f "/tmp/man.$$" | tr '\n' ' ')" ''
done

for reason in $(sed -n 's/^IVB_\(PASS\|DROP\|SENT\)(\([A-Z_]*\),.*/\2/p' include/ivb/reasons.def | tr '[:upper:]' '[:lower:]'); do
	like "the reason $reason is there" "$(grep '^\.It [a-z_]*' "$man")" "[ ,]$reason( |\$)"
done
rm -f "/tmp/help.$$" "/tmp/man.$$" "/tmp/global.$$"
done_testing
