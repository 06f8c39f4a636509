// SPDX-License-Identifier: Apache-2.0
// Which I/O ports a guest reaches without an exit: none, except the ranges given to it, and of
// these none that the hypervisor keeps. The kept ports are a table with a reason in each row.
#ifndef HV_POLICY_IO_POLICY_H
#define HV_POLICY_IO_POLICY_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/machine/io_range.h"

// The two ranges that collided, after ERR_DENIED or ERR_INVALID.
struct io_refusal {
    const struct io_range *pass;
    const struct io_range *kept; // NULL if the pass itself is invalid (first > last)
};

// Checks that `pass` overlaps neither the fixed table of kept ports nor `kept`, the ports kept on
// this machine (ACPI's SMI command port, PM1 blocks, a reset register, ...). The refusal names the
// first kept range that overlaps. STATUS_OK, ERR_INVALID (first > last) or ERR_DENIED.
enum status io_policy_check(const struct io_range *pass, const struct io_range *kept,
                            unsigned kept_count, struct io_refusal *refusal);

// Fills a permission map of `size` bytes, at least 8 KiB: all ones, with a zero for each port that
// passes. Bit n is port n for both vendors: AMD's IOPM has 12 KiB, Intel's bitmaps A and B have 8
// KiB. If any pass is refused, the map is all ones, and the refusal says which.
enum status io_policy_build(uint8_t *map, size_t size, const struct io_range *passes,
                            unsigned pass_count, const struct io_range *kept, unsigned kept_count,
                            struct io_refusal *refusal);

// The fixed table, for tests and for printing.
const struct io_range *io_policy_kept(unsigned *count);

#endif
