# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Does the engine follow? Each scenario is a function that plays with kernel IPVS alone, then with the engine on,
# and says what it saw; both must say the same. Clients and servers are puppets (puppet.c). Sourced after ipvs.sh.
# shellcheck disable=SC2034,SC2154 # read by the tests; from netns.sh and topology.sh

# puppets PORT...: on every server; and the client's, who has 10.9.1.1 and the nine of client() as well.
puppets() {
	for p; do
		for n in $servers; do
			start "puppet-sv$n-$p" "sv$n" "$tooldir/puppet" serve "$p" "sv$n"
		done
	done
	for p; do
		for n in $servers; do
			wait_listen "sv$n" tcp "$p"
		done
	done
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "addr add 10.9.0.$n/32 dev lo"
		echo "addr add fd09::$n/128 dev lo"
	done | ipb cl
	echo 'addr add 10.9.1.1/32 dev lo' | ipb cl
	servers_route_back
	player cl
}

# client FAMILY 1-9: an address of the client's
client() {
	case $1 in
	4) echo "10.9.0.$2" ;;
	6) echo "fd09::$2" ;;
	esac
}

# player SHORT: a client there, which `play` talks to from now on.
player() {
	mkfifo "$tmp/to-$1" "$tmp/from-$1"
	start "player-$1" "$1" "$tooldir/puppet" play "$tmp/to-$1" "$tmp/from-$1"
	player_to "$1"
}

# opened for both: no open waits for the other side
player_to() {
	exec 8<>"$tmp/to-$1" 9<>"$tmp/from-$1"
}

# play COMMAND...: what the client answers, in $said
play() {
	printf '%s\n' "$*" >&8
	read -r said <&9
}

# the command and its answer, for a scenario's report
tell() {
	play "$@"
	echo "$*: $said"
}

# conn_of PORT [STATE]: the kernel's connection of the client's port, as "STATE SERVER", or "none".
conn_of() {
	conn_is=none
	kipvs -Lnc >"$tmp/lnc"
	while read -r _ _ conn_s conn_c _ conn_d; do
		case $conn_c in
		*:$1) conn_is="$conn_s $conn_d" ;;
		esac
	done <"$tmp/lnc"
	echo "$conn_is"
}

# act_inact [PORT]: active and inactive connections of each server, as ipvsadm -Ln counts them.
act_inact() {
	kipvs -Ln | awk '$1 == "->" && $2 ~ /[0-9]/ { printf "%s%s/%s", n++ ? " " : "", $5, $6 } END { print "" }'
}

# carried [PORT]...: packets that eBPF carried for the connections of these client ports, or of all, as "IN OUT".
carried() {
	ivb conn --json >"$tmp/conn.json" || return
	sed -n 's/.*"client": *{[^}]*"port": *\([0-9]*\).*"in": *{ *"packets": *\([0-9]*\).*"out": *{ *"packets": *\([0-9]*\).*/\1 \2 \3/p' \
		"$tmp/conn.json" | awk -v ports="$*" '
			BEGIN { split(ports, p, " "); for (i in p) wanted[p[i]] }
			ports == "" || $1 in wanted { packets += $2; replies += $3 }
			END { print packets + 0, replies + 0 }'
}

# scenario NAME COMMAND...: runs the command; what it says is kept for `compare`. Services go, connections stay.
scenario() {
	scenario_name=$1
	shift
	("$@") >"$tmp/$scenario_name.$engine" 2>&1
	kipvs -C
}

# with_us NAME [PORT]...: inside a scenario, notes what eBPF has carried so far (`carried`), for was_carried.
with_us() {
	[ "$engine" = engine ] || return 0
	carried_for=$1
	shift
	carried "$@" >"$tmp/carried.$carried_for"
}

# engines OPTIONS COMMAND...: the command (scenarios) with kernel IPVS alone, then with the engine on. $later is to
# be added to client ports that the kernel may still remember; what it need not, ends in between.
engines() {
	engines_up=$1
	shift
	engine=kernel later=0
	"$@"
	[ -z "${IVB_KERNEL_ONLY:-}" ] || return 0
	# a single room comes back too soon
	[ -z "${IVB_ROOMS:-}" ] || sleep 75
	engine=engine later=5000
	# shellcheck disable=SC2086 # words
	ok "up --ipvs $engines_up" follow $engines_up
	"$@"
}

# compare NAME DESCRIPTION
compare() {
	if [ -n "${IVB_KERNEL_ONLY:-}" ]; then
		diag "$1:
$(cat "$tmp/$1.kernel")"
		return
	fi
	compare_rc=0
	[ -s "$tmp/$1.kernel" ] || compare_rc=1
	cmp -s "$tmp/$1.kernel" "$tmp/$1.engine" || compare_rc=1
	tap_result "$compare_rc" "$2: as kernel IPVS alone" || diag "$(diff -U 2 "$tmp/$1.kernel" "$tmp/$1.engine")"
}

# report NAME DESCRIPTION ERE: a line of what the scenario said with kernel IPVS alone: two equal failures are none.
report() {
	like "$2" "$(cat "$tmp/$1.kernel")" "$3"
}

# was_carried NAME DESCRIPTION [LEAST_IN LEAST_OUT]: what `with_us NAME` noted; by default, at least one each way.
was_carried() {
	[ -z "${IVB_KERNEL_ONLY:-}" ] || return 0
	carried_in='' carried_out=''
	read -r carried_in carried_out <"$tmp/carried.$1"
	tap_rc=0
	[ "${carried_in:-0}" -ge "${3:-1}" ] && [ "${carried_out:-0}" -ge "${4:-1}" ] || tap_rc=1
	tap_result "$tap_rc" "$2: on the fast path" || diag "packets carried: in ${carried_in:-?}, out ${carried_out:-?}"
}

# not_carried NAME DESCRIPTION: nothing of it was.
not_carried() {
	[ -n "${IVB_KERNEL_ONLY:-}" ] || is "$2: on the kernel's path alone" "$(cat "$tmp/carried.$1")" "0 0"
}

# visit ID VPORT CLIENT PORT: a connection, stays open; who answered, in $said; then three more questions.
visit() {
	play tcp "$1" $vip4 "$2" "$3" "$4"
	[ "$said" = ok ] || return 0
	play ask "$1"
	visit_said=$said
	play pace "$1" 3 0
	[ "$said" = 3 ] || visit_said="$visit_said, then $said"
	said=$visit_said
}

# dial ID PORT: the same to $vport, with the round's port, which is left in $sport
dial() {
	sport=$(($2 + later))
	visit "$1" "$vport" 10.9.0.1 "$sport"
	echo "$1 is answered by $said"
}

# visits VPORT CLIENT:PORT...: who answered each, on a line; the connections are numbered from 1.
visits() {
	visits_p=$1
	shift
	visits_said='' visits_i=0
	for v; do
		visits_i=$((visits_i + 1))
		visit $visits_i "$visits_p" "${v%:*}" "${v##*:}"
		visits_said="$visits_said $said"
	done
	echo "visits:$visits_said"
}

# leave ID...: reset
leave() {
	for v; do
		play rst "$v"
	done
}

# one VPORT [SCHEDULER]: a TCP service of the kernel's with server 1 alone.
one() {
	kipvs -R <<-EOT
		-A -t $vip4:$1 -s ${2:-rr}
		-a -t $vip4:$1 -r $(rip 4 1 80) -m
	EOT
}
