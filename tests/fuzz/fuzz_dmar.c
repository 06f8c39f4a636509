// SPDX-License-Identifier: Apache-2.0
// Fuzzes the DMAR parser. The input's first byte says how many bridges the machine has, each behind
// the one before; the rest is the table from its first byte, whose length and checksum are not the
// parser's business.
#include <string.h>

#include "arch/memory/window.h"
#include "drivers/vtd/dmar.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0x1000u

static const uint8_t *memory;
static size_t memory_size;

// acpi_read() checks against the table's length; nobody may come here with more.
enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    CHECK(address.v >= BASE && address.v - BASE <= memory_size &&
          size <= memory_size - (address.v - BASE));
    memcpy(buffer, memory + (address.v - BASE), size);
    return STATUS_OK;
}

// 00:01.0 leads to bus 1, 01:01.0 to bus 2, and so on.
static void build_machine(struct pci_machine *pci, unsigned bridges)
{
    pci->count = bridges;
    for (unsigned i = 0; i < bridges; i++) {
        pci->function[i] = (struct pci_function){.address = {i << 8 | 1 << 3},
                                                 .bridge = true,
                                                 .secondary = (uint8_t)(i + 1),
                                                 .subordinate = (uint8_t)bridges};
    }
}

static void check(const struct dmar *dmar)
{
    uint16_t requester;

    CHECK(dmar->unit_count > 0 && dmar->unit_count <= DMAR_MAX_UNITS);
    CHECK(dmar->rmrr_count <= DMAR_MAX_RMRRS && dmar->scope_count <= DMAR_MAX_SCOPES);
    for (unsigned i = 0; i < dmar->unit_count; i++) {
        CHECK(dmar->units[i].base != 0 && dmar->units[i].base % PAGE_SIZE == 0);
        for (unsigned j = 0; j < i; j++) {
            CHECK(dmar->units[i].base != dmar->units[j].base);
        }
    }
    for (unsigned i = 0; i < dmar->rmrr_count; i++) {
        CHECK(dmar->rmrrs[i].base <= dmar->rmrrs[i].limit);
    }
    for (unsigned i = 0; i < dmar->scope_count; i++) {
        const struct dmar_scope *s = &dmar->scopes[i];
        CHECK(s->owner < (s->of_rmrr ? dmar->rmrr_count : dmar->unit_count));
        // A named device of segment 0 has a unit, or its reserved memory is known.
        if (s->kind == DMAR_SCOPE_ENDPOINT && !s->of_rmrr && dmar->units[s->owner].segment == 0) {
            CHECK(dmar_unit_of(dmar, s->requester) != NULL);
        }
        if (s->kind == DMAR_SCOPE_ENDPOINT && s->of_rmrr && dmar->rmrrs[s->owner].segment == 0) {
            CHECK(dmar_rmrr_of(dmar, s->requester) != NULL);
        }
        if (s->kind == DMAR_SCOPE_IOAPIC && !s->of_rmrr && dmar->units[s->owner].segment == 0) {
            CHECK(dmar_find_ioapic(dmar, s->id, &requester) == STATUS_OK);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pci_machine pci;
    static struct dmar dmar;
    char error[64] = "";

    if (size < 1 || size > 0x10000) {
        return 0;
    }
    build_machine(&pci, data[0] % 8);
    memory = data + 1;
    memory_size = size - 1;
    struct acpi_table table = {BASE, (uint32_t)memory_size};
    if (dmar_parse(&table, &pci, &dmar, error, sizeof(error)) == STATUS_OK) {
        check(&dmar);
    } else {
        CHECK(error[0] != '\0');
    }
    return 0;
}
