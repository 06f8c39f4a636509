// SPDX-License-Identifier: Apache-2.0
// The state in which a virtual CPU starts, independent of the vendor. A loader fills it for the
// boot CPU; a SIPI gives ENTRY_REAL for the others.
#ifndef ARCH_VIRT_VCPU_ENTRY_H
#define ARCH_VIRT_VCPU_ENTRY_H

#include "arch/lib/types.h"

enum vcpu_entry_mode {
    // Real mode: CR0.PE=0. `rip` is linear; CS gets selector and base from it, as after a SIPI.
    ENTRY_REAL,
    // 32-bit protected mode: CR0.PE=1, paging off, flat 4 GiB segments, interrupts off.
    ENTRY_PROTECTED32,
    // 64-bit mode: CR0.PE=PG=1, CR4.PAE=1, EFER.LME=LMA=1, CR3 as given, interrupts off.
    ENTRY_LONG64,
};

// In ENTRY_PROTECTED32 and ENTRY_LONG64, CS is `cs`, and DS, ES, SS, FS and GS are `ds`. Their
// hidden parts are those of the descriptors at `gdt`: base 0, limit 4 GiB, ring 0; CS.L=1 and
// CS.D=0 in 64-bit mode, else CS.D=1. TR and LDTR are as after reset. RFLAGS=2, R8 to R15 are 0.
struct vcpu_entry {
    enum vcpu_entry_mode mode;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rax;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t rbp;
    uint64_t cr3;       // ENTRY_LONG64 only
    gpa_t gdt;          // a descriptor table in guest memory
    uint16_t gdt_limit; // its size in bytes - 1
    uint16_t cs;        // selectors
    uint16_t ds;
    // True for ENTRY_REAL after the guest sent an INIT to a vCPU that ran: what INIT does not
    // change is kept (arch/virt/reset_state.h). False: everything is as after RESET.
    bool after_init;
};

#endif
