// SPDX-License-Identifier: Apache-2.0
// Starts the application processors one after the other: INIT, two SIPIs, and a wait until the CPU
// says that it runs (MP specification 1.4, B.4).
#include "arch/smp.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/exceptions.h"
#include "arch/mca.h"
#include "arch/mmu.h"
#include "arch/percpu.h"
#include "arch/tsc.h"
#include "arch/window.h"

#define INIT_WAIT_US    10000
#define STARTUP_WAIT_US 200
#define ONLINE_WAIT_US  1000000
#define POLL_US         10

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_base[];
_Noreturn void cpu_main(void);

// Page tables of the CPU that is being started. Written by the boot CPU before the SIPI, read by
// the trampoline.
uint64_t ap_cr3;

static bool wait_online(const struct cpu *cpu, uint64_t us)
{
    for (uint64_t waited = 0; waited < us; waited += POLL_US) {
        if (__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE)) {
            return true;
        }
        delay_us(POLL_US);
    }
    return false;
}

static bool start(struct cpu *cpu, hpa_t trampoline)
{
    __atomic_store_n(&ap_cr3, cpu->wake_cr3, __ATOMIC_RELEASE);
    apic_send_init(cpu->apic_id);
    delay_us(INIT_WAIT_US);
    for (unsigned i = 0; i < 2; i++) {
        apic_send_startup(cpu->apic_id, (uint8_t)(trampoline.v >> PAGE_SHIFT));
        if (wait_online(cpu, STARTUP_WAIT_US)) {
            return true;
        }
    }
    return wait_online(cpu, ONLINE_WAIT_US);
}

enum status smp_start(hpa_t trampoline, unsigned *failed)
{
    uint32_t base = (uint32_t)trampoline.v;
    // All three labels stand in one page of boot/trampoline.asm.
    // cppcheck-suppress comparePointers
    phys_write(trampoline, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    // cppcheck-suppress comparePointers
    phys_write(hpa(trampoline.v + (uint64_t)(trampoline_base - trampoline_start)), &base,
               sizeof(base));
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i]->apic_id != apic_id() && !start(cpus[i], trampoline)) {
            *failed = i;
            return ERR_NOT_FOUND;
        }
    }
    return STATUS_OK;
}

_Noreturn void ap_main(void)
{
    exceptions_load();
    mmu_cpu_init();
    mca_cpu_init();
    apic_cpu_init();
    __atomic_store_n(&this_cpu()->online, 1, __ATOMIC_RELEASE);
    cpu_main();
}
