// SPDX-License-Identifier: Apache-2.0
// A restart with transfers under way, over and over: whoever counts reads the console. After each
// start nothing may come from the time before: no DMA in memory, no interrupt, no bus mastering;
// and the device must work.

#include "tests/guests/dma/dma.h"

enum {
    WATCH_MS = 300, // three times what a transfer takes
    TARGET_BYTES = EDU_MAX * 4096,
    STALE = 0xa7,
    FRESH = 0x3c,
    MSI_VECTOR = 0x71,
};

// At the same place after every start. A transfer into it is under way when the guest restarts.
static uint8_t target[TARGET_BYTES] __attribute__((aligned(4096)));
static uint8_t pattern[4096] __attribute__((aligned(4096)));

// Bytes of the transfers of the time before.
static unsigned stale_bytes(void)
{
    unsigned n = 0, run = 0;
    for (unsigned i = 0; i < TARGET_BYTES; i++) {
        run = ((volatile uint8_t *)target)[i] == STALE ? run + 1 : 0;
        n += run > 8;
    }
    return n;
}

void check_after_start(void)
{
    pci_where_t found[EDU_MAX];
    unsigned n = pci_find(EDU_VENDOR, EDU_DEVICE, found, EDU_MAX);
    for (unsigned i = 0; i < n; i++) {
        const char *text = where_text(found[i]);
        check(!(pci_read(found[i], PCI_COMMAND, 2) & PCI_COMMAND_MASTER),
              "%s: no bus mastering after a start", text);
        unsigned msi = pci_capability(found[i], PCI_CAP_MSI);
        check(msi && !(pci_read(found[i], msi + PCI_MSI_CONTROL, 2) & PCI_MSI_ENABLE),
              "%s: no MSI after a start", text);
    }
    if (!guest.bare) // whose memory is as the guest left it
        check(stale_bytes() == 0, "memory: nothing from before the start");
}

static void watch(void)
{
    uint32_t interrupts = interrupts_total();
    uint64_t end = rdtsc() + WATCH_MS * tsc_khz();
    unsigned bad = 0;
    memset(target, FRESH, sizeof(target));
    while (rdtsc() < end)
        let_through();
    for (unsigned i = 0; i < TARGET_BYTES; i++)
        bad += ((volatile uint8_t *)target)[i] != FRESH;
    check(bad == 0, "memory: nothing arrives after the start");
    check(interrupts_total() == interrupts, "no interrupt arrives after the start");
}

static void begin_transfers(void)
{
    memset(pattern, STALE, sizeof(pattern));
    for (unsigned i = 0; i < guest.edus; i++) {
        const struct edu *e = &guest.edu[i];
        pci_command(e->where, PCI_COMMAND_MASTER, 0);
        edu_from_ram(e, (uint64_t)pattern, 0, EDU_BUFFER_USABLE);
        pci_msi_set(e->where, pci_msi_address(guest.apic_id[0]), MSI_VECTOR);
        pci_msi_enable(e->where, true);
    }
    for (unsigned i = 0; i < guest.edus; i++)
        edu_start(&guest.edu[i], (uint64_t)target + i * 4096ull, 0, EDU_BUFFER_USABLE,
                  EDU_DMA_TO_RAM | EDU_DMA_INTERRUPT);
}

void restart_mode(void)
{
    watch();
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
    begin_transfers();
    check_summary();
    print("restarting with %u transfers under way\n", guest.edus);
    // Not always at the same time before their end.
    delay_us(rdtsc() % 80000);
    interrupts_off();
    outb(0xcf9, 0x06);
    for (;;)
        __asm__ volatile("hlt");
}
