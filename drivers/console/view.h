// SPDX-License-Identifier: Apache-2.0
// What the console shows: the lines of all sources, or one partition alone, whose bytes then pass
// unchanged. Sources that are hidden meanwhile never wait: their lines stay in their rings, as far
// as there is room, and are shown afterwards. Functions that are not for the console CPU belong to
// the holder of the console's output lock.
#ifndef DRIVERS_CONSOLE_VIEW_H
#define DRIVERS_CONSOLE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/line.h"

// Requests to show the partition with the keyboard alone, or all; the next drain changes the view.
// Returns whether one will be alone. Only the console CPU.
bool console_view_toggle(void);

// asked: the user asked the hypervisor something. What it prints up to the next call of answered is
// shown, whatever is on the screen. Only the console CPU.
void console_view_asked(void);
void console_view_answered(void);

// The user typed to the partition: if lines of the hypervisor stand in its picture, it is redrawn.
// Only the console CPU.
void console_view_typed(void);

// Sets the initial view: a single partition is shown alone. Boot CPU.
void console_view_start(void);

// Changes the view if that was requested. All output must have been taken, and no turn may be in
// progress. Returns whether it made output.
bool console_view_change(void);

// Takes the hidden sources' output out of the writers' way. Returns the sources that had some: bit
// n, source n.
uint32_t console_view_hide(void);

// Reports in the log how much output of hidden sources was lost.
void console_view_tell(void);

// Whether one source is alone. And, if so, bit n: source n (the hypervisor or that one) has output
// that may be shown.
bool console_view_is_alone(void);
uint32_t console_view_ready(void);

// How the byte at `index` after the last shown one of a source is to be shown.
enum console_show console_view_show(unsigned source, uint32_t index);

#endif
