// SPDX-License-Identifier: Apache-2.0
// AMD-V: finds it, turns it on, and builds what VMRUN reads: the VMCB with its controls
// (arch/svm/controls.c), nested page tables, and the permission maps from the tables of
// hv/policy/msr_policy.c and hv/policy/io_policy.c.
#include "arch/svm/svm.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"
#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "arch/svm/controls.h"
#include "arch/virt/exception_intercepts.h"
#include "arch/virt/ssbd.h"
#include "hv/partition/partition.h"
#include "hv/policy/msr_policy.h"

#define CPUID_SVM               0x8000000a
#define CPUID_80000001_ECX_SVM  BIT(2)
#define CPUID_80000001_EDX_1GIB BIT(26)

#define IOPM_PAGES  3
#define MSRPM_PAGES 2

static const uint8_t *svm_msr_map_xapic;  // permission maps, shared by all vCPUs, never written
static const uint8_t *svm_msr_map_x2apic; // after svm_init

static struct svm_identity read_identity(void)
{
    struct svm_identity cpu = {0};
    uint32_t leaf[4];
    cpuid(0x80000000, 0, leaf);
    uint32_t max = leaf[0];
    cpuid(0x80000001, 0, leaf);
    cpu.svm = max >= CPUID_SVM && (leaf[2] & CPUID_80000001_ECX_SVM) != 0;
    if (cpu.svm) {
        msr_read_safe(MSR_VM_CR, &cpu.vm_cr); // stays 0 if the MSR does not exist
        cpuid(CPUID_SVM, 0, leaf);
        cpu.asids = leaf[1];
        cpu.edx = leaf[3];
    }
    return cpu;
}

static enum status svm_probe(char *why, size_t size)
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

static void svm_describe(char *text, size_t size)
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

static enum status svm_init(void)
{
    ssbd_init();
    svm_msr_map_xapic = build_msr_map(false);
    svm_msr_map_x2apic = build_msr_map(true);
    return svm_msr_map_xapic != NULL && svm_msr_map_x2apic != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

// Guests see a serializing LFENCE (hv/policy/msr_rules.c), so the processor must have one.
static void serialize_lfence(void)
{
    uint64_t value;
    if (msr_read_safe(MSR_DE_CFG, &value)) {
        msr_write_safe(MSR_DE_CFG, value | DE_CFG_LFENCE_SERIALIZE);
    }
}

static enum status svm_cpu_enable(void)
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

static enum status svm_partition_create(struct partition *p)
{
    hpa_t map = heap_pages_alloc(IOPM_PAGES);
    if (map.v == 0) {
        return ERR_NO_MEMORY;
    }
    p->io_map = heap_ptr(map);
    return pt_create(&p->second_level, &pt_format_npt, max_leaf_level());
}

static enum status svm_vcpu_create(struct vcpu *v)
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

static void vcpu_load(struct vcpu *v)
{
    (void)v; // VMRUN gets the VMCB's address each time
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
    .table_format = TABLE_NPT,
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
    .can_interrupt = svm_can_interrupt,
    .interrupt = svm_interrupt,
    .interrupt_window = svm_interrupt_window,
    .flush = svm_flush,
    .set_x2apic = set_x2apic,
    .nmi_open = svm_nmi_open,
    .nmi_close = svm_nmi_close,
};
