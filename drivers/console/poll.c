// SPDX-License-Identifier: Apache-2.0
// Serves the console's device on the console CPU: the keyboard, its escape keys, and the rules of
// an edge-triggered interrupt that arrives as NMI.
#include "drivers/console/console.h"

#include "arch/cpu/tsc.h"
#include "drivers/console/history.h"
#include "drivers/console/input.h"
#include "drivers/console/state.h"
#include "drivers/console/view.h"
#include "drivers/uart/uart.h"

#define ROUNDS    4096    // limit of reads from a device that never clears its interrupt
#define RX_BATCH  64      // bytes taken between two tests of the interrupt
#define LOG_LINES 40      // of the log, shown again
#define TELL_US   1000000 // shortest time between two reports that the port lost characters

static void set_focus(unsigned source)
{
    __atomic_store_n(&console_state.focus, source, __ATOMIC_RELAXED);
    print("keyboard: %s\n", console_state.sources[source].name);
}

void console_print_help(void)
{
    print(
        "Ctrl-] then: n next partition, 1-9 that partition, r it alone or all, c counters, l log,\n"
        "    s power button of the one that has the keyboard, q leave, ? this help, Ctrl-] the key "
        "itself\n");
    for (unsigned id = 1; id < console_state.count; id++)
        print("  %u %s%s\n", id, console_state.sources[id].name,
              id == console_focus() ? " (has the keyboard)" : "");
}

static void give_input(unsigned source, uint8_t byte, struct console_events *events)
{
    if (!console_is_partition(source))
        return;
    struct console_source *s = &console_state.sources[source];

    console_view_typed();
    if (!console_input_put(source, byte)) {
        if (s->dropped++ == 0) {
            console_view_asked();
            print("%s does not read its input: what is typed now is dropped\n", s->name);
        }
        return;
    }
    events->input |= 1u << source;
    if (s->dropped > 0) {
        print("%s reads its input again: %u bytes that were typed are dropped\n", s->name,
              s->dropped);
        s->dropped = 0;
    }
}

static void change_view(void)
{
    const struct console_source *focus = &console_state.sources[console_focus()];

    if (!console_is_partition(console_focus()))
        print("there is no partition to be seen alone\n");
    else if (__atomic_load_n(&focus->ended, __ATOMIC_RELAXED))
        print("%s has ended: it is not seen alone\n", focus->name);
    else if (console_view_toggle())
        print("screen: %s alone; Ctrl-] r shows all\n", focus->name);
    else
        print("screen: all partitions' lines\n");
}

static void handle_key(uint8_t byte, struct console_events *events)
{
    struct console_key key = console_key(&console_state.keys, byte);

    if (key.kind != CONSOLE_KEY_NONE && key.kind != CONSOLE_KEY_BYTE)
        console_view_asked();
    switch (key.kind) {
    case CONSOLE_KEY_NONE:
        break;
    case CONSOLE_KEY_BYTE:
        give_input(console_focus(), key.value, events);
        break;
    case CONSOLE_KEY_NEXT:
        if (console_state.count > 1)
            set_focus(console_focus() % (console_state.count - 1) + 1);
        break;
    case CONSOLE_KEY_SOURCE:
        if (console_is_partition(key.value))
            set_focus(key.value);
        else
            print("there is no partition %u\n", key.value);
        break;
    case CONSOLE_KEY_COUNTERS:
        events->actions |= CONSOLE_ACTION_COUNTERS;
        break;
    case CONSOLE_KEY_POWER:
        if (console_is_partition(console_focus()))
            events->power |= 1u << console_focus();
        break;
    case CONSOLE_KEY_LOG:
        console_own_repeat(LOG_LINES); // the next drain shows them
        break;
    case CONSOLE_KEY_VIEW:
        change_view();
        break;
    case CONSOLE_KEY_ASK:
        events->actions |= CONSOLE_ACTION_ASK;
        break;
    case CONSOLE_KEY_LEAVE:
        events->actions |= CONSOLE_ACTION_LEAVE;
        break;
    case CONSOLE_KEY_STAY:
        events->actions &= ~(uint32_t)CONSOLE_ACTION_ASK;
        print("the machine goes on\n");
        break;
    case CONSOLE_KEY_HELP:
        console_print_help();
        events->actions |= CONSOLE_ACTION_HELP;
        break;
    }
}

// Reports characters that the device itself lost because they were not read in time.
static void tell_overrun(void)
{
    uint64_t now = time_us();

    if (uart_overruns() == 0 ||
        (console_state.overrun_told != 0 && now - console_state.overrun_told < TELL_US))
        return;
    console_state.overrun_told = now != 0 ? now : 1;
    print("the serial port was not read in time: typed characters were lost, %u times\n",
          uart_take_overruns());
}

// The pin is edge-triggered: it must be low once before this returns, or no further edge comes. So
// it reads the device until nothing is pending.
struct console_events console_poll(void)
{
    struct console_events events = {0};
    unsigned rounds = 0;
    uint8_t byte;

    if (console_mode() != CONSOLE_MODE_RUN)
        return events;
    console_view_answered(); // the caller has printed the previous answer by now
    for (; console_state.sink == CONSOLE_SINK_UART && uart_interrupt_pending() && rounds < ROUNDS;
         rounds++) {
        for (unsigned batch = 0; batch < RX_BATCH && uart_rx(&byte); batch++)
            handle_key(byte, &events);
    }
    // Still pending: toggling the enables forces an edge, because the device makes none.
    if (rounds == ROUNDS) {
        uart_enable_interrupts(false, false);
        uart_enable_interrupts(true, true);
    }
    tell_overrun();
    console_drain();
    events.unstalled = console_take_unstalled();
    return events;
}
