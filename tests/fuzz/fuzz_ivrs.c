// SPDX-License-Identifier: Apache-2.0
// Fuzzes the parser of IVRS. The input is the table from its first block on; if the first byte is
// odd, the length of the last block is made to fit, so that cut inputs get further.
#include <string.h>

#include "drivers/amdvi/ivrs.h"
#include "tests/fuzz/fuzz.h"

#define HEADER 48u

static const uint8_t *input;
static size_t input_size;

enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size)
{
    if (offset > table->length || size > table->length - offset) {
        return ERR_TRUNCATED;
    }
    CHECK(offset >= HEADER && offset - HEADER + size <= input_size);
    memcpy(buffer, input + (offset - HEADER), size);
    return STATUS_OK;
}

static void check(const struct ivrs *ivrs)
{
    CHECK(ivrs->unit_count > 0 && ivrs->unit_count <= IVRS_MAX_UNITS);
    CHECK(ivrs->range_count <= IVRS_MAX_RANGES && ivrs->special_count <= IVRS_MAX_SPECIALS);
    CHECK(ivrs->reserved_count <= IVRS_MAX_RESERVED);
    for (unsigned i = 0; i < ivrs->range_count; i++) {
        const struct ivrs_range *r = &ivrs->range[i];
        CHECK(r->first <= r->last && r->unit < ivrs->unit_count);
        CHECK(ivrs_find(ivrs, r->first) != NULL && ivrs_find(ivrs, r->last) != NULL);
        // Whoever's requests carry an alias has a unit that serves the alias.
        CHECK(!r->aliased || ivrs_find(ivrs, r->alias) != NULL);
    }
    for (unsigned i = 0; i < ivrs->special_count; i++) {
        const struct ivrs_special *s = &ivrs->special[i];
        CHECK(ivrs_find_special(ivrs, s->kind, s->id) == s && ivrs_find(ivrs, s->device) != NULL);
    }
    for (unsigned i = 0; i < ivrs->reserved_count; i++) {
        const struct ivrs_reserved *r = &ivrs->reserved[i];
        CHECK(r->size > 0 && r->base + (r->size - 1) >= r->base);
        CHECK(ivrs_find_reserved(ivrs, r->last) != NULL);
    }
}

// Follows the blocks to the last and lets that one end where the input does.
static void mend(uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (size - at >= 4) {
        uint16_t length;
        memcpy(&length, bytes + at + 2, sizeof(length));
        if (length < 4 || length >= size - at) {
            length = (uint16_t)(size - at);
            memcpy(bytes + at + 2, &length, sizeof(length));
            return;
        }
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ivrs ivrs;
    static uint8_t bytes[UINT16_MAX];
    char error[256] = "";
    if (size < 1 || size > sizeof(bytes)) {
        return 0;
    }
    input_size = size - 1;
    memcpy(bytes, data + 1, input_size);
    input = bytes;
    if (data[0] & 1) {
        mend(bytes, input_size);
    }
    struct acpi_table table = {.address = 0x1000, .length = (uint32_t)(HEADER + input_size)};
    if (ivrs_parse(&table, &ivrs, error, sizeof(error)) == STATUS_OK) {
        check(&ivrs);
    } else {
        CHECK(strstr(error, "IVRS") != NULL);
    }
    return 0;
}
