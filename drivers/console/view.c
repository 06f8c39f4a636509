// SPDX-License-Identifier: Apache-2.0
// The view of drivers/console/view.h.
#include "drivers/console/view.h"

#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "drivers/console/history.h"
#include "drivers/console/log.h"
#include "drivers/console/state.h"

static bool flag(const bool *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void set(bool *word, bool value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

bool console_view_toggle(void)
{
    bool alone = !flag(&console_state.alone);

    set(&console_state.alone, alone);
    return alone;
}

static enum console_question question(void)
{
    return __atomic_load_n(&console_state.question, __ATOMIC_RELAXED);
}

static void set_question(enum console_question value)
{
    __atomic_store_n(&console_state.question, value, __ATOMIC_RELAXED);
}

void console_view_asked(void)
{
    set_question(CONSOLE_QUESTION_ASKED);
}

void console_view_answered(void)
{
    if (question() == CONSOLE_QUESTION_ASKED)
        set_question(CONSOLE_QUESTION_ANSWERED);
}

void console_view_typed(void)
{
    if (flag(&console_state.alone))
        set(&console_state.redraw, true);
}

bool console_view_is_alone(void)
{
    return console_state.lines.alone != CONSOLE_LINE_NONE;
}

// The source that should be shown alone. A partition that has ended is no longer shown alone, once
// all its output was shown.
static unsigned wanted(void)
{
    unsigned focus = console_focus();

    if (!flag(&console_state.alone) || !console_is_partition(focus))
        return CONSOLE_LINE_NONE;
    const struct console_source *source = &console_state.sources[focus];

    if (flag(&source->ended) && console_ring_all_shown(&source->ring))
        return CONSOLE_LINE_NONE;
    return focus;
}

void console_view_start(void)
{
    if (console_state.count != 2)
        return;
    console_state.alone = true;
    console_lines_alone(&console_state.lines, console_focus(), true);
}

// Resumes the sources that are no longer hidden.
static void resume(unsigned view)
{
    for (unsigned id = 1; id < console_state.count; id++) {
        if (view == CONSOLE_LINE_NONE || id == view || id == console_state.lines.alone)
            console_ring_resume(&console_state.sources[id].ring);
    }
}

bool console_view_change(void)
{
    struct console_lines *lines = &console_state.lines;
    unsigned view = wanted();
    bool redraw = __atomic_exchange_n(&console_state.redraw, false, __ATOMIC_RELAXED);

    if (view == lines->alone && !(redraw && lines->over))
        return false;
    resume(view);
    console_lines_alone(lines, view, false);
    console_state.untold = view == CONSOLE_LINE_NONE;
    if (view != CONSOLE_LINE_NONE) {
        console_state.sources[view].ring.gone = 0; // irrelevant: its screen is redrawn instead
        console_ring_rewind(&console_state.sources[view].ring);
    }
    return true;
}

uint32_t console_view_hide(void)
{
    uint32_t sources = 0;

    if (!console_view_is_alone())
        return 0;
    for (unsigned id = 1; id < console_state.count; id++) {
        if (id != console_state.lines.alone && console_ring_hide(&console_state.sources[id].ring))
            sources |= 1u << id;
    }
    return sources;
}

void console_view_tell(void)
{
    char text[120];

    if (!console_state.untold || console_view_is_alone())
        return;
    for (unsigned id = 1; id < console_state.count; id++) {
        struct console_source *source = &console_state.sources[id];

        if (source->ring.gone == 0)
            continue;
        size_t length =
            format(text, sizeof(text), "%s said more than is kept: %u bytes of it are not shown\n",
                   source->name, source->ring.gone);

        if (!console_log_write(text, length))
            return; // no room now
        source->ring.gone = 0;
    }
    console_state.untold = false;
}

// While the partition draws, the hypervisor's lines would spoil its picture. They wait for another
// view, for a question at the keyboard, or until the partition writes lines again.
static bool own_is_ready(void)
{
    bool ready = console_own_ready();

    if (!console_lines_drawn(&console_state.lines, console_state.lines.alone))
        return ready;
    if (question() == CONSOLE_QUESTION_NONE)
        return false;
    enum console_question answered = CONSOLE_QUESTION_ANSWERED;

    // Fails if the next question was asked meanwhile.
    if (!ready)
        __atomic_compare_exchange_n(&console_state.question, &answered, CONSOLE_QUESTION_NONE,
                                    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return ready;
}

uint32_t console_view_ready(void)
{
    unsigned view = console_state.lines.alone;
    uint32_t sources = 0;

    if (own_is_ready())
        sources |= 1u << CONSOLE_HYPERVISOR;
    if (console_ring_ready(&console_state.sources[view].ring, true) > 0)
        sources |= 1u << view;
    return sources;
}

enum console_show console_view_show(unsigned source, uint32_t index)
{
    if (source == console_state.lines.alone)
        return console_ring_is_past(&console_state.sources[source].ring, index) ? CONSOLE_SHOW_PAST
                                                                                : CONSOLE_SHOW_RAW;
    return source == console_focus() ? CONSOLE_SHOW_EDIT : CONSOLE_SHOW_LINES;
}
