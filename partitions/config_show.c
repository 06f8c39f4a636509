// SPDX-License-Identifier: Apache-2.0
// Prints a configuration blob as a table: a line for each partition, and below it what doesn't fit
// into a column. Relies on the blob having passed blob_check().
#include <stdio.h>
#include <string.h>

#include "partitions/config.h"

#define MEMORY_TEXT_SIZE 32

// Prints "any 2", or the CPUs' numbers: "2,3". Returns the length. If `file` is NULL it only
// measures.
static int print_cpus(const struct blob *blob, const struct blob_partition *p, FILE *file)
{
    char text[32];
    int length = 0;

    for (unsigned i = 0; i < p->cpus.count || i == 0; i++) {
        if (p->cpus.count == 0)
            length += snprintf(text, sizeof(text), "any %u", p->cpu_count);
        else
            length +=
                snprintf(text, sizeof(text), i == 0 ? "%u" : ",%u", blob_cpus(blob, p)[i].number);
        if (file != NULL)
            fputs(text, file);
    }
    return length;
}

static void write_memory(uint64_t bytes, char *text)
{
    static const char *const units[] = {"KiB", "MiB", "GiB"};
    unsigned long long value = bytes / KIB(1); // exact, because a partition has whole pages
    size_t unit = 0;

    while (unit + 1 < ARRAY_SIZE(units) && value % 1024 == 0) {
        value /= 1024;
        unit++;
    }
    snprintf(text, MEMORY_TEXT_SIZE, "%llu %s", value, units[unit]);
}

static void widen(int *width, int length)
{
    if (*width < length)
        *width = length;
}

// In the format of sha256sum, for comparison.
static void show_hash(const struct blob_use *use)
{
    printf("    sha256   ");
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        printf("%02x", use->sha256[i]);
    printf("  %s\n", use->name);
}

static void show_details(const struct blob *blob, const struct blob_partition *p)
{
    const struct blob_module *modules = blob_modules(blob, p);
    const struct blob_ioports *ioports = blob_ioports(blob, p);
    const struct blob_device *devices = blob_devices(blob, p);
    char text[BLOB_DEVICE_TEXT_SIZE];
    char uuid[BLOB_UUID_TEXT_SIZE];
    struct blob_use use;

    if (p->initrd != 0)
        printf("    initrd   %s\n", blob_string(blob, p->initrd));
    if (p->cmdline != 0)
        printf("    cmdline  %s\n", blob_string(blob, p->cmdline));
    for (unsigned i = 0; i < p->modules.count; i++) {
        const char *cmdline = blob_string(blob, modules[i].cmdline);

        printf("    module   %s%s%s\n", blob_string(blob, modules[i].name),
               cmdline[0] == '\0' ? "" : ": ", cmdline);
    }
    for (unsigned i = 0; blob_use(blob, p, i, &use); i++) {
        if (use.sha256 != NULL)
            show_hash(&use);
    }
    for (unsigned i = 0; i < p->ioports.count; i++)
        printf("    ioports  0x%x-0x%x\n", ioports[i].first, ioports[i].last);
    for (unsigned i = 0; i < p->devices.count; i++)
        printf("    device   %s\n", blob_device_text(devices[i], text));
    printf("    uuid     %s\n", blob_uuid_text(p->uuid, uuid));
    if (p->flags & BLOB_HPET)
        printf("    hpet\n");
    if (p->flags & BLOB_NO_IMAGE_NAME)
        printf("    the image's name is left out of a Multiboot command line\n");
    if (p->flags & BLOB_STOP_ON_STRAY)
        printf("    stopped if it accesses addresses where a PC has nothing\n");
    if (p->flags & BLOB_FRAMEBUFFER)
        printf("    framebuffer\n");
    if (p->flags & BLOB_TRUST_DMA)
        printf("    trusted: its devices may do DMA where no IOMMU confines them\n");
    if (p->flags & BLOB_STOP_ON_DMA_FAULT)
        printf("    stopped if the DMA of its devices is refused\n");
}

void config_show(const struct blob *blob)
{
    char memory[MEMORY_TEXT_SIZE];
    int name_width = (int)strlen("PARTITION");
    int cpus_width = (int)strlen("CPUS");
    int memory_width = (int)strlen("MEMORY");

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        write_memory(p->memory, memory);
        widen(&name_width, (int)strlen(blob_name(blob, i)));
        widen(&cpus_width, print_cpus(blob, p, NULL));
        widen(&memory_width, (int)strlen(memory));
    }
    printf("%-*s  %-*s  %*s  %s\n", name_width, "PARTITION", cpus_width, "CPUS", memory_width,
           "MEMORY", "IMAGE");
    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        write_memory(p->memory, memory);
        printf("%-*s  ", name_width, blob_name(blob, i));
        printf("%*s  %*s  %s\n", cpus_width - print_cpus(blob, p, stdout), "", memory_width, memory,
               blob_string(blob, p->image));
        show_details(blob, p);
    }
}
