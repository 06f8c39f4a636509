// SPDX-License-Identifier: Apache-2.0
// From struct config to the blob. It makes a blob of sound form from any values; whether they are
// good ones is for blob_check() to say.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "partitions/config.h"
#include "partitions/config_value.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the blob is little endian, and so must be the machine that writes it"
#endif

// Where the next entry of each section goes.
struct writer {
    struct blob_header *blob;
    struct blob_partition *partitions;
    struct blob_module *modules;
    struct blob_ioports *ioports;
    struct blob_device *devices;
    char *strings;
};

static size_t string_size(const char *text)
{
    return text[0] == '\0' ? 0 : strlen(text) + 1;
}

// The counts and the size; the sections are still empty.
static struct blob_header measure(const struct config *config)
{
    struct blob_header header = {.version = BLOB_VERSION,
                                 .partition_count = config->partition_count};
    size_t strings = 1; // the empty one

    memcpy(header.magic, BLOB_MAGIC, BLOB_MAGIC_SIZE);
    for (unsigned i = 0; i < config->partition_count; i++) {
        const struct config_partition *p = &config->partitions[i];

        header.module_count += p->module_count;
        header.ioport_count += p->ioport_count;
        header.device_count += p->device_count;
        strings += string_size(p->image) + string_size(p->initrd) + string_size(p->cmdline);
        for (unsigned m = 0; m < p->module_count; m++)
            strings += string_size(p->modules[m].name) + string_size(p->modules[m].cmdline);
    }
    header.strings_size = (uint32_t)strings;
    header.size = (uint32_t)(sizeof(struct blob_header) +
                             header.partition_count * sizeof(struct blob_partition) +
                             header.module_count * sizeof(struct blob_module) +
                             header.ioport_count * sizeof(struct blob_ioports) +
                             header.device_count * sizeof(struct blob_device) + strings);
    return header;
}

static uint32_t write_string(struct writer *writer, const char *text)
{
    uint32_t offset = writer->blob->strings_size;
    size_t size = string_size(text);

    if (size == 0)
        return 0;
    memcpy(writer->strings + offset, text, size);
    writer->blob->strings_size += (uint32_t)size;
    return offset;
}

static void write_partition(struct writer *writer, const struct config_partition *p)
{
    struct blob_header *blob = writer->blob;
    struct blob_partition *out = &writer->partitions[blob->partition_count++];

    memcpy(out->name, p->name, strlen(p->name)); // shorter than the field, which is zeroed
    out->memory = p->memory;
    out->image = write_string(writer, p->image);
    out->initrd = write_string(writer, p->initrd);
    out->cmdline = write_string(writer, p->cmdline);
    out->cpu_mode = (uint16_t)p->cpu_mode;
    out->cpu_count = (uint16_t)p->cpu_count;
    out->image_hash = p->image_hash;
    out->initrd_hash = p->initrd_hash;
    for (unsigned i = 0; p->cpu_mode == BLOB_CPUS_LISTED && i < p->cpu_count; i++)
        out->cpus[i] = p->cpus[i].number;

    out->module_first = blob->module_count;
    out->module_count = p->module_count;
    for (unsigned i = 0; i < p->module_count; i++) {
        struct blob_module *module = &writer->modules[blob->module_count++];

        module->name = write_string(writer, p->modules[i].name);
        module->cmdline = write_string(writer, p->modules[i].cmdline);
        module->hash = p->modules[i].hash;
    }
    out->ioport_first = blob->ioport_count;
    out->ioport_count = p->ioport_count;
    for (unsigned i = 0; i < p->ioport_count; i++)
        writer->ioports[blob->ioport_count++] = p->ioports[i].ports;
    out->device_first = blob->device_count;
    out->device_count = p->device_count;
    for (unsigned i = 0; i < p->device_count; i++)
        writer->devices[blob->device_count++] = p->devices[i].device;
    out->flags = p->flags;
    if (p->has_uuid)
        memcpy(out->uuid, p->uuid, BLOB_UUID_SIZE);
    else
        config_uuid_of_name(p->name, out->uuid);
}

struct blob_header *config_to_blob(const struct config *config, size_t *size)
{
    const struct blob_header full = measure(config);
    struct blob_header *blob = calloc(1, full.size);
    struct writer writer;

    if (blob == NULL) {
        fputs("bulkhead-config: out of memory\n", stderr);
        exit(1);
    }
    writer.blob = blob;
    writer.partitions = (struct blob_partition *)(blob + 1);
    writer.modules = (struct blob_module *)(writer.partitions + full.partition_count);
    writer.ioports = (struct blob_ioports *)(writer.modules + full.module_count);
    writer.devices = (struct blob_device *)(writer.ioports + full.ioport_count);
    writer.strings = (char *)(writer.devices + full.device_count);

    // The counts grow with the entries and end where measure() said.
    *blob = full;
    blob->partition_count = blob->module_count = blob->ioport_count = blob->device_count = 0;
    blob->strings_size = 1;
    for (unsigned i = 0; i < config->partition_count; i++)
        write_partition(&writer, &config->partitions[i]);

    blob->crc32 = blob_crc32(&blob->partition_count,
                             full.size - offsetof(struct blob_header, partition_count));
    *size = full.size;
    return blob;
}
