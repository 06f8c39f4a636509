// SPDX-License-Identifier: Apache-2.0
// One handler for each guest action that doesn't run natively. hv/exit/exits.h says what the
// results mean.
#include "hv/exit/exits.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"
#include "arch/interrupt/exceptions.h"
#include "arch/lib/format.h"
#include "arch/virt/guest_state.h"
#include "arch/virt/ssbd.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "hv/device/passthrough.h"
#include "hv/emulate/string_io.h"
#include "hv/exit/emulation.h"
#include "hv/exit/platform.h"
#include "hv/life/end.h"
#include "hv/partition/partition.h"
#include "hv/partition/vcpu.h"
#include "hv/policy/msr_policy.h"

static const struct guest_exception general_protection = {.vector = EXCEPTION_GP};
static const struct guest_exception undefined_opcode = {.vector = EXCEPTION_UD};

bool exit_undefined(struct vcpu *v)
{
    virt->inject(v, &undefined_opcode, false);
    return false;
}

bool exit_protected(struct vcpu *v)
{
    virt->inject(v, &general_protection, true);
    return false;
}

// ---- CPUID ---------------------------------------------------------------------------------

bool exit_cpuid(struct vcpu *v, struct guest_regs *regs, uint64_t cr4)
{
    uint32_t subleaf = (uint32_t)regs->r[GPR_RCX];
    const struct cpuid_entry *e = cpuid_find(&v->cpuid, (uint32_t)regs->r[GPR_RAX], subleaf);
    if (e->flags & CPUID_FLAG_DYNAMIC) {
        uint32_t out[4];
        cpuid_patch(e, subleaf, cr4, v->apic.mode != APIC_DISABLED, out);
        regs->r[GPR_RAX] = out[0];
        regs->r[GPR_RBX] = out[1];
        regs->r[GPR_RCX] = out[2];
        regs->r[GPR_RDX] = out[3];
        return true;
    }
    regs->r[GPR_RAX] = e->eax;
    regs->r[GPR_RBX] = e->ebx;
    regs->r[GPR_RCX] = e->ecx;
    regs->r[GPR_RDX] = e->edx;
    return true;
}

// ---- MSRs ----------------------------------------------------------------------------------

static bool is_apic_msr(uint32_t msr)
{
    return msr == MSR_APIC_BASE || (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

// EFER bits that the guest may set: those whose features its CPUID shows.
static uint64_t efer_allowed(const struct vcpu *v)
{
    uint32_t ecx = v->cpuid.extended[1].ecx;
    uint32_t edx = v->cpuid.extended[1].edx;
    uint64_t allowed = EFER_LMA; // set by the processor; checked below
    allowed |= edx & BIT(11) ? EFER_SCE : 0;
    allowed |= edx & BIT(29) ? EFER_LME : 0;
    allowed |= edx & BIT(20) ? EFER_NXE : 0;
    allowed |= edx & BIT(25) ? EFER_FFXSR : 0;
    allowed |= ecx & BIT(17) ? EFER_TCE : 0;
    return allowed;
}

static bool write_efer(struct vcpu *v, uint64_t value)
{
    struct virt_state state;
    virt->get_state(v, &state);
    uint64_t old = virt->get_efer(v);
    bool paging = (state.paging.cr0 & BIT(31)) != 0;
    if ((value & ~efer_allowed(v)) != 0 || (paging && ((value ^ old) & EFER_LME) != 0)) {
        return false; // SDM vol. 4, IA32_EFER; APM vol. 2, 3.1.7
    }
    // The processor sets LMA when paging is turned on with LME set. Writes to LMA are ignored.
    virt->set_efer(v, (value & ~EFER_LMA) | (old & EFER_LMA));
    return true;
}

// The microcode's version; 0 if the CPU doesn't report it.
static uint64_t microcode_version(void)
{
    uint32_t leaf[4];
    uint64_t value = 0;
    msr_write_safe(MSR_BIOS_SIGN_ID, 0); // Intel: CPUID fills it (SDM vol. 3, 10.11.7.1)
    cpuid(1, 0, leaf);
    return msr_read_safe(MSR_BIOS_SIGN_ID, &value) ? value : 0;
}

static bool has_virt_spec_ctrl(const struct vcpu *v)
{
    return (v->cpuid.extended[8].ebx & CPUID_80000008_EBX_VIRT_SSBD) != 0;
}

static bool write_virt_spec_ctrl(struct vcpu *v, uint64_t value)
{
    if (!has_virt_spec_ctrl(v) || (value & ~VIRT_SPEC_CTRL_SSBD) != 0) {
        return false;
    }
    ssbd_set(value != 0);
    return true;
}

static bool read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    if (is_apic_msr(msr)) {
        return vapic_msr_read(&v->apic, msr, value) == STATUS_OK;
    }
    const struct msr_rule *rule = msr_policy_find(msr);
    switch (rule->read) {
    case MSR_VALUE:
        *value = rule->value;
        return true;
    case MSR_EMULATE:
        if (msr == MSR_EFER) {
            *value = virt->get_efer(v);
            return true;
        }
        if (msr == MSR_BIOS_SIGN_ID) {
            *value = microcode_version();
            return true;
        }
        if (msr == MSR_VIRT_SPEC_CTRL) {
            *value = ssbd_get() ? VIRT_SPEC_CTRL_SSBD : 0;
            return has_virt_spec_ctrl(v);
        }
        return false;
    default:
        return false;
    }
}

static bool write_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    if (is_apic_msr(msr)) {
        struct icr_verdict verdict;
        return platform_apic_action(v, vapic_msr_write(&v->apic, msr, value, &verdict), &verdict);
    }
    const struct msr_rule *rule = msr_policy_find(msr);
    switch (rule->write) {
    case MSR_IGNORE:
        return true;
    case MSR_VALUE:
        return value == rule->value;
    case MSR_EMULATE:
        return msr == MSR_EFER ? write_efer(v, value)
                               : msr == MSR_VIRT_SPEC_CTRL && write_virt_spec_ctrl(v, value);
    default:
        return false;
    }
}

bool exit_rdmsr(struct vcpu *v, struct guest_regs *regs)
{
    uint64_t value;
    if (!read_msr(v, (uint32_t)regs->r[GPR_RCX], &value)) {
        return exit_protected(v);
    }
    regs->r[GPR_RAX] = (uint32_t)value;
    regs->r[GPR_RDX] = value >> 32;
    return true;
}

bool exit_wrmsr(struct vcpu *v, struct guest_regs *regs)
{
    uint32_t msr = (uint32_t)regs->r[GPR_RCX];
    uint64_t value = regs->r[GPR_RDX] << 32 | (uint32_t)regs->r[GPR_RAX];
    if (msr == X2APIC_MSR(APIC_ICR_LOW) && v->apic.mode == APIC_X2APIC) {
        struct icr_verdict verdict;
        enum vapic_action action = vapic_icr_write(&v->apic, value, &verdict);
        return platform_apic_action(v, action, &verdict) || exit_protected(v);
    }
    return write_msr(v, msr, value) || exit_protected(v);
}

// ---- ports ---------------------------------------------------------------------------------

bool exit_port(struct vcpu *v, struct guest_regs *regs, uint16_t port, unsigned size, bool in)
{
    if (in) {
        guest_reg_write(regs, GPR_RAX, size, false, platform_port_read(v, port, size));
        return true;
    }
    uint32_t value = (uint32_t)guest_reg_read(regs, GPR_RAX, size, false);
    enum vdev_event event = platform_port_write(v, port, size, value);
    return event == VDEV_NONE || platform_event(v, event, regs);
}

uint64_t exit_port_breakpoints(uint64_t dr7, uint64_t cr4, uint16_t port, unsigned size)
{
    struct guest_debug debug;
    guest_debug_read(&debug, dr7, cr4);
    return breakpoint_port(&debug, port, size);
}

bool exit_port_string(struct vcpu *v, struct guest_regs *regs)
{
    struct emulation e;
    struct insn insn;
    emulation_begin(&e, v, regs);
    if (!emulation_fetch(&e, &insn)) {
        return false;
    }
    v->string_event = VDEV_NONE;
    enum status s = string_io(&e.context, &insn);
    if (v->string_event != VDEV_NONE) {
        platform_event(v, (enum vdev_event)v->string_event, regs);
        return false;
    }
    return emulation_finish(&e, s, "string I/O with memory that it does not have, at linear",
                            e.context.cs_base + e.context.rip);
}

// ---- memory --------------------------------------------------------------------------------

static bool access_device(struct vcpu *v, struct guest_regs *regs, gpa_t address,
                          enum exit_event event)
{
    v->exits[event]++;
    struct emulation e;
    struct insn insn;
    emulation_begin(&e, v, regs);
    if (!emulation_fetch(&e, &insn)) {
        return true;
    }
    return emulation_finish(&e, emulate_mmio(&e.context, &insn, address),
                            "an access to a device page that can't be emulated, at guest-physical",
                            address.v);
}

// Accesses an address where the partition has nothing, if that doesn't stop it.
static bool access_nothing(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write)
{
    const char *what =
        write ? "writes outside its memory in a way that can't be emulated, to guest-physical"
              : "reads outside its memory in a way that can't be emulated, at guest-physical";
    struct emulation e;
    struct insn insn;
    emulation_begin(&e, v, regs);
    e.undecoded = what;
    e.undecoded_at = address.v;
    return !emulation_fetch(&e, &insn) ||
           emulation_finish(&e, emulate_mmio(&e.context, &insn, address), what, address.v);
}

static __attribute__((noinline)) bool access_other(struct vcpu *v, struct guest_regs *regs,
                                                   gpa_t address, bool write)
{
    if (address.v - GUEST_IOAPIC_ADDRESS < PAGE_SIZE) {
        return access_device(v, regs, address, EVENT_IOAPIC);
    }
    if (platform_has_hpet(v->partition, address)) {
        return access_device(v, regs, address, EVENT_HPET);
    }
    if (passthrough_owns(v->partition, address)) {
        return access_device(v, regs, address, EVENT_PCI);
    }
    v->exits[EVENT_STRAY]++;
    if (!(v->partition->config->flags & BLOB_STOP_ON_STRAY)) {
        return access_nothing(v, regs, address, write);
    }
    return exit_fault(v, regs,
                      write ? "writes outside its memory, to guest-physical"
                            : "reads outside its memory, at guest-physical",
                      address.v);
}

bool exit_memory(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write)
{
    // The APIC's page comes first: it is the frequent one.
    return address.v - v->apic.page < PAGE_SIZE ? access_device(v, regs, address, EVENT_APIC_PAGE)
                                                : access_other(v, regs, address, write);
}

// ---- what can't be served ------------------------------------------------------------------

bool exit_fault(struct vcpu *v, struct guest_regs *regs, const char *what, uint64_t detail)
{
    struct emulation e;
    struct insn insn;
    emulation_begin(&e, v, regs);
    struct partition *p = v->partition;
    print("%s/%u: %s 0x%lx\n", p->name, v->index, what, detail);
    print("%s/%u: rip 0x%lx rsp 0x%lx rflags 0x%lx cr0 0x%lx cr3 0x%lx cr4 0x%lx\n", p->name,
          v->index, e.state.cs_base + e.state.rip, e.state.rsp, e.state.rflags, e.state.paging.cr0,
          e.state.paging.cr3, e.state.paging.cr4);
    emulate_fetch(&e.context, &insn, e.bytes, &e.byte_count);
    char text[3 * INSN_MAX_LENGTH + 1] = "";
    for (size_t i = 0; i < e.byte_count; i++) {
        format(text + 3 * i, sizeof(text) - 3 * i, " %02x", e.bytes[i]);
    }
    print("%s/%u: instruction bytes:%s\n", p->name, v->index, text);
    partition_end(v, PARTITION_FAULT, "stopped: it did something that can't be served", regs);
    return false;
}
