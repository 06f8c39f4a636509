// SPDX-License-Identifier: Apache-2.0
// Accesses that the units refused: fault records, and their reports by NMI (VT-d specification,
// chapter 7; reasons: appendix A).
#include "drivers/vtd/vtd.h"

#define RECORD_SIZE 16u

// Reasons for refused interrupt requests; all others are for memory accesses.
#define FIRST_INTERRUPT_REASON 0x20u
#define LAST_INTERRUPT_REASON  0x2fu

static const struct {
    uint8_t code;
    const char *why;
} reasons[] = {
    {0x01, "its bus has no table"},
    {0x02, "it belongs to nobody"},
    {0x03, "its table entry is invalid"},
    {0x04, "the address is beyond what the unit translates"},
    {0x05, "writing is not permitted there"},
    {0x06, "reading is not permitted there"},
    {0x07, "a page table entry's address is invalid"},
    {0x08, "the root table's address is invalid"},
    {0x09, "its context table's address is invalid"},
    {0x0a, "a root entry has reserved bits set"},
    {0x0b, "a context entry has reserved bits set"},
    {0x0c, "a page table entry has reserved bits set"},
    {0x0d, "it may not send addresses that it has translated itself"},
    {0x0e, "its page leads into the range of interrupts"},
    {0x20, "an interrupt request has reserved bits set"},
    {0x21, "the interrupt's handle is beyond the table"},
    {0x22, "the interrupt is not permitted"},
    {0x23, "the interrupt remapping table's address is invalid"},
    {0x24, "an interrupt remapping entry has reserved bits set"},
    {0x25, "an interrupt in compatibility format is not permitted"},
    {0x26, "the interrupt belongs to another device"},
};

static const char *reason_text(uint8_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i].code == code) {
            return reasons[i].why;
        }
    }
    return "for a reason that this version does not know";
}

static unsigned record_offset(const struct vtd_unit *u, unsigned index)
{
    return VTD_CAP_FRO(u->cap) + index * RECORD_SIZE;
}

static uint64_t read_high(const struct vtd_unit *u, unsigned index)
{
    return vtd_read64(u->registers, record_offset(u, index) + 8);
}

static void clear_record(const struct vtd_unit *u, unsigned index)
{
    vtd_write32(u->registers, record_offset(u, index) + 12, (uint32_t)(VTD_FAULT_PRESENT >> 32));
}

void vtd_fault_reset(const struct vtd_unit *u)
{
    vtd_write32(u->registers, VTD_FECTL, VTD_FECTL_MASKED);
    for (unsigned i = 0; i < VTD_CAP_NFR(u->cap); i++) {
        clear_record(u, i);
    }
    vtd_write32(u->registers, VTD_FSTS, VTD_FSTS_CLEAR);
}

void vtd_fault_nmi(uint32_t apic_id)
{
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        volatile uint32_t *registers = vtd.units[i].registers;
        vtd_write32(registers, VTD_FEDATA, VTD_FEDATA_NMI);
        vtd_write32(registers, VTD_FEADDR,
                    APIC_MSI_ADDRESS | (apic_id & 0xff) << APIC_MSI_DEST_POS);
        vtd_write32(registers, VTD_FEUADDR, apic_id & ~0xffu);
        vtd_write32(registers, VTD_FECTL, 0); // pending faults are reported now
    }
}

// A unit reports a fault only if no other is recorded (7.3).
void vtd_fault_hold(bool hold)
{
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        vtd_write32(vtd.units[i].registers, VTD_FECTL, hold ? VTD_FECTL_MASKED : 0);
    }
}

static void decode(struct iommu_fault *out, uint64_t low, uint64_t high)
{
    uint8_t reason = VTD_FAULT_FR(high);
    out->requester = VTD_FAULT_SID(high);
    out->interrupt = reason >= FIRST_INTERRUPT_REASON && reason <= LAST_INTERRUPT_REASON;
    out->address = out->interrupt ? VTD_FAULT_INDEX(low) : low & VTD_FAULT_ADDRESS;
    out->write = !out->interrupt && (high & VTD_FAULT_READ) == 0;
    out->why = reason_text(reason);
}

// Records are filled as a ring, starting at FRI.
static bool take_from(const struct vtd_unit *u, uint32_t status, struct iommu_fault *out)
{
    unsigned count = VTD_CAP_NFR(u->cap);
    for (unsigned i = 0; i < count; i++) {
        unsigned index = (VTD_FSTS_FRI(status) + i) % count;
        uint64_t high = read_high(u, index);
        if (high & VTD_FAULT_PRESENT) {
            decode(out, vtd_read64(u->registers, record_offset(u, index)), high);
            clear_record(u, index);
            return true;
        }
    }
    return false;
}

bool vtd_take_fault(struct iommu_fault *out, bool *lost)
{
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        const struct vtd_unit *u = &vtd.units[i];
        uint32_t status = vtd_read32(u->registers, VTD_FSTS);
        if (status == UINT32_MAX) {
            continue; // the unit is gone
        }
        if (take_from(u, status, out)) {
            return true;
        }
        // Cleared only now, when there is room: the unit records nothing while this bit is set.
        if (status & VTD_FSTS_PFO) {
            *lost = true;
            vtd_write32(u->registers, VTD_FSTS, VTD_FSTS_PFO);
        }
    }
    return false;
}
