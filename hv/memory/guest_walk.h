// SPDX-License-Identifier: Apache-2.0
// The guest's own page tables, walked as its processor would: guest-linear to guest-physical
// addresses, instruction fetch, and copies from and to linear addresses. Relies on guest memory
// (hv/memory/guest_mem.h) and on the paging registers that the caller hands in.
#ifndef HV_MEMORY_GUEST_WALK_H
#define HV_MEMORY_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/virt/guest_cpu.h"

struct guest_ram;

// The kind of access, for guest_walk() and what is built on it. Without WALK_SUPERVISOR the
// access is the program's own: a user's at CPL 3.
enum guest_access {
    WALK_READ = 0,
    WALK_WRITE = 1,
    WALK_EXEC = 2,
    WALK_SUPERVISOR = 4, // an implicit supervisor access (descriptor tables), at any CPL
};

// Error code of #PF (AMD APM volume 2, 8.4.2; Intel SDM volume 3, 4.7).
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH    BIT(4)

// What a #PF needs to be injected.
struct guest_fault {
    uint64_t address;    // for CR2
    uint32_t error_code; // PF_*
};

// Translates a linear address, and sets the accessed and dirty bits as the access would.
// Protection keys are not looked at: they may refuse what this allows.
//   ERR_FAULT  the guest's page tables don't allow it: *error_code is that of its #PF (written
//              only then). Nothing was changed, not even accessed bits
//   ERR_RANGE  a page table lies outside the partition's RAM
//   ERR_CHANGED another of the guest's processors changes its tables faster than they can be walked
// *out may lie outside RAM: that is for the user of it to find. A linear address that is not
// canonical is the caller's #GP, and here ERR_INVALID.
enum status guest_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                       unsigned access, gpa_t *out, uint32_t *error_code);

// Fetches instruction bytes at cs_base + rip into buf[*got ... max-1] and adds to *got, but stops
// at the end of a page: an instruction that ends there must not fault on the next page. So begin
// with *got = 0, decode, and call again (with everything as it was left) only if the decoder
// wants more. In 64-bit mode cs_base is 0. Errors as guest_walk(), with *fault written on
// ERR_FAULT; ERR_RANGE too if the code is not in RAM.
enum status guest_fetch(const struct guest_ram *ram, const struct guest_paging *g, uint64_t cs_base,
                        uint64_t rip, uint8_t *buf, size_t max, size_t *got,
                        struct guest_fault *fault);

// Up to one page of linear addresses, translated: what remains to be done can't fault.
struct guest_span {
    gpa_t part[2]; // the second is used when the span crosses into another page
    uint32_t len[2];
};

// Translates [gva, gva + len) for the access; len is 1 to PAGE_SIZE, else ERR_INVALID. Errors as
// guest_walk(), with *fault written on ERR_FAULT.
enum status guest_span_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                            size_t len, unsigned access, struct guest_span *span,
                            struct guest_fault *fault);

// Copies the whole span. ERR_RANGE if any of it is outside RAM: then nothing was written.
enum status guest_span_read(const struct guest_ram *ram, const struct guest_span *span, void *buf);
enum status guest_span_write(const struct guest_ram *ram, const struct guest_span *span,
                             const void *buf);

// Both in one: copy `len` bytes (1 to PAGE_SIZE) from or to a linear address, all or nothing.
// `access` may be WALK_SUPERVISOR; that it is a read or a write is implied.
enum status guest_copy_from_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                   uint64_t gva, void *buf, size_t len, unsigned access,
                                   struct guest_fault *fault);
enum status guest_copy_to_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                 uint64_t gva, const void *buf, size_t len, unsigned access,
                                 struct guest_fault *fault);

#endif
