#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mkbase.sh 6.1|6.12|7.3: prints the file name of an initramfs (cpio, not compressed) with a stock Debian
# kernel's networking modules and this host's own programs; FILE.list names what is in it. Kept in the cache;
# made anew when the kernel, these scripts or the host's packages have changed. run.sh appends what a run needs.
set -eu

die() {
	echo "mkbase: $*" >&2
	exit 1
}

# Under /lib/modules/VERSION/kernel; what they depend on comes along.
module_dirs='net/netfilter net/ipv4 net/ipv6 net/bridge net/sched net/8021q net/802 net/core net/xfrm
net/unix net/packet net/sctp drivers/net/bonding drivers/net/wireguard drivers/net/vxlan drivers/virtio'
module_names='veth dummy geneve macvlan macvtap ipvlan tun tap ifb vrf netdevsim nlmon virtio_net
virtio_console virtio_rng'

# Real programs wherever a test may lean on them: busybox is only for the rest. (Its timeout, env and
# xargs would also start busybox's own ip, whatever PATH says.)
programs='dash bash ip tc ss bridge nft iptables ip6tables xtables-legacy-multi ipset ipvsadm bpftool
conntrack ethtool strace tcpdump nginx curl iperf3 wrk socat dig dnsmasq perl keepalived
[ base64 basename cat chmod chown comm cp cut date dd df dirname du echo env expr factor false fold head
id install join ln ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste printenv
printf pwd readlink realpath rm rmdir seq sha256sum shuf sleep sort split stat stdbuf stty sync tac tail
tee test timeout touch tr true truncate tty uname uniq wc who yes
grep sed mawk find xargs cmp diff tar gzip
ps pgrep pkill pidof free top uptime w watch sysctl vmstat
mount umount mountpoint nsenter unshare flock setsid setpriv script dmesg ionice chrt taskset prlimit lscpu
getent ldd'
libraries='libbpf.so libelf.so libz.so libjson-c.so libmnl.so libnftables.so'

here=$(cd "$(dirname "$0")" && pwd)
kernel=$("$here/fetch-kernel.sh" "$1")
version=$(ls "$kernel/lib/modules")
cache=${IVB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipvs-bpf}/base
out=$cache/$version.cpio

# The host's packages are the programs' versions: one stamp for all of them.
key() {
	cat "$here/mkbase.sh" "$here/init" "$here/shellrc"
	echo "$kernel"
	stat -c %Y /var/lib/dpkg/status 2>/dev/null || date +%F
}
key=$(key | sha256sum)
fresh() {
	[ -s "$out" ] && [ "$(cat "$out.key" 2>/dev/null)" = "$key" ] && echo "$out"
}
fresh && exit 0

mkdir -p "$cache"
exec 9>"$out.lock"
flock 9
fresh && exit 0

tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
root=$tmp/root

skeleton() {
	mkdir -p "$root"
	(
		cd "$root"
		mkdir -p usr/bin usr/sbin usr/lib usr/lib64 proc sys dev tmp run etc root home mnt var/lib \
			var/log/nginx var/lib/nginx usr/share/nginx var/tmp
		for d in bin sbin lib lib64; do
			ln -s "usr/$d" "$d"
		done
		ln -s ../run var/run
		ln -s ../run/lock var/lock
		ln -s /proc/self/mounts etc/mtab
	)
}

modules() {
	(
		cd "$kernel/lib/modules/$version/kernel"
		for d in $module_dirs; do
			[ ! -d "$d" ] || find "$d" -name '*.ko*'
		done | sed -e 's,.*/,,' -e 's/\.ko.*//'
		echo "$module_names" | tr ' ' '\n'
	) >"$tmp/wanted"
	# A name that this kernel does not have is left out: what needs it says so itself.
	while read -r m; do
		modprobe -S "$version" -d "$kernel" --show-depends "$m" 2>/dev/null || :
	done <"$tmp/wanted" | sed -n 's,^insmod .*/\(lib/modules/[^ ]*\).*,\1,p' | sort -u >"$tmp/files"
	[ -s "$tmp/files" ] || die "no modules found in $kernel"
	printf "lib/modules/$version/modules.%s\n" builtin builtin.modinfo order >>"$tmp/files"
	(cd "$kernel" && cpio -pdm --quiet "$root/usr") <"$tmp/files"
	find "$root/usr/lib/modules" -name '*.ko.xz' -exec xz -d {} +
	# /lib is a link to usr/lib there
	depmod -b "$root" "$version"
}

# add_file PATH: the host's PATH (links followed) to the same place in the guest, with its libraries.
add_file() {
	case $1 in
	/bin/* | /sbin/* | /lib/* | /lib64/*) dest=$root/usr$1 ;;
	*) dest=$root$1 ;;
	esac
	[ -e "$dest" ] || install -D -m 755 "$(readlink -f "$1")" "$dest"
}

programs() {
	for p in $programs; do
		path=$(command -v "/usr/sbin/$p" || command -v "/usr/bin/$p" || command -v "/sbin/$p" ||
			command -v "/bin/$p") || die "this host has no program '$p'; tools/install-packages.sh installs what is needed"
		echo "$path"
	done >"$tmp/programs"
	for l in $libraries; do
		ldconfig -p | awk -v l="$l" 'index($1, l) == 1 && !/\.so /{ print $NF; exit }'
	done >>"$tmp/programs"
	find /usr/lib/x86_64-linux-gnu/xtables /usr/lib/nginx/modules /usr/lib/x86_64-linux-gnu/libnss_dns* \
		-name '*.so*' 2>/dev/null >>"$tmp/programs" || :
	xargs ldd <"$tmp/programs" 2>/dev/null | sed -n 's,^[^/]*\(/[^ :]*\) (0x.*,\1,p' | sort -u >"$tmp/libs"
	cat "$tmp/programs" "$tmp/libs" >"$tmp/all"
	while read -r f; do
		add_file "$f"
	done <"$tmp/all"
	dpkg -L perl-base | grep -E '^/usr/(lib|share)/.*perl' | grep -v /unicore/ | while read -r f; do
		[ -d "$f" ] || add_file "$f"
	done
	ln -s dash "$root/usr/bin/sh"
	ln -s mawk "$root/usr/bin/awk"
	for p in iptables-save iptables-restore ip6tables-save ip6tables-restore; do
		ln -s iptables "$root/usr/sbin/$p"
	done
	for p in iptables ip6tables; do
		for s in '' -save -restore; do
			ln -s xtables-legacy-multi "$root/usr/sbin/$p-legacy$s"
		done
	done
	install -m 755 "$(command -v busybox)" "$root/usr/bin/busybox"
	busybox --list | while read -r a; do
		[ -e "$root/usr/bin/$a" ] || [ -e "$root/usr/sbin/$a" ] || ln -s busybox "$root/usr/bin/$a"
	done
	ln -s ../bin/busybox "$root/usr/sbin/modprobe"
}

config() {
	cp -RL /etc/iproute2 /etc/protocols /etc/services /etc/ethertypes "$root/etc/" 2>/dev/null || :
	[ -s "$root/etc/services" ] || die "this host has no /etc/services (Debian package netbase)"
	cp -R /etc/nginx "$root/etc/" && rm -rf "$root/etc/nginx/modules-enabled"
	mkdir -p "$root/usr/share/terminfo" "$root/var/lib/nginx/body"
	cp -RL /lib/terminfo/. "$root/usr/share/terminfo/"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'www-data:x:33:33::/var/www:/bin/false' \
		'nobody:x:65534:65534::/nonexistent:/bin/false' >"$root/etc/passwd"
	printf '%s\n' root:x:0: tty:x:5: www-data:x:33: nogroup:x:65534: >"$root/etc/group"
	printf '%s files\n' passwd: group: hosts: protocols: services: >"$root/etc/nsswitch.conf"
	printf '%s\n' '127.0.0.1 localhost director' '::1 localhost' >"$root/etc/hosts"
	echo director >"$root/etc/hostname"
	install -m 755 "$here/init" "$root/init"
	install -m 644 "$here/shellrc" "$root/etc/shellrc"
}

echo "== making the guest's base for $version" >&2
skeleton
programs
modules
config
(cd "$root" && find . | sort) >"$tmp/list"
(cd "$root" && cpio -o -H newc -R 0:0 --quiet) <"$tmp/list" >"$tmp/cpio"
printf '%s\n' "$key" >"$tmp/key"
rm -f "$out.key"
mv "$tmp/cpio" "$out"
mv "$tmp/list" "$out.list"
mv "$tmp/key" "$out.key"
fresh
