// SPDX-License-Identifier: Apache-2.0
// A hostile guest on a PCI bus with devices: any access to the ports, to the memory-mapped
// configuration space and to the MSI-X tables, as bytes from libFuzzer. The devices' configuration
// spaces come from the input too. What must hold: nothing is written to a device but what the table
// permits, nothing of a device is shown but what the table shows, and BARs are mapped only within
// the window, on pages that no other has. The second opinion on the table is this file's own.
#include <string.h>

#include "hv/machine/guest_platform.h"
#include "hv/vpci/function.h"
#include "hv/vpci/rules.h"
#include "hv/vpci/vmsix.h"
#include "hv/vpci/vpci.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_pci_config.h"

#define MAX_VECTORS 64

static struct vpci pci;
static struct vmsix msix;
static struct vmsix_entry entries[MAX_VECTORS + 1];

struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t take8(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

static uint32_t take32(struct input *in)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | take8(in);
    }
    return value;
}

static struct vpci_function *function_of(pci_address_t a)
{
    for (unsigned i = 0; i < pci.count; i++) {
        if (pci.function[i].host->address.v == a.v) {
            return &pci.function[i];
        }
    }
    CHECK(false); // not on the bus
    return NULL;
}

static bool is_master(const struct vpci_function *f)
{
    return (vpci_own(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) != 0;
}

// ---- what may be written to a device
// -------------------------------------------------------------

// Bits of the doubleword at `offset` that may change, as far as they are a capability's.
static uint32_t may_change(const struct vpci_function *f, unsigned offset)
{
    if (offset == PCI_COMMAND) {
        return 0xf9000544; // decode bits stay; errors end
    }
    if (f->pm != 0 && offset == f->pm + 4u) {
        return 0x0103; // the state; wake-up goes off
    }
    if (f->pcie != 0 && offset == f->pcie + 8u) {
        return 0x000f0810;
    }
    return 0;
}

static void check_write(const struct fake_pci_write *w)
{
    const struct vpci_function *f = function_of(w->address);
    unsigned shift = 8 * (w->offset & 3);
    uint32_t allowed = may_change(f, w->offset & ~3u) >> shift;
    // Where a one ends a bit, a one counts even if the bit was 0.
    uint32_t ends = 0;
    if (w->offset == PCI_STATUS) {
        ends = 0xf900;
    } else if (f->pcie != 0 && w->offset == f->pcie + 0x0au) {
        ends = 0x000f;
    }
    if (ends != 0) {
        CHECK((w->value & ~ends) == 0);
        return;
    }
    if (f->pm != 0 && w->offset == f->pm + 4u) {
        allowed |= 0x8000; // a zero there leaves the status of wake-up alone
    }
    if (f->pcie != 0 && w->offset == f->pcie + 8u) {
        CHECK((w->value & 0x8800) == 0); // neither a reset nor no-snoop
        allowed |= 0x8000;
    }
    CHECK(((w->before ^ w->value) & ~allowed) == 0);
    if (w->offset == PCI_COMMAND) {
        CHECK((w->value & PCI_COMMAND_SERR) == 0);
        CHECK(f->intx || (w->value & PCI_COMMAND_INTX_DISABLE) != 0);
        CHECK((w->value & PCI_COMMAND_MASTER) == 0 || is_master(f));
    }
    if (f->pm != 0 && w->offset == f->pm + 4u) {
        CHECK((w->value & 0x8100) == 0);
        CHECK((w->value & 3) == 0 || (w->value & 3) == 3);
    }
}

// ---- what may be read --------------------------------------------------------------------------

// A register shows nothing of the device beyond the table's bits: the same, whatever the others
// are.
static void check_secrets(unsigned devfn, unsigned reg)
{
    struct vpci_function *f = vpci_find(&pci, (uint8_t)devfn);
    if (f == NULL || reg >= VPCI_CONFIG_SIZE) {
        return;
    }
    struct fake_pci *d = &fake_pci[f - pci.function];
    unsigned count;
    uint8_t shown = 0, kept = d->config[reg];
    if (f->rule[reg] != 0) {
        const struct pci_rule *r = &pci_rules(&count)[f->rule[reg]];
        shown = (uint8_t)(r->device >> 8 * (reg - f->start[reg]));
    }
    uint32_t before = vpci_ecam_read(&pci, devfn << 12 | reg, 1);
    d->config[reg] = kept ^ (uint8_t)~shown;
    CHECK(vpci_ecam_read(&pci, devfn << 12 | reg, 1) == before);
    d->config[reg] = kept;
}

// Where the list leads, and that it ends.
static void check_list(unsigned devfn)
{
    unsigned at = vpci_ecam_read(&pci, devfn << 12 | PCI_CAPABILITIES, 1);
    for (unsigned n = 0; at != 0; n++) {
        CHECK(n < 48 && at >= 0x40 && at % 4 == 0);
        unsigned id = vpci_ecam_read(&pci, devfn << 12 | at, 1);
        CHECK(id == PCI_CAP_PM || id == PCI_CAP_MSI || id == PCI_CAP_MSIX || id == PCI_CAP_PCIE ||
              id == PCI_CAP_VENDOR);
        CHECK(id != PCI_CAP_VENDOR || vpci_ecam_read(&pci, devfn << 12 | (at + 3), 1) != 5);
        at = vpci_ecam_read(&pci, devfn << 12 | (at + 1), 1);
    }
}

// ---- BARs --------------------------------------------------------------------------------------

static void check_bars(void)
{
    static uint64_t mapped[VPCI_MAX_FUNCTIONS * PCI_BARS][2];
    unsigned count = 0;
    for (unsigned i = 0; i < pci.count; i++) {
        struct vpci_function *f = &pci.function[i];
        for (unsigned b = 0; b < PCI_BARS; b++) {
            gpa_t at;
            const struct pci_bar *bar = &f->host->bar[b];
            if (!vpci_bar_mapped(&pci, f, b, &at)) {
                continue;
            }
            CHECK(bar->kind == PCI_BAR_MEMORY32 || bar->kind == PCI_BAR_MEMORY64);
            CHECK(bar->address != 0 && bar->address % PAGE_SIZE == at.v % PAGE_SIZE);
            CHECK(at.v >= GUEST_PCI_WINDOW &&
                  at.v + bar->size <= (uint64_t)GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE);
            CHECK((vpci_ecam_read(&pci, (uint32_t)f->devfn << 12 | PCI_COMMAND, 2) &
                   PCI_COMMAND_MEMORY) != 0);
            mapped[count][0] = align_down(at.v, PAGE_SIZE);
            mapped[count][1] = align_up(at.v + bar->size, PAGE_SIZE);
            for (unsigned k = 0; k < count; k++) {
                CHECK(mapped[k][1] <= mapped[count][0] || mapped[count][1] <= mapped[k][0]);
            }
            count++;
        }
    }
}

static void check_port(uint16_t port, unsigned size)
{
    unsigned bar;
    uint16_t host;
    struct vpci_function *f = vpci_find_port(&pci, port, size, &bar, &host);
    if (f != NULL) {
        const struct pci_bar *b = &f->host->bar[bar];
        CHECK(b->kind == PCI_BAR_IO && port >= VPCI_PORT_FIRST);
        CHECK(host >= b->address && host + size <= b->address + b->size);
    }
}

// ---- effects -----------------------------------------------------------------------------------

static void check_effect(struct vpci_effect e)
{
    CHECK((e.what == 0) == (e.function == NULL));
    CHECK((e.what & ~0x1fu) == 0);
    if (e.what == 0) {
        return;
    }
    struct vpci_msi m = vpci_msi(e.function);
    CHECK(m.vectors >= 1 && m.vectors <= 32 && (m.address & 3) == 0);
    CHECK(!vpci_intx_enabled(e.function) || (e.function->intx && !m.enabled));
    unsigned pm = e.function->pm, power = pm != 0 ? vpci_own(e.function, pm + 4, 2) & 3 : 0;
    CHECK(power == 0 || power == 3);
    if ((e.what & (VPCI_EFFECT_FLR | VPCI_EFFECT_BARS)) != 0) {
        check_bars();
    }
    if ((e.what & VPCI_EFFECT_FLR) != 0) {
        CHECK(!is_master(e.function) && !m.enabled);
        CHECK((vpci_msix_control(e.function) & PCI_MSIX_ENABLE) == 0);
        vpci_sync(e.function);
    }
    if ((e.what & VPCI_EFFECT_MSIX) != 0) {
        vmsix_set_control(&msix, vpci_msix_control(e.function));
    }
}

// ---- MSI-X -------------------------------------------------------------------------------------

static void msix_access(struct input *in, unsigned size, bool write)
{
    uint64_t offset = msix.table + (uint64_t)(int8_t)take8(in) * 4 + (take8(in) & 7);
    bool hits = vmsix_hits(&msix, offset, size);
    if (!write) {
        CHECK(hits || vmsix_read(&msix, offset, size) == 0);
        return;
    }
    uint64_t value = (uint64_t)take32(in) << 32 | take32(in);
    struct vmsix_change change = vmsix_write(&msix, offset, size, value);
    CHECK(hits || change.count == 0);
    CHECK(change.count <= 2 && change.first + change.count <= msix.count);
    for (unsigned v = change.first; v < change.first + change.count; v++) {
        CHECK(!vmsix_live(&msix, v).live || msix.control == PCI_MSIX_ENABLE);
    }
}

// ---- the machine -------------------------------------------------------------------------------

static void break_config(struct input *in)
{
    for (unsigned n = take8(in) % 32; n > 0; n--) {
        struct fake_pci *d = &fake_pci[take8(in) % fake_pci_count];
        unsigned offset = take8(in);
        d->config[offset] = take8(in);
    }
}

static void make_devices(struct input *in)
{
    fake_pci_init();
    fake_pci_network();
    struct fake_pci *d = fake_pci_add(1, 0, 0, 0x1af4, 0x1041, 0x020000);
    fake_pci_bar(d, 1, PCI_BAR_MEMORY32, 0xfe801000, 0x1000);
    fake_pci_bar(d, 4, PCI_BAR_MEMORY64, 0x380000000000, 0x4000);
    fake_pci_msix(d, 0x98, 3, 1, 0x801);
    fake_pci_virtio(d, 0x84, 5, 20);
    fake_pci_virtio(d, 0x70, 2, 20);
    fake_pci_virtio(d, 0x60, 4, 16);
    fake_pci_virtio(d, 0x50, 3, 16);
    fake_pci_virtio(d, 0x40, 1, 16);
    d = fake_pci_add(1, 0, 1, 0x1234, 0x11e8, 0x00ff00);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfe900300, 0x100);
    fake_pci_bar(d, 1, PCI_BAR_IO, 0xc100, 0x10);
    fake_pci_msi(d, 0x40, PCI_MSI_MASKABLE | 2 << PCI_MSI_CAPABLE_SHIFT);
    break_config(in);
    for (unsigned i = 0; i < fake_pci_count; i++) {
        fake_pci_set(&fake_pci[i], PCI_COMMAND, 2,
                     fake_pci_get(&fake_pci[i], PCI_COMMAND, 2) & ~PCI_COMMAND_SERR);
    }
}

static uint32_t config_offset(struct input *in)
{
    uint8_t which = take8(in);
    uint32_t offset = take8(in);
    if ((which & 0xc0) != 0xc0) { // mostly a function that is there
        return (uint32_t)pci.function[which % pci.count].devfn << 12 | offset;
    }
    return (uint32_t)(which & 0x3f) << 10 | offset << 2;
}

static void step(struct input *in)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    uint8_t what = take8(in);
    unsigned size = sizes[what >> 6];
    uint32_t offset;
    switch (what & 0x0f) {
    case 0:
    case 1:
        offset = config_offset(in);
        check_effect(vpci_ecam_write(&pci, offset, size, take32(in)));
        break;
    case 2:
        offset = config_offset(in);
        check_secrets(offset >> 12, offset & 0xff);
        vpci_ecam_read(&pci, offset, size);
        break;
    case 3:
        offset = config_offset(in);
        vpci_write(&pci, 0xcf8, 4, 0x80000000 | (offset >> 4 & 0xff00) | (offset & 0xff));
        break;
    case 4:
        vpci_write(&pci, 0xcf8, 4, take32(in));
        break;
    case 5:
        offset = take8(in) & 7;
        check_effect(vpci_write(&pci, (uint16_t)(0xcf8 + offset), size, take32(in)));
        break;
    case 6:
        vpci_read(&pci, (uint16_t)(0xcf8 + (take8(in) & 7)), size);
        break;
    case 7:
    case 8:
        msix_access(in, size, (what & 0x10) != 0);
        break;
    case 9:
        check_port((uint16_t)take32(in), size);
        break;
    case 10:
        vpci_reset(&pci);
        break;
    case 11:
        check_list(pci.function[take8(in) % pci.count].devfn);
        break;
    case 12: // the device's own bits change
        offset = take8(in);
        fake_pci[offset % fake_pci_count].config[PCI_STATUS + 1] = take8(in);
        break;
    default:
        offset = take32(in);
        vpci_ecam_read(&pci, offset, size);
        check_effect(vpci_ecam_write(&pci, offset, size, take32(in)));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    make_devices(&in);
    vpci_init(&pci);
    fake_pci_watch = check_write;
    uint8_t granted = take8(&in);
    for (unsigned i = 0; i < fake_pci_count; i++) {
        CHECK(vpci_add(&pci, &fake_pci[i].function, (granted & BIT(i)) != 0) > 0);
    }
    CHECK(vpci_place_bars(&pci) == STATUS_OK);
    vpci_reset(&pci);
    check_bars();
    unsigned vectors = pci.function[0].msix_vectors;
    vmsix_init(&msix, entries, vectors < MAX_VECTORS ? vectors : MAX_VECTORS,
               pci.function[0].msix_table);
    memset(&entries[msix.count], 0xaa, sizeof(entries[0]));
    while (in.left > 0) {
        step(&in);
    }
    for (unsigned i = 0; i < sizeof(entries[0]); i++) {
        CHECK(entries[msix.count].byte[i] == 0xaa);
    }
    check_bars();
    for (unsigned i = 0; i < pci.count; i++) {
        check_list(pci.function[i].devfn);
    }
    return 0;
}
