// SPDX-License-Identifier: Apache-2.0
// exits.elf: what an exit must not lose. NMIs to a CPU that does nothing but exit, each of which
// has to arrive once, and not in the handler of another; single steps and the shadow of STI over
// instructions that exit; control registers that read as they were written. `kicks=` of the command
// line is the number of NMIs for each loop.

#include "tests/guests/guest.h"

enum {
    DB = 1,
    NMI = 2,
    SELF_VECTOR = 0x52,
    SIPI_PAGE = 0x70,
    TF = 1 << 8,
    CR0_CD = 1u << 30,
    CR0_NE = 1u << 5,
    CR4_VMXE = 1 << 13,
    CR4_MCE = 1 << 6,
    DR6_BS = 1 << 14,
};

// Written by the other CPU, read by the boot CPU.
static volatile uint64_t nmis, nested, rounds;
static volatile bool alive;
// Written by the boot CPU.
static volatile unsigned loop_kind, loop_now = UINT32_MAX;
// Of the boot CPU alone.
static volatile uint64_t steps, step_rips[4], interrupts, interrupt_rip;

static const char *const loop_names[] = {"CPUID", "hypercall", "port", "HLT", "plain"};

static void nmi_handler(struct trap_frame *frame)
{
    static volatile bool inside;
    bool returning = frame->rip >= (uint64_t)trap_common && frame->rip < (uint64_t)trap_end;
    if (inside || returning)
        nested++;
    inside = true;
    nmis++;
    inside = false;
}

static bool is_amd(void)
{
    struct cpuid vendor = cpuid(0, 0);
    return vendor.ebx == 0x68747541 || vendor.ebx == 0x6f677948;
}

// Of a number that no hypercall has.
static uint64_t hypercall(bool amd)
{
    uint64_t result = 0xdead;
    if (amd)
        __asm__ volatile("vmmcall" : "+a"(result));
    else
        __asm__ volatile("vmcall" : "+a"(result));
    return result;
}

static void exit_loop(void)
{
    bool amd = is_amd();
    lapic_enable();
    alive = true;
    for (;;) {
        loop_now = loop_kind;
        rounds++;
        switch (loop_now) {
        case 0:
            cpuid(0, 0);
            break;
        case 1:
            hypercall(amd);
            break;
        case 2:
            inb(0x61);
            break;
        case 3:
            __asm__ volatile("hlt"); // interrupts are off: only an NMI wakes it
            break;
        default:
            pause();
            break;
        }
    }
}

// Sends NMIs one by one, each a little later after the last one's arrival than the one before it.
static void kick(unsigned kind, uint32_t target, uint64_t count)
{
    loop_kind = kind;
    lapic_ipi(target, ICR_NMI | ICR_ASSERT); // out of HLT
    uint64_t end = rdtsc() + FAILED_MS * tsc_khz();
    while (loop_now != kind && rdtsc() < end)
        pause();
    delay_us(1000);
    uint64_t before = nmis, lost = 0;
    for (uint64_t i = 1; i <= count && lost == 0; i++) {
        lapic_ipi(target, ICR_NMI | ICR_ASSERT);
        end = rdtsc() + FAILED_MS * tsc_khz();
        while (nmis - before < i && rdtsc() < end)
            pause();
        lost = i - (nmis - before);
        for (uint64_t wait = 0; wait < i % 131; wait++)
            __asm__ volatile("");
    }
    delay_us(1000);
    check(nmis - before == count, "%lu of %lu NMIs reach a CPU in a loop of %s", nmis - before,
          count, loop_names[kind]);
    check(!nested, "none before the last one's IRET is done (%lu are)", nested);
}

static void step_handler(struct trap_frame *frame)
{
    uint64_t dr6;
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    if (steps < 4)
        step_rips[steps] = dr6 & DR6_BS ? frame->rip : 0;
    __asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
    steps++;
    if (steps == 2)
        frame->rflags &= ~(uint64_t)TF;
}

// Two steps: over an instruction that exits, and over the one behind it.
static void test_steps(void)
{
    uint64_t behind[2];
    set_handler(DB, step_handler);
    steps = 0;
    __asm__ volatile("pushfq\n\t"
                     "orl $0x100, (%%rsp)\n\t"
                     "xor %%eax, %%eax\n\t"
                     "popfq\n\t"
                     "cpuid\n"
                     "1: nop\n"
                     "2: lea 1b(%%rip), %%rax\n\t"
                     "lea 2b(%%rip), %%rdx"
                     : "=a"(behind[0]), "=d"(behind[1])
                     :
                     : "rbx", "rcx", "memory", "cc");
    check(steps == 2 && step_rips[0] == behind[0] && step_rips[1] == behind[1],
          "single steps over CPUID and the instruction behind it (%lu)", steps);
    steps = 0;
    __asm__ volatile("pushfq\n\t"
                     "orl $0x100, (%%rsp)\n\t"
                     "mov $0x61, %%edx\n\t"
                     "popfq\n\t"
                     "in %%dx, %%al\n"
                     "1: nop\n"
                     "2: lea 1b(%%rip), %%rax\n\t"
                     "lea 2b(%%rip), %%rdx"
                     : "=a"(behind[0]), "=d"(behind[1])
                     :
                     : "memory", "cc");
    check(steps == 2 && step_rips[0] == behind[0] && step_rips[1] == behind[1],
          "single steps over IN and the instruction behind it (%lu)", steps);
}

static void self_handler(struct trap_frame *frame)
{
    interrupts++;
    interrupt_rip = frame->rip;
    lapic_eoi();
}

// An interrupt that waits is taken behind the instruction behind STI, and no later.
static void test_sti_shadow(uint32_t id)
{
    uint64_t behind;
    set_handler(SELF_VECTOR, self_handler);
    interrupts = 0;
    lapic_ipi(id, ICR_FIXED | ICR_ASSERT | SELF_VECTOR);
    delay_us(200);
    __asm__ volatile("xor %%eax, %%eax\n\t"
                     "sti\n\t"
                     "cpuid\n"
                     "1: nop\n\t"
                     "nop\n\t"
                     "cli\n\t"
                     "lea 1b(%%rip), %%rax"
                     : "=a"(behind)
                     :
                     : "rbx", "rcx", "rdx", "memory", "cc");
    check(interrupts == 1 && interrupt_rip == behind,
          "an interrupt comes right behind STI and CPUID (%lu, %ld bytes off)", interrupts,
          (long)(interrupt_rip - behind));
}

static uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static int try_cr4(uint64_t value)
{
    trap_vector = UINT32_MAX;
    __asm__ volatile("lea 1f(%%rip), %%rax\n\t"
                     "mov %%rax, recover_rip\n\t"
                     "mov %0, %%cr4\n"
                     "1:"
                     :
                     : "r"(value)
                     : "rax", "memory");
    recover_rip = 0;
    return (int)trap_vector;
}

static void test_control_registers(void)
{
    uint64_t cr0, now, cr4 = read_cr4();
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    uint64_t changes[] = {cr0 | CR0_CD, cr0 & ~(uint64_t)CR0_NE, cr0 | CR0_NE, cr0};
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        __asm__ volatile("mov %1, %%cr0\n\tmov %%cr0, %0" : "=r"(now) : "r"(changes[i]));
        check(now == changes[i], "CR0 reads as written: 0x%lx, 0x%lx", changes[i], now);
    }
    check(try_cr4(cr4 ^ CR4_MCE) == -1 && read_cr4() == (cr4 ^ CR4_MCE),
          "CR4.MCE reads as written");
    check(try_cr4(cr4) == -1 && read_cr4() == cr4, "CR4 as it was");
    if (is_amd())
        return; // QEMU takes reserved bits of CR4, and then does not enter the guest
    check(try_cr4(cr4 | CR4_VMXE) == 13 && read_cr4() == cr4, "setting CR4.VMXE gives #GP");
    check(try_cr4(cr4 | 1ull << 40) == 13 && read_cr4() == cr4, "reserved CR4 bit gives #GP");
}

void run_guest(void)
{
    uint32_t ids[MAX_GUEST_CPUS];
    unsigned cpus = acpi_cpus(ids, MAX_GUEST_CPUS);
    uint64_t count = option_number("kicks", 200);
    print("hello from exits: %u cpus\n", cpus);
    set_handler(NMI, nmi_handler);
    lapic_enable();
    if (!option_is("steps", "no")) // Bochs carries a single step over #VMEXIT into its host
        test_steps();
    test_sti_shadow(lapic_id());
    test_control_registers();
    check(hypercall(is_amd()) == (uint64_t)-1000, "an unknown hypercall is answered -KVM_ENOSYS");
    if (cpus > 1) {
        if (x2apic_available())
            x2apic_enable();
        lapic_enable();
        check(cpu_start(ids[1], SIPI_PAGE, exit_loop), "the other CPU starts");
        for (unsigned kind = 0; kind < sizeof(loop_names) / sizeof(loop_names[0]); kind++)
            kick(kind, ids[1], count);
        print("%lu rounds of the loops\n", rounds);
    }
    check_summary();
}
