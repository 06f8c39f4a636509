// SPDX-License-Identifier: Apache-2.0
// The platform's side of the equivalence guest: the local APIC in each of its modes, several CPUs,
// and the devices of a PC.

#include "tests/guests/equiv/device.h"

static void both_modes(void)
{
    apic_registers();
    apic_lvts();
    apic_errors();
    apic_priorities();
    apic_icr();
    apic_logical();
    apic_timer();
    apic_deadline();
    smp_init();
    smp_nmi();
    smp_ipi();
}

static void enter_x2apic(void)
{
    x2apic_enable();
    apic_prepare();
}

void equiv_device(void)
{
    interrupts_off();
    tsc_khz();
    apic_reset_state();
    record_all();
    apic_prepare();
    cpus_start();
    both_modes();
    smp_memory();
    dev_pit();
    dev_rtc();
    dev_uart();
    dev_ioapic();
    dev_pm();
    dev_ports();
    outcome("apic.x2apic.there", "CPUID says %u", x2apic_available());
    if (x2apic_available()) {
        enter_x2apic();
        for (unsigned cpu = 1; cpu < cpus; cpu++)
            cpu_do(cpu, enter_x2apic);
        both_modes();
        apic_msrs();
    }
    apic_modes(); // last: an emulator may lose its APIC there
}
