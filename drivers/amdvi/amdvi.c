// SPDX-License-Identifier: Apache-2.0
// AMD-Vi as an IOMMU back end (drivers/iommu/iommu.h): finds the units that IVRS describes, turns
// them on, and says which devices can be assigned. The parts are in drivers/amdvi/.
#include "drivers/amdvi/amdvi.h"

#include "arch/interrupt/apic.h"
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"

#define BUS_OF(id)        ((id) >> 8)
#define IDS_OF_BUS        256u
#define PLAIN_APIC_ID_MAX 254u
#define LARGEST_PAGES     2 // 1 GiB

// ---- finding the units ---------------------------------------------------------------------

static uint16_t max_id(uint16_t a, uint16_t b)
{
    return a > b ? a : b;
}

// The size of the device table: covers every bus that exists, and every single ID in the firmware's
// table.
static uint32_t count_devices(const struct pci_machine *pci)
{
    uint16_t last = 0;
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *f = &pci->function[i];
        last = max_id(last, max_id((uint16_t)f->address.v, f->requester));
        if (f->bridge) {
            uint8_t bus = f->secondary > f->subordinate ? f->secondary : f->subordinate;
            last = max_id(last, (uint16_t)(bus << 8));
        }
    }
    for (unsigned i = 0; i < amdvi.ivrs.range_count; i++) {
        const struct ivrs_range *r = &amdvi.ivrs.range[i];
        if (r->aliased) {
            last = max_id(last, r->alias);
        } else if (r->first == r->last) {
            last = max_id(last, r->first);
        }
    }
    return (BUS_OF(last) + 1u) * IDS_OF_BUS;
}

static enum status map_unit(struct amdvi_unit *u, char *error, size_t size)
{
    u->registers = mmu_map_device(hpa(u->firmware->base), AMDVI_MMIO_SIZE);
    if (u->registers == NULL) {
        format(error, size, "no room to map the IOMMU at 0x%lx", u->firmware->base);
        return ERR_NO_MEMORY;
    }
    u->features = amdvi_read(u, AMDVI_FEATURES);
    if (u->features == UINT64_MAX && amdvi_read(u, AMDVI_STATUS) == UINT64_MAX) {
        format(error, size,
               "the IOMMU at 0x%lx, which the ACPI table IVRS names, does not answer; update the "
               "firmware, or turn the IOMMU off there and do without devices",
               u->firmware->base);
        return ERR_UNSUPPORTED;
    }
    return STATUS_OK;
}

// Chooses the format of interrupt entries. Entries of 128 bits, with 32-bit destinations, are for
// x2APIC. If a unit lacks them, the short entries are used, as long as 8 bits suffice for every
// CPU.
static enum status choose_entries(const struct acpi_info *acpi, char *error, size_t size)
{
    const uint64_t needed = AMDVI_FEATURE_GUEST_APIC | AMDVI_FEATURE_X2APIC;
    const struct amdvi_unit *lacks = NULL;
    uint32_t highest = 0;
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        if ((amdvi.unit[i].features & needed) != needed) {
            lacks = &amdvi.unit[i];
        }
    }
    for (unsigned i = 0; i < acpi->cpu_count; i++) {
        highest = acpi->cpus[i].apic_id > highest ? acpi->cpus[i].apic_id : highest;
    }
    amdvi.wide = lacks == NULL && apic_is_x2apic();
    if (amdvi.wide || highest <= PLAIN_APIC_ID_MAX) {
        return STATUS_OK;
    }
    format(error, size,
           "the IOMMU at 0x%lx can't send interrupts to the CPU with APIC ID %u: it has no x2APIC "
           "mode, or that is off; leave out CPUs with IDs above %u in the firmware",
           lacks != NULL ? lacks->firmware->base : amdvi.unit[0].firmware->base, highest,
           PLAIN_APIC_ID_MAX);
    return ERR_UNSUPPORTED;
}

static enum status read_firmware(const struct acpi_info *acpi, char *error, size_t size)
{
    struct acpi_table table;
    enum status s = acpi_find_table(acpi, "IVRS", 0, &table.address, &table.length);
    if (s == STATUS_OK) {
        return ivrs_parse(&table, &amdvi.ivrs, error, size);
    }
    if (s != ERR_NOT_FOUND) {
        format(error, size,
               "ACPI: the table IVRS, which describes the IOMMUs, is damaged; update the firmware, "
               "or turn the IOMMU off there and do without devices");
    }
    return s;
}

static enum status probe(const struct acpi_info *acpi, const struct pci_machine *pci, char *error,
                         size_t size)
{
    memset(&amdvi, 0, sizeof(amdvi));
    enum status s = read_firmware(acpi, error, size);
    if (s != STATUS_OK) {
        return s;
    }
    amdvi.device_count = count_devices(pci);
    amdvi.unit_count = amdvi.ivrs.unit_count;
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        amdvi.unit[i].firmware = &amdvi.ivrs.unit[i];
        int function = pci_find(pci, (pci_address_t){amdvi.ivrs.unit[i].device});
        amdvi.unit[i].msi = function < 0 ? 0 : pci->function[function].msi;
        s = map_unit(&amdvi.unit[i], error, size);
        if (s != STATUS_OK) {
            return s;
        }
    }
    return choose_entries(acpi, error, size);
}

static enum status enable(char *error, size_t size)
{
    enum status s = amdvi_devices_create(amdvi.device_count);
    if (s == STATUS_OK) {
        amdvi.irqs = heap_alloc(amdvi.device_count * sizeof(amdvi.irqs[0]));
        s = amdvi.irqs == NULL ? ERR_NO_MEMORY : STATUS_OK;
    }
    for (unsigned i = 0; s == STATUS_OK && i < amdvi.unit_count; i++) {
        s = amdvi_unit_enable(&amdvi.unit[i]);
        if (s == ERR_UNSUPPORTED) {
            format(error, size,
                   "the IOMMU at 0x%lx does not do what it is told; update the firmware, or turn "
                   "the IOMMU off there and do without devices",
                   amdvi.unit[i].firmware->base);
        }
    }
    if (s == ERR_NO_MEMORY) {
        format(error, size, "the hypervisor's heap has no room for the IOMMU's tables");
    }
    return s;
}

// ---- which devices can be assigned ---------------------------------------------------------

static enum status check_reserved(const char *name, uint16_t id, char *error, size_t size)
{
    const struct ivrs_reserved *r = ivrs_find_reserved(&amdvi.ivrs, id);
    if (r == NULL) {
        return STATUS_OK;
    }
    format(
        error, size,
        "%s: firmware keeps memory 0x%lx-0x%lx for it (ACPI IVRS), which must stay reachable, so "
        "it can't be given away; turn off what uses it in the firmware, or leave it out",
        name, r->base, r->base + (r->size - 1));
    return ERR_DENIED;
}

// Refuses IDs that are not an ordinary function's, whatever PCI shows there.
static enum status check_special(const char *name, uint16_t id, char *error, size_t size)
{
    for (unsigned i = 0; i < amdvi.ivrs.special_count; i++) {
        const struct ivrs_special *s = &amdvi.ivrs.special[i];
        if (amdvi_alias(s->device) == id) {
            format(
                error, size,
                "%s: its requests carry the same ID as those of %s %u, so its interrupts can't be "
                "held back; leave it out, or put it into another slot",
                name, s->kind == IVRS_IOAPIC ? "IOAPIC" : "HPET", s->id);
            return ERR_DENIED;
        }
    }
    for (unsigned i = 0; i < amdvi.ivrs.unit_count; i++) {
        if (amdvi.ivrs.unit[i].device == id) {
            format(error, size, "%s: it is the IOMMU itself, and can't be given away", name);
            return ERR_DENIED;
        }
    }
    return STATUS_OK;
}

static enum status check_shared(const struct pci_machine *pci, const struct pci_function *f,
                                const char *name, char *error, size_t size)
{
    uint16_t id = amdvi_alias(f->requester);
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *other = &pci->function[i];
        char text[PCI_TEXT_SIZE];
        if (other->address.v == f->address.v || other->group == f->group || other->bridge ||
            amdvi_alias(other->requester) != id) {
            continue;
        }
        format(error, size,
               "%s: the IOMMU can't tell it from %s (ACPI IVRS gives both one ID), so it can't be "
               "given away; leave it out, or put it into another slot",
               name, pci_text(other->address, text));
        return ERR_DENIED;
    }
    return STATUS_OK;
}

static enum status check(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size)
{
    char name[PCI_TEXT_SIZE];
    pci_text(f->address, name);
    uint16_t id = amdvi_alias(f->requester);
    if (f->address.v > UINT16_MAX || id >= amdvi.device_count || amdvi_unit_of(id) == NULL) {
        format(error, size,
               "%s: no IOMMU serves it (ACPI IVRS), so it would reach all memory; leave it out, or "
               "put it into another slot",
               name);
        return ERR_NOT_FOUND;
    }
    enum status s = check_special(name, id, error, size);
    if (s == STATUS_OK) {
        s = check_reserved(name, (uint16_t)f->address.v, error, size);
    }
    if (s == STATUS_OK) {
        s = check_reserved(name, f->requester, error, size);
    }
    if (s == STATUS_OK) {
        s = check_reserved(name, id, error, size);
    }
    return s == STATUS_OK ? check_shared(pci, f, name, error, size) : s;
}

// ---- domains -------------------------------------------------------------------------------

static enum status domain_create(struct iommu_domain *d, uint16_t id)
{
    enum status s = pt_create(&d->tables, &pt_format_amdvi, LARGEST_PAGES);
    d->id = id;
    d->created = s == STATUS_OK;
    return s;
}

static void domain_flush(struct iommu_domain *d)
{
    uint64_t first = AMDVI_COMMAND_INVALIDATE_PAGES | (uint64_t)d->id << AMDVI_PAGES_DOMAIN_SHIFT;
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        (void)amdvi_command(&amdvi.unit[i], first, AMDVI_PAGES_ALL);
        amdvi_must_complete(&amdvi.unit[i]);
    }
}

// The units' state for the audit, from the registers.
static unsigned units(struct iommu_unit out[IOMMU_MAX_UNITS])
{
    unsigned count = (unsigned)min_u64(amdvi.unit_count, IOMMU_MAX_UNITS);
    for (unsigned i = 0; i < count; i++) {
        const struct amdvi_unit *u = &amdvi.unit[i];
        uint64_t control = amdvi_read(u, AMDVI_CONTROL);
        uint64_t table = amdvi_read(u, AMDVI_DEVICE_TABLE);
        out[i] = (struct iommu_unit){
            .registers = u->firmware->base,
            .registers_size = AMDVI_MMIO_SIZE,
            .on = (control & AMDVI_CONTROL_ON) != 0,
            .x2apic = (control & AMDVI_CONTROL_X2APIC) != 0,
            .wide = (control & AMDVI_CONTROL_GUEST_APIC) != 0,
            .levels = 1u << AMDVI_LEVELS,
            .devices = table & AMDVI_DTE_ROOT_MASK,
            .devices_size = ((table & AMDVI_DEVICE_TABLE_PAGES) + 1) * PAGE_SIZE,
        };
    }
    return count;
}

static unsigned ioapics(uint16_t ids[ACPI_MAX_IOAPICS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < amdvi.ivrs.special_count && count < ACPI_MAX_IOAPICS; i++) {
        const struct ivrs_special *s = &amdvi.ivrs.special[i];
        if (s->kind == IVRS_IOAPIC) {
            ids[count++] = s->device;
        }
    }
    return count;
}

const struct iommu_ops amdvi_ops = {
    .name = "AMD-Vi",
    .probe = probe,
    .enable = enable,
    .check = check,
    .describe = amdvi_describe,
    .domain_create = domain_create,
    .domain_flush = domain_flush,
    .attach = amdvi_attach,
    .detach = amdvi_detach,
    .irq_alloc = amdvi_irq_alloc,
    .irq_set = amdvi_irq_set,
    .irq_message = amdvi_irq_message,
    .ioapic_entry = amdvi_ioapic_entry,
    .pins_open_all = true,
    .units = units,
    .ioapics = ioapics,
    .fault_nmi = amdvi_fault_nmi,
    .quiet = amdvi_quiet,
    .fault_hold = amdvi_fault_hold,
    .take_fault = amdvi_take_fault,
};
