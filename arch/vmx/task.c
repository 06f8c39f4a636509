// SPDX-License-Identifier: Apache-2.0
// A task switch, step by step: saves the old task, loads the new task's registers, then its
// segments. A fault while the segments are loaded belongs to the new task.
#include "arch/vmx/task.h"

#include "arch/cpu/register_bits.h"
#include "arch/lib/string.h"
#include "hv/memory/guest_mem.h"

#define DR7_LOCAL  0x155u      // the local enable bits, L0 to L3 and LE
#define EFLAGS_ALL 0x003f7fd5u // the flags that a task may have; reserved bits stay 0

#define SELECTOR_INDEX  0xfff8u
#define SELECTOR_LDT    4u
#define SELECTOR_RPL(s) ((s)&3u)

// Types of system descriptors, and bits of the others (SDM vol. 3, 3.4.5.1 and 3.5).
#define TYPE_LDT      2u
#define TYPE_BUSY     2u // set in a busy task-state segment
#define TYPE_32BIT    8u
#define TYPE_CODE     8u
#define TYPE_CONFORM  4u
#define TYPE_WRITE    2u // data: writable; code: readable
#define TYPE_ACCESSED 1u

#define VM86_RIGHTS 0xf3u
#define VM86_LIMIT  0xffffu

// The two formats of a task-state segment (SDM vol. 3, figures 8-2 and 8-10).
struct __attribute__((packed)) tss32 {
    uint16_t link, r0;
    uint32_t stacks[6];
    uint32_t cr3, eip, eflags;
    uint32_t general[8];
    struct {
        uint16_t selector, zero;
    } segment[6]; // ES, CS, SS, DS, FS, GS
    uint16_t ldt, r1;
    uint16_t trap;
    uint16_t io_map;
};
_Static_assert(sizeof(struct tss32) == 104, "a 32-bit task-state segment has 104 bytes");

struct __attribute__((packed)) tss16 {
    uint16_t link;
    uint16_t stacks[6];
    uint16_t ip, flags;
    uint16_t general[8];
    uint16_t segment[4]; // ES, CS, SS, DS
    uint16_t ldt;
};
_Static_assert(sizeof(struct tss16) == 44, "a 16-bit task-state segment has 44 bytes");

struct work {
    struct task_cpu *cpu;
    const struct task_request *request;
    struct guest_exception *fault;
};

// ---- memory ---------------------------------------------------------------------------------

static enum status page_fault(struct work *w, enum status s, const struct guest_fault *f)
{
    if (s == ERR_FAULT) {
        *w->fault = (struct guest_exception){EXCEPTION_PF, f->error_code, f->address};
    }
    return s;
}

static enum status read_linear(struct work *w, uint64_t at, void *to, size_t size)
{
    struct guest_fault f;
    return page_fault(w,
                      guest_copy_from_linear(w->cpu->ram, &w->cpu->paging, (uint32_t)at, to, size,
                                             WALK_SUPERVISOR, &f),
                      &f);
}

static enum status write_linear(struct work *w, uint64_t at, const void *from, size_t size)
{
    struct guest_fault f;
    return page_fault(w,
                      guest_copy_to_linear(w->cpu->ram, &w->cpu->paging, (uint32_t)at, from, size,
                                           WALK_SUPERVISOR, &f),
                      &f);
}

// Whether a write there would fault; called before anything is changed.
static enum status probe_write(struct work *w, uint64_t at, size_t size)
{
    struct guest_fault f;
    struct guest_span span;
    return page_fault(w,
                      guest_span_walk(w->cpu->ram, &w->cpu->paging, (uint32_t)at, size,
                                      WALK_WRITE | WALK_SUPERVISOR, &span, &f),
                      &f);
}

static enum status raise(struct work *w, unsigned vector, unsigned selector)
{
    *w->fault = (struct guest_exception){
        .vector = (uint8_t)vector,
        .error_code = (selector & 0xfffcu) | (w->request->external ? 1u : 0u),
    };
    return ERR_FAULT;
}

// ---- descriptors ----------------------------------------------------------------------------

static void unpack(uint64_t descriptor, uint16_t selector, struct task_segment *out)
{
    uint32_t limit = (uint32_t)(descriptor & 0xffff) | (uint32_t)(descriptor >> 32 & 0xf0000);
    out->selector = selector;
    // The L bit has no meaning outside IA-32e mode.
    out->rights = (uint32_t)(descriptor >> 40 & 0xd0ff);
    out->limit = out->rights & RIGHTS_GRANULARITY ? limit << 12 | 0xfff : limit;
    out->base = (descriptor >> 16 & 0xffffff) | (descriptor >> 32 & 0xff000000);
}

static void make_unusable(struct task_segment *s, uint16_t selector)
{
    *s = (struct task_segment){.selector = selector, .rights = RIGHTS_UNUSABLE};
}

// Finds a selector's descriptor. False: it lies beyond its table, or there is no table.
static bool find_descriptor(const struct task_cpu *cpu, uint16_t selector, uint64_t *at)
{
    const struct task_segment *ldt = &cpu->segment[VMCS_LDTR];
    uint64_t base = cpu->gdt_base;
    uint32_t limit = cpu->gdt_limit;
    if (selector & SELECTOR_LDT) {
        if (ldt->rights & RIGHTS_UNUSABLE) {
            return false;
        }
        base = ldt->base;
        limit = ldt->limit;
    }
    *at = base + (selector & SELECTOR_INDEX);
    return (selector & SELECTOR_INDEX) + 7u <= limit;
}

static enum status set_tss_busy(struct work *w, uint16_t selector, bool busy)
{
    uint64_t at = w->cpu->gdt_base + (selector & SELECTOR_INDEX) + 5;
    uint8_t access;
    enum status s = read_linear(w, at, &access, sizeof(access));
    if (s != STATUS_OK) {
        return s;
    }
    access = (uint8_t)(busy ? access | TYPE_BUSY : access & ~TYPE_BUSY);
    return write_linear(w, at, &access, sizeof(access));
}

// ---- the old task ---------------------------------------------------------------------------

static bool is_32bit(const struct task_segment *tss)
{
    return (tss->rights & TYPE_32BIT) != 0;
}

static enum status save32(struct work *w, uint32_t eflags)
{
    const struct task_cpu *cpu = w->cpu;
    struct tss32 t;
    uint64_t base = cpu->segment[VMCS_TR].base;
    t.eip = cpu->eip;
    t.eflags = eflags;
    for (unsigned i = 0; i < ARRAY_SIZE(t.general); i++) {
        t.general[i] = (uint32_t)cpu->regs->r[i];
    }
    for (unsigned i = 0; i < ARRAY_SIZE(t.segment); i++) {
        t.segment[i].selector = cpu->segment[i].selector;
        t.segment[i].zero = 0;
    }
    // Writes only the fields from EIP to GS (SDM vol. 3, 8.2.1).
    return write_linear(w, base + offsetof(struct tss32, eip), &t.eip,
                        offsetof(struct tss32, ldt) - offsetof(struct tss32, eip));
}

static enum status save16(struct work *w, uint32_t eflags)
{
    const struct task_cpu *cpu = w->cpu;
    struct tss16 t;
    uint64_t base = cpu->segment[VMCS_TR].base;
    t.ip = (uint16_t)cpu->eip;
    t.flags = (uint16_t)eflags;
    for (unsigned i = 0; i < ARRAY_SIZE(t.general); i++) {
        t.general[i] = (uint16_t)cpu->regs->r[i];
    }
    for (unsigned i = 0; i < ARRAY_SIZE(t.segment); i++) {
        t.segment[i] = cpu->segment[i].selector;
    }
    return write_linear(w, base + offsetof(struct tss16, ip), &t.ip,
                        offsetof(struct tss16, ldt) - offsetof(struct tss16, ip));
}

static enum status save_old(struct work *w)
{
    uint32_t eflags = w->cpu->eflags;
    if (w->request->source == TASK_BY_IRET) {
        eflags &= ~(uint32_t)RFLAGS_NT;
    }
    return is_32bit(&w->cpu->segment[VMCS_TR]) ? save32(w, eflags) : save16(w, eflags);
}

// ---- the new task ---------------------------------------------------------------------------

static enum status read_new(struct work *w, const struct task_segment *tss, struct tss32 *t)
{
    if (is_32bit(tss)) {
        return read_linear(w, tss->base, t, sizeof(*t));
    }
    struct tss16 half;
    enum status s = read_linear(w, tss->base, &half, sizeof(half));
    memset(t, 0, sizeof(*t));
    t->link = half.link;
    t->eip = half.ip;
    t->eflags = half.flags;
    for (unsigned i = 0; i < ARRAY_SIZE(half.general); i++) {
        t->general[i] = half.general[i] | 0xffff0000u; // SDM vol. 3, 8.6
    }
    for (unsigned i = 0; i < ARRAY_SIZE(half.segment); i++) {
        t->segment[i].selector = half.segment[i];
    }
    t->ldt = half.ldt;
    return s;
}

static enum status load_cr3(struct work *w, uint32_t cr3)
{
    struct task_cpu *cpu = w->cpu;
    if ((cpu->paging.cr0 & CR0_PG) == 0) {
        return STATUS_OK;
    }
    cpu->loads_cr3 = true;
    cpu->paging.cr3 = cr3;
    if ((cpu->paging.cr4 & CR4_PAE) == 0) {
        return STATUS_OK;
    }
    enum status s = guest_read(cpu->ram, gpa(cr3 & ~0x1full), cpu->pdpte, sizeof(cpu->pdpte));
    uint64_t reserved = ~(BIT(cpu->paging.phys_bits) - 1) | 0x1e6; // SDM vol. 3, table 4-8
    for (unsigned i = 0; s == STATUS_OK && i < ARRAY_SIZE(cpu->pdpte); i++) {
        if ((cpu->pdpte[i] & 1) && (cpu->pdpte[i] & reserved)) {
            s = raise(w, EXCEPTION_GP, 0);
        }
    }
    return s;
}

static void load_registers(struct work *w, const struct task_segment *tss, const struct tss32 *t)
{
    struct task_cpu *cpu = w->cpu;
    bool nested = w->request->source == TASK_BY_CALL || w->request->source == TASK_BY_GATE;
    cpu->segment[VMCS_TR] = *tss;
    cpu->segment[VMCS_TR].rights |= TYPE_BUSY;
    cpu->eip = t->eip;
    cpu->eflags = (t->eflags & EFLAGS_ALL) | (uint32_t)RFLAGS_FIXED;
    if (nested) {
        cpu->eflags |= (uint32_t)RFLAGS_NT;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(t->general); i++) {
        cpu->regs->r[i] = t->general[i];
    }
    // All selectors are loaded first, because loading their descriptors may fault.
    for (unsigned i = 0; i < ARRAY_SIZE(t->segment); i++) {
        make_unusable(&cpu->segment[i], t->segment[i].selector);
    }
    make_unusable(&cpu->segment[VMCS_LDTR], t->ldt);
    cpu->paging.cr0 |= CR0_TS;
    cpu->dr7 &= ~(uint64_t)DR7_LOCAL;
    cpu->debug_trap = (t->trap & 1) != 0 && is_32bit(tss);
}

static enum status load_ldt(struct work *w)
{
    struct task_segment *ldt = &w->cpu->segment[VMCS_LDTR];
    uint16_t selector = ldt->selector;
    uint64_t at, descriptor;
    if ((selector & SELECTOR_INDEX) == 0 && (selector & SELECTOR_LDT) == 0) {
        return STATUS_OK; // no LDT
    }
    if ((selector & SELECTOR_LDT) || !find_descriptor(w->cpu, selector, &at)) {
        return raise(w, EXCEPTION_TS, selector);
    }
    enum status s = read_linear(w, at, &descriptor, sizeof(descriptor));
    if (s != STATUS_OK) {
        return s;
    }
    struct task_segment loaded;
    unpack(descriptor, selector, &loaded);
    if ((loaded.rights & (RIGHTS_NOT_SYSTEM | 0xf)) != TYPE_LDT ||
        (loaded.rights & RIGHTS_PRESENT) == 0) {
        return raise(w, EXCEPTION_TS, selector);
    }
    *ldt = loaded;
    return STATUS_OK;
}

static bool fits_code(const struct task_segment *s)
{
    unsigned rpl = SELECTOR_RPL(s->selector), dpl = RIGHTS_DPL(s->rights);
    return (s->rights & TYPE_CODE) && (s->rights & TYPE_CONFORM ? dpl <= rpl : dpl == rpl);
}

static bool fits_stack(const struct task_segment *s, unsigned cpl)
{
    return (s->rights & (TYPE_CODE | TYPE_WRITE)) == TYPE_WRITE &&
           SELECTOR_RPL(s->selector) == cpl && RIGHTS_DPL(s->rights) == cpl;
}

static bool fits_data(const struct task_segment *s, unsigned cpl)
{
    unsigned dpl = RIGHTS_DPL(s->rights);
    bool readable = (s->rights & TYPE_CODE) == 0 || (s->rights & TYPE_WRITE);
    bool conforming = (s->rights & (TYPE_CODE | TYPE_CONFORM)) == (TYPE_CODE | TYPE_CONFORM);
    return readable && (conforming || (dpl >= cpl && dpl >= SELECTOR_RPL(s->selector)));
}

static enum status load_segment(struct work *w, enum vmcs_segment which, unsigned cpl)
{
    struct task_segment *segment = &w->cpu->segment[which], loaded;
    uint16_t selector = segment->selector;
    uint64_t at, descriptor;
    if ((selector & ~3u) == 0) {
        return which == VMCS_CS || which == VMCS_SS ? raise(w, EXCEPTION_TS, 0) : STATUS_OK;
    }
    if (!find_descriptor(w->cpu, selector, &at)) {
        return raise(w, EXCEPTION_TS, selector);
    }
    enum status s = read_linear(w, at, &descriptor, sizeof(descriptor));
    if (s != STATUS_OK) {
        return s;
    }
    unpack(descriptor, selector, &loaded);
    bool fits = which == VMCS_CS   ? fits_code(&loaded)
                : which == VMCS_SS ? fits_stack(&loaded, cpl)
                                   : fits_data(&loaded, cpl);
    if ((loaded.rights & RIGHTS_NOT_SYSTEM) == 0 || !fits) {
        return raise(w, EXCEPTION_TS, selector);
    }
    if ((loaded.rights & RIGHTS_PRESENT) == 0) {
        return raise(w, which == VMCS_SS ? EXCEPTION_SS : EXCEPTION_NP, selector);
    }
    if ((loaded.rights & TYPE_ACCESSED) == 0) {
        uint8_t access = (uint8_t)(loaded.rights | TYPE_ACCESSED);
        s = write_linear(w, at + 5, &access, sizeof(access));
        loaded.rights |= TYPE_ACCESSED;
    }
    if (s == STATUS_OK) {
        *segment = loaded;
    }
    return s;
}

static enum status load_segments(struct work *w)
{
    static const enum vmcs_segment order[] = {VMCS_CS, VMCS_SS, VMCS_DS, VMCS_ES, VMCS_FS, VMCS_GS};
    struct task_cpu *cpu = w->cpu;
    enum status s = load_ldt(w);
    unsigned cpl = SELECTOR_RPL(cpu->segment[VMCS_CS].selector);
    for (unsigned i = 0; s == STATUS_OK && i < ARRAY_SIZE(order); i++) {
        struct task_segment *segment = &cpu->segment[order[i]];
        if (cpu->eflags & RFLAGS_VM) {
            *segment = (struct task_segment){segment->selector, VM86_LIMIT, VM86_RIGHTS,
                                             (uint64_t)segment->selector << 4};
        } else {
            s = load_segment(w, order[i], cpl);
        }
    }
    if (s == STATUS_OK && cpu->eip > cpu->segment[VMCS_CS].limit) {
        s = raise(w, EXCEPTION_GP, 0);
    }
    return s;
}

// Pushes the exception's error code onto the new task's stack.
static enum status push_error(struct work *w)
{
    struct task_cpu *cpu = w->cpu;
    const struct task_segment *ss = &cpu->segment[VMCS_SS];
    unsigned size = is_32bit(&cpu->segment[VMCS_TR]) ? 4 : 2;
    uint32_t mask = ss->rights & RIGHTS_BIG ? UINT32_MAX : 0xffff;
    uint32_t sp = ((uint32_t)cpu->regs->r[GPR_RSP] - size) & mask;
    bool expand_down = (ss->rights & 4) != 0;
    bool inside = expand_down ? sp > ss->limit && sp <= mask - (size - 1)
                              : sp <= ss->limit && ss->limit - sp >= size - 1;
    if (!inside) {
        return raise(w, EXCEPTION_SS, 0);
    }
    struct guest_fault f;
    enum status s = guest_copy_to_linear(cpu->ram, &cpu->paging, (uint32_t)(ss->base + sp),
                                         &w->request->error, size, 0, &f);
    if (s == STATUS_OK) {
        uint32_t old = (uint32_t)cpu->regs->r[GPR_RSP];
        cpu->regs->r[GPR_RSP] = (old & ~mask) | sp;
    }
    return page_fault(w, s, &f);
}

// Everything that can still fail in the old task.
static enum status prepare(struct work *w, struct task_segment *tss, struct tss32 *t)
{
    struct task_cpu *cpu = w->cpu;
    uint64_t descriptor;
    uint64_t at = cpu->gdt_base + (w->request->selector & SELECTOR_INDEX);
    const struct task_segment *old = &cpu->segment[VMCS_TR];
    enum status s = read_linear(w, at, &descriptor, sizeof(descriptor));
    if (s != STATUS_OK) {
        return s;
    }
    // The processor checked type, presence and limit before the exit.
    unpack(descriptor, w->request->selector, tss);
    s = probe_write(w, at, sizeof(descriptor));
    if (s == STATUS_OK) {
        s = probe_write(w, old->base, is_32bit(old) ? sizeof(struct tss32) : sizeof(struct tss16));
    }
    if (s == STATUS_OK) {
        s = probe_write(w, tss->base, sizeof(uint16_t));
    }
    return s == STATUS_OK ? read_new(w, tss, t) : s;
}

// Replaces code and stack segments that could not be loaded. VM entry requires valid ones, so the
// old task's limits and bases stay, with the new privilege. The fault's handler loads its own.
static void keep_unloaded(struct task_cpu *cpu, const struct task_segment *old)
{
    static const enum vmcs_segment needed[] = {VMCS_CS, VMCS_SS};
    uint32_t dpl = SELECTOR_RPL(cpu->segment[VMCS_CS].selector) << 5;
    for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
        struct task_segment *s = &cpu->segment[needed[i]];
        if (s->rights & RIGHTS_UNUSABLE) {
            uint16_t selector = s->selector;
            *s = old[needed[i]];
            s->selector = selector;
            s->rights = (s->rights & ~(3u << 5)) | dpl;
        }
    }
}

// Sets and clears the busy bits, and writes the link to the old task (SDM vol. 3, table 8-2).
static enum status link_tasks(struct work *w, const struct task_segment *tss, uint16_t old)
{
    enum task_source source = w->request->source;
    enum status s = STATUS_OK;
    if (source == TASK_BY_JMP || source == TASK_BY_IRET) {
        s = set_tss_busy(w, old, false);
    } else {
        s = write_linear(w, tss->base, &old, sizeof(old));
    }
    if (s == STATUS_OK && source != TASK_BY_IRET) {
        s = set_tss_busy(w, tss->selector, true);
    }
    return s;
}

enum status task_switch(struct task_cpu *cpu, const struct task_request *request,
                        struct guest_exception *fault)
{
    struct work w = {cpu, request, fault};
    struct task_segment tss;
    struct tss32 t;
    cpu->paging.cpl = 0;
    cpu->paging.ac = false;
    cpu->switched = cpu->loads_cr3 = cpu->debug_trap = false;
    struct task_segment old[VMCS_SEGMENTS];
    memcpy(old, cpu->segment, sizeof(old));
    enum status s = prepare(&w, &tss, &t);
    if (s == STATUS_OK) {
        s = save_old(&w);
    }
    if (s == STATUS_OK) {
        s = link_tasks(&w, &tss, old[VMCS_TR].selector);
    }
    if (s != STATUS_OK) {
        return s;
    }
    cpu->switched = true;
    load_registers(&w, &tss, &t);
    if (is_32bit(&tss)) {
        s = load_cr3(&w, t.cr3);
    }
    if (s == STATUS_OK) {
        s = load_segments(&w);
    }
    cpu->paging.cpl =
        cpu->eflags & RFLAGS_VM ? 3 : (uint8_t)SELECTOR_RPL(cpu->segment[VMCS_CS].selector);
    if (s == STATUS_OK && request->has_error) {
        s = push_error(&w);
    }
    keep_unloaded(cpu, old);
    return s;
}
