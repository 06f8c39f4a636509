// SPDX-License-Identifier: Apache-2.0
// How BIOS calls are answered: like a PC whose BIOS lacks the function, so that a guest that
// doesn't need it continues.
#include "hv/guest/bios_rules.h"

#define ANY 0x00, 0xff

#define UNSUPPORTED     0x86 // int 15h: function not supported
#define DISK_INVALID    0x01 // int 13h: invalid function or drive
#define PCI_UNSUPPORTED 0x81 // int 1ah, AH b1h
#define SERIAL_TIMEOUT  0x80
#define PRINTER_TIMEOUT 0x01

#define BDA_EQUIPMENT   0x410
#define BDA_BASE_MEMORY 0x413
#define BDA_SHIFT_FLAGS 0x417

static const char exception[] = "an exception in real mode";
static const char interrupt[] = "a hardware interrupt or a trap";

static const struct bios_rule rules[] = {
    // As on a PC, whose BIOS returns. A fault then repeats, and only its own CPU makes no progress.
    {0x00, 0x00, ANY, BIOS_NOTHING, 0, exception},
    {0x05, 0x07, ANY, BIOS_NOTHING, 0, exception},
    {0x0c, 0x0d, ANY, BIOS_NOTHING, 0, exception},
    {0x01, 0x0f, ANY, BIOS_NOTHING, 0, interrupt},
    {0x10, 0x10, ANY, BIOS_NOTHING, 0, "video"},
    {0x11, 0x11, ANY, BIOS_WORD, BDA_EQUIPMENT, "equipment list"},
    {0x12, 0x12, ANY, BIOS_WORD, BDA_BASE_MEMORY, "memory size"},
    {0x13, 0x13, ANY, BIOS_ERROR, DISK_INVALID, "disk"},
    {0x14, 0x14, ANY, BIOS_STATUS, SERIAL_TIMEOUT, "serial port"},
    {0x15, 0x15, ANY, BIOS_ERROR, UNSUPPORTED, "system services"},
    {0x16, 0x16, 0x01, 0x01, BIOS_NO_KEY, 0, "keyboard"},
    {0x16, 0x16, 0x11, 0x11, BIOS_NO_KEY, 0, "keyboard"},
    {0x16, 0x16, 0x00, 0x00, BIOS_STOP, 0, "waits for a key"},
    {0x16, 0x16, 0x10, 0x10, BIOS_STOP, 0, "waits for a key"},
    {0x16, 0x16, ANY, BIOS_WORD, BDA_SHIFT_FLAGS, "keyboard"},
    {0x17, 0x17, ANY, BIOS_STATUS, PRINTER_TIMEOUT, "printer"},
    {0x18, 0x19, ANY, BIOS_STOP, 0, "boot from a disk"},
    {0x1a, 0x1a, 0xb1, 0xb1, BIOS_ERROR, PCI_UNSUPPORTED, "PCI"},
    {0x1a, 0x1a, ANY, BIOS_ERROR, UNSUPPORTED, "time of day"},
    {0x00, 0xff, ANY, BIOS_NOTHING, 0, "no service of a BIOS"},
};

const struct bios_rule *bios_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

const struct bios_rule *bios_rule_find(uint8_t vector, uint8_t function)
{
    const struct bios_rule *r = rules;
    while (vector < r->first || vector > r->last || function < r->function_first ||
           function > r->function_last) {
        r++; // the last row matches everything
    }
    return r;
}
