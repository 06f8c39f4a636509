// SPDX-License-Identifier: Apache-2.0
// Writes a firmware table into guest memory piece by piece and sums its bytes, so that no table
// needs a buffer of its size. After a failure the other calls do nothing: it is enough to check the
// last one.
#ifndef HV_GUEST_TABLE_H
#define HV_GUEST_TABLE_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

struct guest_ram;

struct guest_table {
    const struct guest_ram *ram;
    uint64_t start; // guest-physical
    uint64_t next;  // address of the next piece
    uint64_t limit; // the first address that must not be used
    uint8_t sum;
    enum status status;
};

// Begins a table at `start` that must end before `limit`; both guest-physical.
void guest_table_begin(struct guest_table *t, const struct guest_ram *ram, uint64_t start,
                       uint64_t limit);

// Appends `size` bytes. The byte for the checksum must be 0.
void guest_table_add(struct guest_table *t, const void *data, size_t size);

// Sets the byte at `offset` so that all bytes of the table add up to zero. ERR_NO_MEMORY: the table
// reached `limit`. ERR_RANGE: the partition has no RAM there.
enum status guest_table_seal(struct guest_table *t, uint64_t offset);

#endif
