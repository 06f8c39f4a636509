// SPDX-License-Identifier: Apache-2.0
// What the parts of restart.elf share.
#ifndef TESTS_GUESTS_RESTART_RESTART_H
#define TESTS_GUESTS_RESTART_RESTART_H

#include "tests/guests/guest.h"

// Checks each register of this CPU against the table: after RESET, or after an INIT of a CPU on
// which registers_dirty() ran. The CPU is in 64-bit mode by boot.asm and has changed nothing else.
void registers_check(const char *when, bool init);

// Leaves a value that neither RESET nor INIT gives in each register of this CPU that has room for
// one; returns how many.
unsigned registers_dirty(void);

// The same for what XSAVE and FXSAVE cover.
void vectors_check(const char *when, bool init);
unsigned vectors_dirty(void);

// Jumps to the reset vector: `place` 0xffff0 or 0xfffffff0, in the mode that is named. (jump.asm)
void jump_real(void) __attribute__((noreturn));
void jump_protected(uint32_t place) __attribute__((noreturn));
void jump_long(uint64_t place) __attribute__((noreturn));

#endif
