// SPDX-License-Identifier: Apache-2.0
// A vCPU's local APIC. The vCPU uses the physical APIC of its CPU, which no other vCPU has. A table
// of registers says which accesses pass to it and which are checked. The table makes both the MSR
// map of x2APIC mode and the handling of the APIC page in xAPIC mode, so both modes have the same
// checks. All functions run on the vCPU's own CPU, interrupts off.
//
// Relies on apic_read() and apic_write(), which work in either mode of the physical APIC. It
// doesn't send IPIs: it returns the verdict to its caller.
#ifndef HV_INTERRUPT_VAPIC_H
#define HV_INTERRUPT_VAPIC_H

#include "arch/interrupt/apic.h"
#include "arch/interrupt/apic_defs.h"
#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"

// How an access to a register is handled.
enum apic_access {
    APIC_ABSENT = 0, // no such register: #GP in x2APIC mode, ESR bit 7 in xAPIC mode
    APIC_PASS,       // the physical register itself; x2APIC mode: without an exit
    APIC_OWN,        // checked or shadowed by vapic.c
    APIC_OWN_XAPIC,  // the same, but absent in x2APIC mode
};

struct apic_reg_rule {
    uint8_t read;   // enum apic_access
    uint8_t write;  // enum apic_access
    uint8_t modes;  // the modes in which it exists: bit mask of 1 << enum apic_mode
    uint32_t valid; // bits that a guest may set; others: #GP in x2APIC mode, dropped in xAPIC mode
    const char *name;
    const char *reason;
};

// What the caller must do after a write.
enum vapic_action {
    VAPIC_DONE,    // nothing
    VAPIC_IPI,     // carry out the verdict: FIXED, NMI, INIT or SIPI to its targets
    VAPIC_MODE,    // `mode` has changed: switch MSR map and APIC page; if it is now APIC_DISABLED,
                   // also drain what the physical APIC still holds
    VAPIC_EXTINT,  // interrupts of the 8259s are now accepted: vapic_takes_extint()
    VAPIC_MOVED,   // the APIC page has moved; it may have moved with VAPIC_MODE too
    VAPIC_REFUSED, // nothing, but log `reason`, which says what was dropped
    VAPIC_FAULT,   // inject #GP(0); `reason` says why
    VAPIC_FAULT_TOLD, // the same, and log it, because a processor would not fault
};

#define VAPIC_HELD_LVTS 4 // thermal, perf, LINT0, LINT1, in the order of their offsets

struct vapic {
    // Set at creation, constant:
    struct icr_topology *topology; // the partition's; this vCPU keeps its own entry current
    uint32_t id;                   // virtual APIC ID, index into topology
    bool bsp;                      // vCPU 0
    bool offer_x2apic;             // the guest may use x2APIC mode, because the host uses it
    bool tsc_deadline;             // the CPU has the timer mode "TSC deadline"
    // Whether the APIC page may be at this address.
    bool (*page_is_free)(const struct vapic *v, uint64_t page);
    uint64_t addresses; // address bits of IA32_APIC_BASE that the guest's address width allows
    // State:
    uint32_t mode; // enum apic_mode
    uint64_t base; // IA32_APIC_BASE as the guest sees it
    uint64_t page; // the page's address in `base`
    uint64_t icr;  // as written, destination in bits 63:32 (x2APIC) or 63:56 (xAPIC)
    uint32_t ldr;  // xAPIC mode, as the register reads
    uint32_t dfr;
    uint32_t esr;                   // virtual errors, as reported by the last ESR write
    uint32_t esr_pending;           // virtual errors since then
    uint32_t held[VAPIC_HELD_LVTS]; // LVTs with a delivery mode that must not reach the hardware
    uint32_t held_mask;             // bit i: held[i] is in effect, the physical LVT is masked
    const char *reason;             // for the last VAPIC_REFUSED or VAPIC_FAULT; else undefined
};

// The rule for the register at `offset` (a multiple of 16 below 0x400); for any other offset a rule
// that says absent. Never NULL.
const struct apic_reg_rule *vapic_rule(unsigned offset);

// Whether an access to x2APIC MSR `msr` goes to the hardware without an exit, in x2APIC mode.
bool vapic_msr_passes(uint32_t msr, bool write);

// Sets the constants and the power-up state. Doesn't access the physical APIC, so any CPU may call
// it. The vCPU's own CPU must call vapic_reset() before it first enters the guest. `address_width`
// is the guest's, in bits.
void vapic_init(struct vapic *v, struct icr_topology *topology, uint32_t id, bool offer_x2apic,
                bool tsc_deadline, unsigned address_width,
                bool (*page_is_free)(const struct vapic *v, uint64_t page));

// Sets the state after power-up, or, with `init_only`, after an INIT, which keeps IA32_APIC_BASE.
// Also resets the physical APIC: software-disabled, LVTs masked, timer stopped. The caller must
// drain what that APIC still holds in IRR and ISR.
void vapic_reset(struct vapic *v, bool init_only);

// Whether the processor accepts the 8259s' interrupts: LINT0 is in ExtINT mode, or the APIC is
// disabled and the 8259s are connected directly (SDM vol. 3, 11.4.3).
bool vapic_takes_extint(const struct vapic *v);

// RDMSR of IA32_APIC_BASE or of 0x800 to 0x8ff. ERR_FAULT: #GP(0).
enum status vapic_msr_read(struct vapic *v, uint32_t msr, uint64_t *value);

// WRMSR of the same; handles also registers that usually pass. Sets `verdict` for VAPIC_IPI.
enum vapic_action vapic_msr_write(struct vapic *v, uint32_t msr, uint64_t value,
                                  struct icr_verdict *verdict);

// The frequent part of vapic_msr_write(): WRMSR of the ICR (0x830) by a vCPU in x2APIC mode.
enum vapic_action vapic_icr_write(struct vapic *v, uint64_t value, struct icr_verdict *verdict);

// 32-bit accesses to the APIC page at `offset` (0 to 0xfff), wherever the page is. Only xAPIC mode
// has the page: in other modes reads give all ones and writes do nothing. At offsets that aren't
// multiples of 16 reads give 0 and writes do nothing.
uint32_t vapic_mmio_read(struct vapic *v, unsigned offset);
enum vapic_action vapic_mmio_write(struct vapic *v, unsigned offset, uint32_t value,
                                   struct icr_verdict *verdict);

#endif
