// SPDX-License-Identifier: Apache-2.0
// The sensitive-instruction table: every x86-64 instruction that changes the configuration of
// resources (control-sensitive) or whose result depends on it (behaviour-sensitive), and the events
// that take a CPU from its guest. A row says by which control the processor confines it; unit tests
// hold these references against the tables that the hypervisor uses. Not part of the hypervisor.
#ifndef DOCS_TABLES_SENSITIVE_H
#define DOCS_TABLES_SENSITIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/exceptions.h"
#include "arch/lib/types.h"
#include "arch/svm/controls.h"
#include "arch/svm/vmcb_controls.h"
#include "arch/vmx/controls.h"
#include "arch/vmx/vmcs_controls.h"
#include "hv/policy/cpuid_policy.h"

enum sensitivity {
    CONTROL,   // changes the configuration of resources
    BEHAVIOUR, // its result depends on it
    BOTH,
    EVENT, // no instruction, or any
};

// What becomes of it in a guest.
enum treatment {
    EXITS,    // leaves the guest
    UNLESS,   // leaves the guest unless a table or a register of ours lets it pass
    CONFINED, // runs natively on what the processor switches or translates for this guest
    HARMLESS, // runs natively on state of this CPU that the hypervisor does not rely on
    SHARED,   // runs natively and uses a resource that all CPUs share; no control bounds it
    UNDEFINED // #UD from the processor: a control is off, or this vendor does not know it
};

// What a claim rests on. Each is checked.
enum ref_kind {
    REF_NONE,
    REF_SVM_ON,    // word: enum svm_word, mask: its bits, on or switched at run time
    REF_SVM_OFF,   // the same, off
    REF_VMX_ON,    // word: enum vmx_word, mask: its bits, on, used where there, or switched
    REF_VMX_OFF,   // the same, off
    REF_EXCEPTION, // word: a vector that is intercepted
    REF_ALWAYS,    // VT-x: exits unconditionally; word: the exit reason
    REF_CR_KEPT,   // VT-x: word: 0 or 4, mask: bits of that register that are kept
    REF_CR_PASSED, // VT-x: likewise, bits that are the guest's
    REF_MSR,       // word: an MSR that no write reaches
    REF_MSR_PASS,  // word: an MSR that passes, read and written
};

struct ref {
    enum ref_kind kind;
    uint32_t word;
    uint64_t mask;
};

#define SVM1(bits)                                                                                 \
    {                                                                                              \
        REF_SVM_ON, SVM_MISC1, (bits)                                                              \
    }
#define SVM2(bits)                                                                                 \
    {                                                                                              \
        REF_SVM_ON, SVM_MISC2, (bits)                                                              \
    }
#define SVM3(bits)                                                                                 \
    {                                                                                              \
        REF_SVM_ON, SVM_MISC3, (bits)                                                              \
    }
#define SVM1_OFF(bits)                                                                             \
    {                                                                                              \
        REF_SVM_OFF, SVM_MISC1, (bits)                                                             \
    }
#define SVM2_OFF(bits)                                                                             \
    {                                                                                              \
        REF_SVM_OFF, SVM_MISC2, (bits)                                                             \
    }
#define SVM3_OFF(bits)                                                                             \
    {                                                                                              \
        REF_SVM_OFF, SVM_MISC3, (bits)                                                             \
    }
#define SVM_READS_CR(n)                                                                            \
    {                                                                                              \
        REF_SVM_OFF, SVM_CR, BIT(n)                                                                \
    }
#define SVM_WRITES_CR(n)                                                                           \
    {                                                                                              \
        REF_SVM_OFF, SVM_CR, BIT(16 + (n))                                                         \
    }
#define PIN(bits)                                                                                  \
    {                                                                                              \
        REF_VMX_ON, WORD_PIN, (bits)                                                               \
    }
#define PROC(bits)                                                                                 \
    {                                                                                              \
        REF_VMX_ON, WORD_PROC, (bits)                                                              \
    }
#define PROC2(bits)                                                                                \
    {                                                                                              \
        REF_VMX_ON, WORD_PROC2, (bits)                                                             \
    }
#define PIN_OFF(bits)                                                                              \
    {                                                                                              \
        REF_VMX_OFF, WORD_PIN, (bits)                                                              \
    }
#define PROC_OFF(bits)                                                                             \
    {                                                                                              \
        REF_VMX_OFF, WORD_PROC, (bits)                                                             \
    }
#define PROC2_OFF(bits)                                                                            \
    {                                                                                              \
        REF_VMX_OFF, WORD_PROC2, (bits)                                                            \
    }
#define ALWAYS(reason)                                                                             \
    {                                                                                              \
        REF_ALWAYS, (reason), 0                                                                    \
    }
#define CAUGHT(vector)                                                                             \
    {                                                                                              \
        REF_EXCEPTION, (vector), 0                                                                 \
    }
#define KEPT(cr, bits)                                                                             \
    {                                                                                              \
        REF_CR_KEPT, (cr), (bits)                                                                  \
    }
#define PASSED(cr, bits)                                                                           \
    {                                                                                              \
        REF_CR_PASSED, (cr), (bits)                                                                \
    }
#define NO_MSR(number)                                                                             \
    {                                                                                              \
        REF_MSR, (number), 0                                                                       \
    }
#define OWN_MSR(number)                                                                            \
    {                                                                                              \
        REF_MSR_PASS, (number), 0                                                                  \
    }

#define MAX_REFS   6
#define MAX_HIDDEN 3

struct vendor_part {
    enum treatment how;
    struct ref by[MAX_REFS];
    const char *note; // what the references do not say; may be NULL if there are any
};

// Bits of CPUID that a guest does not see, whatever the host has.
struct hidden_bits {
    uint32_t leaf, subleaf;
    enum cpuid_register reg;
    uint32_t mask;
};

struct sensitive_row {
    const char *id;      // unique; checks of the equivalence guest are named insn.ID...
    const char *names;   // mnemonics, or what the event is
    enum sensitivity is; // for which the two columns of the vendors answer
    const char *reaches; // what it could do, or show
    struct vendor_part vmx, svm;
    struct hidden_bits hidden[MAX_HIDDEN];
    const char *sees; // what the guest sees
    // What shows it, separated by spaces: the beginning of names of checks that the equivalence
    // guest prints, or FILE:FUNCTION of another test. NULL, and then `untested` says why.
    const char *test;
    const char *untested;
};

struct sensitive_group {
    const char *title;
    const struct sensitive_row *rows;
    unsigned count;
};

extern const struct sensitive_group sensitive_identity;    // sensitive_identity.c
extern const struct sensitive_group sensitive_registers;   // sensitive_registers.c
extern const struct sensitive_group sensitive_extended;    // sensitive_registers.c
extern const struct sensitive_group sensitive_descriptors; // sensitive_descriptors.c
extern const struct sensitive_group sensitive_transfers;   // sensitive_transfers.c
extern const struct sensitive_group sensitive_io;          // sensitive_io.c
extern const struct sensitive_group sensitive_caches;      // sensitive_caches.c
extern const struct sensitive_group sensitive_virtual;     // sensitive_virtual.c
extern const struct sensitive_group sensitive_security;    // sensitive_security.c
extern const struct sensitive_group sensitive_events;      // sensitive_events.c

// All groups, in the order of the document.
const struct sensitive_group *const *sensitive_groups(unsigned *count);

// Does the claim hold in the hypervisor's tables?
bool ref_holds(const struct ref *r);

// Is anything of `mask` in that word of the VT-x or AMD-V controls named by a row?
bool sensitive_names_vmx(enum vmx_word word, uint32_t mask);
bool sensitive_names_svm(enum svm_word word, uint32_t mask);
bool sensitive_names_exception(unsigned vector);

#endif
