// SPDX-License-Identifier: Apache-2.0
// Recognizes the configuration blob, and proves that every section, record, text and slice stays
// inside it. blob_rules.c judges what the values mean. The blob comes from a boot loader, so
// nothing in it is trusted before it has been checked.
#include "partitions/blob.h"

#include "arch/lib/string.h"
#include "partitions/blob_problem.h"

#define REBUILD "build it again with bulkhead-config"
#define OTHER   "build it again with the bulkhead-config of this Bulkhead"

static const struct blob_place whole_blob = {-1, BLOB_FIELD_NONE, -1};

// ---- formats ---------------------------------------------------------------------------------

const struct blob_kind blob_kinds[BLOB_SECTION_COUNT] = {
#define BLOB_KIND(id, type, version, record, most) {type, version, sizeof(record), most},
    BLOB_SECTIONS(BLOB_KIND)
#undef BLOB_KIND
};

enum { TEXT, HASH, SLICE };

// The fields that refer to other data, or that have invalid values.
static const struct reference {
    uint8_t section; // enum blob_section_id: the section whose records have the field
    uint8_t kind;    // TEXT, ...
    uint8_t target;  // enum blob_section_id: the section that a slice refers to
    uint16_t offset;
    const char *name;
} references[] = {
#define FIELD(record, field) offsetof(struct record, field), #field
    {BLOB_PARTITIONS, TEXT, 0, FIELD(blob_partition, name)},
    {BLOB_PARTITIONS, TEXT, 0, FIELD(blob_partition, image)},
    {BLOB_PARTITIONS, TEXT, 0, FIELD(blob_partition, initrd)},
    {BLOB_PARTITIONS, TEXT, 0, FIELD(blob_partition, cmdline)},
    {BLOB_PARTITIONS, HASH, 0, FIELD(blob_partition, image_hash)},
    {BLOB_PARTITIONS, HASH, 0, FIELD(blob_partition, initrd_hash)},
    {BLOB_PARTITIONS, SLICE, BLOB_CPUS, FIELD(blob_partition, cpus)},
    {BLOB_PARTITIONS, SLICE, BLOB_MODULES, FIELD(blob_partition, modules)},
    {BLOB_PARTITIONS, SLICE, BLOB_IOPORTS, FIELD(blob_partition, ioports)},
    {BLOB_PARTITIONS, SLICE, BLOB_DEVICES, FIELD(blob_partition, devices)},
    {BLOB_MODULES, TEXT, 0, FIELD(blob_module, name)},
    {BLOB_MODULES, TEXT, 0, FIELD(blob_module, cmdline)},
    {BLOB_MODULES, HASH, 0, FIELD(blob_module, hash)},
#undef FIELD
};

// ---- the file as a whole ---------------------------------------------------------------------

bool blob_has_magic(const void *data, size_t size)
{
    return size >= BLOB_MAGIC_SIZE && memcmp(data, BLOB_MAGIC, BLOB_MAGIC_SIZE) == 0;
}

// Four bits at a time: the table is small enough to read, and it is fast enough for one small file.
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

static void check_file(const struct blob_header *file, size_t size, struct blob_problems *out)
{
    const size_t checked_from = offsetof(struct blob_header, crc32) + sizeof(file->crc32);

    if (size >= BLOB_MAGIC_SIZE && !blob_has_magic(file, size)) {
        blob_problem_add(out, NULL, BLOB_BAD_MAGIC, whole_blob,
                         "this is not a configuration: it does not start with %s; " REBUILD,
                         BLOB_MAGIC);
    } else if (size < sizeof(*file)) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration is truncated: it has %zu bytes, its header alone "
                         "takes %zu; " REBUILD,
                         size, sizeof(*file));
    } else if (file->version != BLOB_VERSION) {
        // Checked before the size: another version may have the size elsewhere.
        blob_problem_add(out, NULL, BLOB_BAD_VERSION, whole_blob,
                         "the configuration has version %u, this Bulkhead reads version %u; " OTHER,
                         file->version, BLOB_VERSION);
    } else if (file->size > size) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration is truncated: %zu of its %u bytes are there; " REBUILD,
                         size, file->size);
    } else if (file->size < size) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration says that it has %u bytes, but there are %zu; " REBUILD,
                         file->size, size);
    } else if (size > BLOB_MAX_SIZE) {
        blob_problem_add(out, NULL, BLOB_BAD_SIZE, whole_blob,
                         "the configuration has %zu bytes, at most %llu are allowed; shorten its "
                         "command lines",
                         size, (unsigned long long)BLOB_MAX_SIZE);
    } else {
        const uint8_t *bytes = (const uint8_t *)file;
        uint32_t crc = blob_crc32(bytes + checked_from, size - checked_from);

        if (crc != file->crc32)
            blob_problem_add(out, NULL, BLOB_BAD_CHECKSUM, whole_blob,
                             "the configuration is damaged: its checksum is 0x%08x, its contents "
                             "give 0x%08x; " REBUILD,
                             file->crc32, crc);
    }
}

// ---- the sections ----------------------------------------------------------------------------

static void bad_layout(const char *what, uint32_t value, struct blob_problems *out)
{
    blob_problem_add(out, NULL, BLOB_BAD_LAYOUT, whole_blob,
                     "the configuration is malformed: %s (%u); " REBUILD, what, value);
}

static void bad_section(const struct blob_section *s, const char *what, uint32_t value,
                        struct blob_problems *out)
{
    blob_problem_add(out, NULL, BLOB_BAD_LAYOUT, whole_blob,
                     "the configuration is malformed: its section \"%.16s\" %s (%u); " REBUILD,
                     s->type, what, value);
}

// A type gets printed, so all its characters must be printable ones.
static bool is_type(const char type[BLOB_TYPE_SIZE])
{
    bool ended = false;

    for (size_t i = 0; i < BLOB_TYPE_SIZE; i++) {
        char c = type[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';

        if (c == '\0')
            ended = true;
        else if (ended || !good)
            return false;
    }
    return type[0] != '\0';
}

// Returns BLOB_SECTION_COUNT if there is no such type.
static unsigned find_kind(const char type[BLOB_TYPE_SIZE])
{
    unsigned id = 0;

    while (id < BLOB_SECTION_COUNT && memcmp(blob_kinds[id].type, type, BLOB_TYPE_SIZE) != 0)
        id++;
    return id;
}

// Whether a section lies in the file, and begins at the first aligned byte after `*end`, the end of
// what precedes it. Moves `*end` to the section's end. So sections don't overlap, and all bytes are
// read.
static bool check_place(const struct blob_header *file, const struct blob_section *s, uint32_t *end,
                        struct blob_problems *out)
{
    uint32_t start = (uint32_t)align_up(*end, BLOB_ALIGNMENT); // the file has at most 4 MiB

    if (s->offset != start) {
        bad_section(s, "is not where the one before it ends", s->offset, out);
        return false;
    }
    if (start > file->size || s->size > file->size - start) {
        bad_section(s, "leads outside the file", s->size, out);
        return false;
    }
    for (; *end < start; ++*end) {
        if (((const uint8_t *)file)[*end] != 0) {
            bad_section(s, "has something before it", *end, out);
            return false;
        }
    }
    *end = start + s->size;
    return true;
}

static void check_kind(const struct blob_header *file, const struct blob_section *s,
                       struct blob *blob, struct blob_problems *out)
{
    unsigned id = find_kind(s->type);
    const struct blob_kind *kind = &blob_kinds[id];

    if (id == BLOB_SECTION_COUNT) {
        blob_problem_add(out, NULL, BLOB_UNKNOWN_SECTION, whole_blob,
                         "the configuration has a section \"%.16s\" (version %u), which this "
                         "Bulkhead does not know; " OTHER,
                         s->type, s->version);
    } else if (s->version != kind->version) {
        blob_problem_add(out, NULL, BLOB_UNKNOWN_SECTION, whole_blob,
                         "the configuration's section \"%.16s\" has version %u, this Bulkhead "
                         "reads version %u; " OTHER,
                         s->type, s->version, kind->version);
    } else if (s->flags != 0) {
        blob_problem_add(out, NULL, BLOB_UNKNOWN_SECTION, whole_blob,
                         "the configuration's section \"%.16s\" has flags 0x%x, which this "
                         "Bulkhead does not know; " OTHER,
                         s->type, s->flags);
    } else if (s->record_size != kind->record_size) {
        bad_section(s, "has records of another size", s->record_size, out);
    } else if (s->size % kind->record_size != 0) {
        bad_section(s, "ends within a record", s->size, out);
    } else if (s->size / kind->record_size > kind->most) {
        bad_section(s, "has too many records", s->size / kind->record_size, out);
    } else if (blob->section[id].list != file) {
        bad_section(s, "is there twice", s->offset, out);
    } else {
        blob->section[id].list = (const uint8_t *)file + s->offset;
        blob->section[id].count = s->size / kind->record_size;
    }
}

// The empty text must be at 0, and each text must end before the section does.
static void check_strings(const struct blob *blob, struct blob_problems *out)
{
    uint32_t size = blob_count(blob, BLOB_STRINGS);

    if (size == 0)
        bad_layout("it has no strings", 0, out);
    else if (blob_string(blob, 0)[0] != '\0')
        bad_layout("its first string is not empty", 0, out);
    else if (blob_string(blob, size - 1)[0] != '\0')
        bad_layout("its last string is not terminated", size, out);
}

// Fills `blob`. Reports all unknown sections, not only the first.
static void check_sections(const struct blob_header *file, struct blob *blob,
                           struct blob_problems *out)
{
    const struct blob_section *s = (const struct blob_section *)(file + 1);
    uint32_t end;

    if (file->section_count > (file->size - sizeof(*file)) / sizeof(*s)) {
        bad_layout("its table of sections leads outside the file", file->section_count, out);
        return;
    }
    end = (uint32_t)(sizeof(*file) + file->section_count * sizeof(*s));
    for (uint32_t i = 0; i < file->section_count; i++, s++) {
        if (!is_type(s->type)) {
            bad_layout("a section has no proper type", i, out);
            return;
        }
        if (!check_place(file, s, &end, out))
            return;
        check_kind(file, s, blob, out);
    }
    if (end != file->size)
        bad_layout("its sections end before it does", end, out);
    else if (out->count == 0)
        check_strings(blob, out);
}

// ---- references ------------------------------------------------------------------------------

static void bad_field(const struct reference *r, uint32_t index, const char *what, uint32_t value,
                      struct blob_problems *out)
{
    blob_problem_add(out, NULL, BLOB_BAD_LAYOUT, whole_blob,
                     "the configuration is malformed: %s of record %u in its section \"%.16s\" %s "
                     "(%u); " REBUILD,
                     r->name, index, blob_kinds[r->section].type, what, value);
}

static void check_hash(const struct reference *r, uint32_t index, const struct blob_hash *hash,
                       struct blob_problems *out)
{
    uint8_t used = 0;

    for (unsigned i = 0; i < SHA256_SIZE; i++)
        used |= hash->sha256[i];
    if (hash->is_given > 1)
        bad_field(r, index, "is neither given nor left out", hash->is_given, out);
    else if (hash->is_given == 0 && used != 0)
        bad_field(r, index, "is left out, but there is one", used, out);
}

// `*next` is the first record, of `count`, that has no owner yet.
static void check_slice(const struct reference *r, uint32_t index, const struct blob_slice *slice,
                        uint32_t count, uint32_t *next, struct blob_problems *out)
{
    if (slice->first != *next || slice->count > count - *next)
        bad_field(r, index, "are not where they should be", slice->first, out);
    else
        *next += slice->count;
}

// Checks the field in all records.
static void check_reference(const struct blob *blob, const struct reference *r,
                            struct blob_problems *out)
{
    const uint8_t *field = (const uint8_t *)blob_records(blob, r->section) + r->offset;
    uint32_t texts = blob_count(blob, BLOB_STRINGS);
    uint32_t targets = blob_count(blob, r->target);
    uint32_t next = 0;

    for (uint32_t i = 0; i < blob_count(blob, r->section); i++) {
        const void *value = field + (size_t)i * blob_kinds[r->section].record_size;

        if (r->kind == SLICE)
            check_slice(r, i, value, targets, &next, out);
        else if (r->kind == HASH)
            check_hash(r, i, value, out);
        else if (*(const blob_text *)value >= texts)
            bad_field(r, i, "lies outside the strings", *(const blob_text *)value, out);
    }
    if (r->kind == SLICE && next != targets)
        blob_problem_add(out, NULL, BLOB_BAD_LAYOUT, whole_blob,
                         "the configuration is malformed: of its %u %s, only %u have an owner"
                         "; " REBUILD,
                         targets, r->name, next);
}

static void check_partition(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);
    struct blob_place place = {(int)index, BLOB_FIELD_NONE, -1};

    if ((p->flags & ~BLOB_FLAGS) != 0)
        blob_problem_add(out, blob, BLOB_BAD_LAYOUT, place,
                         "the configuration is malformed: its flags are unknown (0x%x); " REBUILD,
                         p->flags);
    if (p->cpus.count != 0 && p->cpus.count != p->cpu_count)
        blob_problem_add(out, blob, BLOB_BAD_LAYOUT, place,
                         "the configuration is malformed: it has %u CPUs and lists %u; " REBUILD,
                         p->cpu_count, p->cpus.count);
}

// ---- the whole check -------------------------------------------------------------------------

enum status blob_check(const void *file, size_t size, struct blob *blob, struct blob_problems *out)
{
    out->count = 0;
    for (unsigned id = 0; id < BLOB_SECTION_COUNT; id++)
        blob->section[id] = (struct blob_records){file, 0};
    check_file(file, size, out);
    if (out->count == 0)
        check_sections(file, blob, out);
    for (size_t i = 0; out->count == 0 && i < ARRAY_SIZE(references); i++)
        check_reference(blob, &references[i], out);
    if (out->count == 0) { // texts can be read now
        for (unsigned i = 0; i < blob_partition_count(blob); i++)
            check_partition(blob, i, out);
    }
    if (out->count == 0)
        blob_check_rules(blob, out);
    return blob_problems_status(out);
}

// ---- reading it ------------------------------------------------------------------------------

static struct blob_use use_of(const struct blob *blob, blob_text name, const struct blob_hash *hash)
{
    return (struct blob_use){.name = blob_string(blob, name),
                             .sha256 = hash->is_given ? hash->sha256 : NULL,
                             .item = -1};
}

bool blob_use(const struct blob *blob, const struct blob_partition *partition, unsigned n,
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
    if (n >= partition->modules.count)
        return false;
    module = &blob_modules(blob, partition)[n];
    *use = use_of(blob, module->name, &module->hash);
    use->field = use->hash_field = BLOB_FIELD_MODULES;
    use->item = (int)n;
    return true;
}

const uint8_t *blob_module_sha256(const struct blob *blob, const char *name)
{
    struct blob_use use;

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        for (unsigned n = 0; blob_use(blob, blob_partition(blob, i), n, &use); n++) {
            if (use.sha256 != NULL && strcmp(use.name, name) == 0)
                return use.sha256;
        }
    }
    return NULL;
}
