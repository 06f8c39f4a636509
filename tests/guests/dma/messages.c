// SPDX-License-Identifier: Apache-2.0
// MSI programmed with every vector, delivery mode, kind of destination and destination, and with
// random addresses and data, and made to happen each time. All combinations are 2^20; `count=` of
// them, in an order that has all, are tried.

#include "tests/guests/dma/dma.h"

enum {
    COMBINATIONS = 1 << 20,
    STRIDE = 0x9e375, // odd: visits all of them
    DEFAULT_COUNT = 20000,
    RANDOM_ONE_OF = 8,
    SAY_EVERY = 1 << 14,
    MODE_SMI = 2,
    MODE_INIT = 5,
    MODE_STARTUP = 6,
    DATA_MODE_SHIFT = 8,
    DATA_LEVEL = 3 << 14, // and its assertion
    ADDRESS_LOGICAL = 1 << 2,
    ADDRESS_HINT = 1 << 3,
};

static void choose(uint64_t i, uint64_t *address, uint32_t *data)
{
    uint32_t c = (uint32_t)(i * STRIDE % COMBINATIONS);
    uint32_t vector = c & 0xff, mode = c >> 8 & 7, logical = c >> 11 & 1, to = c >> 12;
    if (guest.bare && (mode == MODE_SMI || mode == MODE_INIT || mode == MODE_STARTUP))
        mode = 0;
    *data = vector | mode << DATA_MODE_SHIFT | (random_less(4) ? 0 : DATA_LEVEL);
    *address =
        pci_msi_address(to) | (logical ? ADDRESS_LOGICAL : 0) | (random_less(2) ? ADDRESS_HINT : 0);
    if (guest.bare || random_less(RANDOM_ONE_OF))
        return;
    switch (random_less(4)) {
    case 0: // out of the window
        *address = random_next(&guest.random);
        break;
    case 1: // remappable format
        *address |= 1 << 4 | (random_number() & 0xff000);
        break;
    case 2:
        *address |= random_number() << 32;
        break;
    default:
        *data = (uint32_t)random_number();
        break;
    }
}

void message_attack(void)
{
    uint64_t count = option_number("count", DEFAULT_COUNT);
    uint32_t before = interrupts_total();
    for (unsigned i = 0; i < guest.edus; i++)
        pci_command(guest.edu[i].where, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
    storm_begin();
    for (uint64_t i = 0; i < count; i++) {
        const struct edu *e = &guest.edu[i % guest.edus];
        uint64_t address;
        uint32_t data;
        choose(i, &address, &data);
        // Now and then while it is off, and turned on only then.
        bool off = random_less(16) == 0;
        pci_msi_enable(e->where, !off);
        pci_msi_set(e->where, address, data);
        pci_msi_enable(e->where, true);
        edu_raise(e, 1);
        let_through();
        edu_acknowledge(e);
        if (i % SAY_EVERY == SAY_EVERY - 1)
            print("msi: %lu of %lu\n", i + 1, count);
    }
    storm_end();
    print("msi: %lu messages, %u interrupts here\n", count, interrupts_total() - before);
    check(interrupts_total() != before, "msi: those to this guest arrived");
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}
