// SPDX-License-Identifier: Apache-2.0
// Converts a configuration file to struct config: which keys there are, their types, and that the
// required ones are present. It continues after an error, so that a user sees all of them. Relies
// on config_syntax.c for the syntax and on libconfig for the tree. blob_check() judges what the
// values mean.
#include <stdio.h>
#include <string.h>

#include "partitions/blob_problem.h"
#include "partitions/config.h"
#include "partitions/config_syntax.h"
#include "partitions/config_text.h"
#include "partitions/config_value.h"

// The keys of a partition. A required key has an example of how to write it.
static const struct key {
    const char *name;
    enum blob_field field;
    const char *needed;
} keys[] = {
    {"name", BLOB_FIELD_NAME, "name = \"alpha\";"},
    {"cpus", BLOB_FIELD_CPUS, "cpus = 1;"},
    {"memory", BLOB_FIELD_MEMORY, "memory = \"512M\";"},
    {"image", BLOB_FIELD_IMAGE, "image = \"vmlinuz\";"},
    {"image_sha256", BLOB_FIELD_IMAGE_SHA256, NULL},
    {"initrd", BLOB_FIELD_INITRD, NULL},
    {"initrd_sha256", BLOB_FIELD_INITRD_SHA256, NULL},
    {"cmdline", BLOB_FIELD_CMDLINE, NULL},
    {"modules", BLOB_FIELD_MODULES, NULL},
    {"ioports", BLOB_FIELD_IOPORTS, NULL},
    {"devices", BLOB_FIELD_DEVICES, NULL},
    {"trust_dma", BLOB_FIELD_TRUST_DMA, NULL},
    {"on_dma_fault", BLOB_FIELD_ON_DMA_FAULT, NULL},
    {"framebuffer", BLOB_FIELD_FRAMEBUFFER, NULL},
    {"uuid", BLOB_FIELD_UUID, NULL},
    {"on_stray_access", BLOB_FIELD_ON_STRAY_ACCESS, NULL},
    {"hpet", BLOB_FIELD_HPET, NULL},
    {"multiboot_name", BLOB_FIELD_MULTIBOOT_NAME, NULL},
};

#define KEY_NAMES                                                                                  \
    "name, cpus, memory, image, image_sha256, initrd, initrd_sha256, cmdline, modules, ioports, "  \
    "devices, trust_dma, on_dma_fault, framebuffer, uuid, on_stray_access, hpet, multiboot_name"

// The text from which the tree was made is a hook of its root.
static const struct config_text *text_of(const config_setting_t *setting)
{
    while (!config_setting_is_root(setting))
        setting = config_setting_parent(setting);
    return config_setting_get_hook(setting);
}

// For a text in a list libconfig records the line of the next token, because a second text to join
// could follow. So the text is searched upwards from there. A text written with escapes is not
// found and keeps libconfig's line.
static unsigned line_of_entry(const struct config_text *text, const char *entry, unsigned line)
{
    size_t length = strlen(entry);
    unsigned found = line;
    unsigned at = 1;

    for (const char *c = text->bytes; *c != '\0' && at <= line; c++) {
        if (*c == '"' && strncmp(c + 1, entry, length) == 0 && c[1 + length] == '"')
            found = at;
        at += *c == '\n';
    }
    return found;
}

struct config_place config_place_of(const config_setting_t *setting)
{
    const struct config_text *text = text_of(setting);
    unsigned line = config_setting_source_line(setting);

    if (config_setting_name(setting) == NULL && config_setting_type(setting) == CONFIG_TYPE_STRING)
        line = line_of_entry(text, config_setting_get_string(setting), line);
    return config_text_place(text, line);
}

const char *config_type_name(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "a number";
    case CONFIG_TYPE_FLOAT:
        return "a number with a fraction";
    case CONFIG_TYPE_BOOL:
        return "a truth value";
    case CONFIG_TYPE_STRING:
        return "a text";
    case CONFIG_TYPE_ARRAY:
        return "an array";
    case CONFIG_TYPE_LIST:
        return "a list";
    case CONFIG_TYPE_GROUP:
        return "a group";
    default:
        return "nothing";
    }
}

// ---- one partition ---------------------------------------------------------------------------

static void parse_text(const config_setting_t *setting, const char *label, enum blob_field field,
                       const char **text, struct config_partition *p,
                       struct config_messages *messages)
{
    const char *key = config_setting_name(setting);

    if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
        config_message(messages, config_place_of(setting),
                       "%s: %s must be a text in quotes, not %s", label, key,
                       config_type_name(setting));
        p->is_reported[field] = true;
        return;
    }
    *text = config_setting_get_string(setting);
}

static void parse_name(const config_setting_t *setting, const char *label,
                       struct config_partition *p, struct config_messages *messages)
{
    const char *name = p->name;

    parse_text(setting, label, BLOB_FIELD_NAME, &name, p, messages);
    if (strlen(name) <= BLOB_MAX_NAME) {
        p->name = name;
        return;
    }
    config_message(messages, config_place_of(setting),
                   "%s: its name has %zu characters, at most %d are allowed", label, strlen(name),
                   BLOB_MAX_NAME);
    p->is_reported[BLOB_FIELD_NAME] = true;
}

// Only a text is allowed: libconfig 1.5 silently cuts a plain number to 32 bits, so that 4608 MiB
// in bytes would become 512 MiB.
static void parse_memory(const config_setting_t *setting, const char *label,
                         struct config_partition *p, struct config_messages *messages)
{
    enum status status = ERR_INVALID;

    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        status = config_parse_size(config_setting_get_string(setting), &p->memory);
    if (status == STATUS_OK)
        return;
    if (status == ERR_RANGE)
        config_message(messages, config_place_of(setting),
                       "%s: no memory can have this size; 2M to 1024G is possible", label);
    else
        config_message(messages, config_place_of(setting),
                       "%s: memory must be a size in quotes, such as \"512M\" (with K, M or G, or "
                       "in bytes)",
                       label);
    p->is_reported[BLOB_FIELD_MEMORY] = true;
}

static void parse_initrd(const config_setting_t *setting, const char *label,
                         struct config_partition *p, struct config_messages *messages)
{
    parse_text(setting, label, BLOB_FIELD_INITRD, &p->initrd, p, messages);
    if (!p->is_reported[BLOB_FIELD_INITRD] && p->initrd[0] == '\0')
        config_message(messages, config_place_of(setting),
                       "%s: initrd is empty; name a boot module or leave initrd out", label);
}

static bool is_truth_text(const config_setting_t *setting)
{
    const char *text = "";

    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        text = config_setting_get_string(setting);
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

// `value` sets the flag. The other truth value is the default.
static void parse_flag(const config_setting_t *setting, const char *label, bool value,
                       uint32_t flag, struct config_partition *p, struct config_messages *messages)
{
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        config_message(messages, config_place_of(setting), "%s: %s must be true or false, not %s%s",
                       label, config_setting_name(setting), config_type_name(setting),
                       is_truth_text(setting) ? "; leave the quotes out" : "");
    else if ((config_setting_get_bool(setting) != 0) == value)
        p->flags |= flag;
}

// One of two words: "stop" sets `flag`, the other clears it.
static void parse_stop_or(const config_setting_t *setting, const char *label, const char *other,
                          uint32_t flag, struct config_partition *p,
                          struct config_messages *messages)
{
    const char *text = "";

    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        text = config_setting_get_string(setting);
    if (strcmp(text, "stop") == 0)
        p->flags |= flag;
    else if (strcmp(text, other) != 0)
        config_message(messages, config_place_of(setting), "%s: %s must be \"%s\" or \"stop\"",
                       label, config_setting_name(setting), other);
}

static void parse_uuid(const config_setting_t *setting, const char *label,
                       struct config_partition *p, struct config_messages *messages)
{
    const char *text = "";

    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        text = config_setting_get_string(setting);
    p->has_uuid = config_parse_uuid(text, p->uuid) == STATUS_OK;
    if (p->has_uuid)
        return;
    config_message(messages, config_place_of(setting),
                   "%s: uuid must be a UUID in quotes, as uuidgen prints it: "
                   "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"",
                   label);
    p->is_reported[BLOB_FIELD_UUID] = true;
}

static void parse_key(const struct key *key, const config_setting_t *setting, const char *label,
                      struct config_used *used, struct config_partition *p,
                      struct config_messages *messages)
{
    switch (key->field) {
    case BLOB_FIELD_NAME:
        parse_name(setting, label, p, messages);
        break;
    case BLOB_FIELD_CPUS:
        config_parse_cpus(setting, label, used, p, messages);
        break;
    case BLOB_FIELD_MEMORY:
        parse_memory(setting, label, p, messages);
        break;
    case BLOB_FIELD_IMAGE:
        parse_text(setting, label, key->field, &p->image, p, messages);
        break;
    case BLOB_FIELD_IMAGE_SHA256:
        config_parse_hash(setting, label, key->name, &p->image_hash, messages);
        break;
    case BLOB_FIELD_INITRD_SHA256:
        config_parse_hash(setting, label, key->name, &p->initrd_hash, messages);
        break;
    case BLOB_FIELD_INITRD:
        parse_initrd(setting, label, p, messages);
        break;
    case BLOB_FIELD_CMDLINE:
        parse_text(setting, label, key->field, &p->cmdline, p, messages);
        break;
    case BLOB_FIELD_MODULES:
        config_parse_modules(setting, label, used, p, messages);
        break;
    case BLOB_FIELD_IOPORTS:
        config_parse_ioports(setting, label, used, p, messages);
        break;
    case BLOB_FIELD_DEVICES:
        config_parse_devices(setting, label, used, p, messages);
        break;
    case BLOB_FIELD_TRUST_DMA:
        parse_flag(setting, label, true, BLOB_TRUST_DMA, p, messages);
        break;
    case BLOB_FIELD_ON_DMA_FAULT:
        parse_stop_or(setting, label, "log", BLOB_STOP_ON_DMA_FAULT, p, messages);
        break;
    case BLOB_FIELD_FRAMEBUFFER:
        parse_flag(setting, label, true, BLOB_FRAMEBUFFER, p, messages);
        break;
    case BLOB_FIELD_UUID:
        parse_uuid(setting, label, p, messages);
        break;
    case BLOB_FIELD_ON_STRAY_ACCESS:
        parse_stop_or(setting, label, "ignore", BLOB_STOP_ON_STRAY, p, messages);
        break;
    case BLOB_FIELD_HPET:
        parse_flag(setting, label, true, BLOB_HPET, p, messages);
        break;
    case BLOB_FIELD_MULTIBOOT_NAME:
        parse_flag(setting, label, false, BLOB_NO_IMAGE_NAME, p, messages);
        break;
    default:
        break;
    }
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (strcmp(name, keys[i].name) == 0)
            return &keys[i];
    }
    return NULL;
}

void config_label(const char *name, unsigned index, char label[BLOB_LABEL_SIZE])
{
    if (blob_name_is_legal(name))
        snprintf(label, BLOB_LABEL_SIZE, "partition \"%s\"", name);
    else
        snprintf(label, BLOB_LABEL_SIZE, "partition number %u", index + 1);
}

static void parse_partition(const config_setting_t *group, unsigned index, struct config_used *used,
                            struct config_partition *p, struct config_messages *messages)
{
    char label[BLOB_LABEL_SIZE];
    const char *name = "";

    *p = (struct config_partition){
        .place = config_place_of(group), .name = "", .image = "", .initrd = "", .cmdline = ""};
    for (int field = 0; field < BLOB_FIELD_COUNT; field++)
        p->fields[field] = p->place;

    if (config_setting_type(group) != CONFIG_TYPE_GROUP) {
        config_message(messages, p->place, "partition number %u must be a group, { ... }, not %s",
                       index + 1, config_type_name(group));
        for (int field = 0; field < BLOB_FIELD_COUNT; field++)
            p->is_reported[field] = true;
        return;
    }
    config_setting_lookup_string(group, "name", &name); // unchanged if there is none
    config_label(name, index, label);
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const struct key *key = find_key(config_setting_name(setting));

        if (key == NULL) {
            config_message(messages, config_place_of(setting),
                           "%s: unknown key \"%s\"; there are " KEY_NAMES, label,
                           config_setting_name(setting));
            continue;
        }
        p->fields[key->field] = config_place_of(setting);
        parse_key(key, setting, label, used, p, messages);
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].needed != NULL && config_setting_get_member(group, keys[i].name) == NULL) {
            config_message(messages, p->place, "%s: it has no %s; add one, such as %s", label,
                           keys[i].name, keys[i].needed);
            p->is_reported[keys[i].field] = true;
        }
    }
}

// ---- the file --------------------------------------------------------------------------------

static void parse_partitions(const config_setting_t *list, struct config *config,
                             struct config_messages *messages)
{
    struct config_used used = {0};

    config->place = config_place_of(list);
    if (config_setting_type(list) != CONFIG_TYPE_LIST) {
        config_message(messages, config->place,
                       "partitions must be a list of groups, ( { ... }, { ... } ), not %s",
                       config_type_name(list));
        return;
    }
    if (config_setting_length(list) == 0)
        config_message(messages, config->place, "there is no partition; configure one at least");
    config->partitions =
        config_alloc((size_t)config_setting_length(list), sizeof(*config->partitions));
    for (int i = 0; i < config_setting_length(list); i++) {
        const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

        if (config->partition_count == MAX_PARTITIONS) {
            config_message(messages, config_place_of(group),
                           "there are more than %d partitions; leave out this one and those "
                           "after it, which were not checked",
                           MAX_PARTITIONS);
            return;
        }
        parse_partition(group, (unsigned)i, &used, &config->partitions[i], messages);
        config->partition_count++;
    }
}

static void parse_tree(const config_t *tree, const char *path, struct config *config,
                       struct config_messages *messages)
{
    const config_setting_t *root = config_root_setting(tree);
    bool found = false;

    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);

        if (strcmp(config_setting_name(setting), "partitions") == 0) {
            found = true;
            parse_partitions(setting, config, messages);
        } else {
            config_message(messages, config_place_of(setting),
                           "unknown key \"%s\"; at the top there is only partitions",
                           config_setting_name(setting));
        }
    }
    if (!found)
        config_message(messages, (struct config_place){path, 1},
                       "there is no partitions list; write partitions = ( { ... } );");
}

struct slips {
    const struct config_text *text;
    struct config_messages *messages;
};

static void report_slip(void *context, const struct config_slip *slip)
{
    const struct slips *slips = context;
    struct config_place place = config_text_place(slips->text, slip->line);
    struct config_place opened = config_text_place(slips->text, slip->opened);

    if (slip->opened == 0)
        config_message(slips->messages, place, "%s", slip->text);
    else
        config_message(slips->messages, place, "%s; it was opened at %s:%u", slip->text,
                       opened.file, opened.line);
}

// Makes the tree. False, with messages, if libconfig can't read the text as it is meant.
static bool parse_text_of(const struct config_text *text, config_t *tree,
                          struct config_messages *messages)
{
    struct slips slips = {text, messages};
    int line;

    if (!config_syntax_check(text->bytes, report_slip, &slips))
        return false;
    if (config_read_string(tree, text->bytes) == CONFIG_TRUE)
        return true;
    line = config_error_line(tree);
    config_message(messages, config_text_place(text, line > 0 ? (unsigned)line : 0),
                   "libconfig: %s", config_error_text(tree));
    return false;
}

void config_parse(const char *path, config_t *tree, struct config *config,
                  struct config_messages *messages)
{
    struct config_text *text = config_alloc(1, sizeof(*text));
    bool good;

    *config = (struct config){.place = {path, 1}};
    good = config_text_read(text, path, messages) && parse_text_of(text, tree, messages);
    // Only now, because reading makes another root. The tree frees the text.
    config_set_destructor(tree, config_text_free);
    config_setting_set_hook(config_root_setting(tree), text);
    if (good)
        parse_tree(tree, path, config, messages);
}
