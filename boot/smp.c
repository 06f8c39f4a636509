// SPDX-License-Identifier: Apache-2.0
// Starts the application processors (MP specification 1.4, B.4): one INIT to all of them and one
// wait. Then, one CPU after the other, up to two SIPIs and a wait until the CPU reports that it
// runs. The trampoline serves one CPU at a time.
#include "boot/smp.h"

#include "arch/cpu/mca.h"
#include "arch/cpu/recording.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "arch/memory/window.h"

#define INIT_WAIT_US    10000
#define STARTUP_WAIT_US 200
#define ONLINE_WAIT_US  1000000
#define POLL_US         10

#define PTE_TABLE (BIT(1) | BIT(0))          // present, writable
#define PTE_LARGE (BIT(7) | BIT(1) | BIT(0)) // and 2 MiB large
#define OWN_HALF  (511 * sizeof(uint64_t)) // offset in a root table of the entry for the top 512 GiB

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_base[], trampoline_root[];

// Root of the page tables of the CPU that is being started. The boot CPU writes it before the SIPI;
// the trampoline reads it.
uint64_t ap_cr3;

static void (*ap_entry)(void); // written before the first SIPI

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

static void write_entry(hpa_t at, uint64_t entry)
{
    phys_write(at, &entry, sizeof(entry));
}

// Makes the trampoline's own tables, because 32-bit code can't load a root above 4 GiB. They map
// the first 2 MiB one to one; each start() adds the top entry of the CPU's own tables.
static void make_tables(const struct smp_low *low)
{
    phys_fill(low->root, 0, PAGE_SIZE);
    phys_fill(low->pdpt, 0, PAGE_SIZE);
    phys_fill(low->directory, 0, PAGE_SIZE);
    write_entry(low->root, low->pdpt.v | PTE_TABLE);
    write_entry(low->pdpt, low->directory.v | PTE_TABLE);
    write_entry(low->directory, PTE_LARGE);
}

// Sets a field in the copy of the trampoline.
static void set_field(const struct smp_low *low, const uint8_t *field, uint64_t value)
{
    // All labels are in one page of boot/trampoline.asm.
    // cppcheck-suppress comparePointers
    hpa_t at = hpa(low->code.v + (uint64_t)(field - trampoline_start));
    uint32_t narrow = (uint32_t)value;
    phys_write(at, &narrow, sizeof(narrow));
}

static bool start(struct cpu *cpu, const struct smp_low *low)
{
    uint64_t own_half;
    phys_read(hpa(cpu->wake_cr3 + OWN_HALF), &own_half, sizeof(own_half));
    write_entry(hpa(low->root.v + OWN_HALF), own_half);
    __atomic_store_n(&ap_cr3, cpu->wake_cr3, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 2; i++) {
        apic_send_startup(cpu->apic_id, (uint8_t)(low->code.v >> PAGE_SHIFT));
        if (wait_online(cpu, STARTUP_WAIT_US)) {
            return true;
        }
    }
    return wait_online(cpu, ONLINE_WAIT_US);
}

static void init_all(void)
{
    bool any = false;
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i]->apic_id != apic_id()) {
            apic_send_init(cpus[i]->apic_id);
            any = true;
        }
    }
    if (any) {
        delay_us(INIT_WAIT_US);
    }
}

enum status smp_start(const struct smp_low *low, void (*entry)(void), unsigned *failed)
{
    ap_entry = entry;
    // cppcheck-suppress comparePointers
    phys_write(low->code, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    make_tables(low);
    set_field(low, trampoline_base, low->code.v);
    set_field(low, trampoline_root, low->root.v);
    init_all();
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i]->apic_id != apic_id() && !start(cpus[i], low)) {
            *failed = i;
            return ERR_NOT_FOUND;
        }
    }
    return STATUS_OK;
}

_Noreturn void ap_main(void)
{
    exceptions_load();
    recording_stop();
    mmu_cpu_init();
    mca_cpu_init();
    apic_cpu_init();
    __atomic_store_n(&this_cpu()->online, 1, __ATOMIC_RELEASE);
    ap_entry();
    cpu_stop();
}
