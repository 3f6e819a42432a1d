# SPDX-License-Identifier: GPL-2.0-only
#
# Quiet three-column output; V=1 shows the commands, SAN=1 builds with the
# address and undefined-behaviour sanitizers.

CLANG ?= clang
BPFTOOL ?= bpftool
LLVM_STRIP ?= llvm-strip
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
KERNELS ?= 5.10 6.1 6.12 7.2
BACKENDS ?= fentry kprobe stable
PREFIX ?= /usr/local

VERSION := 0.1
OUT := build$(if $(SAN),-san)
PACKAGES := libbpf libelf zlib libmnl libcap-ng libseccomp

CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
user_flags := -std=gnu11 $(warnings) -D_GNU_SOURCE -Iuser -Ibpf -I$(OUT) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES))
libs := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
ifdef SAN
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
endif

bpf_flags := -g -O2 -target bpf -mcpu=v3 $(warnings) -Wno-unused-parameter \
	-Wno-missing-prototypes -Wno-address-of-packed-member \
	-D__TARGET_ARCH_$(subst x86_64,x86,$(subst aarch64,arm64,$(shell uname -m))) \
	-Ivmlinux -Ibpf -idirafter /usr/include/$(shell $(CC) -print-multiarch)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

program := sockdemux-trace
objects := $(patsubst user/%.c,$(OUT)/%.o,$(wildcard user/*.c))
skeletons := $(patsubst bpf/%.bpf.c,$(OUT)/%.skel.h,$(wildcard bpf/*.bpf.c))

.PHONY: all
all: $(program) ## build ./sockdemux-trace

# Plain and SAN=1 builds take turns at the root.
$(program): $(OUT)/$(program) FORCE
	$(Q)cmp -s $< $@ || { cp $< $@.new && mv $@.new $@; }
FORCE:

$(OUT)/$(program): $(objects)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(sanitize) $(LDFLAGS) -o $@ $^ $(libs)

$(OUT)/%.o: user/%.c | $(skeletons) $(OUT)/version.h
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(sanitize) $(user_flags) -MMD -MP -c -o $@ $<

$(OUT)/backend_fentry.o: $(OUT)/fentry.skel.h
$(OUT)/backend_kprobe.o: $(OUT)/kprobe.skel.h
$(OUT)/backend_stable.o: $(OUT)/stable.skel.h
$(OUT)/snapshot_iter.o: $(OUT)/snapshot.skel.h

$(OUT)/version.h: Makefile | $(OUT)
	$(Q)echo '#define VERSION "$(VERSION)"' >$@

$(OUT)/%.bpf.o: bpf/%.bpf.c | $(OUT)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(bpf_flags) -MMD -MP -c -o $@ $<
	$(Q)$(LLVM_STRIP) -g $@

$(OUT)/%.skel.h: $(OUT)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@.new
	$(Q)mv $@.new $@

$(OUT):
	$(Q)mkdir -p $@

.PHONY: demo
demo: all ## the three-client experiment, live; in a guest if need be
	$(Q)sh scripts/demo

# --- tests -------------------------------------------------------------------

include tests/unit/rules.mk

.PHONY: check check-unit check-live check-vm golden
check: all unit-programs $(OUT)/snapshot_now lint ## everything; ends with "N passed, N failed, N skipped"
	$(Q)KERNELS="$(KERNELS)" BACKENDS="$(BACKENDS)" scripts/check
check-unit: all unit-programs ## unit tests and golden recordings
	$(Q)scripts/check unit golden
check-live: all $(OUT)/snapshot_now ## real traffic on this kernel
	$(Q)scripts/check cli live
check-vm: all $(OUT)/snapshot_now ## real traffic in guests: KERNELS="6.1 7.2" BACKENDS=stable
	$(Q)KERNELS="$(KERNELS)" BACKENDS="$(BACKENDS)" scripts/check vm

.PHONY: matrix
matrix: ## what each backend sees on each kernel, from the last run into docs/hooks.md
	$(Q)scripts/matrix

$(OUT)/pingpong $(OUT)/crowd: $(OUT)/%: tests/bench/%.c | $(OUT)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) -std=gnu11 $(warnings) -o $@ $<

# The snapshot without the rest: what the tests look at on any kernel.
$(OUT)/snapshot_now: tests/bench/snapshot_now.c \
		$(filter-out $(OUT)/main.o $(OUT)/demo%,$(objects))
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(sanitize) $(user_flags) -o $@ $^ $(libs)

CONNECTIONS ?= 100000
.PHONY: soak
soak: all ## random connections on this kernel, no false alarm: CONNECTIONS=100000
	$(Q)$(PYTHON) -B tests/soak -n $(CONNECTIONS)

.PHONY: bench-snapshot
bench-snapshot: $(OUT)/crowd $(OUT)/snapshot_now ## seconds for 100,000 older sockets
	$(Q)tests/bench/snapshot $^

.PHONY: bench-cost
bench-cost: all $(OUT)/pingpong ## instructions that tracing adds per segment and datagram
	$(Q)tests/vm/run -t 900 -i 6.12 -- tests/bench/cost $(OUT)/pingpong tcp
	$(Q)tests/vm/run -t 900 -i 6.12 -- tests/bench/cost $(OUT)/pingpong udp

# --- the source itself -------------------------------------------------------

sources := $(wildcard bpf/*.[ch] user/*.[ch] tests/*/*.[ch])

.PHONY: lint layers format check-core
lint: layers ## order of includes, and format
	$(Q)clang-format --dry-run -Werror $(sources)
layers: ## no file includes a later stage's header
	$(Q)scripts/layers
format: ## put the C files into the house's format
	$(Q)clang-format -i $(sources)

check-core: $(skeletons) ## can all types be found in BTF=file?
	$(Q)$(BPFTOOL) -d gen min_core_btf $(BTF) $(OUT)/min.btf \
		$(skeletons:.skel.h=.bpf.o) >$(OUT)/min.log 2>&1 || \
		{ cat $(OUT)/min.log; exit 1; }
	$(Q)! grep 'no matching targets found' $(OUT)/min.log

compile_commands.json: Makefile
	$(Q)printf '%s\n' $(wildcard user/*.c) | awk -v dir='$(CURDIR)' \
		-v command='$(CC) $(user_flags) -c' 'BEGIN { print "[" } \
		{ printf "%s{\"directory\":\"%s\",\"command\":\"%s %s\",\"file\":\"%s\"}\n", \
		  NR > 1 ? "," : "", dir, command, $$0, $$0 } END { print "]" }' >$@

# --- the rest ----------------------------------------------------------------

.PHONY: man install
man: ## read the manual page
	$(Q)man -l docs/sockdemux-trace.8
install: all ## into PREFIX, by default /usr/local
	$(Q)install -D -m 755 $(program) $(DESTDIR)$(PREFIX)/sbin/$(program)
	$(Q)install -D -m 644 docs/$(program).8 \
		$(DESTDIR)$(PREFIX)/share/man/man8/$(program).8

.PHONY: clean
clean: ## remove what was built
	$(Q)rm -rf build build-san $(program) compile_commands.json

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

-include $(wildcard $(OUT)/*.d)
.DELETE_ON_ERROR:
.SECONDARY: $(skeletons:.skel.h=.bpf.o)
