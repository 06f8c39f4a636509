// SPDX-License-Identifier: Apache-2.0
// Walks the guest's page tables (AMD APM volume 2, chapter 5; Intel SDM volume 3, chapter 4) in two
// passes. The first reads and checks. If the access is allowed, the second sets missing accessed
// and dirty bits. So a refused access changes nothing, and the usual access, whose bits are set,
// writes nothing.
#include "hv/memory/guest_walk.h"

#include "arch/cpu/msr.h"
#include "arch/cpu/register_bits.h"
#include "hv/memory/guest_mem.h"

// The same as in arch/cpu/cpu.h, which host tests can't include.

#define PTE_P  BIT(0)
#define PTE_RW BIT(1)
#define PTE_US BIT(2)
#define PTE_A  BIT(5)
#define PTE_D  BIT(6)
#define PTE_PS GUEST_ENTRY_LARGE
#define PTE_NX BIT(63)

#define PTE_ADDRESS     GUEST_ENTRY_ADDRESS
#define PDPTE_RESERVED  0x00000000000001c6ull // in PAE mode: bits 1, 2, 6 to 8; see walk_pae()
#define CR3_PAE_ADDRESS 0x00000000ffffffe0ull
#define PSE36_HIGH      0x00000000001fe000ull // address bits 32 to 39 in a 4 MiB entry
#define PSE36_RESERVED  0x0000000000200000ull
#define MAX_LEVELS      5

// How often a walk restarts because an entry changed before its accessed bit was set. Each time
// another processor of the guest must hit the same few hundred instructions, so few are needed.
#define WALK_TRIES 16

// One page table entry of a walk.
struct step {
    uint64_t address; // guest-physical
    uint64_t entry;
};

// A walk in progress.
struct walk {
    struct step steps[MAX_LEVELS]; // by level, the last level at [0]
    unsigned levels;
    unsigned entry_size;
    unsigned leaf;      // the level that maps the page
    uint64_t all;       // the AND of all entries: RW, US, A
    uint64_t any;       // the OR of them: NX
    uint64_t page;      // base address of the page that the leaf maps,
    uint64_t page_mask; // and mask of the offset in it
};

static bool is_user(const struct guest_paging *g, unsigned access)
{
    return g->cpl == 3 && !(access & WALK_SUPERVISOR);
}

static enum status page_fault(const struct guest_paging *g, unsigned access, uint64_t why,
                              uint32_t *error_code)
{
    uint64_t code = why;

    if (access & WALK_WRITE)
        code |= PF_WRITE;
    if (is_user(g, access))
        code |= PF_USER;
    // The bit exists only if the processor distinguishes fetches.
    if ((access & WALK_EXEC) &&
        ((g->cr4 & CR4_SMEP) || ((g->cr4 & CR4_PAE) && (g->efer & EFER_NXE))))
        code |= PF_FETCH;
    *error_code = (uint32_t)code;
    return ERR_FAULT;
}

// Bits that must be zero in any 8-byte entry.
static uint64_t reserved_bits(const struct guest_paging *g)
{
    uint64_t reserved = PTE_ADDRESS & ~(BIT(g->phys_bits) - 1);

    // Without long mode, PAE has no address bits above 51, but reserves bits 52 to 62 as well.
    if (!(g->efer & EFER_LMA))
        reserved |= 0x7ff0000000000000ull;
    if (!(g->efer & EFER_NXE))
        reserved |= PTE_NX;
    return reserved;
}

// The page fault for an entry that is not present, or has reserved bits set.
static enum status bad_entry(const struct guest_paging *g, unsigned access, uint64_t entry,
                             uint32_t *error_code)
{
    return page_fault(g, access, entry & PTE_P ? PF_PRESENT | PF_RESERVED : 0, error_code);
}

// PAE, 4 and 5 levels: walks the tables below the root, whose address is `table`. Every trapped
// access to a device page comes here, so one test covers all that can be wrong with an entry.
static inline __attribute__((always_inline)) enum status
walk_wide(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva, unsigned access,
          uint64_t table, struct walk *w, uint32_t *error_code)
{
    const uint64_t bad = reserved_bits(g);
    unsigned level = w->levels - 1;
    unsigned shift = PAGE_SHIFT + 9 * level;
    uint64_t all = ~0ull;
    uint64_t any = 0;

    for (;; level--, shift -= 9) {
        struct step *s = &w->steps[level];

        s->address = table + ((gva >> shift) & 511) * 8;
        if (!guest_read_u64(ram, gpa(s->address), &s->entry))
            return ERR_RANGE;
        if ((s->entry & (PTE_P | bad)) != PTE_P)
            return bad_entry(g, access, s->entry, error_code);
        all &= s->entry;
        any |= s->entry;
        table = s->entry & PTE_ADDRESS;
        if (level == 0)
            break;
        if (s->entry & PTE_PS) {
            // Only 2 MiB and 1 GiB pages exist. Bit 12 of their entries is the PAT bit.
            uint64_t inside = (BIT(shift) - 1) & ~(PAGE_MASK | BIT(12));

            if (level > 2 || (s->entry & inside))
                return bad_entry(g, access, s->entry, error_code);
            break;
        }
    }
    w->all = all;
    w->any = any;
    w->leaf = level;
    w->page_mask = BIT(shift) - 1;
    w->page = table & ~w->page_mask;
    return STATUS_OK;
}

// PAE's four root entries have their own format: no rights, no accessed bit. A processor caches
// them when CR3 is loaded; that differs only for a guest that changes them without loading CR3. Bit
// 5 is reserved too, but QEMU sets it where other entries have "accessed".
static enum status walk_pae(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                            unsigned access, struct walk *w, uint32_t *error_code)
{
    uint64_t address = (g->cr3 & CR3_PAE_ADDRESS) + (gva >> 30) * 8;
    uint64_t entry;

    if (!guest_read_u64(ram, gpa(address), &entry))
        return ERR_RANGE;
    if ((entry & (PTE_P | PDPTE_RESERVED | reserved_bits(g) | PTE_NX)) != PTE_P)
        return bad_entry(g, access, entry, error_code);
    w->levels = 2;
    return walk_wide(ram, g, gva, access, entry & PTE_ADDRESS, w, error_code);
}

// Walks the two levels of 4-byte entries.
static enum status walk_narrow(const struct guest_ram *ram, const struct guest_paging *g,
                               uint64_t gva, unsigned access, struct walk *w, uint32_t *error_code)
{
    uint64_t table = g->cr3 & 0xfffff000;
    unsigned level = 1;

    w->levels = 2;
    w->entry_size = sizeof(uint32_t);
    for (;; level--) {
        unsigned shift = PAGE_SHIFT + 10 * level;
        struct step *s = &w->steps[level];
        uint32_t entry;

        s->address = table + ((gva >> shift) & 1023) * 4;
        if (guest_read(ram, gpa(s->address), &entry, sizeof(entry)) != STATUS_OK)
            return ERR_RANGE;
        s->entry = entry;
        if (!(entry & PTE_P))
            return page_fault(g, access, 0, error_code);
        w->all &= entry;
        table = entry & 0xfffff000;
        w->page_mask = BIT(shift) - 1;
        if (level == 0)
            break;
        if ((entry & PTE_PS) && (g->cr4 & CR4_PSE)) {
            uint64_t high = (entry & PSE36_HIGH) << (32 - 13);

            if ((entry & PSE36_RESERVED) || high >> g->phys_bits != 0)
                return page_fault(g, access, PF_PRESENT | PF_RESERVED, error_code);
            table = (table & ~w->page_mask) | high;
            break;
        }
    }
    w->leaf = level;
    w->page = table;
    return STATUS_OK;
}

// Whether the page's rights allow this access (AMD APM volume 2, 5.6; Intel SDM volume 3, 4.6).
static bool allowed(const struct guest_paging *g, const struct walk *w, unsigned access)
{
    bool user_page = w->all & PTE_US;
    bool user = is_user(g, access);

    if (user && !user_page)
        return false;
    if (access & WALK_EXEC) {
        if ((w->any & PTE_NX) && (g->efer & EFER_NXE) && (g->cr4 & CR4_PAE))
            return false;
        return user || !user_page || !(g->cr4 & CR4_SMEP);
    }
    // AC disables SMAP for the program's own accesses, not for implicit ones.
    if (!user && user_page && (g->cr4 & CR4_SMAP) && (!g->ac || (access & WALK_SUPERVISOR)))
        return false;
    if ((access & WALK_WRITE) && !(w->all & PTE_RW))
        return !user && !(g->cr0 & CR0_WP);
    return true;
}

// Sets missing accessed bits, and the leaf's dirty bit. Does so atomically, and only if the entry
// is still what was read. Otherwise another of the guest's processors has changed it (ERR_CHANGED),
// and the bits could end up in an entry that means something else.
static enum status mark_used(const struct guest_ram *ram, const struct walk *w, unsigned access)
{
    for (unsigned level = w->leaf; level < w->levels; level++) {
        const struct step *s = &w->steps[level];
        uint64_t wanted = PTE_A;
        enum status status;

        if (level == w->leaf && (access & WALK_WRITE))
            wanted |= PTE_D;
        if ((s->entry & wanted) == wanted)
            continue;
        status = guest_replace(ram, gpa(s->address), w->entry_size, s->entry, s->entry | wanted);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// The usual walk, for every trapped access to a device page: 4 levels, all present and allowed,
// accessed and dirty set. It doesn't have to find the faulty entry, so it checks all entries at
// once. False in all other cases: then the full walk decides.
static inline bool quick_walk(const struct guest_ram *ram, const struct guest_paging *g,
                              uint64_t gva, unsigned access, gpa_t *out)
{
    uint64_t wanted = PTE_P | PTE_A;
    uint64_t unwanted = reserved_bits(g);
    struct guest_descent d;
    uint64_t offset_mask;

    if (!guest_descend(ram, g->cr3 & PTE_ADDRESS, gva, &d))
        return false;
    offset_mask = BIT(d.shift) - 1;
    if (d.shift > PAGE_SHIFT) {
        // A large page, so some address bits may be reserved. The top level has no large pages.
        unwanted |= d.shift < PAGE_SHIFT + 27 ? 0 : PTE_PS;
        if (d.last & offset_mask & ~(PAGE_MASK | BIT(12)))
            return false;
    }
    if (access & WALK_WRITE) {
        wanted |= PTE_RW;
        if (!(d.last & PTE_D))
            return false;
    }
    if (access & WALK_EXEC)
        unwanted |= PTE_NX;
    if (is_user(g, access))
        wanted |= PTE_US;
    else if ((d.all & PTE_US) && (g->cr4 & (CR4_SMEP | CR4_SMAP)))
        return false;
    if ((d.all & wanted) != wanted || (d.any & unwanted))
        return false;
    *out = gpa((d.last & PTE_ADDRESS & ~offset_mask) | (gva & offset_mask));
    return true;
}

static bool is_canonical(uint64_t gva, unsigned bits)
{
    return (uint64_t)((int64_t)(gva << (64 - bits)) >> (64 - bits)) == gva;
}

// One walk in any mode, with all checks.
static enum status full_walk(const struct guest_ram *ram, const struct guest_paging *g,
                             uint64_t gva, unsigned access, gpa_t *out, uint32_t *error_code)
{
    struct walk w = {.all = ~0ull, .entry_size = sizeof(uint64_t)};
    enum status status;

    if (g->efer & EFER_LMA) {
        w.levels = g->cr4 & CR4_LA57 ? 5 : 4;
        if (!is_canonical(gva, PAGE_SHIFT + 9 * w.levels))
            return ERR_INVALID;
        status = walk_wide(ram, g, gva, access, g->cr3 & PTE_ADDRESS, &w, error_code);
    } else if (g->cr4 & CR4_PAE) {
        status = walk_pae(ram, g, gva, access, &w, error_code);
    } else {
        status = walk_narrow(ram, g, gva, access, &w, error_code);
    }
    if (status != STATUS_OK)
        return status;
    if (!allowed(g, &w, access))
        return page_fault(g, access, PF_PRESENT, error_code);
    *out = gpa(w.page | (gva & w.page_mask));
    if ((w.all & PTE_A) && (!(access & WALK_WRITE) || (w.steps[w.leaf].entry & PTE_D)))
        return STATUS_OK;
    return mark_used(ram, &w, access);
}

// What guest_walk() does if quick_walk() fails. Out of line, so that the usual walk does not pay
// for its registers and stack.
static __attribute__((noinline)) enum status slow_walk(const struct guest_ram *ram,
                                                       const struct guest_paging *g, uint64_t gva,
                                                       unsigned access, gpa_t *out,
                                                       uint32_t *error_code)
{
    enum status status = ERR_CHANGED;

    if (!(g->efer & EFER_LMA))
        gva &= 0xffffffff;
    if (!(g->cr0 & CR0_PG)) {
        *out = gpa(gva);
        return STATUS_OK;
    }
    for (unsigned i = 0; i < WALK_TRIES && status == ERR_CHANGED; i++)
        status = full_walk(ram, g, gva, access, out, error_code);
    return status;
}

enum status guest_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                       unsigned access, gpa_t *out, uint32_t *error_code)
{
    if ((g->efer & EFER_LMA) && !(g->cr4 & CR4_LA57)) {
        if (!is_canonical(gva, 48))
            return ERR_INVALID;
        if (quick_walk(ram, g, gva, access, out))
            return STATUS_OK;
    }
    return slow_walk(ram, g, gva, access, out, error_code);
}

// In 64-bit mode cs_base is 0 and RIP has 64 bits. In other modes the sum is cut to 32 bits. With a
// base of 0 RIP fits anyway, so nothing is cut then.
static uint64_t code_address(const struct guest_paging *g, uint64_t cs_base, uint64_t rip)
{
    if ((g->efer & EFER_LMA) && cs_base == 0)
        return rip;
    return (cs_base + rip) & 0xffffffff;
}

enum status guest_fetch(const struct guest_ram *ram, const struct guest_paging *g, uint64_t cs_base,
                        uint64_t rip, uint8_t *buf, size_t max, size_t *got,
                        struct guest_fault *fault)
{
    uint64_t address = code_address(g, cs_base, rip + *got);
    size_t here = (size_t)min_u64(PAGE_SIZE - (address & PAGE_MASK), max - *got);
    gpa_t code;
    enum status status;

    status = guest_walk(ram, g, address, WALK_EXEC, &code, &fault->error_code);
    if (status != STATUS_OK) {
        fault->address = address;
        return status;
    }
    if (here == GUEST_CODE_BYTES && guest_read_code(ram, code, buf + *got)) {
        *got += here;
        return STATUS_OK;
    }
    status = guest_read(ram, code, buf + *got, here);
    if (status == STATUS_OK)
        *got += here;
    return status;
}

enum status guest_span_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                            size_t len, unsigned access, struct guest_span *span,
                            struct guest_fault *fault)
{
    size_t first = (size_t)min_u64(len, PAGE_SIZE - (gva & PAGE_MASK));
    uint64_t next = gva + first;
    enum status status;

    if (len == 0 || len > PAGE_SIZE)
        return ERR_INVALID;
    if (!(g->efer & EFER_LMA)) {
        gva &= 0xffffffff;
        next &= 0xffffffff;
    }
    span->len[0] = (uint32_t)first;
    span->len[1] = (uint32_t)(len - first);
    fault->address = gva;
    status = guest_walk(ram, g, gva, access, &span->part[0], &fault->error_code);
    if (status != STATUS_OK || span->len[1] == 0)
        return status;
    fault->address = next;
    return guest_walk(ram, g, next, access, &span->part[1], &fault->error_code);
}

static bool span_in_ram(const struct guest_ram *ram, const struct guest_span *span)
{
    return guest_ram_contains(ram, span->part[0], span->len[0]) &&
           (span->len[1] == 0 || guest_ram_contains(ram, span->part[1], span->len[1]));
}

enum status guest_span_read(const struct guest_ram *ram, const struct guest_span *span, void *buf)
{
    enum status status = guest_read(ram, span->part[0], buf, span->len[0]);

    if (status == STATUS_OK && span->len[1] != 0)
        status = guest_read(ram, span->part[1], (uint8_t *)buf + span->len[0], span->len[1]);
    return status;
}

enum status guest_span_write(const struct guest_ram *ram, const struct guest_span *span,
                             const void *buf)
{
    enum status status;

    if (!span_in_ram(ram, span))
        return ERR_RANGE;
    status = guest_write(ram, span->part[0], buf, span->len[0]);
    if (status == STATUS_OK && span->len[1] != 0)
        status = guest_write(ram, span->part[1], (const uint8_t *)buf + span->len[0], span->len[1]);
    return status;
}

enum status guest_copy_from_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                   uint64_t gva, void *buf, size_t len, unsigned access,
                                   struct guest_fault *fault)
{
    struct guest_span span;
    enum status status = guest_span_walk(ram, g, gva, len, access & WALK_SUPERVISOR, &span, fault);

    return status == STATUS_OK ? guest_span_read(ram, &span, buf) : status;
}

enum status guest_copy_to_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                 uint64_t gva, const void *buf, size_t len, unsigned access,
                                 struct guest_fault *fault)
{
    struct guest_span span;
    enum status status =
        guest_span_walk(ram, g, gva, len, (access & WALK_SUPERVISOR) | WALK_WRITE, &span, fault);

    return status == STATUS_OK ? guest_span_write(ram, &span, buf) : status;
}
