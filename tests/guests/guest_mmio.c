// SPDX-License-Identifier: Apache-2.0
// mmio.elf: what a compiler makes of an access to a device register. Each instruction is executed
// on a word of RAM and on the APIC timer's initial count, a register of 32 plain bits, with the
// same general registers, vector registers and flags; both must end alike. In a partition the
// device's page is trapped, so the second is the hypervisor's emulation, while the first is the
// processor's own. A line `value` for each is compared with that of the bare machine. With wide=no
// on the command line the accesses of another size than 4 bytes are left out: some emulators stop
// at those; with carry=no RCL and RCR, which QEMU lets change CF before it finds that they may not
// write.

#include "tests/guests/guest.h"
#include "tests/guests/pci.h"

enum {
    APIC = 0xfee00000,
    IOAPIC = 0xfec00000,
    IOAPIC_WINDOW = IOAPIC + 0x10,
    IOAPIC_VERSION = 1,
    FLAGS = 0xcd5, // CF, PF, AF, ZF, SF, DF, OF
    CR4_OSFXSR = 1 << 9,
    CR4_OSXSAVE = 1 << 18,
};

enum feature { ANY, CARRY, SSE41, SSE42, POPCNT, MOVBE, ABM, BMI1, BMI2, ADX, AVX, AVX2 };

struct state {
    uint64_t rax, rcx, rdx, rflags;
    uint8_t vectors[2][32]; // registers 0 and 1
};

struct row {
    const char *name;
    uint8_t feature;
    uint8_t size;
    uint8_t bytes[12];
};

#define I(NAME, FEATURE, ...)                                                                      \
    {                                                                                              \
        NAME, FEATURE, sizeof((uint8_t[]){__VA_ARGS__}),                                           \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

// The operand is at (%rsi).
static const struct row rows[] = {
    I("mov", ANY, 0x8b, 0x0e),
    I("mov-to", ANY, 0x89, 0x0e),
    I("add", ANY, 0x03, 0x0e),
    I("adc-to", ANY, 0x11, 0x0e),
    I("cmp", ANY, 0x39, 0x0e),
    I("xadd", ANY, 0x0f, 0xc1, 0x0e),
    I("cmpxchg", ANY, 0x0f, 0xb1, 0x0e),
    I("bts", ANY, 0x0f, 0xba, 0x2e, 5),
    I("movbe", MOVBE, 0x0f, 0x38, 0xf0, 0x0e),
    I("mul", ANY, 0xf7, 0x26),
    I("imul-rax", ANY, 0xf7, 0x2e),
    I("imul", ANY, 0x0f, 0xaf, 0x0e),
    I("imul-3", ANY, 0x6b, 0x0e, 3),
    I("imul-imm", ANY, 0x69, 0x0e, 0x12, 0x34, 0x56, 0x78),
    I("div", ANY, 0x31, 0xd2, 0xf7, 0x36), // xor %edx, %edx first
    I("idiv", ANY, 0x99, 0xf7, 0x3e),      // cltd first
    I("rol", ANY, 0xd1, 0x06),
    I("ror", ANY, 0xc1, 0x0e, 9),
    I("rcl", CARRY, 0xd3, 0x16),
    I("rcr", CARRY, 0xc1, 0x1e, 3),
    I("shl", ANY, 0xd3, 0x26),
    I("shr", ANY, 0xd1, 0x2e),
    I("sar", ANY, 0xc1, 0x3e, 31),
    I("shld", ANY, 0x0f, 0xa4, 0x16, 7),
    I("shrd", ANY, 0x0f, 0xad, 0x16),
    I("bsf", ANY, 0x0f, 0xbc, 0x0e),
    I("bsr", ANY, 0x0f, 0xbd, 0x0e),
    I("popcnt", POPCNT, 0xf3, 0x0f, 0xb8, 0x0e),
    I("tzcnt", BMI1, 0xf3, 0x0f, 0xbc, 0x0e),
    I("lzcnt", ABM, 0xf3, 0x0f, 0xbd, 0x0e),
    I("crc32", SSE42, 0xf2, 0x0f, 0x38, 0xf1, 0x0e),
    I("cmovl", ANY, 0x0f, 0x4c, 0x0e),
    I("cmovnbe", ANY, 0x0f, 0x47, 0x0e),
    I("adcx", ADX, 0x66, 0x0f, 0x38, 0xf6, 0x0e),
    I("adox", ADX, 0xf3, 0x0f, 0x38, 0xf6, 0x0e),
    I("andn", BMI1, 0xc4, 0xe2, 0x68, 0xf2, 0x0e),
    I("bextr", BMI1, 0xc4, 0xe2, 0x68, 0xf7, 0x0e),
    I("blsi", BMI1, 0xc4, 0xe2, 0x68, 0xf3, 0x1e),
    I("blsmsk", BMI1, 0xc4, 0xe2, 0x68, 0xf3, 0x16),
    I("blsr", BMI1, 0xc4, 0xe2, 0x68, 0xf3, 0x0e),
    I("bzhi", BMI2, 0xc4, 0xe2, 0x68, 0xf5, 0x0e),
    I("mulx", BMI2, 0xc4, 0xe2, 0x7b, 0xf6, 0x0e),
    I("pdep", BMI2, 0xc4, 0xe2, 0x6b, 0xf5, 0x0e),
    I("pext", BMI2, 0xc4, 0xe2, 0x6a, 0xf5, 0x0e),
    I("rorx", BMI2, 0xc4, 0xe3, 0x7b, 0xf0, 0x0e, 13),
    I("sarx", BMI2, 0xc4, 0xe2, 0x6a, 0xf7, 0x0e),
    I("shlx", BMI2, 0xc4, 0xe2, 0x69, 0xf7, 0x0e),
    I("shrx", BMI2, 0xc4, 0xe2, 0x6b, 0xf7, 0x0e),
    I("movd", ANY, 0x66, 0x0f, 0x6e, 0x06),
    I("movd-to", ANY, 0x66, 0x0f, 0x7e, 0x06),
    I("movss", ANY, 0xf3, 0x0f, 0x10, 0x06),
    I("movss-to", ANY, 0xf3, 0x0f, 0x11, 0x06),
    I("cvtsi2sd", ANY, 0xf2, 0x0f, 0x2a, 0x06),
    I("cvtsi2ss", ANY, 0xf3, 0x0f, 0x2a, 0x06),
    I("pinsrd", SSE41, 0x66, 0x0f, 0x3a, 0x22, 0x06, 2),
    I("insertps", SSE41, 0x66, 0x0f, 0x3a, 0x21, 0x06, 0x12),
    I("pextrd", SSE41, 0x66, 0x0f, 0x3a, 0x16, 0x06, 3),
    I("vmovd", AVX, 0xc5, 0xf9, 0x6e, 0x06),
    I("vmovss", AVX, 0xc5, 0xfa, 0x10, 0x06),
    I("vcvtsi2sd", AVX, 0xc5, 0xf3, 0x2a, 0x06),
    I("vpinsrd", AVX, 0xc4, 0xe3, 0x71, 0x22, 0x06, 1),
    I("vbroadcastss", AVX, 0xc4, 0xe2, 0x7d, 0x18, 0x06),
    I("vpbroadcastd", AVX2, 0xc4, 0xe2, 0x7d, 0x58, 0x06),
};

static bool wide_vectors;
static volatile unsigned divide_errors;
static uint64_t register_address = APIC + LAPIC_TIMER_INITIAL;
static bool read_only; // what is written to it has no effect
// A page of its own: Bochs 3.0 forgets an instruction while it executes it if its operand is in its
// page.
static uint8_t code[4096] __attribute__((aligned(4096)));
static uint8_t ram[4];

static uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value));
}

static bool has(enum feature feature)
{
    struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0), more = cpuid(0x80000001, 0);
    if (cpuid(0, 0).eax < 7)
        seven = (struct cpuid){0, 0, 0, 0};
    switch (feature) {
    case CARRY:
        return !option_is("carry", "no");
    case SSE41:
        return one.ecx >> 19 & 1;
    case SSE42:
        return one.ecx >> 20 & 1;
    case POPCNT:
        return one.ecx >> 23 & 1;
    case MOVBE:
        return one.ecx >> 22 & 1;
    case ABM:
        return more.ecx >> 5 & 1;
    case BMI1:
        return seven.ebx >> 3 & 1;
    case BMI2:
        return seven.ebx >> 8 & 1;
    case ADX:
        return seven.ebx >> 19 & 1;
    case AVX:
        return wide_vectors;
    case AVX2:
        return wide_vectors && (seven.ebx >> 5 & 1);
    default:
        return true;
    }
}

static void open_vectors(void)
{
    uint32_t ecx = cpuid(1, 0).ecx;
    uint64_t cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"((cr0 | 2) & ~12ull)); // MP; neither TS nor EM
    write_cr4(read_cr4() | CR4_OSFXSR);
    wide_vectors = (ecx >> 26 & 1) && (ecx >> 28 & 1);
    if (wide_vectors) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        __asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
    }
}

// Executes `code` with the operand's address in RSI.
static void execute(struct state *s, uint64_t operand)
{
    if (wide_vectors)
        __asm__ volatile("vmovups 32(%0), %%ymm0\n\tvmovups 64(%0), %%ymm1" : : "r"(s) : "memory");
    else
        __asm__ volatile("movups 32(%0), %%xmm0\n\tmovups 64(%0), %%xmm1" : : "r"(s) : "memory");
    register struct state *state __asm__("r8") = s;
    register const uint8_t *function __asm__("r9") = code;
    __asm__ volatile("pushq 24(%%r8)\n\tpopfq\n\t"
                     "mov (%%r8), %%rax\n\tmov 8(%%r8), %%rcx\n\tmov 16(%%r8), %%rdx\n\t"
                     "call *%%r9\n\t"
                     "pushfq\n\tpopq 24(%%r8)\n\tcld\n\t"
                     "mov %%rax, (%%r8)\n\tmov %%rcx, 8(%%r8)\n\tmov %%rdx, 16(%%r8)"
                     :
                     : "r"(state), "r"(function), "S"(operand)
                     : "rax", "rcx", "rdx", "memory", "cc");
    if (wide_vectors)
        __asm__ volatile("vmovups %%ymm0, 32(%0)\n\tvmovups %%ymm1, 64(%0)" : : "r"(s) : "memory");
    else
        __asm__ volatile("movups %%xmm0, 32(%0)\n\tmovups %%xmm1, 64(%0)" : : "r"(s) : "memory");
    s->rflags &= FLAGS;
}

static void set_code(const uint8_t *bytes, unsigned size)
{
    memcpy(code, bytes, size);
    code[size] = 0xc3; // RET
}

static uint32_t read32(uint64_t address)
{
    uint32_t value;
    __asm__ volatile("mov %1, %0" : "=r"(value) : "m"(*(volatile uint32_t *)address) : "memory");
    return value;
}

static void write32(uint64_t address, uint32_t value)
{
    __asm__ volatile("mov %0, %1" : : "r"(value), "m"(*(volatile uint32_t *)address) : "memory");
}

static void divide_error(struct trap_frame *frame)
{
    divide_errors++;
    frame->rip += 2;
}

// Everything in one number, for the line that is compared.
static uint64_t digest(const struct state *s, uint32_t memory)
{
    const uint8_t *bytes = (const uint8_t *)s;
    uint64_t sum = memory;
    for (unsigned i = 0; i < sizeof(*s); i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3;
    return sum;
}

static void test_row(const struct row *r)
{
    static const uint32_t values[] = {0x12345678, 0, 0x80000001, 0xffffffff, 7};
    uint64_t sum = 0;
    bool good = true;
    if (!has(r->feature))
        return;
    for (unsigned i = 0; i < 10; i++) {
        struct state start = {0x87654321, 0xfedcba9876543203 + i, 0x105, i & 1 ? 0x8d5 : 2, {{0}}};
        for (unsigned n = 0; n < 64; n++)
            start.vectors[n / 32][n % 32] = wide_vectors || !(n & 16) ? (uint8_t)(n * 11 + i) : 0;
        struct state by_cpu = start, by_device = start;
        uint32_t value = read_only ? read32(register_address) : values[i / 2], result;
        unsigned errors = divide_errors;
        set_code(r->bytes, r->size);
        memcpy(ram, &value, 4);
        execute(&by_cpu, (uint64_t)ram);
        memcpy(&result, ram, 4);
        unsigned cpu_errors = divide_errors - errors;
        write32(register_address, value);
        execute(&by_device, register_address);
        good &= memcmp(&by_cpu, &by_device, sizeof(by_cpu)) == 0;
        good &= read_only || read32(register_address) == result;
        good &= divide_errors - errors == 2 * cpu_errors;
        sum = (sum ^ digest(&by_device, result) ^ cpu_errors) * 0x9e3779b97f4a7c15;
    }
    check(good, "%s is the same on RAM and on a device", r->name);
    print("value %s 0x%lx.\n", r->name, sum);
}

// Other sizes, on the IOAPIC: beyond the four bytes of its window there is nothing.
static void test_wide(uint32_t version)
{
    static const uint8_t push[] = {0xff, 0x36, 0x58}; // push (%rsi); pop %rax
    static const uint8_t pop[] = {0x51, 0x8f, 0x06};  // push %rcx; pop (%rsi)
    static const uint8_t movq[] = {0x66, 0x48, 0x0f, 0x6e, 0x06};
    static const uint8_t movups[] = {0x0f, 0x10, 0x06};
    static const uint8_t set[] = {0x0f, 0x93, 0x06}; // setnc (%rsi)
    struct state s = {0};
    uint8_t expected[32] = {0};
    memcpy(expected, &version, 4);

    set_code(push, sizeof(push));
    execute(&s, IOAPIC_WINDOW);
    check(s.rax == version, "push of 8 bytes reads the window: 0x%lx", s.rax);
    set_code(movq, sizeof(movq));
    memset(s.vectors, 0x5a, 16);
    execute(&s, IOAPIC_WINDOW);
    check(memcmp(s.vectors[0], expected, 16) == 0, "movq reads the window");
    set_code(movups, sizeof(movups));
    memset(s.vectors, 0x5a, 16);
    execute(&s, IOAPIC_WINDOW);
    check(memcmp(s.vectors[0], expected, 8) == 0, "movups reads the window");
    s.rcx = 0;
    set_code(pop, sizeof(pop));
    execute(&s, IOAPIC);
    check(read32(IOAPIC) == 0, "pop of 8 bytes writes the index: 0x%x", read32(IOAPIC));
    s.rflags = 2;
    set_code(set, sizeof(set));
    execute(&s, IOAPIC);
    check(read32(IOAPIC) == 1, "setcc writes the index: 0x%x", read32(IOAPIC));
}

// With page=msix on the command line the register is a message's data in an MSI-X table, which
// keeps what is written; with page=config it is a function's ID in configuration space.
static bool choose_register(void)
{
    static pci_where_t found[PCI_ALL_FUNCTIONS];
    bool config = option_is("page", "config");
    if (!config && !option_is("page", "msix"))
        return true;
    unsigned count = pci_find(PCI_ANY, PCI_ANY, found, PCI_ALL_FUNCTIONS);
    for (unsigned i = 0; i < count; i++) {
        unsigned msix = pci_capability(found[i], PCI_CAP_MSIX);
        if (msix == 0)
            continue;
        uint32_t place = pci_read(found[i], msix + PCI_MSIX_TABLE, 4);
        pci_command(found[i], PCI_COMMAND_MEMORY, 0);
        read_only = config;
        register_address =
            config ? pci_ecam(found[i], 0) : pci_bar(found[i], place & 7) + (place & ~7u) + 8;
        return register_address != 0;
    }
    return false;
}

void run_guest(void)
{
    if (!choose_register()) {
        check(false, "there is a device with MSI-X");
        check_summary();
        return;
    }
    print("register at 0x%lx\n", register_address);
    set_handler(0, divide_error);
    lapic_enable();
    lapic_write(LAPIC_LVT_TIMER, 1 << 16 | TIMER_VECTOR);
    open_vectors();
    print("avx: %s\n", wide_vectors ? "yes" : "no");
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        test_row(&rows[i]);
    check(divide_errors > 0 || read_only, "divisions by 0 were counted: %u", divide_errors);

    write32(IOAPIC, IOAPIC_VERSION);
    uint32_t version = read32(IOAPIC_WINDOW);
    if (!option_is("wide", "no"))
        test_wide(version);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    check_summary();
}
