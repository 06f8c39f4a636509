// SPDX-License-Identifier: Apache-2.0
// The checks on the guest state: states that the processor takes pass, and each way of breaking one
// is named. Rules: SDM volume 3, 27.3.1.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/register_bits.h"
#include "arch/vmx/check.h"

static const struct vmx_limits limits = {
    .cr0_fixed0 = 0x80000021,
    .cr0_fixed1 = 0xffffffff,
    .cr4_fixed0 = 0x2000,
    .cr4_fixed1 = 0x3727ff,
    .phys_bits = 39,
};

// As after a SIPI.
static struct vmx_guest_state real_mode(void)
{
    struct vmx_guest_state s = {
        .cr0 = 0x30,
        .cr4 = 0x2000,
        .dr7 = 0x400,
        .rflags = 2,
        .pat = 0x0007040600070406,
        .link_pointer = ~0ull,
        .gdtr_limit = 0xffff,
        .idtr_limit = 0xffff,
    };
    for (unsigned i = VMCS_ES; i <= VMCS_GS; i++) {
        s.segment[i] = (struct vmx_segment_state){.limit = 0xffff, .rights = 0x93};
    }
    s.segment[VMCS_CS] = (struct vmx_segment_state){0x8000, 0xffff, 0x9b, 0x800};
    s.segment[VMCS_LDTR] = (struct vmx_segment_state){.limit = 0xffff, .rights = 0x82};
    s.segment[VMCS_TR] = (struct vmx_segment_state){.limit = 0xffff, .rights = 0x8b};
    return s;
}

static struct vmx_guest_state long_mode(void)
{
    struct vmx_guest_state s = real_mode();
    s.cr0 = 0x80000031;
    s.cr3 = 0x1000;
    s.cr4 = 0x2020;
    s.efer = 0x500;
    s.entry_controls = ENTRY_IA32E_GUEST;
    s.rip = 0xffffffff81000000;
    for (unsigned i = VMCS_ES; i <= VMCS_GS; i++) {
        s.segment[i] = (struct vmx_segment_state){0, 0xffffffff, 0xc093, 0x18};
    }
    s.segment[VMCS_CS] = (struct vmx_segment_state){0, 0xffffffff, 0xa09b, 0x10};
    return s;
}

static struct vmx_guest_state v86_mode(void)
{
    struct vmx_guest_state s = real_mode();
    s.cr0 = 0x31;
    s.rflags = 0x20202;
    for (unsigned i = VMCS_ES; i <= VMCS_GS; i++) {
        s.segment[i] = (struct vmx_segment_state){0x12340, 0xffff, 0xf3, 0x1234};
    }
    return s;
}

static void test_good_states(void **state)
{
    (void)state;
    uint64_t value = 0;
    struct vmx_guest_state s = real_mode();
    assert_null(vmx_check_guest(&s, &limits, &value));
    s = long_mode();
    assert_null(vmx_check_guest(&s, &limits, &value));
    s = v86_mode();
    assert_null(vmx_check_guest(&s, &limits, &value));

    s = long_mode(); // compatibility mode in ring 3, null data segments, halted never
    s.segment[VMCS_CS].rights = 0xc0fb;
    s.segment[VMCS_SS].rights = 0xc0f3;
    s.segment[VMCS_DS].rights = RIGHTS_UNUSABLE;
    s.segment[VMCS_DS].base = ~0ull;
    s.segment[VMCS_LDTR].rights = RIGHTS_UNUSABLE;
    s.segment[VMCS_LDTR].base = BIT(60);
    s.rip = 0xffffffff;
    assert_null(vmx_check_guest(&s, &limits, &value));

    s = long_mode(); // asleep, with an NMI to deliver
    s.activity = ACTIVITY_HLT;
    s.entry_event = (uint32_t)(EVENT_VALID | EVENT_OF_TYPE(EVENT_TYPE_NMI) | 2);
    assert_null(vmx_check_guest(&s, &limits, &value));

    s = long_mode(); // stepping over STI
    s.rflags = 0x302;
    s.interruptibility = BLOCKED_BY_STI;
    s.pending_debug = DR6_BS;
    assert_null(vmx_check_guest(&s, &limits, &value));

    s = real_mode(); // PAE paging
    s.cr0 = 0x80000031;
    s.cr4 = 0x2020;
    s.pdpte[0] = 0x5001;
    s.pdpte[3] = ~1ull; // not present: ignored
    assert_null(vmx_check_guest(&s, &limits, &value));
}

// Expects the state to fail a check whose name contains `name`.
static void fails(const struct vmx_guest_state *s, const char *name)
{
    uint64_t value = 0;
    const char *failed = vmx_check_guest(s, &limits, &value);
    if (failed == NULL || strstr(failed, name) == NULL) {
        fail_msg("expected '%s', got '%s'", name, failed != NULL ? failed : "(passes)");
    }
}

#define BREAK(start, name, change)                                                                 \
    do {                                                                                           \
        struct vmx_guest_state s = start();                                                        \
        change;                                                                                    \
        fails(&s, name);                                                                           \
    } while (0)

static void test_control_registers(void **state)
{
    (void)state;
    BREAK(real_mode, "CR0: a bit that VT-x demands", s.cr0 = 0x10);
    BREAK(real_mode, "CR0: a bit that VT-x forbids", s.cr0 |= BIT(40));
    BREAK(real_mode, "PG without PE", s.cr0 |= BIT(31));
    BREAK(real_mode, "CR4: a bit that VT-x demands", s.cr4 = 0);
    BREAK(real_mode, "CR4: a bit that this processor", s.cr4 |= BIT(12));
    BREAK(real_mode, "IA32_DEBUGCTL", s.debugctl = 4);
    BREAK(long_mode, "without CR0.PG", s.cr0 = 0x31);
    BREAK(long_mode, "without CR4.PAE", s.cr4 = 0x2000);
    BREAK(real_mode, "PCIDE", s.cr4 |= BIT(17));
    BREAK(long_mode, "CR3", s.cr3 = BIT(39));
    BREAK(long_mode, "DR7", s.dr7 = BIT(32));
}

static void test_msrs(void **state)
{
    (void)state;
    BREAK(long_mode, "SYSENTER_ESP", s.sysenter_esp = BIT(47));
    BREAK(long_mode, "SYSENTER_EIP", s.sysenter_eip = BIT(63));
    BREAK(long_mode, "PAT", s.pat = 2);
    BREAK(long_mode, "PAT", s.pat = 0x0800000000000000);
    BREAK(long_mode, "EFER: reserved", s.efer |= BIT(12));
    BREAK(long_mode, "LMA: not as", s.efer = 0x100);
    BREAK(real_mode, "LMA: not as", s.efer = 0x500);
    BREAK(long_mode, "LME and LMA", s.efer = 0x400);
}

static void test_segments(void **state)
{
    (void)state;
    BREAK(real_mode, "TR: selector", s.segment[VMCS_TR].selector = 4);
    BREAK(real_mode, "LDTR: selector", s.segment[VMCS_LDTR].selector = 4);
    BREAK(long_mode, "TR: base", s.segment[VMCS_TR].base = BIT(47));
    BREAK(long_mode, "FS: base", s.segment[VMCS_FS].base = BIT(47));
    BREAK(long_mode, "GS: base", s.segment[VMCS_GS].base = BIT(62));
    BREAK(long_mode, "LDTR: base", s.segment[VMCS_LDTR].base = BIT(47));
    BREAK(long_mode, "CS: base", s.segment[VMCS_CS].base = BIT(32));
    BREAK(long_mode, "SS, DS or ES", s.segment[VMCS_SS].base = BIT(32));
    BREAK(long_mode, "CS: unusable", s.segment[VMCS_CS].rights |= RIGHTS_UNUSABLE);
    BREAK(long_mode, "CS: type", s.segment[VMCS_CS].rights = 0xa09a); // not accessed
    BREAK(real_mode, "CS: type", s.segment[VMCS_CS].rights = 0x97);   // expand-down data
    BREAK(real_mode, "DPL above 0", s.segment[VMCS_CS].rights = 0xf3);
    BREAK(long_mode, "not that of SS", s.segment[VMCS_CS].rights = 0xa0fb);
    BREAK(long_mode, "conforming", s.segment[VMCS_CS].rights = 0xa0ff);
    BREAK(long_mode, "both L and D", s.segment[VMCS_CS].rights = 0xe09b);
    BREAK(long_mode, "SS: type", s.segment[VMCS_SS].rights = 0xc09b);
    BREAK(real_mode, "SS: DPL",
          (s.segment[VMCS_SS].rights = 0xf3, s.segment[VMCS_CS].rights = 0xfb));
    BREAK(long_mode, "not accessed", s.segment[VMCS_DS].rights = 0xc092);
    BREAK(long_mode, "can't be read", s.segment[VMCS_ES].rights = 0xc099);
    BREAK(long_mode, "system descriptor", s.segment[VMCS_FS].rights = 0xc083);
    BREAK(long_mode, "not present", s.segment[VMCS_GS].rights = 0xc013);
    BREAK(long_mode, "reserved rights", s.segment[VMCS_DS].rights |= BIT(8));
    BREAK(long_mode, "granularity", s.segment[VMCS_DS].limit = 0xfffffffe);
    BREAK(real_mode, "granularity", s.segment[VMCS_DS].limit = 0x100000);
    BREAK(v86_mode, "selector * 16", s.segment[VMCS_DS].base = 0);
    BREAK(v86_mode, "limit is not", s.segment[VMCS_GS].limit = 0xfffff);
    BREAK(v86_mode, "are not 0xf3", s.segment[VMCS_CS].rights = 0xfb);
}

static void test_system_segments(void **state)
{
    (void)state;
    BREAK(real_mode, "TR: unusable", s.segment[VMCS_TR].rights |= RIGHTS_UNUSABLE);
    BREAK(real_mode, "TR: type", s.segment[VMCS_TR].rights = 0x89); // not busy
    BREAK(long_mode, "TR: type", s.segment[VMCS_TR].rights = 0x83); // 16-bit TSS
    BREAK(real_mode, "TR: not a system", s.segment[VMCS_TR].rights = 0x9b);
    BREAK(real_mode, "TR: not present", s.segment[VMCS_TR].rights = 0x0b);
    BREAK(real_mode, "TR: reserved", s.segment[VMCS_TR].rights |= BIT(11));
    BREAK(real_mode, "TR: limit", s.segment[VMCS_TR].limit = 0x200000);
    BREAK(real_mode, "LDTR: type", s.segment[VMCS_LDTR].rights = 0x8b);
    BREAK(real_mode, "LDTR: not a system", s.segment[VMCS_LDTR].rights = 0x92);
    BREAK(real_mode, "LDTR: not present", s.segment[VMCS_LDTR].rights = 0x02);
    BREAK(real_mode, "LDTR: reserved", s.segment[VMCS_LDTR].rights |= BIT(17));
    BREAK(real_mode, "LDTR: limit", s.segment[VMCS_LDTR].limit = 0x100000);
    BREAK(long_mode, "GDTR: base", s.gdtr_base = BIT(50));
    BREAK(long_mode, "IDTR: base", s.idtr_base = BIT(50));
    BREAK(long_mode, "GDTR: limit", s.gdtr_limit = 0x10000);
    BREAK(long_mode, "IDTR: limit", s.idtr_limit = 0x10000);
}

static void test_rip_and_flags(void **state)
{
    (void)state;
    const uint32_t interrupt = (uint32_t)EVENT_VALID | 0x30;
    BREAK(real_mode, "above 4 GiB", s.rip = BIT(32));
    BREAK(long_mode, "not canonical", s.rip = BIT(47));
    BREAK(long_mode, "above 4 GiB", s.segment[VMCS_CS].rights = 0xc09b); // compatibility mode
    BREAK(real_mode, "reserved bit set", s.rflags |= BIT(3));
    BREAK(real_mode, "reserved bit set", s.rflags |= BIT(22));
    BREAK(real_mode, "bit 1 clear", s.rflags = 0);
    BREAK(v86_mode, "RFLAGS.VM", s.cr0 = 0x30);
    BREAK(long_mode, "RFLAGS.IF", s.entry_event = interrupt);
}

static void test_activity(void **state)
{
    (void)state;
    const uint32_t interrupt = (uint32_t)EVENT_VALID | 0x30;
    const uint32_t fault = (uint32_t)(EVENT_VALID | EVENT_OF_TYPE(EVENT_TYPE_EXCEPTION) | 6);
    const uint32_t nmi = (uint32_t)(EVENT_VALID | EVENT_OF_TYPE(EVENT_TYPE_NMI) | 2);
    BREAK(real_mode, "unknown", s.activity = 4);
    BREAK(long_mode, "not in ring 0",
          (s.activity = 1, s.segment[VMCS_SS].rights = 0xc0f3, s.segment[VMCS_CS].rights = 0xa0fb));
    BREAK(long_mode, "not active", (s.activity = 1, s.interruptibility = 1, s.rflags = 0x202));
    BREAK(long_mode, "does not wake", (s.activity = 1, s.entry_event = fault));
    BREAK(long_mode, "interruptibility: reserved", s.interruptibility = 0x20);
    BREAK(long_mode, "both STI and MOV SS", (s.interruptibility = 3, s.rflags = 0x202));
    BREAK(long_mode, "STI with IF clear", s.interruptibility = 1);
    BREAK(long_mode, "an interrupt in the shadow",
          (s.interruptibility = 2, s.rflags = 0x202, s.entry_event = interrupt));
    BREAK(long_mode, "an NMI while", (s.interruptibility = 8, s.entry_event = nmi));
    BREAK(long_mode, "an NMI while", (s.interruptibility = 2, s.entry_event = nmi));
    BREAK(long_mode, "SMI", s.interruptibility = 4);
    BREAK(long_mode, "pending debug exceptions: reserved", s.pending_debug = BIT(11));
    BREAK(long_mode, "BS is not", (s.interruptibility = 2, s.rflags = 0x102));
    BREAK(long_mode, "BS is not", (s.interruptibility = 2, s.pending_debug = BIT(14)));
    BREAK(long_mode, "BS is not", (s.activity = 1, s.pending_debug = BIT(14)));
    BREAK(long_mode, "BS is not",
          (s.interruptibility = 2, s.rflags = 0x102, s.debugctl = 2, s.pending_debug = BIT(14)));
    BREAK(long_mode, "link pointer", s.link_pointer = 0);
}

static void test_pdptes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct vmx_guest_state s = real_mode();
        s.cr0 = 0x80000031;
        s.cr4 = 0x2020;
        s.pdpte[i] = 0x1003; // writable is reserved here
        fails(&s, "PDPTE");
        s.pdpte[i] = BIT(39) | 1;
        fails(&s, "PDPTE");
    }
}

static void test_instruction_errors(void **state)
{
    (void)state;
    assert_non_null(strstr(vmx_instruction_error(7), "control fields"));
    assert_non_null(strstr(vmx_instruction_error(8), "host state"));
    assert_string_equal(vmx_instruction_error(0), "unknown error");
    assert_string_equal(vmx_instruction_error(6000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_states),
        cmocka_unit_test(test_control_registers),
        cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_system_segments),
        cmocka_unit_test(test_rip_and_flags),
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_pdptes),
        cmocka_unit_test(test_instruction_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
