#!/bin/sh
# What a reviewer would otherwise have to look for: who includes whom, circles, names, sizes, licence
# lines, headers that stand alone, formatting, spelling, shell scripts, the man page, Markdown, decision records.
# Prints what is wrong; exit 1 if anything is. `make lint` builds the object files before, which the
# circles are looked for in.
# SPDX-License-Identifier: GPL-2.0-or-later
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
bad=0

wrong() {
	echo "lint: $*" >&2
	bad=1
}

files() {
	git ls-files -co --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# layer FOLDER "FOLDERS that it may include"
layer() {
	for f in $(files "src/$1/*.[ch]"); do
		sed -n 's/^#include "\([a-z0-9]*\)\/.*/\1/p' "$f" | sort -u | while read -r used; do
			case " $2 " in
			*" $used "*) ;;
			*) echo "$f includes $used/, which $1 may not use" ;;
			esac
		done
	done
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
	for f in $(files '*.[ch]' '*.sh' '*.t'); do
		n=$(wc -l <"$f")
		[ "$n" -le $FILE_MAX ] || echo "$f has $n lines; a file of over $FILE_MAX has more than one job"
	done
	for f in $(files 'src/*.c' 'bpf/*.[ch]'); do
		awk -v f="$f" -v max=$FUNCTION_MAX '
			/^{$/ { start = NR; next }
			/^}$/ && start { if (NR - start - 1 > max) print f ":" start ": a function of " NR - start - 1 " lines"; start = 0 }
			/^}/ { start = 0 }' "$f"
	done
}

licences() {
	for f in $(files '*.[ch]' '*.sh' '*.t' '*.mk' '*.def' Makefile check demo); do
		head -n 6 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$f has no SPDX line"
	done
}

headers() {
	for f in $(files 'src/*.h' 'include/*.h'); do
		gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Iinclude -Isrc -fsyntax-only -x c "$f" 2>&1 |
			grep -vE 'pragma once|#pragma' | grep -E 'error|warning' | head -n 2
	done
}

formatting() {
	clang-format --dry-run $(files 'src/*.[ch]' 'bpf/*.[ch]') 2>&1 | grep -E '^[^ ].*: (warning|error)' | head -n 5
}

shell() {
	shellcheck -S warning -x $(files '*.sh' '*.t' check demo '.ci/run') || echo "shellcheck: see above"
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

for what in layers floors circles names sizes licences headers formatting shell spelling manpages prose records; do
	out=$($what)
	[ -z "$out" ] || wrong "$what
$out"
done
exit $bad
