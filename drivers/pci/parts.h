// SPDX-License-Identifier: Apache-2.0
// What the files of the PCI driver share with one another and nobody else uses.
#ifndef DRIVERS_PCI_PARTS_H
#define DRIVERS_PCI_PARTS_H

#include "drivers/pci/pci.h"

// pci_bars.c: measures the BARs; decoding is off meanwhile.
void pci_measure_bars(struct pci_function *f);

// pci_caps.c: offsets of the capabilities that the hypervisor knows; each lies in the first 256
// bytes with all its registers. A list that loops or leaves the space is cut, with a warning.
void pci_find_capabilities(struct pci_function *f);
// Offset of an extended capability; 0: none.
unsigned pci_find_extended(const struct pci_function *f, unsigned id);
// enum pci_port_type, -1: not PCI Express.
int pci_port_type(const struct pci_function *f);

// pci_acs.c: turns on what of access control services keeps this function's neighbours apart; true
// if that is all that is needed.
bool pci_isolate(const struct pci_function *f);

// pci_usb.c: takes a USB host controller from the firmware's legacy support.
void pci_take_usb(const struct pci_function *f);

#endif
