// SPDX-License-Identifier: Apache-2.0
// BARs moved over what they must not cover: the guest's RAM, the APICs' pages, configuration space,
// another device's BAR, the edge of the address space. There the device must not answer, and what
// was there before must.

#include "hv/machine/guest_platform.h"
#include "tests/guests/dma/dma.h"

enum {
    RAM_BYTES = EDU_BAR_SIZE,
    TOGGLES = 1000,
    BEYOND = 40, // address bits
};

static uint8_t ram[2 * RAM_BYTES] __attribute__((aligned(4096)));
static uint32_t other_token;

static uint8_t ram_byte(unsigned i)
{
    return (uint8_t)(i * 13 + (i >> 8) * 7);
}

static bool ram_is_ram(void)
{
    for (unsigned i = 0; i < sizeof(ram); i++) {
        if (((volatile uint8_t *)ram)[i] != ram_byte(i))
            return false;
    }
    return true;
}

static bool ioapic_is_ioapic(void)
{
    volatile uint32_t *page = (volatile uint32_t *)GUEST_IOAPIC_ADDRESS;
    page[0] = 1; // version
    return (page[4] >> 16 & 0xff) == 23;
}

static bool lapic_is_lapic(void)
{
    return lapic_id() == guest.apic_id[0] && (lapic_read(LAPIC_VERSION) & 0xf0) == 0x10;
}

static bool ecam_is_ecam(void)
{
    const struct edu *e = &guest.edu[0];
    return !pci_ecam(e->where, 0) ||
           pci_ecam_read(e->where, PCI_VENDOR, 4) == ((uint32_t)EDU_DEVICE << 16 | EDU_VENDOR);
}

// After the move: which of a guest's own two answers meanwhile is its own affair. The other device
// still has what was written to its registers.
static bool other_is_other(void)
{
    if (guest.edus < 2)
        return true;
    return edu_get(&guest.edu[1], EDU_LIVENESS) == ~other_token;
}

static bool nothing(void)
{
    return true;
}

struct place {
    const char *name;
    uint64_t address; // 0: found when it is needed
    bool (*intact)(void);
};

static struct place places[] = {
    {"RAM", 0, ram_is_ram},
    {"the IOAPIC", GUEST_IOAPIC_ADDRESS, ioapic_is_ioapic},
    {"the local APIC", GUEST_LAPIC_ADDRESS, lapic_is_lapic},
    {"configuration space", 0, ecam_is_ecam},
    {"another device", 0, nothing},
    {"the end of 4 GiB", 0xfff00000, nothing},
    {"address 0", 0, nothing},
    {"the last byte before the window", GUEST_PCI_WINDOW - EDU_BAR_SIZE, nothing},
    {"behind the window", GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE, ecam_is_ecam},
    {"above 4 GiB", 1ull << BEYOND, nothing},
    {"the end of everything", UINT64_MAX << 20, nothing},
};

static void find_places(void)
{
    places[0].address = ((uint64_t)ram + RAM_BYTES - 1) & ~(uint64_t)(RAM_BYTES - 1);
    places[3].address = pci_ecam(guest.edu[0].where, 0) & ~(uint64_t)(EDU_BAR_SIZE - 1);
    places[4].address = guest.edu[guest.edus > 1].base;
    for (unsigned i = 0; i < sizeof(ram); i++)
        ram[i] = ram_byte(i);
    if (guest.edus > 1) {
        other_token = (uint32_t)random_number();
        edu_set(&guest.edu[1], EDU_LIVENESS, other_token);
    }
}

// By both halves, with decoding on all the time or off meanwhile.
static void put_bar(const struct edu *e, uint64_t address, bool decoding)
{
    if (!decoding)
        pci_command(e->where, 0, PCI_COMMAND_MEMORY);
    pci_write(e->where, PCI_BAR0, 4, (uint32_t)address);
    if ((pci_read(e->where, PCI_BAR0, 4) & PCI_BAR_TYPE) == PCI_BAR_TYPE_64)
        pci_write(e->where, PCI_BAR0 + 4, 4, (uint32_t)(address >> 32));
    pci_command(e->where, PCI_COMMAND_MEMORY, 0);
}

static void move_over(const struct edu *e, const struct place *p)
{
    put_bar(e, p->address, true);
    bool good = p->intact();
    put_bar(e, p->address, false);
    good = good && p->intact();
    // A write there is the place's own: of RAM, it is the same byte again.
    if (p->intact == ram_is_ram) {
        ((volatile uint8_t *)p->address)[EDU_LIVENESS] =
            ram_byte((unsigned)(p->address - (uint64_t)ram) + EDU_LIVENESS);
        good = good && p->intact();
    }
    put_bar(e, e->base, false);
    good = good && other_is_other();
    check(good, "bar: over %s, 0x%lx", p->name, p->address);
}

// Anywhere, at random, decoding switched all the time. Nothing is touched there.
static void toggle(const struct edu *e)
{
    for (unsigned i = 0; i < TOGGLES; i++) {
        uint64_t address = random_kind(&guest.random);
        for (unsigned bar = 0; bar < 6; bar++) {
            if (random_less(2))
                pci_write(e->where, PCI_BAR0 + 4 * bar, 4, (uint32_t)address);
            pci_write(e->where, PCI_COMMAND, 2, (uint32_t)random_number() & 7);
        }
        pci_write(e->where, PCI_ROM, 4, (uint32_t)address | 1);
    }
    for (unsigned i = 0; i < TOGGLES; i++)
        pci_write(e->where, PCI_COMMAND, 2, i & 1 ? PCI_COMMAND_MEMORY : 0);
}

void bar_attack(void)
{
    struct saved_config saved;
    const struct edu *e = &guest.edu[0];
    save_config(e->where, &saved);
    find_places();
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        move_over(e, &places[i]);
    toggle(e);
    restore_config(e->where, &saved);
    check(ram_is_ram() && ioapic_is_ioapic() && lapic_is_lapic() && ecam_is_ecam(),
          "bar: all as before after %u moves", TOGGLES);
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}
