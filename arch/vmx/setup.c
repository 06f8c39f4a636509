// SPDX-License-Identifier: Apache-2.0
// VT-x: finds it, turns it on, and builds what VM entry reads: the VMCS's controls and host state,
// EPT, and the permission maps from the tables of hv/policy/msr_policy.c and hv/policy/io_policy.c.
#include "arch/vmx/vmx.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/exceptions.h"
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"
#include "arch/virt/exception_intercepts.h"
#include "hv/partition/partition.h"
#include "hv/policy/msr_policy.h"

#define CPUID_1_ECX_VMX BIT(5)
#define CPUID_SIZES     0x80000008

#define IO_MAP_PAGES 2 // bitmap A: ports below 0x8000, bitmap B: the others
#define GUEST_VPID   1 // one guest per CPU, permanently; VPID 0 is the hypervisor's own

// The host state needs a task register that is not null, but nothing uses this one. No gate of the
// hypervisor switches stacks, so there is no TSS, and an exit loads the register from the VMCS
// without reading a descriptor.
#define HOST_TR_SELECTOR 0x18

// VMX capability MSRs (SDM vol. 3, appendix A), from MSR_VMX_FIRST.
#define MSR_VMX_BASIC        (MSR_VMX_FIRST + 0x00)
#define MSR_VMX_CR0_FIXED0   (MSR_VMX_FIRST + 0x06)
#define MSR_VMX_CR0_FIXED1   (MSR_VMX_FIRST + 0x07)
#define MSR_VMX_CR4_FIXED0   (MSR_VMX_FIRST + 0x08)
#define MSR_VMX_CR4_FIXED1   (MSR_VMX_FIRST + 0x09)
#define MSR_VMX_PROC2        (MSR_VMX_FIRST + 0x0b)
#define MSR_VMX_EPT_VPID_CAP (MSR_VMX_FIRST + 0x0c)

static bool decided; // set by the boot CPU, before any other CPU runs
static uint32_t revision;

// ---- finding -------------------------------------------------------------------------------

static void read_capabilities(struct vmx_capabilities *c)
{
    static const uint32_t plain[WORD_COUNT] = {
        [WORD_PIN] = 0x481, [WORD_PROC] = 0x482, [WORD_EXIT] = 0x483, [WORD_ENTRY] = 0x484};
    static const uint32_t exact[WORD_COUNT] = {
        [WORD_PIN] = 0x48d, [WORD_PROC] = 0x48e, [WORD_EXIT] = 0x48f, [WORD_ENTRY] = 0x490};
    *c = (struct vmx_capabilities){.basic = rdmsr(MSR_VMX_BASIC)};
    bool has_exact = (c->basic & VMX_BASIC_TRUE_CONTROLS) != 0;
    for (enum vmx_word w = 0; w < WORD_COUNT; w++) {
        if (w != WORD_PROC2) {
            c->word[w] = rdmsr(has_exact ? exact[w] : plain[w]);
        }
    }
    if (c->word[WORD_PROC] >> 32 & PROC_SECONDARY) {
        c->word[WORD_PROC2] = rdmsr(MSR_VMX_PROC2);
    }
    if (c->word[WORD_PROC2] >> 32 & (PROC2_EPT | PROC2_VPID)) {
        c->ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP);
    }
}

static void read_limits(struct vmx_limits *l)
{
    uint32_t leaf[4];
    cpuid(CPUID_SIZES, 0, leaf);
    *l = (struct vmx_limits){
        .cr0_fixed0 = rdmsr(MSR_VMX_CR0_FIXED0),
        .cr0_fixed1 = rdmsr(MSR_VMX_CR0_FIXED1),
        .cr4_fixed0 = rdmsr(MSR_VMX_CR4_FIXED0),
        .cr4_fixed1 = rdmsr(MSR_VMX_CR4_FIXED1),
        .phys_bits = leaf[0] & 0xff,
    };
}

static enum status vmx_probe(char *why, size_t size)
{
    uint32_t leaf[4];
    cpuid(1, 0, leaf);
    if ((leaf[2] & CPUID_1_ECX_VMX) == 0) {
        format(why, size, "no VT-x (VMX)");
        return ERR_NOT_FOUND;
    }
    uint64_t feature = rdmsr(MSR_FEATURE_CONTROL);
    if (vmx_locked_off(feature)) {
        format(why, size,
               "VT-x is turned off and locked by the firmware (IA32_FEATURE_CONTROL 0x%lx): turn "
               "on \"Intel Virtualization Technology\" in its setup",
               feature);
        return ERR_UNSUPPORTED;
    }
    struct vmx_capabilities capabilities;
    struct vmx_controls controls;
    struct vmx_limits limits;
    read_capabilities(&capabilities);
    enum status s = vmx_controls_decide(&capabilities, &controls, why, size);
    if (s != STATUS_OK) {
        return s;
    }
    read_limits(&limits);
    uint32_t cpu_revision = VMX_BASIC_REVISION(capabilities.basic);
    if (!decided) {
        vmx_controls = controls;
        vmx_limits = limits;
        revision = cpu_revision;
        decided = true;
        return STATUS_OK;
    }
    char what[160];
    if (!vmx_controls_differ(&controls, &vmx_controls, what, sizeof(what))) {
        if (memcmp(&limits, &vmx_limits, sizeof(limits)) == 0 && cpu_revision == revision) {
            return STATUS_OK;
        }
        format(what, sizeof(what), "bits of CR0 and CR4, width of addresses, or VMCS revision");
    }
    format(why, size, "its VT-x can't do the same (%s): Bulkhead needs processors of one kind",
           what);
    return ERR_UNSUPPORTED;
}

static void vmx_describe(char *text, size_t size)
{
    const struct vmx_controls *c = &vmx_controls;
    format(text, size,
           "EPT: yes, unrestricted guest: yes; VPID: %s, EPT pages of 1 GiB: %s, EPT accessed and "
           "dirty bits: %s",
           c->vpid ? "yes" : "no", c->ept_1g ? "yes" : "no", c->ept_accessed_dirty ? "yes" : "no");
}

// ---- turning on ----------------------------------------------------------------------------

static const uint8_t *build_msr_map(bool x2apic)
{
    hpa_t page = heap_page_alloc();
    if (page.v == 0) {
        return NULL;
    }
    uint8_t *map = heap_ptr(page);
    msr_policy_build_vmx(map, x2apic);
    return map;
}

static enum status vmx_init(void)
{
    vmx_cr_init();
    vmx_msr_map_xapic = build_msr_map(false);
    vmx_msr_map_x2apic = build_msr_map(true);
    return vmx_msr_map_xapic != NULL && vmx_msr_map_x2apic != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

static enum status vmx_cpu_enable(void)
{
    hpa_t region = heap_page_alloc();
    if (region.v == 0) {
        return ERR_NO_MEMORY;
    }
    *(uint32_t *)heap_ptr(region) = revision;
    uint64_t feature = rdmsr(MSR_FEATURE_CONTROL);
    if ((feature & FEATURE_CONTROL_LOCK) == 0) {
        wrmsr(MSR_FEATURE_CONTROL, feature | FEATURE_CONTROL_VMX_OUTSIDE | FEATURE_CONTROL_LOCK);
    }
    uint64_t cr0 = read_cr0() | vmx_limits.cr0_fixed0;
    uint64_t cr4 = read_cr4() | vmx_limits.cr4_fixed0 | CR4_VMXE;
    write_cr0(cr0 & vmx_limits.cr0_fixed1);
    write_cr4(cr4 & vmx_limits.cr4_fixed1);
    bool failed;
    __asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region.v) : "memory");
    return failed ? ERR_UNSUPPORTED : STATUS_OK;
}

// ---- what entry reads ----------------------------------------------------------------------

static enum status vmx_partition_create(struct partition *p)
{
    hpa_t map = heap_pages_alloc(IO_MAP_PAGES);
    if (map.v == 0) {
        return ERR_NO_MEMORY;
    }
    p->io_map = heap_ptr(map);
    unsigned max_leaf_level = vmx_controls.ept_1g ? 2 : vmx_controls.ept_2m;
    return pt_create(&p->second_level, &pt_format_ept, max_leaf_level);
}

// CPUID may show these instructions only if the control that enables them for a guest is on.
static void hide_unusable(struct cpuid_table *t)
{
    uint32_t proc2 = vmx_controls.word[WORD_PROC2];
    if ((proc2 & PROC2_RDTSCP) == 0) {
        t->extended[1].edx &= ~(uint32_t)CPUID_80000001_EDX_RDTSCP;
        t->basic[CPUID_EXTENDED_FEATURES].ecx &= ~(uint32_t)CPUID_7_ECX_RDPID;
    }
    if ((proc2 & PROC2_INVPCID) == 0) {
        t->basic[CPUID_EXTENDED_FEATURES].ebx &= ~(uint32_t)CPUID_7_EBX_INVPCID;
    }
    struct cpuid_entry *xsave = &t->basic[CPUID_XSAVE];
    if ((proc2 & PROC2_XSAVES) == 0 && xsave->count > 0) {
        t->more[xsave->next].eax &= ~(uint32_t)CPUID_D_1_EAX_XSAVES;
    }
}

static enum status vmx_vcpu_create(struct vcpu *v)
{
    hide_unusable(&v->cpuid);
    *(uint32_t *)v->vm = revision;
    return STATUS_OK;
}

static uint64_t ept_pointer(const struct partition *p)
{
    // With accessed and dirty bits a walk of the guest's own tables counts as a write, as it always
    // does on AMD-V. Nothing reads the bits yet.
    return p->second_level.root.v | EPTP_WRITE_BACK | EPTP_WALK_4 |
           (vmx_controls.ept_accessed_dirty ? EPTP_ACCESSED_DIRTY : 0);
}

static void write_controls(const struct vcpu *v)
{
    vmwrite(VMCS_PIN_CONTROLS, vmx_controls.word[WORD_PIN]);
    vmwrite(VMCS_PROC_CONTROLS, vmx_controls.word[WORD_PROC]);
    vmwrite(VMCS_PROC2_CONTROLS, vmx_controls.word[WORD_PROC2]);
    vmwrite(VMCS_EXIT_CONTROLS, vmx_controls.word[WORD_EXIT]);
    vmwrite(VMCS_ENTRY_CONTROLS, vmx_controls.word[WORD_ENTRY]);
    vmwrite(VMCS_EXCEPTION_BITMAP, exception_intercept_mask());
    vmwrite(VMCS_PF_ERROR_MASK, 0);
    vmwrite(VMCS_PF_ERROR_MATCH, 0);
    vmwrite(VMCS_CR3_TARGET_COUNT, 0);
    vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
    vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    vmwrite(VMCS_CR0_MASK, vmx_cr0_mask);
    vmwrite(VMCS_CR4_MASK, vmx_cr4_mask);
    uint64_t io_map = heap_pa(v->partition->io_map).v;
    vmwrite(VMCS_IO_BITMAP_A, io_map);
    vmwrite(VMCS_IO_BITMAP_B, io_map + PAGE_SIZE);
    vmwrite(VMCS_MSR_BITMAP, heap_pa(vmx_msr_map_xapic).v);
    vmwrite(VMCS_EPT_POINTER, ept_pointer(v->partition));
    if (vmx_controls.vpid) {
        vmwrite(VMCS_VPID, GUEST_VPID);
    }
    if (vmx_controls.word[WORD_PROC2] & PROC2_XSAVES) {
        vmwrite(VMCS_XSS_EXITING_BITMAP, 0); // the guest can't write XSS itself
    }
    if (vmx_controls.word[WORD_PROC2] & PROC2_ENCLS) {
        vmwrite(VMCS_ENCLS_EXITING_BITMAP, ~0ull);
    }
    if (vmx_controls.word[WORD_PROC2] & PROC2_ENCLV) {
        vmwrite(VMCS_ENCLV_EXITING_BITMAP, ~0ull);
    }
}

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void write_host_state(void)
{
    struct table_pointer gdtr, idtr;
    __asm__ volatile("sgdt %0\n\tsidt %1" : "=m"(gdtr), "=m"(idtr));
    vmwrite(VMCS_HOST_CR0, read_cr0());
    vmwrite(VMCS_HOST_CR3, read_cr3());
    vmwrite(VMCS_HOST_CR4, read_cr4());
    vmwrite(VMCS_HOST_CS_SELECTOR, HV_CODE_SELECTOR);
    vmwrite(VMCS_HOST_SS_SELECTOR, HV_DATA_SELECTOR);
    vmwrite(VMCS_HOST_DS_SELECTOR, HV_DATA_SELECTOR);
    vmwrite(VMCS_HOST_ES_SELECTOR, HV_DATA_SELECTOR);
    vmwrite(VMCS_HOST_TR_SELECTOR, HOST_TR_SELECTOR);
    vmwrite(VMCS_HOST_GDTR_BASE, gdtr.base);
    vmwrite(VMCS_HOST_IDTR_BASE, idtr.base);
    vmwrite(VMCS_HOST_PAT, PAT_HOST);
    vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
    vmwrite(VMCS_HOST_RSP, PERCPU_STACK_TOP);
    vmwrite(VMCS_HOST_RIP, (uint64_t)vmx_exit_entry);
    static const enum vmcs_field zero[] = {
        VMCS_HOST_FS_SELECTOR,  VMCS_HOST_GS_SELECTOR,  VMCS_HOST_FS_BASE,
        VMCS_HOST_GS_BASE,      VMCS_HOST_TR_BASE,      VMCS_HOST_SYSENTER_CS,
        VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_EIP,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(zero); i++) {
        vmwrite(zero[i], 0);
    }
}

static void vmx_vcpu_load(struct vcpu *v)
{
    uint64_t region = cpus[v->cpu]->vm_area;
    bool not_cleared, not_loaded;
    __asm__ volatile("vmclear %1" : "=@ccbe"(not_cleared) : "m"(region) : "memory");
    __asm__ volatile("vmptrld %1" : "=@ccbe"(not_loaded) : "m"(region) : "memory");
    ASSERT(!not_cleared && !not_loaded);
    write_controls(v);
    write_host_state();
}

static void nothing(void)
{
    // NMIs are never held back: the entry path tests whether one came (entry.asm).
}

static void flush(struct vcpu *v)
{
    (void)v; // called on its own CPU
    vmx_flush_tlb();
}

const struct virt_ops vmx_ops = {
    .name = "VT-x",
    .table_format = TABLE_EPT,
    .io_map_size = IO_MAP_PAGES * PAGE_SIZE,
    .probe = vmx_probe,
    .describe = vmx_describe,
    .init = vmx_init,
    .cpu_enable = vmx_cpu_enable,
    .partition_create = vmx_partition_create,
    .vcpu_create = vmx_vcpu_create,
    .vcpu_load = vmx_vcpu_load,
    .vcpu_reset = vmx_vcpu_reset,
    .run = vmx_enter,
    .get_state = vmx_get_state,
    .complete = vmx_complete,
    .get_segment = vmx_get_segment,
    .get_efer = vmx_get_efer,
    .set_efer = vmx_set_efer,
    .inject = vmx_inject,
    .inject_nmi = vmx_inject_nmi,
    .can_interrupt = vmx_can_interrupt,
    .interrupt = vmx_interrupt,
    .interrupt_window = vmx_interrupt_window,
    .set_timer = vmx_set_timer,
    .has_timer = vmx_has_timer,
    .flush = flush,
    .set_x2apic = vmx_set_x2apic,
    .nmi_open = nothing,
    .nmi_close = nothing,
};
