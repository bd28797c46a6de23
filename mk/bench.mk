# SPDX-License-Identifier: GPL-2.0-or-later
# What the director spends, counted in instructions in guests (docs/performance.md).

BENCH_PROGS := $(addprefix $(BUILD)/bench/,ops null null.bpf.o)
BENCH_BOOTS ?= 3

$(BUILD)/bench/%: bench/vm/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $< $(LDLIBS_DP) -o $@

$(BUILD)/bench/%.bpf.o: bench/vm/%.bpf.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

bench-vm: all $(BENCH_PROGS)
	$(Q)bench/vm/run.sh $(BENCH_BOOTS)

# The ratios that `check` holds on to (tests/vm/bench-*.t), from the last bench-vm.
bench-vm-record:
	$(Q)bench/vm/record.sh

check check-vm: $(BENCH_PROGS)

.PHONY: bench-vm bench-vm-record
