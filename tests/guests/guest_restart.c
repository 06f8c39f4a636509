// SPDX-License-Identifier: Apache-2.0
// restart.elf: looks at every register that has a value after RESET, fills them all, and starts
// itself again, for ever. With 2 CPUs also those of the other CPU after its start, and after an
// INIT and another start. Words of the command line:
//   way=     cf9, kbd, port92, triple, init (to itself), or a jump to the reset vector: real,
//            low32, high32, low64, high64 (at 0xffff0 or 0xfffffff0, in protected or long mode);
//            without it end= says how, acpireset say
//   vector=1 looks whether the reset vector's code is at both places
#include "tests/guests/restart/restart.h"

static volatile bool other_done;

static void wait_for_other(void)
{
    while (!other_done)
        pause();
}

static void other_end(void)
{
    other_done = true;
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static void other_first(void)
{
    registers_check("start", false);
    print("CPU 1 filled %u registers\n", registers_dirty());
    other_end();
}

static void other_again(void)
{
    registers_check("INIT", true);
    registers_dirty();
    other_end();
}

static void look_at_other(void)
{
    lapic_enable();
    for (unsigned i = 0; i < 2; i++) {
        other_done = false;
        if (!cpu_start(1, 0x70, i == 0 ? other_first : other_again)) {
            check(false, "CPU 1 starts");
            return;
        }
        wait_for_other();
    }
}

static void restart(void)
{
    static const uint8_t no_idt[10];
    if (option_is("way", "cf9"))
        outb(0xcf9, 6);
    else if (option_is("way", "kbd"))
        outb(0x64, 0xfe);
    else if (option_is("way", "port92"))
        outb(0x92, 1);
    else if (option_is("way", "triple"))
        __asm__ volatile("lidt %0\n\tint3" : : "m"(no_idt));
    else if (option_is("way", "init"))
        lapic_ipi(lapic_id(), ICR_INIT | ICR_ASSERT);
    else if (option_is("way", "real"))
        jump_real();
    else if (option_is("way", "low32"))
        jump_protected(0xffff0);
    else if (option_is("way", "high32"))
        jump_protected(0xfffffff0);
    else if (option_is("way", "low64"))
        jump_long(0xffff0);
    else if (option_is("way", "high64"))
        jump_long(0xfffffff0);
}

static const uint8_t *from(uint64_t address)
{
    return (const uint8_t *)address;
}

void run_guest(void)
{
    uint32_t ids[2];
    registers_check("start", false);
    if (option_number("vector", 0))
        check(memcmp(from(0xffff0), from(0xfffffff0), 16) == 0 && *from(0xfffffff0) != 0,
              "the reset vector is at 0xffff0 and at 0xfffffff0");
    if (acpi_cpus(ids, 2) > 1)
        look_at_other();
    check_summary();
    print("filled %u registers\n", registers_dirty());
    restart();
    finish(); // end=acpireset and the like
}
