// SPDX-License-Identifier: Apache-2.0
// Task switches: what is saved, loaded, linked and refused, in a little flat memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/register_bits.h"
#include "arch/vmx/task.h"
#include "tests/unit/fake_flat_ram.h"

enum {
    GDT = 0x1000,
    OLD_TSS = 0x2000,
    NEW_TSS = 0x3000,
    LDT = 0x4000,
    STACK = 0x8000,
    // Selectors.
    CODE = 0x08,
    DATA = 0x10,
    OLD = 0x18,
    NEW = 0x20,
    LDT_SELECTOR = 0x28,
    USER_CODE = 0x30,
    USER_DATA = 0x38,
    ABSENT_DATA = 0x40,
    READ_ONLY = 0x48,
    GDT_LIMIT = 0x7f,
    // Offsets in a 32-bit task-state segment.
    CR3_AT = 28,
    EIP_AT = 32,
    FLAGS_AT = 36,
    EAX_AT = 40,
    ESP_AT = 56,
    ES_AT = 72,
    CS_AT = 76,
    SS_AT = 80,
    DS_AT = 84,
    LDT_AT = 96,
    TRAP_AT = 100,
    TS = 10,
    NP = 11,
    BUSY = 2,
};

static struct guest_regs regs;
static struct task_cpu cpu;
static struct guest_exception fault;

static uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xffffull) | (base & 0xffffffull) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

static uint8_t access_of(unsigned selector)
{
    return flat.bytes[GDT + selector + 5];
}

static void set_new(unsigned offset, uint32_t value)
{
    flat_set_u32(NEW_TSS + offset, value);
}

static void set_up(void)
{
    flat_clear();
    memset(&regs, 0, sizeof(regs));
    memset(&fault, 0, sizeof(fault));
    flat_set_u64(GDT + CODE, descriptor(0, 0xfffff, 0x9a, 0xc));
    flat_set_u64(GDT + DATA, descriptor(0, 0xfffff, 0x92, 0xc));
    flat_set_u64(GDT + OLD, descriptor(OLD_TSS, 103, 0x8b, 0));
    flat_set_u64(GDT + NEW, descriptor(NEW_TSS, 103, 0x89, 0));
    flat_set_u64(GDT + LDT_SELECTOR, descriptor(LDT, 0x17, 0x82, 0));
    flat_set_u64(GDT + USER_CODE, descriptor(0, 0xfffff, 0xfa, 0xc));
    flat_set_u64(GDT + USER_DATA, descriptor(0, 0xfffff, 0xf2, 0xc));
    flat_set_u64(GDT + ABSENT_DATA, descriptor(0, 0xfffff, 0x12, 0xc));
    flat_set_u64(GDT + READ_ONLY, descriptor(0, 0xfffff, 0x90, 0xc));
    flat_set_u64(LDT + 8, descriptor(0x5000, 0xfff, 0x92, 0x4));
    for (unsigned i = 0; i < 8; i++) {
        set_new(EAX_AT + 4 * i, 0xa0000000u + i);
        regs.r[i] = 0xb0000000u + i;
    }
    set_new(ESP_AT, STACK);
    set_new(EIP_AT, 0x1234);
    set_new(FLAGS_AT, 0x202);
    set_new(CS_AT, CODE);
    set_new(SS_AT, DATA);
    set_new(DS_AT, DATA);
    cpu = (struct task_cpu){
        .ram = &flat.ram,
        .paging = {.cr0 = CR0_PE, .phys_bits = 40},
        .regs = &regs,
        .eip = 0x777,
        .eflags = (uint32_t)(RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT),
        .gdt_base = GDT,
        .gdt_limit = GDT_LIMIT,
        .dr7 = 0x4ff,
    };
    for (unsigned s = 0; s < VMCS_SEGMENTS; s++)
        cpu.segment[s] = (struct task_segment){DATA, UINT32_MAX, 0xc093, 0};
    cpu.segment[VMCS_CS] = (struct task_segment){CODE, UINT32_MAX, 0xc09b, 0};
    cpu.segment[VMCS_TR] = (struct task_segment){OLD, 103, 0x8b, OLD_TSS};
    cpu.segment[VMCS_LDTR] = (struct task_segment){0, 0, RIGHTS_UNUSABLE, 0};
}

static enum status switch_by(enum task_source source)
{
    struct task_request request = {.source = source, .selector = NEW};
    return task_switch(&cpu, &request, &fault);
}

static void assert_fault(unsigned vector, unsigned error)
{
    assert_int_equal(fault.vector, vector);
    assert_int_equal(fault.error_code, error);
}

static void assert_saved(uint32_t eflags)
{
    assert_int_equal(flat_u32(OLD_TSS + EIP_AT), 0x777);
    assert_int_equal(flat_u32(OLD_TSS + FLAGS_AT), eflags);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(flat_u32(OLD_TSS + EAX_AT + 4 * i), 0xb0000000u + i);
    assert_int_equal(flat_u32(OLD_TSS + CS_AT), CODE);
    assert_int_equal(flat_u32(OLD_TSS + SS_AT), DATA);
    assert_int_equal(flat_u32(OLD_TSS + LDT_AT), 0); // not written
}

static void assert_loaded(void)
{
    assert_true(cpu.switched);
    assert_int_equal(cpu.eip, 0x1234);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(regs.r[i], i == GPR_RSP ? STACK : 0xa0000000u + i);
    assert_int_equal(cpu.segment[VMCS_CS].selector, CODE);
    assert_int_equal(cpu.segment[VMCS_CS].rights, 0xc09b);
    assert_int_equal(cpu.segment[VMCS_CS].limit, UINT32_MAX);
    assert_int_equal(cpu.segment[VMCS_DS].rights, 0xc093);
    assert_int_equal(cpu.segment[VMCS_FS].rights, RIGHTS_UNUSABLE);
    assert_int_equal(cpu.segment[VMCS_TR].selector, NEW);
    assert_int_equal(cpu.segment[VMCS_TR].base, NEW_TSS);
    assert_int_equal(cpu.segment[VMCS_TR].rights, 0x8b);
    assert_true(cpu.paging.cr0 & CR0_TS);
    assert_int_equal(cpu.dr7, 0x4aa);
    assert_false(cpu.loads_cr3); // paging is off
    assert_int_equal(access_of(CODE), 0x9b);
}

static void test_jump(void **state)
{
    (void)state;
    set_up();
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_saved((uint32_t)(RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT));
    assert_loaded();
    assert_int_equal(cpu.eflags, 0x202);
    assert_int_equal(access_of(OLD), 0x89);
    assert_int_equal(access_of(NEW), 0x8b);
    assert_int_equal(flat_u32(NEW_TSS) & 0xffff, 0);
}

static void test_call_and_gate(void **state)
{
    (void)state;
    for (unsigned gate = 0; gate < 2; gate++) {
        set_up();
        assert_int_equal(switch_by(gate ? TASK_BY_GATE : TASK_BY_CALL), STATUS_OK);
        assert_saved((uint32_t)(RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT));
        assert_loaded();
        assert_int_equal(cpu.eflags, 0x202 | RFLAGS_NT);
        assert_int_equal(access_of(OLD), 0x8b);
        assert_int_equal(access_of(NEW), 0x8b);
        assert_int_equal(flat_u32(NEW_TSS) & 0xffff, OLD);
    }
}

static void test_iret(void **state)
{
    (void)state;
    set_up();
    flat.bytes[GDT + NEW + 5] |= BUSY; // it waits for us
    assert_int_equal(switch_by(TASK_BY_IRET), STATUS_OK);
    assert_saved((uint32_t)(RFLAGS_FIXED | RFLAGS_CF));
    assert_loaded();
    assert_int_equal(access_of(OLD), 0x89);
    assert_int_equal(access_of(NEW), 0x8b);
}

static void test_error_code(void **state)
{
    struct task_request request = {.source = TASK_BY_GATE,
                                   .selector = NEW,
                                   .external = true,
                                   .has_error = true,
                                   .error = 0x1235};
    (void)state;
    set_up();
    assert_int_equal(task_switch(&cpu, &request, &fault), STATUS_OK);
    assert_int_equal(regs.r[GPR_RSP], STACK - 4);
    assert_int_equal(flat_u32(STACK - 4), 0x1235);

    // Onto a stack that has no room: the new task's fault.
    set_up();
    set_new(ESP_AT, 2);
    flat_set_u64(GDT + DATA, descriptor(0, 0xfff, 0x92, 0x4));
    assert_int_equal(task_switch(&cpu, &request, &fault), ERR_FAULT);
    assert_true(cpu.switched);
    assert_fault(EXCEPTION_SS, 1);
    assert_int_equal(regs.r[GPR_RSP], 2);
}

static void test_16_bit(void **state)
{
    static const uint16_t image[] = {0,     1,    2,    3,    4,    5,     6,    0x4321,
                                     0x202, 0x10, 0x11, 0x12, 0x13, STACK, 0x15, 0x16,
                                     0x17,  DATA, CODE, DATA, DATA, 0};
    (void)state;
    set_up();
    flat_set_u64(GDT + NEW, descriptor(NEW_TSS, 43, 0x81, 0));
    flat_set_u64(GDT + OLD, descriptor(OLD_TSS, 43, 0x83, 0));
    cpu.segment[VMCS_TR].rights = 0x83;
    memcpy(flat.bytes + NEW_TSS, image, sizeof(image));
    assert_int_equal(switch_by(TASK_BY_CALL), STATUS_OK);
    assert_int_equal(cpu.eip, 0x4321);
    assert_int_equal(regs.r[GPR_RAX], 0xffff0010);
    assert_int_equal(cpu.segment[VMCS_CS].selector, CODE);
    assert_int_equal(cpu.segment[VMCS_FS].rights, RIGHTS_UNUSABLE);
    assert_int_equal(flat_u32(OLD_TSS + 14),
                     0x777u | (uint32_t)(uint16_t)(RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT) << 16);
    assert_int_equal(flat_u32(OLD_TSS + 18) & 0xffff, 0);
    assert_int_equal(flat_u32(OLD_TSS + 20) & 0xffff, 1); // CX of 0xb0000001
    assert_int_equal(access_of(NEW), 0x83);
    assert_int_equal(flat_u32(NEW_TSS) & 0xffff, OLD);
}

static void test_ldt(void **state)
{
    (void)state;
    set_up();
    set_new(LDT_AT, LDT_SELECTOR);
    set_new(ES_AT, 8 | 4);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_int_equal(cpu.segment[VMCS_LDTR].base, LDT);
    assert_int_equal(cpu.segment[VMCS_LDTR].rights, 0x82);
    assert_int_equal(cpu.segment[VMCS_ES].base, 0x5000);
    assert_int_equal(cpu.segment[VMCS_ES].limit, 0xfff);
    assert_int_equal(flat.bytes[LDT + 8 + 5], 0x93);

    static const uint16_t bad[] = {DATA, LDT_SELECTOR | 4, GDT_LIMIT + 1};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        set_up();
        set_new(LDT_AT, bad[i]);
        assert_int_equal(switch_by(TASK_BY_JMP), ERR_FAULT);
        assert_true(cpu.switched);
        assert_fault(TS, bad[i] & 0xfffcu);
    }
}

// A segment that does not fit is the new task's fault, with its selector.
static void test_bad_segments(void **state)
{
    static const struct {
        unsigned at, selector, vector, error;
    } rows[] = {
        {CS_AT, 0, TS, 0},
        {CS_AT, DATA, TS, DATA},
        {CS_AT, CODE | 3, TS, CODE},
        {CS_AT, USER_CODE, TS, USER_CODE},
        {CS_AT, OLD, TS, OLD},
        {SS_AT, 0, TS, 0},
        {SS_AT, CODE, TS, CODE},
        {SS_AT, READ_ONLY, TS, READ_ONLY},
        {SS_AT, DATA | 3, TS, DATA},
        {SS_AT, ABSENT_DATA, EXCEPTION_SS, ABSENT_DATA},
        {DS_AT, ABSENT_DATA, NP, ABSENT_DATA},
        {DS_AT, DATA | 3, TS, DATA},
        {DS_AT, GDT_LIMIT + 1, TS, GDT_LIMIT + 1},
        {DS_AT, 4 | 8, TS, 4 | 8}, // there is no LDT
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        set_up();
        set_new(rows[i].at, rows[i].selector);
        assert_int_equal(switch_by(TASK_BY_JMP), ERR_FAULT);
        assert_true(cpu.switched);
        assert_fault(rows[i].vector, rows[i].error);
        // What VM entry demands of code and stack holds.
        assert_false(cpu.segment[VMCS_CS].rights & RIGHTS_UNUSABLE);
        assert_false(cpu.segment[VMCS_SS].rights & RIGHTS_UNUSABLE);
        assert_int_equal(RIGHTS_DPL(cpu.segment[VMCS_SS].rights),
                         RIGHTS_DPL(cpu.segment[VMCS_CS].rights));
    }
    set_up();
    set_new(EIP_AT, 0x10000);
    flat_set_u64(GDT + CODE, descriptor(0, 0xffff, 0x9a, 0x4));
    assert_int_equal(switch_by(TASK_BY_JMP), ERR_FAULT);
    assert_fault(EXCEPTION_GP, 0);
}

static void test_user_task(void **state)
{
    (void)state;
    set_up();
    set_new(CS_AT, USER_CODE | 3);
    set_new(SS_AT, USER_DATA | 3);
    set_new(DS_AT, USER_DATA | 3);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_int_equal(cpu.paging.cpl, 3);
    assert_int_equal(cpu.segment[VMCS_CS].rights, 0xc0fb);
    assert_int_equal(cpu.segment[VMCS_SS].rights, 0xc0f3);
}

static void test_virtual_8086(void **state)
{
    (void)state;
    set_up();
    set_new(FLAGS_AT, (uint32_t)(RFLAGS_FIXED | RFLAGS_VM));
    set_new(CS_AT, 0xf123);
    set_new(SS_AT, 0);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_int_equal(cpu.segment[VMCS_CS].base, 0xf1230);
    assert_int_equal(cpu.segment[VMCS_CS].limit, 0xffff);
    assert_int_equal(cpu.segment[VMCS_SS].rights, 0xf3);
    assert_int_equal(cpu.paging.cpl, 3);
}

static void test_trap_bit(void **state)
{
    (void)state;
    set_up();
    set_new(TRAP_AT, 1);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_true(cpu.debug_trap);
}

// A linear address that is not mapped faults in the old task, and nothing has changed.
static void test_page_fault(void **state)
{
    (void)state;
    set_up();
    // 32-bit paging: one table, identical but for the old task-state segment's page.
    for (unsigned i = 0; i < 16; i++)
        flat_set_u32(0xa000 + 4 * i, i << 12 | 3);
    flat_set_u32(0xa000 + 4 * 2, 0);
    flat_set_u32(0x9000, 0xa000 | 3);
    cpu.paging.cr0 |= CR0_PG;
    cpu.paging.cr3 = 0x9000;
    assert_int_equal(switch_by(TASK_BY_JMP), ERR_FAULT);
    assert_false(cpu.switched);
    assert_int_equal(fault.vector, EXCEPTION_PF);
    assert_int_equal(fault.cr2, OLD_TSS);
    assert_int_equal(fault.error_code, PF_WRITE);
    assert_int_equal(access_of(NEW), 0x89);
    assert_int_equal(cpu.eip, 0x777);

    // The new task's own tables come with it.
    flat_set_u32(0xa000 + 4 * 2, 2 << 12 | 3);
    set_new(CR3_AT, 0xb000);
    flat_set_u32(0xb000, 0xa000 | 3);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_true(cpu.loads_cr3);
    assert_int_equal(cpu.paging.cr3, 0xb000);
}

static void test_pae(void **state)
{
    (void)state;
    set_up();
    flat_set_u64(0x9000, 0xa000 | 1);
    flat_set_u64(0xa000, 0xb000 | 3);
    for (unsigned i = 0; i < 16; i++)
        flat_set_u64(0xb000 + 8 * i, i << 12 | 3);
    cpu.paging.cr0 |= CR0_PG;
    cpu.paging.cr4 |= CR4_PAE;
    cpu.paging.cr3 = 0x9000;
    set_new(CR3_AT, 0x9000);
    assert_int_equal(switch_by(TASK_BY_JMP), STATUS_OK);
    assert_int_equal(cpu.pdpte[0], 0xa001);
    assert_int_equal(cpu.pdpte[1], 0);
    // A reserved bit.
    set_up();
    flat_set_u64(0x9000, 0xa000 | 1);
    flat_set_u64(0xa000, 0xb000 | 3);
    for (unsigned i = 0; i < 16; i++)
        flat_set_u64(0xb000 + 8 * i, i << 12 | 3);
    flat_set_u64(0x7020, 0xa000 | 3);
    cpu.paging.cr0 |= CR0_PG;
    cpu.paging.cr4 |= CR4_PAE;
    cpu.paging.cr3 = 0x9000;
    set_new(CR3_AT, 0x7020);
    assert_int_equal(switch_by(TASK_BY_JMP), ERR_FAULT);
    assert_fault(EXCEPTION_GP, 0);
}

static void test_outside_memory(void **state)
{
    (void)state;
    set_up();
    flat_set_u64(GDT + NEW, descriptor(FLAT_RAM_SIZE + 0x1000, 103, 0x89, 0));
    assert_int_equal(switch_by(TASK_BY_JMP), ERR_RANGE);
    assert_false(cpu.switched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jump),           cmocka_unit_test(test_call_and_gate),
        cmocka_unit_test(test_iret),           cmocka_unit_test(test_error_code),
        cmocka_unit_test(test_16_bit),         cmocka_unit_test(test_ldt),
        cmocka_unit_test(test_bad_segments),   cmocka_unit_test(test_user_task),
        cmocka_unit_test(test_virtual_8086),   cmocka_unit_test(test_trap_bit),
        cmocka_unit_test(test_page_fault),     cmocka_unit_test(test_pae),
        cmocka_unit_test(test_outside_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
