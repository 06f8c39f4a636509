// SPDX-License-Identifier: Apache-2.0
// The limits of a configuration, and their reasons. docs/configuration.md has the same rows; a test
// in tests/boot/test_config_tool.py compares them.
#include <stdio.h>

#include "partitions/config.h"
#include "partitions/config_text.h"

static const struct {
    const char *what;
    unsigned long long most;
    const char *unit;
    const char *why;
} limits[] = {
    {"partitions", MAX_PARTITIONS, "", "the hypervisor's tables of partitions"},
    {"CPUs of all partitions", MAX_CPUS, "", "the hypervisor's tables of CPUs"},
    {"memory of a partition", BLOB_MAX_MEMORY / GIB(1), " GiB",
     "more is taken for a slip of the unit"},
    {"modules entries of all partitions", BLOB_MAX_MODULES, "", "each is compared with all others"},
    {"ioports entries of all partitions", BLOB_MAX_IOPORTS, "", "each is compared with all others"},
    {"devices entries of all partitions", BLOB_MAX_DEVICES, "", "each is compared with all others"},
    {"devices of a partition", BLOB_MAX_PARTITION_DEVICES, "", "the slots of its PCI bus"},
    {"files that are named", BLOB_MAX_FILES, "", "what a boot loader can bring"},
    {"bytes of all their names", BLOB_MAX_FILE_NAMES, "",
     "what a boot loader can bring; each has a NUL"},
    {"bytes of a file's name", BLOB_MAX_MODULE_NAME, "", "what a boot loader can bring"},
    {"bytes of a partition's name", BLOB_MAX_NAME, "", "it stands before each line on the console"},
    {"bytes of a command line", BLOB_MAX_CMDLINE, "", "what Linux takes"},
    {"size of the text with all that it includes", CONFIG_MAX_FILE_SIZE / MIB(1), " MiB",
     "larger files are something else"},
    {"files that include one another", CONFIG_MAX_INCLUDES, "", "libconfig's limit"},
    {"folders for --modules", CONFIG_MAX_FOLDERS, "", "one for each place that modules come from"},
    {"size of the blob", BLOB_MAX_SIZE / MIB(1), " MiB", "it is kept in the hypervisor's heap"},
};

void config_show_limits(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        char most[32];

        snprintf(most, sizeof(most), "%llu%s", limits[i].most, limits[i].unit);
        printf("%-42s  %8s  %s\n", limits[i].what, most, limits[i].why);
    }
}
