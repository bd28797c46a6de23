#!/bin/sh
. /ipvs-bpf/tests/parity/lib.sh
parity_begin 1
I() {
	printf '$ adm'; for a; do printf ' %s' "$a"; done; echo
	ivb adm "$@" >/tmp/o 2>/tmp/e; rc=$?
	sed 's/^/  | /; s/ $/ <SP>/' /tmp/o; sed 's/^/  ! /; s/ $/ <SP>/' /tmp/e; echo "  = $rc"
}
S() { echo; echo "## $*"; ivb adm -C; }
sed -n '/^S empty/,/^S -L -n -c/p' /facts.sh | grep '^[IS] ' | grep -v '^S -L' > /tmp/lines; . /tmp/lines
sed -n '/^S column/,/^S not/p' /facts2.sh | grep '^[IS] ' | grep -v '^S not' > /tmp/lines; . /tmp/lines
