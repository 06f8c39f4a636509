// SPDX-License-Identifier: Apache-2.0
// The registers of restart.elf's CPUs but those of XSAVE: the hypervisor's own table says what they
// hold. skip=MSR leaves out one that the emulator has wrong.
#include "arch/virt/reset_state.c"
#include "tests/guests/restart/restart.h"

#define CR0_WRITABLE (CR0_MP | CR0_EM | CR0_TS | CR0_WP | BIT(18)) // AM
#define EFER_SHOWN   (EFER_SCE | EFER_NXE)

enum {
    MOST_MSRS = 64,
    DIRTY_CR2 = 0x4560,
    DIRTY_TPR = 5, // CR8
    DIRTY_DR6 = 0x400f,
    DIRTY_DR7 = 0x33330700,
};

// What was left in MSRs by registers_dirty(), of the one CPU that is looked at after an INIT.
static struct {
    uint32_t msr;
    uint64_t value;
} left[MOST_MSRS];
static unsigned left_count;

#define READ(text, out) __asm__ volatile("mov %%" text ", %0" : "=r"(out))
#define WRITE(text, in) __asm__ volatile("mov %0, %%" text : : "r"((uint64_t)(in)))

static void check_control(const char *when)
{
    uint64_t cr0, cr2, cr3, cr4, tpr, flags;
    READ("cr0", cr0);
    READ("cr2", cr2);
    READ("cr3", cr3);
    READ("cr4", cr4);
    READ("cr8", tpr);
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    check((cr0 & CR0_WRITABLE) == 0, "%s: CR0 has no MP, EM, TS, WP, AM: 0x%lx", when, cr0);
    check(cr2 == reset_value(RESET_CR2), "%s: CR2 0x%lx", when, cr2);
    check(cr4 == (reset_value(RESET_CR4) | CR4_PAE), "%s: CR4 0x%lx", when, cr4);
    check(tpr == 0, "%s: CR8 0x%lx", when, tpr);
    check((rdmsr(MSR_EFER) & EFER_SHOWN) == 0, "%s: EFER 0x%lx", when, rdmsr(MSR_EFER));
    check((flags & ~0x8d5ull) == reset_value(RESET_RFLAGS), "%s: RFLAGS 0x%lx", when, flags);
}

static void check_debug(const char *when)
{
    uint64_t dr[4], dr6, dr7;
    READ("dr0", dr[0]);
    READ("dr1", dr[1]);
    READ("dr2", dr[2]);
    READ("dr3", dr[3]);
    READ("dr6", dr6);
    READ("dr7", dr7);
    uint64_t want = reset_value(RESET_DR0);
    check(dr[0] == want && dr[1] == want && dr[2] == want && dr[3] == want,
          "%s: DR0 to DR3 0x%lx 0x%lx 0x%lx 0x%lx", when, dr[0], dr[1], dr[2], dr[3]);
    check(dr6 == reset_value(RESET_DR6), "%s: DR6 0x%lx", when, dr6);
    check(dr7 == reset_value(RESET_DR7), "%s: DR7 0x%lx", when, dr7);
}

static bool looked_at(const struct reset_register *r)
{
    return r->first != 0 && r->first != option_number("skip", 0) &&
           (r->place == RESET_BY_MSR || r->place == RESET_BY_BACK_END ||
            r->place == RESET_BY_STATE);
}

static uint64_t wanted(const struct reset_register *r, uint32_t msr, bool init)
{
    if (!init || r->kept == 0) {
        return r->value;
    }
    for (unsigned i = 0; i < left_count; i++) {
        if (left[i].msr == msr)
            return left[i].value;
    }
    return r->value;
}

static void check_msrs(const char *when, bool init)
{
    unsigned count;
    const struct reset_register *r = reset_registers(&count);
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t msr = r[i].first; looked_at(&r[i]) && msr <= r[i].last; msr++) {
            uint64_t value, want = wanted(&r[i], msr, init);
            if (try_rdmsr(msr, &value) == -1)
                check(value == want, "%s: MSR 0x%x (%s) 0x%lx", when, msr, r[i].name, value);
        }
    }
}

void registers_check(const char *when, bool init)
{
    check_debug(when); // first: what follows may fault and be caught
    check_control(when);
    check_msrs(when, init);
    vectors_check(when, init);
}

static unsigned dirty_msr(uint32_t msr)
{
    static const uint64_t values[] = {0x7ff123456788, 0x70406, 0x7788, 0x4, 0x2, 0x1};
    uint64_t before, after;
    for (unsigned i = 0; i < left_count; i++) {
        if (left[i].msr == msr)
            return 0; // by another row of the table: two bits of CPUID may announce it
    }
    if (try_rdmsr(msr, &before) != -1 || left_count == MOST_MSRS)
        return 0;
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (try_wrmsr(msr, values[i]) == -1 && try_rdmsr(msr, &after) == -1 && after != before) {
            left[left_count].msr = msr;
            left[left_count].value = after;
            left_count++;
            return 1;
        }
    }
    return 0;
}

unsigned registers_dirty(void)
{
    unsigned count, dirty = vectors_dirty();
    const struct reset_register *r = reset_registers(&count);
    left_count = 0;
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t msr = r[i].first; looked_at(&r[i]) && msr <= r[i].last; msr++)
            dirty += dirty_msr(msr);
    }
    uint64_t cr0, efer = rdmsr(MSR_EFER);
    READ("cr0", cr0);
    WRITE("dr0", 0x1230);
    WRITE("dr1", 0x4560);
    WRITE("dr2", 0x7890);
    WRITE("dr3", 0xabc0);
    WRITE("dr6", DIRTY_DR6);
    WRITE("dr7", DIRTY_DR7);
    WRITE("cr2", DIRTY_CR2);
    WRITE("cr8", DIRTY_TPR);
    WRITE("cr0", cr0 | CR0_WRITABLE);
    wrmsr(MSR_EFER, efer | EFER_SCE);
    return dirty + 11;
}
