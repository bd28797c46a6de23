#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a reviewer would otherwise have to look for: who includes whom, circles, names, sizes, licence
# lines, headers that stand alone (also those of bpf/), formatting, spelling, shell scripts, the man page,
# Markdown, decision records, lists of tests.
# Prints what is wrong; exit 1 if anything is. `make lint` builds the object files before, which the
# circles are looked for in.
# shellcheck disable=SC2046 # lists of file names, none with blanks
set -u
cd "$(dirname "$0")/.." || exit

command -v codespell >/dev/null && git rev-parse --is-inside-work-tree >/dev/null ||
	{
		echo "lint: this needs codespell, and a clone: git says which files are the project's" >&2
		exit 1
	}
FILE_MAX=600
FUNCTION_MAX=60

files() {
	git ls-files -co --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# aside N COMMAND [ARGUMENT]...: for the names of standard input, N at a time, on all processors
aside() {
	aside_n=$1
	shift
	xargs -r -P "$(nproc)" -n "$aside_n" "$@"
}

# layer FOLDER "FOLDERS that it may include"
layer() {
	awk -v who="$1" -v may=" $2 " '
		match($0, /^#include "[a-z0-9]*\//) {
			used = substr($0, 11, RLENGTH - 11)
			if (!index(may, " " used " ") && !said[FILENAME, used]++)
				print FILENAME " includes " used "/, which " who " may not use"
		}' $(files "src/$1/*.[ch]")
}

layers() {
	layer base "base"
	layer nl "base nl"
	layer model "base model"
	layer dp "base nl model dp"
	layer cli "base nl model dp cli"
	grep -lE '#include <bpf/' $(files 'src/*.[ch]') | grep -v '^src/dp/' | sed 's/$/ uses libbpf: that is src\/dp alone/'
	grep -l '\.skel\.h"' $(files 'src/*.[ch]') | grep -vE '^src/dp/(load/load|follow/hooks)\.c$' |
		sed 's/$/ includes a skeleton: that is load\/load.c and follow\/hooks.c alone/'
	grep -l '#include "dp/.*_int\.h"' $(files 'src/*.[ch]') | grep -v '^src/dp/' |
		sed 's/$/ includes an _int.h of dp, which is dp'"'"'s own/'
	grep -nE '\b(secure_)?getenv\(' $(files 'src/*.[ch]') | sed 's/$/ : the command asks the environment for nothing/'
	grep -nE '#include ["<](src|base|nl|model|dp|cli)/' $(files 'bpf/*') | sed 's/$/ : bpf\/ uses include\/ivb alone/'
}

floors() {
	awk -f tools/floors.awk tools/floors.txt $(files 'bpf/*' 'src/dp/*')
}

circles() {
	tools/circles.sh $(find "${BUILD:-build}/src" -name '*.o')
}

# A function that others call says the name of its file; in a folder's file of the same name, the
# folder is enough.
names() {
	awk '
		FNR == 1 {
			n = split(FILENAME, part, "/")
			name = part[n]
			sub(/\.c$/, "", name)
			sub(/s$/, "", name)
			folder = part[n - 1]
			sub(/s$/, "", folder)
		}
		/^[a-z].*[ *]ivb_[a-z0-9_]+\(/ && !/^static|^typedef/ && !/;$/ && name != folder {
			match($0, /ivb_[a-z0-9_]+\(/)
			called = substr($0, RSTART, RLENGTH - 1)
			if (!index(called, name))
				print FILENAME ": " called "() does not say its file"
		}' $(files 'src/*.c')
}

sizes() {
	wc -l $(files '*.[ch]' '*.sh' '*.t') | awk -v max=$FILE_MAX '
		$2 != "total" && $1 > max { print $2 " has " $1 " lines; a file of over " max " has more than one job" }'
	awk -v max=$FUNCTION_MAX '
		FNR == 1 { start = 0 }
		/^{$/ { start = FNR; next }
		/^}$/ && start { if (FNR - start - 1 > max) print FILENAME ":" start ": a function of " FNR - start - 1 " lines"; start = 0 }
		/^}/ { start = 0 }' $(files 'src/*.c' 'bpf/*.[ch]')
}

licences() {
	awk '
		FNR == 1 && NR > 1 && !has { print last " has no SPDX line" }
		FNR == 1 { has = 0; last = FILENAME }
		FNR <= 6 && /SPDX-License-Identifier: GPL-2.0-or-later/ { has = 1 }
		END { if (!has) print last " has no SPDX line" }' $(files '*.[ch]' '*.sh' '*.t' '*.mk' '*.def' Makefile check demo)
}

headers() {
	files 'src/*.h' 'include/*.h' |
		aside 8 gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Iinclude -Isrc -fsyntax-only -x c 2>&1 |
		grep -vE 'pragma once|#pragma' | grep -E 'error|warning' | head -n 20
}

# A header of bpf/ stands alone after a ctx/ header and maps.h: for tc, and those that the XDP
# programs use for XDP as well. pkt/ needs neither.
bpf_headers() {
	flags="-target bpf -mcpu=v3 -O2 -std=gnu11 -D__TARGET_ARCH_x86 -Wall -Wextra -Wno-unused-parameter
		-Wno-unused-function -Wno-pragma-once-outside-header
		-Iinclude -Ibpf -isystem /usr/include/$(gcc -dumpmachine)"
	all=$(files 'bpf/*.h' | grep -vE '^bpf/(ctx/.*|maps\.h)$')
	xdp=$(clang $flags -MM bpf/xdp.bpf.c | tr -s ' \\' '\n\n' | grep -vE '^bpf/(ctx/.*|maps\.h)$' | grep '^bpf/.*\.h$')
	[ -n "$xdp" ] || echo "the headers of bpf/xdp.bpf.c are not known"
	for f in $all; do
		echo "skb $f"
	done >"${TMPDIR:-/tmp}/lint.$$"
	for f in $xdp; do
		echo "xdp $f"
	done >>"${TMPDIR:-/tmp}/lint.$$"
	FLAGS=$flags xargs -P 2 -n 20 sh -c '
		while [ $# -ge 2 ]; do
			clang $FLAGS -include "ctx/$1.h" -include maps.h -fsyntax-only -x c "$2" 2>&1 |
				grep -E "error|warning" | head -n 2 | sed "s|^|$2 after ctx/$1.h and maps.h: |"
			shift 2
		done' sh <"${TMPDIR:-/tmp}/lint.$$"
	rm -f "${TMPDIR:-/tmp}/lint.$$"
}

formatting() {
	clang-format --dry-run $(files 'src/*.[ch]' 'bpf/*.[ch]') 2>&1 | grep -E '^[^ ].*: (warning|error)' | head -n 5
}

shell() {
	shell_clean=${BUILD:-build}/lint/shell
	mkdir -p "$shell_clean"
	# with each script its libraries are read, which takes long: what was found clean is remembered by what it
	# says, together with what all others may bring in
	shell_with=$({ shellcheck --version && cat .shellcheckrc $(files 'tests/*lib*.sh' 'bench/*.sh' 'tests/ipvs/follow/*.sh' tools/vm/*.sh); } | sha256sum)
	for f in $(files '*.sh' '*.t' check demo '.ci/run'); do
		echo "$f $(cat - "$f" <<-EOT | sha256sum | cut -d ' ' -f 1
			$shell_with
		EOT
		)"
	done | while read -r f sum; do
		[ -e "$shell_clean/$sum" ] || echo "$f" "$shell_clean/$sum"
	done | aside 2 sh -c 'shellcheck -S warning -x "$0" && touch "$1"'
	find "$shell_clean" -type f -mtime +7 -delete
}

# Words that are right all the same stand in tools/codespell.txt.
spelling() {
	codespell --ignore-words=tools/codespell.txt $(files '*' '.clang*' '.gitlab-ci.yml' | grep -v '^tests/fuzz/corpus/')
}

manpages() {
	for f in $(files 'man/*.8'); do
		mandoc -Tlint -W warning "$f"
	done
}

# Markdown: a sentence a line, none over 100 columns but in tables, code and lines that are one link;
# links lead somewhere. Widths are in characters: of UTF-8, the bytes that begin one.
prose() {
	for f in $(files '*.md'); do
		LC_ALL=C awk -v f="$f" -v max=100 '
			function say(what) { print f ":" FNR ": " what }
			/^ *```/ { fenced = !fenced; open = 0; next }
			fenced || /^ *[|]/ { open = 0; next }
			/^    / && (skipped || code) { code = 1; open = 0; next }
			{ code = 0; skipped = /^ *$/ || /^#/ }
			skipped { open = 0 }
			{
				text = $0
				gsub(/[\200-\277]/, "", text)
				wide = length(text) > max
				item = sub(/^ *([*-]|[0-9]+[.]) /, "", text)
				sub(/^ +/, "", text)
				if (wide && text ~ / / && text !~ /^\[[^]]*\]\([^)]*\)[.:]?$/)
					say("over " max " columns")
			}
			!skipped {
				if (open && !item)
					say("the sentence of the line before goes on here: one sentence a line, and a shorter one")
				if (text ~ /[a-z0-9)"`*][.!?][)"`*]* +[A-Z`*"(\[]/)
					say("two sentences: one a line")
				open = text !~ /[.!?:][)"`*]*$/
			}' "$f"
		grep -oE '\]\([^)#:]+' "$f" | sed 's/^](//' | while read -r to; do
			[ -e "$(dirname "$f")/$to" ] || echo "$f links to $to, which is not there"
		done
	done
}

# Decision records: number, sections, and a line in the list
records() {
	for f in $(files 'docs/decisions/[0-9]*.md'); do
		name=${f##*/}
		n=${name%%-*}
		title=$(sed -n "1s/^# $n\. //p" "$f")
		[ -n "$title" ] || echo "$f: the heading is not '# $n. …', as the file is called"
		grep -qxF "$n. [$title]($name)" docs/decisions/README.md || echo "$f: '$n. [$title]($name)' is not in docs/decisions/README.md"
		sections=$(sed -n 's/^## //p' "$f" | tr '\n' ' ')
		[ "$sections" = "Status Date Context Decision Consequences Rejected " ] ||
			echo "$f has the sections $sections; wanted: Status Date Context Decision Consequences Rejected"
		awk -v f="$f" '
			/^## / { if (last) print f ": nothing under " last; last = $0; date = / Date$/; next }
			/^$/ { next }
			date && !/^20[0-9][0-9]-[01][0-9]-[0-3][0-9]$/ { print f ": " $0 " is not a date like 2026-11-22" }
			{ last = ""; date = 0 }
			END { if (last) print f ": nothing under " last }' "$f"
	done
}

# Tests that nobody runs, or that can end early without being noticed. `make list-tests` says what check
# and the soak targets run.
tests() {
	listed=$(MAKEFLAGS='' make -s --no-print-directory list-tests | tr ' ' '\n')
	guests=$(sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' tests/vm/guest-tests.txt)
	soaks=$(sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' tests/soak/*.txt)
	all=$(printf '%s\n' "$listed" "$guests" "$soaks" | sort -u)
	printf '%s\n' "$listed" | sort | uniq -d | sed 's/$/ is listed twice in mk/'
	printf '%s\n' "$guests" | sort | uniq -d | sed 's/$/ is listed twice in tests\/vm\/guest-tests.txt/'
	printf '%s\n' "$all" | grep '^tests/' | while read -r f; do
		[ -e "$f" ] || echo "$f is listed, but is not there"
	done
	for f in $(files 'tests/*.t' 'tests/parity/*.sh' tests/vm/smoke.sh); do
		[ "$f" != tests/parity/lib.sh ] || continue
		printf '%s\n' "$all" | grep -qxF "$f" || echo "$f is in no list: mk/tests.mk, tests/vm/guest-tests.txt, tests/soak/"
		[ -x "$f" ] || echo "$f is not executable"
		# what passes on the results of others, and one that begins with its plan
		tail -n 1 "$f" | grep -qE '^(done_testing|vm_tier .*|bench_gate .*)$' || grep -qE '^echo 1\.\.[0-9]+$' "$f" ||
			echo "$f does not end in done_testing"
	done
	for f in $(grep -l '^#include "tap.h"' $(files 'tests/*.c')); do
		grep -q '^int main(' "$f" || continue
		printf '%s\n' "$all" | grep -qE "/${f%.c}(_[a-z]+)?$" || echo "$f is in no list of mk/tests.mk"
		grep -qE '^	return .*done_testing\(\);$' "$f" || echo "$f does not return done_testing()"
	done
	for f in $(files 'tests/ipvs/follow/*.sh'); do
		f=${f##*/}
		grep -E '^rooms=' tests/ipvs/follow.t | grep -qw "${f%.sh}" || echo "tests/ipvs/follow/$f is not among the rooms of follow.t"
	done
}

# Side by side, and told in this order
checks='layers floors circles names sizes licences headers bpf_headers formatting shell spelling manpages prose records tests'
said=$(mktemp -d) || exit
trap 'rm -rf "$said"' EXIT
for what in $checks; do
	$what >"$said/$what" 2>&1 &
done
wait
bad=0
for what in $checks; do
	[ -s "$said/$what" ] || continue
	bad=1
	echo "lint: $what" >&2
	cat "$said/$what" >&2
done
exit $bad
