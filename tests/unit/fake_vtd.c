// SPDX-License-Identifier: Apache-2.0
// The model of VT-d units; see fake_vtd.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu/tsc.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/mmu.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_vtd.h"

static struct fake_vtd units[DMAR_MAX_UNITS];
static unsigned unit_count;
unsigned fake_vtd_mappings_left;
static uint64_t clock_us;
static uint8_t behind_caches[FAKE_HEAP_PAGES * PAGE_SIZE]; // memory, without what caches hold

void fake_vtd_reset(void)
{
    memset(units, 0, sizeof(units));
    unit_count = 0;
    fake_vtd_mappings_left = 100;
    fake_heap_reset();
    memset(behind_caches, 0xa5, sizeof(behind_caches));
}

struct fake_vtd *fake_vtd_add(uint64_t base)
{
    struct fake_vtd *u = &units[unit_count++];
    u->base = base;
    u->version = 0x10;
    u->cap = 2 | VTD_CAP_SAGAW_39 | VTD_CAP_SAGAW_48 | VTD_CAP_LARGE_2M | VTD_CAP_LARGE_1G |
             VTD_CAP_DWD | VTD_CAP_DRD | 0x22ull << 24 | (uint64_t)(FAKE_VTD_RECORDS - 1) << 40;
    u->ecap = VTD_ECAP_C | VTD_ECAP_QI | VTD_ECAP_IR | VTD_ECAP_EIM;
    u->fectl = VTD_FECTL_MASKED;
    return u;
}

// ---- what the driver calls -----------------------------------------------------------------

uint64_t time_us(void)
{
    return clock_us += 1000;
}

_Noreturn void panic(const char *fmt, ...)
{
    mock_assert(0, fmt, __FILE__, __LINE__);
    abort();
}

volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size)
{
    assert_true(size >= PAGE_SIZE);
    for (unsigned i = 0; i < unit_count; i++) {
        if (units[i].base == base.v && fake_vtd_mappings_left > 0) {
            fake_vtd_mappings_left--;
            return units[i].registers;
        }
    }
    return NULL;
}

void vtd_write_back(const void *start, size_t size)
{
    uint64_t from = align_down(heap_pa(start).v, 64);
    uint64_t to = align_up(heap_pa(start).v + size, 64);
    memcpy(behind_caches + (from - FAKE_HEAP_BASE), heap_ptr(hpa(from)), to - from);
}

// ---- the unit's side -----------------------------------------------------------------------

static struct fake_vtd *unit_at(volatile uint32_t *registers)
{
    for (unsigned i = 0; i < unit_count; i++) {
        if (units[i].registers == registers) {
            return &units[i];
        }
    }
    fail_msg("no unit there");
    return NULL;
}

static uint64_t read_memory(const struct fake_vtd *u, uint64_t address)
{
    uint64_t value;
    assert_true(heap_contains(hpa(address)));
    const void *from = heap_ptr(hpa(address));
    if ((u->ecap & VTD_ECAP_C) == 0) {
        from = behind_caches + (address - FAKE_HEAP_BASE);
    }
    memcpy(&value, from, sizeof(value));
    return value;
}

static struct vtd_entry read_entry(const struct fake_vtd *u, uint64_t table, uint64_t index)
{
    return (struct vtd_entry){read_memory(u, table + 16 * index),
                              read_memory(u, table + 16 * index + 8)};
}

static void send_event(struct fake_vtd *u)
{
    if ((u->fectl & VTD_FECTL_MASKED) == 0) {
        u->events++;
    }
}

static void record(struct fake_vtd *u, uint64_t low, uint16_t requester, bool write, uint8_t why)
{
    struct vtd_entry *r = &u->records[u->next_record];
    if ((u->fsts & VTD_FSTS_PFO) != 0) {
        return;
    }
    if (r->high & VTD_FAULT_PRESENT) {
        u->fsts |= VTD_FSTS_PFO;
        return;
    }
    *r = (struct vtd_entry){low, VTD_FAULT_PRESENT | (write ? 0 : VTD_FAULT_READ) |
                                     (uint64_t)why << 32 | requester};
    if ((u->fsts & VTD_FSTS_PPF) == 0) {
        u->fsts = (u->fsts & 0xff) | VTD_FSTS_PPF | u->next_record << 8;
        send_event(u);
    }
    u->next_record = (u->next_record + 1) % FAKE_VTD_RECORDS;
}

static void clear_record(struct fake_vtd *u, unsigned index)
{
    u->records[index].high &= ~VTD_FAULT_PRESENT;
    for (unsigned i = 0; i < FAKE_VTD_RECORDS; i++) {
        if (u->records[i].high & VTD_FAULT_PRESENT) {
            return;
        }
    }
    u->fsts &= ~VTD_FSTS_PPF;
}

// ---- invalidation --------------------------------------------------------------------------

static void forget_translations(struct fake_vtd *u, struct vtd_descriptor d)
{
    bool context = (d.low & 15) == VTD_INV_CONTEXT;
    uint64_t granularity = d.low & (3 << 4);
    uint16_t domain = (uint16_t)(d.low >> 16), requester = (uint16_t)(d.low >> 32);
    assert_true(granularity != 0);
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        bool of_domain = u->cache[i].domain == domain;
        bool match = granularity == VTD_INV_GLOBAL || of_domain;
        if (context && granularity == VTD_INV_DEVICE) {
            match = of_domain && u->cache[i].requester == requester;
        }
        if (match && context == (u->cache[i].leaf == 0)) {
            u->cache[i].valid = false;
        }
    }
    if (!context && (d.low & VTD_INV_DW) && (d.low & VTD_INV_DR)) {
        u->drained++;
    }
}

static void forget_interrupts(struct fake_vtd *u, struct vtd_descriptor d)
{
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        if ((d.low & VTD_IEC_INDEX) == 0 ||
            u->interrupt_cache[i].index == ((d.low >> 32) & 0xffff)) {
            u->interrupt_cache[i].valid = false;
        }
    }
}

static void run_queue(struct fake_vtd *u)
{
    while (!u->queue_hangs && u->iqh != u->iqt && (u->fsts & VTD_FSTS_IQE) == 0) {
        struct vtd_entry e = read_entry(u, u->iqa & VTD_TABLE_ADDRESS, u->iqh / 16);
        struct vtd_descriptor d = {e.low, e.high};
        switch (d.low & 15) {
        case VTD_INV_CONTEXT:
        case VTD_INV_IOTLB:
            forget_translations(u, d);
            break;
        case VTD_INV_IEC:
            forget_interrupts(u, d);
            break;
        case VTD_INV_WAIT:
            *(uint32_t *)heap_ptr(hpa(d.high)) = (uint32_t)(d.low >> 32);
            break;
        default:
            u->fsts |= VTD_FSTS_IQE;
            return;
        }
        u->iqh = (u->iqh + 16) % PAGE_SIZE;
    }
}

// ---- registers -----------------------------------------------------------------------------

static void command(struct fake_vtd *u, uint32_t value)
{
    uint32_t lasting = ~VTD_GSTS_ONE_SHOT & ~u->hang;
    uint32_t before = u->gsts;
    u->gsts = (u->gsts & ~lasting) | (value & lasting);
    if (value & VTD_G_SRTP & ~u->hang) {
        u->root = u->rtaddr;
        u->gsts |= VTD_G_SRTP;
    }
    if (value & VTD_G_SIRTP & ~u->hang) {
        u->interrupts = u->irta;
        u->gsts |= VTD_G_SIRTP;
    }
    if (value & VTD_G_WBF) {
        u->flushes++;
        u->gsts |= u->hang & VTD_G_WBF;
    }
    if ((before & VTD_G_QIE) != 0 && (u->gsts & VTD_G_QIE) == 0) {
        u->iqh = 0;
    }
}

static uint32_t *register32(struct fake_vtd *u, unsigned offset)
{
    switch (offset) {
    case VTD_VER:
        return &u->version;
    case VTD_GSTS:
        return &u->gsts;
    case VTD_FSTS:
        return &u->fsts;
    case VTD_FECTL:
        return &u->fectl;
    case VTD_FEDATA:
        return &u->fedata;
    case VTD_FEADDR:
        return &u->feaddr;
    case VTD_FEUADDR:
        return &u->feuaddr;
    case VTD_PMEN:
        return &u->pmen;
    case VTD_IQH:
        return (uint32_t *)&u->iqh;
    case VTD_IQT:
        return (uint32_t *)&u->iqt;
    default:
        fail_msg("no 32-bit register at 0x%x", offset);
        return NULL;
    }
}

static uint64_t *register64(struct fake_vtd *u, unsigned offset)
{
    unsigned record_base = VTD_CAP_FRO(u->cap);
    if (offset >= record_base && offset < record_base + 16 * FAKE_VTD_RECORDS) {
        struct vtd_entry *r = &u->records[(offset - record_base) / 16];
        return offset % 16 == 0 ? &r->low : &r->high;
    }
    switch (offset) {
    case VTD_CAP:
        return &u->cap;
    case VTD_ECAP:
        return &u->ecap;
    case VTD_RTADDR:
        return &u->rtaddr;
    case VTD_IQT:
        return &u->iqt;
    case VTD_IQA:
        return &u->iqa;
    case VTD_IRTA:
        return &u->irta;
    default:
        fail_msg("no 64-bit register at 0x%x", offset);
        return NULL;
    }
}

uint32_t vtd_read32(volatile uint32_t *registers, unsigned offset)
{
    struct fake_vtd *u = unit_at(registers);
    return u->gone ? UINT32_MAX : *register32(u, offset);
}

uint64_t vtd_read64(volatile uint32_t *registers, unsigned offset)
{
    struct fake_vtd *u = unit_at(registers);
    return u->gone ? UINT64_MAX : *register64(u, offset);
}

void vtd_write32(volatile uint32_t *registers, unsigned offset, uint32_t value)
{
    struct fake_vtd *u = unit_at(registers);
    unsigned record_base = VTD_CAP_FRO(u->cap);
    if (offset == VTD_GCMD) {
        command(u, value);
    } else if (offset == VTD_FSTS) {
        u->fsts &= ~(value & VTD_FSTS_CLEAR);
        run_queue(u);
    } else if (offset >= record_base && offset < record_base + 16 * FAKE_VTD_RECORDS) {
        assert_true(offset % 16 == 12 && value == 1u << 31);
        clear_record(u, (offset - record_base) / 16);
    } else if (offset == VTD_PMEN) {
        u->pmen = value & VTD_PMEN_EPM ? VTD_PMEN_EPM | VTD_PMEN_PRS : 0;
    } else if (offset == VTD_FECTL) {
        bool waited = (u->fectl & VTD_FECTL_MASKED) != 0 && (u->fsts & VTD_FSTS_PPF) != 0;
        u->fectl = value;
        if (waited) {
            send_event(u);
        }
    } else {
        *register32(u, offset) = value;
    }
}

void vtd_write64(volatile uint32_t *registers, unsigned offset, uint64_t value)
{
    struct fake_vtd *u = unit_at(registers);
    if (u->gone) {
        return;
    }
    *register64(u, offset) = value;
    if (offset == VTD_IQT && (u->gsts & VTD_G_QIE) != 0) {
        run_queue(u);
    }
}

// ---- requests of devices -------------------------------------------------------------------

static void remember(struct fake_vtd *u, uint16_t requester, uint16_t domain, uint64_t page,
                     uint64_t leaf, struct vtd_entry context)
{
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        if (!u->cache[i].valid) {
            u->cache[i].valid = true;
            u->cache[i].requester = requester;
            u->cache[i].domain = domain;
            u->cache[i].page = page;
            u->cache[i].leaf = leaf;
            u->cache[i].context = context;
            return;
        }
    }
}

static struct vtd_entry find_context(struct fake_vtd *u, uint16_t requester, uint8_t *why)
{
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        if (u->cache[i].valid && u->cache[i].leaf == 0 && u->cache[i].requester == requester) {
            *why = 2;
            return u->cache[i].context;
        }
    }
    struct vtd_entry root = read_entry(u, u->root & VTD_TABLE_ADDRESS, requester >> 8);
    struct vtd_entry context = {0, 0};
    *why = 1;
    if (root.low & VTD_ROOT_PRESENT) {
        assert_true((root.low & ~VTD_TABLE_ADDRESS) == 1 && root.high == 0);
        context = read_entry(u, root.low & VTD_TABLE_ADDRESS, requester & 0xff);
        *why = 2;
    }
    bool present = (context.low & VTD_CONTEXT_PRESENT) != 0;
    if (present || (u->cap & VTD_CAP_CM)) {
        remember(u, requester, present ? VTD_CONTEXT_DID_OF(context.high) : 0, 0, 0, context);
    }
    return context;
}

// The leaf that maps `address`, with the bits of its address below its size filled in; 0: none.
static uint64_t walk(const struct fake_vtd *u, struct vtd_entry context, uint64_t address)
{
    uint64_t table = context.low & VTD_TABLE_ADDRESS;
    for (unsigned level = (unsigned)(context.high & 7) + 2; level-- > 0;) {
        unsigned shift = 12 + 9 * level;
        uint64_t entry = read_memory(u, table + 8 * ((address >> shift) & 511));
        uint64_t size = 1ull << shift;
        if ((entry & 3) == 0) {
            return 0;
        }
        if (level == 0 || (entry & BIT(7))) {
            assert_true(level == 0 || (u->cap & (VTD_CAP_LARGE_2M << (level - 1))) != 0);
            assert_true((entry & VTD_TABLE_ADDRESS & (size - 1)) == 0);
            return entry | (address & (size - 1) & VTD_TABLE_ADDRESS);
        }
        table = entry & VTD_TABLE_ADDRESS;
    }
    return 0;
}

static uint64_t find_leaf(struct fake_vtd *u, uint16_t requester, struct vtd_entry context,
                          uint64_t address)
{
    uint64_t page = address >> 12;
    uint16_t domain = VTD_CONTEXT_DID_OF(context.high);
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        if (u->cache[i].valid && u->cache[i].leaf != 0 && u->cache[i].requester == requester &&
            u->cache[i].domain == domain && u->cache[i].page == page) {
            return u->cache[i].leaf;
        }
    }
    uint64_t leaf = walk(u, context, address);
    if (leaf != 0) {
        remember(u, requester, domain, page, leaf, context);
    }
    return leaf;
}

static bool refuse(struct fake_vtd *u, uint16_t requester, uint64_t address, bool write,
                   uint8_t why)
{
    record(u, address & ~PAGE_MASK, requester, write, why);
    return false;
}

bool fake_vtd_dma(struct fake_vtd *u, uint16_t requester, uint64_t address, bool write,
                  uint64_t *to)
{
    uint8_t why;
    *to = address;
    if ((u->gsts & VTD_G_TE) == 0) {
        return true;
    }
    struct vtd_entry context = find_context(u, requester, &why);
    if ((context.low & VTD_CONTEXT_PRESENT) == 0) {
        return refuse(u, requester, address, write, why);
    }
    uint64_t width = context.high & 7;
    assert_true((context.low & 0xffc) == 0); // second level only, nothing reserved
    bool silent = (context.low & VTD_CONTEXT_FPD) != 0;
    assert_true((width == 1 && (u->cap & VTD_CAP_SAGAW_39)) ||
                (width == 2 && (u->cap & VTD_CAP_SAGAW_48)));
    if (address >> (30 + 9 * width) != 0) {
        return !silent && refuse(u, requester, address, write, 4);
    }
    uint64_t leaf = find_leaf(u, requester, context, address);
    if ((leaf & (write ? 2 : 1)) == 0) {
        return !silent && refuse(u, requester, address, write, write ? 5 : 6);
    }
    *to = (leaf & VTD_TABLE_ADDRESS) | (address & PAGE_MASK);
    return true;
}

static struct vtd_entry find_irte(struct fake_vtd *u, unsigned index)
{
    unsigned free = FAKE_VTD_CACHE;
    for (unsigned i = 0; i < FAKE_VTD_CACHE; i++) {
        if (u->interrupt_cache[i].valid && u->interrupt_cache[i].index == index) {
            return u->interrupt_cache[i].entry;
        }
        free = u->interrupt_cache[i].valid ? free : i;
    }
    struct vtd_entry e = read_entry(u, u->interrupts & VTD_TABLE_ADDRESS, index);
    if (free < FAKE_VTD_CACHE && ((e.low & 1) || (u->cap & VTD_CAP_CM))) {
        u->interrupt_cache[free].valid = true;
        u->interrupt_cache[free].index = index;
        u->interrupt_cache[free].entry = e;
    }
    return e;
}

static bool refuse_message(struct fake_vtd *u, uint16_t requester, unsigned index, uint8_t why)
{
    record(u, (uint64_t)index << 48, requester, false, why);
    return false;
}

bool fake_vtd_message(struct fake_vtd *u, uint16_t requester, uint64_t address, uint32_t data,
                      struct irq_route *out)
{
    assert_true((u->gsts & VTD_G_IRE) != 0 && address >> 20 == 0xfee);
    if ((address & BIT(4)) == 0) {
        return (u->gsts & VTD_G_CFI) != 0 ? true : refuse_message(u, requester, 0, 0x25);
    }
    unsigned index = (unsigned)(address >> 5 & 0x7fff) | (unsigned)(address >> 2 & 1) << 15;
    index += address & BIT(3) ? data & 0xffff : 0;
    if (index >= 2u << (u->interrupts & 15)) {
        return refuse_message(u, requester, index, 0x21);
    }
    struct vtd_entry e = find_irte(u, index);
    if ((e.low & 1) == 0) {
        return refuse_message(u, requester, index, 0x22);
    }
    uint64_t unused = u->interrupts & BIT(11) ? 0 : 0xffff00ff00000000ull;
    assert_true((e.low & (0xff00ff0eull | unused)) == 0);
    assert_true((e.high >> 18 & 3) == 1 && (e.high >> 16 & 3) == 0);
    if ((uint16_t)e.high != requester) {
        return refuse_message(u, requester, index, 0x26);
    }
    out->apic_id = u->interrupts & BIT(11) ? (uint32_t)(e.low >> 32) : e.low >> 40 & 0xff;
    out->vector = (uint8_t)(e.low >> 16);
    out->nmi = (e.low >> 5 & 7) == 4;
    out->level = (e.low & BIT(4)) != 0;
    return true;
}
