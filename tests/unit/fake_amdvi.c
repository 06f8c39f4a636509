// SPDX-License-Identifier: Apache-2.0
// The model of tests/unit/fake_amdvi.h, written from the specification (48882) by bit numbers and
// without drivers/amdvi/regs.h.
#include "tests/unit/fake_amdvi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "drivers/acpi/tables.h"
#include "drivers/amdvi/amdvi.h"
#include "drivers/console/console.h"

enum { DEVTAB = 0x0, CMD = 0x8, EVT = 0x10, CONTROL = 0x18, FEATURES = 0x30 };
enum {
    CMD_HEAD = 0x2000,
    CMD_TAIL = 0x2008,
    EVT_HEAD = 0x2010,
    EVT_TAIL = 0x2018,
    STATUS = 0x2020
};

struct fake_unit fake_unit[FAKE_UNITS];
bool fake_x2apic;
const uint8_t *fake_ivrs;
uint32_t fake_ivrs_size;
enum status fake_ivrs_status;
jmp_buf fake_panic;
bool fake_panic_armed;

// ---- what the driver calls -----------------------------------------------------------------

bool apic_is_x2apic(void)
{
    return fake_x2apic;
}

uint64_t time_us(void)
{
    static uint64_t now;
    return now += 1000;
}

volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size)
{
    uint64_t i = (base.v - FAKE_UNIT_BASE) / MIB(1);
    return i < FAKE_UNITS && size == 0x4000 ? (volatile uint32_t *)fake_unit[i].reg : NULL;
}

enum status acpi_find_table(const struct acpi_info *info, const char *signature, unsigned index,
                            uint64_t *address, uint32_t *length)
{
    (void)info;
    if (fake_ivrs == NULL || index != 0 || strcmp(signature, "IVRS") != 0) {
        return ERR_NOT_FOUND;
    }
    *address = 0x7ff00000;
    *length = fake_ivrs_size;
    return fake_ivrs_status;
}

enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size)
{
    if (offset > table->length || size > table->length - offset) {
        return ERR_TRUNCATED;
    }
    memcpy(buffer, fake_ivrs + offset, size);
    return STATUS_OK;
}

_Noreturn void panic(const char *fmt, ...)
{
    if (fake_panic_armed) {
        longjmp(fake_panic, 1);
    }
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    abort();
}

void print(const char *fmt, ...)
{
    (void)fmt;
}

// ---- caches --------------------------------------------------------------------------------

struct cached_device {
    bool valid;
    unsigned unit;
    uint16_t id;
    uint64_t q[4];
};
struct cached_page {
    bool valid;
    unsigned unit;
    uint16_t domain;
    uint64_t page, pa;
    bool read, write;
};
struct cached_irq {
    bool valid;
    unsigned unit;
    uint16_t id;
    unsigned index;
    uint64_t low, high;
};
static struct cached_device devices[64];
static struct cached_page pages[64];
static struct cached_irq irqs[64];
static unsigned next_device, next_page, next_irq;

static void drop(unsigned unit, bool all, int device, int domain, int irq)
{
    for (unsigned i = 0; i < 64; i++) {
        if (devices[i].unit == unit && (all || devices[i].id == device)) {
            devices[i].valid = false;
        }
        if (pages[i].unit == unit && (all || pages[i].domain == domain)) {
            pages[i].valid = false;
        }
        if (irqs[i].unit == unit && (all || irqs[i].id == irq)) {
            irqs[i].valid = false;
        }
    }
}

void fake_amdvi_reset(uint64_t features)
{
    memset(fake_unit, 0, sizeof(fake_unit));
    memset(devices, 0, sizeof(devices));
    memset(pages, 0, sizeof(pages));
    memset(irqs, 0, sizeof(irqs));
    for (unsigned u = 0; u < FAKE_UNITS; u++) {
        fake_unit[u].reg[FEATURES / 8] = features;
        // Firmware had the unit on, with everything passing for the device 00:03.0.
        fake_unit[u].reg[CONTROL / 8] = 0x1405;
        fake_unit[u].reg[STATUS / 8] = 0x18;
        fake_unit[u].reg[0x20 / 8] = 0x7f000003; // an exclusion range, for all devices
        fake_unit[u].reg[0x28 / 8] = 0x7f001000;
        devices[u] = (struct cached_device){.valid = true, .unit = u, .id = 0x18};
        pages[u] = (struct cached_page){true, u, 1, 0x5000, 0x666000, true, true};
    }
    next_device = next_page = FAKE_UNITS;
    next_irq = 0;
    fake_x2apic = false;
    fake_ivrs_status = STATUS_OK;
    fake_panic_armed = false;
}

// ---- events and commands -------------------------------------------------------------------

void fake_log_event(unsigned unit, uint64_t first, uint64_t second)
{
    struct fake_unit *u = &fake_unit[unit];
    uint64_t *status = &u->reg[STATUS / 8];
    uint64_t tail = u->reg[EVT_TAIL / 8], next = (tail + 16) % 4096;
    if (!(*status & 8) || (*status & 1)) {
        return;
    }
    if (next == u->reg[EVT_HEAD / 8]) {
        *status |= 1;
    } else {
        uint64_t *event = heap_ptr(hpa((u->reg[EVT / 8] & 0xffffffffff000) + tail));
        if (event[0] != 0 || event[1] != 0) {
            panic("the place of an event was not cleared");
        }
        event[0] = u->event_late ? 0 : first;
        event[1] = second;
        u->reg[EVT_TAIL / 8] = next;
    }
    if ((u->reg[CONTROL / 8] & 8) && !(*status & 2)) {
        *status |= 2;
        u->msis++;
    }
}

// False: an illegal command, at which the unit stops.
static bool execute(unsigned unit, const uint64_t *c)
{
    struct fake_unit *u = &fake_unit[unit];
    unsigned code = (unsigned)(c[0] >> 60);
    u->commands[code]++;
    switch (code) {
    case 1:
        if (c[0] & 1) {
            *(uint64_t *)heap_ptr(hpa(c[0] & 0xffffffffffff8)) = c[1];
        }
        return (c[0] >> 52 & 0xff) == 0;
    case 2:
        drop(unit, false, (int)(c[0] & 0xffff), -1, -1);
        return (c[0] << 4 >> 20) == 0 && c[1] == 0;
    case 3:
        if (c[1] != 0x7ffffffffffff003) {
            return false; // the driver asks for all addresses only
        }
        drop(unit, false, -1, (int)(c[0] >> 32 & 0xffff), -1);
        return true;
    case 5:
        drop(unit, false, -1, -1, (int)(c[0] & 0xffff));
        return (c[0] << 4 >> 20) == 0 && c[1] == 0;
    case 8:
        if (!(u->reg[FEATURES / 8] & 0x40)) {
            return false;
        }
        drop(unit, true, -1, -1, -1);
        return c[0] << 4 == 0 && c[1] == 0;
    default:
        return false;
    }
}

static void run(unsigned unit)
{
    struct fake_unit *u = &fake_unit[unit];
    while ((u->reg[STATUS / 8] & 0x10) && !u->hangs &&
           u->reg[CMD_HEAD / 8] != u->reg[CMD_TAIL / 8]) {
        hpa_t at = hpa((u->reg[CMD / 8] & 0xffffffffff000) + u->reg[CMD_HEAD / 8]);
        if (u->reg[CMD / 8] >> 56 != 8 || !execute(unit, heap_ptr(at))) {
            u->reg[STATUS / 8] &= ~0x10ull;
            fake_log_event(unit, 5ull << 60, at.v);
            return;
        }
        u->reg[CMD_HEAD / 8] = (u->reg[CMD_HEAD / 8] + 16) % 4096;
    }
}

static unsigned unit_number(const struct amdvi_unit *u)
{
    return (unsigned)((u->firmware->base - FAKE_UNIT_BASE) / MIB(1));
}

uint64_t amdvi_read(const struct amdvi_unit *u, unsigned offset)
{
    const struct fake_unit *f = &fake_unit[unit_number(u)];
    return f->no_answer ? UINT64_MAX : f->reg[offset / 8];
}

void amdvi_write(const struct amdvi_unit *u, unsigned offset, uint64_t value)
{
    unsigned unit = unit_number(u);
    struct fake_unit *f = &fake_unit[unit];
    uint64_t *status = &f->reg[STATUS / 8];
    if (offset == STATUS) {
        *status &= ~(value & 3);
        return;
    }
    if (offset == FEATURES) {
        return;
    }
    f->reg[offset / 8] = value;
    if (offset == CMD) {
        f->reg[CMD_HEAD / 8] = f->reg[CMD_TAIL / 8] = 0;
    } else if (offset == EVT) {
        f->reg[EVT_HEAD / 8] = f->reg[EVT_TAIL / 8] = 0;
    } else if (offset == CONTROL && !f->status_stuck) {
        bool on = value & 1;
        *status &= ~0x18ull;
        *status |= (on && (value & 4) ? 8ull : 0) | (on && (value & 0x1000) ? 0x10ull : 0);
    }
    run(unit);
}

// ---- requests ------------------------------------------------------------------------------

static void refuse(unsigned unit, unsigned code, uint16_t id, uint64_t flags, uint64_t address)
{
    fake_log_event(unit, (uint64_t)code << 60 | flags << 48 | id, address);
}

static const struct cached_device *device(unsigned unit, uint16_t id)
{
    for (unsigned i = 0; i < 64; i++) {
        if (devices[i].valid && devices[i].unit == unit && devices[i].id == id) {
            return &devices[i];
        }
    }
    const struct fake_unit *u = &fake_unit[unit];
    uint64_t size = ((u->reg[DEVTAB / 8] & 0x1ff) + 1) * 4096;
    if ((id + 1ull) * 32 > size) {
        return NULL;
    }
    struct cached_device *d = &devices[next_device++ % 64];
    *d = (struct cached_device){.valid = true, .unit = unit, .id = id};
    hpa_t at = hpa((u->reg[DEVTAB / 8] & 0xffffffffff000) + id * 32u);
    memcpy(d->q, heap_ptr(at), 32);
    return d;
}

static bool walk(unsigned unit, const uint64_t *q, uint64_t address, struct cached_page *out)
{
    unsigned level = (unsigned)(q[0] >> 9) & 7;
    uint64_t entry = q[0];
    *out = (struct cached_page){true, unit, (uint16_t)q[1], address & ~0xfffull, 0, true, true};
    if (level == 0) {
        out->pa = out->page;
        out->read = q[0] >> 61 & 1;
        out->write = q[0] >> 62 & 1;
        return true;
    }
    if (level > 6 || (level < 6 && address >> (12 + 9 * level) != 0)) {
        return false;
    }
    for (;;) {
        out->read = out->read && (entry >> 61 & 1);
        out->write = out->write && (entry >> 62 & 1);
        const uint64_t *table = heap_ptr(hpa(entry & 0xffffffffff000));
        unsigned shift = 12 + 9 * (level - 1);
        entry = table[address >> shift & 511];
        unsigned next = (unsigned)(entry >> 9) & 7;
        if (!(entry & 1) || (next != 0 && next != level - 1)) {
            return false;
        }
        if (next == 0) {
            uint64_t mask = (1ull << shift) - 1;
            out->read = out->read && (entry >> 61 & 1);
            out->write = out->write && (entry >> 62 & 1);
            out->pa = ((entry & 0xffffffffff000) & ~mask) | (out->page & mask);
            return true;
        }
        level = next;
    }
}

bool fake_dma(unsigned unit, uint16_t id, uint64_t address, bool write, uint64_t *pa)
{
    *pa = address;
    if (!(fake_unit[unit].reg[CONTROL / 8] & 1)) {
        return true;
    }
    const struct cached_device *d = device(unit, id);
    if (d == NULL || d->q[3] != 0) {
        refuse(unit, 1, id, write ? 0x20 : 0, address);
        return false;
    }
    if (!(d->q[0] & 1)) {
        return true;
    }
    struct cached_page *p = NULL;
    for (unsigned i = 0; i < 64 && (d->q[0] >> 9 & 7) != 0; i++) {
        if (pages[i].valid && pages[i].unit == unit && pages[i].domain == (uint16_t)d->q[1] &&
            pages[i].page == (address & ~0xfffull)) {
            p = &pages[i];
        }
    }
    struct cached_page walked;
    if (p == NULL && (d->q[0] & 2) && walk(unit, d->q, address, &walked)) {
        p = &pages[next_page++ % 64];
        *p = walked;
    }
    if (p == NULL || (write ? !p->write : !p->read)) {
        if (!(d->q[1] >> 34 & 1)) { // SA: no event
            refuse(unit, 2, id, write ? 0x20 : 0, address);
        }
        return false;
    }
    *pa = p->pa | (address & 0xfff);
    return true;
}

static const struct cached_irq *irq(unsigned unit, uint16_t id, uint64_t table, unsigned index)
{
    for (unsigned i = 0; i < 64; i++) {
        if (irqs[i].valid && irqs[i].unit == unit && irqs[i].id == id && irqs[i].index == index) {
            return &irqs[i];
        }
    }
    struct cached_irq *e = &irqs[next_irq++ % 64];
    *e = (struct cached_irq){.valid = true, .unit = unit, .id = id, .index = index};
    if (fake_unit[unit].reg[CONTROL / 8] & 1ull << 17) {
        memcpy(&e->low, heap_ptr(hpa(table + 16ull * index)), 8);
        memcpy(&e->high, heap_ptr(hpa(table + 16ull * index + 8)), 8);
    } else {
        memcpy(&e->low, heap_ptr(hpa(table + 4ull * index)), 4);
    }
    return e;
}

static bool remap(unsigned unit, uint16_t id, const uint64_t *q, uint32_t data,
                  struct fake_interrupt *out)
{
    unsigned index = data & 0x7ff;
    if (index >= 1u << (q[2] >> 1 & 15)) {
        return false;
    }
    const struct cached_irq *e = irq(unit, id, q[2] & 0xfffffffffffc0, index);
    if (!(e->low & 1) || (e->low & 0xfe) != 0) { // absent, or not fixed, physical, of the host
        return false;
    }
    if (fake_unit[unit].reg[CONTROL / 8] & 1ull << 17) {
        bool x2apic = fake_unit[unit].reg[CONTROL / 8] & 1ull << 50;
        out->vector = (uint8_t)e->high;
        out->destination = x2apic ? (uint32_t)(e->low >> 8 & 0xffffff) | (uint32_t)(e->high >> 56)
                                                                             << 24
                                  : (uint8_t)(e->low >> 8);
    } else {
        out->vector = (uint8_t)(e->low >> 16);
        out->destination = (uint8_t)(e->low >> 8);
    }
    return true;
}

bool fake_interrupt(unsigned unit, uint16_t id, uint64_t address, uint32_t data,
                    struct fake_interrupt *out)
{
    unsigned mode = data >> 8 & 7;
    *out = (struct fake_interrupt){mode == 4, mode == 5, (uint8_t)data, (uint8_t)(address >> 12)};
    if (!(fake_unit[unit].reg[CONTROL / 8] & 1)) {
        return true;
    }
    const struct cached_device *d = device(unit, id);
    bool passes = false;
    if (d != NULL && d->q[3] == 0 && (!(d->q[0] & 1) || !(d->q[2] & 1))) {
        return true;
    }
    if (d != NULL && d->q[3] == 0) {
        unsigned control = (unsigned)(d->q[2] >> 60) & 3;
        passes = mode == 4   ? d->q[2] >> 58 & 1
                 : mode == 5 ? d->q[2] >> 56 & 1
                 : mode == 7 ? d->q[2] >> 57 & 1
                 : mode > 1  ? false
                             : control == 1 || (control == 2 && remap(unit, id, d->q, data, out));
    }
    if (!passes) {
        refuse(unit, 2, id, 0x28, address);
    }
    return passes;
}
