# SPDX-License-Identifier: Apache-2.0
# A UEFI program of the tests: starts others, the loader above all, on firmware with faults.
EFI_PROGRAMS += $(BUILD)/efi/hooks.efi
HOOKS_C := $(wildcard tests/guests/uefi/*.c)

$(BUILD)/efi/hooks.so: EFI_LIBS := -lefi
$(BUILD)/efi/hooks.so: $(HOOKS_C:%.c=$(BUILD)/efi/obj/%.o)
