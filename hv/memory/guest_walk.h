// SPDX-License-Identifier: Apache-2.0
// Walks the guest's own page tables as its processor would: translates linear to guest-physical
// addresses, fetches instructions, and copies from and to linear addresses. Relies on guest memory
// (hv/memory/guest_mem.h) and on the paging registers that the caller passes.
#ifndef HV_MEMORY_GUEST_WALK_H
#define HV_MEMORY_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/virt/guest_cpu.h"

struct guest_ram;

// The kind of access, for guest_walk() and the functions that use it. Without WALK_SUPERVISOR it is
// an access of the program itself: a user access at CPL 3.
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

// What is needed to inject a #PF.
struct guest_fault {
    uint64_t address;    // for CR2
    uint32_t error_code; // PF_*
};

// Translates a linear address, and sets accessed and dirty bits as the access would. Ignores
// protection keys, which may refuse what this allows.
//   ERR_FAULT   the guest's page tables don't allow it; *error_code is that of its #PF (written
//               only then). Nothing was changed, not even accessed bits
//   ERR_RANGE   a page table lies outside the partition's RAM
//   ERR_CHANGED another of the guest's processors keeps changing its tables during the walk
//   ERR_INVALID the linear address is not canonical; the caller raises #GP
// *out may lie outside RAM; whoever uses it must check that.
enum status guest_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                       unsigned access, gpa_t *out, uint32_t *error_code);

// Fetches instruction bytes at cs_base + rip into buf[*got ... max-1] and adds to *got. It stops at
// the end of a page, because an instruction that ends there must not fault on the next page. So
// begin with *got = 0, decode, and call again with the same arguments only if the decoder needs
// more. In 64-bit mode cs_base is 0. Errors as guest_walk(), with *fault written on ERR_FAULT;
// ERR_RANGE also if the code is not in RAM.
enum status guest_fetch(const struct guest_ram *ram, const struct guest_paging *g, uint64_t cs_base,
                        uint64_t rip, uint8_t *buf, size_t max, size_t *got,
                        struct guest_fault *fault);

// Up to one page of linear addresses, translated: accesses to it can't fault any more.
struct guest_span {
    gpa_t part[2]; // the second part is used if the span crosses into another page
    uint32_t len[2];
};

// Translates [gva, gva + len) for the access. `len` is 1 to PAGE_SIZE, else ERR_INVALID. Errors as
// guest_walk(), with *fault written on ERR_FAULT.
enum status guest_span_walk(const struct guest_ram *ram, const struct guest_paging *g, uint64_t gva,
                            size_t len, unsigned access, struct guest_span *span,
                            struct guest_fault *fault);

// Copies the whole span. ERR_RANGE if any of it is outside RAM; then nothing was written.
enum status guest_span_read(const struct guest_ram *ram, const struct guest_span *span, void *buf);
enum status guest_span_write(const struct guest_ram *ram, const struct guest_span *span,
                             const void *buf);

// Translates and copies `len` bytes (1 to PAGE_SIZE) from or to a linear address, all or nothing.
// `access` may be WALK_SUPERVISOR; read or write is implied.
enum status guest_copy_from_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                   uint64_t gva, void *buf, size_t len, unsigned access,
                                   struct guest_fault *fault);
enum status guest_copy_to_linear(const struct guest_ram *ram, const struct guest_paging *g,
                                 uint64_t gva, const void *buf, size_t len, unsigned access,
                                 struct guest_fault *fault);

#endif
