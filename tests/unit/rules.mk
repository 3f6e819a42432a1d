# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests and the fuzzer. User space is built once more for each, with the
# sanitizers, into an archive: a program takes from it what it calls.

unit_names := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
unit_programs := $(unit_names:%=$(OUT)/unit/%)
# main and the demo are programs, and are tested from outside.
unit_sources := $(filter-out user/main.c user/demo%,$(wildcard user/*.c))
unit_flags := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all $(user_flags) -Itests/unit
cmocka = $(shell $(PKG_CONFIG) --cflags --libs cmocka)

.PHONY: unit-programs
unit-programs: $(unit_programs)

$(OUT)/unit-san/%.o: user/%.c | $(skeletons) $(OUT)/version.h $(OUT)/unit-san
	$(call say,CC,$@)
	$(Q)$(CC) $(unit_flags) -MMD -MP -c -o $@ $<

$(OUT)/unit-san/user.a: $(unit_sources:user/%.c=$(OUT)/unit-san/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rc $@ $^

$(OUT)/unit/%: tests/unit/%.c $(OUT)/unit-san/user.a | $(OUT)/unit
	$(call say,CC,$@)
	$(Q)$(CC) $(unit_flags) -MMD -MP -MF $@.d -o $@ $< \
		$(OUT)/unit-san/user.a $(libs) $(cmocka)

# The sandbox forbids nothing to sanitizers: its tests take the program's own
# objects, which have none but with SAN=1.
$(OUT)/unit/test_sandbox $(OUT)/unit/test_sandbox_sinks: $(OUT)/unit/%: \
		tests/unit/%.c $(filter-out $(OUT)/main.o $(OUT)/demo%,$(objects)) \
		| $(OUT)/unit
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(sanitize) $(user_flags) -Itests/unit -MMD -MP \
		-MF $@.d -o $@ $(filter-out %.h,$^) $(libs) $(cmocka)

$(OUT)/unit $(OUT)/unit-san:
	$(Q)mkdir -p $@

# What the sinks are expected to make of the recordings, written anew.
$(OUT)/unit/make_golden: tests/golden/make_golden.c | $(OUT)/unit
	$(call say,CC,$@)
	$(Q)$(CC) $(unit_flags) -MMD -MP -MF $@.d -o $@ $<

golden: all $(OUT)/unit/make_golden ## write tests/golden anew, for git diff to show
	$(Q)$(OUT)/unit/make_golden tests/golden
	$(Q)$(PYTHON) tests/golden/test_golden.py --write

# The fuzzer begins with the golden recordings, without their heads.
fuzz_flags := -O1 -g -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all $(user_flags) -Itests/unit
FUZZ_SECONDS ?= 120

$(OUT)/fuzz/fuzz_replay: tests/fuzz/fuzz_replay.c $(unit_sources) \
		$(wildcard user/*.h bpf/*.h tests/unit/make.h) \
		| $(skeletons) $(OUT)/version.h $(OUT)/fuzz
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(fuzz_flags) -o $@ $< $(unit_sources) $(libs)

.PHONY: fuzz
fuzz: $(OUT)/fuzz/fuzz_replay ## throw damaged recordings at it; FUZZ_SECONDS=120
	$(Q)mkdir -p $(OUT)/fuzz/corpus
	$(Q)for file in tests/golden/*.rec; do \
		tail -c +585 $$file >$(OUT)/fuzz/corpus/$$(basename $$file); \
	done
	$(Q)cd $(OUT)/fuzz && ./fuzz_replay -max_total_time=$(FUZZ_SECONDS) \
		-max_len=8192 -print_final_stats=1 corpus

$(OUT)/fuzz:
	$(Q)mkdir -p $@

-include $(wildcard $(OUT)/unit/*.d $(OUT)/unit-san/*.d)
