// SPDX-License-Identifier: Apache-2.0
// AMD-V: finding it, turning it on, and building what VMRUN reads: the VMCB with its controls
// (arch/svm/controls.c), nested page tables, and the permission maps, which come from the tables of
// hv/msr_policy.c and hv/io_policy.c.
#include "arch/svm/svm.h"

#include "arch/cpu.h"
#include "arch/exception_intercepts.h"
#include "arch/guest_state.h"
#include "arch/heap.h"
#include "arch/msr.h"
#include "arch/msr_access.h"
#include "arch/percpu.h"
#include "arch/string.h"
#include "arch/svm/controls.h"
#include "drivers/format.h"
#include "hv/io_policy.h"
#include "hv/msr_policy.h"
#include "hv/partition.h"

#define CPUID_SVM               0x8000000a
#define CPUID_80000001_ECX_SVM  BIT(2)
#define CPUID_80000001_EDX_1GIB BIT(26)

#define IOPM_PAGES  3
#define MSRPM_PAGES 2

struct svm_features svm_features;
const uint8_t *svm_msr_map_xapic;
const uint8_t *svm_msr_map_x2apic;

static struct svm_identity read_identity(void)
{
    struct svm_identity cpu = {0};
    uint32_t leaf[4];
    cpuid(0x80000000, 0, leaf);
    uint32_t max = leaf[0];
    cpuid(0x80000001, 0, leaf);
    cpu.svm = max >= CPUID_SVM && (leaf[2] & CPUID_80000001_ECX_SVM) != 0;
    if (cpu.svm) {
        msr_read_safe(MSR_VM_CR, &cpu.vm_cr); // stays 0 where there is no such switch
        cpuid(CPUID_SVM, 0, leaf);
        cpu.asids = leaf[1];
        cpu.edx = leaf[3];
    }
    return cpu;
}

enum status svm_probe(char *why, size_t size)
{
    static struct svm_identity first; // the boot CPU's; read by the others
    static bool known;
    struct svm_identity cpu = read_identity();
    enum status s = svm_verdict(&cpu, known ? &first : NULL, why, size);
    if (s == STATUS_OK && !known) {
        first = cpu;
        known = true;
        svm_features = svm_features_of(&cpu);
    }
    return s;
}

void svm_describe(char *text, size_t size)
{
    const struct svm_features *f = &svm_features;
    format(text, size, "nested paging: yes; nRIP save: %s, decode assists: %s, flush by ASID: %s",
           f->next_rip ? "yes" : "no", f->decode_assists ? "yes" : "no",
           f->flush_by_asid ? "yes" : "no");
}

static const uint8_t *build_msr_map(bool x2apic)
{
    hpa_t pages = heap_pages_alloc(MSRPM_PAGES);
    if (pages.v == 0) {
        return NULL;
    }
    uint8_t *map = heap_ptr(pages);
    msr_policy_build_svm(map, x2apic);
    return map;
}

enum status svm_init(void)
{
    svm_msr_map_xapic = build_msr_map(false);
    svm_msr_map_x2apic = build_msr_map(true);
    return svm_msr_map_xapic != NULL && svm_msr_map_x2apic != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

// Guests are shown an LFENCE that serializes (hv/msr_rules.c), so it has to.
static void serialize_lfence(void)
{
    uint64_t value;
    if (msr_read_safe(MSR_DE_CFG, &value)) {
        msr_write_safe(MSR_DE_CFG, value | DE_CFG_LFENCE_SERIALIZE);
    }
}

enum status svm_cpu_enable(void)
{
    serialize_lfence();
    hpa_t host_save = heap_page_alloc();
    if (host_save.v == 0) {
        return ERR_NO_MEMORY;
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, host_save.v);
    return STATUS_OK;
}

static unsigned max_leaf_level(void)
{
    uint32_t leaf[4];
    cpuid(0x80000001, 0, leaf);
    return leaf[3] & CPUID_80000001_EDX_1GIB ? 2 : 1;
}

enum status svm_partition_create(struct partition *p)
{
    hpa_t map = heap_pages_alloc(IOPM_PAGES);
    if (map.v == 0) {
        return ERR_NO_MEMORY;
    }
    p->io_map = heap_ptr(map);
    return pt_create(&p->second_level, &pt_format_npt, max_leaf_level());
}

enum status svm_vcpu_create(struct vcpu *v)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    hpa_t scratch = heap_page_alloc();
    if (scratch.v == 0) {
        return ERR_NO_MEMORY;
    }
    v->vm_state = scratch.v;
    struct vmcb_control *c = &vmcb->control;
    c->intercept_exceptions = exception_intercept_mask();
    c->intercept_misc1 = svm_control_word(SVM_MISC1);
    c->intercept_misc2 = svm_control_word(SVM_MISC2);
    c->intercept_misc3 = svm_control_word(SVM_MISC3);
    c->iopm_base = heap_pa(v->partition->io_map).v;
    c->msrpm_base = heap_pa(svm_msr_map_xapic).v;
    c->asid = SVM_GUEST_ASID;
    c->nested_control = svm_control_word(SVM_NESTED);
    c->nested_cr3 = v->partition->second_level.root.v;
    return STATUS_OK;
}

static struct vmcb_segment segment(uint16_t selector, uint16_t attributes, uint32_t limit,
                                   uint64_t base)
{
    return (struct vmcb_segment){selector, attributes, limit, base};
}

#define SEGMENT_CODE16 0x09b // present, code, readable, accessed; 16-bit
#define SEGMENT_DATA16 0x093
#define SEGMENT_CODE32 0xc9b
#define SEGMENT_CODE64 0xa9b
#define SEGMENT_DATA32 0xc93
#define SEGMENT_LDT    0x082
#define SEGMENT_TSS    0x08b

static void reset_system_state(struct vmcb_save *s)
{
    // Reset and INIT state: AMD APM volume 2, table 14-1.
    memset(s, 0, sizeof(*s));
    s->es = s->ss = s->ds = s->fs = s->gs = segment(0, SEGMENT_DATA16, 0xffff, 0);
    s->cs = segment(0xf000, SEGMENT_CODE16, 0xffff, 0xffff0000);
    s->gdtr = s->idtr = segment(0, 0, 0xffff, 0);
    s->ldtr = segment(0, SEGMENT_LDT, 0xffff, 0);
    s->tr = segment(0, SEGMENT_TSS, 0xffff, 0);
    s->efer = EFER_SVME; // VMRUN demands it; the guest is shown an EFER without it
    s->cr0 = CR0_ET | CR0_CD | CR0_NW;
    s->dr6 = 0xffff0ff0;
    s->dr7 = 0x400;
    s->rflags = RFLAGS_FIXED;
    s->rip = 0xfff0;
    s->g_pat = PAT_RESET;
}

static void enter_flat(struct vmcb_save *s, const struct vcpu_entry *entry, uint16_t code)
{
    s->cs = segment(entry->cs, code, 0xffffffff, 0);
    s->es = s->ss = s->ds = s->fs = s->gs = segment(entry->ds, SEGMENT_DATA32, 0xffffffff, 0);
    s->gdtr = segment(0, 0, entry->gdt_limit, entry->gdt.v);
    s->cr0 = CR0_ET | CR0_NE | CR0_PE;
}

static const uint32_t kept_by_init[] = {
    MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_STAR,
    MSR_LSTAR,       MSR_CSTAR,        MSR_SFMASK,       MSR_KERNEL_GS_BASE,
};

void svm_flush(struct vcpu *v)
{
    (void)v; // its own CPU calls
    svm_vmcb()->control.tlb_control =
        svm_features.flush_by_asid ? TLB_CONTROL_ASID : TLB_CONTROL_ALL;
    svm_vmcb()->control.clean = 0;
}

void svm_vcpu_reset(struct vcpu *v, const struct vcpu_entry *entry, struct guest_regs *regs)
{
    struct vmcb *vmcb = svm_vmcb_of(v);
    struct vmcb_save *s = &vmcb->save;
    uint64_t pat = s->g_pat;
    reset_system_state(s);
    if (entry->after_init) {
        s->g_pat = pat;
    }
    s->rip = entry->rip;
    switch (entry->mode) {
    case ENTRY_REAL:
        s->cs = segment((uint16_t)(entry->rip >> 4), SEGMENT_CODE16, 0xffff, entry->rip & ~0xfull);
        s->rip = entry->rip & 0xf;
        break;
    case ENTRY_PROTECTED32:
        enter_flat(s, entry, SEGMENT_CODE32);
        break;
    case ENTRY_LONG64:
        enter_flat(s, entry, SEGMENT_CODE64);
        s->cr0 |= CR0_PG;
        s->cr4 = CR4_PAE;
        s->cr3 = entry->cr3;
        s->efer |= EFER_LME | EFER_LMA;
        break;
    }
    memset(regs, 0, sizeof(*regs));
    regs->r[0] = s->rax = entry->rax;
    regs->r[1] = entry->rcx;
    regs->r[2] = entry->rdx;
    regs->r[3] = entry->rbx;
    regs->r[4] = s->rsp = entry->rsp;
    regs->r[5] = entry->rbp;
    regs->r[6] = entry->rsi;
    regs->r[7] = entry->rdi;

    vmcb->control.event_injection = 0;
    vmcb->control.interrupt_shadow = 0;
    vmcb->control.intercept_misc1 &= ~(uint32_t)INTERCEPT_IRET;
    svm_flush(v);
    v->nmi_pending = false;
    v->nmi_state = NMI_OPEN;

    // What VMRUN leaves alone. VMLOAD takes with the segments some MSRs that INIT keeps.
    uint64_t kept[ARRAY_SIZE(kept_by_init)];
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        kept[i] = rdmsr(kept_by_init[i]);
    }
    __asm__ volatile("vmload %%rax" : : "a"(cpus[v->cpu]->vm_area) : "memory");
    for (unsigned i = 0; entry->after_init && i < ARRAY_SIZE(kept); i++) {
        wrmsr(kept_by_init[i], kept[i]);
    }
    guest_state_reset();
}

static void vcpu_load(struct vcpu *v)
{
    (void)v; // VMRUN takes the VMCB's address each time
}

static uint64_t get_efer(struct vcpu *v)
{
    return svm_vmcb_of(v)->save.efer & ~EFER_SVME;
}

static void set_efer(struct vcpu *v, uint64_t efer)
{
    svm_vmcb_of(v)->save.efer = efer | EFER_SVME;
    svm_vmcb_of(v)->control.clean = 0;
}

static void set_x2apic(struct vcpu *v, bool x2apic)
{
    struct vmcb_control *c = &svm_vmcb_of(v)->control;
    c->msrpm_base = heap_pa(x2apic ? svm_msr_map_x2apic : svm_msr_map_xapic).v;
    c->clean = 0;
}

const struct virt_ops svm_ops = {
    .name = "AMD-V",
    .audit_format = AUDIT_NPT,
    .io_map_size = IOPM_PAGES * PAGE_SIZE,
    .probe = svm_probe,
    .describe = svm_describe,
    .init = svm_init,
    .cpu_enable = svm_cpu_enable,
    .partition_create = svm_partition_create,
    .vcpu_create = svm_vcpu_create,
    .vcpu_load = vcpu_load,
    .vcpu_reset = svm_vcpu_reset,
    .run = svm_enter,
    .get_state = svm_get_state,
    .complete = svm_complete,
    .get_segment = svm_get_segment,
    .get_efer = get_efer,
    .set_efer = set_efer,
    .inject = svm_inject,
    .inject_nmi = svm_inject_nmi,
    .flush = svm_flush,
    .set_x2apic = set_x2apic,
    .nmi_open = svm_nmi_open,
    .nmi_close = svm_nmi_close,
};
