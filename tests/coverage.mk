# SPDX-License-Identifier: Apache-2.0
# Line coverage of the unit tests and the fuzzers' corpora over the decision code: all code that parses or
# judges and needs no privileged instruction. Every file compiled for a test is in this list, and every file in
# this list is compiled for a test; tests/tools/coverage.py checks both.

# CPU: page tables, what guests' states and VM controls must be, task switches
DECISION_C := arch/interrupt/apic_base.c arch/virt/exception_intercepts.c arch/cpu/mtrr.c arch/memory/paging.c \
              arch/memory/pt_format.c arch/cpu/recording.c arch/virt/reset_state.c arch/virt/ssbd.c \
              arch/svm/controls.c \
              arch/svm/verdict.c arch/vmx/check.c arch/vmx/controls.c arch/vmx/cr_rules.c arch/vmx/task.c
# boot
DECISION_C += boot/error.c boot/module.c boot/screen.c boot/multiboot1.c boot/multiboot2.c \
              boot/multiboot_parse.c boot/options.c boot/uefi/elf_image.c boot/uefi/firmware.c \
              boot/uefi/memory_map.c \
              boot/uefi/parts.c boot/uefi/pe.c
# ACPI and the IOAPIC's routing; the console
DECISION_C += drivers/acpi/acpi.c drivers/acpi/fadt.c drivers/acpi/madt.c drivers/acpi/serial.c \
              drivers/ioapic/ioapic.c
# VT-d
DECISION_C += drivers/vtd/dmar.c drivers/vtd/vtd.c drivers/vtd/describe.c drivers/vtd/context.c drivers/vtd/fault.c \
              drivers/vtd/interrupts.c drivers/vtd/queue.c drivers/vtd/unit.c
# AMD-Vi
DECISION_C += drivers/amdvi/ivrs.c drivers/amdvi/amdvi.c drivers/amdvi/command.c drivers/amdvi/describe.c \
              drivers/amdvi/device.c \
              drivers/amdvi/event.c drivers/amdvi/irq.c drivers/amdvi/msi.c drivers/amdvi/unit.c
DECISION_C += drivers/console/console.c drivers/console/drain.c drivers/console/filter.c drivers/console/history.c \
              drivers/console/input.c drivers/console/line.c \
              drivers/console/log.c drivers/console/poll.c drivers/console/ring.c \
              drivers/console/screen.c drivers/console/sink.c drivers/console/turn.c drivers/console/view.c \
              arch/lib/format.c drivers/console/framebuffer.c drivers/uart/com.c \
              drivers/uart/uart.c
# PCI
DECISION_C += drivers/pci/acs.c drivers/pci/address.c drivers/pci/bars.c drivers/pci/caps.c drivers/pci/class.c \
              drivers/pci/config.c \
              drivers/pci/groups.c drivers/pci/msi.c drivers/pci/quiesce.c drivers/pci/reset.c drivers/pci/scan.c \
              drivers/pci/usb.c
# memory map, audit
DECISION_C += hv/audit/audit.c hv/audit/amdvi.c hv/audit/entry.c hv/audit/iommu.c hv/audit/lists.c \
              hv/audit/vtd.c hv/guest/e820.c hv/memory/guest_layout.c hv/memory/page_alloc.c hv/memory/uncached.c
# inventory and proposed configuration
DECISION_C += arch/cpu/topology.c hv/start/inventory_devices.c hv/start/inventory_plan.c
# policies, breakpoints, machine checks, APIC and ICR check
DECISION_C += hv/device/assign.c hv/device/screen_grant.c hv/machine/screen_place.c hv/machine/serial_choice.c \
              hv/interrupt/msi_check.c hv/device/passthrough.c \
              hv/device/give.c hv/device/faults.c hv/device/irq.c hv/device/map.c hv/device/pins.c \
              hv/device/pci_pins.c hv/machine/ioapic_pin.c hv/machine/pci.c hv/start/gsi_taken.c
DECISION_C += hv/emulate/breakpoint.c hv/machine/console_cpu.c hv/machine/kept_ports.c hv/life/machine_check_judge.c
DECISION_C += hv/policy/cpuid_lack.c hv/policy/cpuid_policy.c hv/policy/cpuid_rules.c hv/interrupt/icr.c \
              hv/policy/io_policy.c \
              hv/policy/msr_policy.c hv/policy/msr_rules.c \
              hv/interrupt/vapic.c hv/interrupt/vapic_rules.c
# decoder, emulators, the guest's page tables
DECISION_C += hv/emulate/decode.c hv/emulate/decode_rare.c hv/emulate/decode_tables.c hv/emulate/emulate.c \
              hv/emulate/address.c hv/emulate/alu.c \
              hv/emulate/compute.c hv/emulate/rare.c hv/emulate/split.c hv/emulate/string.c hv/emulate/vector.c \
              hv/partition/stray.c hv/memory/guest_walk.c hv/emulate/string_io.c
# image loaders, and the tables that a guest gets
DECISION_C += hv/guest/load.c hv/guest/load_bzimage.c hv/guest/load_elf.c hv/guest/load_foreign.c \
              hv/guest/load_job.c \
              hv/guest/load_multiboot.c hv/guest/load_space.c hv/guest/bios_rules.c hv/guest/bios.c hv/guest/acpi.c \
              hv/guest/mptable.c hv/guest/smbios.c hv/guest/table.c
# timers
DECISION_C += drivers/clock/hpet.c hv/partition/comparator.c hv/partition/timer.c hv/partition/timer_choice.c
# virtual devices
DECISION_C += hv/vdev/vhpet.c hv/vdev/vpic.c
DECISION_C += hv/vdev/ports.c hv/vdev/vcrtc.c hv/vdev/vioapic.c hv/vpci/vmsix.c hv/vpci/vpci.c hv/vpci/bar.c \
              hv/vpci/caps.c hv/vpci/function.c hv/vdev/vpit.c hv/vdev/vpm.c \
              hv/vdev/vreset.c hv/vdev/vrtc.c hv/vdev/vuart.c hv/vpci/rules.c
# the configuration
DECISION_C += hv/machine/config.c hv/machine/module_hash.c partitions/blob.c partitions/blob_machine.c \
              partitions/blob_problem.c partitions/blob_rules.c partitions/config_check.c \
              partitions/config_hash.c partitions/config_lists.c partitions/config_messages.c \
              partitions/config_parse.c partitions/config_scan.c partitions/config_show.c partitions/config_syntax.c \
              partitions/config_text.c partitions/config_to_blob.c partitions/config_limits.c \
              partitions/config_memory.c \
              partitions/config_value.c partitions/sha256.c

# Percent of lines: of all, and of each file.
COVERAGE_MIN      ?= 90
COVERAGE_FILE_MIN ?= 80

.PHONY: coverage decision-names tested-names
coverage: setup-test
	@$(PYTHON) tests/tools/coverage.py --min $(COVERAGE_MIN) --file-min $(COVERAGE_FILE_MIN)
decision-names:
	@echo $(DECISION_C)
tested-names:
	@echo $(sort $(filter-out tests/% docs/%,$(foreach t,$(UNIT_TESTS) $(FUZZERS),$($(t)_SRCS))))
