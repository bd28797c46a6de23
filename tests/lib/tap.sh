# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for shell tests: source it, call the functions below, end with done_testing.
# A test that stops before done_testing has no plan, which prove counts as a failure.

tap_count=0
tap_failed=0

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# tap_result STATUS DESCRIPTION
tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

# ok DESCRIPTION COMMAND...: the command succeeds; its output is shown only when it does not.
ok() {
	tap_what=$1
	shift
	tap_rc=0
	tap_out=$("$@" 2>&1) || tap_rc=$?
	tap_result "$tap_rc" "$tap_what" || diag "$* -> status $tap_rc
$(printf '%s\n' "$tap_out" | tail -n 40)"
}

# nok DESCRIPTION COMMAND...: the command fails.
nok() {
	tap_what=$1
	shift
	tap_rc=0
	tap_out=$("$@" 2>&1) && tap_rc=1
	tap_result "$tap_rc" "$tap_what" || diag "$* should have failed, and said
$(printf '%s\n' "$tap_out" | tail -n 40)"
}

# is DESCRIPTION GOT WANT
is() {
	tap_rc=0
	[ "$2" = "$3" ] || tap_rc=1
	tap_result "$tap_rc" "$1" || diag "  got: $2
 want: $3"
}

# like DESCRIPTION GOT ERE; unlike is its opposite. A line of GOT matches.
like() {
	tap_rc=0
	printf '%s\n' "$2" | grep -Eq -e "$3" || tap_rc=1
	tap_result "$tap_rc" "$1" || diag "  got: $2
 want: a line like /$3/"
}

unlike() {
	tap_rc=0
	printf '%s\n' "$2" | grep -Eq -e "$3" && tap_rc=1
	tap_result "$tap_rc" "$1" || diag "  got: $2
 want: no line like /$3/"
}

# within DESCRIPTION GOT LOW HIGH: whole numbers.
within() {
	tap_rc=0
	[ "$2" -ge "$3" ] 2>/dev/null && [ "$2" -le "$4" ] || tap_rc=1
	tap_result "$tap_rc" "$1" || diag "  got: $2
 want: $3 to $4"
}

# skip REASON [DESCRIPTION]
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - ${2:-} # SKIP $1"
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# bail REASON: ends this test, also from a subshell; the others go on. ("Bail out!" would stop them all.)
bail() {
	echo "not ok $((tap_count + 1)) - $*"
	kill -TERM $$
	exit 1
}

done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}
