// SPDX-License-Identifier: Apache-2.0
// count.elf: prints a number each 100 ms (period=), n= of them or forever, then ends. What it
// says of itself first tells a test whether its memory was cleared by a restart.

#include "tests/guests/guest.h"

enum {
    MARKER_ADDRESS = 0x8000,
    MARKER = 0x6b6c7542,
};

static void print_modules(void)
{
    const uint32_t *info = (const uint32_t *)multiboot_info();
    if (!info || !(info[0] & 8))
        return;
    const uint32_t *mods = (const uint32_t *)(uintptr_t)info[6];
    for (uint32_t i = 0; i < info[5]; i++) {
        uint32_t sum = 0;
        for (uint32_t at = mods[4 * i]; at < mods[4 * i + 1]; at++)
            sum += *(const uint8_t *)(uintptr_t)at;
        print("module %u at 0x%x: %u bytes, sum %u, \"%s\"\n", i, mods[4 * i],
              mods[4 * i + 1] - mods[4 * i], sum,
              mods[4 * i + 2] ? (const char *)(uintptr_t)mods[4 * i + 2] : "");
    }
}

void run_guest(void)
{
    volatile uint32_t *marker = (volatile uint32_t *)MARKER_ADDRESS;
    uint64_t n = option_number("n", UINT64_MAX);
    uint64_t period = option_number("period", 100);
    __asm__("" : "+r"(marker));
    print("hello from count: \"%s\", memory %s, %lu KiB\n", command_line(),
          *marker == MARKER ? "dirty" : "clean", ram_total() / 1024);
    *marker = MARKER;
    print_modules();
    if (x2apic_available() && !option_is("apic", "xapic"))
        x2apic_enable();
    lapic_enable();
    print("tsc %lu kHz, %s\n", tsc_khz(), x2apic_on() ? "x2apic" : "xapic");
    for (uint64_t i = 1; i <= n; i++) {
        print("count %lu\n", i);
        sleep_ms(period);
    }
}
