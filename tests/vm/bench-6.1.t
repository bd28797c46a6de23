#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the director spends on Debian's kernel 6.1, in instructions, has not grown (bench/vm/).
cd "$(dirname "$0")/../.." || exit 1
. bench/vm/gate.sh
bench_gate 6.1
