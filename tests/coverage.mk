# SPDX-License-Identifier: Apache-2.0
# Line coverage of the unit tests and the fuzzers' corpora over the code that decides: whatever parses
# or judges and needs no privileged instruction. A file that is compiled for a test is in this list, and
# a file of this list is compiled for a test; tests/tools/coverage.py holds it against both.

# CPU: page tables, what guests' states and VM controls must be, task switches
DECISION_C := arch/apic_base.c arch/exception_intercepts.c arch/mtrr.c arch/paging.c arch/pt_format.c arch/recording.c arch/reset_state.c arch/ssbd.c arch/svm/controls.c \
              arch/svm/verdict.c arch/vmx/check.c arch/vmx/controls.c arch/vmx/cr_rules.c arch/vmx/task.c
# the ways in
DECISION_C += boot/boot_error.c boot/boot_module.c boot/boot_screen.c boot/multiboot1.c boot/multiboot2.c \
              boot/multiboot_parse.c boot/options.c boot/uefi/elf_image.c boot/uefi/firmware.c boot/uefi/memory_map.c \
              boot/uefi/parts.c boot/uefi/pe.c
# ACPI and the IOAPIC's routing; the console
DECISION_C += drivers/acpi.c drivers/acpi_fadt.c drivers/acpi_madt.c drivers/acpi_serial.c drivers/ioapic.c
# VT-d
DECISION_C += drivers/acpi_dmar.c drivers/vtd.c drivers/vtd_describe.c drivers/vtd_context.c drivers/vtd_fault.c \
              drivers/vtd_interrupts.c drivers/vtd_queue.c drivers/vtd_unit.c
# the IOMMUs of AMD
DECISION_C += drivers/acpi_ivrs.c drivers/amdvi.c drivers/amdvi_command.c drivers/amdvi_describe.c drivers/amdvi_device.c \
              drivers/amdvi_event.c drivers/amdvi_irq.c drivers/amdvi_msi.c drivers/amdvi_unit.c
DECISION_C += drivers/console.c drivers/console_drain.c drivers/console_filter.c drivers/console_history.c drivers/console_input.c drivers/console_line.c \
              drivers/console_log.c drivers/console_poll.c drivers/console_ring.c \
              drivers/console_screen.c drivers/console_sink.c drivers/console_turn.c drivers/console_view.c drivers/format.c drivers/framebuffer.c drivers/uart_com.c \
              drivers/uart.c
# PCI
DECISION_C += drivers/pci_acs.c drivers/pci_address.c drivers/pci_bars.c drivers/pci_caps.c drivers/pci_class.c drivers/pci_config.c \
              drivers/pci_groups.c drivers/pci_msi.c drivers/pci_quiesce.c drivers/pci_reset.c drivers/pci_scan.c \
              drivers/pci_usb.c
# memory map, audit
DECISION_C += hv/audit.c hv/audit_amdvi.c hv/audit_entry.c hv/audit_iommu.c hv/audit_lists.c \
              hv/audit_vtd.c hv/guest_e820.c hv/guest_layout.c hv/page_alloc.c hv/uncached.c
# what is shown and proposed without a configuration
DECISION_C += arch/topology.c hv/inventory_devices.c hv/inventory_plan.c
# policies, breakpoints, machine checks, APIC and ICR check
DECISION_C += hv/assign.c hv/screen_grant.c hv/screen_place.c hv/serial_choice.c hv/msi_check.c hv/passthrough.c \
              hv/passthrough_assign.c hv/passthrough_faults.c hv/passthrough_irq.c hv/passthrough_map.c hv/passthrough_pins.c hv/pci_pins.c hv/ioapic_pin.c hv/machine_pci.c
DECISION_C += hv/breakpoint.c hv/console_cpu.c hv/kept_ports.c hv/machine_check_judge.c
DECISION_C += hv/cpuid_lack.c hv/cpuid_policy.c hv/cpuid_rules.c hv/icr.c hv/io_policy.c \
              hv/msr_policy.c hv/msr_rules.c \
              hv/vapic.c hv/vapic_rules.c
# decoder, emulators, the guest's page tables
DECISION_C += hv/decode.c hv/decode_rare.c hv/decode_tables.c hv/emulate.c hv/emulate_address.c hv/emulate_alu.c \
              hv/emulate_compute.c hv/emulate_rare.c hv/emulate_split.c hv/emulate_string.c hv/emulate_vector.c hv/stray.c hv/guest_walk.c hv/string_io.c
# image loaders, and the tables that a guest finds
DECISION_C += hv/load.c hv/load_bzimage.c hv/load_elf.c hv/load_foreign.c hv/load_job.c \
              hv/load_multiboot.c hv/load_space.c hv/bios_rules.c hv/guest_bios.c hv/guest_acpi.c \
              hv/guest_mptable.c hv/guest_smbios.c hv/guest_table.c
# timers
DECISION_C += drivers/hpet.c hv/comparator.c hv/timer.c hv/timer_choice.c
# virtual devices
DECISION_C += hv/vdev/vhpet.c hv/vdev/vpic.c
DECISION_C += hv/vdev/ports.c hv/vdev/vcrtc.c hv/vdev/vioapic.c hv/vdev/vmsix.c hv/vdev/vpci.c hv/vdev/vpci_bar.c \
              hv/vdev/vpci_caps.c hv/vdev/vpci_function.c hv/vdev/vpit.c hv/vdev/vpm.c \
              hv/vdev/vreset.c hv/vdev/vrtc.c hv/vdev/vuart.c hv/pci_rules.c
# the configuration
DECISION_C += hv/config.c hv/module_hash.c partitions/blob.c partitions/blob_machine.c \
              partitions/blob_problem.c partitions/blob_rules.c partitions/config_check.c \
              partitions/config_hash.c partitions/config_lists.c partitions/config_messages.c \
              partitions/config_parse.c partitions/config_scan.c partitions/config_show.c partitions/config_syntax.c \
              partitions/config_text.c partitions/config_to_blob.c partitions/config_limits.c partitions/config_memory.c \
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
