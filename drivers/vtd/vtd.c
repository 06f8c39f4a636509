// SPDX-License-Identifier: Apache-2.0
// VT-d as an IOMMU back end of the hypervisor: finds the units, takes them over from the firmware,
// turns them on. context.c and interrupts.c control what a device may do.
#include "drivers/vtd/vtd.h"

#include "arch/lib/format.h"

#define XAPIC_LAST_ID 254u

// ---- finding -------------------------------------------------------------------------------

static enum status read_table(const struct acpi_info *acpi, const struct pci_machine *pci,
                              char *error, size_t size)
{
    struct acpi_table table;
    enum status s = acpi_find_table(acpi, "DMAR", 0, &table.address, &table.length);
    if (s == ERR_NOT_FOUND) {
        format(error, size, "this machine's firmware describes no VT-d (no DMAR table)");
        return s;
    }
    if (s != STATUS_OK) {
        format(error, size, "ACPI: the DMAR table is damaged; update the firmware");
        return s;
    }
    return dmar_parse(&table, pci, &vtd.dmar, error, size);
}

static bool has_wide_ids(const struct acpi_info *acpi)
{
    for (unsigned i = 0; i < acpi->cpu_count; i++) {
        if (acpi->cpus[i].apic_id > XAPIC_LAST_ID) {
            return true;
        }
    }
    return false;
}

// The features that all units have.
static void common_abilities(uint64_t *cap, uint64_t *ecap)
{
    *cap = UINT64_MAX;
    *ecap = UINT64_MAX;
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        *cap &= vtd.units[i].cap;
        *ecap &= vtd.units[i].ecap;
    }
}

static enum status choose_modes(const struct acpi_info *acpi, char *error, size_t size)
{
    uint64_t cap, ecap;
    common_abilities(&cap, &ecap);
    if ((cap & (VTD_CAP_SAGAW_48 | VTD_CAP_SAGAW_39)) == 0) {
        format(error, size, "the VT-d units have no format of page tables in common");
        return ERR_UNSUPPORTED;
    }
    vtd.wide_destinations = has_wide_ids(acpi);
    if (vtd.wide_destinations && (ecap & VTD_ECAP_EIM) == 0) {
        format(error, size,
               "VT-d can't send interrupts to APIC IDs above %u, which some CPUs have: turn on "
               "x2APIC in the firmware's setup",
               XAPIC_LAST_ID);
        return ERR_UNSUPPORTED;
    }
    vtd.format = cap & VTD_CAP_SAGAW_48 ? &pt_format_vtd : &pt_format_vtd_39;
    vtd.max_leaf_level = 0;
    if (cap & VTD_CAP_LARGE_2M) {
        vtd.max_leaf_level = cap & VTD_CAP_LARGE_1G ? 2 : 1;
    }
    vtd.snoops = (ecap & VTD_ECAP_C) != 0;
    return STATUS_OK;
}

static enum status probe(const struct acpi_info *acpi, const struct pci_machine *pci, char *error,
                         size_t size)
{
    vtd.unit_count = 0;
    enum status s = read_table(acpi, pci, error, size);
    for (unsigned i = 0; s == STATUS_OK && i < vtd.dmar.unit_count; i++) {
        const struct dmar_unit *found = &vtd.dmar.units[i];
        struct vtd_unit *u = &vtd.units[i];
        *u = (struct vtd_unit){.base = found->base, .segment = found->segment};
        s = vtd_unit_probe(u, error, size);
    }
    if (s != STATUS_OK) {
        return s;
    }
    vtd.unit_count = vtd.dmar.unit_count;
    if (!vtd.dmar.interrupt_remapping) {
        format(error, size,
               "the firmware's DMAR table says that interrupts can't be remapped: turn it on in "
               "the firmware's setup (QEMU: intremap=on)");
        return ERR_UNSUPPORTED;
    }
    return choose_modes(acpi, error, size);
}

// ---- turning on ----------------------------------------------------------------------------

static enum status create_tables(void)
{
    enum status s = vtd_context_create();
    if (s == STATUS_OK) {
        s = vtd_interrupts_create();
    }
    for (unsigned i = 0; s == STATUS_OK && i < vtd.unit_count; i++) {
        s = vtd_queue_create(&vtd.units[i]);
    }
    return s;
}

// The steps to turn a unit on, in order. The firmware may have left any of it on. Its settings stay
// in force until the hypervisor's replace them, so that no device is unconfined in between.

static enum status stop_foreign_modes(struct vtd_unit *u)
{
    vtd_fault_reset(u);
    // The hypervisor reads the records in registers.
    enum status s = vtd_command(u, VTD_G_EAFL, false);
    // The mode of the tables must not change while they are in use (11.4.5).
    if (s == STATUS_OK && (vtd_read64(u->registers, VTD_RTADDR) & VTD_RTADDR_TTM) != 0) {
        s = vtd_command(u, VTD_G_TE, false);
    }
    // Nor may the mode of the interrupts' destinations (5.1.4).
    uint64_t mode = vtd_read64(u->registers, VTD_IRTA) ^ vtd_interrupt_table(u->segment);
    if (s == STATUS_OK && (mode & VTD_IRTA_EIME) != 0) {
        s = vtd_command(u, VTD_G_IRE, false);
    }
    return s;
}

static enum status set_root(struct vtd_unit *u)
{
    static const struct vtd_descriptor forget_all[] = {
        {VTD_INV_CONTEXT | VTD_INV_GLOBAL, 0},
        {VTD_INV_IOTLB | VTD_INV_GLOBAL, 0},
    };
    vtd_write64(u->registers, VTD_RTADDR, vtd_root_table(u->segment).v);
    enum status s = vtd_command(u, VTD_G_SRTP, true);
    return s == STATUS_OK ? vtd_queue_run(u, forget_all, ARRAY_SIZE(forget_all)) : s;
}

static enum status set_interrupt_table(struct vtd_unit *u)
{
    static const struct vtd_descriptor forget_all = {VTD_INV_IEC, 0};
    vtd_write64(u->registers, VTD_IRTA, vtd_interrupt_table(u->segment));
    enum status s = vtd_command(u, VTD_G_SIRTP, true);
    return s == STATUS_OK ? vtd_queue_run(u, &forget_all, 1) : s;
}

static enum status remap_interrupts(struct vtd_unit *u)
{
    enum status s = vtd_command(u, VTD_G_CFI, false); // allow none in compatibility format
    return s == STATUS_OK ? vtd_command(u, VTD_G_IRE, true) : s;
}

static enum status translate(struct vtd_unit *u)
{
    return vtd_command(u, VTD_G_TE, true);
}

// Turns off the firmware's own protection, which would block devices in its ranges.
static enum status stop_protected_memory(struct vtd_unit *u)
{
    if ((u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)) == 0) {
        return STATUS_OK;
    }
    vtd_write32(u->registers, VTD_PMEN, 0);
    return vtd_wait(u, VTD_PMEN, VTD_PMEN_PRS, 0) ? STATUS_OK : ERR_UNSUPPORTED;
}

static const struct {
    enum status (*run)(struct vtd_unit *u);
    const char *what;
} steps[] = {
    {vtd_flush_write_buffer, "flushing its write buffers"},
    {stop_foreign_modes, "leaving the firmware's modes"},
    {vtd_queue_enable, "starting its invalidation queue"},
    {set_root, "taking the root table"},
    {set_interrupt_table, "taking the interrupt remapping table"},
    {remap_interrupts, "turning interrupt remapping on"},
    {translate, "turning translation on"},
    {stop_protected_memory, "ending protected memory"},
};

static enum status enable(char *error, size_t size)
{
    if (create_tables() != STATUS_OK) {
        format(error, size, "VT-d: no memory for the units' tables");
        return ERR_NO_MEMORY;
    }
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        struct vtd_unit *u = &vtd.units[i];
        for (unsigned n = 0; n < ARRAY_SIZE(steps); n++) {
            if (steps[n].run(u) != STATUS_OK) {
                format(error, size,
                       "VT-d unit at 0x%lx does not answer (%s): update the firmware, or turn VT-d "
                       "off in its setup",
                       u->base, steps[n].what);
                return ERR_UNSUPPORTED;
            }
        }
    }
    return STATUS_OK;
}

// ---- devices -------------------------------------------------------------------------------

static enum status check(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size)
{
    (void)pci;
    uint16_t id = (uint16_t)f->address.v;
    char name[PCI_TEXT_SIZE];
    const struct dmar_rmrr *rmrr = dmar_rmrr_of(&vtd.dmar, id);
    if (rmrr == NULL) {
        rmrr = dmar_rmrr_of(&vtd.dmar, f->requester);
    }
    if (f->address.v >> 16 != 0 || dmar_unit_of(&vtd.dmar, id) == NULL) {
        format(error, size, "%s: no VT-d unit serves it, so its DMA can't be confined",
               pci_text(f->address, name));
        return ERR_NOT_FOUND;
    }
    if (rmrr != NULL) {
        format(error, size,
               "%s: the firmware uses it with memory 0x%lx-0x%lx (RMRR), which it must go on to "
               "reach: turn its legacy support off in the firmware's setup, or keep it unassigned",
               pci_text(f->address, name), rmrr->base, rmrr->limit);
        return ERR_DENIED;
    }
    return STATUS_OK;
}

// The number of entries in the interrupt remapping table address register: 2^(S + 1) (VT-d
// specification, 11.4.6.1).
static unsigned table_entries(uint64_t irta)
{
    return 2u << (irta & 0xf);
}

static unsigned units(struct iommu_unit out[IOMMU_MAX_UNITS])
{
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        const struct vtd_unit *u = &vtd.units[i];
        uint32_t on = vtd_read32(u->registers, VTD_GSTS);
        uint64_t irta = vtd_read64(u->registers, VTD_IRTA);
        out[i] = (struct iommu_unit){
            .registers = u->base,
            .registers_size = VTD_REGISTERS_MIN,
            .on = (on & (VTD_G_TE | VTD_G_IRE)) == (VTD_G_TE | VTD_G_IRE) && !(on & VTD_G_CFI),
            .x2apic = (irta & VTD_IRTA_EIME) != 0,
            .levels = (u->cap & VTD_CAP_SAGAW_39 ? 1u << 3 : 0) |
                      (u->cap & VTD_CAP_SAGAW_48 ? 1u << 4 : 0),
            .devices = vtd_read64(u->registers, VTD_RTADDR),
            .interrupts = irta & VTD_TABLE_ADDRESS,
            .interrupt_count = table_entries(irta),
        };
    }
    return vtd.unit_count;
}

static unsigned ioapics(uint16_t ids[ACPI_MAX_IOAPICS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < vtd.dmar.scope_count && count < ACPI_MAX_IOAPICS; i++) {
        const struct dmar_scope *s = &vtd.dmar.scopes[i];
        if (s->kind == DMAR_SCOPE_IOAPIC && !s->of_rmrr) {
            ids[count++] = s->requester;
        }
    }
    return count;
}

const struct iommu_ops vtd_ops = {
    .name = "VT-d",
    .probe = probe,
    .enable = enable,
    .check = check,
    .describe = vtd_describe,
    .domain_create = vtd_domain_create,
    .domain_flush = vtd_domain_flush,
    .attach = vtd_attach,
    .detach = vtd_detach,
    .irq_alloc = vtd_irq_alloc,
    .irq_set = vtd_irq_set,
    .irq_message = vtd_irq_message,
    .ioapic_entry = vtd_ioapic_entry,
    .units = units,
    .ioapics = ioapics,
    .fault_nmi = vtd_fault_nmi,
    .quiet = vtd_quiet,
    .fault_hold = vtd_fault_hold,
    .take_fault = vtd_take_fault,
};
