# SPDX-License-Identifier: GPL-2.0-or-later
# Turns what tests/vm/guest.sh sends, and tests/vm/lib.sh's "@ boot LABEL", "@ expect TEST" and "@ over REASON",
# into one flat TAP stream, numbered anew. A test program that died, passed its deadline, had no plan or fell
# short of it is a failure.

function result(ok, test, text) {
	n++
	printf "%sok %d - %s %s: %s\n", ok ? "" : "not ", n, label, test, text
	fflush()
	if (!ok)
		bad++
}

function begin(test) {
	cur = test
	begun[test] = 1
	since = systime()
	plan = -1
	seen = bad = 0
}

function finish(status) {
	done[cur] = 1
	printf "# %s took %d s\n", cur, systime() - since
	if (status == 124 || status == 137)
		result(0, cur, "was ended: it passed its deadline")
	else if (plan < 0)
		result(0, cur, "ended without a plan (exit status " status ")")
	else if (plan != seen)
		result(0, cur, "planned " plan " tests and ran " seen)
	else if (status != 0 && !bad)
		result(0, cur, "every test passed, yet it exited with " status)
	cur = ""
}

function line(s,	ok) {
	if (s ~ /^(not )?ok([ \t]|$)/) {
		seen++
		ok = s !~ /^not/
		sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(- )?/, "", s)
		result(ok, cur, s)
	} else if (s ~ /^1\.\.[0-9]+/) {
		plan = substr(s, 4) + 0
		if (plan == 0) {
			sub(/^1\.\.0[ \t]*/, "", s)
			result(1, cur, "all of it " (s ~ /^#/ ? s : "# SKIP no reason given"))
			seen = 0
		}
	} else if (s ~ /^Bail out!/) {
		result(0, cur, s)
	} else if (s ~ /^#/) {
		print s
	} else if (s != "") {
		print "# " s
	}
	fflush()
}

/^@ boot / { label = $3 }
/^@ expect / { expected[++wanted] = $3 }
/^@ begin / { begin($3) }
/^@ end / { finish($4) }
/^\|/ { line(substr($0, 2)) }
/^!/ { print "# " substr($0, 2); fflush() }
/^@ over / {
	for (i = 1; i <= wanted; i++) {
		t = expected[i]
		if (!(t in done))
			result(0, t, (t in begun ? "did not end: " : "was not run: ") substr($0, 8))
	}
	wanted = 0
	split("", begun)
	split("", done)
}

END { print "1.." n + 0 }
