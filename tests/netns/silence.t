#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is set up wrong is said, and by whom it can be: nothing that a user would expect to be carried is left
# out without a word. The exit status stays ipvsadm's, so that scripts go on.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

need socat
ns_begin
servers='1 2'
two_armed

# says WANT-STATUS ERE ARGUMENT...: the exit status and what is printed; 'nothing' for silence
says() {
	says_rc=$1
	says_text=$2
	shift 2
	answer "$@"
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
many=$(few 3000 60)
seq 1 "$many" | sed 's/.*/-A -t 10.7.7.7:& -s rr/' >"$tmp/many"
out=$(ivb adm -R <"$tmp/many" 2>&1)
is "-R of many: five warnings, and how many more" \
	"$(echo "$out" | grep -c 'line [1-5]: 10.7.7.7 is not')/$(echo "$out" | grep -c "and $((many - 5)) more")" 5/1
ivb adm -C
ivb down >/dev/null

# --- the host: forwarding, two instances on a device, ipvlan ---
ok "up" ivb up wan s1
unlike "forwarding is on: no warning" "$(ivb status)" WARNING
service -t 6 80 rr 2>/dev/null
in_ns lb sysctl -qw net.ipv4.conf.wan.forwarding=0 net.ipv6.conf.s1.forwarding=0
like "IPv4 forwarding off: status says so" "$(ivb status)" 'WARNING: IPv4 forwarding is off on wan,.*sysctl'
like "IPv6 the same" "$(ivb status)" 'WARNING: IPv6 forwarding is off on s1,.*sysctl'
is "of the right devices" "$(ivb status --json | grep -Ec 'forwarding is off on (wan|s1)')" 2
in_ns lb sysctl -qw net.ipv4.conf.wan.forwarding=1 net.ipv6.conf.s1.forwarding=1

other() {
	in_ns lb "$ipvs_bpf" --instance "$ns_prefix-other" "$@" 2>&1
}
like "another instance is there: check says so" "$(other check wan)" 'warning +device +wan: the programs of another instance'
unlike "of its own it does not" "$(ivb check wan s1)" 'another instance'
like "up says so" "$(other up wan s2)" "warning: another instance's programs are on wan "
unlike "of this device alone" "$(other up)" "programs are on s2"
like "status of either" "$(ivb status)" "WARNING: another instance's programs are on wan "
like "status of the other" "$(other status)" "WARNING: another instance's programs are on wan "
other down
unlike "gone: no word any more" "$(ivb status)" 'WARNING'
ivb down >/dev/null

if ipn lb link add link s1 name iv0 type ipvlan mode l2 2>/dev/null; then
	ipn lb link set dev iv0 up
	like "ipvlan alone: check says so" "$(ivb check iv0)" 'warning +device +iv0 is an ipvlan device of s1,.*attach to s1'
	unlike "with its parent: nothing" "$(ivb check iv0 s1)" 'ipvlan'
	like "up says so" "$(ivb up wan iv0 2>&1)" 'warning: iv0 is an ipvlan device of s1.*ipvs-bpf up s1'
	like "status says so" "$(ivb status)" 'WARNING: iv0 is an ipvlan device of s1'
	unlike "with its parent: nothing" "$(ivb up s1 2>&1; ivb status)" 'ipvlan'
	ivb down
else
	diag "no ipvlan here"
fi

# --- adm: the wrong command, and input that is cut short ---
ok "up" ivb up wan s1
ok "a service" ivb adm -A -t $vip4:80 -s wrr
says 1 'is a service of adm .*ipvs-bpf adm -E -t 10.0.0.80:80 -s wrr --snat always' snat --tcp-service $vip4:80 always
says 0 nothing adm -E -t $vip4:80 -s wrr --snat always
says 0 nothing snat --tcp-service 10.9.9.9:80 always
saved=$(ivb adm -S -n)
ln -s "$(realpath "$ipvs_bpf")" "$tmp/ipvsadm-restore"
restore() {
	rc=0
	out=$("$tmp/ipvsadm-restore" --netns "$(ns_name lb)" 2>&1) || rc=$?
	echo "$rc $out"
}
like "ipvsadm-restore of nothing is refused" "$(restore </dev/null)" '^1 .*no rule in standard input.*-C removes'
like "of a comment as well" "$(echo '# saved' | restore)" '^1 .*no rule in standard input'
like "and of a line without a command" "$(echo ipvsadm | restore)" '^1 .*no rule in standard input'
is "-R of nothing changes nothing" "$(ivb adm -R </dev/null 2>&1) $(ivb adm -S -n)" " $saved"
like "garbage in -R" "$(echo 'garbage in' | ivb adm -R 2>&1)" "^line 1: 'garbage' is not a command"
like "a NUL in -R" "$(printf -- '-A -t 10.0.0.80:81 -s rr\000 -b none\n' | ivb adm -R 2>&1)" '^line 1: .*NUL'
like "-R of a closed input" "$(ivb adm -R <&- 2>&1)" 'cannot read standard input'
is "the last line needs no end" "$(printf -- '-A -t 10.0.0.80:81 -s rr' | ivb adm -R 2>&1) $(ivb adm -S -n | grep -c :81)" " 1"
is "none of that changed a thing" "$(ivb adm -D -t $vip4:81 2>&1) $(ivb adm -S -n)" " $saved"
"$tmp/ipvsadm-restore" --netns "$(ns_name lb)" </dev/null 2>/dev/null
ivb adm -C
is "with no services restoring nothing is fine" "$(restore </dev/null)" "0 "

# --- slow readers and writers keep nobody waiting ---
seq 1 400 | sed 's/.*/-A -t 10.0.0.80:& -s rr\n-a -t 10.0.0.80:& -r 10.2.1.2:80 -m/' | ivb adm -R
mkfifo "$tmp/slow" "$tmp/rules"
{ exec sleep 60; } <"$tmp/slow" &
reader=$!
ivb metrics >"$tmp/slow" &
metrics=$!
sleep 60 >"$tmp/rules" &
writer=$!
ivb adm -R <"$tmp/rules" &
rules=$!
sleep $((1 * slow))
ok "while metrics is being read, and -R waits for its input: a change" timeout $((4 * slow)) \
	nsenter --net="/run/netns/$(ns_name lb)" "$ipvs_bpf" --instance "$(ns_name lb)" adm -D -t $vip4:1
ok "both are there still" kill -0 $metrics $rules
kill $reader $writer
wait $reader $writer $metrics $rules 2>/dev/null
ivb adm -C

# --- draining that somebody else ends ---
service -t 4 80 rr 2>/dev/null
start srv sv1 socat -u TCP4-LISTEN:80,fork,reuseaddr /dev/null
wait_listen sv1 tcp 80
start held cl socat -u "TCP4:$vip4:80" OPEN:/dev/null
wait_for 5 eval '[ "$(ivb conn --count --state ESTABLISHED)" = 1 ]'
start drain1 lb "$ipvs_bpf" --instance "$(ns_name lb)" down --drain
drain1=$started
start drain2 lb "$ipvs_bpf" --instance "$(ns_name lb)" down --drain
drain2=$started
wait_for 10 eval 'grep -q waiting "$tmp/drain1.log" && grep -q waiting "$tmp/drain2.log"'
kill -INT $drain2
rc=0
wait $drain2 || rc=$?
is "one of two is interrupted" $rc 1
rc=0
wait $drain1 || rc=$?
like "the other says that draining is over" "$rc $(cat "$tmp/drain1.log")" 'somebody else has ended the draining'
unlike "and it is" "$(ivb status)" DRAINING
ivb down >/dev/null

# --- `up` that is interrupted leaves nothing; one that nobody would find again is refused ---
pins=/sys/fs/bpf/ipvs-bpf/$(ns_name lb)
# nothing_or_all: a signal that comes after the last step ends a command that has done everything
nothing_or_all() {
	[ -z "$(ls "$pins" 2>/dev/null)" ] || { ivb up && ivb status --verify && ivb down; }
}
for t in 0.02 0.1 0.3 0.6; do
	in_ns lb timeout "$t" "$ipvs_bpf" --instance "$(ns_name lb)" up wan >/dev/null 2>&1
	ok "up, ended after $t s: nothing is left, or it is whole" nothing_or_all
done
exec_lb() {
	rc=0
	out=$(ip netns exec "$(ns_name lb)" sh -c "$1" 2>&1) || rc=$?
	echo "$rc $out"
}
like "ip netns exec: no bpffs, and what to say" "$(exec_lb "'$ipvs_bpf' status")" \
	"^1 .*no bpffs under .ip netns exec.*ipvs-bpf --netns $(ns_name lb)"
like "with one of its own: refused" "$(exec_lb "mount -t bpf bpf /sys/fs/bpf && '$ipvs_bpf' up wan")" \
	"^1 .*goes when the command ends.*ipvs-bpf --netns $(ns_name lb) up"
readonly_bpffs() {
	unshare -m sh -c "mount -t bpf -o ro bpf /sys/fs/bpf; nsenter --net='/run/netns/$(ns_name lb)' '$ipvs_bpf' check wan"
}
like "check finds a read-only bpffs" "$(readonly_bpffs)" '^NO +bpffs +.*read-only'

# --- the ipvs engine that has nothing to follow ---
if [ ! -e /proc/net/ip_vs ]; then
	like "without ip_vs" "$(ivb up --ipvs --notrack wan s1 2>&1)" 'ip_vs is not loaded'
	like "metrics tell" "$(ivb metrics)" '^ipvs_bpf_following_ipvs 0$'
	like "status tells, and blames no rules" "$(ivb status)" '^notrack: on; its rules are made when'
	like "and that it does not follow" "$(ivb status)" 'BUT NOT FOLLOWING'
	ivb down
fi

# --- small courtesies ---
like "help COMMAND" "$("$ipvs_bpf" help up)" '^Usage: ipvs-bpf up'
like "-V" "$("$ipvs_bpf" -V)" '^ipvs-bpf '

done_testing
