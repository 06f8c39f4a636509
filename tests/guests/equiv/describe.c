// SPDX-License-Identifier: Apache-2.0
// What a run came to, as text without an address.

#include "tests/guests/equiv/engine.h"
#include "tests/guests/equiv/segments.h"

static const char *const exception_names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF",  "#BR", "#UD", "#NM", "#DF", "(9)", "#TS",
    "#NP", "#SS", "#GP", "#PF", "(15)", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

static bool has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

// An address as a place in a known buffer.
static void add_where(struct text *t, uint64_t linear)
{
    static const struct {
        const char *name;
        uint64_t at, size;
    } areas[] = {
        {"code", LOW_CODE, 2 * ENGINE_PAGE},
        {"data", LOW_DATA, 2 * ENGINE_PAGE},
        {"stack", LOW_STACK, 2 * ENGINE_PAGE},
        {"window", WINDOW, 512 * ENGINE_PAGE},
    };
    for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        if (linear - areas[i].at < areas[i].size) {
            text_add(t, areas[i].name);
            text_add(t, "+");
            text_hex(t, linear - areas[i].at);
            return;
        }
    }
    text_add(t, linear == 0 ? "0" : "elsewhere");
}

static void add_vector(struct text *t, const struct run *r)
{
    if (r->ended) {
        text_add(t, "end");
        return;
    }
    if (r->vector < 32 && exception_names[r->vector]) {
        text_add(t, exception_names[r->vector]);
    } else {
        text_add(t, "vector ");
        text_hex(t, r->vector);
    }
    if (has_error_code(r->vector) && r->place != REAL) {
        text_add(t, "(");
        text_hex(t, r->error);
        text_add(t, ")");
    }
    if (r->moved >= 0 && r->moved < ENGINE_PAGE) {
        text_add(t, " at +");
        text_decimal(t, r->moved);
    } else {
        text_add(t, " at ");
        add_where(t, r->rip_after);
    }
    if (r->vector == 14) {
        text_add(t, " cr2 ");
        add_where(t, r->cr2);
    }
}

static void add_data(struct text *t, unsigned count)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *data = (const uint8_t *)(uintptr_t)LOW_DATA;
    text_add(t, " data");
    for (unsigned i = 0; i < count; i++) {
        char byte[4] = {' ', digits[data[i] >> 4], digits[data[i] & 15], '\0'};
        text_add(t, byte);
    }
}

void describe(struct text *t, const struct run *r, unsigned show)
{
    static const char *const names[4] = {"ax", "cx", "dx", "bx"};
    static const struct {
        const char *name;
        unsigned number;
    } pointers[] = {{" sp ", RSP}, {" si ", RSI}, {" di ", RDI}};
    uint64_t mask = r->place >= L64_0 ? UINT64_MAX : UINT32_MAX;
    add_vector(t, r);
    for (unsigned i = 0; i < 4; i++) {
        if (show & 1u << i)
            text_item(t, names[i], r->r[i] & mask);
    }
    if (show & SHOW_A16)
        text_item(t, "ax", r->r[RAX] & 0xffff);
    for (unsigned i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        unsigned number = pointers[i].number;
        if (show & 1u << number) {
            text_add(t, pointers[i].name);
            text_decimal(t, (int32_t)(r->r[number] - r->start[number]));
        }
    }
    if (show & SHOW_FLAGS)
        text_item(t, "flags", r->rflags & FLAGS_ALL);
    else if (show & SHOW_ARITHMETIC)
        text_item(t, "flags", r->rflags & FLAGS_ARITHMETIC);
    if (show & SHOW_DR6)
        text_item(t, "dr6", r->dr6 & 0xe00f);
    if (show & SHOW_CS)
        text_item(t, "cs", r->cs_after);
    if (show & (SHOW_DATA8 | SHOW_DATA16))
        add_data(t, show & SHOW_DATA16 ? 16 : 8);
}

void describe_steps(struct text *t, const struct run *r)
{
    for (unsigned i = 0; i < r->steps; i++) {
        const struct step *s = &r->step[i];
        text_add(t, " [+");
        text_decimal(t, s->moved);
        text_item(t, "dr6", s->dr6 & 0xe00f);
        text_add(t, s->flags & FLAG_RF ? " rf" : "");
        text_add(t, "]");
    }
}

void report_as(const char *name, const struct run *r, unsigned show)
{
    struct text t = {0};
    describe(&t, r, show);
    describe_steps(&t, r);
    outcome(name, "%s", t.s);
}

void report(const char *prefix, const struct run *r, unsigned show)
{
    struct text name = {0};
    text_add(&name, prefix);
    text_add(&name, ".");
    text_add(&name, place_name(r->place));
    report_as(name.s, r, show);
}

void check64(const char *name, enum place place, const void *bytes, size_t length, unsigned show)
{
    struct run r;
    run_init(&r, place);
    run_bytes(&r, bytes, length);
    report_as(name, &r, show);
}
