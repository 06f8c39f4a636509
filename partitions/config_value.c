// SPDX-License-Identifier: Apache-2.0
// Reads sizes, ranges of I/O ports, addresses of PCI functions, hashes and UUIDs from text. It is
// strict: nothing may precede or follow them.
#include "partitions/config_value.h"

#include <string.h>

// The value of a digit, or 16 if it isn't one.
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A' + 10);
    return 16;
}

// Moves `text` past the number. strtoull() would also accept blanks, signs and a second 0x. A
// leading 0 has no meaning: octal is never intended here.
static enum status parse_number(const char **text, bool may_be_hex, uint64_t *value)
{
    const char *c = *text;
    enum status status = STATUS_OK;
    unsigned base = 10;

    if (may_be_hex && c[0] == '0' && (c[1] == 'x' || c[1] == 'X')) {
        c += 2;
        base = 16;
    }
    if (digit_of(*c) >= base)
        return ERR_INVALID;
    for (*value = 0; digit_of(*c) < base; c++) {
        if (*value > (UINT64_MAX - digit_of(*c)) / base)
            status = ERR_RANGE;
        *value = *value * base + digit_of(*c);
    }
    *text = c;
    return status;
}

static int shift_of_unit(char unit)
{
    switch (unit) {
    case 'K':
    case 'k':
        return 10;
    case 'M':
    case 'm':
        return 20;
    case 'G':
    case 'g':
        return 30;
    default:
        return 0;
    }
}

enum status config_parse_size(const char *text, uint64_t *bytes)
{
    uint64_t number;
    enum status status = parse_number(&text, false, &number);
    int shift = shift_of_unit(*text);

    if (status == ERR_INVALID)
        return status;
    if (shift != 0)
        text++;
    if (*text != '\0')
        return ERR_INVALID;
    if (status != STATUS_OK || number > (UINT64_MAX >> shift))
        return ERR_RANGE;
    *bytes = number << shift;
    return STATUS_OK;
}

enum status config_parse_ports(const char *text, struct blob_ioports *ports)
{
    uint64_t first, last;
    enum status status = parse_number(&text, true, &first);
    enum status last_status;

    if (status == ERR_INVALID)
        return status;
    last = first;
    if (*text == '-') {
        text++;
        last_status = parse_number(&text, true, &last);
        if (last_status != STATUS_OK)
            status = last_status;
    }
    if (status == ERR_INVALID || *text != '\0')
        return ERR_INVALID;
    if (status != STATUS_OK || first > UINT16_MAX || last > UINT16_MAX)
        return ERR_RANGE;
    *ports = (struct blob_ioports){(uint16_t)first, (uint16_t)last};
    return STATUS_OK;
}

// Reads exactly `digits` hexadecimal digits and then `end`, and moves `text` past that.
static bool parse_hex(const char **text, unsigned digits, char end, unsigned *value)
{
    *value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (digit_of((*text)[i]) > 15)
            return false;
        *value = *value << 4 | digit_of((*text)[i]);
    }
    if ((*text)[digits] != end)
        return false;
    *text += digits + 1;
    return true;
}

enum status config_parse_pci(const char *text, struct blob_device *device)
{
    unsigned segment, bus, slot, function;
    const char *rest = text;

    if (!parse_hex(&rest, 4, ':', &segment)) {
        segment = 0;
        rest = text;
    }
    if (!parse_hex(&rest, 2, ':', &bus) || !parse_hex(&rest, 2, '.', &slot) ||
        !parse_hex(&rest, 1, '\0', &function))
        return ERR_INVALID;
    if (slot > 0x1f || function > 7)
        return ERR_RANGE;
    *device =
        (struct blob_device){(uint16_t)segment, (uint8_t)bus, (uint8_t)(slot << 3 | function)};
    return STATUS_OK;
}

enum status config_parse_sha256(const char *text, uint8_t hash[SHA256_SIZE])
{
    size_t digits = 0;

    for (; digit_of(text[digits]) < 16; digits++) {
        if (digits < 2 * SHA256_SIZE)
            hash[digits / 2] = (uint8_t)((unsigned)hash[digits / 2] << 4 | digit_of(text[digits]));
    }
    if (text[digits] != '\0')
        return ERR_INVALID;
    return digits == 2 * SHA256_SIZE ? STATUS_OK : ERR_RANGE;
}

enum status config_parse_uuid(const char *text, uint8_t uuid[BLOB_UUID_SIZE])
{
    static const unsigned part_bytes[] = {4, 2, 2, 2, 6}; // RFC 9562, 4
    unsigned value, byte = 0;

    for (size_t part = 0; part < ARRAY_SIZE(part_bytes); part++) {
        if (part > 0 && *text++ != '-')
            return ERR_INVALID;
        for (unsigned i = 0; i < part_bytes[part]; i++) {
            if (digit_of(text[0]) > 15 || digit_of(text[1]) > 15)
                return ERR_INVALID;
            value = digit_of(text[0]) << 4 | digit_of(text[1]);
            uuid[byte++] = (uint8_t)value;
            text += 2;
        }
    }
    return *text == '\0' ? STATUS_OK : ERR_INVALID;
}

void config_uuid_of_name(const char *name, uint8_t uuid[BLOB_UUID_SIZE])
{
    // A prefix, because other software hashes names too.
    static const char space[] = "bulkhead partition ";
    uint8_t hash[SHA256_SIZE];
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, space, sizeof(space) - 1);
    sha256_update(&s, name, strlen(name));
    sha256_final(&s, hash);
    memcpy(uuid, hash, BLOB_UUID_SIZE);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80); // version 8
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); // variant of RFC 9562
}
