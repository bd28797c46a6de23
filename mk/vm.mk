# SPDX-License-Identifier: GPL-2.0-or-later
# Guests with stock Debian kernels: a shell in one, and what only tests in guests need. (`check-vm`, in
# tests.mk, runs those tests.)

KERNEL ?= 6.1
GUEST_PROGS := $(BUILD)/tests/parity/talk $(BUILD)/tests/parity/raw $(BUILD)/tests/tools/puppet

$(BUILD)/tests/parity/%: tests/parity/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) -Itests/lib $(DEPS) $(filter %.c %.o,$^) -o $@

$(BUILD)/tests/parity/raw: $(BUILD)/tests/lib/pkt.o

check check-vm: $(GUEST_PROGS)

vm: all $(TEST_PROGS) $(GUEST_PROGS)
	$(Q)tools/vm/run.sh --kernel $(KERNEL) --shell

.PHONY: vm
