// SPDX-License-Identifier: Apache-2.0
// I/O port ranges, with the reason why they pass or are kept.
#ifndef HV_MACHINE_IO_RANGE_H
#define HV_MACHINE_IO_RANGE_H

#include <stdint.h>

// A range of ports, inclusive.
struct io_range {
    uint16_t first;
    uint16_t last;
    const char *reason; // why it passes, or why it is kept
};

#endif
