// SPDX-License-Identifier: Apache-2.0
// ACPI's fixed hardware: the PM timer and the PM1 registers (ACPI 6.5, 4.8.3).

#include "tests/guests/equiv/device.h"

enum {
    FADT_PM1A_EVENT = 56,
    FADT_PM1_EVENT_LENGTH = 88,
    FADT_FLAGS = 112,
    STATUS_ALL = 0xcf31,
    ENABLE_ALL = 0x4721,
    SCI_ENABLE = 1,
    BUS_MASTER = 2,
    SLEEP_TYPE = 0x1c00,
};

static uint32_t fadt_word(unsigned offset)
{
    uint32_t value = 0;
    uint64_t fadt = acpi_table("FACP");
    if (fadt)
        memcpy(&value, (const void *)(fadt + offset), sizeof(value));
    return value;
}

static void timer(void)
{
    uint16_t port = acpi_pm_timer();
    bool wide = fadt_word(FADT_FLAGS) >> 8 & 1;
    outcome("dev.pm.timer", "%s", port ? "there" : "absent");
    if (!port)
        return;
    unsigned back = 0;
    uint32_t last = inl(port) & 0xffffff;
    for (unsigned i = 0; i < 1000; i++) {
        uint32_t now = inl(port) & 0xffffff;
        back += ((now - last) & 0xffffff) > 0x800000;
        last = now;
    }
    outcome("dev.pm.timer-forward", "%u steps back of 1000", back);
    outcome("dev.pm.timer-width", "flag says %u bits, upper byte %s", wide ? 32 : 24,
            wide || inl(port) >> 24 == 0 ? "fits" : "does not fit");
    outl(port, 0);
    outcome("dev.pm.timer-write", "%s",
            ((inl(port) - last) & 0xffffff) < 0x800000 ? "changes nothing" : "sets it");
}

static void pm1(void)
{
    struct line line = {.used = 0};
    uint16_t event = (uint16_t)fadt_word(FADT_PM1A_EVENT);
    uint16_t enable = (uint16_t)(event + (fadt_word(FADT_PM1_EVENT_LENGTH) & 0xff) / 2);
    uint16_t control = acpi_pm1a_control();
    outcome("dev.pm.pm1-there", "event %u control %u, event length %u", event != 0, control != 0,
            fadt_word(FADT_PM1_EVENT_LENGTH) & 0xff);
    if (!event || !control)
        return;
    outw(event, STATUS_ALL);
    outcome("dev.pm.status-cleared", "0x%x", inw(event) & STATUS_ALL & ~1);
    outw(event, 0);
    outcome("dev.pm.status-zeros", "0x%x", inw(event) & STATUS_ALL & ~1);
    // Power button, global lock and RTC; none of them raises anything here.
    static const uint16_t enables[] = {0x0100, 0x0020, 0x0400, 0x0520, 0x0000};
    for (unsigned i = 0; i < COUNT(enables); i++) {
        outw(enable, enables[i]);
        line_hex(&line, inw(enable) & ENABLE_ALL);
    }
    outcome("dev.pm.enable", "%s", line.text);
    line.used = 0;
    outb(enable, 0x20);
    outb((uint16_t)(enable + 1), 0x05);
    line_hex(&line, inw(enable) & ENABLE_ALL);
    line_hex(&line, inb(enable));
    line_hex(&line, inb((uint16_t)(enable + 1)));
    outw(enable, 0);
    outcome("dev.pm.enable-bytes", "%s", line.text);
    line.used = 0;
    uint16_t before = inw(control);
    // Sleep types without SLP_EN do nothing.
    for (uint16_t type = 0; type < 8; type++) {
        outw(control, (uint16_t)((before & ~SLEEP_TYPE) | type << 10));
        line_hex(&line, inw(control) & SLEEP_TYPE);
    }
    outcome("dev.pm.sleep-type", "%s", line.text);
    outw(control, before);
    line.used = 0;
    outw(control, (uint16_t)(before | BUS_MASTER));
    line_field(&line, "bus master reload", inw(control) & BUS_MASTER);
    outw(control, (uint16_t)(before & ~BUS_MASTER));
    line_field(&line, "cleared", inw(control) & BUS_MASTER);
    outcome("dev.pm.control", "%s", line.text);
    outcome("dev.pm.sci-enabled", "%u", inw(control) & SCI_ENABLE);
    outw(control, before);
}

void dev_pm(void)
{
    timer();
    pm1();
}
