// SPDX-License-Identifier: Apache-2.0
// INS and OUTS: widths, REP, direction, address sizes, segments, page crossings, faults on the way,
// and who may: I/O privilege level and I/O map.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

enum {
    SCRATCH = COM1 + 7,  // of the UART: reads what was written
    PCI_ADDRESS = 0xcf8, // likewise, 32 bits
    NOWHERE = 0x1e8,     // reads all ones
    PAST_PAGE = 0xffe,
};

#define SHOW_STRING (SHOW_C | SHOW_SI | SHOW_DI)

static void set_scratch(uint8_t value)
{
    outb(SCRATCH, value);
}

// What the bytes do, from [rSI] or to [rDI], in each place that has the privilege.
static const struct {
    const char *name, *bytes;
    unsigned length;
    uint16_t port;
    uint32_t rflags;
    uint64_t count;
} rows[] = {
    {"string.insb", "\x6c", 1, SCRATCH, 0, 5},
    {"string.insw", "\x66\x6d", 2, NOWHERE, 0, 5},
    {"string.insd", "\x6d", 1, PCI_ADDRESS, 0, 5},
    {"string.rep-insb", "\xf3\x6c", 2, SCRATCH, 0, 5},
    {"string.rep-insb-zero", "\xf3\x6c", 2, SCRATCH, 0, 0},
    {"string.rep-insb-down", "\xf3\x6c", 2, SCRATCH, FLAG_DF, 3},
    {"string.rep-insd", "\xf3\x6d", 2, PCI_ADDRESS, 0, 3},
    {"string.repne-insb", "\xf2\x6c", 2, SCRATCH, 0, 3},
    {"string.outsb", "\x6e", 1, SCRATCH, 0, 5},
    {"string.outsd", "\x6f", 1, NOWHERE, 0, 5},
    {"string.rep-outsb", "\xf3\x6e", 2, SCRATCH, 0, 4},
    {"string.rep-outsb-zero", "\xf3\x6e", 2, SCRATCH, 0, 0},
    {"string.rep-outsb-down", "\xf3\x6e", 2, SCRATCH, FLAG_DF, 4},
    {"string.rep-outsw", "\xf3\x66\x6f", 3, NOWHERE, 0, 3},
    {"string.addr-insb", "\x67\xf3\x6c", 3, SCRATCH, 0, 2},
    {"string.addr-outsb", "\x67\xf3\x6e", 3, SCRATCH, 0, 2},
};

static void report_with_port(const char *name, const struct run *r, unsigned show)
{
    struct text t = {0}, whole = {0};
    describe(&t, r, show);
    text_item(&t, "scratch", inb(SCRATCH));
    text_add(&whole, name);
    text_add(&whole, ".");
    text_add(&whole, place_name(r->place));
    outcome(whole.s, "%s", t.s);
}

static void forms(void)
{
    static const enum place in[] = {REAL, P32_0, C32_3, L64_0, L64_3};
    segments_open_ports(0, 0xffff);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned p = 0; p < sizeof(in) / sizeof(in[0]); p++) {
            struct run r;
            uint8_t code[8];
            if (!place_usable(in[p]))
                continue;
            // A 16-bit address in a flat segment is that of somebody else's memory.
            if (rows[i].bytes[0] == 0x67 && in[p] == P32_0)
                continue;
            run_init(&r, in[p]);
            r.rflags |= FLAG_IOPL3 | rows[i].rflags;
            r.r[RCX] = rows[i].count;
            r.r[RDX] = rows[i].port;
            set_scratch(0x5a);
            outl(PCI_ADDRESS, 0x80000004);
            code[0] = 0x66; // the address register is there for all of its 32 bits only
            unsigned prefix = rows[i].port == PCI_ADDRESS && place_is_16(in[p]) ? 1 : 0;
            memcpy(code + prefix, rows[i].bytes, rows[i].length);
            run_bytes(&r, code, rows[i].length + prefix);
            report_with_port(rows[i].name, &r, SHOW_STRING | SHOW_DATA8);
        }
    }
}

#define STRING64(name, place, text, ...)                                                           \
    CHECK64(name, place, SHOW_STRING | SHOW_DATA8, text, r.rflags |= FLAG_IOPL3;                   \
            r.r[RDX] = SCRATCH; set_scratch(0x5a); __VA_ARGS__)

// The window's second page is absent unless said otherwise.
static void pages(void)
{
    window_map(0, frame_entry(0, PTE_ALL));
    window_map(1, 0);
    STRING64("string.fault.outsb-middle", L64_3, "rep outsb", r.r[RSI] = WINDOW + PAST_PAGE;
             r.r[RCX] = 5);
    outcome("string.fault.outsb-middle-port", "scratch 0x%x", inb(SCRATCH));
    STRING64("string.fault.insb-middle", L64_3, "rep insb", r.r[RDI] = WINDOW + PAST_PAGE;
             r.r[RCX] = 5);
    STRING64("string.fault.insb-first", L64_0, "rep insb", r.r[RDI] = WINDOW + 0x1000;
             r.r[RCX] = 5);
    STRING64("string.fault.insb-down", L64_0, "std; rep insb", r.r[RDI] = WINDOW + 0x2002;
             r.r[RCX] = 5; window_map(2, frame_entry(0, PTE_ALL)));
    STRING64("string.fault.insd-split", L64_0, "insd", r.r[RDI] = WINDOW + PAST_PAGE;
             r.r[RDX] = PCI_ADDRESS);
    STRING64("string.fault.outsd-split", L64_3, "outsd", r.r[RSI] = WINDOW + PAST_PAGE;
             r.r[RDX] = PCI_ADDRESS);
    window_map(0, frame_entry(0, PTE_P | PTE_U));
    STRING64("string.fault.insb-read-only", L64_3, "rep insb", r.r[RDI] = WINDOW; r.r[RCX] = 2);
    window_map(0, frame_entry(0, PTE_P | PTE_W));
    STRING64("string.fault.insb-supervisor", L64_3, "rep insb", r.r[RDI] = WINDOW; r.r[RCX] = 2);
    STRING64("string.fault.outsb-supervisor", L64_3, "rep outsb", r.r[RSI] = WINDOW; r.r[RCX] = 2);
    STRING64("string.noncanonical.outsb", L64_0, "rep outsb", r.r[RSI] = 1ull << 63; r.r[RCX] = 2);
    STRING64("string.noncanonical.insb", L64_0, "insb", r.r[RDI] = 1ull << 63);
    window_map(0, frame_entry(0, PTE_ALL));
    window_map(1, frame_entry(1, PTE_ALL));
    STRING64("string.cross.insb", L64_3, "rep insb", r.r[RDI] = WINDOW + PAST_PAGE; r.r[RCX] = 5);
    outcome("string.cross.insb-memory", "0x%x 0x%x", engine_frames[0][4095], engine_frames[1][2]);
    STRING64("string.cross.insd", L64_0, "insd", r.r[RDI] = WINDOW + PAST_PAGE;
             r.r[RDX] = PCI_ADDRESS; outl(PCI_ADDRESS, 0x80010204));
    outcome("string.cross.insd-memory", "0x%x 0x%x 0x%x 0x%x", engine_frames[0][4094],
            engine_frames[0][4095], engine_frames[1][0], engine_frames[1][1]);
    STRING64("string.cross.outsd", L64_0, "outsd", r.r[RSI] = WINDOW + PAST_PAGE;
             r.r[RDX] = PCI_ADDRESS; outl(PCI_ADDRESS, 0));
    outcome("string.cross.outsd-port", "0x%x", inl(PCI_ADDRESS));
    STRING64("string.cross.outsb-large", L64_0, "rep outsb", r.r[RSI] = WINDOW; r.r[RCX] = 5000);
    window_map(1, 0);
}

static void segments(void)
{
    wrmsr(0xc0000100, LOW_DATA + 0x40);
    STRING64("string.segment.fs-outsb", L64_0, "fs outsb", r.r[RSI] = 0);
    outcome("string.segment.fs-outsb-port", "scratch 0x%x", inb(SCRATCH));
    STRING64("string.segment.fs-insb", L64_0, ".byte 0x64, 0x6c", r.r[RDI] = LOW_DATA);
    wrmsr(0xc0000100, 0);
    static const enum place in[] = {P32_0, P32_3, C32_3};
    static const uint16_t selectors[] = {SEL_SMALL, SEL_READ_ONLY};
    static const char *const names[] = {"string.limit.insb", "string.limit.ro-insb"};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned s = 0; s < 2; s++) {
            struct run r;
            run_init(&r, in[i]);
            r.rflags |= FLAG_IOPL3;
            r.r[RAX] = selectors[s];
            r.r[RDX] = SCRATCH;
            r.r[RCX] = 4;
            r.r[RDI] = s == 0 ? 0xe : LOW_DATA; // the segment ends at 0xf
            set_scratch(0x5a);
            run_bytes(&r, CODE("\x8e\xc0\xf3\x6c"));
            report(names[s], &r, SHOW_C);
        }
        struct run r;
        run_init(&r, in[i]);
        r.rflags |= FLAG_IOPL3;
        r.r[RAX] = SEL_SMALL;
        r.r[RDX] = SCRATCH;
        r.r[RCX] = 4;
        r.r[RSI] = 0xe;
        run_bytes(&r, CODE("\x8e\xd8\xf3\x6e"));
        report("string.limit.outsb", &r, SHOW_C);
    }
    // In real mode offset 0xffff is the last.
    struct run r;
    run_init(&r, REAL);
    r.r[RDX] = SCRATCH;
    r.r[RCX] = 4;
    r.r[RDI] = 0xfffe;
    run_bytes(&r, CODE("\x67\xf3\x6c"));
    report("string.limit.insb", &r, SHOW_C);
    run_init(&r, REAL);
    r.r[RDX] = NOWHERE;
    r.r[RCX] = 4;
    r.r[RSI] = 0xfffe;
    run_bytes(&r, CODE("\xf3\x6e"));
    report("string.segment.wrap-outsb", &r, SHOW_C | SHOW_SI);
}

#define IN_PORTS (AT(V86) | AT(P32_3) | AT(L64_3))

#define PORT_ROWS(suffix, flags)                                                                   \
    ROW("insn.in.imm8" suffix, "\xe4\x61", IN_PORTS, 0, .rflags = (flags)),                        \
        ROW("insn.in.dx" suffix, "\xec", IN_PORTS, 0, .rdx = SCRATCH, .rflags = (flags)),          \
        ROW("insn.out.dx" suffix, "\xee", IN_PORTS, 0, .rdx = SCRATCH, .rflags = (flags)),         \
        ROW("insn.ins" suffix, "\x6c", IN_PORTS, 0, .rdx = SCRATCH, .rflags = (flags)),            \
        ROW("insn.outs" suffix, "\x6e", IN_PORTS, 0, .rdx = SCRATCH, .rflags = (flags))

static const struct insn_row closed[] = {PORT_ROWS(".closed", 0)};
static const struct insn_row mapped[] = {
    PORT_ROWS(".map", 0),
    // The last byte of the access is closed.
    ROW("insn.in.map-edge", "\xed", AT(L64_3) | AT(P32_3), 0, .rdx = SCRATCH - 1),
    ROW("insn.in.map-before", "\xec", AT(L64_3) | AT(P32_3), 0, .rdx = 0x60),
    ROW("insn.in.map-end", "\xed", AT(L64_3) | AT(P32_3), 0, .rdx = 0xffff),
};
static const struct insn_row by_level[] = {PORT_ROWS(".iopl3", FLAG_IOPL3)};
static const struct insn_row registers[] = {
    // 32-bit results clear the upper half, others leave it.
    ROW("insn.in.byte-upper", "\xec", AT(L64_0) | AT(L64_3), SHOW_A, .rax = 0x1122334455667788,
        .rdx = NOWHERE, .rflags = FLAG_IOPL3),
    ROW("insn.in.word-upper", "\x66\xed", AT(L64_0), SHOW_A, .rax = 0x1122334455667788,
        .rdx = NOWHERE),
    ROW("insn.in.dword-upper", "\xed", AT(L64_0), SHOW_A, .rax = 0x1122334455667788,
        .rdx = NOWHERE),
    ROW("insn.in.rex", "\x48\xed", AT(L64_0), SHOW_A, .rax = 0x1122334455667788, .rdx = NOWHERE),
    ROW("insn.out.back", "\xee\x30\xc0\xec", IN_KERNEL_FEW, SHOW_A, .rax = 0x77, .rdx = SCRATCH),
    ROW("insn.out.imm8", "\xe6\x80", IN_KERNEL_FEW, 0),
    ROW("insn.in.high-dx", "\xec", AT(L64_0), SHOW_A16, .rax = 0x10, .rdx = 0xffff0000 | NOWHERE),
};

void checks_string_io(void)
{
    segments_open_ports(1, 0);
    RUN_ROWS(closed);
    segments_open_ports(0x61, SCRATCH);
    RUN_ROWS(mapped);
    segments_open_ports(1, 0);
    RUN_ROWS(by_level);
    RUN_ROWS(registers);
    forms();
    pages();
    segments();
    segments_open_ports(1, 0);
}
