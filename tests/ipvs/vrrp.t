#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two directors, keepalived's VRRP, IPVS's sync daemon: which long-lived connections live through a failover and back.
# Kernel IPVS alone shows what can be kept, and what MASQUERADE loses; with us the same must live, and SNATed ones too,
# also while another version is put in place on one director after the other.
#
#   cl 10.1.0.2 --+-- 10.1.0.11 lb  10.2.0.11 --+-- 10.2.0.21 sv1
#                 +-- 10.1.0.12 lb2 10.2.0.12 --+-- 10.2.0.22 sv2
# Floating: 10.1.0.80, the VIP, and 10.2.0.254, the servers' gateway and the source of SNAT.
# shellcheck disable=SC2154 # talk_ask and talk_push are set by talk()
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=tests/lib/ipvs.sh
. "$top/tests/lib/ipvs.sh"

vip4=10.1.0.80
floating=10.2.0.254
devs='wan lan'
# of each kind; for measuring
conns=${IVB_CONNS:-4}

network() {
	ns_add lb lb2 cl sw sv1 sv2
	ns_lb='lb lb2'
	wires <<-EOT
		cl eth0 sw c-cl
		lb wan sw c-lb
		lb2 wan sw c-lb2
		lb lan sw s-lb
		lb2 lan sw s-lb2
		sv1 eth0 sw s-sv1
		sv2 eth0 sw s-sv2
	EOT
	for b in c s; do
		echo "link add br-$b type bridge forward_delay 0 mcast_snooping 0"
		echo "link set dev br-$b up"
	done | ipb sw
	for p in c-cl c-lb c-lb2 s-lb s-lb2 s-sv1 s-sv2; do
		echo "link set dev $p master br-${p%%-*} up"
	done | ipb sw
	dev_batch eth0 10.1.0.2/24 10.1.0.3/24 | ipb cl
	for n in 1 2; do
		dev_batch eth0 10.2.0.2$n/24 | ipb sv$n
		start "echo-sv$n" sv$n "$tooldir/echo" serve 7
		start "push-sv$n" sv$n "$tooldir/echo" serve -s 100 9
	done
	director lb 11 150
	director lb2 12 100
}

# director SHORT HOST PRIORITY
director() {
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	{
		dev_batch lo
		dev_batch wan "10.1.0.$2/24"
		dev_batch lan "10.2.0.$2/24"
	} | ipb "$1"
	cat >"$tmp/$1.conf" <<-EOT
		global_defs {
			router_id $1
			lvs_sync_daemon lan VI_1 id 7
		}
		vrrp_instance VI_1 {
			state BACKUP
			interface wan
			virtual_router_id 51
			priority $3
			advert_int 1
			track_interface {
				lan
			}
			virtual_ipaddress {
				$vip4/24 dev wan
				$floating/24 dev lan
			}
		}
		$(virtual 7)
		$(virtual 9)
	EOT
}

# virtual PORT
virtual() {
	printf '%s\n' "virtual_server $vip4 $1 {" 'delay_loop 2' 'lvs_sched rr' 'lvs_method NAT' 'protocol TCP'
	for n in 1 2; do
		printf '%s\n' "real_server 10.2.0.2$n $1 {" 'TCP_CHECK {' 'connect_timeout 1' '}' '}'
	done
	echo '}'
}

pair_begin() {
	keepalived_in lb2
	lb2=$started
	keepalived_in lb
	lb=$started
	await rules lb || bail "lb is not the master: $(tail -n 20 "$tmp/keepalived-lb.log")"
	await ready "$lb" && await ready "$lb2" || bail "the services are not there"
}

pair_end() {
	stop "$lb"
	stop "$lb2"
}

# rules SHORT: it has the VIP, and the other has not
rules() {
	case $1 in
	lb) rules_pid=$lb rules_other=$lb2 ;;
	lb2) rules_pid=$lb2 rules_other=$lb ;;
	esac
	grep -qw "$vip4" "/proc/$rules_pid/net/fib_trie" && ! grep -qw "$vip4" "/proc/$rules_other/net/fib_trie"
}

# ready PID: both servers of both services are there
ready() {
	[ "$(grep -c Masq "/proc/$1/net/ip_vs")" = 4 ]
}

# answers NAME COUNT DESCRIPTION: since the last time
answers() {
	like "$3" "$(talked "$1")" "^conns=$2 answered=$2 reset=0 closed=0 wrong=0 "
}

# over SHORT: until that director rules, and TCP has tried again; what the change itself cost is only shown
over() {
	await rules "$1" || bail "$1 does not take over"
	sleep 8
	diag "the change: client speaks: $(talked ask)"
	diag "the change: server speaks: $(talked push)"
	sleep 2
}

# scenario WHAT FATE [VERSION]: long connections on lb; its link goes; lb2 takes over; the link comes back, and lb takes
# over. FATE (kept or lost) says of them what is expected. VERSION, a binary, is put in place on each director while it
# is the backup.
scenario() {
	talk ask -n "$conns" "$vip4" 7
	talk push -n "$conns" -q "$vip4" 9
	sleep 5
	answers ask "$conns" "$1: the client speaks: answered"
	answers push "$conns" "$1: the servers speak: heard"
	[ -z "${3:-}" ] || version lb2 "$3"
	ipn sw link set dev c-lb down
	over lb2
	"$2" "$1, after the failover:" lb2
	[ -z "${3:-}" ] || version lb "$3"
	ipn sw link set dev c-lb up
	over lb
	"$2" "$1, after the way back:" lb
	stop "$talk_ask"
	stop "$talk_push"
}

# version SHORT BINARY: of another ABI
version() {
	ipvs_bpf=$2
	like "another version takes over on $1" "$(ivb_in "$1" up 2>&1)" '^taken over with its connections'
}

carried() {
	[ "$(fast in "$1")" -gt "$kept_in" ] && [ "$(fast out "$1")" -gt "$kept_out" ]
}

# kept WHAT SHORT: also, eBPF carries them on that director; as its backup has to hear of them first, that may
# take as many packets as sync_threshold's period
kept() {
	alone || kept_in=$(fast in "$2") kept_out=$(fast out "$2")
	answers ask "$conns" "$1 the client's connections live"
	answers push "$conns" "$1 the servers' streams live"
	alone || ok "$1 eBPF carries them" wait_for 10 carried "$2"
}

lost() {
	like "$1 the client's connections are lost" "$(talked ask)" answered=0
	like "$1 the servers' streams are lost" "$(talked push)" answered=0
}

# each_director COMMAND...: on both
each_director() {
	for d in lb lb2; do
		in_ns $d "$@" || bail "$* failed on $d"
	done
}

gateway() {
	for n in 1 2; do
		ipn sv$n route "$1" default via "$floating"
	done
}

ns_begin
ipvs_begin
need keepalived
network

if alone; then
	gateway add
	pair_begin
	scenario "kernel IPVS without SNAT" kept
	pair_end

	gateway del
	each_director sysctl -qw net.ipv4.vs.conntrack=1
	each_director iptables -t nat -A POSTROUTING -m ipvs --ipvs --vdir ORIGINAL -j MASQUERADE
	pair_begin
	scenario "kernel IPVS with MASQUERADE" lost
	pair_end
	done_testing
fi

# both_follow OPTION...: the ipvs engine on both directors
both_follow() {
	for d in lb lb2; do
		# shellcheck disable=SC2086 # words
		ivb_in $d up --ipvs --max-conns 8192 --max-conns6 8192 "$@" $devs || bail "up failed on $d"
	done
}

gateway add
both_follow --snat never
pair_begin
scenario "without SNAT" kept
pair_end
verify lb
verify lb2

gateway del
both_follow --snat always --snat-addr "$floating" --snat-key 0123456789abcdef
pair_begin
scenario "with SNAT" kept
pair_end
verify lb
verify lb2

pair_begin
scenario "with SNAT and another version" kept "$top/build/abi-test/ipvs-bpf"
pair_end
verify lb
verify lb2
done_testing
