# SPDX-License-Identifier: Apache-2.0
# Guests in other forms. count.elf in the other two forms of a Multiboot kernel: ELF64, and a flat image whose
# header gives the addresses. dma.elf at another address.
GUEST_EXTRA := $(BUILD)/count64.elf $(BUILD)/count.flat $(BUILD)/dma-high.elf

$(BUILD)/count64.elf: $(BUILD)/guests/count.elf64
	$(Q)cp $< $@

$(BUILD)/guests/flat/boot.asm.o: tests/guests/boot.asm
	$(call say,NASM,$@)
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -DAOUT=1 -o $@ $<

$(BUILD)/count.flat: $(BUILD)/guests/count.elf64 $(BUILD)/guests/flat/boot.asm.o
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
	    --no-warn-rwx-segments -T tests/guests/guest.ld -o $(BUILD)/guests/flat/count.elf64 \
	    $(BUILD)/guests/flat/boot.asm.o \
	    $(BUILD)/guests/guest_count.c.o $(filter-out %/boot.asm.o,$(GUEST_RT))
	$(Q)$(OBJCOPY) -O binary $(BUILD)/guests/flat/count.elf64 $@

# dma.elf for a partition whose RAM begins higher, far above the boot loader's low files.
$(BUILD)/dma-high.elf: $(BUILD)/guests/dma.elf64
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
	    --no-warn-rwx-segments --defsym=link_at=0x4000000 -T tests/guests/guest.ld \
	    -o $(BUILD)/guests/dma-high.elf64 $(BUILD)/guests/guest_dma.c.o $(call guest_parts,dma) \
	    $(GUEST_RT)
	$(Q)$(OBJCOPY) -O elf32-i386 $(BUILD)/guests/dma-high.elf64 $@

# leftover.elf is linked higher, to leave room for the image that it starts.
guest_link_leftover := --defsym=link_at=0x4000000
