#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that tests/vm/guest-tests.txt lists, inside guests with Debian's kernel 6.1.
cd "$(dirname "$0")/../.." || exit 1
. tests/vm/lib.sh
vm_tier 6.1
