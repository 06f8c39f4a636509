// SPDX-License-Identifier: Apache-2.0
// See fake_pci.h.
#include "tests/unit/fake_pci.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cpu/tsc.h"
#include "drivers/pci/raw.h"

#define MAX_FUNCTIONS 300
#define MAX_REGISTERS 32

static struct fake_function functions[MAX_FUNCTIONS];
static unsigned count;
static struct fake_function nothing; // what is mapped where there is no function
static struct fake_register {
    uint64_t address;
    uint32_t value;
    uint64_t released; // the register whose `bits` a write of this one clears; 0: none
    uint32_t bits;
} registers[MAX_REGISTERS];
static unsigned register_count;

uint64_t fake_pci_now;
unsigned fake_pci_port_accesses;

void fake_pci_clear(void)
{
    memset(functions, 0, sizeof(functions));
    memset(registers, 0, sizeof(registers));
    count = 0;
    register_count = 0;
    fake_pci_now = 1000000;
    fake_pci_port_accesses = 0;
}

uint64_t time_us(void)
{
    return fake_pci_now;
}

void delay_us(uint64_t us)
{
    fake_pci_now += us;
}

// ---- making functions ------------------------------------------------------------------------

static void put(uint8_t *at, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint32_t get(const uint8_t *at, unsigned size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)at[i] << 8 * i;
    }
    return value;
}

uint32_t fake_pci_get(const struct fake_function *f, unsigned offset, unsigned size)
{
    return get(f->config + offset, size);
}

void fake_pci_set(struct fake_function *f, unsigned offset, unsigned size, uint32_t value)
{
    put(f->config + offset, size, value);
}

void fake_pci_let_write(struct fake_function *f, unsigned offset, unsigned size, uint32_t bits)
{
    put(f->writable + offset, size, get(f->writable + offset, size) | bits);
}

struct fake_function *fake_pci_at(pci_address_t a)
{
    for (unsigned i = 0; i < count; i++) {
        if (functions[i].address.v == a.v) {
            return &functions[i];
        }
    }
    return NULL;
}

struct fake_function *fake_pci_add(pci_address_t a, uint32_t class_code)
{
    if (count == MAX_FUNCTIONS) {
        abort();
    }
    struct fake_function *f = &functions[count++];
    struct fake_function *first = fake_pci_at((pci_address_t){a.v & ~7u});
    memset(f, 0, sizeof(*f));
    f->address = a;
    f->in_memory = true;
    put(f->config + PCI_VENDOR, 4, 0x00011234 + (a.v << 16));
    put(f->config + PCI_CLASS, 4, class_code << 8);
    fake_pci_let_write(f, PCI_COMMAND, 2, 0x0547);
    fake_pci_let_write(f, PCI_CACHE_LINE, 2, 0xffff);
    fake_pci_let_write(f, PCI_INTERRUPT_LINE, 1, 0xff);
    f->capability_link = PCI_CAPABILITIES;
    f->capability_next = PCI_CAP_FIRST;
    f->extended_next = PCI_EXT_CAP_FIRST;
    if (PCI_FUNCTION(a) != 0 && first != NULL) {
        first->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTI;
    }
    return f;
}

struct fake_function *fake_pci_add_bridge(pci_address_t a, unsigned secondary, unsigned subordinate)
{
    struct fake_function *f = fake_pci_add(a, 0x060400);
    f->config[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
    put(f->config + PCI_PRIMARY_BUS, 3,
        PCI_BUS(a) | (uint32_t)secondary << 8 | (uint32_t)subordinate << 16);
    fake_pci_let_write(f, PCI_BRIDGE_CONTROL, 2, 0x00ff);
    return f;
}

void fake_pci_bar(struct fake_function *f, unsigned index, uint32_t flags, uint64_t size,
                  uint64_t address)
{
    unsigned at = PCI_BAR0 + 4 * index;
    bool wide = !(flags & PCI_BAR_IS_IO) && (flags & PCI_BAR_TYPE) == PCI_BAR_TYPE_64;
    uint32_t fixed = flags & PCI_BAR_IS_IO ? 3 : 15;
    put(f->config + at, 4, ((uint32_t)address & ~fixed) | flags);
    put(f->fresh + at, 4, flags);
    put(f->writable + at, 4, (uint32_t)(0 - size) & ~fixed);
    if (wide) {
        put(f->config + at + 4, 4, (uint32_t)(address >> 32));
        put(f->writable + at + 4, 4, (uint32_t)((0 - size) >> 32));
    }
}

unsigned fake_pci_capability(struct fake_function *f, unsigned id, unsigned size)
{
    unsigned at = f->capability_next;
    f->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    f->config[f->capability_link] = (uint8_t)at;
    f->config[at] = (uint8_t)id;
    f->capability_link = at + 1;
    f->capability_next = (at + size + 3) & ~3u;
    return at;
}

unsigned fake_pci_express(struct fake_function *f, unsigned type, bool flr)
{
    unsigned at = fake_pci_capability(f, PCI_CAP_PCIE, 60);
    f->express = at;
    put(f->config + at + PCI_PCIE_FLAGS, 2, 2 | type << 4);
    put(f->config + at + PCI_PCIE_DEVICE_CAP, 4, flr ? PCI_PCIE_DEVICE_CAP_FLR : 0);
    fake_pci_let_write(f, at + PCI_PCIE_DEVICE_CONTROL, 2, 0x7fff);
    fake_pci_let_write(f, at + PCI_PCIE_LINK_CONTROL, 2, 0x01fb);
    fake_pci_let_write(f, at + PCI_PCIE_DEVICE_CONTROL2, 2, 0x007f);
    return at;
}

unsigned fake_pci_power(struct fake_function *f, bool no_soft_reset)
{
    f->pm = fake_pci_capability(f, PCI_CAP_PM, 8);
    put(f->config + f->pm + PCI_PM_CONTROL, 2, no_soft_reset ? PCI_PM_NO_SOFT_RESET : 0);
    fake_pci_let_write(f, f->pm + PCI_PM_CONTROL, 2, PCI_PM_STATE | 0x100);
    return f->pm;
}

unsigned fake_pci_advanced(struct fake_function *f)
{
    f->af = fake_pci_capability(f, PCI_CAP_AF, 6);
    f->config[f->af + 2] = 6;
    f->config[f->af + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
    return f->af;
}

unsigned fake_pci_extended(struct fake_function *f, unsigned id, unsigned size)
{
    unsigned at = f->extended_next;
    if (f->extended_link != 0) {
        put(f->config + f->extended_link, 4, get(f->config + f->extended_link, 4) | at << 20);
    }
    put(f->config + at, 4, id | 1u << 16);
    f->extended_link = at;
    f->extended_next = (at + size + 3) & ~3u;
    return at;
}

unsigned fake_pci_acs(struct fake_function *f, uint32_t offered)
{
    unsigned at = fake_pci_extended(f, PCI_EXT_CAP_ACS, 8);
    put(f->config + at + PCI_ACS_CAP, 2, offered);
    fake_pci_let_write(f, at + PCI_ACS_CONTROL, 2, offered);
    return at;
}

struct acpi_info fake_pci_mcfg(uint64_t base)
{
    struct acpi_info acpi;
    memset(&acpi, 0, sizeof(acpi));
    acpi.mcfg_count = 1;
    acpi.mcfg[0] = (struct acpi_mcfg){.base = base, .bus_last = 255};
    return acpi;
}

// ---- what hardware does ----------------------------------------------------------------------

static void reset(struct fake_function *f)
{
    f->mastering_at_reset = (f->config[PCI_COMMAND] & PCI_COMMAND_MASTER) != 0;
    if (f->resets_lie) {
        return;
    }
    for (unsigned i = 0; i < sizeof(f->config); i++) {
        f->config[i] = (uint8_t)((f->config[i] & ~f->writable[i]) | (f->fresh[i] & f->writable[i]));
    }
    f->resets++;
    f->silent_until = fake_pci_now + f->silent_us;
}

static void reset_bus(const struct fake_function *bridge)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned bus = PCI_BUS(functions[i].address);
        if (bus >= bridge->config[PCI_SECONDARY_BUS] &&
            bus <= bridge->config[PCI_SUBORDINATE_BUS]) {
            reset(&functions[i]);
        }
    }
}

static bool is_silent(const struct fake_function *f)
{
    return f == NULL || f == &nothing || fake_pci_now < f->silent_until;
}

static uint32_t read_register(const struct fake_function *f, unsigned offset, unsigned size)
{
    if (is_silent(f)) {
        return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    }
    return get(f->config + offset, size);
}

static bool covers(unsigned offset, unsigned size, unsigned at)
{
    return offset <= at && at < offset + size;
}

static void write_register(struct fake_function *f, unsigned offset, unsigned size, uint32_t value)
{
    if (is_silent(f)) {
        return;
    }
    unsigned last_bar = f->config[PCI_HEADER_TYPE] & 1 ? PCI_BAR0 + 8 : PCI_BAR0 + 24;
    if (offset >= PCI_BAR0 && offset < last_bar && (f->config[PCI_COMMAND] & 3) != 0) {
        f->bar_writes_decoding++;
    }
    uint32_t power = f->pm != 0 ? f->config[f->pm + PCI_PM_CONTROL] & PCI_PM_STATE : 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i), *at = &f->config[offset + i];
        uint8_t takes = f->writable[offset + i];
        *at = (uint8_t)((*at & ~takes) | (byte & takes));
        *at = (uint8_t)(*at & ~(byte & f->clears[offset + i]));
    }
    unsigned flr = f->express + PCI_PCIE_DEVICE_CONTROL;
    if (f->express != 0 && offset == flr && (value & PCI_PCIE_CONTROL_FLR) &&
        (get(f->config + f->express + PCI_PCIE_DEVICE_CAP, 4) & PCI_PCIE_DEVICE_CAP_FLR)) {
        reset(f);
    } else if (f->af != 0 && offset == f->af + PCI_AF_CONTROL && (value & PCI_AF_CONTROL_FLR)) {
        reset(f);
    } else if (f->pm != 0 && covers(offset, size, f->pm + PCI_PM_CONTROL) && power == PCI_PM_D3 &&
               (f->config[offset] & PCI_PM_STATE) == 0 &&
               !(f->config[offset] & PCI_PM_NO_SOFT_RESET)) {
        reset(f);
    } else if (f->config[PCI_HEADER_TYPE] & 1 && offset == PCI_BRIDGE_CONTROL &&
               (value & PCI_BRIDGE_CONTROL_RST)) {
        reset_bus(f);
    }
}

// ---- in place of drivers/pci/access.c --------------------------------------------------------

static void check_access(unsigned offset, unsigned size, unsigned space)
{
    if ((size != 1 && size != 2 && size != 4) || offset % size != 0 || offset >= space) {
        abort();
    }
}

uint32_t pci_port_read(pci_address_t a, unsigned offset, unsigned size)
{
    check_access(offset, size, 256);
    fake_pci_port_accesses++;
    return read_register(fake_pci_at(a), offset, size);
}

void pci_port_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    check_access(offset, size, 256);
    fake_pci_port_accesses++;
    write_register(fake_pci_at(a), offset, size, value);
}

volatile void *pci_page_map(hpa_t page)
{
    uint64_t number = (page.v - FAKE_PCI_ECAM) >> PAGE_SHIFT;
    struct fake_function *f =
        number <= 0xffff ? fake_pci_at((pci_address_t){(uint32_t)number}) : NULL;
    return f != NULL && f->in_memory ? f : &nothing;
}

uint32_t pci_page_read(volatile void *page, unsigned offset, unsigned size)
{
    check_access(offset, size, 4096);
    return read_register((const struct fake_function *)page, offset, size);
}

void pci_page_write(volatile void *page, unsigned offset, unsigned size, uint32_t value)
{
    check_access(offset, size, 4096);
    write_register((struct fake_function *)page, offset, size, value);
}

static struct fake_register *find_register(uint64_t address)
{
    for (unsigned i = 0; i < register_count; i++) {
        if (registers[i].address == address) {
            return &registers[i];
        }
    }
    if (register_count == MAX_REGISTERS) {
        abort();
    }
    struct fake_register *r = &registers[register_count++];
    r->address = address;
    return r;
}

void fake_pci_register(uint64_t address, uint32_t value)
{
    find_register(address)->value = value;
}

uint32_t fake_pci_register_value(uint64_t address)
{
    return find_register(address)->value;
}

void fake_pci_release(uint64_t written, uint64_t address, uint32_t bits)
{
    struct fake_register *r = find_register(written);
    r->released = address;
    r->bits = bits;
}

uint32_t pci_device_read(hpa_t address)
{
    return find_register(address.v)->value;
}

void pci_device_write(hpa_t address, uint32_t value)
{
    struct fake_register *r = find_register(address.v);
    r->value = value;
    if (r->released != 0) {
        find_register(r->released)->value &= ~r->bits;
    }
}
