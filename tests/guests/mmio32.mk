# SPDX-License-Identifier: Apache-2.0
# mmio32.elf, a 32-bit kernel without the other guests' runtime.
GUEST_EXTRA += $(BUILD)/mmio32.elf
MMIO32_CFLAGS := -std=gnu11 $(WARN) -O2 -m32 -march=i686 -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none

$(BUILD)/mmio32.elf: tests/guests/mmio32/main.c tests/guests/mmio32/start.asm
	$(call say,CC,$@)
	@mkdir -p $(BUILD)/guests/mmio32
	$(Q)$(CC) $(MMIO32_CFLAGS) -c $< -o $(BUILD)/guests/mmio32/main.o
	$(Q)$(NASM) -f elf32 -o $(BUILD)/guests/mmio32/start.o tests/guests/mmio32/start.asm
	$(Q)$(LD) -m elf_i386 -nostdlib -static -z noexecstack --build-id=none --no-warn-rwx-segments -N \
	    -Ttext=0x100000 -e _start -o $@ $(BUILD)/guests/mmio32/start.o $(BUILD)/guests/mmio32/main.o
