// SPDX-License-Identifier: Apache-2.0
// A partition's PCI bus: a host bridge at 00:00.0, and a virtual function for each function that
// the partition owns. One table, hv/vpci/rules.c, says what each register shows and accepts.
// Without functions the bus is empty and has no bridge either. Devices are accessed by
// pci_config_read() and pci_config_write(); everything else is state. The caller serializes the
// accesses.
#ifndef HV_VPCI_VPCI_H
#define HV_VPCI_VPCI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/pci/pci.h"

#define VPCI_MAX_FUNCTIONS 16
#define VPCI_CONFIG_SIZE   256     // beyond it ECAM reads 0: there are no extended capabilities
#define VPCI_PORT_FIRST    0x1000u // I/O BARs decode from here to the last port

// What a write asks of its caller; only the caller changes the IOMMU, page tables and MSI
// registers.
enum {
    // Call vpci_bar_mapped() again for all functions, because BARs may overlap.
    VPCI_EFFECT_BARS = 1 << 0,
    VPCI_EFFECT_MSI = 1 << 1,  // call vpci_msi()
    VPCI_EFFECT_MSIX = 1 << 2, // call vpci_msix_control()
    VPCI_EFFECT_FLR = 1 << 3,  // reset the device, then vpci_sync(); its registers here are reset
    // It was sent to D0 or D3hot. With VPCI_EFFECT_BARS it lost its registers on the way to D0
    // (10 ms): restore its BARs and memory decoding, then vpci_sync().
    VPCI_EFFECT_POWER = 1 << 4,
};

struct vpci_function {
    const struct pci_function *host;
    uint8_t devfn;             // on the partition's bus 0
    bool intx;                 // its interrupt pin is granted to the partition
    uint64_t placed[PCI_BARS]; // guest-physical address or port at power-on; 0 if none yet
    // Its MSI-X table, as the device describes it. msix_vectors is 0 if none is shown.
    unsigned msix_vectors;
    uint8_t msix_bar, msix_pba_bar;
    uint32_t msix_table, msix_pba;    // offsets in these BARs
    uint8_t msi, msix, pm, pcie;      // offsets of the capabilities that are shown; 0: not shown
    uint8_t shadow[VPCI_CONFIG_SIZE]; // the partition's copy of each register
    uint8_t rule[VPCI_CONFIG_SIZE];   // row of the table for each byte; 0: none
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

// Adds a function, and returns its device and function number on the virtual bus ("devfn"). -1 if
// there is no room, or if it is a bridge. Functions must come in the order of their addresses.
// `intx`: the partition may see and use its interrupt pin. `host` must remain valid. Reads the
// device's capabilities.
int vpci_add(struct vpci *p, const struct pci_function *host, bool intx);

// Grants a function its pin, shown as `pin` (1 to 4), or takes it away (0). Call it when its place
// on the bus is known, because place and pin together decide the wire. Before the guest runs.
void vpci_set_intx(struct vpci_function *f, unsigned pin);

// Sets the power-on addresses of all BARs, after the last vpci_add(). Each memory BAR gets pages of
// its own in GUEST_PCI_WINDOW, at the same offset in its page as the device's. ERR_RANGE if they
// don't fit.
enum status vpci_place_bars(struct vpci *p);

// Sets registers as at power-on, and writes the devices' command registers, except their decode
// bits. Afterwards MSI, MSI-X and bus mastering are off, and BARs are where vpci_place_bars() put
// them, not decoded.
void vpci_reset(struct vpci *p);

// ---- accesses --------------------------------------------------------------------------------

// Ports 0xcf8 and 0xcfc..0xcff. The latch answers only 32-bit accesses (PCI 3.0, 3.2.2.3.2): byte
// 0xcf9 alone is the reset control register, see vreset.h. All other accesses read as ones; writes
// are dropped.
uint32_t vpci_read(const struct vpci *p, uint16_t port, unsigned size);
struct vpci_effect vpci_write(struct vpci *p, uint16_t port, unsigned size, uint32_t value);

// Memory-mapped configuration space: offset from GUEST_ECAM_ADDRESS, 1, 2 or 4 bytes. A read that
// crosses a doubleword gives ones; such a write is dropped.
uint32_t vpci_ecam_read(const struct vpci *p, uint32_t offset, unsigned size);
struct vpci_effect vpci_ecam_write(struct vpci *p, uint32_t offset, unsigned size, uint32_t value);

// The function at `devfn`, or NULL.
struct vpci_function *vpci_find(struct vpci *p, uint8_t devfn);

// ---- what the registers mean -----------------------------------------------------------------

// Whether a memory BAR is to be mapped, and where. The guest must decode memory; the BAR must lie
// in GUEST_PCI_WINDOW, have its device's offset in its page, and share no page with another such
// BAR.
bool vpci_bar_mapped(const struct vpci *p, const struct vpci_function *f, unsigned bar, gpa_t *at);

// The function and BAR that a port access goes to, and the machine's port for it. NULL if none.
struct vpci_function *vpci_find_port(struct vpci *p, uint16_t port, unsigned size, unsigned *bar,
                                     uint16_t *host_port);

struct vpci_msi {
    bool enabled;
    unsigned vectors; // 1, 2, 4, ... 32; at most what the device supports
    uint64_t address;
    uint16_t data; // of vector 0; vector n has n in the low bits
    uint32_t mask; // bit n: vector n is masked; 0 if the device can't mask
};
struct vpci_msi vpci_msi(const struct vpci_function *f);

// The MSI-X control register as the guest wants it: PCI_MSIX_ENABLE and PCI_MSIX_MASK_ALL.
uint16_t vpci_msix_control(const struct vpci_function *f);

// Whether the device may assert its pin: granted, not disabled, neither MSI nor MSI-X enabled.
bool vpci_intx_enabled(const struct vpci_function *f);

// Writes the device's command register again, after a reset of it. Its decode bits are left
// unchanged.
void vpci_sync(const struct vpci_function *f);

#endif
