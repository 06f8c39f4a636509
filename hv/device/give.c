// SPDX-License-Identifier: Apache-2.0
// Finds the machine's PCI functions and IOMMU, and assigns the functions. The decisions are made in
// drivers/pci/*.c, drivers/iommu/iommu.h and hv/device/assign.c.
#include "arch/memory/heap.h"
#include "drivers/console/console.h"
#include "hv/device/assign.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/partition/partition.h"

// Heap, in bytes. Fixed: the IOMMUs' command queues, fault log, interrupt entries. Per bus: the
// table entries of its devices. Per function: tables that map its registers into the guest's
// memory, its interrupts, and its share of the tables that map the guest's memory for DMA.
#define HEAP_FIXED        KIB(256)
#define HEAP_PER_BUS      KIB(16)
#define HEAP_PER_FUNCTION KIB(32)

static enum status find_iommu(void)
{
    static const struct iommu_ops *const back_ends[] = {&vtd_ops, &amdvi_ops};
    for (unsigned i = 0; i < ARRAY_SIZE(back_ends); i++) {
        char error[IOMMU_TEXT_SIZE];
        enum status s = back_ends[i]->probe(&machine.acpi, &machine_pci.pci, error, sizeof(error));
        if (s == STATUS_OK) {
            iommu = back_ends[i];
            return STATUS_OK;
        }
        if (s != ERR_NOT_FOUND) {
            print("%s: %s\n", back_ends[i]->name, error);
            return s;
        }
    }
    return STATUS_OK; // a machine without an IOMMU is no error
}

void passthrough_scan(void)
{
    pci_scan(&machine_pci.pci);
}

enum status passthrough_discover(void)
{
    struct pci_machine *pci = &machine_pci.pci;
    enum status s = pci_map_config(pci, &machine.acpi);
    if (s != STATUS_OK) {
        print("no memory to map the configuration space of PCI\n");
        return s;
    }
    pci_find_groups(pci);
    pci_quiesce(pci);
    return find_iommu();
}

static void report(const char *text)
{
    print("%s\n", text);
}

#define MOST_KEPT (ACPI_MAX_IOAPICS + BOOT_MAX_MEMORY + 4)

static unsigned find_kept(struct assign_kept kept[MOST_KEPT])
{
    unsigned count = 0;
    kept[count++] =
        (struct assign_kept){machine.acpi.lapic_address, PAGE_SIZE, "the local APICs", NULL};
    for (unsigned i = 0; i < machine.acpi.ioapic_count; i++) {
        kept[count++] =
            (struct assign_kept){machine.acpi.ioapics[i].address, PAGE_SIZE, "an IOAPIC", NULL};
    }
    if (machine.hpet != 0) {
        kept[count++] =
            (struct assign_kept){align_down(machine.hpet, PAGE_SIZE), PAGE_SIZE, "the HPET", NULL};
    }
    for (unsigned i = 0; i < machine.boot.memory_count; i++) {
        const struct boot_memory *m = &machine.boot.memory[i];
        if (m->kind == BOOT_MEMORY_USABLE) {
            kept[count++] = (struct assign_kept){m->base, m->size, "memory", NULL};
        }
    }
    if (machine.screen.size != 0) {
        kept[count++] = (struct assign_kept){
            machine.screen.base, machine.screen.size, "the screen of the hypervisor's console",
            "say framebuffer=off on the hypervisor's command line"};
    }
    if (machine.serial.found && machine.serial.memory) {
        struct page_range r = serial_pages(&machine.serial);
        kept[count++] =
            (struct assign_kept){r.base, r.size, "the serial port of the hypervisor's console",
                                 "say console= with another one on the hypervisor's command line"};
    }
    return count;
}

enum status passthrough_judge(const struct blob *config, const struct iommu_ops *ops,
                              int owner[PCI_MAX_FUNCTIONS], void (*tell)(const char *text))
{
    struct assign_kept *kept = heap_borrow(MOST_KEPT * sizeof(*kept));
    if (kept == NULL) {
        tell("no memory to give devices away");
        return ERR_NO_MEMORY;
    }
    struct assign_input input = {
        .config = config,
        .pci = &machine_pci.pci,
        .iommu = ops,
        .kept = kept,
        .kept_count = find_kept(kept),
        .ports = machine_kept_ports,
        .port_count = machine_kept_port_count,
        .console = machine.serial_function,
    };
    enum status s = assign_devices(&input, owner, tell);
    heap_return(kept, MOST_KEPT * sizeof(*kept));
    return s;
}

enum status passthrough_block_all(void)
{
    char error[IOMMU_TEXT_SIZE];
    enum status s = iommu == NULL ? STATUS_OK : iommu->enable(error, sizeof(error));
    if (s != STATUS_OK) {
        print("%s: %s\n", iommu->name, error);
    }
    return s;
}

enum status passthrough_assign(void)
{
    enum status s = passthrough_judge(machine.config, iommu, machine_pci.owner, report);
    return s == STATUS_OK ? passthrough_block_all() : s;
}

uint64_t passthrough_heap_size(void)
{
    const struct pci_machine *pci = &machine_pci.pci;
    unsigned buses = 1;
    for (unsigned i = 0; i < pci->count; i++) {
        buses = (unsigned)max_u64(buses, PCI_BUS(pci->function[i].address) + 1);
    }
    return HEAP_FIXED + buses * HEAP_PER_BUS + pci->count * HEAP_PER_FUNCTION;
}

bool passthrough_is_direct(const struct partition *p)
{
    return iommu == NULL && p->config->devices.count > 0;
}
