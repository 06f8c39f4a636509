// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fake_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/emulate/string_io.h"

struct fake_guest guest;

void fake_guest_reset(enum decode_mode mode)
{
    flat_clear();
    memset(&guest, 0, sizeof(guest));
    guest.paging.phys_bits = 40;
    if (mode == DECODE_64) // so that linear addresses are 64 bits wide
        guest.paging.efer = BIT(10);
    for (unsigned s = 0; s < SEG_COUNT; s++)
        guest.segments[s] = (struct guest_segment){
            .base = 0, .limit = 0xffffffff, .attributes = s == SEG_CS ? 0xc9b : 0xc93};
    guest.context = (struct emulate_context){
        .host = &fake_host,
        .ram = &flat.ram,
        .regs = &guest.regs,
        .paging = &guest.paging,
        .rip = 0x8000,
        .rflags = 2,
        .mode = mode,
    };
}

struct insn fake_guest_code(const uint8_t *bytes, size_t size)
{
    uint8_t fetched[INSN_MAX_LENGTH];
    struct insn insn;
    size_t got;

    memset(flat.bytes + guest.context.rip, 0xcc, INSN_MAX_LENGTH);
    memcpy(flat.bytes + guest.context.rip, bytes, size);
    if (emulate_fetch(&guest.context, &insn, fetched, &got) != STATUS_OK || insn.length != size) {
        fprintf(stderr, "the test's instruction does not decode to its own length\n");
        abort();
    }
    return insn;
}

uint64_t fake_device_get(uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, guest.device + offset, size);
    return value;
}

void fake_device_set(uint64_t offset, unsigned size, uint64_t value)
{
    memcpy(guest.device + offset, &value, size);
}

static void note(bool write, uint64_t address, unsigned size, uint64_t value)
{
    if (guest.count == ARRAY_SIZE(guest.log)) {
        fprintf(stderr, "the fake device's log is full\n");
        abort();
    }
    guest.log[guest.count++] = (struct fake_access){write, address, size, value};
}

static bool in_device(uint64_t address, unsigned size)
{
    return address >= DEVICE && address + size <= DEVICE + PAGE_SIZE;
}

static enum status mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value)
{
    (void)v;
    if (!in_device(address.v, size))
        return ERR_NOT_FOUND;
    if (guest.read_status != STATUS_OK)
        return guest.read_status;
    *value = fake_device_get(address.v - DEVICE, size);
    note(false, address.v, size, *value);
    return STATUS_OK;
}

static enum status mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value)
{
    (void)v;
    if (!in_device(address.v, size))
        return ERR_NOT_FOUND;
    if (guest.write_status != STATUS_OK)
        return guest.write_status;
    note(true, address.v, size, value);
    fake_device_set(address.v - DEVICE, size, value);
    return STATUS_OK;
}

static void get_segment(struct vcpu *v, unsigned segment, struct guest_segment *out)
{
    (void)v;
    *out = guest.segments[segment];
}

static uint32_t port_read(struct vcpu *v, uint16_t port, unsigned size)
{
    (void)v;
    note(false, port, size, guest.port_value);
    return guest.port_value++;
}

static void port_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
    (void)v;
    note(true, port, size, value);
}

const struct emulate_host fake_host = {
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
    .segment = get_segment,
    .port_read = port_read,
    .port_write = port_write,
};
