// SPDX-License-Identifier: Apache-2.0
// Makes the blob from struct config. It makes a file with a valid form from any values;
// blob_check() judges the values.
#include <stdlib.h>
#include <string.h>

#include "partitions/config.h"
#include "partitions/config_value.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the blob is little endian, and so must be the machine that writes it"
#endif

// A section that grows.
struct section {
    uint8_t *bytes;
    size_t size;
    size_t room;
};

// Appends bytes. Returns the offset of the first one in the section.
static size_t append(struct section *s, const void *bytes, size_t size)
{
    size_t at = s->size;

    if (s->room - s->size < size) {
        uint8_t *grown = config_alloc(2 * (s->size + size), 1);

        if (s->size > 0)
            memcpy(grown, s->bytes, s->size);
        free(s->bytes);
        s->bytes = grown;
        s->room = 2 * (s->size + size);
    }
    memcpy(s->bytes + at, bytes, size);
    s->size += size;
    return at;
}

static blob_text add_text(struct section sections[], const char *text)
{
    if (text[0] == '\0')
        return 0;
    return (blob_text)append(&sections[BLOB_STRINGS], text, strlen(text) + 1);
}

// The index of the next record.
static uint32_t next_record(const struct section sections[], enum blob_section_id id)
{
    return (uint32_t)(sections[id].size / blob_kinds[id].record_size);
}

// ---- a partition's records -------------------------------------------------------------------

static struct blob_slice add_cpus(struct section sections[], const struct config_partition *p)
{
    struct blob_slice slice = {next_record(sections, BLOB_CPUS),
                               p->cpus != NULL ? p->cpu_count : 0};

    for (unsigned i = 0; i < slice.count; i++) {
        struct blob_cpu record = {p->cpus[i].number};

        append(&sections[BLOB_CPUS], &record, sizeof(record));
    }
    return slice;
}

static struct blob_slice add_modules(struct section sections[], const struct config_partition *p)
{
    struct blob_slice slice = {next_record(sections, BLOB_MODULES), p->module_count};

    for (unsigned i = 0; i < slice.count; i++) {
        struct blob_module record = {.hash = p->modules[i].hash};

        record.name = add_text(sections, p->modules[i].name);
        record.cmdline = add_text(sections, p->modules[i].cmdline);
        append(&sections[BLOB_MODULES], &record, sizeof(record));
    }
    return slice;
}

static struct blob_slice add_ioports(struct section sections[], const struct config_partition *p)
{
    struct blob_slice slice = {next_record(sections, BLOB_IOPORTS), p->ioport_count};

    for (unsigned i = 0; i < slice.count; i++)
        append(&sections[BLOB_IOPORTS], &p->ioports[i].ports, sizeof(p->ioports[i].ports));
    return slice;
}

static struct blob_slice add_devices(struct section sections[], const struct config_partition *p)
{
    struct blob_slice slice = {next_record(sections, BLOB_DEVICES), p->device_count};

    for (unsigned i = 0; i < slice.count; i++)
        append(&sections[BLOB_DEVICES], &p->devices[i].device, sizeof(p->devices[i].device));
    return slice;
}

static void add_partition(struct section sections[], const struct config_partition *p)
{
    struct blob_partition record = {.memory = p->memory,
                                    .flags = p->flags,
                                    .cpu_count = p->cpu_count,
                                    .image_hash = p->image_hash,
                                    .initrd_hash = p->initrd_hash};

    record.name = add_text(sections, p->name);
    record.image = add_text(sections, p->image);
    record.initrd = add_text(sections, p->initrd);
    record.cmdline = add_text(sections, p->cmdline);
    record.cpus = add_cpus(sections, p);
    record.modules = add_modules(sections, p);
    record.ioports = add_ioports(sections, p);
    record.devices = add_devices(sections, p);
    if (p->has_uuid)
        memcpy(record.uuid, p->uuid, BLOB_UUID_SIZE);
    else
        config_uuid_of_name(p->name, record.uuid);
    append(&sections[BLOB_PARTITIONS], &record, sizeof(record));
}

// ---- the file --------------------------------------------------------------------------------

static size_t place_after(size_t end, const struct section *s)
{
    return s->size == 0 ? end : align_up(end, BLOB_ALIGNMENT) + s->size;
}

// Writes the sections that have records, in the order of BLOB_SECTIONS, after the header and their
// table.
static void write_sections(struct blob_header *file, const struct section sections[])
{
    struct blob_section *entry = (struct blob_section *)(file + 1);
    size_t end = sizeof(*file) + file->section_count * sizeof(*entry);

    for (unsigned id = 0; id < BLOB_SECTION_COUNT; id++) {
        end = place_after(end, &sections[id]);
        if (sections[id].size == 0)
            continue;
        *entry = (struct blob_section){.version = blob_kinds[id].version,
                                       .record_size = blob_kinds[id].record_size,
                                       .offset = (uint32_t)(end - sections[id].size),
                                       .size = (uint32_t)sections[id].size};
        memcpy(entry->type, blob_kinds[id].type, BLOB_TYPE_SIZE);
        memcpy((uint8_t *)file + entry->offset, sections[id].bytes, entry->size);
        entry++;
    }
}

static struct blob_header *assemble(const struct section sections[], size_t *size)
{
    struct blob_header header = {.version = BLOB_VERSION};
    struct blob_header *file;

    memcpy(header.magic, BLOB_MAGIC, BLOB_MAGIC_SIZE);
    for (unsigned id = 0; id < BLOB_SECTION_COUNT; id++)
        header.section_count += sections[id].size > 0;
    *size = sizeof(header) + header.section_count * sizeof(struct blob_section);
    for (unsigned id = 0; id < BLOB_SECTION_COUNT; id++)
        *size = place_after(*size, &sections[id]);
    header.size = (uint32_t)*size;

    file = config_alloc(*size, 1);
    *file = header;
    write_sections(file, sections);
    file->crc32 =
        blob_crc32(&file->section_count, *size - offsetof(struct blob_header, section_count));
    return file;
}

struct blob_header *config_to_blob(const struct config *config, size_t *size)
{
    struct section sections[BLOB_SECTION_COUNT] = {0};
    struct blob_header *file;

    append(&sections[BLOB_STRINGS], "", 1);
    for (unsigned i = 0; i < config->partition_count; i++)
        add_partition(sections, &config->partitions[i]);
    file = assemble(sections, size);
    for (unsigned id = 0; id < BLOB_SECTION_COUNT; id++)
        free(sections[id].bytes);
    return file;
}
