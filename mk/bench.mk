# SPDX-License-Identifier: GPL-2.0-or-later
# What the director spends, counted in instructions in guests (docs/performance.md).

BENCH_PROGS := $(addprefix $(BUILD)/bench/,ops null null.bpf.o)
BENCH_BOOTS ?= 3

$(BUILD)/bench/%: bench/vm/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $(DEPS) $< $(LDLIBS_DP) -o $@

$(BUILD)/bench/%.bpf.o: bench/vm/%.bpf.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPS) -c $< -o $@

bench-vm: all $(BENCH_PROGS)
	$(Q)bench/vm/run.sh $(BENCH_BOOTS)

# The ratios that `check` holds on to (tests/vm/bench-*.t), from the last bench-vm.
bench-vm-record:
	$(Q)bench/vm/record.sh

check check-vm: $(BENCH_PROGS)

.PHONY: bench-vm bench-vm-record

# What it spends on the host's own kernel, as ratios.
$(BUILD)/bench/live.bpf.o: bench/host/live.bpf.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/bench/live.skel.h: $(BUILD)/bench/live.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name live_bpf > $@

$(BUILD)/bench/live: bench/host/live.c $(BUILD)/bench/live.skel.h $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $(DEPS) -Ibpf $< $(LDLIBS_DP) -o $@

$(BUILD)/bench/gaps $(BUILD)/bench/usage: $(BUILD)/bench/%: bench/host/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $(DEPS) $< -o $@

HOST_BENCH_PROGS := $(addprefix $(BUILD)/bench/,live gaps usage)

bench: all $(HOST_BENCH_PROGS)
	$(Q)bench/host/run.sh

bench-scale: all $(HOST_BENCH_PROGS)
	$(Q)bench/host/scale.sh $(SCHEDULERS)

# Beside make bench's own figures, which it leaves alone.
bench-flood: all $(HOST_BENCH_PROGS)
	$(Q)bench/host/run.sh --short flood-syn flood-udp

# The ratios that `check` holds on to (tests/netns/bench.t), from the last bench.
bench-record:
	$(Q)bench/host/record.sh

check check-netns: $(HOST_BENCH_PROGS)

.PHONY: bench bench-flood bench-record bench-scale
