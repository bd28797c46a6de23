# SPDX-License-Identifier: GPL-2.0-or-later
# Test programs and the tiers; all speak TAP, and prove runs them.

# --- programs: unit tests are linked with base and model, sanitized ---------------------------
UNIT_TESTS :=
UNIT_TESTS += $(addprefix $(BUILD)/tests/unit/,test_addr test_adm test_order test_sched)
UNIT_TESTS += $(addprefix $(BUILD)/tests/unit/,test_pkt_csum test_pkt_parse)
UNIT_TESTS += $(addprefix $(BUILD)/tests/fuzz/replay_,parse adm text)
UNIT_TESTS += tests/unit/maps.t

# pkt, fuzz and verifier programs
PKT_TESTS := $(BUILD)/tests/pkt/pkt $(BUILD)/tests/pkt/race
VERIFIER_TESTS := $(BUILD)/tests/verifier/verifier
FUZZ_TESTS := tests/fuzz/fuzz.t

# programs that netns tests and the demo use
NETNS_PROGS := $(addprefix $(BUILD)/tests/tools/,udp echo probe flood watch watch.bpf.o churn ticks notimer.so notcx.so otherbtf.so taken)
DEMO_PROGS := $(BUILD)/tests/tools/udp

# another version, to upgrade to and back from
OTHER_ABI := $(BUILD)/abi-test/ipvs-bpf
$(OTHER_ABI): FORCE
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/abi-test ABI_TEST=1 $@

# another build of the same version
OTHER_BUILD := $(BUILD)/build-test/ipvs-bpf
$(OTHER_BUILD): FORCE
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/build-test BUILD_TEST=1 $@

# scripts
NETNS_TESTS := $(patsubst %,tests/netns/%.t,adm conn http udp bulk metrics install topologies conntrack manners vip zones replies snat hostports \
	ports icmp pmtu fragments checksums devices cli silence live options upgrade upgrade-maps upgrade-from renew changes kill expiry flood bench)
DOC_TESTS := tests/docs/man.t
VM_TESTS := $(patsubst %,tests/vm/%.t,6.1 6.12 7.3 bench-6.1 bench-6.12)
SOAK_TESTS := $(patsubst %,tests/soak/%.t,ports expiry)

# the shortest: a few seconds each
QUICK_NETNS_TESTS := $(patsubst %,tests/netns/%.t,icmp metrics conntrack cli)

TEST_PROGS := $(UNIT_TESTS) $(PKT_TESTS) $(VERIFIER_TESTS) $(FUZZ_TESTS) $(NETNS_PROGS) $(DEMO_PROGS) $(OTHER_ABI) $(OTHER_BUILD)

UNIT_LIB_SRCS := $(BASE_SRCS) $(MODEL_SRCS)
UNIT_LIB_OBJS := $(UNIT_LIB_SRCS:%.c=$(BUILD)/san/%.o)

$(BUILD)/san/%.o: %.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(IVB_CFLAGS) -Itests/lib -Ibpf -MMD -MP -c $< -o $@

$(BUILD)/tests/unit/%: $(BUILD)/san/tests/unit/%.o $(UNIT_LIB_OBJS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $^ $(LDLIBS_DP) -o $@

$(BUILD)/tests/tools/%: tests/tools/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $(DEPS) $< $(LDLIBS_DP) -o $@

$(BUILD)/tests/tools/%.so: tests/tools/%.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) $(DEPS) -shared -fPIC $< -o $@

$(BUILD)/tests/tools/%.bpf.o: tests/tools/%.bpf.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPS) -c $< -o $@

# connections made and answered in the kernel
$(BUILD)/tests/tools/churn.skel.h: $(BUILD)/tests/tools/churn.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name churn_bpf > $@

$(BUILD)/tests/tools/churn: $(BUILD)/tests/tools/churn.skel.h

# how long the expiry timer's runs are
$(BUILD)/tests/tools/ticks.skel.h: $(BUILD)/tests/tools/ticks.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name ticks_bpf > $@

$(BUILD)/tests/tools/ticks: $(BUILD)/tests/tools/ticks.skel.h

# adm's parser is the one part of cli that has a unit test
$(BUILD)/tests/unit/test_adm: $(addprefix $(BUILD)/san/src/cli/adm/,parse.o opts.o)

# unit tests of bpf/pkt build frames
$(BUILD)/tests/unit/test_pkt_parse: $(BUILD)/san/tests/lib/pkt.o

# fuzz targets: under libFuzzer, and, with gcc, replaying the committed inputs
FUZZ_SECONDS ?= 60
FUZZ_SRCS_parse := tests/fuzz/fuzz_parse.c tests/fuzz/ref_parse.c
FUZZ_SRCS_adm := tests/fuzz/fuzz_adm.c src/cli/adm/parse.c src/cli/adm/opts.c $(UNIT_LIB_SRCS)
FUZZ_SRCS_text := tests/fuzz/fuzz_text.c src/dp/instance/pin_name.c src/dp/setup/ports.c $(BASE_SRCS)

# names are not asked of a server
FUZZ_LDFLAGS_adm := -Wl,--wrap=getaddrinfo,--wrap=getservbyname

define fuzz_target
$(BUILD)/tests/fuzz/replay_$(1): $(BUILD)/san/tests/fuzz/replay.o $(FUZZ_SRCS_$(1):%.c=$(BUILD)/san/%.o)
$(BUILD)/tests/fuzz/fuzz_$(1): $(FUZZ_SRCS_$(1):%.c=$(BUILD)/fuzz-obj/%.o)
tests/fuzz/fuzz.t: $(BUILD)/tests/fuzz/fuzz_$(1)
endef
$(foreach t,parse adm text,$(eval $(call fuzz_target,$(t))))

$(BUILD)/tests/fuzz/replay_%:
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $^ $(FUZZ_LDFLAGS_$*) -o $@

$(BUILD)/tests/fuzz/fuzz_%:
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer $^ $(FUZZ_LDFLAGS_$*) -o $@

$(BUILD)/fuzz-obj/%.o: %.c $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link $(IVB_CFLAGS) -Ibpf -MMD -MP -c $< -o $@

fuzz: tests/fuzz/fuzz.t
	FUZZ_SECONDS=$(FUZZ_SECONDS) $<

# programs that load the skeleton
PKT_SRCS := $(addprefix tests/pkt/,pkt.c env.c state.c observe.c verify.c xmit.c conn.c enter.c spy.c kernel.c \
	cases_pass.c cases_conn.c cases_snat.c cases_sched.c cases_tcp.c cases_forward.c \
	cases_frag.c cases_icmp.c cases_time.c cases_kernel.c cases_kernel_frag.c cases_follow.c \
	cases_follow_snat.c cases_direct.c cases_tunnel.c cases_flood.c) tests/lib/pkt.c tests/lib/pktdiff.c
RACE_SRCS := $(addprefix tests/pkt/,race.c env.c state.c observe.c verify.c xmit.c conn.c enter.c spy.c kernel.c) tests/lib/pkt.c \
	tests/lib/pktdiff.c
VERIFIER_SRCS := tests/verifier/verifier.c
SKEL_TEST_OBJS := $(PKT_SRCS:%.c=$(BUILD)/%.o) $(BUILD)/tests/pkt/race.o $(VERIFIER_SRCS:%.c=$(BUILD)/%.o)

$(BUILD)/tests/pkt/%.bpf.o: tests/pkt/%.bpf.c tests/pkt/%.h $(BUILD)/flags
	$(call say,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPS) -c $< -o $@

$(BUILD)/tests/pkt/%.skel.h: $(BUILD)/tests/pkt/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(BUILD)/tests/pkt/spy.o: $(BUILD)/tests/pkt/spy.skel.h
$(BUILD)/tests/pkt/enter.o: $(BUILD)/tests/pkt/enter.skel.h

$(SKEL_TEST_OBJS): $(BUILD)/%.o: %.c $(BUILD)/tc.skel.h $(BUILD)/ipvs.skel.h $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(IVB_CFLAGS) -Itests/lib -Itests/pkt -I$(BUILD)/tests/pkt -Ibpf -MMD -MP -c $< -o $@

$(BUILD)/tests/pkt/pkt: $(PKT_SRCS:%.c=$(BUILD)/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ -lbpf -o $@

$(BUILD)/tests/pkt/race: $(RACE_SRCS:%.c=$(BUILD)/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ -lbpf -o $@ -pthread

# which hooks this kernel can have is told by the command's own table
$(BUILD)/tests/verifier/verifier: $(VERIFIER_SRCS:%.c=$(BUILD)/%.o) $(addprefix $(BUILD)/src/,dp/follow/hook_table.o base/err.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ -lbpf -o $@

-include $(wildcard $(BUILD)/tests/*/*.d $(BUILD)/bench/*.d)
-include $(shell find $(BUILD)/san $(BUILD)/fuzz-obj -name '*.d' 2>/dev/null)

# objects that only pattern rules name are kept
.PRECIOUS: $(BUILD)/san/%.o $(BUILD)/fuzz-obj/%.o $(BUILD)/tests/pkt/%.bpf.o $(BUILD)/tests/pkt/%.skel.h

# testrules.yml says what may run side by side
PROVE := prove -j2 --timer --merge --failures

test-programs: all $(TEST_PROGS)

check: all lint check-compilers $(TEST_PROGS)
	$(Q)$(PROVE) $(UNIT_TESTS) $(DOC_TESTS) $(FUZZ_TESTS) $(VERIFIER_TESTS) $(PKT_TESTS) $(NETNS_TESTS) $(VM_TESTS)

# what one runs before each commit
check-quick: all lint $(UNIT_TESTS) $(PKT_TESTS) $(VERIFIER_TESTS) $(NETNS_PROGS)
	$(Q)$(PROVE) $(UNIT_TESTS) $(DOC_TESTS) $(VERIFIER_TESTS) $(firstword $(PKT_TESTS)) $(QUICK_NETNS_TESTS)

# for lint: every test that something runs
list-tests:
	@echo $(UNIT_TESTS) $(DOC_TESTS) $(FUZZ_TESTS) $(VERIFIER_TESTS) $(PKT_TESTS) $(NETNS_TESTS) $(VM_TESTS) $(SOAK_TESTS)

check-unit: $(UNIT_TESTS)
	$(Q)$(PROVE) $^
check-pkt: all $(PKT_TESTS)
	$(Q)$(PROVE) $(PKT_TESTS)
check-verifier: all $(VERIFIER_TESTS)
	$(Q)$(PROVE) $(VERIFIER_TESTS)
check-fuzz: $(FUZZ_TESTS)
	$(Q)$(PROVE) $(FUZZ_TESTS)
check-netns: all $(NETNS_PROGS) $(OTHER_ABI) $(OTHER_BUILD)
	$(Q)$(PROVE) $(NETNS_TESTS)
# KERNEL=7.3: on that kernel alone, but all that guest-tests.txt lists for any
ifeq ($(origin KERNEL),command line)
check-vm: all $(TEST_PROGS)
	$(Q)IVB_GUEST_ALL=1 $(PROVE) tests/vm/$(KERNEL).t
else
check-vm: all $(TEST_PROGS)
	$(Q)$(PROVE) $(VM_TESTS)
endif

# The netns tier with the command under ASAN, LSAN and UBSAN. A finding is a file in build/san-reports, so
# that a test which wants a command to fail cannot hide it. Left out, as they measure the command's time or
# limit its address space (ASAN maps terabytes), or start another build: adm conn bench flood expiry bulk
# upgrade renew install; and kill, as LSAN cannot work under strace.
SAN_TESTS ?= $(patsubst %,tests/netns/%.t,cli metrics options zones vip snat devices live)
SOAK_SAN_TESTS := $(filter-out $(patsubst %,tests/netns/%.t,adm conn bench flood expiry bulk upgrade renew install kill), \
	$(NETNS_TESTS))

check-san: all $(NETNS_PROGS)
	$(Q)$(MAKE) --no-print-directory SAN=1 BUILD=$(BUILD)/san-cmd $(BUILD)/san-cmd/ipvs-bpf
	$(Q)rm -rf $(BUILD)/san-reports && mkdir -p $(BUILD)/san-reports
	$(Q)ASAN_OPTIONS=log_path=$(abspath $(BUILD))/san-reports/asan:detect_leaks=1 \
		UBSAN_OPTIONS=log_path=$(abspath $(BUILD))/san-reports/ubsan:print_stacktrace=1 \
		IPVS_BPF=$(abspath $(BUILD))/san-cmd/ipvs-bpf $(PROVE) $(SAN_TESTS)
	$(Q)! cat $(BUILD)/san-reports/* 2>/dev/null

soak-san:
	$(Q)$(MAKE) --no-print-directory check-san SAN_TESTS='$(SOAK_SAN_TESTS)'

# too long for check
soak-ports: all $(NETNS_PROGS)
	$(Q)$(PROVE) -v tests/soak/ports.t

soak-expiry: all $(NETNS_PROGS)
	$(Q)$(PROVE) -v tests/soak/expiry.t

# in a guest whose clock counts instructions, and on this machine, beside a timer that does nothing
soak-ticks: all $(NETNS_PROGS)
	$(Q)tools/vm/run.sh --kernel 6.12 --icount 0 --mem 3G --timeout 1800 -- \
		env IVB_SLOW=1 IVB_CONNS=1000000 tests/netns/ticks.t
	$(Q)IVB_CONNS=1000000 $(PROVE) -v tests/netns/ticks.t

# in guests: another build and another ABI over an instance that follows kernel IPVS
soak-upgrade: all $(TEST_PROGS)
	$(Q)IVB_GUEST_TESTS=$(CURDIR)/tests/soak/upgrade.txt $(PROVE) -v tests/vm/6.1.t tests/vm/6.12.t

soak-kill: all $(NETNS_PROGS)
	$(Q)KILLS=1000 $(PROVE) -v tests/netns/kill.t

.PHONY: check-san soak-san test-programs soak-ports soak-expiry soak-ticks soak-upgrade soak-kill fuzz check check-quick list-tests check-unit check-pkt check-verifier check-fuzz check-netns check-vm
