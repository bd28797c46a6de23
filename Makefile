# SPDX-License-Identifier: GPL-2.0-or-later
# One graph: everything built lands in $(BUILD). The parts are in mk/; `make help` lists the targets.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

VERSION := 0.1.0
# SAN=1: the command under the address and undefined behaviour sanitizers, in a folder of its own.
BUILD   ?= $(if $(SAN),build/san-cmd,build)
PREFIX  ?= /usr/local
DESTDIR ?=

CC      = gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
STRIP   ?= llvm-strip
PKGS    := libbpf libmnl json-c

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef
# A warning that does not stop the build is not seen. With a compiler that none of us has tried: WERROR=
WERROR  ?= -Werror
WARN    += $(WERROR)
IVB_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DIVB_VERSION='"$(VERSION)"' -Iinclude -Isrc -I$(BUILD) $(WARN)
LDLIBS_DP := $(shell pkg-config --libs $(PKGS) 2>/dev/null || echo -lbpf -lmnl -ljson-c)

# The machine that is built for, as the compiler says: x86_64-linux-gnu, or clang's x86_64-pc-linux-gnu.
# ARCH is its name, BPF_ARCH what libbpf's bpf_tracing.h calls it, and MULTIARCH Debian's folder.
ARCH      := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
BPF_ARCH  := $(or $(patsubst %:$(ARCH),%,$(filter %:$(ARCH),x86:x86_64 arm64:aarch64 riscv:riscv64 \
	s390:s390x powerpc:powerpc64le loongarch:loongarch64)),$(ARCH))
MULTIARCH := $(ARCH)-linux-gnu

BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -fno-strict-aliasing -D__TARGET_ARCH_$(BPF_ARCH) \
	-Wall -Wextra -Wshadow -Wno-unused-parameter $(WERROR) \
	-Iinclude -Ibpf -isystem /usr/include/$(MULTIARCH)

# The same tree with another ABI and longer values, for tests of upgrades: headers made of ours, before
# ours.
ABI_HDRS := $(if $(ABI_TEST),$(patsubst include/%,$(BUILD)/include/%,include/ivb/abi.h $(wildcard include/ivb/abi/*.h)))
IVB_CFLAGS := $(if $(ABI_TEST),-I$(BUILD)/include) $(IVB_CFLAGS)
BPF_CFLAGS := $(if $(ABI_TEST),-I$(BUILD)/include) $(BPF_CFLAGS)

# The same tree with something in its programs' object that others lack: another build, of the same ABI.
BPF_CFLAGS += $(if $(BUILD_TEST),-include tests/other-build.h)

# The runtimes are linked in: the tests preload libraries of their own, and those would come first.
SANITIZE     := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS   := $(if $(SAN),$(SANITIZE))
SAN_LDFLAGS  := $(if $(SAN),$(SANITIZE) $(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan))

# What a program is made from, for programs that one command makes: a changed abi.h rebuilds them.
DEPS = -MMD -MP -MT $@ -MF $@.d

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

all: $(BUILD)/ipvs-bpf bpf-objects

# All that is compiled depends on flags.
$(BUILD)/flags: $(ABI_HDRS)
$(BUILD)/include/%.h: include/%.h tests/other-abi.awk
	$(Q)mkdir -p $(@D)
	$(Q)awk -f tests/other-abi.awk $< > $@

include mk/src.mk
include mk/bpf.mk
include mk/tests.mk
include mk/lint.mk
include mk/bench.mk
include mk/install.mk
-include mk/vm.mk

demo: all $(DEMO_PROGS)
	$(Q)tools/demo/demo.sh

help:
	@echo 'Targets:'
	@echo '  all          build/ipvs-bpf and the BPF objects (the default)'
	@echo '  demo         a load balancer, its clients and servers in namespaces, shown at work'
	@echo '  check        lint, build, and every test tier, ending with a summary'
	@echo '  check-TIER   one tier: unit, pkt, verifier, netns, fuzz, vm (KERNEL=7.3: all that guests have, on that one)'
	@echo '  check-quick  what one runs before each commit'
	@echo '  check-san    netns tests with the command under ASAN and UBSAN; soak-san: nearly all of them'
	@echo '  check-compilers  builds with other compilers as well'
	@echo '  fuzz         a longer fuzzing run (FUZZ_SECONDS=60)'
	@echo '  soak-ports   10,000 connections a second through one SNAT address for 150 s'
	@echo '  soak-expiry  a million connections wait for their end, and come to it'
	@echo '  soak-ticks   the expiry timer takes less than a millisecond at a time, with a million connections'
	@echo '  soak-kill    1000 commands killed at random moments'
	@echo '  bench        what a packet and a connection cost here, as ratios to others; build/bench.{json,svg}'
	@echo '  bench-scale  the same with a million connections, and 1,024 servers (SCHEDULERS="rr wrr")'
	@echo '  bench-flood  what established connections cost while a flood is refused'
	@echo '  bench-record what the last bench measured is what check compares with from now on'
	@echo '  bench-vm     instructions that the director spends, on 6.1 and 6.12 (BENCH_BOOTS=3)'
	@echo '  bench-vm-record  what the last bench-vm measured is what check compares with from now on'
	@echo '  vm           a shell in a guest with everything installed (KERNEL=6.1 or 6.12)'
	@echo '  lint         layers, formatting, shellcheck, man pages, self-contained headers'
	@echo '  install      into $$(DESTDIR)$$(PREFIX) (PREFIX=/usr/local)'
	@echo '  uninstall    takes that away again'
	@echo '  clean        removes build/'
	@echo 'Variables: V=1 (show commands) BUILD= CC= CLANG= CFLAGS= DESTDIR= PREFIX= KERNEL='

clean:
	$(Q)rm -rf $(BUILD)

.PHONY: all demo help clean
