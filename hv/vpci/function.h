// SPDX-License-Identifier: Apache-2.0
// The parts of the virtual PCI bus: registers of one function, its BARs, its capabilities. Only for
// hv/vpci/*.c.
#ifndef HV_VPCI_FUNCTION_H
#define HV_VPCI_FUNCTION_H

#include "hv/vpci/rules.h"
#include "hv/vpci/vpci.h"

// ---- registers (hv/vpci/function.c) ------------------------------------------------------------

// The partition's copy of a register, even if the guest can't read or write it.
uint32_t vpci_own(const struct vpci_function *f, unsigned offset, unsigned size);
void vpci_set_own(struct vpci_function *f, unsigned offset, unsigned size, uint32_t value);

// Assigns the bytes from `base` on to the rows of these places (bit n: enum pci_place n), with the
// values that they copy from the device. False, and nothing is changed, if a byte is assigned
// already or out of range.
bool vpci_show(struct vpci_function *f, uint32_t places, unsigned base);

// Accesses of 1 to 4 bytes within the first 256. A write returns its VPCI_EFFECT_*.
uint32_t vpci_function_read(const struct vpci_function *f, unsigned offset, unsigned size);
unsigned vpci_function_write(struct vpci_function *f, unsigned offset, unsigned size,
                             uint32_t value);

// Sets what the guest can change to its state after a reset of the device: BARs at 0.
void vpci_function_reset(struct vpci_function *f);

// Brings a device that was left in another power state to D0.
void vpci_wake(const struct vpci_function *f);

// ---- BARs (hv/vpci/bar.c) --------------------------------------------------------------------

// The BAR's kind for the guest; PCI_BAR_NONE also if its size is invalid.
enum pci_bar_kind vpci_bar_kind(const struct pci_function *host, unsigned bar);

// The bits of a BAR register that a guest can change.
uint32_t vpci_bar_writable(const struct pci_function *host, unsigned offset);

// Set and get the address in the BAR's registers.
void vpci_bar_set(struct vpci_function *f, unsigned bar, uint64_t address);

// ---- capabilities (hv/vpci/caps.c) -------------------------------------------------------------

// Shows the capabilities that the rules know, and links them.
void vpci_find_capabilities(struct vpci_function *f);

#endif
