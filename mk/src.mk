# SPDX-License-Identifier: GPL-2.0-or-later
# User space: a list of sources for each layer, and the binary.

BASE_SRCS := \
	src/base/addr.c \
	src/base/clock.c \
	src/base/err.c \
	src/base/num.c

NL_SRCS := \
	src/nl/ipvs.c \
	src/nl/link.c \
	src/nl/nft.c \
	src/nl/nl.c \
	src/nl/notrack.c \
	src/nl/route.c \
	src/nl/tc.c \
	src/nl/uevent.c \
	src/nl/xfrm.c

MODEL_SRCS := \
	src/model/hashes.c \
	src/model/names.c \
	src/model/order.c \
	src/model/sched.c \
	src/model/slices.c

DP_SRCS := \
	src/dp/apply.c \
	src/dp/attach.c \
	src/dp/attached.c \
	src/dp/bpflog.c \
	src/dp/build.c \
	src/dp/config.c \
	src/dp/conns.c \
	src/dp/dests.c \
	src/dp/down.c \
	src/dp/drain.c \
	src/dp/edit.c \
	src/dp/edit_dests.c \
	src/dp/family.c \
	src/dp/hook_table.c \
	src/dp/hooks.c \
	src/dp/host.c \
	src/dp/info.c \
	src/dp/instance.c \
	src/dp/load.c \
	src/dp/maps.c \
	src/dp/mapset.c \
	src/dp/notrack.c \
	src/dp/pins.c \
	src/dp/policy.c \
	src/dp/port_use.c \
	src/dp/ports.c \
	src/dp/repair.c \
	src/dp/stats.c \
	src/dp/stats_rate.c \
	src/dp/sysbpf.c \
	src/dp/service_timeouts.c \
	src/dp/takeover.c \
	src/dp/takeover_conns.c \
	src/dp/takeover_kernel.c \
	src/dp/takeover_maps.c \
	src/dp/takeover_old.c \
	src/dp/timeouts.c \
	src/dp/traffic.c \
	src/dp/up.c \
	src/dp/verify.c \
	src/dp/verify_config.c \
	src/dp/verify_counts.c \
	src/dp/verify_flows.c \
	src/dp/zero.c \
	src/dp/zones.c \
	src/dp/services.c

CLI_SRCS := \
	src/cli/adm.c \
	src/cli/adm_help.c \
	src/cli/adm_json.c \
	src/cli/adm_list.c \
	src/cli/adm_opts.c \
	src/cli/adm_parse.c \
	src/cli/adm_save.c \
	src/cli/adm_stats.c \
	src/cli/check.c \
	src/cli/command.c \
	src/cli/conn.c \
	src/cli/down.c \
	src/cli/fail.c \
	src/cli/filter.c \
	src/cli/main.c \
	src/cli/metrics.c \
	src/cli/run.c \
	src/cli/snat.c \
	src/cli/stats.c \
	src/cli/status.c \
	src/cli/status_json.c \
	src/cli/status_text.c \
	src/cli/timeout.c \
	src/cli/up.c

SRCS := $(BASE_SRCS) $(NL_SRCS) $(MODEL_SRCS) $(DP_SRCS) $(CLI_SRCS)
OBJS := $(SRCS:%.c=$(BUILD)/%.o)

# Rebuilt when the flags change.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(CFLAGS) $(IVB_CFLAGS) $(CLANG) $(BPF_CFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(CFLAGS) $(IVB_CFLAGS) $(CLANG) $(BPF_CFLAGS)' > $@

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) -MMD -MP -c $< -o $@

# Only the loaders see the skeletons.
$(BUILD)/src/dp/load.o: $(BUILD)/tc.skel.h
$(BUILD)/src/dp/hooks.o: $(BUILD)/ipvs.skel.h

$(BUILD)/ipvs-bpf: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS_DP) -o $@

-include $(OBJS:.o=.d)

FORCE:
.PHONY: FORCE
