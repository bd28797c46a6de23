#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may not, and kernels that do not let us: an unprivileged user with the hooks attached, and lockdown. What has
# been locked down stays so until the guest ends: this comes last in it.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

need nginx curl setpriv
ns_begin
ipvs_begin
mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
[ -w /sys/kernel/security/lockdown ] || skip_all "this kernel cannot be locked down"
servers=1
two_armed
web

# lock_down LEVEL
lock_down() {
	echo "$1" >/sys/kernel/security/lockdown
	like "the kernel is locked down: $1" "$(cat /sys/kernel/security/lockdown)" "\\[$1\\]"
}

# links: the hooks that are held
links() {
	bpftool link show 2>/dev/null | grep -c '^[0-9]*: tracing'
}

lock_down integrity
ok "the engine is on all the same" follow --snat always
kservice 4 80 rr
is "connections are served" "$(get 4 3)" 'sv1 sv1 sv1'
within "and carried" "$(fast in)" 3 1000

# an unprivileged user
hooks=$(links)
for c in "up $devs" "up --ipvs $devs" "up --ipvs=no" check status "status --verify" conn stats snat run "down --drain" down; do
	rc=0
	# shellcheck disable=SC2086 # words
	out=$(in_ns lb setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all \
		"$ipvs_bpf" --instance "$(ns_name lb)" $c 2>&1) || rc=$?
	like "another user, $c: refused with a reason" "$rc $(echo "$out" | tail -n 1)" '^1 .*not permitted; run as root'
done
is "no hook has gone" "$(links)" "$hooks"
is "nor a connection" "$(get 4 3)" 'sv1 sv1 sv1'
verify

lock_down confidentiality
before=$(fast in)
is "what is attached goes on" "$(get 4 3)" 'sv1 sv1 sv1'
within "and carries" "$(fast in)" $((before + 3)) 1000
ok "options can be changed" ivb up --snat never
ok "down" ivb down
is "nothing is left of it" "$(links) $(ls /sys/fs/bpf/ipvs-bpf 2>/dev/null)" '0 '
like "up says why it cannot" "$(follow 2>&1)" 'cannot load .* locked down \(confidentiality\)'
like "and check" "$(ivb check)" '^NO +programs .* locked down \(confidentiality\)'
is "nothing half attached stays" "$(links) $(ls /sys/fs/bpf/ipvs-bpf 2>/dev/null)" '0 '
done_testing
