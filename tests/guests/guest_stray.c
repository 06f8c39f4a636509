// SPDX-License-Identifier: Apache-2.0
// stray.elf: accesses where the guest has neither RAM nor a device. A PC answers reads with ones
// and drops writes. `do=` of the command line does what even so can't be served; `pages=` touches
// so many pages, again and again.

#include "tests/guests/guest.h"

enum {
    PAGE = 4096,
    PRESENT_WRITABLE = 3,
    SILENT_PORT = 0xe0, // nobody's: reads ones
};

#define NOTHING 0xfed00000u  // a PC's HPET
#define WINDOW  (1ull << 39) // linear pages of the guest's own: nothing, RAM, nothing

static uint64_t pdpt[512] __attribute__((aligned(PAGE)));
static uint64_t pd[512] __attribute__((aligned(PAGE)));
static uint64_t pt[512] __attribute__((aligned(PAGE)));
static uint8_t ram[PAGE] __attribute__((aligned(PAGE)));

#define LOW_EDGE  (WINDOW + PAGE)     // nothing before, RAM from here
#define HIGH_EDGE (WINDOW + 2 * PAGE) // RAM before, nothing from here

static void map_window(void)
{
    pml4[1] = (uint64_t)pdpt | PRESENT_WRITABLE;
    pdpt[0] = (uint64_t)pd | PRESENT_WRITABLE;
    pd[0] = (uint64_t)pt | PRESENT_WRITABLE;
    pt[0] = pt[2] = NOTHING | PRESENT_WRITABLE;
    pt[1] = (uint64_t)ram | PRESENT_WRITABLE;
}

#define READ(type, address)         (*(volatile type *)(address))
#define WRITE(type, address, value) (*(volatile type *)(address) = (value))

static void widths(void)
{
    uint64_t at = NOTHING + 0xf0;
    check(READ(uint8_t, at) == UINT8_MAX, "read 1");
    check(READ(uint16_t, at + 1) == UINT16_MAX, "read 2, misaligned");
    check(READ(uint32_t, at) == UINT32_MAX, "read 4");
    check(READ(uint64_t, at + 3) == UINT64_MAX, "read 8, misaligned");
    WRITE(uint8_t, at, 1);
    WRITE(uint16_t, at + 1, 2);
    WRITE(uint32_t, at, 4);
    WRITE(uint64_t, at, 8);
    check(READ(uint64_t, at) == UINT64_MAX, "writes are dropped");
    check(READ(uint32_t, 0x1c0000000) == UINT32_MAX, "above 4 GiB");
    check(READ(uint32_t, ram_end_low()) == UINT32_MAX, "behind the RAM");
}

static void locked(void)
{
    uint64_t at = NOTHING + 0x100, value = 5, expected = UINT64_MAX;
    bool equal;
    __asm__ volatile("lock xaddq %0, (%1)" : "+r"(value) : "r"(at) : "memory");
    check(value == UINT64_MAX, "lock xadd");
    __asm__ volatile("lock cmpxchgq %3, (%2)"
                     : "=@ccz"(equal), "+a"(expected)
                     : "r"(at), "r"(7ull)
                     : "memory");
    check(equal && expected == UINT64_MAX, "lock cmpxchg of ones");
    expected = 3;
    __asm__ volatile("lock cmpxchgl %k3, (%2)"
                     : "=@ccz"(equal), "+a"(expected)
                     : "r"(at), "r"(7ull)
                     : "memory");
    check(!equal && expected == UINT32_MAX, "lock cmpxchg of something else");
    __asm__ volatile("lock incl (%1)" : "=@ccz"(equal) : "r"(at) : "memory");
    check(equal, "lock inc of ones is zero");
}

static void copy(uint64_t to, uint64_t from, uint64_t count)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static bool all(const volatile uint8_t *bytes, unsigned count, uint8_t value)
{
    for (unsigned i = 0; i < count; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static void strings(void)
{
    memset(ram, 0x5a, PAGE);
    copy((uint64_t)ram, NOTHING + 0xf80, 0x100); // over the end of a page
    check(all(ram, 0x100, 0xff) && ram[0x100] == 0x5a, "rep movs from nothing");
    copy(NOTHING + 0xf80, (uint64_t)ram, 0x100);
    check(READ(uint8_t, NOTHING + 0xf80) == UINT8_MAX, "rep movs to nothing");
    uint64_t to = NOTHING + 0x400, count = 64, value = 0;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    check(count == 0 && to == NOTHING + 0x600, "rep stos");
    uint64_t from = NOTHING;
    __asm__ volatile("lodsl" : "+S"(from), "+a"(value) : : "memory");
    check(value == UINT32_MAX, "lods");
    from = NOTHING, to = (uint64_t)ram, count = 0x200;
    __asm__ volatile("repe cmpsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory", "cc");
    check(count == 0xff, "repe cmps");
    from = NOTHING, to = NOTHING, count = 3;
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(SILENT_PORT) : "memory");
    check(count == 0 && from == NOTHING + 3, "rep outs");
    count = 5;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(SILENT_PORT) : "memory");
    check(count == 0 && to == NOTHING + 5, "rep ins");
}

static void split(void)
{
    bool equal;
    memset(ram, 0x11, PAGE);
    check(READ(uint32_t, HIGH_EDGE - 2) == 0xffff1111, "read, RAM first");
    check(READ(uint64_t, LOW_EDGE - 3) == 0x1111111111ffffff, "read, RAM last");
    WRITE(uint32_t, HIGH_EDGE - 1, 0xaabbccdd);
    check(ram[PAGE - 1] == 0xdd && ram[PAGE - 2] == 0x11, "write, RAM first");
    WRITE(uint64_t, LOW_EDGE - 2, 0x0102030405060708);
    check(READ(uint64_t, ram) == 0x1111010203040506, "write, RAM last");
    uint32_t expected = 0xffffdd11;
    __asm__ volatile("lock cmpxchgl %3, (%2)"
                     : "=@ccz"(equal), "+a"(expected)
                     : "r"(HIGH_EDGE - 2), "r"(0x12345678)
                     : "memory");
    check(equal && ram[PAGE - 2] == 0x78 && ram[PAGE - 1] == 0x56, "lock cmpxchg");
    uint64_t from = HIGH_EDGE - 4, to = LOW_EDGE - 4;
    __asm__ volatile("movsq" : "+S"(from), "+D"(to) : : "memory");
    check(READ(uint32_t, ram) == UINT32_MAX, "movs of two");
}

// The firmware's last page is there, and can't be written.
static void read_only(void)
{
    uint64_t at = 0xfffffff0, value = 1, before = READ(uint64_t, at);
    check(before != UINT64_MAX, "the reset vector is there");
    WRITE(uint32_t, at, 0x12345678);
    check(READ(uint64_t, at) == before, "a write to it is dropped");
    __asm__ volatile("lock xaddq %0, (%1)" : "+r"(value) : "r"(at) : "memory");
    check(value == before && READ(uint64_t, at) == before, "lock xadd reads it");
}

static void unserved(void)
{
    uint64_t nothing = 0x1c0000000;
    if (option_is("do", "fetch")) {
        ((void (*)(void))nothing)();
    } else if (option_is("do", "tables")) {
        pml4[2] = nothing | PRESENT_WRITABLE;
        (void)READ(uint8_t, 2ull << 39);
    } else if (option_is("do", "stack")) {
        __asm__ volatile("mov %0, %%rsp; int3" : : "r"(nothing + 0x800) : "memory");
    } else if (option_is("do", "descriptors")) {
        struct __attribute__((packed)) {
            uint16_t limit;
            uint64_t base;
        } pointer = {0xfff, nothing};
        __asm__ volatile("lidt %0; int3" : : "m"(pointer));
    } else if (option_is("do", "fxsave")) {
        __asm__ volatile("fxsave (%0)" : : "r"(nothing) : "memory");
    }
}

void run_guest(void)
{
    uint64_t pages = option_number("pages", 0);
    if (pages > 0) {
        print("touching %lu pages\n", pages);
        for (;;) {
            for (uint64_t i = 0; i < pages; i++)
                (void)READ(uint8_t, 0x100000000 + i * PAGE);
        }
    }
    map_window();
    unserved();
    widths();
    locked();
    strings();
    split();
    read_only();
    check_summary();
    finish();
}
