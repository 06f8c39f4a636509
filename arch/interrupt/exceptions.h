// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own descriptor tables and exceptions. An exception in the hypervisor is a broken
// invariant: it is reported in full and the machine stops.
#ifndef ARCH_INTERRUPT_EXCEPTIONS_H
#define ARCH_INTERRUPT_EXCEPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/status.h"

#define HV_CODE_SELECTOR 0x08
#define HV_DATA_SELECTOR 0x10

#define EXCEPTION_DE 0
#define EXCEPTION_DB 1
#define EXCEPTION_UD 6
#define EXCEPTION_NM 7
#define EXCEPTION_DF 8
#define EXCEPTION_TS 10
#define EXCEPTION_NP 11
#define EXCEPTION_SS 12
#define EXCEPTION_GP 13
#define EXCEPTION_PF 14
#define EXCEPTION_MF 16
#define EXCEPTION_AC 17
#define EXCEPTION_MC 18
#define EXCEPTION_XM 19

// What an exception needs from the storeys above. All of these must run on any CPU, in any state.
struct exception_calls {
    // An #MC in the hypervisor; returns if the CPU can continue.
    void (*machine_check)(uint64_t rip);
    void (*begin_report)(void); // called before a report's first print()
    void (*print)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
};

// Fills the tables; once, on the boot CPU. `calls` must stay valid for ever. NMIs from devices that
// the firmware set up are ignored until exceptions_take_nmi().
void exceptions_init(const struct exception_calls *calls);

// Makes the tables for exceptions_drain(); once, on the boot CPU, after heap_init(). ERR_NO_MEMORY.
enum status exceptions_prepare(void);

// From this call on, NMIs are noted in the CPU's private area, which must exist. Boot CPU.
void exceptions_take_nmi(void);

// Loads the tables on this CPU, with interrupts off.
void exceptions_load(void);

// Treats all vectors except NMI as interrupts, until called with false. A guest may have sent an
// interrupt with the number of an exception (16 and up are legal), and the usual gate would report
// that exception in the hypervisor. Code that runs meanwhile must not cause an exception.
void exceptions_drain(bool drain);

// Handles a machine check that was drained like an interrupt. Returns if the CPU can continue.
void exceptions_machine_check(uint64_t rip);

// Prints a message and stops this CPU, then all others by NMI. Any CPU, any state.
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// True once any CPU has panicked. Read after an NMI that was taken as a VM exit.
extern volatile uint32_t panicking;

// An invariant. The check stays in release builds, because it guards isolation.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            panic("%s:%d: broken: %s", __FILE__, __LINE__, #condition);                            \
        }                                                                                          \
    } while (0)

#endif
