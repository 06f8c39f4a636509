// SPDX-License-Identifier: Apache-2.0
// The writer of firmware tables. Relies on guest_write() only.
#include "hv/guest/table.h"

#include "hv/memory/guest_mem.h"

void guest_table_begin(struct guest_table *t, const struct guest_ram *ram, uint64_t start,
                       uint64_t limit)
{
    *t = (struct guest_table){
        .ram = ram, .start = start, .next = start, .limit = limit, .status = STATUS_OK};
}

void guest_table_add(struct guest_table *t, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    if (t->status != STATUS_OK) {
        return;
    }
    if (t->next > t->limit || size > t->limit - t->next) {
        t->status = ERR_NO_MEMORY;
        return;
    }
    t->status = guest_write(t->ram, gpa(t->next), data, size);
    t->next += size;
    for (size_t i = 0; i < size; i++) {
        t->sum = (uint8_t)(t->sum + bytes[i]);
    }
}

enum status guest_table_seal(struct guest_table *t, uint64_t offset)
{
    const uint8_t checksum = (uint8_t)(0x100u - t->sum);

    if (t->status == STATUS_OK) {
        t->status = guest_write(t->ram, gpa(t->start + offset), &checksum, 1);
    }
    return t->status;
}
