// SPDX-License-Identifier: Apache-2.0
// The radix-tree writer of arch/memory/paging.h. One recursive function makes every change, in two
// runs. The dry run counts the tables that the change needs and finds what forbids the change. The
// second run makes the change with those tables at hand, and can't fail.
#include "arch/memory/paging.h"

#include "arch/memory/heap.h"

enum change_kind { CHANGE_MAP, CHANGE_UNMAP, CHANGE_ENTRY };

struct change {
    enum change_kind kind;
    bool dry;
    unsigned flags;
    unsigned level;  // CHANGE_PIN: the level of the entry
    uint64_t delta;  // CHANGE_MAP: pa - va, modulo 2^64
    unsigned needed; // tables needed, counted by the dry run
    hpa_t spare;     // list of pages for new tables
    uint64_t *entry; // CHANGE_PIN: the result
};

// A table as a change sees it. A dry run also visits tables that do not exist yet: each stands for
// an absent entry, or for a leaf that will be split.
struct node {
    unsigned level;
    uint64_t *entries; // NULL in a dry run: the table does not exist yet
    uint64_t leaf;     // the entry that it would be split from; 0: absent
};

// Lists of pages are linked through each page's first word.
static void list_push(hpa_t *list, hpa_t page)
{
    uint64_t *words = heap_ptr(page);
    words[0] = list->v;
    *list = page;
}

static hpa_t list_pop(hpa_t *list)
{
    hpa_t page = *list;
    uint64_t *words = heap_ptr(page);
    *list = hpa(words[0]);
    words[0] = 0;
    return page;
}

static void list_free(hpa_t *list)
{
    while (list->v != 0) {
        heap_page_free(list_pop(list));
    }
}

// Stores an entry for page walks by hardware: in one piece, and after the stores to the table that
// it refers to.
static void set_entry(uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static bool is_present(const struct pt_format *f, uint64_t entry)
{
    return (entry & f->present_mask) != 0;
}

static bool is_leaf(const struct pt_format *f, unsigned level, uint64_t entry)
{
    const struct pt_level *l = &f->level[level];
    return level == 0 || (l->leaf && (entry & l->kind_mask) == l->leaf_kind);
}

static bool flags_valid(const struct pt_format *f, unsigned flags)
{
    if ((flags & ~f->flags) != 0 || !(flags & PT_READ)) {
        return false;
    }
    if ((flags & PT_UC) && (flags & PT_WC)) {
        return false;
    }
    return !(f->write_xor_exec && (flags & PT_WRITE) && (flags & PT_EXEC));
}

uint64_t pt_make_leaf(const struct pt_format *f, unsigned level, hpa_t pa, unsigned flags)
{
    const struct pt_level *l = &f->level[level];
    uint64_t entry = (pa.v & f->address_mask) | l->leaf_bits | f->read_bit;
    if (flags & PT_WRITE) {
        entry |= f->write_bit;
    }
    entry |= (flags & PT_EXEC) ? f->exec_bit : f->no_exec_bit;
    if (flags & PT_UC) {
        entry |= l->type_uc;
    } else if (flags & PT_WC) {
        entry |= l->type_wc;
    } else {
        entry |= l->type_wb;
    }
    return entry;
}

// The address field of a large page also holds its PAT bit, so the bits below the page's size are
// cleared.
static uint64_t leaf_address(const struct pt_format *f, unsigned level, uint64_t entry)
{
    return align_down(entry & f->address_mask, pt_level_size(level));
}

static unsigned leaf_flags(const struct pt_format *f, unsigned level, uint64_t entry)
{
    const struct pt_level *l = &f->level[level];
    unsigned flags = PT_READ;
    if (entry & f->write_bit) {
        flags |= PT_WRITE;
    }
    if ((entry & f->exec_bit) || (f->no_exec_bit && !(entry & f->no_exec_bit))) {
        flags |= PT_EXEC;
    }
    uint64_t type = entry & l->type_mask;
    if (type != l->type_wb && type == l->type_uc) {
        flags |= PT_UC;
    } else if (type != l->type_wb && type == l->type_wc) {
        flags |= PT_WC;
    }
    return flags;
}

// Entry `index` of the table that a leaf of `level` + 1 is split into.
static uint64_t split_entry(const struct pt_format *f, unsigned level, uint64_t leaf,
                            unsigned index)
{
    uint64_t pa = leaf_address(f, level + 1, leaf) + index * pt_level_size(level);
    return pt_make_leaf(f, level, hpa(pa), leaf_flags(f, level + 1, leaf));
}

static uint64_t *entries_of(const struct pt_format *f, uint64_t entry)
{
    return heap_ptr(hpa(entry & f->address_mask));
}

static bool may_map_leaf(const struct page_table *pt, unsigned level, uint64_t va, uint64_t pa,
                         uint64_t size)
{
    uint64_t whole = pt_level_size(level);
    return level <= pt->max_leaf_level && pt->format->level[level].leaf && size == whole &&
           is_aligned(va, whole) && is_aligned(pa, whole);
}

// Puts a table into `*slot` of `level`. The table is empty, or maps what the leaf in the slot
// mapped.
static void make_table(struct page_table *pt, struct change *c, unsigned level, uint64_t *slot)
{
    const struct pt_format *f = pt->format;
    uint64_t old = *slot;
    hpa_t page = list_pop(&c->spare);
    if (is_present(f, old)) {
        uint64_t *entries = heap_ptr(page);
        for (unsigned i = 0; i < PT_ENTRIES; i++) {
            entries[i] = split_entry(f, level - 1, old, i);
        }
    }
    set_entry(slot, page.v | f->level[level].table_bits);
}

static enum status change_range(struct page_table *pt, struct change *c, struct node node,
                                uint64_t va, uint64_t end);

// Makes the change in the table below `entry`. Makes that table first if there is none.
static enum status change_below(struct page_table *pt, struct change *c, const struct node *node,
                                unsigned index, uint64_t entry, uint64_t va, uint64_t end)
{
    const struct pt_format *f = pt->format;
    struct node child = {.level = node->level - 1};
    bool table = is_present(f, entry) && !is_leaf(f, node->level, entry);

    if (table && (entry & f->shared_bit)) {
        return ERR_DENIED;
    }
    if (c->dry && !table) {
        c->needed++;
        child.leaf = entry;
        return change_range(pt, c, child, va, end);
    }
    if (!table) {
        make_table(pt, c, node->level, &node->entries[index]);
    }
    child.entries = entries_of(f, node->entries[index]);
    return change_range(pt, c, child, va, end);
}

// Makes the change in the part [va, end) of one entry's span.
static enum status change_entry(struct page_table *pt, struct change *c, const struct node *node,
                                unsigned index, uint64_t va, uint64_t end)
{
    const struct pt_format *f = pt->format;
    unsigned level = node->level;
    uint64_t entry = 0;
    if (node->entries) {
        entry = node->entries[index];
    } else if (node->leaf) {
        entry = split_entry(f, level, node->leaf, index);
    }
    bool present = is_present(f, entry);
    bool leaf = present && is_leaf(f, level, entry);
    bool whole = end - va == pt_level_size(level);
    uint64_t wanted = entry;

    switch (c->kind) {
    case CHANGE_MAP:
        if (leaf) {
            return ERR_EXISTS;
        }
        if (present || !may_map_leaf(pt, level, va, va + c->delta, end - va)) {
            return change_below(pt, c, node, index, entry, va, end);
        }
        wanted = pt_make_leaf(f, level, hpa(va + c->delta), c->flags);
        break;
    case CHANGE_UNMAP:
        if (present && !(leaf && whole)) {
            return change_below(pt, c, node, index, entry, va, end);
        }
        wanted = 0;
        break;
    case CHANGE_ENTRY:
        if (level > c->level) {
            return change_below(pt, c, node, index, entry, va, end);
        }
        if (present && !leaf) {
            return ERR_EXISTS;
        }
        c->entry = node->entries ? &node->entries[index] : NULL;
        break;
    }
    if (!c->dry && wanted != entry) {
        set_entry(&node->entries[index], wanted);
    }
    return STATUS_OK;
}

// `va` and `end` lie within the span of the node's table, and have no sign extension.
static enum status change_range(struct page_table *pt, struct change *c, struct node node,
                                uint64_t va, uint64_t end)
{
    uint64_t size = pt_level_size(node.level);
    while (va < end) {
        uint64_t part = min_u64(end, align_down(va, size) + size);
        unsigned index = (unsigned)(va / size) % PT_ENTRIES;
        enum status s = change_entry(pt, c, &node, index, va, part);
        if (s != STATUS_OK) {
            return s; // only in a dry run
        }
        va = part;
    }
    return STATUS_OK;
}

static bool take_spares(struct change *c)
{
    for (unsigned i = 0; i < c->needed; i++) {
        hpa_t page = heap_page_alloc();
        if (page.v == 0) {
            list_free(&c->spare);
            return false;
        }
        list_push(&c->spare, page);
    }
    return true;
}

// Checks the range and removes the sign extension. The range may end at the end of the address
// space.
static bool range_valid(const struct pt_format *f, uint64_t *va, uint64_t size)
{
    uint64_t reach = pt_level_size(f->levels);
    uint64_t start = *va;
    if (f->sign_extended) {
        uint64_t upper = ~(reach / 2 - 1);
        bool high = (start & upper) == upper;
        if (!high && (start & upper) != 0) {
            return false;
        }
        start &= reach - 1;
        reach = high ? reach : reach / 2;
    }
    if (!is_aligned(start, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE) || size == 0 ||
        start >= reach || size > reach - start) {
        return false;
    }
    *va = start;
    return true;
}

static enum status apply(struct page_table *pt, struct change *c, uint64_t va, uint64_t size)
{
    if (!range_valid(pt->format, &va, size)) {
        return ERR_INVALID;
    }
    struct node root = {.level = pt->format->levels - 1, .entries = heap_ptr(pt->root)};

    c->delta -= va; // from pa to pa - va
    c->dry = true;
    enum status s = change_range(pt, c, root, va, va + size);
    if (s != STATUS_OK) {
        return s;
    }
    if (!take_spares(c)) {
        return ERR_NO_MEMORY;
    }
    c->dry = false;
    return change_range(pt, c, root, va, va + size);
}

enum status pt_map(struct page_table *pt, uint64_t va, hpa_t pa, uint64_t size, unsigned flags)
{
    uint64_t pa_limit = pt->format->address_mask + PAGE_SIZE;
    if (!flags_valid(pt->format, flags) || !is_aligned(pa.v, PAGE_SIZE) || pa.v >= pa_limit ||
        size > pa_limit - pa.v) {
        return ERR_INVALID;
    }
    struct change c = {.kind = CHANGE_MAP, .flags = flags, .delta = pa.v};
    return apply(pt, &c, va, size);
}

enum status pt_unmap(struct page_table *pt, uint64_t va, uint64_t size)
{
    struct change c = {.kind = CHANGE_UNMAP};
    return apply(pt, &c, va, size);
}

uint64_t *pt_entry(struct page_table *pt, uint64_t va, unsigned level)
{
    struct change c = {.kind = CHANGE_ENTRY, .level = level};
    if (level >= pt->format->levels || apply(pt, &c, va, PAGE_SIZE) != STATUS_OK) {
        return NULL;
    }
    return c.entry;
}

uint64_t *pt_entry_4k(struct page_table *pt, uint64_t va)
{
    return pt_entry(pt, va, 0);
}

bool pt_lookup(const struct page_table *pt, uint64_t va, struct pt_leaf *out)
{
    const struct pt_format *f = pt->format;
    uint64_t offset = va & PAGE_MASK;
    va -= offset;
    if (!range_valid(f, &va, PAGE_SIZE)) {
        return false;
    }
    const uint64_t *entries = heap_ptr(pt->root);
    for (unsigned level = f->levels; level-- > 0;) {
        uint64_t size = pt_level_size(level);
        uint64_t entry = entries[(va / size) % PT_ENTRIES];
        if (!is_present(f, entry)) {
            return false;
        }
        if (is_leaf(f, level, entry)) {
            out->pa = hpa(leaf_address(f, level, entry) + va % size + offset);
            out->flags = leaf_flags(f, level, entry);
            out->size = size;
            return true;
        }
        entries = entries_of(f, entry);
    }
    return false;
}

enum status pt_create(struct page_table *pt, const struct pt_format *format,
                      unsigned max_leaf_level)
{
    while (max_leaf_level >= format->levels || !format->level[max_leaf_level].leaf) {
        max_leaf_level--;
    }
    *pt = (struct page_table){.format = format, .max_leaf_level = max_leaf_level};
    pt->root = heap_page_alloc();
    return pt->root.v != 0 ? STATUS_OK : ERR_NO_MEMORY;
}

// The entry of `level` that a walk to `va` (without sign extension) passes, if it refers to a
// table; else NULL.
static const uint64_t *table_entry(const struct page_table *pt, uint64_t va, unsigned level)
{
    const struct pt_format *f = pt->format;
    const uint64_t *entries = heap_ptr(pt->root);
    for (unsigned l = f->levels - 1;; l--) {
        const uint64_t *entry = &entries[(va / pt_level_size(l)) % PT_ENTRIES];
        if (!is_present(f, *entry) || is_leaf(f, l, *entry)) {
            return NULL;
        }
        if (l == level) {
            return entry;
        }
        entries = entries_of(f, *entry);
    }
}

enum status pt_share(struct page_table *dst, const struct page_table *src, uint64_t va,
                     unsigned level)
{
    const struct pt_format *f = dst->format;
    uint64_t at = va;
    if (f != src->format || f->shared_bit == 0) {
        return ERR_UNSUPPORTED;
    }
    if (level == 0 || level >= f->levels || !range_valid(f, &at, PAGE_SIZE)) {
        return ERR_INVALID;
    }
    const uint64_t *from = table_entry(src, at, level);
    if (from == NULL) {
        return ERR_NOT_FOUND;
    }
    struct pt_leaf leaf;
    if (pt_lookup(dst, va, &leaf)) {
        return ERR_EXISTS;
    }
    struct change c = {.kind = CHANGE_ENTRY, .level = level};
    enum status s = apply(dst, &c, va, PAGE_SIZE);
    if (s != STATUS_OK) {
        return s;
    }
    set_entry(c.entry, *from | f->shared_bit);
    return STATUS_OK;
}
