// SPDX-License-Identifier: Apache-2.0
// The fake time and wake-up of tests/unit/fake_ticker.h.
#include "tests/unit/fake_ticker.h"

#include "arch/cpu/tsc.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"

static uint64_t time_now;
static unsigned wakes;
static unsigned cpu_now;
static uint32_t woken;

void fake_ticker_reset(uint64_t now)
{
    __atomic_store_n(&time_now, now, __ATOMIC_SEQ_CST);
    __atomic_store_n(&wakes, 0, __ATOMIC_SEQ_CST);
}

uint64_t fake_time_pass(int64_t us)
{
    return __atomic_add_fetch(&time_now, (uint64_t)us, __ATOMIC_SEQ_CST);
}

unsigned fake_ticker_wakes(void)
{
    return __atomic_exchange_n(&wakes, 0, __ATOMIC_SEQ_CST);
}

uint64_t time_ticks(void)
{
    return 2 * time_us();
}

uint64_t ticks_us(uint64_t ticks)
{
    return ticks / 2;
}

unsigned cpu_number(void)
{
    return __atomic_load_n(&cpu_now, __ATOMIC_RELAXED);
}

void fake_cpu_set(unsigned number)
{
    __atomic_store_n(&cpu_now, number, __ATOMIC_RELAXED);
}

uint64_t time_us(void)
{
    return __atomic_load_n(&time_now, __ATOMIC_SEQ_CST);
}

static void wake_sources(uint32_t sources)
{
    __atomic_or_fetch(&woken, sources, __ATOMIC_SEQ_CST);
}

uint32_t fake_woken_sources(void)
{
    return __atomic_exchange_n(&woken, 0, __ATOMIC_SEQ_CST);
}

static void wake_ticker(void)
{
    __atomic_add_fetch(&wakes, 1, __ATOMIC_SEQ_CST);
}

const struct console_wakers fake_wakers = {.ticker = wake_ticker, .sources = wake_sources};
