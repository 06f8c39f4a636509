// SPDX-License-Identifier: Apache-2.0
// The parts of leftover.elf: the messes, the image that is started, and what it is told.
#ifndef TESTS_GUESTS_LEFTOVER_H
#define TESTS_GUESTS_LEFTOVER_H

#include "tests/guests/guest.h"

extern uint8_t __bss_end[];

// ---- image.c
// Puts the first module where its program headers say. False with a message if that can't be.
bool leftover_load(uint32_t *entry);
// Makes the information for it; returns the magic number that goes with it, 0 with a message if it
// can't be made.
uint32_t leftover_information(bool tables_high, uint32_t *info);

// ---- tables.c
// Copies the ACPI tables to `at`, above 4 GiB; returns how many bytes they take, and their RSDP.
uint64_t leftover_tables(uint64_t at, uint8_t rsdp[36]);

// ---- mess.c: of the CPU that calls, interrupts off
void leftover_apic(bool x2apic);
void leftover_mtrrs(void);
void leftover_devices(void);
uint32_t leftover_cr4(void);
uint32_t leftover_efer(void);
void leftover_sleep(void) __attribute__((noreturn));

// ---- enter.asm
// To 32-bit protected mode without paging, with these bits in CR4 and EFER and odd flags.
void leftover_enter(uint32_t entry, uint32_t magic, uint32_t info, uint32_t cr4, uint32_t efer)
    __attribute__((noreturn));

#endif
