// SPDX-License-Identifier: Apache-2.0
// Prints a configuration blob as a table: a line for each partition, and below it what does not fit
// in a column. Relies on the blob having passed blob_check().
#include <stdio.h>
#include <string.h>

#include "partitions/config.h"

#define CPUS_TEXT_SIZE   (MAX_CPUS * 3 + 1)
#define MEMORY_TEXT_SIZE 32

// "any 2", or the CPUs' numbers: "2,3".
static void write_cpus(const struct blob_partition *p, char *text)
{
    size_t used = 0;

    if (p->cpu_mode == BLOB_CPUS_ANY) {
        snprintf(text, CPUS_TEXT_SIZE, "any %u", p->cpu_count);
        return;
    }
    for (unsigned i = 0; i < p->cpu_count; i++)
        used +=
            (size_t)snprintf(text + used, CPUS_TEXT_SIZE - used, i == 0 ? "%u" : ",%u", p->cpus[i]);
}

static void write_memory(uint64_t bytes, char *text)
{
    static const char *const units[] = {"KiB", "MiB", "GiB"};
    unsigned long long value = bytes / KIB(1); // a partition has whole pages
    size_t unit = 0;

    while (unit + 1 < ARRAY_SIZE(units) && value % 1024 == 0) {
        value /= 1024;
        unit++;
    }
    snprintf(text, MEMORY_TEXT_SIZE, "%llu %s", value, units[unit]);
}

static void widen(int *width, const char *text)
{
    if (*width < (int)strlen(text))
        *width = (int)strlen(text);
}

// As sha256sum prints it, so that the two can be compared.
static void show_hash(const struct blob_use *use)
{
    printf("    sha256   ");
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        printf("%02x", use->sha256[i]);
    printf("  %s\n", use->name);
}

static void show_details(const struct blob_header *blob, const struct blob_partition *p)
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
    for (unsigned i = 0; i < p->module_count; i++) {
        const char *cmdline = blob_string(blob, modules[i].cmdline);

        printf("    module   %s%s%s\n", blob_string(blob, modules[i].name),
               cmdline[0] == '\0' ? "" : ": ", cmdline);
    }
    for (unsigned i = 0; blob_use(blob, p, i, &use); i++) {
        if (use.sha256 != NULL)
            show_hash(&use);
    }
    for (unsigned i = 0; i < p->ioport_count; i++)
        printf("    ioports  0x%x-0x%x\n", ioports[i].first, ioports[i].last);
    for (unsigned i = 0; i < p->device_count; i++)
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

void config_show(const struct blob_header *blob)
{
    char cpus[CPUS_TEXT_SIZE];
    char memory[MEMORY_TEXT_SIZE];
    int name_width = (int)strlen("PARTITION");
    int cpus_width = (int)strlen("CPUS");
    int memory_width = (int)strlen("MEMORY");

    for (unsigned i = 0; i < blob->partition_count; i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        write_cpus(p, cpus);
        write_memory(p->memory, memory);
        widen(&name_width, p->name);
        widen(&cpus_width, cpus);
        widen(&memory_width, memory);
    }
    printf("%-*s  %-*s  %*s  %s\n", name_width, "PARTITION", cpus_width, "CPUS", memory_width,
           "MEMORY", "IMAGE");
    for (unsigned i = 0; i < blob->partition_count; i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        write_cpus(p, cpus);
        write_memory(p->memory, memory);
        printf("%-*s  %-*s  %*s  %s\n", name_width, p->name, cpus_width, cpus, memory_width, memory,
               blob_string(blob, p->image));
        show_details(blob, p);
    }
}
