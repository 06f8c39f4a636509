# SPDX-License-Identifier: Apache-2.0
# build/bulkhead-tables writes the documents that are generated from the hypervisor's tables (make docs).

TABLES_SRCS := $(wildcard docs/tables/*.c) arch/virt/exception_intercepts.c arch/svm/controls.c \
               arch/vmx/controls.c arch/vmx/cr_rules.c hv/policy/cpuid_policy.c hv/policy/cpuid_rules.c \
               hv/policy/io_policy.c hv/machine/kept_ports.c hv/policy/msr_policy.c hv/policy/msr_rules.c \
               hv/vpci/rules.c \
               hv/interrupt/vapic_rules.c hv/vdev/ports.c arch/lib/format.c
HV_GEN += $(GEN)/cpuid_names.inc

$(BUILD)/bulkhead-tables: $(TABLES_SRCS:%.c=$(BUILD)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -g -o $@ $^

# Takes the names of CPUID's bits from the header: CPUID_7_1_EAX_LAM BIT(26) becomes a row.
$(GEN)/cpuid_names.inc: arch/cpu/cpuid.h
	@mkdir -p $(@D)
	$(Q)sed -n \
	    -e 's/^#define CPUID_\([0-9A-F]*\)_\(E[A-D]X\)_\([A-Z0-9_]*\) *BIT(\([0-9]*\)).*/{0x\1, 0, CPUID_\2, (uint32_t)BIT(\4), "\3"},/p' \
	    -e 's/^#define CPUID_\([0-9A-F]*\)_\([0-9]\)_\(E[A-D]X\)_\([A-Z0-9_]*\) *BIT(\([0-9]*\)).*/{0x\1, \2, CPUID_\3, (uint32_t)BIT(\5), "\4"},/p' \
	    -e 's/^#define XCR0_\([A-Z0-9_]*\) *BIT(\([0-9]*\)).*/{0xd, 0, CPUID_EAX, (uint32_t)BIT(\2), "\1"},/p' \
	    $< > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

.PHONY: docs docs-check
# And the pictures of docs/architecture.md.
docs: $(BUILD)/bulkhead-tables
	$(Q)$(BUILD)/bulkhead-tables docs
	$(Q)$(PYTHON) tests/tools/pictures.py
# Also what all documents say of the sources.
docs-check: $(BUILD)/bulkhead-tables
	$(Q)$(BUILD)/bulkhead-tables --check docs
	$(Q)$(PYTHON) tests/tools/pictures.py --check
	$(Q)$(PYTHON) tests/tools/check_documents.py --self-test
	$(Q)$(PYTHON) tests/tools/check_documents.py
