// SPDX-License-Identifier: Apache-2.0
// The console's serial port: its choice, its protection from partitions, and its interrupt. Boot
// CPU, before guests run.
#ifndef HV_CONSOLE_SERIAL_H
#define HV_CONSOLE_SERIAL_H

#include <stdbool.h>

// Chooses the port that `console=` on the command line names, else SPCR's, else the first of COM1
// to COM4, else an emulator's debug port. If a port can't be used, the one taken instead says so.
// Call after machine_discover(). Does the part that needs neither PCI nor a mapping.
void serial_choose(void);

// Does the rest. Call after passthrough_scan() and mmu_init(), when the log is at its final place.
// Settles the machine's console and its PCI function.
void serial_choose_late(void);

// Makes the port's interrupt an NMI of the console's CPU. If the interrupt doesn't arrive and the
// console's CPU is unowned, that CPU polls the port. Call after the IOAPICs are mapped.
void serial_route(void);

#endif
