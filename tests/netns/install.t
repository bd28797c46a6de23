#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `make install` into a folder of its own: what is there, that it works from there with nothing of the build tree,
# also by ipvsadm's names, and that `make uninstall` leaves nothing.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need nginx curl make
ns_begin
servers='1 2'
two_armed
servers_route_back
web
root=$tmp/root
installed() {
	make -s -C "$top" "$1" DESTDIR="$root" PREFIX=/usr
}
ok "make install" installed install
is "the command asks the environment for nothing" "$(nm -D --undefined-only "$root/usr/sbin/ipvs-bpf" | grep getenv)" ''
is "and nm does tell: it loads programs by libbpf" "$(nm -D --undefined-only "$root/usr/sbin/ipvs-bpf" | grep -c bpf_object__load_skeleton)" 1
doc=usr/share/doc/ipvs-bpf
is "what is there" "$(cd "$root" && find . ! -type d ! -path "./$doc/*" | sort | tr '\n' ' ')" \
	"./usr/libexec/ipvs-bpf/ipvsadm ./usr/libexec/ipvs-bpf/ipvsadm-restore ./usr/libexec/ipvs-bpf/ipvsadm-save\
 ./usr/sbin/ipvs-bpf ./usr/share/man/man8/ipvs-bpf.8 "
# files FOLDER NAME...: below the folder, by find's tests
files() {
	(cd "$1" && shift && find . -type f "$@" | sort)
}
is "all documents" "$(files "$root/$doc" -name '*.md')" \
	"$(cd "$top" && ls ./*.md ./docs/*.md ./docs/decisions/*.md | sort)"
# links DOCUMENT: the files that it leads to
links() {
	grep -oE '\]\([^)#:]+' "$1" | sed 's/^](//'
}
lost=$(files "$root/$doc" -name '*.md' | while read -r f; do
	links "$root/$doc/$f" | while read -r to; do
		[ -e "$root/$doc/${f%/*}/$to" ] || echo "$f: $to"
	done
done)
is "what they lead to is there" "$lost" ''
for f in usr/sbin/ipvs-bpf usr/share/man/man8/ipvs-bpf.8 $doc/README.md $doc/docs/guide.md; do
	case $f in
	*/sbin/*) mode=755 ;;
	*) mode=644 ;;
	esac
	is "mode and owner of $f" "$(stat -c '%a %U' "$root/$f")" "$mode root"
done
for n in ipvsadm ipvsadm-save ipvsadm-restore; do
	is "$n is our program, wherever it is" "$(realpath "$root/usr/libexec/ipvs-bpf/$n")" "$root/usr/sbin/ipvs-bpf"
done
# twice, as an upgrade would
ok "again" installed install

# fresh COMMAND...: as on another machine: nothing but the installed folders in front of the system's, not in the tree
fresh() {
	(cd / && env -i PATH="$root/usr/libexec/ipvs-bpf:$root/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin" "$@")
}
lb=$(ns_name lb)
is "its version" "$(fresh ipvs-bpf --version)" "$("$ipvs_bpf" --version)"
# shellcheck disable=SC2086 # words
ok "up" fresh ipvs-bpf --netns "$lb" up $devs
ok "ipvsadm -A" fresh ipvsadm --netns "$lb" -A -t $vip4:80 -s rr
ok "-a" fresh ipvsadm --netns "$lb" -a -t $vip4:80 -r 10.2.1.2:80 -m
ok "-a" fresh ipvsadm --netns "$lb" -a -t $vip4:80 -r 10.2.2.2:80 -m
is "it balances" "$(get 4 4)" "sv2 sv1 sv2 sv1"
fresh ipvsadm-save --netns "$lb" -n >"$tmp/rules"
is "ipvsadm-save" "$(grep -c . "$tmp/rules")" 3
ok "-C" fresh ipvsadm --netns "$lb" -C
is "nothing is there" "$(fresh ipvsadm --netns "$lb" -S -n)" ''
restore() {
	fresh ipvsadm-restore --netns "$lb" <"$tmp/rules"
}
ok "ipvsadm-restore" restore
is "as it was" "$(fresh ipvsadm --netns "$lb" -S -n)" "$(cat "$tmp/rules")"
is "and it balances" "$(get 4 2 | wc -w)" 2
if command -v man >/dev/null; then
	like "the man page" "$(fresh man -M "$root/usr/share/man" ipvs-bpf 2>&1)" '^NAME'
fi
verify
ok "down" fresh ipvs-bpf --netns "$lb" down
ok "make uninstall" installed uninstall
is "nothing is left" "$(find "$root" ! -type d; find "$root" -name 'ipvs-bpf*')" ''

done_testing
