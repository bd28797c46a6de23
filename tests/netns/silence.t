#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is set up wrong is said, and by whom it can be: nothing that a user would expect to be carried is left
# out without a word. The exit status stays ipvsadm's, so that scripts go on.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ns_begin
servers='1 2'
two_armed

# says WANT-STATUS ERE ARGUMENT...: the exit status and what is printed; 'nothing' for silence
says() {
	says_rc=$1
	says_text=$2
	shift 2
	rc=0
	out=$(ivb "$@" 2>&1 </dev/null) || rc=$?
	if [ "$says_text" = nothing ]; then
		is "$*: not a word" "$rc $out" "$says_rc "
	else
		like "$*: says so" "$rc $out" "^$says_rc .*$says_text"
	fi
}

# --- services and servers that cannot work as things are ---
ok "up" ivb up wan s1
says 0 'warning: 10.7.7.7 is not an address of this host' adm -A -t 10.7.7.7:80 -s rr
says 0 'warning: fd00:7::7 is not an address of this host' adm -A -t '[fd00:7::7]:80' -s rr
says 0 nothing adm -A -t $vip4:80 -s rr
says 0 nothing adm -A -t "$(vip 6 80)" -s rr
says 0 nothing adm -a -t $vip4:80 -r "$(rip 4 1 80)" -m
says 0 'leads through s2, which is not attached.*ipvs-bpf up s2' adm -a -t $vip4:80 -r "$(rip 4 2 80)" -m
says 0 'leads through s2, which is not attached' adm -a -t "$(vip 6 80)" -r "$(rip 6 2 80)" -m
says 0 'leads through s2, which is not attached' adm -e -t $vip4:80 -r "$(rip 4 2 80)" -m -w 2
says 0 nothing adm -d -t $vip4:80 -r "$(rip 4 2 80)"
ipn lb route add local 10.7.8.0/24 dev lo
says 0 nothing adm -A -t 10.7.8.9:80 -s rr
ok "another zone's device" ivb up --zone 5 s2
says 0 'leads through s2, which is in zone 5' adm -a -t $vip4:80 -r "$(rip 4 2 80)" -m
says 0 nothing adm -C
says 0 nothing up --any-vip
says 0 nothing adm -A -t 10.7.7.7:80 -s rr
says 0 nothing adm -C
says 0 nothing up --any-vip=no
seq 1 3000 | sed 's/.*/-A -t 10.7.7.7:& -s rr/' >"$tmp/many"
out=$(ivb adm -R <"$tmp/many" 2>&1)
is "-R of many: five warnings, and how many more" \
	"$(echo "$out" | grep -c 'line [1-5]: 10.7.7.7 is not')/$(echo "$out" | grep -c 'and 2995 more')" 5/1
ivb adm -C
ivb down

done_testing
