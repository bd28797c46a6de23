#!/bin/sh
# Installs what tools/packages.txt names and this host lacks. Says what it will install before it does,
# and keeps the daemons among the packages from being started.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

cd "$(dirname "$0")/.."

die() {
	echo "install-packages: $*" >&2
	exit 1
}

missing() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' tools/packages.txt | while read -r p; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || printf '%s ' "$p"
	done
}

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
	die "this needs Debian's apt-get and dpkg-query. On another system install the programs that tools/packages.txt names."

want=$(missing)
[ -n "$want" ] || exit 0
[ "$(id -u)" = 0 ] || die "these Debian packages are missing, and installing them needs root: $want"

echo "== installing Debian packages: $want"
policy=/usr/sbin/policy-rc.d
ours=
undo() {
	[ -z "$ours" ] || rm -f "$policy"
}
trap undo EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e "$policy" ]; then
	ours=1
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update || die "apt-get update failed: see above; is a Debian 12 mirror reachable?"
# shellcheck disable=SC2086 # a list of names
apt-get -q -y --no-install-recommends install $want ||
	die "apt-get install failed: see above; the packages wanted were: $want"
want=$(missing)
[ -z "$want" ] || die "apt-get ended well, yet these packages are not installed: $want"
