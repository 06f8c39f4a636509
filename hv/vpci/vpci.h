// SPDX-License-Identifier: Apache-2.0
// A partition's PCI bus: a host bridge at 00:00.0 and the functions that the partition owns, each
// in front of a real one. Which register shows what and takes what says one table, hv/vpci/rules.c.
// With no function the bus is empty and has no bridge either. Reaches the functions by
// pci_config_read() and pci_config_write(); everything else is state. Accesses are serialized by
// the caller.
#ifndef HV_VPCI_VPCI_H
#define HV_VPCI_VPCI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/pci/pci.h"

#define VPCI_MAX_FUNCTIONS 16
#define VPCI_CONFIG_SIZE   256     // what lies behind in ECAM reads 0: no extended capabilities
#define VPCI_PORT_FIRST    0x1000u // I/O BARs decode from here to the last port

// What a write asks of the caller, who alone touches the IOMMU, page tables, MSI registers.
enum {
    VPCI_EFFECT_BARS = 1 << 0, // ask vpci_bar_mapped() again, for all functions: overlaps
    VPCI_EFFECT_MSI = 1 << 1,  // ask vpci_msi()
    VPCI_EFFECT_MSIX = 1 << 2, // ask vpci_msix_control()
    VPCI_EFFECT_FLR = 1 << 3,  // reset the device, then vpci_sync(); its registers here are reset
    VPCI_EFFECT_POWER =
        1 << 4, // it was sent to D0 or D3hot. If VPCI_EFFECT_BARS came too, it lost its registers
                // on the way (10 ms) to D0: put its BARs and memory decoding back, then vpci_sync()
};

struct vpci_function {
    const struct pci_function *host;
    uint8_t devfn;             // on the partition's bus 0
    bool intx;                 // its pin is the partition's
    uint64_t placed[PCI_BARS]; // guest-physical address or port at power-on; 0: none yet
    // Its MSI-X table, as the device says; msix_vectors 0: none is shown.
    unsigned msix_vectors;
    uint8_t msix_bar, msix_pba_bar;
    uint32_t msix_table, msix_pba;    // offsets in these BARs
    uint8_t msi, msix, pm, pcie;      // offsets of the capabilities that are shown; 0: not
    uint8_t shadow[VPCI_CONFIG_SIZE]; // virtual bits of each register
    uint8_t rule[VPCI_CONFIG_SIZE];   // row of the table for each byte, 0: none
    uint8_t start[VPCI_CONFIG_SIZE];  // offset where that row's register starts
};

struct vpci {
    uint32_t address; // the latch at 0xcf8
    unsigned count;
    struct vpci_function function[VPCI_MAX_FUNCTIONS];
};

struct vpci_effect {
    unsigned what;                  // VPCI_EFFECT_*, or 0
    struct vpci_function *function; // NULL if `what` is 0
};

// ---- at the partition's start ----------------------------------------------------------------

// An empty bus.
void vpci_init(struct vpci *p);

// Adds a function, and returns its device and function on the virtual bus ("devfn"); -1 if there is
// no room or it is a bridge. Functions are to come in the order of their addresses. `intx`: its
// interrupt pin is the partition's, who sees it and may use it. `host` must stay. Reads the
// device's capabilities.
int vpci_add(struct vpci *p, const struct pci_function *host, bool intx);

// Grants a function its pin, shown as `pin` (1 to 4), or with 0 takes it away: once its place on
// the bus is known, which with that number decides about the wire. Before the guest runs.
void vpci_set_intx(struct vpci_function *f, unsigned pin);

// Behind the last vpci_add(): power-on addresses of all BARs, each memory BAR on pages of its own
// in GUEST_PCI_WINDOW, at the same offset in its page as the device's. ERR_RANGE if they don't fit.
enum status vpci_place_bars(struct vpci *p);

// Registers as at power-on; writes the devices' command registers (not their decode bits). MSI,
// MSI-X, bus mastering are off afterwards and BARs where vpci_place_bars() put them, not decoded.
void vpci_reset(struct vpci *p);

// ---- accesses --------------------------------------------------------------------------------

// Ports 0xcf8 and 0xcfc..0xcff. The latch answers 32-bit accesses only (PCI 3.0, 3.2.2.3.2): byte
// 0xcf9 on its own is the reset control register, see vreset.h. Everything else reads as ones and
// takes no writes.
uint32_t vpci_read(const struct vpci *p, uint16_t port, unsigned size);
struct vpci_effect vpci_write(struct vpci *p, uint16_t port, unsigned size, uint32_t value);

// Memory-mapped configuration space: offset from GUEST_ECAM_ADDRESS, 1, 2 or 4 bytes. What crosses
// a doubleword is answered with ones, or ignored.
uint32_t vpci_ecam_read(const struct vpci *p, uint32_t offset, unsigned size);
struct vpci_effect vpci_ecam_write(struct vpci *p, uint32_t offset, unsigned size, uint32_t value);

// The function there, or NULL.
struct vpci_function *vpci_find(struct vpci *p, uint8_t devfn);

// ---- what the registers mean -----------------------------------------------------------------

// Whether a memory BAR is to be mapped, and where: the guest decodes memory, the BAR lies in
// GUEST_PCI_WINDOW, has its device's offset in its page, and shares no page with another such BAR.
bool vpci_bar_mapped(const struct vpci *p, const struct vpci_function *f, unsigned bar, gpa_t *at);

// The function and BAR that a port access goes to, and the machine's port for it; NULL if none.
struct vpci_function *vpci_find_port(struct vpci *p, uint16_t port, unsigned size, unsigned *bar,
                                     uint16_t *host_port);

struct vpci_msi {
    bool enabled;
    unsigned vectors; // 1, 2, 4, ... 32; no more than the device can
    uint64_t address;
    uint16_t data; // of vector 0; vector n has n in the low bits
    uint32_t mask; // bit n: vector n is masked; 0 if the device can't
};
struct vpci_msi vpci_msi(const struct vpci_function *f);

// The control register of MSI-X: PCI_MSIX_ENABLE and PCI_MSIX_MASK_ALL as the guest wants them.
uint16_t vpci_msix_control(const struct vpci_function *f);

// Whether the device may raise its pin: granted, not disabled, neither MSI nor MSI-X enabled.
bool vpci_intx_enabled(const struct vpci_function *f);

// Tells the device again what its command register is to be, decode bits left as they are: after a
// reset of it.
void vpci_sync(const struct vpci_function *f);

#endif
