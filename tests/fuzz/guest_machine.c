// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/guest_machine.h"

#include <string.h>

#define RFLAGS_NO_FLAG BIT(15) // always 0 in a processor

#define ENTRY 0x7 // present, writable, user

// The tables, one page each.
enum {
    TOP = 0x1000,
    PDPT = 0x2000,
    LOW_PD = 0x3000,
    LOW_PT = 0x4000,
    HIGH_PD = 0x5000,
    HIGH_PT = 0x6000,
    TOP5 = 0x7000
};

struct guest_machine guest;

// How the input begins. Then come 15 bytes of code, then patches of RAM: two bytes of address and
// eight of value each.
struct __attribute__((packed)) input {
    struct guest_choice_bytes {
        uint8_t flags;
        uint8_t address[2];
    } choice;
    uint8_t
        mode; // bits 0-1: of the code; 2: real; 3: bytes come with the exit; 4: those are others
    uint8_t paging; // bits 0-2: format; 3: WP; 4: SMEP; 5: SMAP; 6: NX; 7: AC
    uint8_t cpl;    // bits 0-1; the rest: widths of physical addresses
    uint16_t rflags;
    uint16_t rip; // relative to GUEST_CODE
    struct __attribute__((packed)) {
        uint8_t kind; // of the value below
        uint16_t value;
    } regs[GPR_COUNT];
    struct __attribute__((packed)) {
        uint8_t base; // kind
        uint8_t limit;
        uint16_t attributes;
    } segments[SEG_COUNT];
    uint8_t code[INSN_MAX_LENGTH];
};

_Static_assert(sizeof(struct input) == 3 + 3 + 4 + 48 + 24 + 15, "as make-seeds.py writes it");

static uint64_t number(uint8_t kind, uint16_t value)
{
    switch (kind % 8) {
    case 0:
        return value;
    case 1: // the device, and a little beyond both ends
        return GUEST_DEVICE - 0x10 + value % 0x1020;
    case 2:
        return (uint64_t) - (int64_t)value;
    case 3:
        return (uint64_t)value << 48 | 0x1234;
    case 4: // near a page's end
        return ((uint64_t)value << 12) - (kind >> 3);
    case 5:
        return GUEST_CODE + value % 32;
    case 6:
        return 0xffffffff - value;
    default:
        return value * 0x0001000100010001ull;
    }
}

// The tables of 4 and 5 levels, or those below the root of PAE.
static void wide_tables(uint64_t entry)
{
    for (unsigned i = 0; i < 16; i++)
        flat_set_u64(LOW_PT + 8 * i, i << PAGE_SHIFT | entry);
    flat_set_u64(HIGH_PT + 8 * ((GUEST_DEVICE >> 12) & 511), GUEST_DEVICE | entry);
    flat_set_u64(LOW_PD, LOW_PT | entry);
    flat_set_u64(HIGH_PD + 8 * ((GUEST_DEVICE >> 21) & 511), HIGH_PT | entry);
}

static void narrow_tables(uint32_t entry)
{
    for (unsigned i = 0; i < 16; i++)
        flat_set_u32(LOW_PT + 4 * i, i << PAGE_SHIFT | entry);
    flat_set_u32(HIGH_PT + 4 * ((GUEST_DEVICE >> 12) & 1023), GUEST_DEVICE | entry);
    flat_set_u32(TOP, LOW_PT | entry);
    flat_set_u32(TOP + 4 * (GUEST_DEVICE >> 22), HIGH_PT | entry);
}

static void set_up_paging(const struct input *in)
{
    struct guest_paging *g = &guest.paging;
    unsigned format = in->paging & 7;

    // Accessed and dirty are set already, half of the time.
    uint64_t entry = ENTRY | (in->cpl & 4 ? 0x60 : 0);

    g->cr3 = TOP;
    g->cr0 = (format < 7 ? CR0_PG : 0) | CR0_PE | (in->paging & 8 ? CR0_WP : 0);
    g->cr4 = CR4_OSFXSR | CR4_OSXSAVE | (in->paging & 16 ? CR4_SMEP : 0) |
             (in->paging & 32 ? CR4_SMAP : 0);
    g->efer = in->paging & 64 ? EFER_NXE : 0;
    g->ac = in->paging >> 7;
    g->cpl = in->cpl & 3;
    g->phys_bits = (uint8_t)(36 + (in->cpl >> 3) % 17);
    if (guest.context.mode == DECODE_64 && format < 6)
        format = 4 + format % 2;
    switch (format) {
    case 0:
    case 1:
        g->cr4 |= format == 1 ? CR4_PSE : 0;
        narrow_tables((uint32_t)entry);
        break;
    case 2:
    case 3: // PAE: the root's entries have no rights
        g->cr4 |= CR4_PAE;
        g->cr3 = PDPT;
        wide_tables(entry);
        flat_set_u64(PDPT, LOW_PD | 1);
        flat_set_u64(PDPT + 8 * 3, HIGH_PD | 1);
        break;
    case 5:
        g->cr4 |= CR4_LA57;
        g->cr3 = TOP5;
        flat_set_u64(TOP5, TOP | entry);
        __attribute__((fallthrough));
    case 4:
    case 6:
        g->cr4 |= CR4_PAE;
        g->efer |= EFER_LME | EFER_LMA;
        wide_tables(entry);
        flat_set_u64(PDPT, LOW_PD | entry);
        flat_set_u64(PDPT + 8 * 3, HIGH_PD | entry);
        flat_set_u64(TOP, PDPT | entry);
        break;
    default: // none
        break;
    }
}

static void set_up_segments(const struct input *in)
{
    for (uint16_t i = 0; i < SEG_COUNT; i++) {
        struct guest_segment *s = &guest.segments[i];

        s->base = in->segments[i].base < 128
                      ? 0
                      : number(in->segments[i].base, (uint16_t)(i << 8 | 0x23));
        if (guest.context.mode != DECODE_64 || i < SEG_FS)
            s->base &= 0xffffffff;
        s->limit = in->segments[i].limit < 128
                       ? 0xffffffff
                       : (uint32_t)number(in->segments[i].limit, in->segments[i].attributes);
        s->attributes = in->segments[i].attributes & 0xf000 ? 0xc93 : in->segments[i].attributes;
    }
}

static void patch_ram(const uint8_t *data, size_t size)
{
    for (; size >= 10; data += 10, size -= 10) {
        uint16_t address;

        memcpy(&address, data, sizeof(address));
        if (address <= FLAT_RAM_SIZE - 8)
            memcpy(flat.bytes + address, data + 2, 8);
    }
}

// Breakpoints on what RSI and RDI point to and on the port in DX.
static void set_up_breakpoints(void)
{
    guest.debug = (struct guest_debug){
        .address = {guest.regs.r[GPR_RSI], guest.regs.r[GPR_RDI], guest.regs.r[GPR_RDX] & 0xffff},
        .dr7 = 0x015 | 0x029b0000, // on access, 8 bytes; on writing, 8 bytes; on I/O, 1 byte
        .ports = true,
    };
    guest.context.debug = &guest.debug;
}

bool guest_machine_set_up(const uint8_t *data, size_t size, struct guest_choice *choice)
{
    static const enum decode_mode modes[4] = {DECODE_16, DECODE_32, DECODE_64, DECODE_64};
    struct emulate_context *c = &guest.context;
    struct input in;

    if (size < sizeof(in))
        return false;
    memcpy(&in, data, sizeof(in));
    memset(&guest, 0, sizeof(guest));
    flat_clear();
    choice->flags = in.choice.flags;
    memcpy(&choice->address, in.choice.address, sizeof(choice->address));

    *c = (struct emulate_context){.ram = &flat.ram, .regs = &guest.regs, .paging = &guest.paging};
    c->mode = modes[in.mode & 3];
    c->real_mode = c->mode != DECODE_64 && (in.mode & 4);
    c->rflags = (in.rflags & ~RFLAGS_NO_FLAG) | RFLAGS_FIXED;
    c->rip = GUEST_CODE + in.rip;
    set_up_paging(&in);
    set_up_segments(&in);
    c->cs_base = c->mode == DECODE_64 ? 0 : guest.segments[SEG_CS].base;
    for (unsigned i = 0; i < GPR_COUNT; i++)
        guest.regs.r[i] = number(in.regs[i].kind, in.regs[i].value);

    if (in.rflags & RFLAGS_NO_FLAG)
        set_up_breakpoints();

    memcpy(flat.bytes + (GUEST_CODE + in.rip) % (FLAT_RAM_SIZE - 32), in.code, sizeof(in.code));
    if (in.mode & 8) {
        c->fetched = guest.fetched;
        c->fetched_count = (uint8_t)(in.mode >> 5 ? 2 * (in.mode >> 5) + 1 : 15);
        memcpy(guest.fetched, in.code, sizeof(guest.fetched));
        // Another of the guest's processors has written other code.
        if (in.mode & 16)
            guest.fetched[0] ^= 0x10;
    }
    guest.fetched_from_rip =
        c->cs_base == 0 && !(in.mode & 16) && size == sizeof(in) && c->rip < FLAT_RAM_SIZE - 32;
    patch_ram(data + sizeof(in), size - sizeof(in));
    return true;
}

void guest_machine_segment(struct vcpu *v, unsigned segment, struct guest_segment *out)
{
    (void)v;
    *out = guest.segments[segment];
}
