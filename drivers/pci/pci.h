// SPDX-License-Identifier: Apache-2.0
// The machine's PCI functions: access to their configuration space, the result of a scan, the
// groups of functions that an IOMMU can't distinguish or isolate from each other, and the reset of
// a function.
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/defs.h"

#define PCI_MAX_FUNCTIONS 128
#define PCI_BARS          6
#define PCI_NO_PARENT     (-1)
#define PCI_TEXT_SIZE     16 // "ssss:bb:dd.f" and its NUL, with spare room

// A function's address: segment in bits 31:16, bus 15:8, device 7:3, function 2:0. The low half is
// its requester ID, unless a bridge above it replaces that.
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
    PCI_BAR_MEMORY64, // its upper half is in the next BAR, which is PCI_BAR_NONE
};

struct pci_bar {
    enum pci_bar_kind kind;
    bool prefetchable;
    uint64_t address; // host-physical, or the first port; 0: the firmware assigned none
    uint64_t size;    // bytes, a power of two
};

static inline bool pci_bar_is_memory(enum pci_bar_kind kind)
{
    return kind == PCI_BAR_MEMORY32 || kind == PCI_BAR_MEMORY64;
}

// What the firmware set up besides the BARs. It is restored after a reset.
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
    int parent;                     // index of the bridge above it, or PCI_NO_PARENT
    struct pci_bar bar[PCI_BARS];
    struct pci_setup setup;
    uint8_t interrupt_pin;           // 1 to 4: INTA to INTD; 0: none
    uint8_t interrupt_line;          // as the firmware left it
    uint8_t pm, msi, msix, pcie, af; // offsets of these capabilities; 0: none
    bool extended;                   // has reachable configuration space from 0x100 on
    uint16_t requester;              // the ID that its DMA and its MSIs carry
    unsigned group;        // functions with the same number can't be isolated and go together
    const char *group_why; // why the group has more than one member; NULL if it has one
};

struct pci_machine {
    unsigned count;
    struct pci_function function[PCI_MAX_FUNCTIONS]; // in the order of their addresses
    unsigned left_out;                               // functions for which there was no room
};

// ---- configuration space ---------------------------------------------------------------------

// Access registers of 1, 2 or 4 bytes. `offset` is a multiple of `size`, below 256, or below 4096
// for an extended function. An absent register reads as ones and ignores writes. Any CPU, any
// context except the NMI handler. Without memory-mapped access a lock is held for a moment.
uint32_t pci_config_read(pci_address_t a, unsigned offset, unsigned size);
void pci_config_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value);

// Maps the memory-mapped configuration space of the functions found, if the machine has it (ACPI's
// MCFG), so that it can be reached without a lock and beyond the first 256 bytes. Boot CPU, after
// mmu_init() and pci_scan(). ERR_NO_MEMORY.
enum status pci_map_config(struct pci_machine *pci, const struct acpi_info *acpi);

// ---- what there is ---------------------------------------------------------------------------

// Finds all functions of segment 0 through the ports: their BARs with sizes (decoding is off while
// they are measured), parents, requester IDs and groups. Boot CPU. Skips what makes no sense, with
// a warning.
void pci_scan(struct pci_machine *pci);

// Finds requester IDs and groups again, after pci_map_config(): only then can access control
// services be read, which lie in extended configuration space.
void pci_find_groups(struct pci_machine *pci);

// Index of the function at an address, or -1.
int pci_find(const struct pci_machine *pci, pci_address_t a);

// "00:03.0", with the segment before it unless that is 0. Returns `text`.
const char *pci_text(pci_address_t a, char text[PCI_TEXT_SIZE]);

// "Ethernet controller", "non-volatile memory controller", ... for messages and lists.
const char *pci_class_name(uint32_t class_code);

// ---- taking hold -----------------------------------------------------------------------------

// Stops what the firmware left running: turns off bus mastering of every function that is not a
// bridge, and MSI, MSI-X and INTx of all; takes USB host controllers from the firmware's legacy
// support. Boot CPU, which has its window (arch/memory/window.h), before any guest runs.
void pci_quiesce(const struct pci_machine *pci);

// Lets the bridges above a function pass requests to and from it. Boot CPU, for each function that
// a partition gets.
void pci_open_bridges(const struct pci_machine *pci, const struct pci_function *f);

// Brings a function to the state after reset. Tries a function-level reset (PCI Express or Advanced
// Features), then a transition through D3hot, then a reset of the secondary bus if everything below
// that bridge is in the function's group and nothing there is a bridge. Afterwards memory decoding,
// bus mastering, INTx and messages are off, and the BARs have the values of `f`. Waits as the
// specification requires: 100 ms, and up to 2 s for a function that does not become ready.
// ERR_UNSUPPORTED: the function has no way, or none that works; only the command register was
// cleared. ERR_NOT_FOUND: it no longer answers. Any CPU. Nothing else may use the function or,
// because of a bus reset, others of its group.
enum status pci_reset_function(const struct pci_machine *pci, const struct pci_function *f);

// The first way to reset a function that the function claims to have, for lists: "FLR", "FLR (AF)",
// "D3hot", "bus" or "none". Any CPU.
const char *pci_reset_name(const struct pci_machine *pci, const struct pci_function *f);

// Restores the BARs and the firmware's other settings from `f`, without turning decoding on.
void pci_restore_bars(const struct pci_function *f);

#endif
