// SPDX-License-Identifier: Apache-2.0
// What VT-x's exits come to: every exit that is unconditional or asked for by a control has a case
// that does what the sensitive-instruction table says, and others would be noticed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// The VMCS is an array here: the header's own functions get another name.
#define vmread  hardware_vmread
#define vmwrite hardware_vmwrite
#include "arch/vmx/vmx.h"
#undef vmread
#undef vmwrite

static uint64_t vmcs[0x8000];

static uint64_t vmread(enum vmcs_field field)
{
    return vmcs[field];
}

static void vmwrite(enum vmcs_field field, uint64_t value)
{
    vmcs[field] = value;
}

#include "arch/memory/percpu.h"
static struct cpu fake_cpu;
#define this_cpu() (&fake_cpu)

#include "tests/unit/fake_exits.h"

#include "arch/vmx/exit.c"

void vmx_get_state(struct vcpu *v, struct virt_state *out)
{
    (void)v;
    *out = (struct virt_state){.mode = DECODE_64};
}

void vmx_complete(struct vcpu *v, uint64_t rip, uint64_t rflags, uint64_t hits)
{
    (void)v, (void)rflags, (void)hits;
    vmwrite(VMCS_GUEST_RIP, rip);
}

void vmx_debug_trap(uint64_t hits)
{
    (void)hits;
}

void vmx_task_switch(struct vcpu *v, struct guest_regs *r)
{
    (void)v, (void)r;
    fake_called = "task switch";
}

void vmx_unblock_nmi(void) {}

void vmx_reflect(uint32_t event, uint64_t qualification)
{
    (void)event, (void)qualification;
    fake_called = "reflect";
}

void vmx_deliver_again(uint32_t event)
{
    (void)event;
}

void vmx_halted(struct vcpu *v)
{
    (void)v;
}

void vmx_nmi_window(struct vcpu *v)
{
    (void)v;
    fake_called = "nmi window";
}

uint64_t vmx_cr4(void)
{
    return 0;
}

bool vmx_cr_exit(struct vcpu *v, struct guest_regs *regs, uint64_t qualification)
{
    (void)v, (void)regs, (void)qualification;
    fake_called = "cr";
    return false;
}

bool vmx_xsetbv(struct vcpu *v, const struct guest_regs *regs)
{
    (void)v, (void)regs;
    fake_called = "xsetbv";
    return true;
}

void vmx_entry_refused(struct vcpu *v, struct guest_regs *regs, uint64_t reason)
{
    (void)v, (void)regs, (void)reason;
}

void panic(const char *format, ...)
{
    fail_msg("panic: %s", format);
    __builtin_unreachable();
}

#define HERE  0x1000
#define THERE 0x1003

static struct vcpu vcpu;
static struct guest_regs regs;

static void exit_with(unsigned reason, uint64_t event)
{
    memset(vmcs, 0, sizeof(vmcs));
    vmcs[VMCS_GUEST_RIP] = HERE;
    vmcs[VMCS_EXIT_LENGTH] = THERE - HERE;
    vmcs[VMCS_EXIT_EVENT] = event;
    fake_called = NULL;
    dispatch(&vcpu, &regs, reason, false);
}

static bool moved(void)
{
    return vmcs[VMCS_GUEST_RIP] == THERE;
}

// By which reason a control makes an instruction exit (SDM volume 3, appendix C).
static const struct {
    enum vmx_word word;
    uint32_t mask;
    unsigned reason;
} reasons[] = {
    {WORD_PIN, PIN_NMI, VMX_EXIT_EXCEPTION_NMI},
    {WORD_PROC, PROC_MWAIT, VMX_EXIT_MWAIT},
    {WORD_PROC, PROC_MONITOR, VMX_EXIT_MONITOR},
    {WORD_PROC, PROC_RDPMC, VMX_EXIT_RDPMC},
    {WORD_PROC, PROC_NMI_WINDOW, VMX_EXIT_NMI_WINDOW},
    {WORD_PROC, PROC_IO_BITMAPS, VMX_EXIT_IO},
    {WORD_PROC, PROC_MSR_BITMAPS, VMX_EXIT_RDMSR},
    {WORD_PROC, PROC_MSR_BITMAPS, VMX_EXIT_WRMSR},
    {WORD_PROC, PROC_MSR_BITMAPS, VMX_EXIT_RDMSR_IMMEDIATE},
    {WORD_PROC, PROC_MSR_BITMAPS, VMX_EXIT_WRMSR_IMMEDIATE},
    {WORD_PROC2, PROC2_EPT, VMX_EXIT_EPT_VIOLATION},
    {WORD_PROC2, PROC2_WBINVD, VMX_EXIT_WBINVD},
    {WORD_PROC2, PROC2_ENCLS, VMX_EXIT_ENCLS},
    {WORD_PROC2, PROC2_ENCLV, VMX_EXIT_ENCLV},
};

static const uint64_t an_nmi = EVENT_VALID | EVENT_OF_TYPE(EVENT_TYPE_NMI) | VECTOR_NMI;

static unsigned exits_seen;
static bool reason_has_row[128];

static void exit_is_done(const struct sensitive_row *row, unsigned reason)
{
    exit_with(reason, an_nmi);
    expect_what_row_says(row, moved());
    reason_has_row[reason] = true;
    exits_seen++;
}

static void row_is_done(const struct sensitive_row *row)
{
    if (row->vmx.how != EXITS && row->vmx.how != UNLESS) {
        return;
    }
    for (unsigned i = 0; i < MAX_REFS; i++) {
        const struct ref *r = &row->vmx.by[i];
        if (r->kind == REF_ALWAYS) {
            exit_is_done(row, r->word);
        }
        for (unsigned k = 0; k < ARRAY_SIZE(reasons) && r->kind == REF_VMX_ON; k++) {
            if (reasons[k].word == (enum vmx_word)r->word && (reasons[k].mask & r->mask) != 0) {
                exit_is_done(row, reasons[k].reason);
            }
        }
    }
}

static void rows_are_done(void **state)
{
    (void)state;
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    exits_seen = 0;
    memset(reason_has_row, 0, sizeof(reason_has_row));
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            row_is_done(&groups[g]->rows[i]);
        }
    }
    assert_true(exits_seen > 40);
}

// And what has a case has a row, but for the few that the table speaks of in other words.
static void cases_have_rows(void **state)
{
    (void)state;
    rows_are_done(state);
    unsigned cases = 0;
    for (unsigned reason = 0; reason < ARRAY_SIZE(reason_has_row); reason++) {
        if (reason == VMX_EXIT_EPT_MISCONFIGURATION || reason == VMX_EXIT_CR ||
            reason == VMX_EXIT_VMFUNC || reason == VMX_EXIT_RSM ||
            reason == VMX_EXIT_INTERRUPT_WINDOW || reason == VMX_EXIT_PREEMPTION_TIMER ||
            reason == VMX_EXIT_HLT) {
            continue; // our own bug; kept bits; #UD before they could exit; 8259s and timers
        }
        exit_with(reason, an_nmi);
        bool asked = fake_called == NULL || strstr(fake_called, "not asked for") == NULL;
        if (asked && !reason_has_row[reason]) {
            fail_msg("exit reason %u is handled, but no row names it", reason);
        }
        cases += asked;
    }
    assert_true(cases > 25);
}

static void undefined_instructions(void **state)
{
    (void)state;
    static const unsigned undefined[] = {
        VMX_EXIT_GETSEC,   VMX_EXIT_RSM,    VMX_EXIT_ENCLS,           VMX_EXIT_ENCLV,
        VMX_EXIT_SEAMCALL, VMX_EXIT_TDCALL, VMX_EXIT_RDMSR_IMMEDIATE, VMX_EXIT_WRMSR_IMMEDIATE};
    for (unsigned i = 0; i < ARRAY_SIZE(undefined); i++) {
        exit_with(undefined[i], 0);
        assert_non_null(fake_called);
        assert_string_equal(fake_called, "undefined");
        assert_false(moved());
    }
}

static void exceptions_are_given_back(void **state)
{
    (void)state;
    for (unsigned vector = 0; vector < 32; vector++) {
        exit_with(VMX_EXIT_EXCEPTION_NMI,
                  EVENT_VALID | EVENT_OF_TYPE(EVENT_TYPE_EXCEPTION) | vector);
        bool given = vector == EXCEPTION_DB || vector == EXCEPTION_AC;
        assert_non_null(fake_called);
        assert_int_equal(strcmp(fake_called, "reflect") == 0, given);
        assert_false(moved());
    }
}

static void an_end(void **state)
{
    (void)state;
    exit_with(VMX_EXIT_TRIPLE_FAULT, 0);
    assert_string_equal(fake_called, "end");
    exit_with(VMX_EXIT_INIT, 0);
    assert_null(fake_called);
    assert_false(moved());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_done),
        cmocka_unit_test(cases_have_rows),
        cmocka_unit_test(undefined_instructions),
        cmocka_unit_test(exceptions_are_given_back),
        cmocka_unit_test(an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
