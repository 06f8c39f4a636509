// SPDX-License-Identifier: Apache-2.0
// The registers of restart.elf's CPUs that XSAVE covers: looked at, and filled, through its image.
#include "arch/cpu/cpuid.h"
#include "arch/cpu/register_bits.h"
#include "arch/virt/reset_state.h"
#include "tests/guests/restart/restart.h"

enum {
    IMAGE_SIZE = 4096, // the largest that is shown is less
    AT_FCW = 0,
    AT_FSW = 2,
    AT_FTW = 4, // abridged
    AT_POINTERS = 6,
    AT_MXCSR = 24,
    AT_ST = 32,
    ST_STEP = 16,
    ST_SIZE = 10,
    AT_XMM = 160,
    XMM_END = 416,
    AT_HEADER = 512,
    AT_EXTENDED = 576,
    PKRU_COMPONENT = 9,

    DIRTY_FCW = 0x27f,
    DIRTY_FSW = 0x1841, // the top is 3; flags of exceptions that are masked
    DIRTY_BYTE = 0xa5,
    DIRTY_PKRU = 0x55555554, // but not for key 0, the pages that the guest runs from
};

static uint8_t image[IMAGE_SIZE] __attribute__((aligned(64)));
static uint8_t before[IMAGE_SIZE] __attribute__((aligned(64))); // what vectors_dirty() left

static bool has_xsave(void)
{
    return (cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE) != 0;
}

static uint64_t xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t components(void)
{
    struct cpuid r = cpuid(CPUID_XSAVE, 0);
    return (uint64_t)r.edx << 32 | r.eax;
}

// Lets this CPU use all of them, and says what CR4 was.
static uint64_t open(void)
{
    uint64_t cr0, cr4;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~(CR0_TS | CR0_EM)));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSFXSR | (has_xsave() ? CR4_OSXSAVE : 0)));
    return cr4;
}

static void shut(uint64_t cr4)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

static void save(uint8_t *to)
{
    memset(to, 0, IMAGE_SIZE);
    if (has_xsave()) {
        __asm__ volatile("xsave64 (%0)" : : "r"(to), "a"(-1), "d"(-1) : "memory");
    } else {
        __asm__ volatile("fxsave64 (%0)" : : "r"(to) : "memory");
    }
}

static uint64_t word(const uint8_t *from, unsigned at, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, from + at, size);
    return value;
}

static bool in_use(const uint8_t *from, unsigned component)
{
    return !has_xsave() || (word(from, AT_HEADER, 8) >> component & 1) != 0;
}

// The bytes of a component beyond SSE that are not 0.
static unsigned extended_bytes(unsigned component)
{
    struct cpuid r = cpuid(CPUID_XSAVE, component);
    unsigned count = 0;
    for (unsigned i = 0; in_use(image, component) && i < r.eax; i++)
        count += image[r.ebx + i] != 0;
    return count;
}

static void check_reset(const char *when, uint64_t shown)
{
    unsigned st = 0, xmm = 0;
    uint8_t ftw = 0;
    for (unsigned i = 0; i < 8; i++)
        ftw |= (uint8_t)((reset_value(RESET_FTW) >> (2 * i) & 3) != 3 ? 1 << i : 0);
    for (unsigned i = 0; i < 8 * ST_SIZE; i++)
        st += image[AT_ST + i / ST_SIZE * ST_STEP + i % ST_SIZE] != 0;
    for (unsigned i = AT_XMM; i < XMM_END; i++)
        xmm += image[i] != 0;
    check(word(image, AT_FCW, 2) == reset_value(RESET_FCW), "%s: x87 control 0x%lx", when,
          word(image, AT_FCW, 2));
    check(word(image, AT_FSW, 2) == reset_value(RESET_FSW), "%s: x87 status 0x%lx", when,
          word(image, AT_FSW, 2));
    check(image[AT_FTW] == ftw, "%s: x87 tags 0x%x", when, image[AT_FTW]);
    check(word(image, AT_POINTERS, 8) == 0 && word(image, AT_POINTERS + 8, 8) == 0,
          "%s: x87 pointers 0x%lx 0x%lx", when, word(image, AT_POINTERS, 8),
          word(image, AT_POINTERS + 8, 8));
    check(st == 0, "%s: ST0 to ST7, %u bytes set", when, st);
    check(word(image, AT_MXCSR, 4) == reset_value(RESET_MXCSR), "%s: MXCSR 0x%lx", when,
          word(image, AT_MXCSR, 4));
    check(xmm == 0, "%s: XMM registers, %u bytes set", when, xmm);
    for (unsigned i = 2; i < 63; i++) {
        if (shown >> i & 1)
            check(extended_bytes(i) == 0, "%s: XSAVE component %u, %u bytes set", when, i,
                  extended_bytes(i));
    }
}

static void check_kept(const char *when, uint64_t shown)
{
    check(memcmp(image, before, AT_POINTERS) == 0, "%s: x87 control, status and tags kept", when);
    check(word(image, AT_MXCSR, 4) == word(before, AT_MXCSR, 4), "%s: MXCSR kept, 0x%lx", when,
          word(image, AT_MXCSR, 4));
    check(memcmp(image + AT_ST, before + AT_ST, XMM_END - AT_ST) == 0, "%s: ST and XMM kept", when);
    for (unsigned i = 2; i < 63; i++) {
        struct cpuid r = cpuid(CPUID_XSAVE, i);
        if (shown >> i & 1)
            check(memcmp(image + r.ebx, before + r.ebx, r.eax) == 0, "%s: XSAVE component %u kept",
                  when, i);
    }
}

void vectors_check(const char *when, bool init)
{
    uint64_t cr4 = open(), shown = 0;
    if (has_xsave()) {
        shown = components();
        check(xcr0() == (init ? shown : reset_value(RESET_XCR0)), "%s: XCR0 0x%lx", when, xcr0());
        set_xcr0(shown);
    }
    save(image);
    if (init) {
        check_kept(when, shown);
    } else {
        check_reset(when, shown);
    }
    shut(cr4);
}

// The image of registers that are all in use, as XRSTOR and FXRSTOR take it.
static void fill(uint64_t shown)
{
    const uint16_t fcw = DIRTY_FCW, fsw = DIRTY_FSW;
    const uint32_t pkru = DIRTY_PKRU;
    memset(image, 0, IMAGE_SIZE);
    memcpy(image + AT_FCW, &fcw, sizeof(fcw));
    memcpy(image + AT_FSW, &fsw, sizeof(fsw));
    image[AT_FTW] = 0xff;
    for (unsigned i = 0; i < 8; i++)
        memset(image + AT_ST + i * ST_STEP, DIRTY_BYTE, ST_SIZE);
    memset(image + AT_XMM, DIRTY_BYTE, XMM_END - AT_XMM); // and MXCSR 0: all exceptions unmasked
    memcpy(image + AT_HEADER, &shown, sizeof(shown));
    for (unsigned i = 2; i < 63; i++) {
        struct cpuid r = cpuid(CPUID_XSAVE, i);
        if (shown >> i & 1)
            memset(image + r.ebx, i == PKRU_COMPONENT ? 0 : DIRTY_BYTE, r.eax);
        if ((shown >> i & 1) && i == PKRU_COMPONENT)
            memcpy(image + r.ebx, &pkru, sizeof(pkru));
    }
}

unsigned vectors_dirty(void)
{
    uint64_t cr4 = open(), shown = 0;
    if (has_xsave()) {
        shown = components();
        set_xcr0(shown);
        fill(shown);
        __asm__ volatile("xrstor64 (%0)" : : "r"(image), "a"(-1), "d"(-1) : "memory");
    } else {
        fill(0);
        __asm__ volatile("fxrstor64 (%0)" : : "r"(image) : "memory");
    }
    // A pointer to the last instruction, which no image loads without a pending exception.
    __asm__ volatile("fincstp\n\tfdecstp");
    save(before);
    shut(cr4);
    unsigned count = 5;
    for (unsigned i = 2; i < 63; i++)
        count += shown >> i & 1;
    return count;
}
