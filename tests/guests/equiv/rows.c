// SPDX-License-Identifier: Apache-2.0
// Runs tables of instructions in the places that each row names.

#include "tests/guests/equiv/cpu.h"

bool is_amd(void)
{
    struct cpuid vendor = cpuid(0, 0);
    return vendor.ebx == 0x68747541;
}

bool hypervisor_there(void)
{
    return cpuid(1, 0).ecx & 1u << 31;
}

bool reserved_bits_checked(void)
{
    return !option_is("reserved", "no");
}

static void run_row(const struct insn_row *row, enum place place)
{
    uint8_t code[24];
    unsigned prefix = row->memory && place_is_16(place) ? 1 : 0;
    struct run r;
    run_init(&r, place);
    if (row->rax)
        r.r[RAX] = row->rax;
    if (row->rcx)
        r.r[RCX] = row->rcx;
    if (row->rdx)
        r.r[RDX] = row->rdx;
    r.rflags |= row->rflags;
    code[0] = 0x67;
    memcpy(code + prefix, row->bytes, row->length);
    run_bytes(&r, code, row->length + prefix);
    report(row->name, &r, row->show);
}

void run_rows(const struct insn_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (enum place place = 0; place < PLACES; place++) {
            if (rows[i].where & AT(place) && place_usable(place))
                run_row(&rows[i], place);
        }
    }
}
