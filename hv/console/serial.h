// SPDX-License-Identifier: Apache-2.0
// The console's serial port: which one it is, that nobody else reaches it, and its interrupt. Boot
// CPU, before guests run.
#ifndef HV_CONSOLE_SERIAL_H
#define HV_CONSOLE_SERIAL_H

#include <stdbool.h>

// Chooses what `console=` on the command line says, else what SPCR says, else the first of COM1 to
// COM4, else an emulator's debug port. What can't be had is said on what is taken in its place.
// Behind machine_discover(); does what needs neither PCI nor a mapping.
void serial_choose(void);

// The rest, behind passthrough_scan() and mmu_init(), with the log in its place: the machine's
// console is settled then, and which PCI function it is.
void serial_choose_late(void);

// Makes the port's interrupt an NMI of the console's CPU, if it arrives; else a CPU of nobody's
// looks at the port by the clock, if there is one. Behind the mapping of the IOAPICs.
void serial_route(void);

#endif
