// SPDX-License-Identifier: Apache-2.0
// A partition's end of the console: its COM1 and its power button. Call on one of the partition's
// own CPUs, interrupts off.
#ifndef HV_CONSOLE_GUEST_CONSOLE_H
#define HV_CONSOLE_GUEST_CONSOLE_H

#include <stdint.h>

struct partition;

// Accesses a register of COM1 by its offset. Device lock held. Call console_drain() after a write.
uint8_t guest_console_read(struct partition *p, unsigned reg);
void guest_console_write(struct partition *p, unsigned reg, uint8_t value);

// Takes input that the console has for the partition, and sends waiting output if there is room.
void guest_console_work(struct partition *p);

// The operator presses the partition's power button, which asks its system to shut down. Logged.
void guest_console_power_button(struct partition *p);

#endif
