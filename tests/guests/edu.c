// SPDX-License-Identifier: Apache-2.0
// Driver of QEMU's `edu` device for the test guests.

#include "tests/guests/edu.h"

#include "tests/guests/guest.h"

enum {
    DMA_TIMEOUT_MS = 20000, // a hundred times what it takes: other emulators may be busy
    POLL_US = 200,
};

unsigned edu_open(struct edu *edus, unsigned max)
{
    pci_where_t found[EDU_MAX];
    unsigned n = pci_find(EDU_VENDOR, EDU_DEVICE, found, max < EDU_MAX ? max : EDU_MAX);
    for (unsigned i = 0; i < n; i++) {
        edus[i] = (struct edu){.where = found[i], .base = pci_bar(found[i], 0)};
        pci_command(found[i], PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MASTER);
        pci_msi_enable(found[i], false);
        edu_acknowledge(&edus[i]); // no reset clears it
    }
    return n;
}

uint32_t edu_get(const struct edu *e, unsigned reg)
{
    return *(volatile uint32_t *)(e->base + reg);
}

void edu_set(const struct edu *e, unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(e->base + reg) = value;
}

static void set64(const struct edu *e, unsigned reg, uint64_t value)
{
    *(volatile uint64_t *)(e->base + reg) = value;
}

void edu_raise(const struct edu *e, uint32_t bits)
{
    edu_set(e, EDU_RAISE, bits);
}

void edu_acknowledge(const struct edu *e)
{
    edu_set(e, EDU_ACKNOWLEDGE, edu_get(e, EDU_INTERRUPTS));
}

bool edu_busy(const struct edu *e)
{
    return edu_get(e, EDU_DMA_COMMAND) & EDU_DMA_START;
}

bool edu_wait(const struct edu *e)
{
    uint64_t end = rdtsc() + DMA_TIMEOUT_MS * tsc_khz();
    while (edu_busy(e)) {
        if (rdtsc() > end)
            return false;
        delay_us(POLL_US);
    }
    return true;
}

void edu_start(const struct edu *e, uint64_t memory, unsigned offset, unsigned count,
               uint32_t command)
{
    bool to_ram = command & EDU_DMA_TO_RAM;
    uint64_t buffer = EDU_BUFFER + offset;
    edu_wait(e);
    set64(e, EDU_DMA_SOURCE, to_ram ? buffer : memory);
    set64(e, EDU_DMA_TARGET, to_ram ? memory : buffer);
    set64(e, EDU_DMA_COUNT, count);
    set64(e, EDU_DMA_COMMAND, command | EDU_DMA_START);
}

bool edu_to_ram(const struct edu *e, uint64_t memory, unsigned offset, unsigned count)
{
    edu_start(e, memory, offset, count, EDU_DMA_TO_RAM);
    return edu_wait(e);
}

bool edu_from_ram(const struct edu *e, uint64_t memory, unsigned offset, unsigned count)
{
    edu_start(e, memory, offset, count, 0);
    return edu_wait(e);
}
