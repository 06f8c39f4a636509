// SPDX-License-Identifier: Apache-2.0
// A vCPU's local APIC: the physical one of its CPU, which nobody else uses, behind a table of
// registers that says what goes through and what is checked. The same table gives the MSR map in
// x2APIC mode and the handling of the APIC page in xAPIC mode, so neither mode knows a check that
// the other lacks. All functions run on the vCPU's own CPU, interrupts off.
//
// Relies on apic_read and apic_write, which work in whichever mode the physical APIC is. IPIs it
// doesn't send itself: it hands the verdict to its caller.
#ifndef HV_INTERRUPT_VAPIC_H
#define HV_INTERRUPT_VAPIC_H

#include "arch/interrupt/apic.h"
#include "arch/interrupt/apic_defs.h"
#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"

// Who serves an access to a register.
enum apic_access {
    APIC_ABSENT = 0, // no such register: #GP in x2APIC mode, ESR bit 7 in xAPIC mode
    APIC_PASS,       // the physical register itself; x2APIC mode: without an exit
    APIC_OWN,        // checked or shadowed by vapic.c
    APIC_OWN_XAPIC,  // likewise, and absent in x2APIC mode
};

struct apic_reg_rule {
    uint8_t read;   // enum apic_access
    uint8_t write;  // enum apic_access
    uint8_t modes;  // bit mask of 1 << enum apic_mode where it exists
    uint32_t valid; // bits a guest may set; others: #GP in x2APIC mode, dropped in xAPIC mode
    const char *name;
    const char *reason;
};

// What the caller has to do after a write.
enum vapic_action {
    VAPIC_DONE,       // nothing
    VAPIC_IPI,        // carry out the verdict: FIXED, NMI, INIT or SIPI to its targets
    VAPIC_MODE,       // `mode` has changed: put its MSR map and APIC page in place; when it is
                      // APIC_DISABLED, also drain what the physical APIC still holds
    VAPIC_EXTINT,     // interrupts of the 8259s are let through: vapic_takes_extint()
    VAPIC_MOVED,      // the APIC page has moved; so it may have with VAPIC_MODE
    VAPIC_REFUSED,    // nothing, but worth a line in the log: `reason` says what was dropped
    VAPIC_FAULT,      // inject #GP(0); `reason` says why
    VAPIC_FAULT_TOLD, // likewise, and worth a line in the log: a processor would not fault
};

#define VAPIC_HELD_LVTS 4 // thermal, perf, LINT0, LINT1: in the order of their offsets

struct vapic {
    // Given at creation, constant:
    struct icr_topology *topology; // the partition's; this vCPU's entry is kept up to date
    uint32_t id;                   // virtual APIC ID, index into topology
    bool bsp;                      // vCPU 0
    bool offer_x2apic;             // the guest may use x2APIC mode: the host is in it
    bool tsc_deadline;             // the CPU has the timer mode "TSC deadline"
    bool (*page_is_free)(const struct vapic *v,
                         uint64_t page); // whether the APIC page may be there
    uint64_t addresses; // bits of IA32_APIC_BASE that are an address of the guest's
    // State:
    uint32_t mode; // enum apic_mode
    uint64_t base; // IA32_APIC_BASE as the guest sees it
    uint64_t page; // the address in it
    uint64_t icr;  // as written, destination in bits 63:32 (x2APIC) or 63:56 (xAPIC)
    uint32_t ldr;  // xAPIC mode, as the register reads
    uint32_t dfr;
    uint32_t esr;                   // errors of ours since reported by the last ESR write
    uint32_t esr_pending;           // and those after it
    uint32_t held[VAPIC_HELD_LVTS]; // LVTs with a delivery mode that may not reach the hardware
    uint32_t held_mask;             // bit i: held[i] is in force, the physical one is masked
    const char *reason;             // of the last VAPIC_REFUSED or VAPIC_FAULT; else undefined
};

// The rule for the register at `offset` (a multiple of 16 below 0x400, else a rule that says
// absent). Never NULL.
const struct apic_reg_rule *vapic_rule(unsigned offset);

// Does an access to x2APIC MSR `msr` go to the hardware without an exit, in x2APIC mode?
bool vapic_msr_passes(uint32_t msr, bool write);

// Sets the constants and the power-up state, without touching the physical APIC: any CPU may call
// it. The vCPU's own CPU calls vapic_reset before it first enters the guest. `address_width` is the
// guest's, in bits.
void vapic_init(struct vapic *v, struct icr_topology *topology, uint32_t id, bool offer_x2apic,
                bool tsc_deadline, unsigned address_width,
                bool (*page_is_free)(const struct vapic *v, uint64_t page));

// The state after power-up, or, with `init_only`, after an INIT, which keeps IA32_APIC_BASE. Writes
// the physical APIC too: software-disabled, LVTs masked, timer stopped. What that APIC still holds
// in IRR and ISR is for the caller to drain.
void vapic_reset(struct vapic *v, bool init_only);

// Whether the processor takes the 8259s' interrupts: by LINT0 in ExtINT mode, or because there is
// no APIC before its pin (SDM vol. 3, 11.4.3).
bool vapic_takes_extint(const struct vapic *v);

// RDMSR of IA32_APIC_BASE or of 0x800 to 0x8ff. ERR_FAULT: #GP(0).
enum status vapic_msr_read(struct vapic *v, uint32_t msr, uint64_t *value);

// WRMSR of the same; also right for registers that usually pass. `verdict` is set for VAPIC_IPI.
enum vapic_action vapic_msr_write(struct vapic *v, uint32_t msr, uint64_t value,
                                  struct icr_verdict *verdict);

// The hot part of vapic_msr_write: WRMSR of the ICR (0x830) by a vCPU in x2APIC mode.
enum vapic_action vapic_icr_write(struct vapic *v, uint64_t value, struct icr_verdict *verdict);

// Accesses to the APIC page, wherever it is, of 32 bits at `offset` (0 to 0xfff). In xAPIC mode
// only: otherwise they read all ones and write nothing. Offsets that aren't multiples of 16 read 0
// and write nothing.
uint32_t vapic_mmio_read(struct vapic *v, unsigned offset);
enum vapic_action vapic_mmio_write(struct vapic *v, unsigned offset, uint32_t value,
                                   struct icr_verdict *verdict);

#endif
