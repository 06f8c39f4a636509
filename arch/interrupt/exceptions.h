// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own descriptor tables and its exceptions. An exception in the hypervisor is a
// broken invariant: it is reported in full and the machine stops.
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

// What an exception needs of the storeys above. All of it runs on any CPU, in any state.
struct exception_calls {
    void (*machine_check)(uint64_t rip); // an #MC in the hypervisor: returns if it can go on
    void (*begin_report)(void);          // before the first print() of a report
    void (*print)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
};

// Fills the tables; once, on the boot CPU. `calls` stays the caller's, for good. An NMI that
// firmware's devices send is ignored until exceptions_take_nmi().
void exceptions_init(const struct exception_calls *calls);

// The tables for exceptions_drain(); once, on the boot CPU, when there is a heap. ERR_NO_MEMORY.
enum status exceptions_prepare(void);

// From now on NMIs are noted in the CPU's private area, which must be there. Boot CPU.
void exceptions_take_nmi(void);

// Loads them on this CPU, with interrupts off.
void exceptions_load(void);

// Takes interrupts with any vector for what they are until called with false. A guest may have sent
// one with the number of an exception (16 and up are legal), and the usual gate would take it for
// that exception in the hypervisor. In between nothing may run that could cause one.
void exceptions_drain(bool drain);

// Treats a machine check as taken: one that was drained like an interrupt. Returns if the CPU can
// go on.
void exceptions_machine_check(uint64_t rip);

// Prints a message and stops this CPU, then all others by NMI. Any CPU, any state.
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// True once any CPU has panicked. Who takes the NMI of it as a VM exit looks here.
extern volatile uint32_t panicking;

// What must hold; stays in release builds where it guards isolation.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            panic("%s:%d: broken: %s", __FILE__, __LINE__, #condition);                            \
        }                                                                                          \
    } while (0)

#endif
