// SPDX-License-Identifier: Apache-2.0
// Whether a device works as its driver expects: registers, DMA, MSI on either CPU, INTx, and a BAR
// that is moved.

#include "hv/machine/guest_platform.h"
#include "tests/guests/dma/dma.h"

enum {
    MSI_VECTOR = 0x51,
    INTX_VECTOR = 0x52,
    ARRIVES_MS = 10000,
    SILENT_MS = 50,
    RETARGETS = 100,
    UNTOUCHED = 0x5a,
    HOME_SIZE = 8192,
};

static uint8_t source[HOME_SIZE] __attribute__((aligned(4096)));
static uint8_t target[HOME_SIZE] __attribute__((aligned(4096)));

// ---- DMA

struct transfer {
    unsigned from, to, offset, count;
};

static const struct transfer transfers[] = {
    {0, 0, 0, EDU_BUFFER_USABLE}, // all of it
    {1, 3, 5, 1},
    {4090, 4093, 100, 64}, // over the end of a page
    {2047, 9, 1999, 2048},
};

// Into the device and back; every byte of the target's pages is compared.
static bool there_and_back(const struct edu *e, const struct transfer *t)
{
    for (unsigned i = 0; i < HOME_SIZE; i++)
        source[i] = (uint8_t)random_number();
    memset(target, UNTOUCHED, sizeof(target));
    if (!edu_from_ram(e, (uint64_t)source + t->from, t->offset, t->count) ||
        !edu_to_ram(e, (uint64_t)target + t->to, t->offset, t->count))
        return false;
    for (unsigned i = 0; i < HOME_SIZE; i++) {
        bool inside = i >= t->to && i < t->to + t->count;
        if (target[i] != (inside ? source[i - t->to + t->from] : UNTOUCHED))
            return false;
    }
    return true;
}

static bool no_master_no_dma(const struct edu *e)
{
    memset(target, UNTOUCHED, sizeof(target));
    pci_command(e->where, 0, PCI_COMMAND_MASTER);
    bool done = edu_to_ram(e, (uint64_t)target, 0, 64);
    pci_command(e->where, PCI_COMMAND_MASTER, 0);
    for (unsigned i = 0; i < HOME_SIZE; i++)
        done = done && target[i] == UNTOUCHED;
    return done;
}

static void check_dma(const struct edu *e)
{
    const char *text = where_text(e->where);
    pci_command(e->where, PCI_COMMAND_MASTER, 0);
    for (unsigned i = 0; i < sizeof(transfers) / sizeof(transfers[0]); i++)
        check(there_and_back(e, &transfers[i]), "%s: %u bytes by DMA and back", text,
              transfers[i].count);
    check(no_master_no_dma(e), "%s: no DMA without bus mastering", text);
}

// ---- interrupts

static bool raises(const struct edu *e, unsigned cpu, unsigned vector, uint64_t ms)
{
    uint32_t before = interrupts_seen(cpu, vector);
    edu_raise(e, 1);
    bool came = wait_for(cpu, vector, before + 1, ms);
    edu_acknowledge(e);
    return came;
}

static void aim(const struct edu *e, unsigned cpu, unsigned vector)
{
    pci_msi_set(e->where, pci_msi_address(guest.apic_id[cpu]), vector);
}

// Each interrupt must come once, and on the CPU that was named last.
static bool retargets(const struct edu *e)
{
    for (unsigned i = 0; i < RETARGETS; i++) {
        unsigned cpu = i % guest.cpus, vector = 0x60 + i % 16;
        uint32_t total = interrupts_total();
        aim(e, cpu, vector);
        if (!raises(e, cpu, vector, ARRIVES_MS) || interrupts_total() != total + 1)
            return false;
    }
    return true;
}

static void check_msi_of_dma(const struct edu *e)
{
    uint32_t before = interrupts_seen(0, MSI_VECTOR);
    edu_start(e, (uint64_t)source, 0, 64, EDU_DMA_INTERRUPT);
    check(wait_for(0, MSI_VECTOR, before + 1, ARRIVES_MS) &&
              edu_get(e, EDU_INTERRUPTS) == EDU_DMA_DONE && !edu_busy(e),
          "%s: MSI when a transfer is done", where_text(e->where));
    edu_acknowledge(e);
}

static void check_msi(const struct edu *e)
{
    const char *text = where_text(e->where);
    pci_command(e->where, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
    aim(e, 0, MSI_VECTOR);
    pci_msi_enable(e->where, true);
    check(raises(e, 0, MSI_VECTOR, ARRIVES_MS), "%s: MSI on this CPU", text);
    if (guest.cpus > 1) {
        aim(e, 1, MSI_VECTOR);
        check(raises(e, 1, MSI_VECTOR, ARRIVES_MS), "%s: MSI on another CPU", text);
        check(retargets(e), "%s: MSI where it was sent last, %u times", text, RETARGETS);
    }
    aim(e, 0, MSI_VECTOR);
    pci_msi_enable(e->where, false);
    check(!raises(e, 0, MSI_VECTOR, SILENT_MS), "%s: no MSI while it is off", text);
    pci_msi_enable(e->where, true);
    check(raises(e, 0, MSI_VECTOR, ARRIVES_MS), "%s: MSI when it is on again", text);
    check_msi_of_dma(e);
    pci_msi_enable(e->where, false);
}
static void check_intx(const struct edu *e)
{
    const char *text = where_text(e->where);
    unsigned pin = pci_intx_pin(e->where);
    uint8_t id = (uint8_t)guest.apic_id[0];
    pci_command(e->where, 0, PCI_COMMAND_INTX_DISABLE);
    ioapic_set(pin, id, INTX_VECTOR);
    uint32_t before = interrupts_seen(0, INTX_VECTOR);
    edu_raise(e, 1);
    // Level: it comes again while the device holds it.
    check(wait_for(0, INTX_VECTOR, before + 3, ARRIVES_MS),
          "%s: INTx at pin %u, as long as it is held", text, pin);
    edu_acknowledge(e);
    let_through();
    before = interrupts_seen(0, INTX_VECTOR);
    check(!wait_for(0, INTX_VECTOR, before + 1, SILENT_MS), "%s: INTx let go", text);
    ioapic_set(pin, id, INTX_VECTOR | IOAPIC_MASKED);
    edu_raise(e, 1);
    check(!wait_for(0, INTX_VECTOR, before + 1, SILENT_MS), "%s: INTx masked", text);
    ioapic_set(pin, id, INTX_VECTOR);
    check(wait_for(0, INTX_VECTOR, before + 1, ARRIVES_MS), "%s: INTx unmasked", text);
    edu_acknowledge(e);
    let_through();
    if (guest.cpus > 1) {
        ioapic_set(pin, (uint8_t)guest.apic_id[1], INTX_VECTOR);
        check(raises(e, 1, INTX_VECTOR, ARRIVES_MS), "%s: INTx on another CPU", text);
        ioapic_set(pin, id, INTX_VECTOR);
    }
    pci_command(e->where, PCI_COMMAND_INTX_DISABLE, 0);
    check(!raises(e, 0, INTX_VECTOR, SILENT_MS), "%s: no INTx while it is disabled", text);
    ioapic_set(pin, id, INTX_VECTOR | IOAPIC_MASKED);
}

// ---- registers

static bool alive(const struct edu *e, uint32_t value)
{
    edu_set(e, EDU_LIVENESS, value);
    return edu_get(e, EDU_LIVENESS) == ~value;
}

static bool factorial(const struct edu *e, uint32_t n, uint32_t expected)
{
    uint64_t end = rdtsc() + ARRIVES_MS * tsc_khz();
    edu_set(e, EDU_FACTORIAL, n);
    while (edu_get(e, EDU_STATUS) & EDU_STATUS_BUSY && rdtsc() < end)
        pause();
    return edu_get(e, EDU_FACTORIAL) == expected;
}

static void check_registers(const struct edu *e)
{
    const char *text = where_text(e->where);
    check((edu_get(e, EDU_ID) & 0xff) == 0xed, "%s: identification 0x%x", text, edu_get(e, EDU_ID));
    check(alive(e, 0x12345678) && alive(e, 0) && alive(e, UINT32_MAX), "%s: liveness", text);
    check(factorial(e, 10, 3628800), "%s: factorial", text);
}

// Decoding follows the BAR, and stops while it is off.
static void check_bar(struct edu *e)
{
    const char *text = where_text(e->where);
    uint64_t size = pci_bar_size(e->where, 0), home = e->base;
    check(size == EDU_BAR_SIZE, "%s: BAR 0 has 0x%lx bytes", text, size);
    check(pci_bar(e->where, 0) == home, "%s: BAR 0 unchanged by sizing", text);
    e->base = GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE - EDU_BAR_SIZE;
    pci_bar_move(e->where, 0, e->base);
    check(pci_bar(e->where, 0) == e->base && alive(e, 0xcafe), "%s: BAR 0 moved to 0x%lx", text,
          e->base);
    e->base = home;
    pci_bar_move(e->where, 0, home);
    check(pci_bar(e->where, 0) == home && alive(e, 0xbeef), "%s: BAR 0 moved back to 0x%lx", text,
          home);
}

void check_device(const struct edu *e)
{
    const char *text = where_text(e->where);
    check(alive(e, 0x600df00d), "%s: device works", text);
    pci_command(e->where, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
    check(there_and_back(e, &transfers[2]), "%s: DMA works", text);
    aim(e, 0, MSI_VECTOR);
    pci_msi_enable(e->where, true);
    check(raises(e, 0, MSI_VECTOR, ARRIVES_MS), "%s: MSI works", text);
    pci_msi_enable(e->where, false);
}

void check_mode(void)
{
    for (unsigned i = 0; i < guest.edus; i++) {
        struct edu *e = &guest.edu[i];
        check_registers(e);
        check_bar(e);
        check_dma(e);
        check_msi(e);
        check_intx(e);
    }
    check_summary();
}
