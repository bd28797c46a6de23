# SPDX-License-Identifier: GPL-2.0-or-later
# What a reviewer would otherwise have to look for.

lint: $(OBJS) tidy
	$(call say,LINT,layers floors circles names sizes headers shell spelling man)
	$(Q)BUILD=$(BUILD) tools/lint.sh

# clang-tidy (.clang-tidy) over src/, and over the parts of bpf/ that are plain C, by their unit tests.
# A file that passed is looked at again when its object file is made anew.
TIDY_SRCS := $(SRCS) tests/unit/test_pkt_csum.c tests/unit/test_pkt_parse.c

tidy: $(TIDY_SRCS:%.c=$(BUILD)/tidy/%.ok)

$(BUILD)/tidy/src/%.ok: src/%.c $(BUILD)/src/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(IVB_CFLAGS) 2>$@.log || { cat $@.log >&2; exit 1; }
	$(Q)touch $@

$(BUILD)/tidy/tests/%.ok: tests/%.c $(BUILD)/san/tests/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(IVB_CFLAGS) -Itests/lib -Ibpf 2>$@.log || { cat $@.log >&2; exit 1; }
	$(Q)touch $@

# A second compiler for both languages: user space by clang, the BPF programs by Debian 12's newest clang.
NEW_CLANG := clang-22

check-compilers:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/second CC=clang CLANG=$(NEW_CLANG) all

.PHONY: lint tidy check-compilers
