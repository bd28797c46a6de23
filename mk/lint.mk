# SPDX-License-Identifier: GPL-2.0-or-later
# What a reviewer would otherwise have to look for.

lint: $(OBJS)
	$(call say,LINT,layers floors circles names sizes headers shell man)
	$(Q)BUILD=$(BUILD) tools/lint.sh

.PHONY: lint
