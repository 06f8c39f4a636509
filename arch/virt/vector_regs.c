// SPDX-License-Identifier: Apache-2.0
#include "arch/virt/vector_regs.h"

#include "arch/cpu/cpu.h"

#define MXCSR_FLAGS      0x3fu
#define MXCSR_MASKS      0x1f80u
#define MXCSR_MASK_SHIFT 7

struct opened {
    uint64_t cr0, cr4;
};

// Bits that vector instructions need (SDM vol. 3, table 14-2). OSXSAVE is set only for the wide
// registers, because a CPU may lack it.
static struct opened open(bool wide)
{
    struct opened was = {read_cr0(), read_cr4()};

    write_cr0(was.cr0 & ~(CR0_TS | CR0_EM));
    write_cr4(was.cr4 | CR4_OSFXSR | (wide ? CR4_OSXSAVE : 0));
    return was;
}

static void close(struct opened was)
{
    write_cr4(was.cr4);
    write_cr0(was.cr0);
}

// Four tables of 16 entries of 8 bytes. Each entry is one instruction on one register, and a
// return.
#define ENTRIES(BEFORE, AFTER)                                                                     \
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"                                             \
    ".balign 8\n\t" BEFORE "\\n" AFTER "\n\tret\n\t"                                               \
    ".endr\n\t"
enum table { READ, READ_WIDE, WRITE, WRITE_WIDE };

extern const char vector_entries[];
__asm__(
    ".pushsection .text.vector_entries, \"ax\"\n\t.balign 8\n"
    "vector_entries:\n\t" ENTRIES("movups %xmm", ", (%rdi)") ENTRIES("vmovups %ymm", ", (%rdi)")
        ENTRIES("movups (%rdi), %xmm", "") ENTRIES(
            "vmovups (%rdi), %ymm",
            "") ".balign 8\n\t.org vector_entries + 8 * 64\n\t" // an error if an entry is longer
                ".popsection");

static void run(enum table table, unsigned reg, bool wide, void *memory)
{
    struct opened was = open(wide);
    const char *entry = vector_entries + 8 * (16 * ((unsigned)table + wide) + (reg & 15));

    __asm__ volatile("call *%0" : : "r"(entry), "D"(memory) : "memory");
    close(was);
}

bool vector_wide_enabled(void)
{
    struct opened was = open(true);
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    close(was);
    return (low & 6) == 6; // SSE and AVX state (SDM vol. 1, 13.3)
}

void vector_read(unsigned reg, bool wide, struct vector_value *out)
{
    run(READ, reg, wide, out);
}

void vector_write(unsigned reg, bool wide, const struct vector_value *in)
{
    run(WRITE, reg, wide, (void *)(uintptr_t)in);
}

bool vector_convert(uint64_t value, unsigned size, bool to_double, uint64_t *out)
{
    struct opened was = open(false);
    int64_t number = size == 8 ? (int64_t)value : (int32_t)value;
    uint64_t saved[2], result;
    uint32_t before, quiet, after;

    // No exception may be raised here. All are masked, and the flags then show which occurred.
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    quiet = (before | MXCSR_MASKS) & ~MXCSR_FLAGS;
    __asm__ volatile("movups %%xmm0, %[saved]\n\t"
                     "ldmxcsr %[quiet]\n\t"
                     "test %[wide], %[wide]\n\t"
                     "jz 1f\n\t"
                     "cvtsi2sdq %[number], %%xmm0\n\t"
                     "jmp 2f\n\t"
                     "1: cvtsi2ssq %[number], %%xmm0\n\t"
                     "2: movq %%xmm0, %[result]\n\t"
                     "stmxcsr %[after]\n\t"
                     "movups %[saved], %%xmm0"
                     : [saved] "=m"(saved), [result] "=m"(result), [after] "=m"(after)
                     : [quiet] "m"(quiet), [number] "r"(number), [wide] "r"((uint32_t)to_double)
                     : "cc");
    after &= MXCSR_FLAGS;
    quiet = before | after;
    __asm__ volatile("ldmxcsr %0" : : "m"(quiet));
    close(was);
    *out = to_double ? result : (uint32_t)result;
    return !(after & ~(before >> MXCSR_MASK_SHIFT));
}
