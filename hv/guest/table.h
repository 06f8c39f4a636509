// SPDX-License-Identifier: Apache-2.0
// Writes a firmware table into guest memory piece by piece and sums its bytes on the way, so that
// no table needs a buffer of its size. After a failure the rest does nothing: only the end asks.
#ifndef HV_GUEST_TABLE_H
#define HV_GUEST_TABLE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

struct guest_ram;

struct guest_table {
    const struct guest_ram *ram;
    uint64_t start; // guest-physical
    uint64_t next;  // where the next piece goes
    uint64_t limit; // the first address that it may not use
    uint8_t sum;
    enum status status;
};

// A table at `start` that ends before `limit`, both guest-physical.
void guest_table_begin(struct guest_table *t, const struct guest_ram *ram, uint64_t start,
                       uint64_t limit);

// Appends `size` bytes. The byte that will hold the checksum is 0.
void guest_table_add(struct guest_table *t, const void *data, size_t size);

// Sets the byte at `offset` so that all bytes from the table's start sum to zero. ERR_NO_MEMORY:
// the table reached `limit`; ERR_RANGE: the partition has no RAM there.
enum status guest_table_seal(struct guest_table *t, uint64_t offset);

#endif
