// SPDX-License-Identifier: Apache-2.0
// A configuration file after parsing: its values, with their lines. Host only. The strings belong
// to the libconfig tree that was parsed. The lists are as long as those of the file, and freed by
// config_free().
#ifndef PARTITIONS_CONFIG_H
#define PARTITIONS_CONFIG_H

#include <libconfig.h>

#include "partitions/blob_problem.h"
#include "partitions/config_messages.h"

struct config_cpu {
    struct config_place place;
    uint16_t number;
};

struct config_module {
    struct config_place place;
    const char *name;
    const char *cmdline;
    struct blob_hash hash;
};

struct config_ioports {
    struct config_place place;
    struct blob_ioports ports;
};

struct config_device {
    struct config_place place;
    struct blob_device device;
};

struct config_partition {
    struct config_place place;
    struct config_place fields[BLOB_FIELD_COUNT]; // the partition's own place if a key is missing
    // The key has its message already; the stored value is a substitute and must not be judged.
    bool is_reported[BLOB_FIELD_COUNT];
    const char *name; // at most BLOB_MAX_NAME bytes
    uint64_t memory;  // bytes
    const char *image;
    const char *initrd;
    const char *cmdline;
    struct blob_hash image_hash;
    struct blob_hash initrd_hash;
    unsigned cpu_count;
    struct config_cpu *cpus; // NULL: any cpu_count CPUs
    unsigned module_count;
    struct config_module *modules;
    unsigned ioport_count;
    struct config_ioports *ioports;
    unsigned device_count;
    struct config_device *devices;
    uint32_t flags; // BLOB_TRUST_DMA, ...
    bool has_uuid;  // otherwise it gets the one made from its name
    uint8_t uuid[BLOB_UUID_SIZE];
};

struct config {
    struct config_place place; // of `partitions`
    unsigned partition_count;
    struct config_partition *partitions;
};

// Entries of all partitions so far, for lists with a limit for all together.
struct config_used {
    unsigned cpus;
    unsigned modules;
    unsigned ioports;
    unsigned devices;
};

// Reads the file at `path` into `tree`, which the caller has initialized and must destroy after its
// last use of `config`. Writes all errors in the file's form to `messages`, and all valid values to
// `config`. The caller frees that with config_free().
void config_parse(const char *path, config_t *tree, struct config *config,
                  struct config_messages *messages);
void config_free(struct config *config);

// Zeroed memory for `count` elements, at least one. Ends the program if there is none.
void *config_alloc(size_t count, size_t size);

// Parse the lists of a partition: `cpus` (which may also be a number), `modules`, `ioports`,
// `devices`. `label` names the partition in messages.
void config_parse_cpus(const config_setting_t *setting, const char *label, struct config_used *used,
                       struct config_partition *p, struct config_messages *messages);
void config_parse_modules(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages);
void config_parse_ioports(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages);
void config_parse_devices(const config_setting_t *setting, const char *label,
                          struct config_used *used, struct config_partition *p,
                          struct config_messages *messages);

// Parses a hash in the configuration. `what` names the key in messages, after `label`. False, with
// a message, if it is not a hash.
bool config_parse_hash(const config_setting_t *setting, const char *label, const char *what,
                       struct blob_hash *hash, struct config_messages *messages);

// Where modules' files are searched.
#define CONFIG_MAX_FOLDERS 16
struct config_folders {
    unsigned count;
    const char *path[CONFIG_MAX_FOLDERS]; // the first one with a file of the name counts
};

// Gives every module that a partition uses the hash of its file. It is an error if no folder has
// the file, unless the configuration has its hash. It is also an error if the file's hash differs
// from the configuration's.
void config_hash_modules(struct config *config, const struct config_folders *folders,
                         struct config_messages *messages);

// How messages name a partition, like those of blob_check(): by its number, from 1, if its name is
// invalid. `index` counts from 0.
void config_label(const char *name, unsigned index, char label[BLOB_LABEL_SIZE]);

// The place of a setting.
struct config_place config_place_of(const config_setting_t *setting);

// The type of a setting, for messages: "a number", "a list", ...
const char *config_type_name(const config_setting_t *setting);

// Makes the blob with the contents of `config`, 8-byte aligned; the caller frees it. `*size` is its
// size.
struct blob_header *config_to_blob(const struct config *config, size_t *size);

// Checks the file made from `config` as the hypervisor will, and adds what it finds to `messages`,
// with lines.
void config_check(const struct config *config, const struct blob_header *file, size_t size,
                  struct config_messages *messages);

// Prints a blob that passed blob_check().
void config_show(const struct blob *blob);

// Prints the limits of a configuration, each with its reason, like docs/configuration.md.
void config_show_limits(void);

#endif
