// SPDX-License-Identifier: Apache-2.0
// The keys of a partition with a list as value: cpus, modules, ioports, devices. A bad entry gets a
// message and is left out; the others are still read.
#include <stdio.h>
#include <string.h>

#include "partitions/config.h"
#include "partitions/config_value.h"

static bool is_list(const config_setting_t *setting)
{
    int type = config_setting_type(setting);

    return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
}

// Reads a whole number from 0 to UINT16_MAX. False if it isn't one.
static bool read_number(const config_setting_t *setting, uint16_t *number)
{
    int type = config_setting_type(setting);
    long long value;

    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
        return false;
    value = config_setting_get_int64(setting);
    if (value < 0 || value > UINT16_MAX)
        return false;
    *number = (uint16_t)value;
    return true;
}

static size_t length_of(const config_setting_t *list)
{
    return (size_t)config_setting_length(list);
}

// ---- cpus ------------------------------------------------------------------------------------

void config_parse_cpus(const config_setting_t *setting, const char *label, struct config_used *used,
                       struct config_partition *p, struct config_messages *messages)
{
    uint16_t number;

    if (read_number(setting, &number)) {
        p->cpu_count = number;
        return;
    }
    if (!is_list(setting)) {
        config_message(messages, config_place_of(setting),
                       "%s: cpus must be a count, 1 to %d, or a list of CPU numbers such as [2, 3]",
                       label, MAX_CPUS);
        p->is_reported[BLOB_FIELD_CPUS] = true;
        return;
    }

    p->cpus = config_alloc(length_of(setting), sizeof(*p->cpus));
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);

        if (!read_number(item, &number)) {
            config_message(messages, config_place_of(item),
                           "%s: entry %d of cpus must be the number of a CPU, 0 to %d", label,
                           i + 1, MAX_CPUS - 1);
        } else if (used->cpus == MAX_CPUS) {
            config_message(messages, config_place_of(item),
                           "%s: the partitions list more than %d CPUs together", label, MAX_CPUS);
            return;
        } else {
            used->cpus++;
            p->cpus[p->cpu_count++] = (struct config_cpu){config_place_of(item), number};
        }
    }
    // blob_check() reports an empty list. A list without a valid entry has its messages already.
    if (p->cpu_count == 0 && config_setting_length(setting) != 0)
        p->is_reported[BLOB_FIELD_CPUS] = true;
}

// ---- modules ---------------------------------------------------------------------------------

static bool read_text(const config_setting_t *setting, const char *label, int number,
                      const char **text, struct config_messages *messages)
{
    if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
        config_message(messages, config_place_of(setting),
                       "%s: %s of module %d must be a text in quotes, not %s", label,
                       config_setting_name(setting), number, config_type_name(setting));
        return false;
    }
    *text = config_setting_get_string(setting);
    return true;
}

static bool read_hash(const config_setting_t *setting, const char *label, int number,
                      struct blob_hash *hash, struct config_messages *messages)
{
    char what[48];

    snprintf(what, sizeof(what), "%s of module %d", config_setting_name(setting), number);
    return config_parse_hash(setting, label, what, hash, messages);
}

static bool parse_module_group(const config_setting_t *group, const char *label, int number,
                               struct config_module *module, struct config_messages *messages)
{
    bool good = true;

    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *key = config_setting_name(setting);

        if (strcmp(key, "name") == 0) {
            good &= read_text(setting, label, number, &module->name, messages);
        } else if (strcmp(key, "cmdline") == 0) {
            good &= read_text(setting, label, number, &module->cmdline, messages);
        } else if (strcmp(key, "sha256") == 0) {
            good &= read_hash(setting, label, number, &module->hash, messages);
        } else {
            config_message(messages, config_place_of(setting),
                           "%s: unknown key \"%s\" of module %d; there are name, cmdline, sha256",
                           label, key, number);
            good = false;
        }
    }
    if (config_setting_get_member(group, "name") == NULL) {
        config_message(messages, config_place_of(group), "%s: module %d has no name", label,
                       number);
        good = false;
    }
    return good;
}

static bool parse_module(const config_setting_t *setting, const char *label, int number,
                         struct config_module *module, struct config_messages *messages)
{
    *module = (struct config_module){.place = config_place_of(setting), .name = "", .cmdline = ""};
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        module->name = config_setting_get_string(setting);
        return true;
    case CONFIG_TYPE_GROUP:
        return parse_module_group(setting, label, number, module, messages);
    default:
        config_message(messages, module->place,
                       "%s: module %d must be a name in quotes or a group, { name = ...; cmdline "
                       "= ...; }, not %s",
                       label, number, config_type_name(setting));
        return false;
    }
}

void config_parse_modules(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages)
{
    if (!is_list(setting)) {
        config_message(messages, config_place_of(setting),
                       "%s: modules must be a list such as ( \"one\", \"two\" ), not %s", label,
                       config_type_name(setting));
        p->is_reported[BLOB_FIELD_MODULES] = true;
        return;
    }
    p->modules = config_alloc(length_of(setting), sizeof(*p->modules));
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct config_module module;

        if (!parse_module(item, label, i + 1, &module, messages))
            continue;
        if (used->modules == BLOB_MAX_MODULES) {
            config_message(messages, module.place,
                           "%s: the partitions have more than %d modules together", label,
                           BLOB_MAX_MODULES);
            return;
        }
        p->modules[p->module_count++] = module;
        used->modules++;
    }
}

// ---- ioports ---------------------------------------------------------------------------------

static bool parse_ioport_entry(const config_setting_t *setting, const char *label, int number,
                               struct config_ioports *entry, struct config_messages *messages)
{
    enum status status = ERR_INVALID;

    entry->place = config_place_of(setting);
    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        status = config_parse_ports(config_setting_get_string(setting), &entry->ports);
    if (status == ERR_INVALID)
        config_message(messages, entry->place,
                       "%s: entry %d of ioports must be a range such as \"0xf4-0xf7\" or a port "
                       "such as \"0xf4\", in quotes",
                       label, number);
    else if (status == ERR_RANGE)
        config_message(messages, entry->place,
                       "%s: entry %d of ioports names a port that does not exist; the last one is "
                       "0xffff",
                       label, number);
    return status == STATUS_OK;
}

void config_parse_ioports(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages)
{
    if (!is_list(setting)) {
        config_message(messages, config_place_of(setting),
                       "%s: ioports must be a list such as ( \"0xf4-0xf7\" ), not %s", label,
                       config_type_name(setting));
        p->is_reported[BLOB_FIELD_IOPORTS] = true;
        return;
    }
    p->ioports = config_alloc(length_of(setting), sizeof(*p->ioports));
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct config_ioports entry;

        if (!parse_ioport_entry(item, label, i + 1, &entry, messages))
            continue;
        if (used->ioports == BLOB_MAX_IOPORTS) {
            config_message(messages, entry.place,
                           "%s: the partitions have more than %d ioports entries together", label,
                           BLOB_MAX_IOPORTS);
            return;
        }
        p->ioports[p->ioport_count++] = entry;
        used->ioports++;
    }
}

// ---- devices ---------------------------------------------------------------------------------

static bool parse_pci(const config_setting_t *setting, const char *label, int number,
                      struct config_device *entry, struct config_messages *messages)
{
    enum status status = ERR_INVALID;

    entry->place = config_place_of(setting);
    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        status = config_parse_pci(config_setting_get_string(setting), &entry->device);
    if (status == ERR_INVALID)
        config_message(messages, entry->place,
                       "%s: device %d: pci must be a string like \"00:03.0\" or \"0000:00:03.0\"",
                       label, number);
    else if (status == ERR_RANGE)
        config_message(messages, entry->place,
                       "%s: device %d: pci names a function that can't exist; devices are 00 to "
                       "1f, functions 0 to 7",
                       label, number);
    return status == STATUS_OK;
}

static bool parse_device(const config_setting_t *group, const char *label, int number,
                         struct config_device *entry, struct config_messages *messages)
{
    bool good = true;

    if (config_setting_type(group) != CONFIG_TYPE_GROUP) {
        config_message(messages, config_place_of(group),
                       "%s: device %d must be a group, { pci = \"00:03.0\"; }, not %s", label,
                       number, config_type_name(group));
        return false;
    }
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

        if (strcmp(config_setting_name(setting), "pci") == 0) {
            good &= parse_pci(setting, label, number, entry, messages);
        } else {
            config_message(messages, config_place_of(setting),
                           "%s: unknown key \"%s\" of device %d; there is pci", label,
                           config_setting_name(setting), number);
            good = false;
        }
    }
    if (config_setting_get_member(group, "pci") == NULL) {
        config_message(messages, config_place_of(group), "%s: device %d has no pci", label, number);
        good = false;
    }
    return good;
}

static bool add_device(const struct config_device *entry, const char *label,
                       struct config_used *used, struct config_partition *p,
                       struct config_messages *messages)
{
    if (used->devices == BLOB_MAX_DEVICES) {
        config_message(messages, entry->place,
                       "%s: the partitions have more than %d devices together", label,
                       BLOB_MAX_DEVICES);
        return false;
    }
    p->devices[p->device_count++] = *entry;
    used->devices++;
    return true;
}

void config_parse_devices(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages)
{
    bool meant = true; // devices were intended, even if no entry is valid

    if (!is_list(setting)) {
        config_message(messages, config_place_of(setting),
                       "%s: devices must be a list such as ( { pci = \"00:03.0\"; } ), not %s",
                       label, config_type_name(setting));
        p->is_reported[BLOB_FIELD_DEVICES] = true;
    } else {
        meant = config_setting_length(setting) != 0;
        p->devices = config_alloc(length_of(setting), sizeof(*p->devices));
        for (int i = 0; i < config_setting_length(setting); i++) {
            const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
            struct config_device entry;

            if (parse_device(item, label, i + 1, &entry, messages) &&
                !add_device(&entry, label, used, p, messages))
                break;
        }
    }
    // Then a trust_dma without devices is not an error of its own.
    if (meant && p->device_count == 0)
        p->is_reported[BLOB_FIELD_TRUST_DMA] = p->is_reported[BLOB_FIELD_ON_DMA_FAULT] = true;
}
