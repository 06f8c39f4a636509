// SPDX-License-Identifier: Apache-2.0
// The isolation audit of the IOMMUs. It reads root, context and device tables and the interrupt
// remapping tables as the hardware does. It proves that each device reaches only its owner's RAM
// and interrupts only its owner's CPUs, and that all unassigned devices are blocked. Like
// hv/audit/audit.h it shares no code with the table writers and allocates nothing.
#ifndef HV_AUDIT_IOMMU_H
#define HV_AUDIT_IOMMU_H

#include "hv/audit/audit.h"

#define AUDIT_NO_APIC_ID (~0u)

enum audit_unit_kind { AUDIT_UNIT_VTD, AUDIT_UNIT_AMDVI };

// An IOMMU, as its registers read back.
struct audit_unit {
    const char *name; // for the report: "VT-d at 0xfed90000"
    enum audit_unit_kind kind;
    bool on;         // translation and interrupt remapping are on, and neither can be bypassed
    bool x2apic;     // interrupt entries hold 32-bit APIC IDs (VT-d EIME, AMD-Vi XTEn)
    bool wide;       // AMD-Vi: interrupt entries of 128 bits (GAEn); else of 32 bits
    unsigned levels; // bit n: trees of n levels are supported
    hpa_t devices;   // VT-d: the root table; AMD-Vi: the device table
    uint64_t devices_size;    // AMD-Vi: its bytes; VT-d: ignored
    hpa_t interrupts;         // VT-d: the interrupt remapping table; AMD-Vi: ignored
    unsigned interrupt_count; // VT-d: its entries; AMD-Vi: ignored
};

// The owner of a requester ID. A requester that isn't listed must be blocked.
struct audit_requester {
    uint16_t id;
    unsigned owner; // the partition's index
};

struct audit_partition {
    const char *name;
    uint16_t domain_id;       // tags this partition's tree in the IOMMUs' caches; never 0
    const uint32_t *apic_ids; // of its CPUs, physical
    unsigned cpu_count;
};

struct audit_iommu_input {
    const struct audit_input *memory; // has passed audit_run()
    const struct audit_unit *units;
    unsigned unit_count;
    const struct audit_requester *requesters;
    unsigned requester_count;
    const struct audit_partition *partitions; // by owner
    unsigned partition_count;                 // MAX_PARTITIONS at most
    // Requester IDs of IOAPICs. Only the hypervisor programs IOAPICs, pin by pin. They may
    // interrupt the CPUs of every partition, and reach no memory.
    const uint16_t *ioapics;
    unsigned ioapic_count;
    uint32_t nmi_apic_id; // the CPU that may receive NMIs from an IOAPIC's pin, or AUDIT_NO_APIC_ID
};

// Audits all units and adds what it finds to `report`, which is as audit_run() left it. True if
// there is no violation. Does nothing if there was one before. Reads tables through heap_ptr, only
// where heap_contains. The tables must not change meanwhile.
bool audit_iommu_run(const struct audit_iommu_input *input, struct audit_report *report);

#endif
