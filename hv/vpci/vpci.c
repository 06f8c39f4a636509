// SPDX-License-Identifier: Apache-2.0
// The virtual PCI bus: its functions, and the two ways to its configuration space.
// hv/vpci/function.c has the registers.
#include "hv/vpci/vpci.h"

#include "arch/lib/string.h"
#include "hv/machine/guest_platform.h"
#include "hv/vdev/vdev.h"
#include "hv/vpci/function.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc

// The address latch (PCI 3.0, 3.2.2.3.2).
#define LATCH_ENABLE   0x80000000u
#define LATCH_BUS(a)   ((a) >> 16 & 0xff)
#define LATCH_DEVFN(a) ((a) >> 8 & 0xff)
#define LATCH_REG(a)   ((a)&0xfc)

#define ECAM_DEVFN(offset) ((offset) >> 12 & 0xff)
#define ECAM_REG(offset)   ((offset)&0xfff)

#define BRIDGE_DEVFN 0
#define DEVICES      32
#define FUNCTIONS    8
#define DEVFN(d, f)  (8 * (d) + (f))

static const struct vpci_effect no_effect = {0, NULL};

// ---- the functions on the bus ------------------------------------------------------------------

static const struct vpci_function *find(const struct vpci *p, unsigned devfn)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (p->function[i].devfn == devfn) {
            return &p->function[i];
        }
    }
    return NULL;
}

struct vpci_function *vpci_find(struct vpci *p, uint8_t devfn)
{
    const struct vpci_function *f = find(p, devfn);
    return f != NULL ? &p->function[f - p->function] : NULL;
}

static bool same_device(const struct pci_function *a, const struct pci_function *b)
{
    return a->address.v / FUNCTIONS == b->address.v / FUNCTIONS;
}

// The virtual device that already has functions of the same host device, or -1.
static int device_of(const struct vpci *p, const struct pci_function *host)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (same_device(p->function[i].host, host)) {
            return p->function[i].devfn / FUNCTIONS;
        }
    }
    return -1;
}

// The first function of a device becomes function 0, because without one systems don't look for the
// others (PCI 3.0, 3.2.2.3.4). The next functions keep their numbers if possible.
static int choose_devfn(const struct vpci *p, const struct pci_function *host)
{
    int shared = device_of(p, host);
    if (shared >= 0) {
        unsigned wanted = DEVFN((unsigned)shared, host->address.v % FUNCTIONS);
        for (unsigned f = 0; find(p, wanted) != NULL && f < FUNCTIONS; f++) {
            wanted = DEVFN((unsigned)shared, f);
        }
        return find(p, wanted) == NULL ? (int)wanted : -1;
    }
    unsigned device = host->address.v / FUNCTIONS; // includes bus and segment in its upper bits
    if (device > 0 && device < DEVICES && find(p, DEVFN(device, 0)) == NULL) {
        return (int)DEVFN(device, 0);
    }
    for (device = 1; device < DEVICES; device++) {
        if (find(p, DEVFN(device, 0)) == NULL) {
            return (int)DEVFN(device, 0);
        }
    }
    return -1;
}

static void set_multi_function(struct vpci *p, const struct pci_function *host)
{
    unsigned functions = 0;
    for (unsigned i = 0; i < p->count; i++) {
        functions += same_device(p->function[i].host, host) ? 1 : 0;
    }
    for (unsigned i = 0; i < p->count; i++) {
        if (same_device(p->function[i].host, host)) {
            vpci_set_own(&p->function[i], PCI_HEADER_TYPE, 1, functions > 1 ? PCI_HEADER_MULTI : 0);
        }
    }
}

void vpci_init(struct vpci *p)
{
    memset(p, 0, sizeof(*p));
}

void vpci_set_intx(struct vpci_function *f, unsigned pin)
{
    f->intx = pin >= 1 && pin <= GUEST_PCI_PINS;
    vpci_set_own(f, PCI_INTERRUPT_PIN, 1, f->intx ? pin : 0);
}

int vpci_add(struct vpci *p, const struct pci_function *host, bool intx)
{
    if (p->count == VPCI_MAX_FUNCTIONS || host->bridge || host->header_type != 0) {
        return -1;
    }
    int devfn = choose_devfn(p, host);
    if (devfn < 0) {
        return -1;
    }
    struct vpci_function *f = &p->function[p->count++];
    memset(f, 0, sizeof(*f));
    f->host = host;
    f->devfn = (uint8_t)devfn;
    vpci_show(f, (uint32_t)BIT(PCI_PLACE_HEADER), 0);
    vpci_set_intx(f, intx ? host->interrupt_pin : 0);
    vpci_find_capabilities(f);
    vpci_function_reset(f);
    set_multi_function(p, host);
    return devfn;
}

void vpci_reset(struct vpci *p)
{
    p->address = 0;
    for (unsigned i = 0; i < p->count; i++) {
        struct vpci_function *f = &p->function[i];
        vpci_function_reset(f);
        for (unsigned bar = 0; bar < PCI_BARS; bar++) {
            vpci_bar_set(f, bar, f->placed[bar]);
        }
        vpci_wake(f);
        vpci_sync(f);
    }
}

// ---- accesses ----------------------------------------------------------------------------------

static bool is_there(const struct vpci *p, unsigned devfn)
{
    return p->count > 0 && (devfn == BRIDGE_DEVFN || find(p, devfn) != NULL);
}

static uint32_t bridge_read(unsigned reg)
{
    unsigned count;
    const struct pci_bridge_rule *rules = pci_bridge_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        if (rules[i].offset == (reg & ~3u)) {
            return rules[i].value >> 8 * (reg & 3);
        }
    }
    return 0;
}

// A read within one doubleword, of a function that exists.
static uint32_t config_read(const struct vpci *p, unsigned devfn, unsigned reg, unsigned size)
{
    if (reg >= VPCI_CONFIG_SIZE) {
        return 0;
    }
    if (devfn == BRIDGE_DEVFN) {
        return bridge_read(reg) & vdev_all_ones(size);
    }
    return vpci_function_read(find(p, devfn), reg, size);
}

static struct vpci_effect config_write(struct vpci *p, unsigned devfn, unsigned reg, unsigned size,
                                       uint32_t value)
{
    struct vpci_function *f = vpci_find(p, (uint8_t)devfn);
    if (f == NULL || reg >= VPCI_CONFIG_SIZE) {
        return no_effect;
    }
    unsigned what = vpci_function_write(f, reg, size, value);
    return what != 0 ? (struct vpci_effect){what, f} : no_effect;
}

static bool in_doubleword(unsigned offset, unsigned size)
{
    return (size == 1 || size == 2 || size == 4) && (offset & 3) + size <= 4;
}

// Whether the data window reaches a function: the latch is enabled and names a function of bus 0.
static bool window_is_open(const struct vpci *p, uint16_t port, unsigned size)
{
    return port >= PORT_DATA && port < PORT_DATA + 4 && in_doubleword(port, size) &&
           (p->address & LATCH_ENABLE) != 0 && LATCH_BUS(p->address) == 0 &&
           is_there(p, LATCH_DEVFN(p->address));
}

uint32_t vpci_read(const struct vpci *p, uint16_t port, unsigned size)
{
    if (port == PORT_ADDRESS && size == 4) {
        return p->address;
    }
    if (!window_is_open(p, port, size)) {
        return vdev_all_ones(size); // no function answers: master abort
    }
    return config_read(p, LATCH_DEVFN(p->address), LATCH_REG(p->address) + (port & 3u), size);
}

struct vpci_effect vpci_write(struct vpci *p, uint16_t port, unsigned size, uint32_t value)
{
    if (port == PORT_ADDRESS && size == 4) {
        p->address = value;
        return no_effect;
    }
    if (!window_is_open(p, port, size)) {
        return no_effect;
    }
    return config_write(p, LATCH_DEVFN(p->address), LATCH_REG(p->address) + (port & 3u), size,
                        value);
}

static bool ecam_is_there(const struct vpci *p, uint32_t offset, unsigned size)
{
    return offset < GUEST_ECAM_SIZE && in_doubleword(offset, size) &&
           is_there(p, ECAM_DEVFN(offset));
}

uint32_t vpci_ecam_read(const struct vpci *p, uint32_t offset, unsigned size)
{
    if (!ecam_is_there(p, offset, size)) {
        return vdev_all_ones(size);
    }
    return config_read(p, ECAM_DEVFN(offset), ECAM_REG(offset), size);
}

struct vpci_effect vpci_ecam_write(struct vpci *p, uint32_t offset, unsigned size, uint32_t value)
{
    if (!ecam_is_there(p, offset, size)) {
        return no_effect;
    }
    return config_write(p, ECAM_DEVFN(offset), ECAM_REG(offset), size, value);
}
