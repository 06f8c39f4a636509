// SPDX-License-Identifier: Apache-2.0
// A partition's end of the console: its COM1, and its power button. On one of the partition's own
// CPUs, interrupts off.
#ifndef HV_CONSOLE_GUEST_CONSOLE_H
#define HV_CONSOLE_GUEST_CONSOLE_H

#include <stdint.h>

struct partition;

// A register of its COM1, by its offset. Device lock held. console_drain() has to follow a write.
uint8_t guest_console_read(struct partition *p, unsigned reg);
void guest_console_write(struct partition *p, unsigned reg, uint8_t value);

// The console has input for the partition, or room for its output again.
void guest_console_work(struct partition *p);

// The operator presses the partition's power button: its system is to shut down. Says so.
void guest_console_power_button(struct partition *p);

#endif
