// SPDX-License-Identifier: Apache-2.0
// A guest with paging off, one device page and one range of ports, for tests of the emulator: what
// the vCPU's side has to provide to it, and a log of what the device saw.
#ifndef TESTS_UNIT_FAKE_DEVICE_H
#define TESTS_UNIT_FAKE_DEVICE_H

#include "hv/emulate/emulate.h"
#include "tests/unit/fake_flat_ram.h"

#define DEVICE 0xfee00000u // a page of registers that hold what is written

struct fake_access {
    bool write;
    uint64_t address; // guest-physical, or a port
    unsigned size;
    uint64_t value;
};

// All state of the guest and of the device.
struct fake_guest {
    struct guest_regs regs;
    struct guest_paging paging;
    struct guest_segment segments[SEG_COUNT];
    struct emulate_context context;
    uint8_t device[PAGE_SIZE];
    struct fake_access log[1024];
    unsigned count;
    enum status read_status; // what the device answers
    enum status write_status;
    uint32_t port_value; // what the next read of a port returns; counts up
};

extern const struct emulate_host fake_host;
extern struct fake_guest guest;

// RAM and device clear, flat segments, paging off, registers 0, RIP 0x8000.
void fake_guest_reset(enum decode_mode mode);

// Puts the instruction at RIP, and decodes it from there.
struct insn fake_guest_code(const uint8_t *bytes, size_t size);

uint64_t fake_device_get(uint64_t offset, unsigned size);
void fake_device_set(uint64_t offset, unsigned size, uint64_t value);

#endif
