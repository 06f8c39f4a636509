// SPDX-License-Identifier: Apache-2.0
// Code of one instruction and a return for each operation and operand size, at steps of eight
// bytes. None of them accesses memory; all are unprivileged.
#include "hv/emulate/compute.h"

#include "arch/cpu/cpuid.h"
#include "arch/cpu/register_bits.h"
#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"

#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define ENTRY_SIZE   8

#define ENTRY(TEXT) ".balign 8\n\t" TEXT "\n\tret\n\t"
#define ONE(OP)     ENTRY(OP "b %cl") ENTRY(OP "w %cx") ENTRY(OP "l %ecx") ENTRY(OP "q %rcx")
#define SHIFT(OP)                                                                                  \
    ENTRY(OP "b %cl, %al")                                                                         \
    ENTRY(OP "w %cl, %ax") ENTRY(OP "l %cl, %eax") ENTRY(OP "q %cl, %rax")
#define LONG(OP) ENTRY(OP " %ecx, %eax") ENTRY(OP " %rcx, %rax")
#define TWO(OP)  ENTRY("nop") ENTRY(OP " %cx, %ax") LONG(OP)
#define DOUBLE(OP)                                                                                 \
    ENTRY("nop")                                                                                   \
    ENTRY(OP " %cl, %dx, %ax") ENTRY(OP " %cl, %edx, %eax") ENTRY(OP " %cl, %rdx, %rax")
// The operand that VEX names is in rDX: the first source (SECOND), or the last (LAST).
#define SECOND(OP) ENTRY(OP " %ecx, %edx, %eax") ENTRY(OP " %rcx, %rdx, %rax")
#define LAST(OP)   ENTRY(OP " %edx, %ecx, %eax") ENTRY(OP " %rdx, %rcx, %rax")

extern const char compute_entries[] __attribute__((visibility("hidden")));

// In the order of enum insn_op from INSN_MUL on. From INSN_ADCX on there are two sizes each.
// clang-format off
__asm__(".pushsection .text.compute, \"ax\"\n\t.balign 8\n"
        "compute_entries:\n\t"
        ONE("mul") ONE("imul") ONE("div") ONE("idiv")
        SHIFT("rol") SHIFT("ror") SHIFT("rcl") SHIFT("rcr") SHIFT("shl") SHIFT("shr") SHIFT("sar")
        ENTRY("crc32b %cl, %eax") ENTRY("crc32w %cx, %eax") ENTRY("crc32l %ecx, %eax") ENTRY("crc32q %rcx, %rax")
        TWO("imul") TWO("imul")
        DOUBLE("shld") DOUBLE("shrd")
        TWO("bsf") TWO("bsr") TWO("popcnt") TWO("tzcnt") TWO("lzcnt")
        LONG("adcx") LONG("adox")
        SECOND("andn") LAST("bextr")
        LONG("blsi") LONG("blsmsk") LONG("blsr")
        LAST("bzhi") SECOND("mulx") SECOND("pdep") SECOND("pext")
        LAST("sarx") LAST("shlx") LAST("shrx")
        ".balign 8\n\t.org compute_entries + 8 * 112\n\t" // fails if an entry is longer
        ".popsection");
// clang-format on

// Whether the processor has the CPUID bit that an instruction needs. The check is needed although
// the guest's processor has executed an instruction there: memory may hold another one by now.
static bool available(enum insn_op op)
{
    uint32_t leaf = 1;
    uint32_t mask;

    if (op == INSN_CRC32) {
        mask = CPUID_1_ECX_SSE4_2;
    } else if (op == INSN_POPCNT) {
        mask = CPUID_1_ECX_POPCNT;
    } else if (op < INSN_ADCX) {
        return true; // processors without TZCNT and LZCNT execute BSF and BSR
    } else {
        leaf = 7;
        mask = op <= INSN_ADOX   ? CPUID_7_EBX_ADX
               : op <= INSN_BLSR ? CPUID_7_EBX_BMI1
                                 : CPUID_7_EBX_BMI2;
    }
    uint32_t eax = 0, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (eax < leaf)
        return false;
    eax = leaf;
    ecx = 0;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (leaf == 7 ? ebx : ecx) & mask;
}

// Calls the entry with the computation's registers and flags.
static void run(const char *function, struct computation *c)
{
    uint64_t flags = (c->rflags & STATUS_FLAGS) | 2;

    // Moves below the red zone, which exists in the tests' processes.
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "push %[flags]\n\t"
                     "popfq\n\t"
                     "call *%[function]\n\t"
                     "pushfq\n\t"
                     "pop %[flags]\n\t"
                     "lea 128(%%rsp), %%rsp"
                     : "+a"(c->rax), "+d"(c->rdx), "+c"(c->rcx), [flags] "+b"(flags)
                     : [function] "S"(function)
                     : "memory", "cc");
    c->rflags = (c->rflags & ~STATUS_FLAGS) | (flags & STATUS_FLAGS);
}

static const char *entry_of(enum insn_op op, unsigned size)
{
    unsigned log2 = (unsigned)__builtin_ctz(size);
    unsigned entry = op < INSN_ADCX
                         ? 4u * (op - INSN_MUL) + log2
                         : 4u * (INSN_ADCX - INSN_MUL) + 2u * (op - INSN_ADCX) + log2 - 2u;

    return compute_entries + ENTRY_SIZE * entry;
}

// Whether DIV or IDIV raises #DE: rDX and rAX (AX alone for 1 byte) by rCX.
static bool compute_overflows(enum insn_op op, unsigned size, const struct computation *c)
{
    uint64_t mask = size_mask(size);
    uint64_t sign = mask ^ mask >> 1;
    uint64_t high = (size == 1 ? c->rax >> 8 : c->rdx) & mask;
    uint64_t low = c->rax & mask;
    uint64_t divisor = c->rcx & mask;

    if (op == INSN_DIV)
        return high >= divisor;

    // A negative quotient may have the magnitude of the smallest number, one more than a positive
    // one.
    uint64_t limit = (high ^ divisor) & sign ? sign : sign - 1;
    if (high & sign) {
        high = (~high + (low == 0)) & mask;
        low = -low & mask;
    }
    if (divisor & sign)
        divisor = -divisor & mask;
    if (high >= divisor)
        return true;
    struct computation m = {.rax = size == 1 ? high << 8 | low : low, .rdx = high, .rcx = divisor};
    run(entry_of(INSN_DIV, size), &m);
    return (m.rax & mask) > limit;
}

bool compute(enum insn_op op, unsigned size, struct computation *c)
{
    if (!available(op) || ((op == INSN_DIV || op == INSN_IDIV) && compute_overflows(op, size, c)))
        return false;
    run(entry_of(op, size), c);
    return true;
}
