// SPDX-License-Identifier: Apache-2.0
// What the console shows: the lines of all sources, or one partition alone, whose bytes then pass
// unchanged. The sources that are hidden meanwhile never wait: their lines stay in their rings, as
// far as these reach, and are shown afterwards. What the console CPU does not call belongs to the
// holder of the console's output lock.
#ifndef DRIVERS_CONSOLE_VIEW_H
#define DRIVERS_CONSOLE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/line.h"

// Asks for the partition with the keyboard alone, or for all; the next drain changes the view.
// Returns whether it is alone from then on. Only the console CPU.
bool console_view_toggle(void);

// The hypervisor was asked something: what it prints up to the next call of the second is shown
// whatever is on the screen. Only the console CPU.
void console_view_asked(void);
void console_view_answered(void);

// Something was typed to the partition: if such lines stand in its picture, that is drawn again.
// Only the console CPU.
void console_view_typed(void);

// The view that a console starts with: alone if there is one partition. Boot CPU.
void console_view_start(void);

// Changes the view if that was asked for; nothing may wait to be taken, and no turn be under way.
// Returns whether it made output.
bool console_view_change(void);

// Takes what the hidden sources say. Returns those that have said something: bit n, source n.
uint32_t console_view_hide(void);

// Tells, by way of the log, how much of the output of sources that were hidden is gone.
void console_view_tell(void);

// Whether one source is alone; then, bit n: source n (the hypervisor or that one) has something
// that may be shown.
bool console_view_is_alone(void);
uint32_t console_view_ready(void);

// How the next byte but `index` of a source is to be shown.
enum console_show console_view_show(unsigned source, uint32_t index);

#endif
