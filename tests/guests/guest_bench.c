// SPDX-License-Identifier: Apache-2.0
// bench.elf: what single operations cost, in TSC ticks net of an empty pair of RDTSC; the least of
// many tries. Under QEMU's -icount a tick is an instruction. Prints `bench NAME VALUE`; the same
// image gives the bare figures. Interrupts are on only where one is wanted.

#include "tests/guests/guest.h"

enum {
    TRIES = 64,
    BENCH_VECTOR = 0x55,
};

// In boot.asm's spirit: handlers as short as they can be, behind the runtime's back.
extern const uint8_t bench_handler_x2apic[], bench_handler_xapic[], bench_handler_pf[];
__asm__(".text\n"
        "bench_handler_x2apic:\n"
        "  push %rax; push %rcx; push %rdx\n"
        "  mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
        "  pop %rdx; pop %rcx; pop %rax\n"
        "  iretq\n"
        "bench_handler_xapic:\n"
        "  push %rcx\n"
        "  mov $0xfee000b0, %ecx\n"
        "  movl $0, (%rcx)\n"
        "  pop %rcx\n"
        "  iretq\n"
        // A page fault ends by skipping the two bytes of `mov (%rsi), %al`.
        "bench_handler_pf:\n"
        "  add $8, %rsp\n"
        "  addq $2, (%rsp)\n"
        "  iretq\n");

struct idt_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void set_gate(unsigned vector, const uint8_t *handler)
{
    struct idt_pointer pointer;
    __asm__ volatile("sidt %0" : "=m"(pointer));
    uint16_t *gate = (uint16_t *)(pointer.base + vector * 16);
    uint64_t address = (uint64_t)handler;
    gate[0] = (uint16_t)address;
    gate[3] = (uint16_t)(address >> 16);
    *(uint32_t *)(gate + 4) = (uint32_t)(address >> 32);
}

// The code between the two readings; RSI and R9 to R11 are its inputs, RAX to RDX its scratch.
#define TIME(code, rsi_value, r9_value)                                                            \
    ({                                                                                             \
        uint32_t least_ = UINT32_MAX;                                                              \
        for (int try_ = 0; try_ < TRIES; try_++) {                                                 \
            uint32_t ticks_;                                                                       \
            uint64_t in_rsi_ = (uint64_t)(rsi_value);                                              \
            register uint64_t in_r9_ __asm__("r9") = (uint64_t)(r9_value);                         \
            __asm__ volatile("rdtsc\n\tmov %%eax, %%r8d\n\t" code "\n\trdtsc\n\tsub %%r8d, %%eax"  \
                             : "=&a"(ticks_), "+S"(in_rsi_), "+r"(in_r9_)                          \
                             :                                                                     \
                             : "rbx", "rcx", "rdx", "r8", "r10", "r11", "memory", "cc");           \
            if (ticks_ < least_)                                                                   \
                least_ = ticks_;                                                                   \
        }                                                                                          \
        least_;                                                                                    \
    })

static uint32_t empty;

static void report(const char *name, uint32_t ticks)
{
    print("bench %s %d\n", name, (int)(ticks - empty));
}

static void bench_common(bool amd, bool partition)
{
    report("cpuid", TIME("xor %%eax, %%eax\n\tcpuid", 0, 0));
    // Leaves that a program asks for when it starts: with subleaves, and beyond the last.
    report("cpuid_1", TIME("mov $1, %%eax\n\tcpuid", 0, 0));
    report("cpuid_7", TIME("mov $7, %%eax\n\txor %%ecx, %%ecx\n\tcpuid", 0, 0));
    report("cpuid_d_0", TIME("mov $0xd, %%eax\n\txor %%ecx, %%ecx\n\tcpuid", 0, 0));
    report("cpuid_d_5", TIME("mov $0xd, %%eax\n\tmov $5, %%ecx\n\tcpuid", 0, 0));
    report("cpuid_4", TIME("mov $4, %%eax\n\tmov $1, %%ecx\n\tcpuid", 0, 0));
    report("cpuid_8000001d", TIME("mov $0x8000001d, %%eax\n\tmov $1, %%ecx\n\tcpuid", 0, 0));
    report("cpuid_80000008", TIME("mov $0x80000008, %%eax\n\tcpuid", 0, 0));
    if (partition) {
        uint32_t ticks;
        if (amd)
            ticks = TIME("mov $0xdead, %%eax\n\tvmmcall", 0, 0);
        else
            ticks = TIME("mov $0xdead, %%eax\n\tvmcall", 0, 0);
        report("hypercall", ticks);
    }
    report("port_61_read", TIME("mov $0x61, %%edx\n\tin %%dx, %%al", 0, 0));
    uint64_t cr3;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    report("cr3_load", TIME("mov %%r9, %%cr3", 0, cr3));
    set_gate(14, bench_handler_pf);
    // Beyond the first 512 GiB nothing is mapped.
    report("page_fault", TIME("mov (%%rsi), %%al", 1ull << 40, 0));
    report("rdtsc", TIME("rdtsc", 0, 0));
}

static void bench_xapic(void)
{
    report("xapic_eoi", TIME("movl $0, (%%rsi)", 0xfee000b0, 0));
    report("xapic_tpr_write", TIME("movl $0, (%%rsi)", 0xfee00080, 0));
    report("xapic_tpr_read", TIME("mov (%%rsi), %%eax", 0xfee00080, 0));
    set_gate(BENCH_VECTOR, bench_handler_xapic);
    report("xapic_self_ipi", TIME("movl $0x44055, (%%rsi)\n\tsti\n\tnop\n\tcli", 0xfee00300, 0));
    report("xapic_hlt_wake", TIME("movl $0x44055, (%%rsi)\n\tsti\n\thlt\n\tcli", 0xfee00300, 0));
}

static void bench_x2apic(void)
{
    report("x2apic_eoi",
           TIME("mov $0x80b, %%ecx\n\txor %%eax, %%eax\n\txor %%edx, %%edx\n\twrmsr", 0, 0));
    report("x2apic_tpr_write",
           TIME("mov $0x808, %%ecx\n\txor %%eax, %%eax\n\txor %%edx, %%edx\n\twrmsr", 0, 0));
    report("x2apic_timer_arm", TIME("mov $0x838, %%ecx\n\tmov $0x7fffffff, %%eax\n\t"
                                    "xor %%edx, %%edx\n\twrmsr",
                                    0, 0));
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    set_gate(BENCH_VECTOR, bench_handler_x2apic);
    report("x2apic_self_ipi", TIME("mov $0x83f, %%ecx\n\tmov $0x55, %%eax\n\txor %%edx, %%edx\n\t"
                                   "wrmsr\n\tsti\n\tnop\n\tcli",
                                   0, 0));
    // The interrupt waits when HLT starts, so what is measured is not the idle time.
    report("x2apic_hlt_wake", TIME("mov $0x83f, %%ecx\n\tmov $0x55, %%eax\n\txor %%edx, %%edx\n\t"
                                   "wrmsr\n\tsti\n\thlt\n\tcli",
                                   0, 0));
    // A timer tick through the guest's IDT out of HLT: 1000 timer clocks pass in between, and they
    // are the same bare and in a partition.
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_LVT_TIMER, BENCH_VECTOR);
    report("x2apic_timer_wake", TIME("mov $0x838, %%ecx\n\tmov $1000, %%eax\n\txor %%edx, %%edx\n\t"
                                     "wrmsr\n\tsti\n\thlt\n\tcli",
                                     0, 0));
    // The ICR is checked by the hypervisor: an exit.
    report("x2apic_icr_ipi", TIME("mov $0x830, %%ecx\n\tmov $0x44055, %%eax\n\txor %%edx, %%edx\n\t"
                                  "wrmsr\n\tsti\n\tnop\n\tcli",
                                  0, 0));
}

void run_guest(void)
{
    struct cpuid vendor = cpuid(0, 0);
    bool amd = vendor.ebx == 0x68747541 || vendor.ebx == 0x6f677948; // Authentic, Hygon
    bool partition = cpuid(1, 0).ecx >> 31 && cpuid(0x40000000, 0).eax >= 0x40000010;
    // QEMU's own leaves, when bare, hold the signature of its accelerator.
    if (cpuid(0x40000000, 0).ebx == 0x54474354)
        partition = false;
    print("hello from bench: %s\n", partition ? "partition" : "bare");
    empty = TIME("", 0, 0);
    print("bench empty_pair %u\n", empty);
    lapic_enable();
    bench_common(amd, partition);
    if (!x2apic_on())
        bench_xapic();
    if (x2apic_available()) {
        x2apic_enable();
        lapic_enable();
        bench_x2apic();
    }
    print("bench done\n");
}
