// SPDX-License-Identifier: Apache-2.0
// Brings a function to the state after reset, by the best way that it has. Some devices offer a way
// that does nothing. A bit of the command register, which every kind of reset clears, shows whether
// a way worked.
#include "arch/cpu/tsc.h"
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/pci/parts.h"

#define MS(n) ((uint64_t)(n)*1000)

#define PENDING_US   MS(500) // limit for the function's outstanding requests
#define STEP_US      MS(1)
#define AFTER_FLR_US MS(100) // PCI Express Base Specification, section 6.6.2
#define POWER_US     MS(10)  // PCI Power Management 1.2, table 5-6: to and from D3hot
#define BUS_RESET_US MS(2)   // at least 1 ms (section 6.6.1)
#define AFTER_BUS_US MS(100) // section 6.6.1
#define ANSWER_US    MS(900) // together with the 100 ms before: 1 s (section 6.6.1)

// ---- before and after a reset ----------------------------------------------------------------

// Turns off decoding, bus mastering and interrupts. The bit that disables legacy interrupts later
// shows whether there was a reset.
static void stop(const struct pci_function *f)
{
    pci_config_write(f->address, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    if (f->msi != 0) {
        pci_config_write(f->address, f->msi + PCI_MSI_CONTROL, 2, 0);
    }
    if (f->msix != 0) {
        pci_config_write(f->address, f->msix + PCI_MSIX_CONTROL, 2, 0);
    }
}

static bool marked(const struct pci_function *f)
{
    return (pci_config_read(f->address, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) != 0;
}

static bool answers(const struct pci_function *f)
{
    return pci_config_read(f->address, PCI_VENDOR, 2) == f->vendor;
}

// Right after a reset a function may answer with ones, or make each access be retried.
static bool wait_answer(const struct pci_function *f)
{
    uint64_t begin = time_us();
    while (!answers(f)) {
        if (time_us() - begin >= ANSWER_US) {
            return false;
        }
        delay_us(STEP_US);
    }
    return true;
}

static void restore(const struct pci_function *f)
{
    stop(f);
    pci_restore_bars(f);
    pci_isolate(f); // a reset of the function also turns this off
}

// Waits until the bits of a register are clear; false if that takes too long. `size`: 1 or 2.
static bool wait_clear(const struct pci_function *f, unsigned offset, unsigned size, uint32_t bits)
{
    uint64_t begin = time_us();
    while (pci_config_read(f->address, offset, size) & bits) {
        if (time_us() - begin >= PENDING_US) {
            return false;
        }
        delay_us(STEP_US);
    }
    return true;
}

static void tell_pending(const struct pci_function *f)
{
    char text[PCI_TEXT_SIZE];
    print("device %s still has requests on their way; it is reset all the same\n",
          pci_text(f->address, text));
}

// ---- the ways --------------------------------------------------------------------------------

static bool has_express_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    return f->pcie != 0 && (pci_config_read(f->address, f->pcie + PCI_PCIE_DEVICE_CAP, 4) &
                            PCI_PCIE_DEVICE_CAP_FLR);
}

static void express_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    unsigned control = f->pcie + PCI_PCIE_DEVICE_CONTROL;
    if (!wait_clear(f, f->pcie + PCI_PCIE_DEVICE_STATUS, 2, PCI_PCIE_STATUS_PENDING)) {
        tell_pending(f);
    }
    pci_config_write(f->address, control, 2,
                     pci_config_read(f->address, control, 2) | PCI_PCIE_CONTROL_FLR);
    delay_us(AFTER_FLR_US);
}

static bool has_advanced_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    return f->af != 0 && (pci_config_read(f->address, f->af + PCI_AF_CAP, 1) & PCI_AF_CAP_FLR) != 0;
}

// Advanced Capabilities for Conventional PCI, section 3.
static void advanced_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    bool tells = (pci_config_read(f->address, f->af + PCI_AF_CAP, 1) & PCI_AF_CAP_TP) != 0;
    if (tells && !wait_clear(f, f->af + PCI_AF_STATUS, 1, PCI_AF_STATUS_TP)) {
        tell_pending(f);
    }
    pci_config_write(f->address, f->af + PCI_AF_CONTROL, 1, PCI_AF_CONTROL_FLR);
    delay_us(AFTER_FLR_US);
}

static bool has_power_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    return f->pm != 0 &&
           (pci_config_read(f->address, f->pm + PCI_PM_CONTROL, 2) & PCI_PM_NO_SOFT_RESET) == 0;
}

// Writes the whole register, with PME off: nothing would serve a PME.
static void set_power(const struct pci_function *f, uint32_t state)
{
    pci_config_write(f->address, f->pm + PCI_PM_CONTROL, 2, state);
    delay_us(POWER_US);
}

static void power_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    set_power(f, PCI_PM_D3);
    set_power(f, 0);
}

static bool is_behind(const struct pci_machine *pci, const struct pci_function *f, int bridge)
{
    for (int p = f->parent; p != PCI_NO_PARENT; p = pci->function[p].parent) {
        if (p == bridge) {
            return true;
        }
    }
    return false;
}

// A bus reset resets everything below the function's bridge. So all of that must be in this
// function's group, or another owner would lose a device; and none may be a bridge, whose setup
// would be lost.
static bool has_bus_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    if (f->parent == PCI_NO_PARENT || pci->function[f->parent].header_type != PCI_HEADER_BRIDGE) {
        return false;
    }
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *other = &pci->function[i];
        if (is_behind(pci, other, f->parent) &&
            (other->bridge || (other != f && other->group != f->group))) {
            return false;
        }
    }
    return true;
}

// Other functions of the group lose their state too. Their owner is the same, and resets all of
// them before it uses one.
static void bus_reset(const struct pci_machine *pci, const struct pci_function *f)
{
    pci_address_t bridge = pci->function[f->parent].address;
    uint32_t control = pci_config_read(bridge, PCI_BRIDGE_CONTROL, 2);
    for (unsigned i = 0; i < pci->count; i++) {
        if (is_behind(pci, &pci->function[i], f->parent)) {
            stop(&pci->function[i]);
        }
    }
    pci_config_write(bridge, PCI_BRIDGE_CONTROL, 2, control | PCI_BRIDGE_CONTROL_RST);
    delay_us(BUS_RESET_US);
    pci_config_write(bridge, PCI_BRIDGE_CONTROL, 2, control & ~PCI_BRIDGE_CONTROL_RST);
    delay_us(AFTER_BUS_US);
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *other = &pci->function[i];
        if (other != f && is_behind(pci, other, f->parent) && wait_answer(other)) {
            restore(other);
        }
    }
}

// ---- all of it -------------------------------------------------------------------------------

static const struct way {
    const char *name;
    bool (*exists)(const struct pci_machine *pci, const struct pci_function *f);
    void (*go)(const struct pci_machine *pci, const struct pci_function *f);
} ways[] = {
    {"FLR", has_express_reset, express_reset},
    {"FLR (AF)", has_advanced_reset, advanced_reset},
    {"D3hot", has_power_reset, power_reset},
    {"bus", has_bus_reset, bus_reset},
};

const char *pci_reset_name(const struct pci_machine *pci, const struct pci_function *f)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        if (ways[i].exists(pci, f)) {
            return ways[i].name;
        }
    }
    return "none";
}

// The result of one way. A function without the tested bit is believed.
static enum status outcome(const struct pci_function *f, bool could_mark)
{
    if (!wait_answer(f)) {
        return ERR_NOT_FOUND;
    }
    return could_mark && marked(f) ? ERR_UNSUPPORTED : STATUS_OK;
}

static enum status try_all(const struct pci_machine *pci, const struct pci_function *f)
{
    bool could_mark = marked(f);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        if (!ways[i].exists(pci, f)) {
            continue;
        }
        ways[i].go(pci, f);
        enum status s = outcome(f, could_mark);
        if (s != ERR_UNSUPPORTED) {
            return s;
        }
    }
    return ERR_UNSUPPORTED;
}

enum status pci_reset_function(const struct pci_machine *pci, const struct pci_function *f)
{
    if (!answers(f)) {
        return ERR_NOT_FOUND;
    }
    if (f->pm != 0 && (pci_config_read(f->address, f->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE)) {
        set_power(f, 0); // a sleeping function would ignore the reset
    }
    stop(f);
    enum status s = try_all(pci, f);
    if (s != ERR_NOT_FOUND) {
        restore(f);
    }
    return s;
}
