// SPDX-License-Identifier: Apache-2.0
// The APIC timer, one-shot and periodic (SDM vol. 3, "APIC Timer").

#include "tests/guests/equiv/device.h"

enum {
    MASKED = 1 << 16,
    PERIODIC = 1 << 17,
    BY_1 = 0xb,
    BY_16 = 0x3,
    LONG = 0xf0000000,
    SHORT = 2000,
};

static void start(uint32_t lvt, uint32_t divide, uint32_t count)
{
    lapic_write(LAPIC_TIMER_DIVIDE, divide);
    lapic_write(LAPIC_LVT_TIMER, lvt);
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

static void stop(void)
{
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, MASKED);
    take_pending();
    taken_forget();
}

static uint32_t wait_expired(void)
{
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (lapic_read(LAPIC_TIMER_CURRENT) && rdtsc() < end)
        pause();
    return lapic_read(LAPIC_TIMER_CURRENT);
}

static uint32_t timer_pending(void)
{
    return lapic_read(LAPIC_IRR + TIMER_VECTOR / 32 * 16) >> (TIMER_VECTOR % 32) & 1;
}

static void one_shot(void)
{
    struct line line = {.used = 0};
    stop();
    start(TIMER_VECTOR, BY_16, SHORT);
    line_field(&line, "taken", take_until(TIMER_VECTOR, 1));
    delay_us(2000);
    take_pending();
    line_field(&line, "later", taken(0, TIMER_VECTOR));
    line_field(&line, "current", lapic_read(LAPIC_TIMER_CURRENT));
    line_field(&line, "initial", lapic_read(LAPIC_TIMER_INITIAL));
    outcome(name_of(apic_mode(), "timer.one-shot"), "%s", line.text);

    line.used = 0;
    stop();
    for (unsigned i = 0; i < 10; i++) {
        start(TIMER_VECTOR, BY_16, SHORT);
        take_until(TIMER_VECTOR, i + 1);
    }
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "timer.one-shot-10"), "%s", line.text);

    line.used = 0;
    stop();
    start(TIMER_VECTOR, BY_16, SHORT);
    uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
    while (!timer_pending() && rdtsc() < end)
        pause();
    line_field(&line, "pending", timer_pending());
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    line_field(&line, "pending", timer_pending());
    outcome(name_of(apic_mode(), "timer.interrupts-off"), "%s", line.text);
    stop();
}

static void masked(void)
{
    struct line line = {.used = 0};
    start(MASKED | TIMER_VECTOR, BY_16, SHORT);
    line_field(&line, "current", wait_expired());
    line_field(&line, "pending", timer_pending());
    lapic_write(LAPIC_LVT_TIMER, TIMER_VECTOR);
    delay_us(500);
    take_pending();
    line_field(&line, "taken when unmasked", taken(0, TIMER_VECTOR));
    outcome(name_of(apic_mode(), "timer.masked"), "%s", line.text);

    line.used = 0;
    stop();
    start(MASKED | TIMER_VECTOR, BY_16, LONG);
    uint32_t first = lapic_read(LAPIC_TIMER_CURRENT);
    delay_us(200);
    line_word(&line, lapic_read(LAPIC_TIMER_CURRENT) < first ? "counts" : "stands");
    line_word(&line,
              first <= LONG && first > LONG / 2 ? "from the initial count" : "from elsewhere");
    outcome(name_of(apic_mode(), "timer.counts-masked"), "%s", line.text);
    stop();
}

static void periodic(void)
{
    struct line line = {.used = 0};
    start(PERIODIC | TIMER_VECTOR, BY_16, SHORT);
    line_word(&line, take_until(TIMER_VECTOR, 5) >= 5 ? "goes on" : "ends");
    line_word(&line, lapic_read(LAPIC_TIMER_CURRENT) <= SHORT ? "within the count" : "beyond it");
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    take_pending();
    taken_forget();
    delay_us(2000);
    take_pending();
    line_field(&line, "after count 0", taken(0, TIMER_VECTOR));
    line_field(&line, "current", lapic_read(LAPIC_TIMER_CURRENT));
    outcome(name_of(apic_mode(), "timer.periodic"), "%s", line.text);

    line.used = 0;
    stop();
    start(MASKED | PERIODIC | TIMER_VECTOR, BY_16, SHORT);
    delay_us(2000);
    line_field(&line, "pending while masked", timer_pending());
    lapic_write(LAPIC_LVT_TIMER, PERIODIC | TIMER_VECTOR);
    line_word(&line, take_until(TIMER_VECTOR, 2) >= 2 ? "goes on when unmasked" : "silent");
    outcome(name_of(apic_mode(), "timer.periodic-masked"), "%s", line.text);
    stop();
}

static void changed_in_flight(void)
{
    struct line line = {.used = 0};
    start(TIMER_VECTOR, BY_16, LONG);
    lapic_write(LAPIC_TIMER_INITIAL, SHORT);
    line_field(&line, "new count", take_until(TIMER_VECTOR, 1));
    stop();
    start(TIMER_VECTOR, BY_16, LONG);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    line_field(&line, "stopped at", lapic_read(LAPIC_TIMER_CURRENT));
    delay_us(500);
    take_pending();
    line_field(&line, "taken", taken(0, TIMER_VECTOR));
    stop();
    outcome(name_of(apic_mode(), "timer.restart"), "%s", line.text);

    line.used = 0;
    start(MASKED | TIMER_VECTOR, BY_16, LONG);
    lapic_write(LAPIC_LVT_TIMER, PERIODIC | MASKED | TIMER_VECTOR);
    uint32_t current = lapic_read(LAPIC_TIMER_CURRENT);
    line_word(&line, current > LONG / 2 ? "goes on" : "stops");
    lapic_write(LAPIC_LVT_TIMER, MASKED | TIMER_VECTOR);
    current = lapic_read(LAPIC_TIMER_CURRENT);
    line_word(&line, current > LONG / 2 ? "goes on" : "stops");
    outcome(name_of(apic_mode(), "timer.mode-in-flight"), "%s", line.text);
    stop();

    // Another vector while it counts: the one at expiry is sent. Again if this CPU was held up
    // until it had expired.
    line.used = 0;
    for (unsigned tries = 0; tries < 20 && !taken(0, VECTOR_LOW); tries++) {
        taken_forget();
        start(TIMER_VECTOR, BY_16, 200 * SHORT);
        lapic_write(LAPIC_LVT_TIMER, VECTOR_LOW);
        uint64_t end = rdtsc() + LIMIT_MS * tsc_khz();
        while (!taken(0, VECTOR_LOW) && !taken(0, TIMER_VECTOR) && rdtsc() < end)
            take_pending();
    }
    line_taken(&line, 0);
    outcome(name_of(apic_mode(), "timer.vector-in-flight"), "%s", line.text);
    stop();
}

// Timer ticks in a stretch of time, per 2^20 TSC ticks. Both ends are read tightly: one where this
// CPU stood still in between is measured again.
static uint64_t rate(uint32_t divide)
{
    const uint64_t tight = tsc_khz(); // 1 ms
    for (unsigned tries = 0; tries < 50; tries++) {
        start(MASKED | TIMER_VECTOR, divide, LONG);
        uint64_t a = rdtsc(), from = lapic_read(LAPIC_TIMER_CURRENT), b = rdtsc();
        delay_us(10000);
        uint64_t c = rdtsc(), to = lapic_read(LAPIC_TIMER_CURRENT), d = rdtsc();
        if (b - a < tight && d - c < tight)
            return ((from - to) << 20) / (c - a);
    }
    return 0;
}

static void dividers(void)
{
    static const uint8_t values[] = {0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa};
    const uint64_t by_1 = rate(BY_1);
    for (unsigned i = 0; i < COUNT(values); i++) {
        uint64_t r = rate(values[i]);
        unsigned ratio = 1;
        // The power of two that is nearest.
        while (ratio < 256 && r * ratio * 3 < by_1 * 2)
            ratio *= 2;
        outcome(name_number(name_of(apic_mode(), "timer.divide-"), values[i], "ratio"),
                "divides by %u", r ? ratio : 0);
    }
    stop();
}

void apic_timer(void)
{
    one_shot();
    masked();
    periodic();
    changed_in_flight();
    dividers();
}
