// SPDX-License-Identifier: Apache-2.0
// Reads sizes and ranges of I/O ports from text, strictly: nothing may precede or follow them.
#include "partitions/config_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

// strtoull() would take leading blanks and signs too. Base 0 is C's notation, except that a leading
// 0 is read as decimal: nobody means octal here.
static enum status parse_number(const char **text, bool c_notation, uint64_t *value)
{
    const char *start = *text;
    int base = 10;
    char *end;

    if (c_notation && start[0] == '0' && (start[1] == 'x' || start[1] == 'X')) {
        start += 2;
        base = 16;
    }
    if (!isxdigit((unsigned char)*start))
        return ERR_INVALID;
    errno = 0;
    *value = strtoull(start, &end, base);
    if (end == start)
        return ERR_INVALID;
    *text = end;
    return errno == ERANGE ? ERR_RANGE : STATUS_OK;
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
