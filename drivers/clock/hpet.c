// SPDX-License-Identifier: Apache-2.0
// The HPET's registers (IA-PC HPET specification 1.0a, 2.3). Only their low halves are used,
// because every HPET has a 32-bit counter.
#include "drivers/clock/hpet.h"

#include "drivers/acpi/tables.h"

// Offsets in bytes.
#define CAPABILITIES  0x000
#define PERIOD        0x004 // upper half of CAPABILITIES: femtoseconds per tick
#define CONFIGURATION 0x010
#define STATUS        0x020
#define COUNTER       0x0f0
#define TIMER(n)      (0x100 + 0x20 * (n))
#define TIMER_GSIS    0x04
#define TIMER_VALUE   0x08

#define CAP_LAST(c)      (((c) >> 8) & 0x1f)
#define CONFIG_ENABLE    0x1u
#define CONFIG_LEGACY    0x2u
#define TIMER_LEVEL      0x2u
#define TIMER_ENABLED    0x4u
#define TIMER_PERIODIC   0x8u
#define TIMER_CAN_REPEAT 0x10u
#define TIMER_SET_VALUE  0x40u
#define TIMER_32BIT      0x100u
#define TIMER_GSI(g)     ((uint32_t)(g) << 9)
#define TIMER_FSB        0x4000u

#define PERIOD_MOST    100000000u // femtoseconds: at least 10 MHz (2.3.4)
#define FEMTO          1000000000000000ull
#define LEAST_DISTANCE 64u        // ticks that writing a comparator may take: first try
#define MOST_DISTANCE  (1u << 25) // last try: at most 3 s
#define ENTRY_ADDRESS  44 // offset in the table: the address in its generic address structure
#define ENTRY_SPACE    40

static volatile uint32_t *hpet;

static uint32_t get(unsigned offset)
{
    return hpet_read(hpet, offset);
}

static void put(unsigned offset, uint32_t value)
{
    hpet_write(hpet, offset, value);
}

uint64_t hpet_address(const struct acpi_info *acpi)
{
    struct acpi_table table;
    uint8_t space = 0;
    uint64_t address = 0;

    if (acpi_find_table(acpi, "HPET", 0, &table.address, &table.length) != STATUS_OK ||
        acpi_read(&table, ENTRY_SPACE, &space, sizeof(space)) != STATUS_OK ||
        acpi_read(&table, ENTRY_ADDRESS, &address, sizeof(address)) != STATUS_OK ||
        space != ACPI_SPACE_MEMORY || address % HPET_SIZE != 0)
        return 0;
    return address;
}

unsigned hpet_init(volatile uint32_t *regs)
{
    hpet = regs;
    uint32_t capabilities = get(CAPABILITIES), period = get(PERIOD);
    unsigned count = CAP_LAST(capabilities) + 1;

    if (capabilities == UINT32_MAX || period == 0 || period > PERIOD_MOST)
        return 0;
    put(CONFIGURATION, get(CONFIGURATION) & ~(CONFIG_ENABLE | CONFIG_LEGACY));
    for (unsigned n = 0; n < count; n++)
        hpet_stop(n);
    put(COUNTER, 0);
    put(COUNTER + 4, 0);
    put(CONFIGURATION, (get(CONFIGURATION) & ~CONFIG_LEGACY) | CONFIG_ENABLE);
    return count < HPET_MAX_COMPARATORS ? count : HPET_MAX_COMPARATORS;
}

uint64_t hpet_hz(void)
{
    return FEMTO / get(PERIOD);
}

bool hpet_is_periodic(unsigned n)
{
    return (get(TIMER(n)) & TIMER_CAN_REPEAT) != 0;
}

uint32_t hpet_gsis(unsigned n)
{
    return get(TIMER(n) + TIMER_GSIS);
}

void hpet_stop(unsigned n)
{
    uint32_t kept = get(TIMER(n)) & ~(TIMER_ENABLED | TIMER_PERIODIC | TIMER_LEVEL | TIMER_FSB |
                                      TIMER_SET_VALUE | TIMER_GSI(0x1f));

    put(TIMER(n), kept);
    put(STATUS, 1u << n);
}

// Lets the comparator match `distance` ticks from now. False: the counter has passed that value
// already. If it passed before the value was written, the comparator matches only after a whole
// round.
static bool match_in(unsigned n, uint32_t config, uint32_t distance, uint32_t period)
{
    uint32_t at = TIMER(n);

    put(at, config);
    uint32_t value = get(COUNTER) + distance;
    put(at + TIMER_VALUE, value);
    // With TIMER_SET_VALUE the first write sets the comparator, the second the period.
    if (period != 0)
        put(at + TIMER_VALUE, period);
    return (int32_t)(value - get(COUNTER)) > 0;
}

void hpet_arm(unsigned n, unsigned gsi, uint32_t ticks, uint32_t period)
{
    uint32_t distance = LEAST_DISTANCE;

    hpet_stop(n);
    uint32_t config = get(TIMER(n)) | TIMER_ENABLED | TIMER_32BIT | TIMER_GSI(gsi);
    if (period != 0)
        config |= TIMER_PERIODIC | TIMER_SET_VALUE;
    while (!match_in(n, config, ticks > distance ? ticks : distance, period) &&
           distance < MOST_DISTANCE)
        distance *= 2;
}
