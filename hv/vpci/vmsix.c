// SPDX-License-Identifier: Apache-2.0
// The virtual MSI-X table: entries of 16 bytes. A guest may write any byte at any time. What a
// vector sends is read from its entry when it is needed.
#include "hv/vpci/vmsix.h"

#include "arch/lib/string.h"

#define ENTRY_ADDRESS 0
#define ENTRY_DATA    8
#define ENTRY_CONTROL 12

static const struct vmsix_change nothing = {0, 0};

static uint64_t table_size(const struct vmsix *m)
{
    return (uint64_t)m->count * PCI_MSIX_ENTRY_SIZE;
}

void vmsix_init(struct vmsix *m, struct vmsix_entry *entry, unsigned count, uint32_t table)
{
    *m = (struct vmsix){.entry = entry, .count = count, .table = table};
    vmsix_reset(m);
}

void vmsix_reset(struct vmsix *m)
{
    m->control = 0;
    for (unsigned i = 0; i < m->count; i++) {
        memset(&m->entry[i], 0, sizeof(m->entry[i]));
        m->entry[i].byte[ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
    }
}

struct vmsix_change vmsix_set_control(struct vmsix *m, uint16_t control)
{
    control &= PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL;
    if (control == m->control) {
        return nothing;
    }
    m->control = control;
    return (struct vmsix_change){0, m->count};
}

void vmsix_pages(const struct vmsix *m, uint32_t phase, uint64_t *first, uint64_t *end)
{
    uint64_t start = (uint64_t)m->table + phase;
    uint64_t first_page = align_down(start, PAGE_SIZE);
    uint64_t end_page = m->count != 0 ? align_up(start + table_size(m), PAGE_SIZE) : first_page;
    *first = first_page;
    *end = end_page;
}

bool vmsix_hits(const struct vmsix *m, uint64_t offset, unsigned size)
{
    return offset < m->table + table_size(m) && offset + size > m->table;
}

// The byte of the table at an offset in the BAR, or NULL.
static uint8_t *byte_at(const struct vmsix *m, uint64_t offset)
{
    uint64_t at = offset - m->table;
    if (offset < m->table || at >= table_size(m)) {
        return NULL;
    }
    return &m->entry[at / PCI_MSIX_ENTRY_SIZE].byte[at % PCI_MSIX_ENTRY_SIZE];
}

uint64_t vmsix_read(const struct vmsix *m, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size && i < 8 && vmsix_hits(m, offset, size); i++) {
        const uint8_t *byte = byte_at(m, offset + i);
        value |= byte != NULL ? (uint64_t)*byte << 8 * i : 0;
    }
    return value;
}

// Reserved bits of the vector control stay 0 (PCI 3.0, 6.8.2.9).
static uint8_t writable(uint64_t offset_in_entry)
{
    if (offset_in_entry < ENTRY_CONTROL) {
        return 0xff;
    }
    return offset_in_entry == ENTRY_CONTROL ? PCI_MSIX_ENTRY_MASKED : 0;
}

static void note(struct vmsix_change *change, unsigned vector)
{
    if (change->count == 0) {
        change->first = vector;
    }
    change->count = vector - change->first + 1;
}

struct vmsix_change vmsix_write(struct vmsix *m, uint64_t offset, unsigned size, uint64_t value)
{
    struct vmsix_change change = nothing;
    for (unsigned i = 0; i < size && i < 8 && vmsix_hits(m, offset, size); i++) {
        uint8_t *byte = byte_at(m, offset + i);
        if (byte == NULL) {
            continue;
        }
        uint64_t at = offset + i - m->table;
        uint8_t after = (uint8_t)(value >> 8 * i) & writable(at % PCI_MSIX_ENTRY_SIZE);
        if (*byte != after) {
            *byte = after;
            note(&change, (unsigned)(at / PCI_MSIX_ENTRY_SIZE));
        }
    }
    return change;
}

struct vmsix_message vmsix_live(const struct vmsix *m, unsigned vector)
{
    struct vmsix_message message;
    const uint8_t *entry = m->entry[vector].byte;
    memcpy(&message.address, entry + ENTRY_ADDRESS, sizeof(message.address));
    memcpy(&message.data, entry + ENTRY_DATA, sizeof(message.data));
    message.live = (m->control & PCI_MSIX_ENABLE) != 0 && (m->control & PCI_MSIX_MASK_ALL) == 0 &&
                   (entry[ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASKED) == 0;
    return message;
}
