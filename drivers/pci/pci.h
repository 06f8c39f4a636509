// SPDX-License-Identifier: Apache-2.0
// The machine's PCI functions: access to their configuration space, what a scan finds, which of
// them can't be told apart by an IOMMU or kept apart from one another, and how one is reset.
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/defs.h"

#define PCI_MAX_FUNCTIONS 128
#define PCI_BARS          6
#define PCI_NO_PARENT     (-1)
#define PCI_TEXT_SIZE     16 // "ssss:bb:dd.f" and its NUL, with room

// Where a function is: segment in bits 31:16, bus 15:8, device 7:3, function 2:0. The low half is
// its requester ID, unless a bridge puts its own in its place.
typedef struct {
    uint32_t v;
} pci_address_t;

#define PCI_SEGMENT(a)  ((a).v >> 16)
#define PCI_BUS(a)      ((a).v >> 8 & 0xffu)
#define PCI_SLOT(a)     ((a).v >> 3 & 0x1fu)
#define PCI_FUNCTION(a) ((a).v & 7u)

static inline pci_address_t pci_at(unsigned bus, unsigned slot, unsigned function)
{
    return (pci_address_t){bus << 8 | slot << 3 | function};
}

enum pci_bar_kind {
    PCI_BAR_NONE,
    PCI_BAR_IO,
    PCI_BAR_MEMORY32,
    PCI_BAR_MEMORY64, // the next BAR is its upper half, and PCI_BAR_NONE
};

struct pci_bar {
    enum pci_bar_kind kind;
    bool prefetchable;
    uint64_t address; // host-physical, or the first port; 0: firmware gave it none
    uint64_t size;    // bytes, a power of two
};

static inline bool pci_bar_is_memory(enum pci_bar_kind kind)
{
    return kind == PCI_BAR_MEMORY32 || kind == PCI_BAR_MEMORY64;
}

// What firmware set up besides the BARs, and what is put back after a reset.
struct pci_setup {
    uint8_t cache_line, latency;
    uint16_t device_control, link_control, device_control2; // of the PCI Express capability
};

struct pci_function {
    pci_address_t address;
    uint16_t vendor, device;
    uint32_t class_code; // base class 23:16, subclass 15:8, interface 7:0
    uint8_t header_type; // without the multi-function bit
    bool multi_function;
    bool bridge;                    // to another bus: header type 1 or 2, or a host bridge
    uint8_t secondary, subordinate; // a bridge's buses
    int parent;                     // index of the bridge that it is behind, or PCI_NO_PARENT
    struct pci_bar bar[PCI_BARS];
    struct pci_setup setup;
    uint8_t interrupt_pin;           // 1 to 4: INTA to INTD; 0: none
    uint8_t interrupt_line;          // as firmware left it
    uint8_t pm, msi, msix, pcie, af; // offsets of these capabilities; 0: none
    bool extended;                   // has configuration space from 0x100 on, and it can be reached
    uint16_t requester;              // the ID that its DMA and its MSIs carry
    unsigned group;        // functions of one number can't be kept apart: they go together
    const char *group_why; // why the group has more than one member; NULL if it has not
};

struct pci_machine {
    unsigned count;
    struct pci_function function[PCI_MAX_FUNCTIONS]; // in the order of their addresses
    unsigned left_out;                               // there was no room for
};

// ---- configuration space ---------------------------------------------------------------------

// Registers of 1, 2 or 4 bytes, `offset` a multiple of `size`, below 256 or, for an extended
// function, 4096. What isn't there reads as ones and takes no writes. Any CPU, any context but the
// NMI handler; where there is no memory-mapped access a lock is held for a moment.
uint32_t pci_config_read(pci_address_t a, unsigned offset, unsigned size);
void pci_config_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value);

// Maps the memory-mapped configuration space of the functions that were found, where there is one
// (ACPI's MCFG), so that they can be reached without a lock and beyond the first 256 bytes. Boot
// CPU, behind mmu_init(), after pci_scan(). ERR_NO_MEMORY.
enum status pci_map_config(struct pci_machine *pci, const struct acpi_info *acpi);

// ---- what there is ---------------------------------------------------------------------------

// Finds all functions of segment 0 through the ports, BAR sizes included (decoding is off while
// they are measured), their parents, requester IDs and groups. Boot CPU. Prints a warning for what
// makes no sense: it is left out.
void pci_scan(struct pci_machine *pci);

// Behind pci_map_config(): requester IDs and groups again, now that access control services, which
// lie in extended configuration space, can be read.
void pci_find_groups(struct pci_machine *pci);

// Index of the function at an address, or -1.
int pci_find(const struct pci_machine *pci, pci_address_t a);

// "00:03.0", with the segment in front if it isn't 0. Returns `text`.
const char *pci_text(pci_address_t a, char text[PCI_TEXT_SIZE]);

// "Ethernet controller", "non-volatile memory controller", ... for messages and lists.
const char *pci_class_name(uint32_t class_code);

// ---- taking hold -----------------------------------------------------------------------------

// Stops what firmware left running: bus mastering off at every function that is no bridge, MSI,
// MSI-X and INTx at all, USB host controllers taken from the firmware's legacy support. Boot CPU,
// which has its window (arch/memory/window.h), before any guest runs.
void pci_quiesce(const struct pci_machine *pci);

// Lets the bridges above a function pass on what it sends and what is sent to it. Boot CPU, for
// each function that is given away.
void pci_open_bridges(const struct pci_machine *pci, const struct pci_function *f);

// Brings a function to the state after reset: function-level reset (PCI Express or Advanced
// Features), else the transition through D3hot, else a reset of the secondary bus if all behind
// that bridge is of the function's group and no bridge. Memory decoding, bus mastering, INTx and
// messages are off afterwards, and the BARs as `f` has them. Waits as long as the specification
// asks for: 100 ms, and up to 2 s for a function that doesn't become ready. ERR_UNSUPPORTED: there
// is no way, or none that does what it should, but clearing the command register, which was done.
// ERR_NOT_FOUND: it does not answer any more. Any CPU; nobody else touches the function, nor
// another of its group, which a reset of their bus resets as well.
enum status pci_reset_function(const struct pci_machine *pci, const struct pci_function *f);

// The first way to reset a function that it claims to have, for lists: "FLR", "FLR (AF)", "D3hot",
// "bus" or "none". Any CPU.
const char *pci_reset_name(const struct pci_machine *pci, const struct pci_function *f);

// Puts the BARs and what else firmware had set up back, as `f` has it, without turning decoding on.
void pci_restore_bars(const struct pci_function *f);

#endif
