// SPDX-License-Identifier: Apache-2.0
// The engine of the processor's checks: runs a few bytes of code in a mode and a ring of the
// processor until the first exception or interrupt, and tells what it was and what the registers
// held. The code ends with an interrupt of the engine's own, which is no exception: "end".

#ifndef TESTS_GUESTS_EQUIV_ENGINE_H
#define TESTS_GUESTS_EQUIV_ENGINE_H

#include "tests/guests/equiv/equiv.h"
#include "tests/guests/equiv/text.h"

// The low area, which every mode reaches: modes.inc has the same numbers.
enum {
    LOW_BASE = 0x60000, // segments of 16-bit modes begin here
    LOW_IVT = 0x61000,
    LOW_CODE = 0x62000,
    LOW_DATA = 0x64000, // two pages
    LOW_STACK = 0x66000,
    LOW_KERNEL_STACK = 0x68000, // the end of one page
    LOW_LEGACY = 0x68000,
    LOW_TSS32 = 0x69000, // with an I/O map of 8 KiB
    LOW_END = 0x6c000,
    STACK_START = LOW_STACK + 0xf00,
    ENGINE_PAGE = 4096,
};

// Vectors that the engine takes besides the exceptions.
enum {
    VECTOR_SOFT = 0x80, // a gate for every ring
    VECTOR_END = 0x81,
    VECTOR_PENDING = 0x52,
    VECTOR_SPURIOUS = 0xff,
};

// A mode of the processor and a ring in it.
enum place {
    REAL,
    V86,
    P16_0,
    P16_3,
    P32_0,
    P32_3,
    C32_0,
    C32_3,
    L64_0,
    L64_3,
    PLACES,
};

#define AT(place)     (1u << (place))
#define IN_ALL        ((1u << PLACES) - 1)
#define IN_RING0      (AT(P16_0) | AT(P32_0) | AT(C32_0) | AT(L64_0))
#define IN_RING3      (AT(P16_3) | AT(P32_3) | AT(C32_3) | AT(L64_3))
#define IN_REAL_V86   (AT(REAL) | AT(V86))
#define IN_64         (AT(L64_0) | AT(L64_3))
#define IN_FEW        (AT(REAL) | AT(V86) | AT(P32_0) | AT(L64_0) | AT(L64_3))
#define IN_THREE      (AT(REAL) | AT(L64_0) | AT(L64_3))
#define IN_KERNEL_FEW (AT(REAL) | AT(P32_0) | AT(L64_0))
#define IN_USER_FEW   (AT(V86) | AT(P32_3) | AT(C32_3) | AT(L64_3))

enum {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
};

enum {
    FLAG_CF = 1 << 0,
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_TF = 1 << 8,
    FLAG_IF = 1 << 9,
    FLAG_DF = 1 << 10,
    FLAG_OF = 1 << 11,
    FLAG_IOPL3 = 3 << 12,
    FLAG_NT = 1 << 14,
    FLAG_RF = 1 << 16,
    FLAG_VM = 1 << 17,
    FLAG_AC = 1 << 18,
    FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
    FLAGS_ALL = FLAGS_ARITHMETIC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL3 | FLAG_NT | FLAG_RF |
                FLAG_VM | FLAG_AC,
};

enum {
    MAX_STEPS = 12,
};

struct step {
    int moved;
    uint32_t dr6, flags;
};

struct run {
    enum place place;
    uint64_t r[16]; // by the numbers of the instruction set; before and after
    uint64_t start[16];
    uint64_t rflags;
    uint64_t cr0_set, cr0_clear, cr4_set, cr4_clear;
    uint64_t cr3;       // of paging outside long mode, with cr0_set
    uint64_t code;      // linear address of the code; it is copied there unless it is in place
    bool in_place;      // the bytes are at `code` already, `length` says where they end
    uint16_t ds, ss;    // 0: the place's own
    unsigned max_steps; // #DB so often is recorded, and the code goes on

    unsigned vector;
    uint32_t error;
    uint64_t cr2, dr6;
    int moved; // from the code's first byte
    bool ended;
    uint16_t cs_after, ss_after;
    uint64_t rip_after;
    unsigned steps;
    struct step step[MAX_STEPS];
};

// What describe() shows besides the end.
enum {
    SHOW_A = 1 << RAX,
    SHOW_C = 1 << RCX,
    SHOW_D = 1 << RDX,
    SHOW_B = 1 << RBX,
    SHOW_SP = 1 << RSP, // as distance from where it was
    SHOW_SI = 1 << RSI, // likewise
    SHOW_DI = 1 << RDI, // likewise
    SHOW_ARITHMETIC = 1 << 8,
    SHOW_FLAGS = 1 << 9,
    SHOW_DR6 = 1 << 10,
    SHOW_DATA8 = 1 << 11, // the first bytes of the data pages
    SHOW_DATA16 = 1 << 12,
    SHOW_CS = 1 << 13,
    SHOW_A16 = 1 << 14, // the low half of EAX
};

// To be called first and last. In between the page tables are the engine's: ring 3 has the low
// area and nothing else.
void engine_start(void);
void engine_stop(void);

// Registers with recognizable contents, rDI at the data pages, which are filled, rSP at a stack.
void run_init(struct run *r, enum place place);
void run_bytes(struct run *r, const void *bytes, size_t length);
// The address within the place's segments.
uint64_t place_offset(enum place place, uint64_t linear);
const char *place_name(enum place place);
bool place_is_16(enum place place);
bool place_usable(enum place place);  // `v86=no` on the command line leaves that mode out
bool place_is_long(enum place place); // or compatibility mode
unsigned place_ring(enum place place);

// "end" or "#GP(0x0)+2", and what `show` asks for.
void describe(struct text *t, const struct run *r, unsigned show);
void describe_steps(struct text *t, const struct run *r);
// One check: name is PREFIX.PLACE, or PREFIX alone.
void report(const char *prefix, const struct run *r, unsigned show);
void report_as(const char *name, const struct run *r, unsigned show);
// Runs and reports in 64-bit mode.
void check64(const char *name, enum place place, const void *bytes, size_t length, unsigned show);

// Bytes of code from a string.
#define CODE(string) (string), (sizeof(string) - 1)

// Assembles `text` (Intel's syntax, 64-bit code) and runs it.
#define RUN64(run, text)                                                                           \
    do {                                                                                           \
        const uint8_t *start_, *end_;                                                              \
        __asm__(".pushsection .rodata\n\t.intel_syntax noprefix\n771:\n\t" text                    \
                "\n772:\n\t.att_syntax prefix\n\t.popsection\n\tmovl $771b, %k0\n\t"               \
                "movl $772b, %k1"                                                                  \
                : "=r"(start_), "=r"(end_));                                                       \
        run_bytes((run), start_, (size_t)(end_ - start_));                                         \
    } while (0)
// One check in 64-bit mode. Further arguments are statements that change `r` before it runs.
#define CHECK64(name, place, show, text, ...)                                                      \
    do {                                                                                           \
        struct run r;                                                                              \
        run_init(&r, (place));                                                                     \
        __VA_ARGS__;                                                                               \
        RUN64(&r, text);                                                                           \
        report_as((name), &r, (show));                                                             \
    } while (0)

// ---- registers that C reads and writes
#define DEFINE_REGISTER(name)                                                                      \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                     \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_##name(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }
DEFINE_REGISTER(cr0)
DEFINE_REGISTER(cr2)
DEFINE_REGISTER(cr3)
DEFINE_REGISTER(cr4)
DEFINE_REGISTER(dr0)
DEFINE_REGISTER(dr1)
DEFINE_REGISTER(dr6)
DEFINE_REGISTER(dr7)
#undef DEFINE_REGISTER

enum {
    CR0_PE = 1 << 0,
    CR0_MP = 1 << 1,
    CR0_EM = 1 << 2,
    CR0_TS = 1 << 3,
    CR0_ET = 1 << 4,
    CR0_NE = 1 << 5,
    CR0_WP = 1 << 16,
    CR0_AM = 1 << 18,
    CR4_TSD = 1 << 2,
    CR4_DE = 1 << 3,
    CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5,
    CR4_PGE = 1 << 7,
    CR4_PCE = 1 << 8,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11,
    CR4_FSGSBASE = 1 << 16,
    CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
    CR4_PKE = 1 << 22,
    DR6_NONE = 0xffff0ff0,
    DR7_NONE = 0x400,
    EFER_SCE = 1 << 0,
    EFER_NXE = 1 << 11,
};
#define CR0_PG          0x80000000ull
#define MSR_EFER_NUMBER 0xc0000080u

#endif
