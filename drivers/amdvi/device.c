// SPDX-License-Identifier: Apache-2.0
// The device table of AMD-Vi (48882, 2.2.2): one entry for each ID that a request may carry. An
// entry that is not attached blocks all memory accesses and all interrupts.
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/amdvi/amdvi.h"

// Blocks all accesses. An invalid entry would let everything pass, so all entries are valid, with
// no translation and no rights (mode 0, IR and IW clear).
#define BLOCKED (AMDVI_DTE_VALID | AMDVI_DTE_TRANSLATION_VALID)

enum { ACCESS, DOMAIN, INTERRUPTS, ATTRIBUTES, QUADWORDS };

enum status amdvi_devices_create(uint32_t count)
{
    amdvi.devices = heap_pages_alloc((unsigned)(count * AMDVI_DTE_SIZE / PAGE_SIZE));
    if (amdvi.devices.v == 0) {
        return ERR_NO_MEMORY;
    }
    amdvi.device_count = count;
    uint64_t *table = heap_ptr(amdvi.devices);
    for (uint64_t *e = table; e < table + count * QUADWORDS; e += QUADWORDS) {
        e[ACCESS] = BLOCKED;
        e[INTERRUPTS] = AMDVI_DTE_INTERRUPTS_VALID;
    }
    return STATUS_OK;
}

uint64_t *amdvi_device(uint16_t id)
{
    uint64_t *table = heap_ptr(amdvi.devices);
    return id < amdvi.device_count ? table + (uint64_t)id * QUADWORDS : NULL;
}

uint16_t amdvi_alias(uint16_t requester)
{
    const struct ivrs_range *r = ivrs_find(&amdvi.ivrs, requester);
    return r != NULL && r->aliased ? r->alias : requester;
}

struct amdvi_unit *amdvi_unit_of(uint16_t requester)
{
    const struct ivrs_range *r = ivrs_find(&amdvi.ivrs, requester);
    return r != NULL ? &amdvi.unit[r->unit] : NULL;
}

struct amdvi_unit *amdvi_serving_unit(uint16_t id)
{
    struct amdvi_unit *u = amdvi_unit_of(id);
    ASSERT(u != NULL);
    return u;
}

void amdvi_device_changed(uint16_t id, uint16_t domain)
{
    struct amdvi_unit *u = amdvi_serving_unit(id);
    uint64_t pages = AMDVI_COMMAND_INVALIDATE_PAGES | (uint64_t)domain << AMDVI_PAGES_DOMAIN_SHIFT;
    // If the unit has no room for a command, it does not complete the last one either.
    (void)amdvi_command(u, AMDVI_COMMAND_INVALIDATE_DEVICE | id, 0);
    (void)amdvi_command(u, AMDVI_COMMAND_INVALIDATE_INTERRUPTS | id, 0);
    (void)amdvi_command(u, pages, AMDVI_PAGES_ALL);
    amdvi_must_complete(u);
}

static void set(uint64_t *quadword, uint64_t value)
{
    __atomic_store_n(quadword, value, __ATOMIC_SEQ_CST);
}

enum status amdvi_attach(uint16_t requester, struct iommu_domain *d)
{
    uint16_t id = amdvi_alias(requester);
    uint64_t *e = amdvi_device(id);
    if (e == NULL || amdvi_unit_of(id) == NULL) {
        return ERR_NOT_FOUND;
    }
    uint64_t access = BLOCKED | AMDVI_DTE_MODE(d->tables.format->levels) | d->tables.root.v |
                      AMDVI_DTE_READ | AMDVI_DTE_WRITE;
    if (e[ACCESS] == access && e[DOMAIN] == d->id) {
        return STATUS_OK; // attached by another function with this alias
    }
    // The unit may read the entry at any time. So the entry is blocked while its domain changes,
    // and gets its rights last.
    if (e[ACCESS] != BLOCKED) {
        amdvi_detach(requester);
    }
    set(&e[DOMAIN], d->id);
    set(&e[ACCESS], access);
    amdvi_device_changed(id, d->id);
    return STATUS_OK;
}

void amdvi_detach(uint16_t requester)
{
    uint16_t id = amdvi_alias(requester);
    uint64_t *e = amdvi_device(id);
    if (e == NULL || amdvi_unit_of(id) == NULL) {
        return; // never attached
    }
    uint16_t domain = (uint16_t)(e[DOMAIN] & AMDVI_DTE_DOMAIN_MASK);
    set(&e[ACCESS], BLOCKED);
    set(&e[DOMAIN], 0);
    amdvi_device_changed(id, domain);
}

void amdvi_quiet(uint16_t requester)
{
    uint16_t id = amdvi_alias(requester);
    uint64_t *e = amdvi_device(id);
    if (e == NULL || amdvi_unit_of(id) == NULL) {
        return;
    }
    uint16_t domain = (uint16_t)(e[DOMAIN] & AMDVI_DTE_DOMAIN_MASK);
    set(&e[DOMAIN], e[DOMAIN] | AMDVI_DTE_SUPPRESS_EVENTS);
    amdvi_device_changed(id, domain);
}
