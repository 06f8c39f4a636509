// SPDX-License-Identifier: Apache-2.0
// The isolation audit reads every second-level and IOMMU table as the hardware does, and proves
// that no partition reaches a page of another owner. It shares no code with the table writer and
// knows the formats from the manuals, not from arch/memory/pt_format.c. It allocates nothing.
#ifndef HV_AUDIT_AUDIT_H
#define HV_AUDIT_AUDIT_H

#include "arch/lib/types.h"
#include "arch/virt/table_format.h"
#include "hv/memory/guest_layout.h"

#define AUDIT_ANYONE     (~0u) // as a device's owner: every partition may have the device
#define AUDIT_NO_SUBJECT (~0u)
#define AUDIT_REPORTS    8
#define AUDIT_TEXT_SIZE  192

// A tree of tables: what one partition's CPUs, or one of its devices, can reach.
struct audit_subject {
    const char *name; // for the report: the partition's name, and which table
    enum table_format format;
    hpa_t root;
    unsigned levels;             // 4 for NPT and EPT; for others as the IOMMU is programmed
    unsigned owner;              // the partition's index
    const struct guest_ram *ram; // what it should reach and nothing else, each page at its gpa
};

// Bytes, host-physical.
struct audit_range {
    uint64_t base;
    uint64_t size;
};

// Device registers that a partition may reach in addition to its RAM.
struct audit_device {
    uint64_t hpa; // whole 4 KiB pages
    uint64_t size;
    bool write_allowed; // never with AUDIT_ANYONE: memory that all may write connects them
    unsigned owner;     // partition's index, or AUDIT_ANYONE
    const char *why;
};

// Registers that no partition may ever have, whatever the device list says: those of IOMMUs,
// IOAPICs, the local APIC, and configuration space.
struct audit_forbidden {
    uint64_t base; // bytes, host-physical
    uint64_t size;
    const char *why;
};

struct audit_input {
    const struct audit_subject *subjects;
    unsigned subject_count;
    const struct audit_range *hypervisor; // all of its memory: image, heap, per-CPU areas
    unsigned hypervisor_count;
    const struct audit_device *devices;
    unsigned device_count;
    unsigned phys_bits; // the CPU's MAXPHYADDR: address bits from there up are reserved
    const struct audit_forbidden *forbidden;
    unsigned forbidden_count;
};

enum audit_kind {
    AUDIT_BAD_INPUT,       // the lists themselves are wrong or contradict each other
    AUDIT_OTHER_PARTITION, // reaches the RAM or the device of another
    AUDIT_HYPERVISOR,      // reaches the hypervisor's memory
    AUDIT_STRAY,           // reaches something unowned, or its own RAM at another address
    AUDIT_DEVICE_WRITE,    // may write a device page that should be read-only
    AUDIT_MISSING,         // RAM that it should reach and doesn't
    AUDIT_ACCESS,          // RAM that it reaches without all rights (read, write, execute)
    AUDIT_TABLE,           // a table outside the hypervisor's memory, or a loop of tables
    AUDIT_RESERVED,        // an entry with reserved bits or a forbidden encoding
    AUDIT_FORBIDDEN,       // reaches registers that no partition may have
    AUDIT_UNBLOCKED,       // an IOMMU, or a requester without an owner, lets something through
    AUDIT_INTERRUPT,       // an interrupt that its source may not send
};

struct audit_violation {
    enum audit_kind kind;
    unsigned subject; // index into subjects; AUDIT_NO_SUBJECT: belongs to no subject
    uint64_t gpa;     // start of a run of the same violation; for an IOMMU's entry the requester ID
    uint64_t hpa;     // for an IOMMU's entry, the address of the entry
    uint64_t size;
    char text[AUDIT_TEXT_SIZE]; // a line for the console, without newline
};

struct audit_report {
    uint64_t pages_checked_4k; // reachable memory, in 4 KiB pages
    unsigned tables;           // table pages read
    unsigned extents;          // runs of equal rights that are contiguous in guest and host memory
    unsigned violations;       // all of them, including those beyond AUDIT_REPORTS
    struct audit_violation first[AUDIT_REPORTS];
};

// Audits everything and fills the report. True if there is no violation: only then may a guest run.
// Reads tables through heap_ptr, only where heap_contains. The tables must not change meanwhile.
bool audit_run(const struct audit_input *input, struct audit_report *report);

// Audits one more tree: that of a partition's devices. It must contain all of its owner's RAM and
// nothing else, not even the owner's device registers. `input` must have passed audit_run(), and
// `report` is what that left. Violations are counted for `subject`.
void audit_tree(const struct audit_input *input, const struct audit_subject *tree, unsigned subject,
                struct audit_report *report);

#endif
