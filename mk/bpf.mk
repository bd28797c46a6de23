# SPDX-License-Identifier: GPL-2.0-or-later
# BPF objects and their skeletons. xdp.bpf.o is compiled to prove that the shared text fits both hooks.

BPF_OBJS := $(addprefix $(BUILD)/bpf/,tc.bpf.o ipvs.bpf.o xdp.bpf.o)

bpf-objects: $(BPF_OBJS)

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(STRIP) -g $@.tmp
	$(Q)mv $@.tmp $@

$(BUILD)/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name ivb_$* > $@

-include $(BPF_OBJS:.o=.d)

.PHONY: bpf-objects
