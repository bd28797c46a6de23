# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the headers of another ABI of ours, for `make ABI_TEST=1`: the next number, and some values of
# each kind longer at their end, as the rule beside IVB_ABI allows.

BEGIN {
	split("flow4 flow6 conn4 conn6 dest config meta", names)
	for (i in names)
		longer["ivb_" names[i]] = 1
}

/^#define IVB_ABI / { $0 = "#define IVB_ABI " $3 + 1 }
/^struct / { open = $2 }
/^};/ {
	if (open in longer)
		print "\t__u64 test_;"
	open = ""
}
/^_Static_assert\(sizeof\(struct / {
	name = $0
	sub(/^_Static_assert\(sizeof\(struct /, "", name)
	sub(/\).*/, "", name)
	if (name in longer)
		sub(/ == [0-9]+/, "& + sizeof(__u64)")
}
{ print }
