// SPDX-License-Identifier: Apache-2.0
// Accesses to guest-physical addresses where a partition has nothing: what a PC usually has there,
// and which pages were logged. Decides only.
#ifndef HV_PARTITION_STRAY_H
#define HV_PARTITION_STRAY_H

#include "arch/lib/types.h"

struct stray_place {
    uint64_t first, last;
    const char *what;
};

// What a PC usually has at the address. Never NULL.
const char *stray_place(gpa_t address);

// The table, for its test.
const struct stray_place *stray_places(unsigned *count);

#define STRAY_PAGES 32

// The pages that a partition has accessed since its start.
struct stray_pages {
    uint32_t count;
    uint64_t page[STRAY_PAGES];
};

enum stray_news {
    STRAY_KNOWN, // logged before, or there is no room to remember it
    STRAY_NEW,
    STRAY_LAST, // new, and the last one with room
};

// Notes an access. Only one CPU at a time may call it for a partition.
enum stray_news stray_note(struct stray_pages *s, gpa_t address);

#endif
