# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Traffic that goes on while a test changes what carries it: requests one after the other, and a conversation.
# After tests/lib/netns.sh; uses $vip4, $vip6, $slow and, for the conversation, $talk.
# shellcheck disable=SC2154

# requests FILE: both families, until $tmp/stop is there; each that fails is a line FAILED.
requests() {
	while [ -d "$tmp" ] && [ ! -e "$tmp/stop" ]; do
		in_ns cl curl -s --max-time $((10 * slow)) "http://$vip4/" "http://[$vip6]/" || echo FAILED
	done >"$1"
}

more_than() {
	[ "$(wc -l <"$tmp/requests")" -gt "$1" ]
}

# talked: what the conversation of process $talk has come to, into $tmp/talk.log and out
talked() {
	: >"$tmp/talk.log"
	kill -USR1 "$talk"
	wait_for 5 grep -q conns= "$tmp/talk.log"
	sed 's/ gap=.*//' "$tmp/talk.log"
}
