# SPDX-License-Identifier: GPL-2.0-or-later
# What a reviewer would otherwise have to look for.

lint:
	$(call say,LINT,layers sizes headers shell man)
	$(Q)tools/lint.sh

.PHONY: lint
