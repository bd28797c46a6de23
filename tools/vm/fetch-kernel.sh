#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernel.sh 6.1|6.12|7.3: prints the folder of an unpacked stock Debian kernel of that series (boot/,
# lib/modules/). The first call takes the newest package of the archive; later calls need no network.
# To move to a newer package, remove the link $CACHE/kernels/SERIES and call again.
set -eu

die() {
	echo "fetch-kernel: $*" >&2
	exit 1
}

# suite: of the archive, "" for the host's own; images: each a package, of which the first tells the version.
suite=''
case ${1-} in
# the signed images: the unsigned ones hold the same kernel but are not what users run
6.1) images='linux-image-6\.1\.[0-9]+-[0-9]+-cloud-amd64' ;;
6.12) images='linux-image-6\.12\.[0-9]+\+deb12-amd64' ;;
# since 7.x an image is three packages
7.3)
	suite=trixie-backports
	images='linux-binary-7\.3\.[0-9]+\+deb13-amd64 linux-modules- linux-base-'
	;;
*)
	echo "usage: fetch-kernel.sh 6.1|6.12|7.3" >&2
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

tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# A suite that is not the host's has an apt configuration of its own: the host's is not touched.
own_apt() {
	uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
	[ -n "$uri" ] || die "apt knows no mirror of Debian 12 (suite bookworm, main), from which $suite could be fetched"
	mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$tmp/apt/sources.list"
}

apt() {
	tool=$1
	shift
	[ -z "$suite" ] || set -- -o Dir::Etc::sourcelist="$tmp/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$tmp/apt/lists" -o Dir::Cache="$tmp/apt/cache" "$@"
	"$tool" -q -o APT::Sandbox::User=root "$@"
}

newest() {
	apt apt-cache pkgnames linux- | grep -Ex "${images%% *}" | sort -V | tail -n 1
}

fetch() {
	pkg=$(newest)
	[ -n "$pkg" ] || return 1
	echo "== fetching Debian's kernel $pkg" >&2
	rm -f "$tmp"/*.deb
	all=$pkg
	for prefix in ${images#"${images%% *}"}; do
		all="$all $prefix${pkg#linux-binary-}"
	done
	# shellcheck disable=SC2086 # a list of names
	(cd "$tmp" && apt apt-get download $all >&2)
}

# the lists may be absent or name a package that the mirror no longer has
[ -z "$suite" ] || own_apt
fetch || {
	[ "$(id -u)" = 0 ] || die "no package like ${images%% *} can be fetched; run 'apt-get update' as root, then try again"
	apt apt-get update >&2 || die "apt-get update failed: see above; is a Debian mirror reachable?"
	fetch || die "no package like ${images%% *} can be fetched: see above"
}

mkdir "$tmp/root"
for deb in "$tmp"/*.deb; do
	dpkg-deb -x "$deb" "$tmp/root" || die "cannot unpack $deb"
done
[ ! -d "$tmp/root/usr/lib/modules" ] || {
	mkdir -p "$tmp/root/boot" "$tmp/root/lib"
	mv "$tmp/root/usr/lib/modules" "$tmp/root/lib/modules"
}
name=${pkg}_$(dpkg-deb -f "$(ls "$tmp/$pkg"_*.deb)" Version)
version=$(ls "$tmp/root/lib/modules")
[ ! -e "$tmp/root/lib/modules/$version/vmlinuz" ] ||
	mv "$tmp/root/lib/modules/$version/vmlinuz" "$tmp/root/boot/vmlinuz-$version"
set -- "$tmp"/root/boot/vmlinuz-*
[ -s "$1" ] || die "$pkg holds no kernel"
find "$tmp/root" -mindepth 1 -maxdepth 1 ! -name boot ! -name lib -exec rm -rf {} +
# Debian's package does this when it is installed
depmod -b "$tmp/root" "$version"

rm -rf "${cache:?}/$name"
mv "$tmp/root" "$cache/$name"
ln -sfn "$name" "$link"
found || die "cannot use $cache/$name"
