// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/walk_model.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest_machine.h"

#define P  BIT(0)
#define RW BIT(1)
#define US BIT(2)
#define A  BIT(5)
#define D  BIT(6)
#define PS BIT(7)
#define NX BIT(63)

struct model {
    const struct guest_paging *g;
    uint64_t gva;
    unsigned access;
    bool long_mode, pae;
    unsigned levels;
    uint64_t entry[6], address[6]; // by level, 1 the lowest
    unsigned leaf;
    uint64_t physical;
    uint32_t error_code;
};

static bool user(const struct model *m)
{
    return m->g->cpl == 3 && !(m->access & WALK_SUPERVISOR);
}

static enum status fault(struct model *m, uint32_t why)
{
    bool tells_fetches = (m->g->cr4 & CR4_SMEP) || (m->pae && (m->g->efer & EFER_NXE));

    m->error_code = why | (m->access & WALK_WRITE ? 2 : 0) | (user(m) ? 4 : 0) |
                    (m->access & WALK_EXEC && tells_fetches ? 16 : 0);
    return ERR_FAULT;
}

static bool root_of_pae(const struct model *m, unsigned level)
{
    return m->pae && !m->long_mode && level == 3;
}

static unsigned shift_of(const struct model *m, unsigned level)
{
    return 12 + (m->pae ? 9 : 10) * (level - 1);
}

static bool is_large(const struct model *m, unsigned level)
{
    if (level == 1 || !(m->entry[level] & PS) || root_of_pae(m, level))
        return false;
    return m->pae ? level <= 3 : (m->g->cr4 & CR4_PSE) != 0;
}

static bool bad_bits(const struct model *m, unsigned level)
{
    uint64_t e = m->entry[level];

    if (!m->pae) // only large pages have any
        return is_large(m, level) && ((e & BIT(21)) || (e >> 13 & 0xff) >> (m->g->phys_bits - 32));
    for (unsigned bit = m->g->phys_bits; bit < 52; bit++) {
        if (e >> bit & 1)
            return true;
    }
    if (!m->long_mode && (e >> 52 & 0x7ff))
        return true;
    if ((e & NX) && (!(m->g->efer & EFER_NXE) || root_of_pae(m, level)))
        return true;
    if (root_of_pae(m, level))
        return (e & 0x1c6) != 0;
    if (level > 3 && (e & PS))
        return true;
    for (unsigned bit = 13; is_large(m, level) && bit < shift_of(m, level); bit++) {
        if (e >> bit & 1)
            return true;
    }
    return false;
}

static enum status check_rights(struct model *m)
{
    bool writable = true, user_page = true, no_execute = false, denied = false;

    for (unsigned level = m->levels; level >= m->leaf; level--) {
        if (root_of_pae(m, level))
            continue;
        writable = writable && (m->entry[level] & RW);
        user_page = user_page && (m->entry[level] & US);
        no_execute = no_execute || (m->pae && (m->entry[level] & NX));
    }
    if (user(m) && !user_page)
        denied = true;
    if (m->access & WALK_EXEC) {
        denied = denied || no_execute || (!user(m) && user_page && (m->g->cr4 & CR4_SMEP));
    } else {
        bool lifted = m->g->ac && !(m->access & WALK_SUPERVISOR);

        denied = denied || (!user(m) && user_page && (m->g->cr4 & CR4_SMAP) && !lifted);
        denied =
            denied || ((m->access & WALK_WRITE) && !writable && (user(m) || (m->g->cr0 & CR0_WP)));
    }
    return denied ? fault(m, 1) : STATUS_OK;
}

static enum status walk(struct model *m)
{
    uint64_t table = m->g->cr3 & (m->long_mode ? 0x000ffffffffff000
                                  : m->pae     ? 0xffffffe0
                                               : 0xfffff000);
    unsigned size = m->pae ? 8 : 4;
    unsigned level;

    for (level = m->levels;; level--) {
        uint64_t index = m->gva >> shift_of(m, level) & (m->pae ? 511 : 1023);

        m->address[level] = table + index * size;
        m->entry[level] = 0;
        if (guest_read(&flat.ram, gpa(m->address[level]), &m->entry[level], size) != STATUS_OK)
            return ERR_RANGE;
        if (!(m->entry[level] & P))
            return fault(m, 0);
        if (bad_bits(m, level))
            return fault(m, 1 | 8);
        table = m->entry[level] & (m->pae ? 0x000ffffffffff000 : 0xfffff000);
        if (level == 1 || is_large(m, level))
            break;
    }
    m->leaf = level;
    if (level > 1 && !m->pae)
        table |= (m->entry[level] >> 13 & 0xff) << 32;
    m->physical =
        (table & ~(BIT(shift_of(m, level)) - 1)) | (m->gva & (BIT(shift_of(m, level)) - 1));
    return check_rights(m);
}

static enum status model_walk(struct model *m)
{
    unsigned unused;

    m->long_mode = m->g->efer & EFER_LMA;
    m->pae = m->g->cr4 & CR4_PAE;
    if (!m->long_mode)
        m->gva &= 0xffffffff;
    if (!(m->g->cr0 & CR0_PG)) {
        m->physical = m->gva;
        return STATUS_OK;
    }
    m->levels = !m->pae ? 2 : !m->long_mode ? 3 : m->g->cr4 & CR4_LA57 ? 5 : 4;
    unused = m->levels == 5 ? 7 : 16;
    if (m->long_mode && (uint64_t)((int64_t)(m->gva << unused) >> unused) != m->gva)
        return ERR_INVALID;
    return walk(m);
}

static void check_marks(const struct model *m)
{
    for (unsigned level = m->levels; level >= m->leaf && level > 0; level--) {
        uint64_t wanted = A | (level == m->leaf && (m->access & WALK_WRITE) ? D : 0);
        uint64_t now = 0;

        if (root_of_pae(m, level))
            continue;
        CHECK(guest_read(&flat.ram, gpa(m->address[level]), &now, 4) == STATUS_OK);
        CHECK((now & wanted) == wanted);
    }
}

void compare_walk(const struct guest_paging *g, uint64_t gva, unsigned access)
{
    struct model m = {.g = g, .gva = gva, .access = access};
    enum status expected = model_walk(&m);
    unsigned writes = flat.writes;
    uint32_t error_code = 0;
    gpa_t out = gpa(0);

    CHECK(guest_walk(&flat.ram, g, gva, access, &out, &error_code) == expected);
    CHECK(expected != ERR_FAULT || error_code == m.error_code);
    CHECK(expected == STATUS_OK || flat.writes == writes);
    CHECK(expected != STATUS_OK || out.v == m.physical);
    if (expected == STATUS_OK)
        check_marks(&m);
}
