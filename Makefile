# SPDX-License-Identifier: Apache-2.0
# Builds the hypervisor, its configuration compiler, the test guests and the tests.
#
#   make                 the hypervisor, build/bulkhead-config, the test guests
#   make run             two Linux partitions in QEMU on this terminal. CONFIG=... takes another
#                        configuration; CONFIG= takes none, and shows what the machine has and a
#                        configuration for it. MACHINE=bochs runs in Bochs, on an Intel CPU
#   make efi             one UEFI program build/NAME.efi with everything that CONFIG needs
#   make image           a disk image build/NAME.img of CONFIG, for BIOS and UEFI, through GRUB
#   make iso             a bootable GRUB image build/NAME.iso of CONFIG, for BIOS
#   make test            all tests that must pass
#   make docs            writes the documents and pictures that are generated from tables; docs-check: they
#                        are up to date
#   make fuzz            the fuzzers in turn, each for FUZZ_SECONDS (60) or a part of that; run-NAME: one
#   make coverage        the share of the decision code's lines that unit tests and fuzzers run; COVERAGE_MIN=90
#                        (percent) is the least that passes
#   make guests-test     other operating systems in a partition, from docs/guests.md [K=names]; takes an hour
#   make unit, config-test, boot-test [K=pytest expression], bench, lint, layers, format-check, format, clean
#
# CC=clang builds with clang. AUDIT_BREAK=1 builds a hypervisor in build/audit-break that breaks its own
# tables on purpose, so that its audit must refuse them. SETUP=0 does not call apt. V=1 shows the commands.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
HOSTCC  ?= $(CC)
NASM    ?= nasm
LD      ?= ld
OBJCOPY ?= objcopy
IASL    ?= iasl
PYTHON  ?= /usr/bin/python3
CONFIG  ?= partitions/two-linux.conf
SETUP   ?= 1
PYTEST_JOBS  ?= 2
FUZZ_SECONDS ?= 60

# `quoted` makes any text one word for the shell. THE_CONFIG is CONFIG as the user wrote it: a $ in it is not
# expanded.
quoted = '$(subst ','\'',$(1))'
THE_CONFIG = $(if $(value CONFIG),$(call quoted,$(value CONFIG)))

# Output: the file that is being made, or with V=1 the commands.
Q   := $(if $(V),,@)
say  = @$(if $(V),:,printf '  %-7s %s\n' $(1) '$(2)')

# The generated headers are the same for every variant; objects and images are not.
BUILD := build
GEN   := build/gen
HVDIR := $(BUILD)
ifdef AUDIT_BREAK
HVDIR := $(BUILD)/audit-break
endif

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
BASE := -std=gnu11 $(WARN) -I. -I$(GEN) -g
HV_CFLAGS := $(BASE) -ffreestanding -mno-red-zone -mgeneral-regs-only -mcmodel=kernel \
             -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables \
             -fcf-protection=none -ffunction-sections -fdata-sections
ifdef AUDIT_BREAK
HV_CFLAGS += -DAUDIT_BREAK
endif
HOST_CFLAGS := $(BASE) -O1
TEST_CFLAGS := $(BASE) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer
FUZZ_CC     ?= clang
FUZZ_CFLAGS := $(BASE) -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
# COVERAGE counts how often each line runs. clang does the counting, so it also compiles the unit tests.
TESTDIR := $(BUILD)
ifdef COVERAGE
TESTDIR     := $(BUILD)/coverage
HOSTCC      := $(FUZZ_CC)
TEST_CFLAGS += -fprofile-instr-generate -fcoverage-mapping
FUZZ_CFLAGS += -fprofile-instr-generate -fcoverage-mapping
endif

# ---- the hypervisor -------------------------------------------------------------------------

# The storeys, from the lowest up: tests/tools/check-layers.py.
HV_DIRS := arch/lib arch/cpu arch/memory arch/interrupt arch/virt boot drivers/uart drivers/console \
           drivers/acpi drivers/clock drivers/pci drivers/ioapic drivers/iommu drivers/vtd drivers/amdvi \
           hv/memory hv/interrupt hv/machine hv/emulate hv/policy hv/vdev hv/vpci hv/guest hv/partition \
           hv/device hv/console hv/life hv/exit arch/svm arch/vmx hv/audit hv/start
HV_C    := $(filter-out boot/asm_offsets.c,$(wildcard $(addsuffix /*.c,$(HV_DIRS)))) \
           $(wildcard partitions/blob.c)
HV_ASM  := $(wildcard $(addsuffix /*.asm,$(HV_DIRS)))
# Headers that are generated before anything is compiled; the .mk fragments may add some.
HV_GEN  := $(GEN)/version.h
UNIT_TESTS :=
FUZZERS :=

-include $(wildcard $(addsuffix /*.mk,$(HV_DIRS)) partitions/*.mk)
-include $(wildcard docs/tables/*.mk tests/unit/*.mk tests/fuzz/*.mk tests/guests/*.mk)

# Code that runs at guests' exits or goes over memory is built for speed. All other code is built for size,
# which linker.ld limits: -Oz is 10 KiB smaller than -Os with clang, and 2 KiB with gcc.
HV_HOT := $(filter arch/svm/exit.c arch/svm/state.c arch/vmx/cr.c arch/vmx/event.c arch/vmx/exit.c arch/vmx/state.c \
              arch/lib/string.c arch/cpu/tsc.c arch/memory/paging.c arch/memory/window.c arch/interrupt/apic.c \
              arch/virt/guest_state.c drivers/console/% partitions/sha256.c hv/memory/guest_mem.c \
              hv/memory/guest_walk.c hv/interrupt/icr.c hv/interrupt/vapic.c hv/emulate/address.c \
              hv/emulate/decode.c hv/emulate/emulate.c hv/policy/cpuid_policy.c hv/policy/io_policy.c \
              hv/policy/msr_policy.c hv/vdev/% hv/partition/deliver.c hv/partition/devices.c hv/partition/vcpu.c \
              hv/device/map.c hv/console/guest_console.c hv/life/vcpu_work.c hv/exit/emulation.c hv/exit/exits.c \
              hv/exit/next_rip.c hv/exit/platform.c,$(HV_C))
# Except for files of these that guests seldom reach.
HV_HOT := $(filter-out drivers/console/console.c hv/vdev/vpm.c hv/vdev/vreset.c hv/vdev/vrtc.c,$(HV_HOT))
HV_OBJ := $(HV_C:%.c=$(HVDIR)/obj/%.o) $(HV_ASM:%.asm=$(HVDIR)/obj/%.asm.o)
ifneq ($(wildcard boot/asm_offsets.c),)
ASM_OFFSETS := $(GEN)/asm_offsets.inc
endif

# The largest image size, in bytes; clang's code is larger.
IMAGE_LIMIT := $(if $(findstring clang,$(CC)),528,512)*1024

.PHONY: all run test long-test unit boot-test config-test guests-test fuzz bench iso efi image clean format format-check layers lint \
        guests hypervisor linux generic-linux FORCE setup-run setup-iso setup-efi setup-image setup-test \
        setup-bench setup-bochs

all: hypervisor guests $(BUILD)/bulkhead-tables
hypervisor: $(HVDIR)/bulkhead.elf $(HVDIR)/bulkhead32.elf $(BUILD)/bulkhead-config

$(HVDIR)/bulkhead.elf: linker.ld $(HV_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none --gc-sections \
	    --defsym='IMAGE_LIMIT=$(IMAGE_LIMIT)' -T linker.ld -Map=$(@:.elf=.map) -o $@ $(HV_OBJ)

# The same image for QEMU's -kernel, which reads ELF32 only.
$(HVDIR)/bulkhead32.elf: $(HVDIR)/bulkhead.elf
	$(Q)$(OBJCOPY) -O elf32-i386 $< $@

# Rebuilds the objects after a change of the compiler or its flags.
HV_STAMP := $(HVDIR)/obj/.flags
$(HV_STAMP): FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(HV_CFLAGS) $(HV_HOT)' | cmp -s - $@ || echo '$(CC) $(HV_CFLAGS) $(HV_HOT)' > $@

$(HV_HOT:%.c=$(HVDIR)/obj/%.o): HV_OPTIMIZE := -O2

$(HVDIR)/obj/%.o: %.c $(HV_STAMP) | $(HV_GEN)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HV_CFLAGS) $(or $(HV_OPTIMIZE),-Oz) -MMD -MP -c $< -o $@

$(HVDIR)/obj/%.asm.o: %.asm $(ASM_OFFSETS) | $(HV_GEN)
	$(call say,NASM,$@)
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -g -F dwarf -I./ -I$(GEN)/ -MD $(@:.o=.d) -MP -o $@ $<

# Numbers that assembly shares with C: boot/asm_offsets.c is compiled to assembly text only, and each line
# `->NAME value` in that text becomes a definition for nasm.
$(GEN)/asm_offsets.inc: boot/asm_offsets.c $(HV_STAMP) | $(HV_GEN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HV_CFLAGS) -fno-lto -MMD -MP -MF $(GEN)/asm_offsets.d -MT $@ -S $< -o $(GEN)/asm_offsets.s
	$(Q)sed -n 's/^[^"]*"->\([A-Za-z0-9_]*\) [$$#]*\(-\{0,1\}[0-9a-fA-Fx]*\)".*/%define \1 \2/p' \
	    $(GEN)/asm_offsets.s > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

VERSION := $(shell git describe --tags --dirty --always --match 'v*' 2>/dev/null | grep '^v' || echo 0.1)
# Several makes may run at once (the tests of run-tests.py), so each writes its own temporary file.
$(GEN)/version.h: FORCE
	@mkdir -p $(@D)
	@new=$@.$$$$; \
	printf '// SPDX-License-Identifier: Apache-2.0\n#ifndef GEN_VERSION_H\n#define GEN_VERSION_H\n#define BULKHEAD_VERSION "%s"\n#endif\n' '$(VERSION)' > $$new; \
	cmp -s $$new $@ && rm $$new || mv $$new $@

# ---- the configuration compiler --------------------------------------------------------------

CONFIG_TOOL_SRCS ?= $(wildcard partitions/*.c)
CONFIG_TOOL_OBJ  := $(CONFIG_TOOL_SRCS:%.c=$(BUILD)/host/%.o)

$(BUILD)/bulkhead-config: $(CONFIG_TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -g -o $@ $^ -lconfig

$(BUILD)/host/%.o: %.c | $(HV_GEN)
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

# Compiles a configuration of partitions/ to build/NAME.bin.
$(BUILD)/%.bin: partitions/%.conf $(BUILD)/bulkhead-config
	$(Q)$(BUILD)/bulkhead-config build $< -o $@

# ---- guests -----------------------------------------------------------------------------------

GUEST_NAMES  := $(basename $(notdir $(wildcard tests/guests/guest_*.c)))
GUEST_ELFS   := $(GUEST_NAMES:guest_%=$(BUILD)/%.elf)
GUEST_CFLAGS := -std=gnu11 $(WARN) -I. -g -O2 -ffreestanding -mno-red-zone -mgeneral-regs-only \
                -mcmodel=small -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing \
                -fno-asynchronous-unwind-tables -fcf-protection=none
GUEST_RT     := $(patsubst tests/guests/%,$(BUILD)/guests/%.o, \
                $(filter-out tests/guests/guest_%,$(wildcard tests/guests/*.c tests/guests/*.asm)))

guests: $(GUEST_ELFS) $(GUEST_EXTRA)

$(BUILD)/guests/%.c.o: tests/guests/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/guests/%.asm.o: tests/guests/%.asm
	$(call say,NASM,$@)
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -Itests/guests/ -MD $(@:.o=.d) -MP -o $@ $<
# A guest of several files has the others in a folder with its name. guest_link_NAME: its linker options.
.SECONDEXPANSION:
guest_parts = $(patsubst tests/guests/%,$(BUILD)/guests/%.o,$(wildcard tests/guests/$(1)/*.c tests/guests/$(1)/*.asm))
$(BUILD)/guests/%.elf64: tests/guests/guest.ld $(BUILD)/guests/guest_%.c.o $$(call guest_parts,$$*) $(GUEST_RT)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
	    --no-warn-rwx-segments $(guest_link_$*) -T tests/guests/guest.ld -o $@ $(filter %.o,$^)
# Some tests run guests without the hypervisor, by QEMU's -kernel, which reads ELF32 only.
$(GUEST_ELFS): $(BUILD)/%.elf: $(BUILD)/guests/%.elf64
	$(Q)$(OBJCOPY) -O elf32-i386 $< $@
.SECONDARY:

# Debian's kernels as files, with busybox initramfs: the small kernel; and for partitions with devices the
# generic kernel, its drivers, and a disk. The generic ones are large, so only their users depend on them.
GENERIC_LINUX := $(BUILD)/vmlinuz-generic $(BUILD)/initrd-devices.gz $(BUILD)/disk.img
linux: $(BUILD)/vmlinuz $(BUILD)/initrd.gz
generic-linux: $(GENERIC_LINUX)
$(BUILD)/vmlinuz: tests/tools/fetch-linux.sh
	$(Q)tests/tools/fetch-linux.sh cloud $@
$(BUILD)/vmlinuz-generic: tests/tools/fetch-linux.sh
	$(Q)tests/tools/fetch-linux.sh generic $@
INITRD_PARTS := tests/tools/make-initrd.sh $(wildcard tests/guests/linux/*)
$(BUILD)/initrd.gz: $(INITRD_PARTS)
	$(call say,CPIO,$@)
	$(Q)tests/tools/make-initrd.sh $@ '$(CC)'
$(BUILD)/initrd-devices.gz: $(INITRD_PARTS) $(BUILD)/vmlinuz-generic
	$(call say,CPIO,$@)
	$(Q)tests/tools/make-initrd.sh $@ '$(CC)' $(BUILD)/cache/linux-generic
$(BUILD)/disk.img: tests/tools/make-disk.sh
	$(call say,MKE2FS,$@)
	$(Q)tests/tools/make-disk.sh $@
# The files that a configuration needs besides the hypervisor and the test guests.
linux_of_config = $(if $(THE_CONFIG),linux $(if $(shell grep -l -e vmlinuz-generic -- $(THE_CONFIG) 2>/dev/null),generic-linux))

# ---- what a user does -------------------------------------------------------------------------

ifeq ($(SETUP),0)
setup-run setup-iso setup-efi setup-image setup-test setup-bench setup-bochs: ;
else
setup-run setup-iso setup-efi setup-image setup-test setup-bench setup-bochs: setup-%:
	@tests/setup.sh $*
endif

run: setup-$(if $(filter bochs,$(MACHINE)),bochs,run)
	@$(MAKE) --no-print-directory SETUP=0 hypervisor guests $(linux_of_config) $(if $(THE_CONFIG),$(BUILD)/disk.img)
	@$(PYTHON) tests/tools/$(if $(filter bochs,$(MACHINE)),bochs.py,run.py) -- $(THE_CONFIG)

iso: setup-iso
	@$(MAKE) --no-print-directory SETUP=0 hypervisor guests $(linux_of_config)
	@$(PYTHON) tests/tools/run.py --iso -- $(THE_CONFIG)

efi: setup-efi
	@$(MAKE) --no-print-directory SETUP=0 hypervisor $(BUILD)/bulkhead.efi guests $(linux_of_config)
	@$(PYTHON) tests/tools/run.py --efi -- $(THE_CONFIG)

image: setup-image
	@$(MAKE) --no-print-directory SETUP=0 hypervisor guests $(linux_of_config)
	@$(PYTHON) tests/tools/run.py --image -- $(THE_CONFIG)

test: setup-test
	@$(MAKE) --no-print-directory SETUP=0 all $(EFI_PROGRAMS) linux generic-linux
	@$(PYTHON) tests/tools/run-tests.py --jobs $(PYTEST_JOBS)

# Tests that take too long for `test`: boot tests of minutes each, and every fuzzer for ten minutes.
long-test: setup-test
	@$(MAKE) --no-print-directory SETUP=0 all $(EFI_PROGRAMS) linux generic-linux
	@$(PYTHON) tests/tools/run-tests.py --long --jobs $(PYTEST_JOBS)

unit: $(BUILD)/bulkhead-config
	@$(PYTHON) tests/tools/run-tests.py --only unit

boot-test: setup-test
	@$(MAKE) --no-print-directory SETUP=0 all $(EFI_PROGRAMS) linux generic-linux
	@$(PYTHON) tests/tools/run-tests.py --only boot --jobs $(PYTEST_JOBS) $(if $(K),--select $(call quoted,$(value K)))

config-test: $(BUILD)/bulkhead-config
	@$(PYTHON) tests/tools/run-tests.py --only config

# Fetches other operating systems and runs them one after another; K selects some. Not part of `test`.
guests-test: setup-run
	@$(MAKE) --no-print-directory SETUP=0 hypervisor linux
	@$(PYTHON) tests/tools/guests.py $(K)

bench: setup-bench
	@$(MAKE) --no-print-directory SETUP=0 all linux generic-linux
	@$(PYTHON) tests/bench/bench.py

# ---- unit tests and fuzzers -------------------------------------------------------------------

.PHONY: unit-build unit-names
unit-build: $(UNIT_TESTS:%=$(TESTDIR)/unit/%)
unit-names:
	@echo $(UNIT_TESTS)

# Programs of one kind share their objects, except for a program with its own flags. $(1): the program's
# name; $(2): its folder; $(3): the compiler; $(4): flags; $(5): further libraries.
program_objects = $($(1)_SRCS:%.c=$(TESTDIR)/$(2)/$(if $($(1)_CFLAGS),$(1).d,obj)/%.o)
define PROGRAM_RULE
$(TESTDIR)/$(2)/$(1): $(call program_objects,$(1),$(2))
	$$(call say,TEST,$$@)
	$$(Q)$(3) $(4) -o $$@ $$(filter %.o,$$^) $($(1)_LIBS) $(5)
$(call program_objects,$(1),$(2)): $($(1)_DEPS)
$(if $($(1)_CFLAGS),$(call OBJECT_RULE,$(2)/$(1).d,$(3),$(4) $($(1)_CFLAGS)))
endef
# $(1): the folder; $(2): the compiler; $(3): flags.
define OBJECT_RULE
$(TESTDIR)/$(1)/%.o: %.c | $(HV_GEN)
	@mkdir -p $$(@D)
	$$(Q)$(2) $(3) -MMD -MP -c $$< -o $$@
endef
$(eval $(call OBJECT_RULE,unit/obj,$(HOSTCC),$(TEST_CFLAGS)))
$(eval $(call OBJECT_RULE,fuzz/obj,$(FUZZ_CC),$(FUZZ_CFLAGS)))
$(foreach t,$(UNIT_TESTS),$(eval $(call PROGRAM_RULE,$(t),unit,$(HOSTCC),$(TEST_CFLAGS),-lcmocka)))
$(foreach f,$(FUZZERS),$(eval $(call PROGRAM_RULE,$(f),fuzz,$(FUZZ_CC),$(FUZZ_CFLAGS))))

# New inputs go to build/fuzz/corpus-NAME, failing ones to build/fuzz/NAME-crash-... NAME_PART divides the
# time, for a fuzzer that stops finding anything new earlier.
define FUZZ_RULE
.PHONY: run-$(1)
run-$(1): $(BUILD)/fuzz/$(1)
	@mkdir -p $(BUILD)/fuzz/corpus-$(1)
	$(BUILD)/fuzz/$(1) -max_total_time=$$$$(($(FUZZ_SECONDS) / $(or $($(1)_PART),1))) -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/$(1)- $(BUILD)/fuzz/corpus-$(1) $(wildcard tests/fuzz/$(1).seeds)
endef
$(foreach f,$(FUZZERS),$(eval $(call FUZZ_RULE,$(f))))
.PHONY: fuzz-build fuzz-names
fuzz-build: $(FUZZERS:%=$(TESTDIR)/fuzz/%)
fuzz-names:
	@echo $(FUZZERS)
fuzz: setup-test $(FUZZERS:%=run-%)

include tests/coverage.mk

# ---- style ------------------------------------------------------------------------------------

OUR_C := $(wildcard $(addsuffix /*.[ch],$(HV_DIRS) boot/uefi partitions docs/tables tests/unit tests/fuzz tests/guests \
                    tests/guests/*))
format-check:
	$(Q)$(PYTHON) tests/tools/format_check.py $(OUR_C)
format:
	clang-format -i $(OUR_C)
# Checks which folder uses which, by the sources' includes and the objects' symbols.
layers: $(HV_OBJ)
	$(Q)$(PYTHON) tests/tools/check-layers.py --self-test
	$(Q)$(PYTHON) tests/tools/check-layers.py $(HV_OBJ)
lint: layers
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
	    -I. -I$(GEN) --suppress=missingIncludeSystem $(HV_C) $(EFI_C) $(CONFIG_TOOL_SRCS)

clean:
	rm -rf $(filter-out $(BUILD)/cache,$(wildcard $(BUILD)/* $(BUILD)/.[a-z]*))

-include $(shell find $(BUILD) -name '*.d' -type f -not -path '*/cache/*' 2>/dev/null)
