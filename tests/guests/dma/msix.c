// SPDX-License-Identifier: Apache-2.0
// The MSI-X table of an NVMe controller: that it works as its driver expects; then rewritten at
// random by two CPUs at once, words of every kind in every order, while the controller sends its
// messages. `count=` writes of each CPU.

#include "tests/guests/dma/dma.h"
#include "tests/guests/nvme.h"

enum {
    VECTOR = 0x58,
    ARRIVES_MS = 10000,
    SILENT_MS = 50,
    DEFAULT_COUNT = 20000,
    SEND_EVERY = 16, // writes
    MODE_SMI = 2,
    MODE_INIT = 5,
    MODE_STARTUP = 6,
    DATA_MODE_SHIFT = 8,
};

static struct nvme nvme;
static uint64_t writes;

// ---- as a driver uses it

static bool sends(unsigned cpu, uint64_t ms)
{
    uint32_t before = interrupts_seen(cpu, VECTOR);
    return nvme_nothing(&nvme) && wait_for(cpu, VECTOR, before + 1, ms);
}

static void aim(unsigned cpu, bool masked)
{
    nvme_vector(&nvme, 0, pci_msi_address(guest.apic_id[cpu]), VECTOR, masked);
}

static void check_table(void)
{
    nvme_msix(&nvme, true, false);
    aim(0, false);
    check(sends(0, ARRIVES_MS), "msix: arrives on this CPU");
    if (guest.cpus > 1) {
        aim(1, false);
        check(sends(1, ARRIVES_MS), "msix: arrives on another CPU");
    }
    aim(0, true);
    uint32_t before = interrupts_seen(0, VECTOR);
    check(!sends(0, SILENT_MS), "msix: masked");
    aim(0, false);
    check(wait_for(0, VECTOR, before + 1, ARRIVES_MS), "msix: pending until it is unmasked");
    nvme_msix(&nvme, true, true);
    before = interrupts_seen(0, VECTOR);
    check(!sends(0, SILENT_MS), "msix: masked with all others");
    nvme_msix(&nvme, true, false);
    check(wait_for(0, VECTOR, before + 1, ARRIVES_MS), "msix: pending until all are unmasked");
}

// ---- the race

static uint64_t some_address(uint64_t choice)
{
    uint64_t address =
        pci_msi_address(choice & 3 ? (uint32_t)(choice >> 8) & 1 : choice >> 8 & 0xff);
    return address | (choice >> 16 & 0xc) | (choice >> 20 & 15 ? 0 : choice >> 24 & 0xff000ff0);
}

static uint32_t some_data(uint64_t choice)
{
    uint32_t data = choice & 0xffff;
    if (choice >> 20 & 3)
        data &= 0xff; // most are such as might be let through
    uint32_t mode = data >> DATA_MODE_SHIFT & 7;
    if (guest.bare && (mode == MODE_SMI || mode == MODE_INIT || mode == MODE_STARTUP))
        data &= 0xff;
    return data;
}

// In widths that no driver uses, aligned or not, over the end of the table as well.
static void rewrite_odd(uint64_t choice, uint64_t value)
{
    volatile uint8_t *table = (volatile uint8_t *)nvme.table;
    volatile uint8_t *at = table + choice % (nvme.vectors * PCI_MSIX_ENTRY_SIZE + 64ull);
    switch (choice >> 32 & 7) {
    case 0:
        *at = (uint8_t)value;
        break;
    case 1:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 2:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    case 3:
        *(volatile uint64_t *)at = value;
        break;
    case 4:
        *at |= (uint8_t)value;
        break;
    default: // reads
        (void)*(volatile uint16_t *)at;
        (void)*(volatile uint64_t *)at;
        break;
    }
}

static void move_string(volatile void *to, volatile void *from)
{
    __asm__ volatile("movsl" : "+D"(to), "+S"(from) : : "memory");
}

// A string instruction that begins in the table and reaches the rest of the BAR, which a hypervisor
// that emulates it has not mapped. What it finds there is ones, or a register.
static void reach_beyond(void)
{
    volatile uint8_t *table = (volatile uint8_t *)nvme.table;
    uint64_t bytes = pci_bar_size(nvme.where, 0), at = (uint64_t)table - nvme.base;
    for (uint64_t offset = 0; offset < bytes; offset += 1024) {
        static volatile uint32_t found;
        if (offset >= at && offset - at < PCI_MSIX_ENTRY_SIZE * (uint64_t)nvme.vectors)
            continue;
        move_string(&found, (volatile uint8_t *)nvme.base + offset);
        if (offset > at) // in front are the controller's registers
            move_string((volatile uint8_t *)nvme.base + offset, table);
        move_string(table, (volatile uint8_t *)nvme.base + offset);
    }
}

// One word of an entry, or two by one store.
static void rewrite(uint64_t *random)
{
    uint64_t choice = random_next(random), value = random_next(random);
    unsigned entry = choice & 3 ? 0 : (unsigned)(choice >> 8) % nvme.vectors;
    volatile uint32_t *at = nvme.table + entry * (PCI_MSIX_ENTRY_SIZE / 4);
    if (!guest.bare && (choice >> 40 & 7) == 0) {
        rewrite_odd(choice, value);
        return;
    }
    switch (choice >> 32 & 7) {
    case 0:
    case 1:
        at[0] = (uint32_t)some_address(value);
        break;
    case 2:
        at[1] = value & 7 || guest.bare ? 0 : (uint32_t)(value >> 32);
        break;
    case 3:
    case 4:
        at[2] = some_data(value);
        break;
    case 5:
        *(volatile uint64_t *)at = some_address(value);
        break;
    case 6:
        *(volatile uint64_t *)(at + 2) = some_data(value) | (value >> 32 & 1) << 32;
        break;
    default:
        at[3] = value & 1;
        break;
    }
}

static void rewrite_many(uint64_t seed, bool send)
{
    for (uint64_t i = 0; i < writes; i++) {
        rewrite(&seed);
        delay_us(1); // or the emulated controller gets no time of its own
        if (!send || i % SEND_EVERY)
            continue;
        nvme_vector(&nvme, 0, some_address(seed), some_data(seed >> 16), false);
        if (!nvme_nothing(&nvme))
            print("FAIL nvme: no answer\n");
        let_through();
    }
}

static void second_cpu(void)
{
    uint64_t seed = 0x5eed ^ writes;
    rewrite_many(seed, false);
}

void msix_attack(void)
{
    if (!nvme_open(&nvme)) {
        print("FAIL no NVMe controller\n");
        return;
    }
    check_table();
    writes = option_number("count", DEFAULT_COUNT);
    uint32_t before = interrupts_total();
    if (!guest.bare)
        reach_beyond();
    storm_begin();
    if (guest.cpus > 1)
        ap_run(second_cpu);
    rewrite_many(random_number(), true);
    if (guest.cpus > 1)
        ap_wait();
    storm_end();
    for (unsigned i = 0; i < nvme.vectors; i++)
        nvme_vector(&nvme, i, 0, 0, true);
    print("msix: %lu writes by each of %u CPUs, %u interrupts here\n", writes, guest.cpus,
          interrupts_total() - before);
    check_table();
    nvme_msix(&nvme, false, false);
}
