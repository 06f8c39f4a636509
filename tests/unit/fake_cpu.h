// SPDX-License-Identifier: Apache-2.0
// Goes before everything that a test is compiled from (-include): the CPU that runs it, its TSC and
// its output ports are the test's.
#ifndef TESTS_UNIT_FAKE_CPU_H
#define TESTS_UNIT_FAKE_CPU_H

#include "arch/cpu/cpu.h"
#include "arch/cpu/io.h"
#include "arch/memory/percpu.h"

extern struct cpu *fake_this_cpu;
uint64_t fake_rdtsc(void);
void fake_outb(uint16_t port, uint8_t value);

#define this_cpu()        fake_this_cpu
#define rdtsc()           fake_rdtsc()
#define outb(port, value) fake_outb(port, value)

#endif
