// SPDX-License-Identifier: Apache-2.0
// ticks.elf: the timers of a PC that interrupt. The PIT's channel 0 through the 8259s at vector 32
// and through the IOAPIC's pin 2, and the HPET, each against the TSC; and what holds an interrupt
// back and what lets it through. `only=` of the command line is pic, pin or hpet: nothing but
// `ticks=` of these, for who counts exits, and with `cost=1` what one costs; restart: it ends in
// the middle of fast ticks; or none: no timer is expected to interrupt. `hpet=0` says that there is
// none. Runs bare as well.

#include "tests/guests/guest.h"

enum {
    PIC1 = 0x20,
    PIC2 = 0xa0,
    PIT0 = 0x40,
    PIT_CONTROL = 0x43,
    PIT_HZ = 1193182,
    BASE = 0x20, // of the 8259s' vectors
    PIN_VECTOR = 0x51,
    IOAPIC = 0xfec00000,
    APIC_PAGE = 0xfee00000,
    HPET = 0xfed00000,
    PIN = 2,
    EXTINT = 0x700,
    MASKED = 0x10000,
    HZ = 100,
    TICKS = 20,
};

static volatile uint64_t ticks[256], last_tsc;
static volatile bool hold_eoi, automatic;
static bool x2apic;

static void note(unsigned vector)
{
    last_tsc = rdtsc();
    ticks[vector]++;
}

static void pic_handler(struct trap_frame *frame)
{
    note((unsigned)frame->vector);
    if (!hold_eoi && !automatic)
        outb(PIC1, 0x20);
}

// Not by lapic_eoi(), which would ask for the mode each time.
static void pin_handler(struct trap_frame *frame)
{
    note((unsigned)frame->vector);
    if (x2apic)
        wrmsr(0x800 + LAPIC_EOI / 16, 0);
    else
        *(volatile uint32_t *)(uintptr_t)(APIC_PAGE + LAPIC_EOI) = 0;
}

static volatile uint64_t *const hpet = (volatile uint64_t *)(uintptr_t)HPET;

static void ioapic_write(uint32_t index, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)IOAPIC = index;
    *(volatile uint32_t *)(uintptr_t)(IOAPIC + 0x10) = value;
}

static void set_some_pin(unsigned pin, uint32_t low)
{
    ioapic_write(0x11 + 2 * pin, lapic_id() << 24);
    ioapic_write(0x10 + 2 * pin, low);
}

static void set_pin(uint32_t low)
{
    set_some_pin(PIN, low);
}

static void initialise_pics(uint8_t icw4)
{
    outb(PIC1, 0x11);
    outb(PIC1 + 1, BASE);
    outb(PIC1 + 1, 4);
    outb(PIC1 + 1, icw4);
    outb(PIC2, 0x11);
    outb(PIC2 + 1, BASE + 8);
    outb(PIC2 + 1, 2);
    outb(PIC2 + 1, icw4);
    outb(PIC1 + 1, 0xff);
    outb(PIC2 + 1, 0xff);
    automatic = icw4 & 2;
}

static void set_pit(unsigned mode, unsigned count)
{
    outb(PIT_CONTROL, (uint8_t)(0x30 | mode << 1));
    outb(PIT0, (uint8_t)count);
    outb(PIT0, (uint8_t)(count >> 8));
}

static uint64_t period(void)
{
    return tsc_khz() * 1000 / HZ;
}

// Interrupts on for so many periods.
static void run_periods(unsigned n)
{
    uint64_t end = rdtsc() + n * period();
    interrupts_on();
    while (rdtsc() < end)
        pause();
    interrupts_off();
}

static void start(unsigned vector)
{
    ticks[vector] = 0;
    hold_eoi = false;
}

// That they come, and none too soon. How late they come is the emulator's business.
static void check_rate(unsigned vector, const char *name)
{
    start(vector);
    uint64_t begin = rdtsc();
    while (ticks[vector] < TICKS && rdtsc() - begin < 100 * TICKS * period())
        wait_for_interrupt();
    uint64_t gone = last_tsc - begin; // before which one may have been waiting
    check(ticks[vector] >= TICKS, "%s: %u ticks", name, TICKS);
    check(gone >= (ticks[vector] - 2) * period(), "%s: not too fast", name);
    print("%s: %lu ticks in %lu periods\n", name, ticks[vector], gone / period() + 1);
}

// Long enough for what is requested already, also where an emulator looks for it now and then only,
// and too short for another tick.
static void let_through(void)
{
    interrupts_on();
    for (unsigned i = 0; i < 200; i++)
        pause();
    interrupts_off();
}

static uint8_t requests(void)
{
    outb(PIC1, 0x0a);
    return inb(PIC1);
}

static uint8_t in_service(void)
{
    outb(PIC1, 0x0b);
    return inb(PIC1);
}

static void wait_tick(unsigned vector, uint64_t until)
{
    uint64_t begin = rdtsc();
    while (ticks[vector] < until && rdtsc() - begin < 200 * period())
        wait_for_interrupt();
}

// As wait_tick(), without HLT.
static void spin_for_tick(unsigned vector, uint64_t until)
{
    for (unsigned i = 0; i < 200 && ticks[vector] < until; i++)
        run_periods(1);
}

// Interrupts off for so many periods.
static void miss_periods(unsigned n)
{
    uint64_t end = rdtsc() + n * period();
    while (rdtsc() < end)
        pause();
}

// One tick through the 8259, in a period from now. It is no earlier one that waits.
static void start_single(void)
{
    outb(PIC1 + 1, 0xff);
    outb(PIT_CONTROL, 0x30); // mode 0: nothing comes before the count is written
    outb(PIC1, 0x11);        // forgets what was requested
    outb(PIC1 + 1, BASE);
    outb(PIC1 + 1, 4);
    outb(PIC1 + 1, 1);
    outb(PIC1 + 1, 0xfe);
    start(BASE);
    set_pit(0, PIT_HZ / HZ);
}

static void check_masks(void)
{
    start(BASE);
    outb(PIC1 + 1, 0xff);
    run_periods(3);
    check(ticks[BASE] == 0, "masked: no tick");
    check(requests() & 1, "masked: it is requested");
    outb(PIC1 + 1, 0xfe);
    let_through();
    check(ticks[BASE] >= 1, "unmasked: it comes");
    start(BASE);
    miss_periods(3);
    uint64_t end = rdtsc();
    spin_for_tick(BASE, 1);
    check(ticks[BASE] <= 2 + (rdtsc() - end) / period(), "once for those that were missed");
}

// What is held back is the only one there is, so it may come as late as the emulator likes.
static void check_held(void)
{
    start_single();
    miss_periods(3);
    check(ticks[BASE] == 0, "IF clear: no tick");
    spin_for_tick(BASE, 1);
    check(ticks[BASE] == 1, "IF set: it comes");
    lapic_write(LAPIC_LVT_LINT0, EXTINT | MASKED);
    start_single();
    run_periods(3);
    check(ticks[BASE] == 0, "LINT0 masked: no tick");
    lapic_write(LAPIC_LVT_LINT0, EXTINT);
    spin_for_tick(BASE, 1);
    check(ticks[BASE] == 1, "LINT0 unmasked: it comes");
}

static void check_end(void)
{
    start(BASE);
    hold_eoi = true;
    wait_tick(BASE, 1);
    run_periods(3);
    check(ticks[BASE] == 1, "no end of interrupt: no second tick");
    check(in_service() == 1, "it is in service");
    hold_eoi = false;
    outb(PIC1, 0x60);
    spin_for_tick(BASE, 2);
    check(ticks[BASE] >= 2, "after its end: further ticks");
}

static void check_once(void)
{
    start_single();
    wait_tick(BASE, 1);
    run_periods(4);
    check(ticks[BASE] == 1, "mode 0: one tick");
    set_pit(4, PIT_HZ / HZ);
    wait_tick(BASE, 2);
    run_periods(4);
    check(ticks[BASE] == 2, "mode 4: one tick");
}

// COM1's transmitter, by interrupt 4 of the 8259s.
static void check_uart(void)
{
    start(BASE + 4);
    outb(COM1 + 4, 0x0b);
    outb(PIC1 + 1, 0xef);
    outb(COM1 + 1, 2);
    let_through();
    outb(COM1 + 1, 0);
    check(ticks[BASE + 4] >= 1, "COM1 interrupts through the 8259");
    outb(PIC1 + 1, 0xff);
}

static void check_pics(void)
{
    initialise_pics(1);
    check(inb(PIC1 + 1) == 0xff && inb(PIC2 + 1) == 0xff, "the 8259s' masks read as written");
    lapic_write(LAPIC_LVT_LINT0, EXTINT);
    set_pit(2, PIT_HZ / HZ);
    outb(PIC1 + 1, 0xfe);
    check_rate(BASE, "8259, mode 2");
    check_masks();
    check_end();
    check_held();
    set_pit(3, PIT_HZ / HZ);
    check_rate(BASE, "8259, mode 3");
    check_once();
    initialise_pics(3);
    set_pit(2, PIT_HZ / HZ);
    outb(PIC1 + 1, 0xfe);
    check_rate(BASE, "8259, automatic end");
    check(in_service() == 0, "automatic end: nothing in service");
    initialise_pics(1);
    check_uart();
}

static void check_pin(void)
{
    set_pit(2, PIT_HZ / HZ);
    set_pin(PIN_VECTOR);
    check_rate(PIN_VECTOR, "IOAPIC pin 2");
    start(PIN_VECTOR);
    set_pin(PIN_VECTOR | MASKED);
    run_periods(3);
    check(ticks[PIN_VECTOR] <= 1, "pin masked: no tick"); // one may have been on its way
    start(PIN_VECTOR);
    set_pit(0, PIT_HZ / HZ);
    set_pin(PIN_VECTOR);
    wait_tick(PIN_VECTOR, 1);
    run_periods(4);
    check(ticks[PIN_VECTOR] == 1, "pin, mode 0: one tick");
    // Both ways at once.
    initialise_pics(1);
    set_pit(2, PIT_HZ / HZ);
    outb(PIC1 + 1, 0xfe);
    start(BASE);
    check_rate(PIN_VECTOR, "both");
    check(ticks[BASE] >= TICKS / 2, "both: the 8259 too");
    outb(PIC1 + 1, 0xff);
    set_pin(MASKED);
}

// ---- the HPET, by its registers' numbers of 8 bytes

enum {
    CONFIG = 0x10 / 8,
    STATUS = 0x20 / 8,
    COUNTER = 0xf0 / 8,
    LEVEL = 2,
    ENABLED = 4,
    PERIODIC = 8,
    SET_VALUE = 0x40,
};

static volatile uint64_t *comparator(unsigned n)
{
    return &hpet[(0x100 + 0x20 * n) / 8];
}

// The specification's interrupt routes: the first that is no device's on a PC.
static unsigned route_of(unsigned n)
{
    uint32_t routes = (uint32_t)(comparator(n)[0] >> 32);
    return routes >> 20 & 0xf ? 20 + (unsigned)__builtin_ctz(routes >> 20 & 0xf) : PIN;
}

static uint64_t hpet_period(void)
{
    return 1000000000000000ull / (hpet[0] >> 32) / HZ;
}

static void repeat(unsigned n, uint32_t config)
{
    comparator(n)[0] = config | ENABLED | PERIODIC | SET_VALUE;
    comparator(n)[1] = hpet[COUNTER] + hpet_period();
    comparator(n)[1] = hpet_period();
}

static void level_handler(struct trap_frame *frame)
{
    note((unsigned)frame->vector);
    hpet[STATUS] = 7;
    lapic_eoi();
}

static void check_hpet(void)
{
    unsigned gsi = route_of(2);
    check((uint16_t)(hpet[0] >> 16) == 0x8086 && hpet[0] >> 32 <= 100000000, "HPET");
    set_pit(0, 0);
    hpet[CONFIG] = 1;
    uint64_t before = hpet[COUNTER];
    delay_us(2000);
    uint64_t gone = hpet[COUNTER] - before;
    check(gone * HZ >= hpet_period() * HZ / 5, "its counter counts");
    set_some_pin(gsi, PIN_VECTOR);
    repeat(2, gsi << 9);
    check_rate(PIN_VECTOR, "HPET, periodic");
    comparator(2)[0] = gsi << 9;
    let_through(); // what was on its way
    start(PIN_VECTOR);
    comparator(2)[1] = hpet[COUNTER] + hpet_period();
    comparator(2)[0] = gsi << 9 | ENABLED;
    wait_tick(PIN_VECTOR, 1);
    run_periods(3);
    check(ticks[PIN_VECTOR] == 1, "HPET, once");
    set_handler(PIN_VECTOR + 1, level_handler);
    comparator(2)[0] = gsi << 9 | LEVEL;
    set_some_pin(gsi, 1 << 15 | (PIN_VECTOR + 1));
    repeat(2, gsi << 9 | LEVEL);
    check_rate(PIN_VECTOR + 1, "HPET, level");
    comparator(2)[0] = 0;
    set_some_pin(gsi, MASKED);
    // The first one in the PIT's place.
    hpet[CONFIG] = 3;
    repeat(0, 0);
    set_pin(PIN_VECTOR);
    check_rate(PIN_VECTOR, "HPET, legacy route");
    set_pin(MASKED);
    initialise_pics(1);
    outb(PIC1 + 1, 0xfe);
    check_rate(BASE, "HPET, legacy route, 8259");
    outb(PIC1 + 1, 0xff);
    comparator(0)[0] = 0;
    hpet[CONFIG] = 0;
}

// What an instruction's worth of time becomes in which a tick comes: TSC ticks, the least of all,
// while nothing else is done. Counted in instructions where the TSC counts those.
static uint64_t cost_of_tick(unsigned vector, uint64_t count)
{
    uint64_t least = UINT64_MAX, last, now;
    for (uint64_t seen = ticks[vector]; ticks[vector] < count;) {
        interrupts_on();
        for (last = now = rdtsc(); ticks[vector] == seen; now = rdtsc())
            last = now;
        now = rdtsc();
        interrupts_off();
        seen = ticks[vector];
        if (now - last < least)
            least = now - last;
    }
    return least;
}

// A life that ends in the middle of fast ticks, some of them waiting. Its next one must not get
// any.
static void end_while_ticking(void)
{
    run_periods(3); // any interrupt is an unexpected one
    initialise_pics(1);
    lapic_write(LAPIC_LVT_LINT0, EXTINT);
    outb(PIC1 + 1, 0xfe);
    set_pin(PIN_VECTOR);
    set_handler(BASE, pic_handler);
    set_handler(PIN_VECTOR, pin_handler);
    set_pit(2, PIT_HZ / 10000);
    // How soon is the emulator's business.
    for (unsigned i = 0; i < 100 * HZ && (ticks[PIN_VECTOR] == 0 || ticks[BASE] == 0); i++)
        run_periods(1);
    check(ticks[PIN_VECTOR] > 0 && ticks[BASE] > 0, "it ticked");
    outb(0xcf9, 6);
}

// Nothing of the machine interrupts for PIT and HPET: what has come is there at the next access.
static void check_no_ticks(void)
{
    outb(PIT_CONTROL, 0x34); // it has run since reset; without a count it stands
    initialise_pics(1);
    lapic_write(LAPIC_LVT_LINT0, EXTINT);
    outb(PIC1 + 1, 0xfe);
    set_pit(2, PIT_HZ / HZ);
    run_periods(5);
    check(ticks[BASE] == 0, "no tick");
    check(requests() & 1, "it is requested");
    spin_for_tick(BASE, 1);
    check(ticks[BASE] >= 1, "it comes");
    outb(PIC1 + 1, 0xff);
    unsigned gsi = route_of(2);
    hpet[CONFIG] = 1;
    repeat(2, gsi << 9);
    uint64_t before = hpet[COUNTER];
    set_some_pin(gsi, PIN_VECTOR);
    run_periods(5);
    check(ticks[PIN_VECTOR] == 0, "no tick of the HPET");
    check(hpet[COUNTER] - before >= 4 * hpet_period(), "its counter counts");
    spin_for_tick(PIN_VECTOR, 1);
    check(ticks[PIN_VECTOR] >= 1, "it comes");
    comparator(2)[0] = 0;
}

// Nothing but ticks, which an observer counts.
static void run_only(const char *way, uint64_t count)
{
    unsigned vector = PIN_VECTOR;
    if (option_is("only", "pic")) {
        vector = BASE;
        initialise_pics(1);
        lapic_write(LAPIC_LVT_LINT0, EXTINT);
        outb(PIC1 + 1, 0xfe);
        set_pit(2, PIT_HZ / HZ);
    } else if (option_is("only", "pin")) {
        set_pin(PIN_VECTOR);
        set_pit(2, PIT_HZ / HZ);
    } else {
        hpet[CONFIG] = 1;
        set_some_pin(route_of(2), PIN_VECTOR);
        repeat(2, route_of(2) << 9);
    }
    if (option_number("cost", 0) != 0)
        print("bench %s %lu\n", way, cost_of_tick(vector, count));
    while (ticks[vector] < count)
        wait_for_interrupt();
    print("%s: %lu ticks\n", way, count);
}

void run_guest(void)
{
    char way[8];
    if (option_is("only", "restart")) {
        x2apic = x2apic_on();
        lapic_enable();
        end_while_ticking();
    }
    for (unsigned v = BASE; v < BASE + 16; v++)
        set_handler(v, pic_handler);
    set_handler(PIN_VECTOR, pin_handler);
    if (option_is("apic", "x2apic"))
        x2apic_enable();
    x2apic = x2apic_on();
    lapic_enable();
    lapic_write(LAPIC_LVT_LINT0, EXTINT | MASKED);
    print("ticks: %s, tsc %lu kHz\n", x2apic ? "x2apic" : "xapic", tsc_khz());
    if (option_is("only", "none")) {
        check_no_ticks();
        check_summary();
        return;
    }
    if (option("only", way, sizeof(way))) {
        run_only(way, option_number("ticks", 100));
        return;
    }
    check_pics();
    check_pin();
    if (option_number("hpet", 1) != 0)
        check_hpet();
    check_summary();
}
