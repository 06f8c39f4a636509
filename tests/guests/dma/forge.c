// SPDX-License-Identifier: Apache-2.0
// Interrupts forged by DMA: words written to the window of the local APICs, which a chipset without
// interrupt remapping takes for messages. One transfer writes about a thousand of them: all
// delivery modes and vectors, and the address bits for the kind of destination with them. `forge=`
// destinations, or all 256. `nmi=no` leaves that mode out.

#include "tests/guests/dma/dma.h"

enum {
    WORDS = EDU_BUFFER_USABLE / 4,
    ALL_DESTINATIONS = 256,
    DATA_MODES = 8,
    // What would only restart or stop a bare machine.
    MODE_SMI = 2,
    MODE_NMI = 4,
    MODE_INIT = 5,
    MODE_STARTUP = 6,
    DATA_MODE_SHIFT = 8,
    DATA_ASSERT = 1 << 14,
    DATA_LEVEL = 1 << 15,
};

static uint32_t words[1024] __attribute__((aligned(4096)));

static uint32_t message(uint32_t i)
{
    uint32_t vector = i & 0xff, mode = i >> 8 & 7;
    if (guest.bare && (mode == MODE_SMI || mode == MODE_INIT || mode == MODE_STARTUP))
        mode = 0;
    if (mode == MODE_NMI && option_is("nmi", "no"))
        mode = MODE_SMI;
    uint32_t level = random_less(4) ? 0 : DATA_LEVEL;
    return vector | mode << DATA_MODE_SHIFT | DATA_ASSERT | level;
}

static void fill_words(uint32_t first)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = message(first + i);
}

static uint32_t destination(uint64_t i, uint64_t count)
{
    if (count >= ALL_DESTINATIONS || i < 8) // those that exist most likely
        return (uint32_t)i;
    return i == 8 ? 0xff : (uint32_t)random_less(ALL_DESTINATIONS);
}

void forge_attack(void)
{
    uint64_t count = option_number("forge", ALL_DESTINATIONS), said = 0;
    for (unsigned i = 0; i < guest.edus; i++)
        pci_command(guest.edu[i].where, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
    uint32_t before = interrupts_total();
    storm_begin();
    for (uint32_t first = 0; first < DATA_MODES * 256; first += WORDS) {
        fill_words(first);
        for (unsigned i = 0; i < guest.edus; i++)
            edu_from_ram(&guest.edu[i], (uint64_t)words, 0, WORDS * 4);
        for (uint64_t i = 0; i < count; i++) {
            const struct edu *e = &guest.edu[i % guest.edus];
            uint64_t page = PCI_MSI_WINDOW | (uint64_t)destination(i, count) << 12;
            edu_start(e, page, 0, WORDS * 4, EDU_DMA_TO_RAM);
            let_through();
            said += WORDS;
        }
        for (unsigned i = 0; i < guest.edus; i++)
            edu_wait(&guest.edu[i]);
    }
    storm_end();
    uint32_t came = interrupts_total() - before;
    print("forge: %lu messages to %lu destinations, %u interrupts here\n", said, count, came);
    if (!guest.bare)
        check(came == 0, "forge: no forged interrupt arrived");
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}
