// SPDX-License-Identifier: Apache-2.0
// Shared by the files of the PCI driver, and used by no other.
#ifndef DRIVERS_PCI_PARTS_H
#define DRIVERS_PCI_PARTS_H

#include "drivers/pci/pci.h"

// bars.c: measures the BARs; decoding is off meanwhile.
void pci_measure_bars(struct pci_function *f);

// caps.c: finds the capabilities that the hypervisor knows. Each must lie with all its registers in
// the first 256 bytes. A list that loops or leaves the space is cut, with a warning.
void pci_find_capabilities(struct pci_function *f);
// Offset of an extended capability; 0: none.
unsigned pci_find_extended(const struct pci_function *f, unsigned id);
// The enum pci_port_type; -1: not PCI Express.
int pci_port_type(const struct pci_function *f);

// acs.c: turns on the access control services that isolate this function's neighbours from it. True
// if that is all that is needed.
bool pci_isolate(const struct pci_function *f);

// usb.c: takes a USB host controller from the firmware's legacy support.
void pci_take_usb(const struct pci_function *f);

#endif
