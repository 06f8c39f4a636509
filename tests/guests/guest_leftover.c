// SPDX-License-Identifier: Apache-2.0
// leftover.elf: takes the place of a firmware or boot loader that leaves the machine in a mess, and
// starts its first module, an ELF file, as a Multiboot loader would, with the other modules. Not a
// guest: it runs on the bare machine. Words of the command line choose:
//   apic=x2apic     x2APIC mode on every CPU (else xAPIC); apic=off: the boot CPU's is globally
//                   disabled at the end
//   soft=1          the boot CPU's is software-disabled at the end
//   aps=1           the other CPUs are started, get the same mess, and sleep in HLT or MWAIT
//   mtrr=1          the boot CPU's MTRRs differ from the others': default UC, a hole of 2 MiB
//   tables=high     ACPI's tables are copied above 4 GiB, with processors in the MADT that are
//                   disabled, doubled, placeholders; the information is Multiboot 2's, with an RSDP
#include "tests/guests/leftover/leftover.h"

enum {
    AP_PAGE = 0x8, // number of the page that the other CPUs start in
    MAX_CPUS_STARTED = 8,
};

static bool want_x2apic;
static volatile bool made; // by the CPU that was started, for the boot CPU

static void other_cpu(void)
{
    leftover_apic(want_x2apic);
    made = true;
    leftover_sleep();
}

static void start_others(void)
{
    uint32_t ids[MAX_CPUS_STARTED];
    unsigned count = acpi_cpus(ids, MAX_CPUS_STARTED);
    for (unsigned i = 0; i < count; i++) {
        if (ids[i] == lapic_id())
            continue;
        made = false;
        bool came = cpu_start(ids[i], AP_PAGE, other_cpu);
        while (came && !made)
            pause();
        print("leftover: CPU with APIC ID %u %s\n", ids[i], came ? "left asleep" : "FAIL");
    }
}

void run_guest(void)
{
    uint32_t entry, info, magic;
    want_x2apic = option_is("apic", "x2apic");
    lapic_enable();
    if (!leftover_load(&entry))
        return;
    magic = leftover_information(option_is("tables", "high"), &info);
    if (magic == 0)
        return;
    if (option_number("aps", 0))
        start_others();
    print("leftover: entering 0x%x, %s\n", entry, want_x2apic ? "x2APIC" : "xAPIC");
    if (option_number("mtrr", 0))
        leftover_mtrrs();
    leftover_apic(want_x2apic);
    leftover_devices(); // behind it, because it opens interrupts for a moment
    if (option_number("soft", 0))
        lapic_write(LAPIC_SVR, 0xff);
    if (option_is("apic", "off"))
        wrmsr(0x1b, rdmsr(0x1b) & ~0xc00ull);
    leftover_enter(entry, magic, info, leftover_cr4(), leftover_efer());
}
