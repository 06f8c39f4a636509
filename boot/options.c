// SPDX-License-Identifier: Apache-2.0
// The command line's words: boot/options.h.
#include "boot/options.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"

bool boot_option(const char *cmdline, const char *name, char *value, size_t size)
{
    size_t name_length = strlen(name);
    bool found = false;

    value[0] = '\0';
    for (const char *p = cmdline; *p != '\0';) {
        size_t length = 0;

        while (p[length] != '\0' && p[length] != ' ' && p[length] != '\t')
            length++;
        if (length > name_length && strncmp(p, name, name_length) == 0 && p[name_length] == '=') {
            size_t rest = length - name_length - 1;

            format(value, size, "%.*s", (int)min_u64(rest, size), p + name_length + 1);
            found = true;
        }
        p += length;
        p += *p != '\0';
    }
    return found;
}
