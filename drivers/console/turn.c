// SPDX-License-Identifier: Apache-2.0
// The order of drivers/console/turn.h. Without a ticking CPU (console_set_ticker) nothing is held
// back, because nothing would end the wait.
#include "drivers/console/turn.h"

#include "arch/cpu/tsc.h"
#include "drivers/console/console.h"
#include "drivers/console/history.h"
#include "drivers/console/log.h"
#include "drivers/console/state.h"
#include "drivers/console/view.h"

static struct console_turn *turn(void)
{
    return &console_state.turn;
}

void console_turn_init(struct console_turn *t)
{
    *t = (struct console_turn){.current = CONSOLE_LINE_NONE};
}

static bool ready(unsigned id, unsigned focus)
{
    if (id == CONSOLE_HYPERVISOR)
        return console_own_ready();
    return console_ring_ready(&console_state.sources[id].ring, id == focus) > 0;
}

uint32_t console_turn_ready(void)
{
    uint32_t sources = 0;

    if (console_view_is_alone())
        return console_view_ready();
    for (unsigned id = 0; id < console_state.count; id++)
        sources |= ready(id, console_focus()) ? 1u << id : 0;
    return sources;
}

// Whether the source's writer would soon have to wait. That matters more than an unbroken line.
static bool crowded(unsigned id)
{
    if (id == CONSOLE_HYPERVISOR)
        return console_log_crowded();
    return console_ring_crowded(&console_state.sources[id].ring);
}

// The hypervisor first, because it prints little and its messages are important. Then each
// partition in turn, so that a flood from one delays no other. Skips `without`.
static unsigned in_order(unsigned focus, unsigned without)
{
    if (ready(CONSOLE_HYPERVISOR, focus))
        return CONSOLE_HYPERVISOR;
    for (unsigned i = 1; i <= console_state.count; i++) {
        unsigned id = (turn()->last + i) % console_state.count;

        if (id != without && ready(id, focus))
            return id;
    }
    return CONSOLE_LINE_NONE;
}

// A crowded source other than the focus, or CONSOLE_LINE_NONE.
static unsigned crowded_other(unsigned focus)
{
    for (unsigned i = 1; i <= console_state.count; i++) {
        unsigned id = (turn()->last + i) % console_state.count;

        if (id != focus && crowded(id) && ready(id, focus))
            return id;
    }
    return CONSOLE_LINE_NONE;
}

// The counters of two CPUs may differ a little.
static bool passed(uint64_t since, uint64_t now, uint64_t limit)
{
    return now > since && now - since >= limit;
}

// Like passed(), for a time that starts with the first call.
static bool passed_since_asked(uint64_t *since, uint64_t now, uint64_t limit)
{
    if (*since == 0)
        *since = now != 0 ? now : 1;
    return passed(*since, now, limit);
}

static void look_at_focus(unsigned focus, uint64_t now)
{
    uint32_t head = console_ring_head(&console_state.sources[focus].ring);

    if (focus != turn()->focus) {
        turn()->focus = focus;
        turn()->begin_wait = 0;
        turn()->held = 0;
    } else if (head == turn()->focus_head) {
        return;
    }
    turn()->focus_head = head;
    turn()->grown = now;
}

// Chooses while the focus's line is on the screen and `other` has output.
static unsigned while_line_is_open(unsigned focus, unsigned other, uint64_t now)
{
    const struct console_ring *ring = &console_state.sources[focus].ring;
    unsigned urgent;

    if (passed_since_asked(&turn()->held, now, CONSOLE_HOLD_US))
        return other;
    if (console_ring_has_line(ring))
        return focus; // the line ends in the ring
    urgent = crowded_other(focus);
    if (urgent != CONSOLE_LINE_NONE)
        return urgent;
    if (ready(focus, focus))
        return focus;
    if (passed(turn()->grown, now, CONSOLE_QUIET_US))
        return other;
    turn()->waiting = true;
    return CONSOLE_LINE_NONE;
}

// Chooses while the focus has the beginning of a line, not yet on the screen, and `other` has
// output.
static unsigned before_line_begins(unsigned focus, unsigned other, uint64_t now)
{
    if (crowded(focus) || passed_since_asked(&turn()->begin_wait, now, CONSOLE_QUIET_US)) {
        turn()->begin_wait = 0;
        return focus;
    }
    return other;
}

static unsigned choose(unsigned focus, uint64_t now)
{
    const struct console_ring *ring = &console_state.sources[focus].ring;
    unsigned other = in_order(focus, focus);
    bool focus_ready = ready(focus, focus);
    bool open = console_state.lines.on_screen == focus;

    if (!open || other == CONSOLE_LINE_NONE)
        turn()->held = 0;
    if (open || !focus_ready || other == CONSOLE_LINE_NONE)
        turn()->begin_wait = 0;

    if (other == CONSOLE_LINE_NONE)
        return focus_ready ? focus : CONSOLE_LINE_NONE;
    if (open)
        return while_line_is_open(focus, other, now);
    if (!focus_ready)
        return other;
    if (console_ring_has_line(ring))
        return in_order(focus, CONSOLE_LINE_NONE);
    return before_line_begins(focus, other, now);
}

unsigned console_turn_next(void)
{
    unsigned focus = console_focus();

    turn()->waiting = false;
    if (console_view_is_alone()) {
        uint32_t sources = console_view_ready();

        // The hypervisor's bit is the lowest: it prints little, and its messages are important.
        return sources != 0 ? (unsigned)__builtin_ctz(sources) : CONSOLE_LINE_NONE;
    }
    if (!console_state.ticker || !console_is_partition(focus))
        return in_order(focus, CONSOLE_LINE_NONE);

    uint64_t now = time_us();

    look_at_focus(focus, now);
    unsigned next = choose(focus, now);

    if (next != focus && next != CONSOLE_LINE_NONE)
        turn()->others = now;
    return next;
}

bool console_turn_may_show(void)
{
    if (!console_state.ticker || console_view_is_alone())
        return true;
    // While other sources print line after line, each of them would break it again.
    if (turn()->others == 0 || passed(turn()->others, time_us(), CONSOLE_QUIET_US))
        return true;
    turn()->waiting = true;
    return false;
}
