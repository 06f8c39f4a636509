// SPDX-License-Identifier: Apache-2.0
// Collects the problems that the checks of the configuration blob find. Each has a text for people,
// and a place that the host tool can turn into a line of the configuration file. Relies on
// arch/lib/format.h.
#include "partitions/blob_problem.h"

#include <stdarg.h>

#include "arch/lib/format.h"

static const enum status status_of_kind[] = {
    [BLOB_BAD_SIZE] = ERR_TRUNCATED,
    [BLOB_BAD_MAGIC] = ERR_INVALID,
    [BLOB_BAD_VERSION] = ERR_VERSION,
    [BLOB_BAD_CHECKSUM] = ERR_CHECKSUM,
    [BLOB_BAD_LAYOUT] = ERR_INVALID,
    [BLOB_UNKNOWN_SECTION] = ERR_VERSION,
    [BLOB_NO_PARTITION] = ERR_INVALID,
    [BLOB_BAD_NAME] = ERR_INVALID,
    [BLOB_DUPLICATE_NAME] = ERR_EXISTS,
    [BLOB_BAD_CPUS] = ERR_INVALID,
    [BLOB_DUPLICATE_CPU] = ERR_EXISTS,
    [BLOB_BAD_MEMORY] = ERR_INVALID,
    [BLOB_NO_IMAGE] = ERR_INVALID,
    [BLOB_BAD_TEXT] = ERR_INVALID,
    [BLOB_MANY_FILES] = ERR_INVALID,
    [BLOB_INITRD_AND_MODULES] = ERR_INVALID,
    [BLOB_NO_HASHED_MODULE] = ERR_INVALID,
    [BLOB_DIFFERENT_HASHES] = ERR_EXISTS,
    [BLOB_BAD_PORTS] = ERR_INVALID,
    [BLOB_OVERLAPPING_PORTS] = ERR_EXISTS,
    [BLOB_KEPT_PORTS] = ERR_DENIED,
    [BLOB_MANY_DEVICES] = ERR_INVALID,
    [BLOB_DUPLICATE_DEVICE] = ERR_EXISTS,
    [BLOB_NO_DEVICES] = ERR_INVALID,
    [BLOB_DUPLICATE_FRAMEBUFFER] = ERR_EXISTS,
    [BLOB_BAD_UUID] = ERR_INVALID,
    [BLOB_DUPLICATE_UUID] = ERR_EXISTS,
    [BLOB_NO_SUCH_CPU] = ERR_RANGE,
    [BLOB_TOO_FEW_CPUS] = ERR_RANGE,
    [BLOB_TOO_LITTLE_MEMORY] = ERR_NO_MEMORY,
    [BLOB_NO_MODULE] = ERR_NOT_FOUND,
    [BLOB_AMBIGUOUS_MODULE] = ERR_EXISTS,
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool blob_name_is_legal(const char *name)
{
    size_t length = 0;

    while (length <= BLOB_MAX_NAME && is_name_char(name[length]))
        length++;
    return length > 0 && length <= BLOB_MAX_NAME && name[length] == '\0';
}

// Lower case; characters that look like an l become one.
static char look(char c)
{
    if (c == '1' || c == 'I' || c == 'i')
        return 'l';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool blob_name_is_hypervisors(const char *name)
{
    const char *left = "bulkhead";

    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_')
            continue;
        if (look(*name) != *left)
            return false;
        left++;
    }
    return *left == '\0';
}

size_t blob_label(const struct blob *blob, unsigned partition, char text[BLOB_LABEL_SIZE])
{
    const char *name = blob_name(blob, partition);

    if (blob_name_is_legal(name))
        return format(text, BLOB_LABEL_SIZE, "partition \"%s\"", name);
    return format(text, BLOB_LABEL_SIZE, "partition number %u", partition + 1);
}

const char *blob_device_text(struct blob_device device, char text[BLOB_DEVICE_TEXT_SIZE])
{
    size_t used = 0;

    if (device.segment != 0)
        used = format(text, BLOB_DEVICE_TEXT_SIZE, "%04x:", device.segment);
    format(text + used, BLOB_DEVICE_TEXT_SIZE - used, "%02x:%02x.%x", device.bus, device.devfn >> 3,
           device.devfn & 7);
    return text;
}

const char *blob_uuid_text(const uint8_t uuid[BLOB_UUID_SIZE], char text[BLOB_UUID_TEXT_SIZE])
{
    size_t used = 0;

    for (unsigned i = 0; i < BLOB_UUID_SIZE; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;

        used += format(text + used, BLOB_UUID_TEXT_SIZE - used, dash ? "-%02x" : "%02x", uuid[i]);
    }
    return text;
}

void blob_problem_add(struct blob_problems *out, const struct blob *blob,
                      enum blob_problem_kind kind, struct blob_place place, const char *fmt, ...)
{
    if (out->count++ >= BLOB_MAX_PROBLEMS)
        return;

    struct blob_problem *problem = &out->list[out->count - 1];
    size_t used = 0;

    problem->kind = kind;
    problem->field = place.field;
    problem->partition = place.partition;
    problem->item = place.item;
    if (place.partition >= 0) {
        char label[BLOB_LABEL_SIZE];

        blob_label(blob, (unsigned)place.partition, label);
        used = format(problem->text, sizeof(problem->text), "%s: ", label);
    }

    va_list args;
    va_start(args, fmt);
    vformat(problem->text + used, sizeof(problem->text) - used, fmt, args);
    va_end(args);
}

enum status blob_problems_status(const struct blob_problems *problems)
{
    return problems->count == 0 ? STATUS_OK : status_of_kind[problems->list[0].kind];
}

unsigned blob_problems_kept(const struct blob_problems *problems)
{
    return problems->count < BLOB_MAX_PROBLEMS ? problems->count : BLOB_MAX_PROBLEMS;
}
