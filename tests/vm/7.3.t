#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that tests/vm/guest-tests.txt lists, inside guests with Debian's kernel 7.3 (of backports).
cd "$(dirname "$0")/../.." || exit 1
. tests/vm/lib.sh
vm_tier 7.3
