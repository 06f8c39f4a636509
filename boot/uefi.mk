# SPDX-License-Identifier: Apache-2.0
# UEFI programs, from GNU-EFI's start-up code and linker script and Bulkhead's own C. The loader as a PE
# file is build/efi/loader.efi; with the hypervisor in it, it is build/bulkhead.efi.
EFI_C      := $(wildcard boot/uefi/*.c) boot/error.c boot/module.c boot/screen.c arch/lib/format.c arch/lib/string.c
EFI_OBJ    := $(EFI_C:%.c=$(BUILD)/efi/obj/%.o)
EFI_CFLAGS := $(BASE) -O2 -ffreestanding -fpic -fshort-wchar -mno-red-zone -mgeneral-regs-only \
              -fno-stack-protector -fno-strict-aliasing -fno-asynchronous-unwind-tables \
              -fcf-protection=none -fvisibility=hidden -DGNU_EFI_USE_MS_ABI -maccumulate-outgoing-args \
              -isystem /usr/include/efi -isystem /usr/include/efi/x86_64
# clang always accumulates outgoing arguments, and does not know the option.
ifneq ($(findstring clang,$(CC)),)
EFI_CFLAGS := $(filter-out -maccumulate-outgoing-args,$(EFI_CFLAGS))
endif
# Debian 13 also has a folder gnuefi, without these files.
EFI_CRT    := crt0-efi-x86_64.o
EFI_LIB    := $(patsubst %/,%,$(dir $(firstword $(wildcard /usr/lib/$(EFI_CRT) /usr/lib/gnuefi/$(EFI_CRT) \
                /usr/lib/x86_64-linux-gnu/gnuefi/$(EFI_CRT)) /usr/lib/$(EFI_CRT))))
EFI_PROGRAMS := $(BUILD)/bulkhead.efi
EFI_TOOL   := tests/tools/efi_image.py

$(BUILD)/efi/obj/%.o: %.c $(HVDIR)/obj/.flags | $(HV_GEN)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(EFI_CFLAGS) -MMD -MP -c $< -o $@

# Links $(BUILD)/efi/NAME.so, from which NAME.efi is made; its own rule lists the objects and libraries. The
# start-up code of Debian 13 calls _entry, of a library that is not used, instead of efi_main.
$(BUILD)/efi/%.so:
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -znocombreloc -shared -Bsymbolic --no-undefined --build-id=none \
	    -z noexecstack --no-warn-rwx-segments --defsym=_entry=efi_main \
	    -T $(EFI_LIB)/elf_x86_64_efi.lds -L $(EFI_LIB) -o $@ \
	    $(EFI_LIB)/$(EFI_CRT) $^ $(EFI_LIBS) -lgnuefi

$(BUILD)/efi/%.efi: $(BUILD)/efi/%.so
	$(Q)$(OBJCOPY) -j .text -j .sdata -j .data -j .rodata -j .dynamic -j .dynsym -j .rel -j .rela \
	    -j '.rel.*' -j '.rela.*' -j .reloc --target efi-app-x86_64 --subsystem=10 $< $@

$(BUILD)/efi/loader.so: $(EFI_OBJ)

$(BUILD)/efi/bulkhead.elf: $(BUILD)/bulkhead.elf
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --strip-all $< $@

$(BUILD)/bulkhead.efi: $(BUILD)/efi/loader.efi $(BUILD)/efi/bulkhead.elf $(EFI_TOOL)
	$(call say,PE,$@)
	$(Q)$(PYTHON) $(EFI_TOOL) -o $@ $(BUILD)/efi/loader.efi $(BUILD)/efi/bulkhead.elf
