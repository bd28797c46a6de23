# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How the demo talks: sections with the time gone by, commands as they are run, tables, the summary.
# shellcheck disable=SC2034,SC2154 # read by, and from, the other parts

began=$(date +%s)
failures=0
total=0
total_failed=0
summary_lines=''
bold='' dim='' red='' plain=''
if [ -t 1 ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
fi

section() {
	printf '\n%s[%2d s] %s%s\n' "$bold" $(($(date +%s) - began)) "$1" "$plain"
}

say() {
	printf '  %s\n' "$*"
}

fail() {
	failures=1
	printf '  %sFAILED: %s%s\n' "$red" "$*" "$plain"
}

# stop_here TEXT: a failure after which the rest says nothing
stop_here() {
	fail "$*"
	exit 1
}

prompt() {
	echo "ipvs-bpf $*" | fold -s -w 84 | sed '1s/^/  director# /; 2,$s/^/              /'
}

# run ARGUMENT...: a command of the product on the director, shown as it runs. It must succeed.
run() {
	prompt "$@"
	# shellcheck disable=SC2068 # a list of devices is one word for the eye
	ivb $@ >"$tmp/run" 2>&1 || {
		fail "status $?"
		sed 's/^/    /' "$tmp/run"
		exit 1
	}
	sed "s/^/    $dim/; s/\$/$plain/" "$tmp/run"
}

# show TITLE LINES ARGUMENT...: the end of what a command of the product prints
show() {
	printf '  %s%s%s\n' "$dim" "$1:" "$plain"
	show_lines=$2
	shift 2
	prompt "$@"
	ivb "$@" 2>&1 | tail -n "$show_lines" | cut -c 1-96 | sed 's/^/    /'
}

# bar TITLE COUNT OF
bar() {
	bar_n=$(($2 * 48 / $3))
	printf '  %-18s %5d  %s\n' "$1" "$2" "$(head -c "$bar_n" /dev/zero | tr '\0' '#')"
}

# note TITLE VALUE: a line of the summary
note() {
	summary_lines="$summary_lines$(printf '  %-46s %s' "$1" "$2")
"
}

summary() {
	section "Summary"
	note "requests in all" "$total"
	note "requests failed" "$total_failed"
	note "seconds" "$(($(date +%s) - began))"
	printf '%s' "$summary_lines"
	[ "$total" -ge 100000 ] || fail "fewer than 100,000 requests"
	[ "$total_failed" -eq 0 ] || fail "$total_failed requests failed"
	[ "$failures" -eq 0 ] && say "${bold}Not one request failed.$plain"
}
