// SPDX-License-Identifier: Apache-2.0
// The SHA-256 of boot modules: as a configuration file gives it, and as computed from the modules'
// files. Both must agree.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "partitions/config.h"
#include "partitions/config_value.h"

#define MAX_PATH_SIZE  4096
#define HASH_TEXT_SIZE (2 * SHA256_SIZE + 1)

// ---- in the configuration --------------------------------------------------------------------

bool config_parse_hash(const config_setting_t *setting, const char *label, const char *what,
                       struct blob_hash *hash, struct config_messages *messages)
{
    struct blob_hash given = {.is_given = 1};
    const char *text;

    if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
        config_message(messages, config_place_of(setting),
                       "%s: %s must be a text in quotes, not %s", label, what,
                       config_type_name(setting));
        return false;
    }
    text = config_setting_get_string(setting);
    switch (config_parse_sha256(text, given.sha256)) {
    case STATUS_OK:
        *hash = given;
        return true;
    case ERR_RANGE:
        config_message(messages, config_place_of(setting),
                       "%s: %s must be the %d hexadecimal digits that sha256sum prints; it has %zu",
                       label, what, 2 * SHA256_SIZE, strlen(text));
        return false;
    default:
        config_message(messages, config_place_of(setting),
                       "%s: %s must be the %d hexadecimal digits that sha256sum prints; it holds "
                       "something else",
                       label, what, 2 * SHA256_SIZE);
        return false;
    }
}

// ---- of files --------------------------------------------------------------------------------

// A module that a partition uses, in struct config.
struct use {
    char label[BLOB_LABEL_SIZE]; // of the partition
    const char *name;
    struct blob_hash *hash;
    struct config_place place;      // of its name
    struct config_place hash_place; // of its hash, if the configuration has one
};

// What is known about a module by its name.
struct found {
    const char *name;
    struct blob_hash hash; // of its file, if there is one
    char path[MAX_PATH_SIZE];
};

static unsigned count_uses(const struct config *config)
{
    unsigned count = 0;

    for (unsigned i = 0; i < config->partition_count; i++)
        count += 2 + config->partitions[i].module_count; // plus its image and its initrd
    return count;
}

// `uses` has room for count_uses().
static unsigned list_uses(struct config *config, struct use *uses)
{
    unsigned count = 0;

    for (unsigned i = 0; i < config->partition_count; i++) {
        struct config_partition *p = &config->partitions[i];
        unsigned first = count;

        // A missing name has its message elsewhere.
        if (p->image[0] != '\0')
            uses[count++] = (struct use){.name = p->image,
                                         .hash = &p->image_hash,
                                         .place = p->fields[BLOB_FIELD_IMAGE],
                                         .hash_place = p->fields[BLOB_FIELD_IMAGE_SHA256]};
        if (p->initrd[0] != '\0')
            uses[count++] = (struct use){.name = p->initrd,
                                         .hash = &p->initrd_hash,
                                         .place = p->fields[BLOB_FIELD_INITRD],
                                         .hash_place = p->fields[BLOB_FIELD_INITRD_SHA256]};
        for (unsigned m = 0; m < p->module_count; m++) {
            struct config_module *module = &p->modules[m];

            if (module->name[0] != '\0')
                uses[count++] = (struct use){.name = module->name,
                                             .hash = &module->hash,
                                             .place = module->place,
                                             .hash_place = module->place};
        }
        for (; first < count; first++)
            config_label(p->name, i, uses[first].label);
    }
    return count;
}

static bool is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

// Writes the path of the first file with this name.
static bool find_file(const struct config_folders *folders, const char *name,
                      char path[MAX_PATH_SIZE])
{
    for (unsigned i = 0; i < folders->count; i++) {
        if (snprintf(path, MAX_PATH_SIZE, "%s/%s", folders->path[i], name) < MAX_PATH_SIZE &&
            is_file(path))
            return true;
    }
    return false;
}

// False, with errno, if the file can't be read.
static bool hash_file(const char *path, struct blob_hash *hash)
{
    static unsigned char data[KIB(64)];
    FILE *file = fopen(path, "rb");
    struct sha256 state;
    size_t size;
    bool good;

    if (file == NULL)
        return false;
    sha256_init(&state);
    while ((size = fread(data, 1, sizeof(data), file)) > 0)
        sha256_update(&state, data, size);
    good = !ferror(file);
    fclose(file);
    hash->is_given = good;
    sha256_final(&state, hash->sha256);
    return good;
}

// Lists the folders for a message, as many as fit: "build or partitions".
static const char *list_folders(const struct config_folders *folders, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < folders->count && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, i == 0 ? "%s" : " or %s", folders->path[i]);
    return text;
}

static bool is_given_by_hand(const struct use *uses, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (uses[i].hash->is_given && strcmp(uses[i].name, name) == 0)
            return true;
    }
    return false;
}

// Looks for the module's file and hashes it. If there is no hash then, reports why.
static void look_up(const struct config_folders *folders, const struct use *use, bool by_hand,
                    struct found *found, struct config_messages *messages)
{
    char where[512];

    *found = (struct found){.name = use->name};
    if (!find_file(folders, use->name, found->path)) {
        if (!by_hand)
            config_message(messages, use->place,
                           "%s: there is no file \"%s\" in %s; put it there or give "
                           "its SHA-256 by hand",
                           use->label, use->name, list_folders(folders, where, sizeof(where)));
    } else if (!hash_file(found->path, &found->hash)) {
        config_message(messages, use->place, "%s: %s can't be read: %s", use->label, found->path,
                       strerror(errno));
    }
}

static const char *hash_text(const struct blob_hash *hash, char text[HASH_TEXT_SIZE])
{
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash->sha256[i]);
    return text;
}

// Gives the file's hash to the use. A hash from the configuration must be the same.
static void agree(const struct use *use, const struct found *found,
                  struct config_messages *messages)
{
    char by_hand[HASH_TEXT_SIZE], of_file[HASH_TEXT_SIZE];

    if (!found->hash.is_given)
        return;
    if (use->hash->is_given && memcmp(use->hash, &found->hash, sizeof(found->hash)) != 0)
        config_message(messages, use->hash_place,
                       "%s: the SHA-256 of module \"%s\" is given as %s, but %s has "
                       "%s; correct it, or leave it out",
                       use->label, use->name, hash_text(use->hash, by_hand), found->path,
                       hash_text(&found->hash, of_file));
    *use->hash = found->hash;
}

void config_hash_modules(struct config *config, const struct config_folders *folders,
                         struct config_messages *messages)
{
    unsigned most = count_uses(config);
    struct use *uses = config_alloc(most, sizeof(*uses));
    struct found *found = config_alloc(most, sizeof(*found));
    unsigned count = list_uses(config, uses);
    unsigned found_count = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned k = 0;

        while (k < found_count && strcmp(found[k].name, uses[i].name) != 0)
            k++;
        if (k == found_count)
            look_up(folders, &uses[i], is_given_by_hand(uses, count, uses[i].name),
                    &found[found_count++], messages);
        agree(&uses[i], &found[k], messages);
    }
    free(uses);
    free(found);
}
