// SPDX-License-Identifier: Apache-2.0
// The form of the configuration blob: recognizing it, proving that every count, offset and string
// in it stays inside it, and reading it. What the values mean is judged in blob_rules.c. The blob
// comes from a boot loader, so nothing in it is believed before it has been checked.
#include "partitions/blob.h"

#include "arch/string.h"
#include "partitions/blob_problem.h"

#define REBUILD "build it again with bulkhead-config"

static const struct blob_place whole_blob = {-1, BLOB_FIELD_NONE, -1};

// ---- where things are ------------------------------------------------------------------------

static const struct blob_partition *all_partitions(const struct blob_header *blob)
{
    return (const struct blob_partition *)(blob + 1);
}

static const struct blob_module *all_modules(const struct blob_header *blob)
{
    return (const struct blob_module *)(all_partitions(blob) + blob->partition_count);
}

static const struct blob_ioports *all_ioports(const struct blob_header *blob)
{
    return (const struct blob_ioports *)(all_modules(blob) + blob->module_count);
}

static const struct blob_device *all_devices(const struct blob_header *blob)
{
    return (const struct blob_device *)(all_ioports(blob) + blob->ioport_count);
}

static const char *all_strings(const struct blob_header *blob)
{
    return (const char *)(all_devices(blob) + blob->device_count);
}

const struct blob_partition *blob_partition(const struct blob_header *blob, unsigned index)
{
    return all_partitions(blob) + index;
}

const struct blob_module *blob_modules(const struct blob_header *blob,
                                       const struct blob_partition *partition)
{
    return all_modules(blob) + partition->module_first;
}

const struct blob_ioports *blob_ioports(const struct blob_header *blob,
                                        const struct blob_partition *partition)
{
    return all_ioports(blob) + partition->ioport_first;
}

const struct blob_device *blob_devices(const struct blob_header *blob,
                                       const struct blob_partition *partition)
{
    return all_devices(blob) + partition->device_first;
}

const char *blob_string(const struct blob_header *blob, uint32_t offset)
{
    return all_strings(blob) + offset;
}

static struct blob_use use_of(const struct blob_header *blob, uint32_t name,
                              const struct blob_hash *hash)
{
    return (struct blob_use){.name = blob_string(blob, name),
                             .sha256 = hash->is_given ? hash->sha256 : NULL,
                             .item = -1};
}

bool blob_use(const struct blob_header *blob, const struct blob_partition *partition, unsigned n,
              struct blob_use *use)
{
    const struct blob_module *module;

    if (n == 0) {
        *use = use_of(blob, partition->image, &partition->image_hash);
        use->field = BLOB_FIELD_IMAGE;
        use->hash_field = BLOB_FIELD_IMAGE_SHA256;
        return true;
    }
    n--;
    if (partition->initrd != 0 && n-- == 0) {
        *use = use_of(blob, partition->initrd, &partition->initrd_hash);
        use->field = BLOB_FIELD_INITRD;
        use->hash_field = BLOB_FIELD_INITRD_SHA256;
        return true;
    }
    if (n >= partition->module_count)
        return false;
    module = &blob_modules(blob, partition)[n];
    *use = use_of(blob, module->name, &module->hash);
    use->field = use->hash_field = BLOB_FIELD_MODULES;
    use->item = (int)n;
    return true;
}

const uint8_t *blob_module_sha256(const struct blob_header *blob, const char *name)
{
    struct blob_use use;

    for (unsigned i = 0; i < blob->partition_count; i++) {
        for (unsigned n = 0; blob_use(blob, blob_partition(blob, i), n, &use); n++) {
            if (use.sha256 != NULL && strcmp(use.name, name) == 0)
                return use.sha256;
        }
    }
    return NULL;
}

// ---- the file as a whole ---------------------------------------------------------------------

bool blob_has_magic(const void *data, size_t size)
{
    return size >= BLOB_MAGIC_SIZE && memcmp(data, BLOB_MAGIC, BLOB_MAGIC_SIZE) == 0;
}

// Four bits at a time: a table small enough to read, fast enough for one small file.
uint32_t blob_crc32(const void *data, size_t size)
{
    static const uint32_t of_nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *bytes = data;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ of_nibble[crc & 15];
        crc = (crc >> 4) ^ of_nibble[crc & 15];
    }
    return ~crc;
}

static void check_file(const struct blob_header *blob, size_t size, struct blob_problems *out)
{
    const size_t checked_from = offsetof(struct blob_header, crc32) + sizeof(blob->crc32);

    if (size >= BLOB_MAGIC_SIZE && !blob_has_magic(blob, size)) {
        blob_problem_add(out, NULL, BLOB_BAD_MAGIC, whole_blob,
                         "this is not a configuration: it does not start with %s; " REBUILD,
                         BLOB_MAGIC);
    } else if (size < sizeof(*blob)) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration is truncated: it has %zu bytes, its header alone "
                         "takes %zu; " REBUILD,
                         size, sizeof(*blob));
    } else if (blob->version != BLOB_VERSION) {
        // Before the size: another version may have it elsewhere.
        blob_problem_add(out, NULL, BLOB_BAD_VERSION, whole_blob,
                         "the configuration has version %u, this Bulkhead reads version %u; build "
                         "it again with the bulkhead-config of this Bulkhead",
                         blob->version, BLOB_VERSION);
    } else if (blob->size > size) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration is truncated: %zu of its %u bytes are there; " REBUILD,
                         size, blob->size);
    } else if (blob->size < size) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration says that it has %u bytes, but there are %zu; " REBUILD,
                         blob->size, size);
    } else if (size > BLOB_MAX_SIZE) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration has %zu bytes, at most %llu are allowed; shorten its "
                         "command lines",
                         size, (unsigned long long)BLOB_MAX_SIZE);
    } else {
        const uint8_t *bytes = (const uint8_t *)blob;
        uint32_t crc = blob_crc32(bytes + checked_from, size - checked_from);

        if (crc != blob->crc32)
            blob_problem_add(out, NULL, BLOB_BAD_CHECKSUM, whole_blob,
                             "the configuration is damaged: its checksum is 0x%08x, its contents "
                             "give 0x%08x; " REBUILD,
                             blob->crc32, crc);
    }
}

// ---- the layout ------------------------------------------------------------------------------

static void bad_layout(const struct blob_header *blob, int partition, const char *what,
                       uint32_t value, struct blob_problems *out)
{
    struct blob_place place = {partition, BLOB_FIELD_NONE, -1};

    blob_problem_add(out, blob, BLOB_BAD_LAYOUT, place,
                     "the configuration is malformed: %s (%u); " REBUILD, what, value);
}

// The counts, and that the sections fill the file. Only then may the sections be looked at.
static bool check_sections(const struct blob_header *blob, struct blob_problems *out)
{
    const struct {
        uint32_t count;
        uint32_t max;
        uint32_t element_size;
        const char *what;
    } sections[] = {
        {blob->partition_count, MAX_PARTITIONS, sizeof(struct blob_partition),
         "too many partitions"},
        {blob->module_count, BLOB_MAX_MODULES, sizeof(struct blob_module), "too many modules"},
        {blob->ioport_count, BLOB_MAX_IOPORTS, sizeof(struct blob_ioports),
         "too many ranges of I/O ports"},
        {blob->device_count, BLOB_MAX_DEVICES, sizeof(struct blob_device), "too many devices"},
        {blob->strings_size, BLOB_MAX_SIZE, 1, "too many bytes of strings"},
    };
    uint32_t size = sizeof(*blob);
    unsigned problems = out->count;

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        if (sections[i].count > sections[i].max) {
            bad_layout(blob, -1, sections[i].what, sections[i].count, out);
            return false;
        }
        size += sections[i].count * sections[i].element_size; // small: each count has a bound
    }
    if (size != blob->size)
        bad_layout(blob, -1, "its sections don't add up to its size", size, out);
    else if (blob->strings_size == 0)
        bad_layout(blob, -1, "it has no strings", 0, out);
    else if (all_strings(blob)[0] != '\0')
        bad_layout(blob, -1, "its first string is not empty", 0, out);
    else if (all_strings(blob)[blob->strings_size - 1] != '\0')
        bad_layout(blob, -1, "its last string is not terminated", blob->strings_size, out);
    return out->count == problems;
}

static void check_string(const struct blob_header *blob, int partition, const char *what,
                         uint32_t offset, struct blob_problems *out)
{
    if (offset >= blob->strings_size)
        bad_layout(blob, partition, what, offset, out);
}

static void check_hash(const struct blob_header *blob, int partition, const struct blob_hash *hash,
                       struct blob_problems *out)
{
    uint8_t used = 0;

    for (unsigned i = 0; i < SHA256_SIZE; i++)
        used |= hash->sha256[i];
    if (hash->is_given > 1)
        bad_layout(blob, partition, "what it says of a hash is unknown", hash->is_given, out);
    else if (hash->is_given == 0 && used != 0)
        bad_layout(blob, partition, "there is a hash where it says that there is none", used, out);
}

static void check_cpu_fields(const struct blob_header *blob, int index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, (unsigned)index);
    unsigned listed = 0;

    if (p->cpu_mode == BLOB_CPUS_LISTED)
        listed = p->cpu_count;
    else if (p->cpu_mode != BLOB_CPUS_ANY)
        bad_layout(blob, index, "its CPU mode is unknown", p->cpu_mode, out);
    if (listed > MAX_CPUS)
        bad_layout(blob, index, "its list of CPUs is too long", listed, out);
    for (unsigned i = listed; i < MAX_CPUS; i++) {
        if (p->cpus[i] != 0) {
            bad_layout(blob, index, "there is something after its list of CPUs", p->cpus[i], out);
            break;
        }
    }
}

static void check_device_fields(const struct blob_header *blob, int index,
                                struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, (unsigned)index);

    if (p->device_count > BLOB_MAX_PARTITION_DEVICES)
        bad_layout(blob, index, "it has too many devices", p->device_count, out);
    if ((p->flags & ~BLOB_FLAGS) != 0)
        bad_layout(blob, index, "its flags are unknown", p->flags, out);
    if (p->reserved != 0)
        bad_layout(blob, index, "a reserved field is not 0", p->reserved, out);
}

static void check_module_fields(const struct blob_header *blob, int index,
                                struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, (unsigned)index);

    for (uint32_t m = 0; m < p->module_count; m++) {
        const struct blob_module *module = &blob_modules(blob, p)[m];

        check_string(blob, index, "a module's name lies outside the strings", module->name, out);
        check_string(blob, index, "a module's cmdline lies outside the strings", module->cmdline,
                     out);
        check_hash(blob, index, &module->hash, out);
    }
}

static void check_partitions(const struct blob_header *blob, struct blob_problems *out)
{
    uint32_t modules = 0;
    uint32_t ioports = 0;
    uint32_t devices = 0;

    for (int i = 0; i < (int)blob->partition_count; i++) {
        const struct blob_partition *p = blob_partition(blob, (unsigned)i);

        if (p->name[BLOB_NAME_SIZE - 1] != '\0')
            bad_layout(blob, i, "its name is not terminated", BLOB_NAME_SIZE, out);
        check_string(blob, i, "its image lies outside the strings", p->image, out);
        check_string(blob, i, "its initrd lies outside the strings", p->initrd, out);
        check_string(blob, i, "its cmdline lies outside the strings", p->cmdline, out);
        check_hash(blob, i, &p->image_hash, out);
        check_hash(blob, i, &p->initrd_hash, out);
        check_cpu_fields(blob, i, out);
        check_device_fields(blob, i, out);

        // Slices in order and without a gap: no entry has two owners or none.
        if (p->module_first != modules || p->module_count > blob->module_count - modules) {
            bad_layout(blob, i, "its modules are not where they should be", p->module_first, out);
            return;
        }
        if (p->ioport_first != ioports || p->ioport_count > blob->ioport_count - ioports) {
            bad_layout(blob, i, "its I/O ports are not where they should be", p->ioport_first, out);
            return;
        }
        if (p->device_first != devices || p->device_count > blob->device_count - devices) {
            bad_layout(blob, i, "its devices are not where they should be", p->device_first, out);
            return;
        }
        modules += p->module_count;
        ioports += p->ioport_count;
        devices += p->device_count;
        check_module_fields(blob, i, out);
    }
    if (modules != blob->module_count)
        bad_layout(blob, -1, "some of its modules belong to no partition", modules, out);
    if (ioports != blob->ioport_count)
        bad_layout(blob, -1, "some of its I/O ports belong to no partition", ioports, out);
    if (devices != blob->device_count)
        bad_layout(blob, -1, "some of its devices belong to no partition", devices, out);
}

enum status blob_check(const void *blob, size_t size, struct blob_problems *out)
{
    out->count = 0;
    check_file(blob, size, out);
    if (out->count == 0 && check_sections(blob, out))
        check_partitions(blob, out);
    if (out->count == 0)
        blob_check_rules(blob, out);
    return blob_problems_status(out);
}
