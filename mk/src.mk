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
	src/model/hash.c \
	src/model/names.c \
	src/model/order.c \
	src/model/sched.c \
	src/model/slices.c

DP_SRCS := \
	src/dp/attach/attach.c \
	src/dp/attach/attached.c \
	src/dp/attach/clsact.c \
	src/dp/attach/kind.c \
	src/dp/attach/place.c \
	src/dp/attach/tcx.c \
	src/dp/follow/hook_table.c \
	src/dp/follow/hooks.c \
	src/dp/follow/notrack.c \
	src/dp/follow/policy.c \
	src/dp/instance/bpflog.c \
	src/dp/instance/config.c \
	src/dp/instance/family.c \
	src/dp/instance/instance.c \
	src/dp/instance/maps.c \
	src/dp/instance/pin.c \
	src/dp/instance/pin_name.c \
	src/dp/instance/pins.c \
	src/dp/instance/sysbpf.c \
	src/dp/load/build.c \
	src/dp/load/load.c \
	src/dp/load/mapset.c \
	src/dp/load/prog.c \
	src/dp/load/zones.c \
	src/dp/report/conns.c \
	src/dp/report/drain.c \
	src/dp/report/info.c \
	src/dp/report/port_use.c \
	src/dp/report/reason.c \
	src/dp/report/snat_use.c \
	src/dp/report/stats.c \
	src/dp/report/stats_rate.c \
	src/dp/report/traffic.c \
	src/dp/report/zero.c \
	src/dp/services/apply.c \
	src/dp/services/dests.c \
	src/dp/services/list.c \
	src/dp/services/repair.c \
	src/dp/services/service_timeouts.c \
	src/dp/services/services.c \
	src/dp/services/session.c \
	src/dp/services/session_dests.c \
	src/dp/services/session_services.c \
	src/dp/services/timeouts.c \
	src/dp/setup/down.c \
	src/dp/setup/host.c \
	src/dp/setup/plan.c \
	src/dp/setup/ports.c \
	src/dp/setup/up.c \
	src/dp/takeover/conns.c \
	src/dp/takeover/kernel.c \
	src/dp/takeover/maps.c \
	src/dp/takeover/old.c \
	src/dp/takeover/renew.c \
	src/dp/takeover/takeover.c \
	src/dp/takeover/wipe.c \
	src/dp/verify/config.c \
	src/dp/verify/counts.c \
	src/dp/verify/flows.c \
	src/dp/verify/problem.c \
	src/dp/verify/verify.c

CLI_SRCS := \
	src/cli/adm/adm.c \
	src/cli/adm/help.c \
	src/cli/adm/json.c \
	src/cli/adm/list.c \
	src/cli/adm/opts.c \
	src/cli/adm/parse.c \
	src/cli/adm/plan.c \
	src/cli/adm/rules.c \
	src/cli/adm/stats.c \
	src/cli/check.c \
	src/cli/command.c \
	src/cli/conn.c \
	src/cli/down.c \
	src/cli/fail.c \
	src/cli/filter.c \
	src/cli/findings.c \
	src/cli/json.c \
	src/cli/main.c \
	src/cli/metrics.c \
	src/cli/run.c \
	src/cli/service_list.c \
	src/cli/snat.c \
	src/cli/stats.c \
	src/cli/status/find.c \
	src/cli/status/json.c \
	src/cli/status/status.c \
	src/cli/status/text.c \
	src/cli/status/words.c \
	src/cli/timeout.c \
	src/cli/up.c

SRCS := $(BASE_SRCS) $(NL_SRCS) $(MODEL_SRCS) $(DP_SRCS) $(CLI_SRCS)
OBJS := $(SRCS:%.c=$(BUILD)/%.o)

# Rebuilt when the flags change.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(CFLAGS) $(SAN_CFLAGS) $(IVB_CFLAGS) $(CLANG) $(BPF_CFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(CFLAGS) $(SAN_CFLAGS) $(IVB_CFLAGS) $(CLANG) $(BPF_CFLAGS)' > $@

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SAN_CFLAGS) $(IVB_CFLAGS) -MMD -MP -c $< -o $@

# The name of a build is made of its programs.
$(BUILD)/objects_hash.h: $(BUILD)/bpf/tc.bpf.o $(BUILD)/bpf/ipvs.bpf.o
	$(call say,GEN,$@)
	$(Q)echo "#define IVB_OBJECTS_HASH \"$$(cat $^ | sha256sum | cut -c1-16)\"" > $@

$(BUILD)/src/dp/load/build.o: $(BUILD)/objects_hash.h

# Only the loaders see the skeletons.
$(BUILD)/src/dp/load/load.o: $(BUILD)/tc.skel.h
$(BUILD)/src/dp/follow/hooks.o: $(BUILD)/ipvs.skel.h

$(BUILD)/ipvs-bpf: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN_LDFLAGS) $(LDFLAGS) $^ $(LDLIBS_DP) -o $@

-include $(OBJS:.o=.d)

FORCE:
.PHONY: FORCE
