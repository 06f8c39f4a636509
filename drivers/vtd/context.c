// SPDX-License-Identifier: Apache-2.0
// Root and context tables of legacy mode (VT-d specification, 3.4, 9.1, 9.3): they give each
// requester its domain. Every root entry is present from the start and refers to one context table
// that stays empty. A bus gets its own context table with its first device.
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/vtd/vtd.h"

#define ENTRIES 256u // of root tables (buses) and of context tables (devices and functions)

static struct vtd_entry *root;       // of segment 0
static struct vtd_entry *empty_root; // of all other segments, whose devices stay unassigned
static hpa_t empty;                  // a context table without present entries

static struct vtd_entry *make_root(void)
{
    hpa_t page = heap_page_alloc();
    if (page.v == 0) {
        return NULL;
    }
    struct vtd_entry *table = heap_ptr(page);
    for (unsigned bus = 0; bus < ENTRIES; bus++) {
        table[bus].low = empty.v | VTD_ROOT_PRESENT;
    }
    vtd_written(table, PAGE_SIZE);
    return table;
}

enum status vtd_context_create(void)
{
    _Static_assert(ENTRIES * sizeof(struct vtd_entry) == PAGE_SIZE, "one page");
    empty = heap_page_alloc();
    if (empty.v == 0) {
        return ERR_NO_MEMORY;
    }
    vtd_written(heap_ptr(empty), PAGE_SIZE);
    root = make_root();
    empty_root = make_root();
    return root != NULL && empty_root != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

hpa_t vtd_root_table(uint16_t segment)
{
    return heap_pa(segment == 0 ? root : empty_root);
}

// The context table of a bus. NULL: the bus has only the empty one or, with `make`, no page is
// left.
static struct vtd_entry *context_table(uint8_t bus, bool make)
{
    uint64_t table = root[bus].low & VTD_TABLE_ADDRESS;
    if (table != empty.v) {
        return heap_ptr(hpa(table));
    }
    hpa_t page = make ? heap_page_alloc() : hpa(0);
    if (page.v == 0) {
        return NULL;
    }
    vtd_written(heap_ptr(page), PAGE_SIZE);
    __atomic_store_n(&root[bus].low, page.v | VTD_ROOT_PRESENT, __ATOMIC_RELEASE);
    vtd_written(&root[bus], sizeof(root[bus]));
    return heap_ptr(page);
}

// A unit in caching mode tags cached absent context entries with domain 0 (6.1), so they are
// invalidated under this number. Other units ignore that, because they cache none.
#define ABSENT_DOMAIN 0

static void forget(uint16_t requester, uint16_t context_domain, uint16_t domain)
{
    const struct vtd_descriptor d[] = {
        {VTD_INV_CONTEXT | VTD_INV_DEVICE | VTD_INV_DID(context_domain) | VTD_INV_SID(requester),
         0},
        {VTD_INV_IOTLB | VTD_INV_DOMAIN | VTD_INV_DID(domain), 0},
    };
    vtd_invalidate(d, ARRAY_SIZE(d));
}

// ---- domains -------------------------------------------------------------------------------

enum status vtd_domain_create(struct iommu_domain *d, uint16_t id)
{
    ASSERT(id > ABSENT_DOMAIN && id <= MAX_PARTITIONS);
    enum status s = pt_create(&d->tables, vtd.format, vtd.max_leaf_level);
    if (s != STATUS_OK) {
        return s;
    }
    d->id = id;
    d->created = true;
    return STATUS_OK;
}

static bool is_table(const struct pt_format *f, unsigned level, uint64_t entry)
{
    const struct pt_level *l = &f->level[level];
    return (entry & f->present_mask) != 0 && !(l->leaf && (entry & l->kind_mask) == l->leaf_kind);
}

static void write_back_tables(const struct pt_format *f, hpa_t table, unsigned level)
{
    const uint64_t *entries = heap_ptr(table);
    for (unsigned i = 0; level > 0 && i < PT_ENTRIES; i++) {
        if (is_table(f, level, entries[i])) {
            write_back_tables(f, hpa(entries[i] & f->address_mask), level - 1);
        }
    }
    vtd_write_back(entries, PAGE_SIZE);
}

// The page-table writer does not know about IOMMUs, so its stores may still be in the caches.
static void write_back_domain(const struct iommu_domain *d)
{
    if (!vtd.snoops) {
        write_back_tables(d->tables.format, d->tables.root, d->tables.format->levels - 1);
    }
}

void vtd_domain_flush(struct iommu_domain *d)
{
    write_back_domain(d);
    const struct vtd_descriptor all = {VTD_INV_IOTLB | VTD_INV_DOMAIN | VTD_INV_DID(d->id), 0};
    vtd_invalidate(&all, 1);
}

// ---- devices -------------------------------------------------------------------------------

enum status vtd_attach(uint16_t requester, struct iommu_domain *d)
{
    vtd_detach(requester);
    struct vtd_entry *table = context_table((uint8_t)(requester >> 8), true);
    if (table == NULL) {
        return ERR_NO_MEMORY;
    }
    write_back_domain(d);
    struct vtd_entry *entry = &table[requester & 0xff];
    uint64_t width = d->tables.format->levels == 4 ? VTD_CONTEXT_AW_48 : VTD_CONTEXT_AW_39;
    entry->high = VTD_CONTEXT_DID(d->id) | width;
    // Translation type 0: second level only; addresses that the device has translated itself are
    // refused.
    __atomic_store_n(&entry->low, d->tables.root.v | VTD_CONTEXT_PRESENT, __ATOMIC_RELEASE);
    vtd_written(entry, sizeof(*entry));
    forget(requester, ABSENT_DOMAIN, d->id);
    return STATUS_OK;
}

void vtd_detach(uint16_t requester)
{
    struct vtd_entry *table = context_table((uint8_t)(requester >> 8), false);
    struct vtd_entry *entry = table == NULL ? NULL : &table[requester & 0xff];
    if (entry == NULL || (entry->low & VTD_CONTEXT_PRESENT) == 0) {
        return;
    }
    uint16_t domain = VTD_CONTEXT_DID_OF(entry->high);
    __atomic_store_n(&entry->low, 0, __ATOMIC_RELEASE);
    entry->high = 0;
    vtd_written(entry, sizeof(*entry));
    forget(requester, domain, domain);
}

void vtd_quiet(uint16_t requester)
{
    struct vtd_entry *table = context_table((uint8_t)(requester >> 8), false);
    struct vtd_entry *entry = table == NULL ? NULL : &table[requester & 0xff];
    if (entry == NULL || (entry->low & VTD_CONTEXT_PRESENT) == 0) {
        return;
    }
    uint16_t domain = VTD_CONTEXT_DID_OF(entry->high);
    __atomic_store_n(&entry->low, entry->low | VTD_CONTEXT_FPD, __ATOMIC_RELEASE);
    vtd_written(entry, sizeof(*entry));
    forget(requester, domain, domain);
}
