// SPDX-License-Identifier: Apache-2.0
// Writes a partition's MP tables. Layouts and values are those of the MultiProcessor Specification
// 1.4, chapter 4. Relies on table.c.
#include "hv/guest/mptable.h"

#include "arch/lib/format.h"
#include "hv/guest/e820.h"
#include "hv/guest/table.h"

struct mp_floating { // 4.1
    char signature[4];
    uint32_t config;
    uint8_t length; // in units of 16 bytes
    uint8_t revision;
    uint8_t checksum;
    uint8_t features[5]; // all 0: there is a configuration table and no IMCR
} __attribute__((packed));
_Static_assert(sizeof(struct mp_floating) == 16, "MP 4.1");

struct mp_config { // 4.2
    char signature[4];
    uint16_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[8];
    char product_id[12];
    uint32_t oem_table;
    uint16_t oem_table_size;
    uint16_t entry_count;
    uint32_t lapic_address;
    uint16_t extended_length;
    uint8_t extended_checksum;
    uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct mp_config) == 44, "MP 4.2");

struct mp_processor { // 4.3.1
    uint8_t type;
    uint8_t apic_id;
    uint8_t apic_version;
    uint8_t flags;
    uint32_t signature;
    uint32_t features;
    uint32_t reserved[2];
} __attribute__((packed));
_Static_assert(sizeof(struct mp_processor) == 20, "MP 4.3.1");
#define PROCESSOR_ENABLED BIT(0)
#define PROCESSOR_BOOT    BIT(1)

struct mp_bus { // 4.3.2
    uint8_t type;
    uint8_t id;
    char name[6];
} __attribute__((packed));

struct mp_ioapic { // 4.3.3
    uint8_t type;
    uint8_t id;
    uint8_t version;
    uint8_t flags;
    uint32_t address;
} __attribute__((packed));
#define IOAPIC_ENABLED 1u

struct mp_interrupt { // 4.3.4 and 4.3.5
    uint8_t type;
    uint8_t kind;
    uint16_t flags;
    uint8_t bus;
    uint8_t source;
    uint8_t apic_id;
    uint8_t pin;
} __attribute__((packed));

enum mp_entry {
    MP_PROCESSOR = 0,
    MP_BUS = 1,
    MP_IOAPIC = 2,
    MP_IO_INTERRUPT = 3,
    MP_LOCAL_INTERRUPT = 4,
};

enum mp_interrupt_kind { MP_INT = 0, MP_NMI = 1, MP_SMI = 2, MP_EXTINT = 3 };

#define AS_THE_BUS        0x0u // as ISA defines: edge, active high
#define LEVEL_ACTIVE_HIGH 0xdu
#define LEVEL_ACTIVE_LOW  0xfu

// A PCI bus has the ID of its own number, which is 0 (4.3.2); the ISA bus gets the next ID.
#define PCI_BUS          0u
#define PCI_FIRST_DEVICE 1u
#define PCI_DEVICES      31u
#define PCI_INTERRUPTS   (PCI_DEVICES * GUEST_PCI_PINS)
#define ALL_APICS        0xffu
#define LAPIC_VERSION    0x14u
#define IOAPIC_VERSION   0x11u

// Pin n carries ISA interrupt n, except the PIT's interrupt 0, which is on pin 2. Interrupt 2 is
// the connection between the 8259s.
static const uint8_t isa_irqs[] = {0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

#define LOCAL_INTERRUPTS 2u

static void add_processors(struct guest_table *t, const struct guest_platform *pf)
{
    for (unsigned i = 0; i < pf->cpu_count; i++) {
        const struct mp_processor cpu = {
            .type = MP_PROCESSOR,
            .apic_id = (uint8_t)i,
            .apic_version = LAPIC_VERSION,
            .flags = (uint8_t)(PROCESSOR_ENABLED | (i == 0 ? PROCESSOR_BOOT : 0)),
            .signature = pf->cpu_signature,
            .features = pf->cpu_features,
        };

        guest_table_add(t, &cpu, sizeof(cpu));
    }
}

static uint8_t isa_bus(const struct guest_platform *pf)
{
    return pf->has_pci ? PCI_BUS + 1 : 0;
}

static void add_isa_interrupts(struct guest_table *t, const struct guest_platform *pf)
{
    for (size_t i = 0; i < ARRAY_SIZE(isa_irqs); i++) {
        const struct mp_interrupt line = {
            .type = MP_IO_INTERRUPT,
            .kind = MP_INT,
            .flags = isa_irqs[i] == pf->sci_irq ? LEVEL_ACTIVE_HIGH : AS_THE_BUS,
            .bus = isa_bus(pf),
            .source = isa_irqs[i],
            .apic_id = pf->ioapic_id,
            .pin = isa_irqs[i] == 0 ? GUEST_PIT_PIN : isa_irqs[i],
        };

        guest_table_add(t, &line, sizeof(line));
    }
}

// The same interrupts as _PRT in hv/guest/pci.asl.
static void add_pci_interrupts(struct guest_table *t, const struct guest_platform *pf)
{
    for (unsigned i = 0; i < PCI_INTERRUPTS; i++) {
        const unsigned device = PCI_FIRST_DEVICE + i / GUEST_PCI_PINS;
        const unsigned pin = i % GUEST_PCI_PINS; // 0: INTA
        const struct mp_interrupt line = {
            .type = MP_IO_INTERRUPT,
            .kind = MP_INT,
            .flags = LEVEL_ACTIVE_LOW,
            .bus = PCI_BUS,
            .source = (uint8_t)(device << 2 | pin), // D.3
            .apic_id = pf->ioapic_id,
            .pin = (uint8_t)(GUEST_PCI_PIN_FIRST + guest_pci_pin(device, pin + 1)),
        };

        guest_table_add(t, &line, sizeof(line));
    }
}

static void add_local_interrupts(struct guest_table *t)
{
    const struct mp_interrupt lint[LOCAL_INTERRUPTS] = {
        {.type = MP_LOCAL_INTERRUPT, .kind = MP_EXTINT, .apic_id = ALL_APICS, .pin = 0},
        {.type = MP_LOCAL_INTERRUPT, .kind = MP_NMI, .apic_id = ALL_APICS, .pin = 1},
    };

    guest_table_add(t, lint, sizeof(lint));
}

static enum status write_config(struct guest_table *t, const struct guest_platform *pf)
{
    const struct mp_bus buses[] = {
        {.type = MP_BUS, .id = PCI_BUS, .name = {'P', 'C', 'I', ' ', ' ', ' '}},
        {.type = MP_BUS, .id = isa_bus(pf), .name = {'I', 'S', 'A', ' ', ' ', ' '}},
    };
    const size_t bus_count = pf->has_pci ? 2 : 1; // the last ones of the list
    const struct mp_ioapic ioapic = {
        .type = MP_IOAPIC,
        .id = pf->ioapic_id,
        .version = IOAPIC_VERSION,
        .flags = IOAPIC_ENABLED,
        .address = pf->ioapic_address,
    };
    const size_t interrupts =
        ARRAY_SIZE(isa_irqs) + (pf->has_pci ? PCI_INTERRUPTS : 0) + LOCAL_INTERRUPTS;
    const struct mp_config config = {
        .signature = {'P', 'C', 'M', 'P'},
        .length = (uint16_t)(sizeof(config) + pf->cpu_count * sizeof(struct mp_processor) +
                             bus_count * sizeof(struct mp_bus) + sizeof(ioapic) +
                             interrupts * sizeof(struct mp_interrupt)),
        .revision = 4,
        .oem_id = {'B', 'U', 'L', 'K', 'H', 'E', 'A', 'D'},
        .product_id = {'P', 'A', 'R', 'T', 'I', 'T', 'I', 'O', 'N', ' ', ' ', ' '},
        .entry_count = (uint16_t)(pf->cpu_count + bus_count + 1 + interrupts),
        .lapic_address = pf->lapic_address,
    };

    guest_table_add(t, &config, sizeof(config));
    add_processors(t, pf);
    guest_table_add(t, &buses[ARRAY_SIZE(buses) - bus_count], bus_count * sizeof(struct mp_bus));
    guest_table_add(t, &ioapic, sizeof(ioapic));
    if (pf->has_pci) {
        add_pci_interrupts(t, pf);
    }
    add_isa_interrupts(t, pf);
    add_local_interrupts(t);
    return guest_table_seal(t, offsetof(struct mp_config, checksum));
}

static enum status write_floating(struct guest_table *t, uint64_t config)
{
    const struct mp_floating floating = {
        .signature = {'_', 'M', 'P', '_'},
        .config = (uint32_t)config,
        .length = 1,
        .revision = 4,
    };

    guest_table_add(t, &floating, sizeof(floating));
    return guest_table_seal(t, offsetof(struct mp_floating, checksum));
}

enum status guest_mptable_write(const struct guest_ram *ram, const struct guest_platform *platform,
                                char *error, size_t error_size)
{
    const uint64_t config = GUEST_MP_TABLES + sizeof(struct mp_floating);
    struct guest_table t;
    enum status s;

    if (platform->cpu_count == 0 || platform->cpu_count > MAX_CPUS) {
        format(error, error_size, "%u CPUs can't be told in the MP tables, only 1 to %u",
               platform->cpu_count, (unsigned)MAX_CPUS);
        return ERR_INVALID;
    }
    guest_table_begin(&t, ram, config, GUEST_SMBIOS);
    s = write_config(&t, platform);
    if (s == STATUS_OK) {
        guest_table_begin(&t, ram, GUEST_MP_TABLES, config);
        s = write_floating(&t, config);
    }
    if (s != STATUS_OK) {
        format(error, error_size, "the MP tables don't fit at 0x%llx-0x%llx (status %d)",
               GUEST_MP_TABLES, GUEST_SMBIOS - 1, (int)s);
    }
    return s;
}
