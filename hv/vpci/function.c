// SPDX-License-Identifier: Apache-2.0
// Registers of one virtual PCI function. Every access goes through a row of hv/vpci/rules.c. Relies
// on the device's configuration space for the bits that a row reads from there or passes on.
#include "hv/vpci/function.h"

#include "arch/lib/string.h"
#include "drivers/pci/msi.h"
#include "hv/machine/guest_platform.h"

#define PM_CONTROL          4 // offset in the capability (PCI Power Management 1.2, 3.2.4)
#define PM_STATE            0x0003u
#define PM_D0               0
#define PM_D3HOT            3
#define PM_NO_SOFT_RESET    0x0008u
#define PM_PME_ENABLE       0x0100u
#define PM_PME_STATUS       0x8000u // writing a one clears it
#define PCIE_DEVICE_CAPS    4
#define PCIE_CAPS_FLR       0x10000000u
#define PCIE_DEVICE_CONTROL 8
#define PCIE_NO_SNOOP       0x0800u
#define PCIE_CONTROL_FLR    0x8000u
#define NO_LINE             0xff // PCI 3.0, 6.2.4: connected to nothing

// What a reset of the device changes; the caller must check these.
#define EFFECTS_OF_RESET (VPCI_EFFECT_BARS | VPCI_EFFECT_MSI | VPCI_EFFECT_MSIX)

uint32_t vpci_own(const struct vpci_function *f, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    memcpy(&value, &f->shadow[offset], size);
    return value;
}

void vpci_set_own(struct vpci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(&f->shadow[offset], &value, size);
}

static const struct pci_rule *rule_at(const struct vpci_function *f, unsigned offset)
{
    unsigned count;
    return &pci_rules(&count)[f->rule[offset]];
}

// ---- which bytes are shown ---------------------------------------------------------------------

static bool is_free(const struct vpci_function *f, unsigned first, unsigned size)
{
    for (unsigned i = first; i < first + size; i++) {
        if (i >= VPCI_CONFIG_SIZE || f->rule[i] != 0) {
            return false;
        }
    }
    return true;
}

static void show_register(struct vpci_function *f, unsigned index, const struct pci_rule *rule,
                          unsigned start)
{
    for (unsigned i = start; i < start + rule->size; i++) {
        f->rule[i] = (uint8_t)index;
        f->start[i] = (uint8_t)start;
    }
    if (rule->copied != 0) {
        uint32_t value = pci_config_read(f->host->address, start, rule->size);
        vpci_set_own(f, start, rule->size, value & rule->copied);
    }
}

bool vpci_show(struct vpci_function *f, uint32_t places, unsigned base)
{
    unsigned count;
    const struct pci_rule *rules = pci_rules(&count);
    for (unsigned i = 1; i < count; i++) {
        if ((places & BIT(rules[i].place)) != 0 &&
            !is_free(f, base + rules[i].offset, rules[i].size)) {
            return false;
        }
    }
    for (unsigned i = 1; i < count; i++) {
        if ((places & BIT(rules[i].place)) != 0) {
            show_register(f, i, &rules[i], base + rules[i].offset);
        }
    }
    return true;
}

// ---- reading -----------------------------------------------------------------------------------

static uint32_t read_register(const struct vpci_function *f, const struct pci_rule *rule,
                              unsigned start)
{
    uint32_t value = vpci_own(f, start, rule->size) & rule->own;
    if (rule->device != 0) {
        value |= pci_config_read(f->host->address, start, rule->size) & rule->device;
    }
    return value;
}

uint32_t vpci_function_read(const struct vpci_function *f, unsigned offset, unsigned size)
{
    uint32_t result = 0;
    for (unsigned i = offset, end; i < offset + size; i = end) {
        end = i + 1;
        if (f->rule[i] == 0) {
            continue; // default deny
        }
        const struct pci_rule *rule = rule_at(f, i);
        unsigned start = f->start[i];
        end = (unsigned)min_u64(start + rule->size, offset + size);
        uint32_t bytes = read_register(f, rule, start) >> 8 * (i - start);
        if (end - i < 4) {
            bytes &= (1u << 8 * (end - i)) - 1;
        }
        result |= bytes << 8 * (i - offset);
    }
    return result;
}

// ---- writing -----------------------------------------------------------------------------------

// A write to one register. `mask` are the bits that the access covers; `value` has no others.
struct register_write {
    const struct pci_rule *rule;
    unsigned start;
    uint32_t mask, value;
    uint32_t before; // the partition's copy
};

// The device must not bypass the caches, because a guest's WBINVD does nothing.
static void write_device_control(const struct vpci_function *f, uint32_t mask, uint32_t value)
{
    unsigned at = f->pcie + PCIE_DEVICE_CONTROL;
    uint32_t is = pci_config_read(f->host->address, at, 2);
    uint32_t control = (is & ~(PCIE_NO_SNOOP | PCIE_CONTROL_FLR | mask)) | (value & mask);
    if (control != is) {
        pci_config_write(f->host->address, at, 2, control);
    }
}

void vpci_sync(const struct vpci_function *f)
{
    if (f->pcie != 0) {
        write_device_control(f, 0, 0);
    }
    uint32_t wish = vpci_own(f, PCI_COMMAND, 2);
    uint32_t is = pci_config_read(f->host->address, PCI_COMMAND, 2);
    uint32_t command = is & ~PCI_COMMAND_FILTERED;
    command |= wish & (PCI_COMMAND_MASTER | PCI_COMMAND_PARITY);
    if (!vpci_intx_enabled(f)) {
        command |= PCI_COMMAND_INTX_DISABLE;
    }
    if (command != is) {
        pci_config_write(f->host->address, PCI_COMMAND, 2, command);
    }
}

static unsigned command_written(struct vpci_function *f, uint32_t changed)
{
    vpci_sync(f);
    return (changed & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)) != 0 ? VPCI_EFFECT_BARS : 0;
}

static unsigned bar_written(const struct vpci_function *f, uint32_t changed)
{
    uint32_t decodes = vpci_own(f, PCI_COMMAND, 2) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    return changed != 0 && decodes != 0 ? VPCI_EFFECT_BARS : 0;
}

static unsigned vectors_written(struct vpci_function *f, uint32_t changed, uint32_t enable,
                                unsigned effect)
{
    if ((changed & enable) != 0) {
        vpci_sync(f); // enabling messages turns the pin off
    }
    return changed != 0 ? effect : 0;
}

// The bit that enables MSI, if it is in this register.
static uint32_t msi_enable(const struct vpci_function *f, const struct register_write *w)
{
    return w->start == (unsigned)f->msi + PCI_MSI_CONTROL ? PCI_MSI_ENABLE : 0;
}

// Brings the device to D0 or D3hot. Other states, which are optional, are refused. A device is
// reset on its way to D0 unless No_Soft_Reset is set (PCI Power Management 1.2, 3.2.4).
static unsigned power_written(struct vpci_function *f, const struct register_write *w)
{
    uint32_t state = vpci_own(f, w->start, 2) & PM_STATE;
    if (state != PM_D0 && state != PM_D3HOT) {
        vpci_set_own(f, w->start, 2, w->before);
        return 0;
    }
    if (state == (w->before & PM_STATE)) {
        return 0;
    }
    uint32_t is = pci_config_read(f->host->address, w->start, 2);
    uint32_t control = (is & ~(PM_STATE | PM_PME_ENABLE | PM_PME_STATUS)) | state;
    pci_config_write(f->host->address, w->start, 2, control);
    if (state == PM_D3HOT || (is & PM_NO_SOFT_RESET) != 0) {
        return VPCI_EFFECT_POWER;
    }
    vpci_function_reset(f);
    return VPCI_EFFECT_POWER | EFFECTS_OF_RESET;
}

void vpci_wake(const struct vpci_function *f)
{
    if (f->pm == 0) {
        return;
    }
    uint32_t is = pci_config_read(f->host->address, f->pm + PM_CONTROL, 2);
    if ((is & PM_STATE) != PM_D0) {
        pci_config_write(f->host->address, f->pm + PM_CONTROL, 2,
                         is & ~(PM_STATE | PM_PME_ENABLE | PM_PME_STATUS));
    }
}

static void pass_on(const struct vpci_function *f, const struct register_write *w)
{
    uint32_t passed = w->rule->passed & w->mask;
    uint32_t cleared = w->value & w->rule->cleared;
    if (passed == 0 && cleared == 0) {
        return;
    }
    uint32_t out = cleared;
    if (passed != 0) {
        uint32_t is = pci_config_read(f->host->address, w->start, w->rule->size);
        out |= (is & ~passed & ~w->rule->cleared) | (w->value & passed);
    }
    pci_config_write(f->host->address, w->start, w->rule->size, out);
}

static unsigned device_control_written(struct vpci_function *f, const struct register_write *w)
{
    uint32_t caps = pci_config_read(f->host->address, f->pcie + PCIE_DEVICE_CAPS, 4);
    if ((w->value & PCIE_CONTROL_FLR) == 0 || (caps & PCIE_CAPS_FLR) == 0) {
        write_device_control(f, w->rule->passed & w->mask, w->value);
        return 0;
    }
    vpci_function_reset(f);
    return VPCI_EFFECT_FLR | EFFECTS_OF_RESET;
}

static unsigned write_register(struct vpci_function *f, struct register_write *w)
{
    const struct pci_rule *rule = w->rule;
    uint32_t writable = rule->writable & w->mask;
    if (rule->kind == PCI_RULE_BAR) {
        writable = vpci_bar_writable(f->host, w->start) & w->mask;
    }
    w->before = vpci_own(f, w->start, rule->size);
    uint32_t after = (w->before & ~writable) | (w->value & writable);
    vpci_set_own(f, w->start, rule->size, after);

    uint32_t changed = w->before ^ after;
    switch (rule->kind) {
    case PCI_RULE_COMMAND:
        return command_written(f, changed);
    case PCI_RULE_BAR:
        return bar_written(f, changed);
    case PCI_RULE_POWER:
        return power_written(f, w);
    case PCI_RULE_MSI:
        return vectors_written(f, changed, msi_enable(f, w), VPCI_EFFECT_MSI);
    case PCI_RULE_MSIX:
        return vectors_written(f, changed, PCI_MSIX_ENABLE, VPCI_EFFECT_MSIX);
    case PCI_RULE_DEVICE_CONTROL:
        return device_control_written(f, w);
    case PCI_RULE_PLAIN:
        pass_on(f, w);
        return 0;
    }
    return 0;
}

unsigned vpci_function_write(struct vpci_function *f, unsigned offset, unsigned size,
                             uint32_t value)
{
    unsigned what = 0;
    for (unsigned i = offset, end; i < offset + size; i = end) {
        end = i + 1;
        if (f->rule[i] == 0) {
            continue;
        }
        struct register_write w = {.rule = rule_at(f, i), .start = f->start[i]};
        end = (unsigned)min_u64(w.start + w.rule->size, offset + size);
        w.mask = end - i < 4 ? (1u << 8 * (end - i)) - 1 : UINT32_MAX;
        w.value = (value >> 8 * (i - offset) & w.mask) << 8 * (i - w.start);
        w.mask <<= 8 * (i - w.start);
        what |= write_register(f, &w);
    }
    return what;
}

// ---- reset -------------------------------------------------------------------------------------

void vpci_function_reset(struct vpci_function *f)
{
    for (unsigned i = 0; i < VPCI_CONFIG_SIZE; i++) {
        const struct pci_rule *rule = rule_at(f, i);
        if (f->rule[i] != 0 && f->start[i] == i) {
            vpci_set_own(f, i, rule->size, vpci_own(f, i, rule->size) & ~rule->writable);
        }
    }
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        vpci_bar_set(f, bar, 0);
    }
    unsigned pin = vpci_own(f, PCI_INTERRUPT_PIN, 1);
    unsigned line = NO_LINE;
    if (pin != 0) {
        line = GUEST_PCI_PIN_FIRST + guest_pci_pin(f->devfn / 8, pin);
    }
    vpci_set_own(f, PCI_INTERRUPT_LINE, 1, line);
}

// ---- what the registers mean -------------------------------------------------------------------

static unsigned log2_of_vectors(uint32_t control, unsigned shift)
{
    return (unsigned)min_u64(control >> shift & 7, 5); // 6 and 7 are reserved
}

struct vpci_msi vpci_msi(const struct vpci_function *f)
{
    struct vpci_msi m = {.vectors = 1};
    if (f->msi == 0) {
        return m;
    }
    uint32_t control = vpci_own(f, f->msi + PCI_MSI_CONTROL, 2);
    struct pci_msi r = pci_msi_registers(f->msi, control);
    m.enabled = (control & PCI_MSI_ENABLE) != 0;
    m.vectors = 1u << min_u64(log2_of_vectors(control, PCI_MSI_CAPABLE_SHIFT),
                              log2_of_vectors(control, PCI_MSI_ENABLED_SHIFT));
    m.address = vpci_own(f, r.address, 4);
    if (r.wide) {
        m.address |= (uint64_t)vpci_own(f, r.address + 4, 4) << 32;
    }
    m.data = (uint16_t)vpci_own(f, r.data, 2);
    if (r.maskable) {
        m.mask = vpci_own(f, r.mask, 4);
    }
    return m;
}

uint16_t vpci_msix_control(const struct vpci_function *f)
{
    if (f->msix == 0) {
        return 0;
    }
    uint32_t control = vpci_own(f, f->msix + PCI_MSIX_CONTROL, 2);
    return (uint16_t)(control & (PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL));
}

bool vpci_intx_enabled(const struct vpci_function *f)
{
    return f->intx && (vpci_own(f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) == 0 &&
           !vpci_msi(f).enabled && (vpci_msix_control(f) & PCI_MSIX_ENABLE) == 0;
}
