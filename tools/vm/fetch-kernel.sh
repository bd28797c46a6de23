#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernel.sh 6.1|6.12: prints the folder of an unpacked stock Debian kernel of that series (boot/,
# lib/modules/). The first call takes the newest package of the archive; later calls need no network.
# To move to a newer package, remove the link $CACHE/kernels/SERIES and call again.
set -eu

die() {
	echo "fetch-kernel: $*" >&2
	exit 1
}

case ${1-} in
# the signed images: the unsigned ones hold the same kernel but are not what users run
6.1) pattern='linux-image-6\.1\.[0-9]+-[0-9]+-cloud-amd64' ;;
6.12) pattern='linux-image-6\.12\.[0-9]+\+deb12-amd64' ;;
*)
	echo "usage: fetch-kernel.sh 6.1|6.12" >&2
	exit 2
	;;
esac
series=$1
cache=${IVB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipvs-bpf}/kernels
link=$cache/$series

found() {
	[ -e "$link/lib/modules" ] || return 1
	# not `readlink -f`: the caller sees the path below the cache that it named
	echo "$cache/$(readlink "$link")"
}
found && exit 0

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
found && exit 0

newest() {
	apt-cache pkgnames linux-image-"$series" | grep -Ex "$pattern" | sort -V | tail -n 1
}

tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

fetch() {
	pkg=$(newest)
	[ -n "$pkg" ] || return 1
	echo "== fetching Debian's kernel $pkg" >&2
	rm -f "$tmp"/*.deb
	(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$pkg" >&2)
}

# the lists may be absent or name a package that the mirror no longer has
fetch || {
	[ "$(id -u)" = 0 ] || die "no package like $pattern can be fetched; run 'apt-get update' as root, then try again"
	apt-get -q update >&2 || die "apt-get update failed: see above; is a Debian 12 mirror reachable?"
	fetch || die "no package like $pattern can be fetched: see above"
}

deb=$(ls "$tmp"/*.deb)
name=$(basename "$deb" _amd64.deb)
dpkg-deb --fsys-tarfile "$deb" >"$tmp/tar" || die "cannot unpack $deb"
mkdir "$tmp/root"
tar -C "$tmp/root" -xf "$tmp/tar" ./boot ./lib/modules || die "cannot unpack $deb"
set -- "$tmp"/root/boot/vmlinuz-*
[ -s "$1" ] || die "$pkg holds no boot/vmlinuz"
# Debian's package does this when it is installed
depmod -b "$tmp/root" "$(ls "$tmp/root/lib/modules")"

rm -rf "${cache:?}/$name"
mv "$tmp/root" "$cache/$name"
ln -sfn "$name" "$link"
found || die "cannot use $cache/$name"
