// SPDX-License-Identifier: Apache-2.0
// The rules for a configuration on any machine: names, CPUs, memory, images, I/O ports, devices and
// the screen of the partitions, each by itself and against the others. Relies on blob_check()
// having proved the blob's form.
#include "arch/lib/string.h"
#include "partitions/blob_problem.h"

// Ports that no partition may have on any PC. A partition reaches only the ports in its
// configuration, and these are refused there. The low ones are kept in whole blocks, because
// chipsets decode them incompletely, and many an address is an alias of another.
static const struct blob_kept_ports kept_ports[] = {
    {0x0000, 0x001f, "the DMA controller, which writes to any memory"},
    {0x0020, 0x003f, "the interrupt controller, and the chipset's configuration"},
    {0x0040, 0x005f, "the interval timer, and the super I/O's configuration"},
    {0x0060, 0x006f, "the keyboard controller, which can reset the machine"},
    {0x0070, 0x007f, "the clock, and the NMI mask"},
    {0x0080, 0x009f, "DMA pages, and system control, which can reset the machine"},
    {0x00a0, 0x00bf, "the interrupt controller, and the firmware's system management"},
    {0x00c0, 0x00df, "the DMA controller, which writes to any memory"},
    {0x03f8, 0x03ff, "where every partition has a serial port, a virtual one"},
    {0x04d0, 0x04d1, "the interrupt controller's triggers"},
    {0x0cf8, 0x0cff, "PCI configuration, and the machine's reset"},
};

static struct blob_place at(unsigned partition, enum blob_field field)
{
    return (struct blob_place){(int)partition, field, -1};
}

static struct blob_place at_item(unsigned partition, enum blob_field field, unsigned item)
{
    return (struct blob_place){(int)partition, field, (int)item};
}

// ---- names and texts -------------------------------------------------------------------------

static void check_name(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const char *name = blob_name(blob, index);

    if (!blob_name_is_legal(name)) {
        blob_problem_add(out, blob, BLOB_BAD_NAME, at(index, BLOB_FIELD_NAME),
                         "its name must be 1 to %d letters, digits, '_' or '-'", BLOB_MAX_NAME);
        return;
    }
    if (blob_name_is_hypervisors(name)) {
        blob_problem_add(out, blob, BLOB_BAD_NAME, at(index, BLOB_FIELD_NAME),
                         "its lines on the console would look like the hypervisor's own, which "
                         "begin with \"[bulkhead]\"; give it another name");
        return;
    }
    for (unsigned i = 0; i < index; i++) {
        if (strcmp(name, blob_name(blob, i)) == 0) {
            blob_problem_add(out, blob, BLOB_DUPLICATE_NAME, at(index, BLOB_FIELD_NAME),
                             "an earlier partition has the same name; give each its own");
            return;
        }
    }
}

// Bytes above 0x7f are allowed: they are letters of some language.
static bool is_plain(const char *text, char lowest)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < (unsigned char)lowest || c == 0x7f)
            return false;
    }
    return true;
}

static void check_module_name(const struct blob *blob, struct blob_place place, blob_text offset,
                              struct blob_problems *out)
{
    const char *name = blob_string(blob, offset);

    // A module's name is a word of its command line, so it has no spaces.
    if (name[0] == '\0' || strlen(name) > BLOB_MAX_MODULE_NAME || !is_plain(name, ' ' + 1)) {
        blob_problem_add(out, blob, BLOB_BAD_TEXT, place,
                         "a module's name must be 1 to %d characters without spaces",
                         BLOB_MAX_MODULE_NAME);
        return;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '/') {
            blob_problem_add(out, blob, BLOB_BAD_TEXT, place,
                             "\"%.48s\" is a path; write the file's name only, the loader finds it "
                             "by that",
                             name);
            return;
        }
        // GRUB puts a backslash before each of these in a module's command line.
        if (*c == '\\' || *c == '"' || *c == '\'') {
            blob_problem_add(out, blob, BLOB_BAD_TEXT, place,
                             "a module's name can't hold %c, which GRUB would change; rename the "
                             "file",
                             *c);
            return;
        }
    }
}

static void check_cmdline(const struct blob *blob, struct blob_place place, blob_text offset,
                          struct blob_problems *out)
{
    const char *cmdline = blob_string(blob, offset);
    size_t length = strlen(cmdline);

    if (length > BLOB_MAX_CMDLINE)
        blob_problem_add(out, blob, BLOB_BAD_TEXT, place,
                         "a command line has %zu characters, at most %d are allowed", length,
                         BLOB_MAX_CMDLINE);
    if (!is_plain(cmdline, ' '))
        blob_problem_add(out, blob, BLOB_BAD_TEXT, place,
                         "a command line holds a control character; use spaces only");
}

static void check_files(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);
    const struct blob_module *modules = blob_modules(blob, p);

    if (p->image == 0)
        blob_problem_add(out, blob, BLOB_NO_IMAGE, at(index, BLOB_FIELD_IMAGE),
                         "it has no image; name the boot module that holds its kernel");
    else
        check_module_name(blob, at(index, BLOB_FIELD_IMAGE), p->image, out);
    if (p->initrd != 0)
        check_module_name(blob, at(index, BLOB_FIELD_INITRD), p->initrd, out);
    check_cmdline(blob, at(index, BLOB_FIELD_CMDLINE), p->cmdline, out);
    for (unsigned i = 0; i < p->modules.count; i++) {
        struct blob_place place = at_item(index, BLOB_FIELD_MODULES, i);

        check_module_name(blob, place, modules[i].name, out);
        check_cmdline(blob, place, modules[i].cmdline, out);
    }
    if (p->initrd != 0 && p->modules.count != 0)
        blob_problem_add(out, blob, BLOB_INITRD_AND_MODULES, at(index, BLOB_FIELD_INITRD),
                         "it has both an initrd, which is for a Linux kernel, and modules, which "
                         "are for a Multiboot kernel; leave one out");
}

static bool is_used_before(const struct blob *blob, unsigned index, unsigned number,
                           const char *name)
{
    struct blob_use other;

    for (unsigned i = 0; i <= index; i++) {
        for (unsigned n = 0;
             (i < index || n < number) && blob_use(blob, blob_partition(blob, i), n, &other); n++) {
            if (strcmp(other.name, name) == 0)
                return true;
        }
    }
    return false;
}

// Checks that a loader's information has room for all files and their names.
static void check_files_fit(const struct blob *blob, struct blob_problems *out)
{
    struct blob_use use;
    unsigned files = 0;
    size_t total = 0;

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        for (unsigned n = 0; blob_use(blob, blob_partition(blob, i), n, &use); n++) {
            struct blob_place place = {(int)i, use.field, use.item};

            if (is_used_before(blob, i, n, use.name))
                continue;
            files++;
            total += strlen(use.name) + 1;
            if (files > BLOB_MAX_FILES) {
                blob_problem_add(out, blob, BLOB_MANY_FILES, place,
                                 "with this module there are more than the %u files that a boot "
                                 "loader can bring; put several into one",
                                 BLOB_MAX_FILES);
                return;
            }
            if (total > BLOB_MAX_FILE_NAMES) {
                blob_problem_add(out, blob, BLOB_MANY_FILES, place,
                                 "with this module's name those of all modules have more than %d "
                                 "characters; shorten them",
                                 BLOB_MAX_FILE_NAMES);
                return;
            }
        }
    }
}

// Reports an earlier use of the same module, by this or an earlier partition, with another hash.
static void check_hash_agrees(const struct blob *blob, unsigned index, unsigned number,
                              const struct blob_use *use, struct blob_problems *out)
{
    struct blob_place place = {(int)index, use->hash_field, use->item};
    struct blob_use other;
    char user[BLOB_LABEL_SIZE];

    for (unsigned i = 0; i <= index; i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned n = 0; (i < index || n < number) && blob_use(blob, p, n, &other); n++) {
            if (other.sha256 == NULL || strcmp(other.name, use->name) != 0 ||
                memcmp(other.sha256, use->sha256, SHA256_SIZE) == 0)
                continue;
            blob_label(blob, i, user);
            blob_problem_add(out, blob, BLOB_DIFFERENT_HASHES, place,
                             "module \"%.48s\" has another SHA-256 in %s; a module is one file: "
                             "correct the wrong one",
                             use->name, i == index ? "an earlier place of it" : user);
            return;
        }
    }
}

static void check_hashes(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);
    struct blob_use use;

    if (p->initrd == 0 && p->initrd_hash.is_given)
        blob_problem_add(out, blob, BLOB_NO_HASHED_MODULE, at(index, BLOB_FIELD_INITRD_SHA256),
                         "initrd_sha256 is about its initrd, but it has none; give it one or leave "
                         "this out");
    for (unsigned n = 0; blob_use(blob, p, n, &use); n++) {
        if (use.sha256 != NULL && use.name[0] != '\0') // otherwise it has its own message
            check_hash_agrees(blob, index, n, &use, out);
    }
}

// ---- CPUs and memory -------------------------------------------------------------------------

// Reports the first list with this CPU, if it was before entry `item` of partition `index`.
static void check_cpu_is_free(const struct blob *blob, unsigned index, unsigned item,
                              struct blob_problems *out)
{
    uint32_t cpu = blob_cpus(blob, blob_partition(blob, index))[item].number;
    struct blob_place place = at_item(index, BLOB_FIELD_CPUS, item);
    char owner[BLOB_LABEL_SIZE];

    for (unsigned i = 0; i <= index; i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; k < p->cpus.count && (i < index || k < item); k++) {
            if (blob_cpus(blob, p)[k].number != cpu)
                continue;
            blob_label(blob, i, owner);
            if (i == index)
                blob_problem_add(out, blob, BLOB_DUPLICATE_CPU, place, "it lists CPU %u twice",
                                 cpu);
            else
                blob_problem_add(out, blob, BLOB_DUPLICATE_CPU, place,
                                 "CPU %u is already in the list of %s; a CPU belongs to one "
                                 "partition",
                                 cpu, owner);
            return;
        }
    }
}

static void check_cpus(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);

    if (p->cpu_count == 0)
        blob_problem_add(out, blob, BLOB_BAD_CPUS, at(index, BLOB_FIELD_CPUS),
                         "it has no CPU; it needs at least one of its own");
    if (p->cpu_count > MAX_CPUS)
        blob_problem_add(out, blob, BLOB_BAD_CPUS, at(index, BLOB_FIELD_CPUS),
                         "%u CPUs are more than Bulkhead runs on, which is %d", p->cpu_count,
                         MAX_CPUS);
    for (unsigned i = 0; i < p->cpus.count; i++) {
        uint32_t cpu = blob_cpus(blob, p)[i].number;

        if (cpu >= MAX_CPUS)
            blob_problem_add(out, blob, BLOB_BAD_CPUS, at_item(index, BLOB_FIELD_CPUS, i),
                             "CPU %u is none that Bulkhead runs on: those are numbered 0 to %d",
                             cpu, MAX_CPUS - 1);
        check_cpu_is_free(blob, index, i, out);
    }
}

static void check_memory(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    unsigned long long memory = blob_partition(blob, index)->memory;
    struct blob_place place = at(index, BLOB_FIELD_MEMORY);

    if (memory < BLOB_MIN_MEMORY)
        blob_problem_add(out, blob, BLOB_BAD_MEMORY, place,
                         "%llu bytes of memory are too little; it needs 2 MiB at least", memory);
    else if (memory > BLOB_MAX_MEMORY)
        blob_problem_add(out, blob, BLOB_BAD_MEMORY, place,
                         "%llu bytes of memory are too much; 1024 GiB is the most", memory);
    else if (!is_aligned(memory, PAGE_SIZE))
        blob_problem_add(out, blob, BLOB_BAD_MEMORY, place,
                         "%llu bytes of memory are not a multiple of 4 KiB", memory);
}

// ---- I/O ports -------------------------------------------------------------------------------

// A range whose end is before its start has no ports to share.
static bool ports_overlap(struct blob_ioports a, struct blob_ioports b)
{
    return a.first <= b.last && b.first <= a.last && b.first <= b.last;
}

const struct blob_kept_ports *blob_find_kept_ports(const struct blob_kept_ports *table,
                                                   unsigned count, struct blob_ioports ports)
{
    for (unsigned i = 0; i < count; i++) {
        if (ports_overlap(ports, (struct blob_ioports){table[i].first, table[i].last}))
            return &table[i];
    }
    return NULL;
}

// Reports an earlier range, of this or an earlier partition, that shares a port with this one.
static void check_ports_are_free(const struct blob *blob, unsigned index, unsigned item,
                                 struct blob_problems *out)
{
    struct blob_ioports ports = blob_ioports(blob, blob_partition(blob, index))[item];
    struct blob_place place = at_item(index, BLOB_FIELD_IOPORTS, item);
    char owner[BLOB_LABEL_SIZE];

    for (unsigned i = 0; i <= index; i++) {
        const struct blob_partition *p = blob_partition(blob, i);
        const struct blob_ioports *others = blob_ioports(blob, p);

        for (unsigned k = 0; k < p->ioports.count && (i < index || k < item); k++) {
            if (!ports_overlap(ports, others[k]))
                continue;
            blob_label(blob, i, owner);
            if (i == index)
                blob_problem_add(out, blob, BLOB_OVERLAPPING_PORTS, place,
                                 "I/O ports 0x%x-0x%x overlap its own 0x%x-0x%x; list each port "
                                 "once",
                                 ports.first, ports.last, others[k].first, others[k].last);
            else
                blob_problem_add(out, blob, BLOB_OVERLAPPING_PORTS, place,
                                 "I/O ports 0x%x-0x%x overlap 0x%x-0x%x of %s; a "
                                 "port belongs to one partition",
                                 ports.first, ports.last, others[k].first, others[k].last, owner);
            return;
        }
    }
}

static void check_ioports(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);

    for (unsigned i = 0; i < p->ioports.count; i++) {
        struct blob_ioports ports = blob_ioports(blob, p)[i];
        struct blob_place place = at_item(index, BLOB_FIELD_IOPORTS, i);
        const struct blob_kept_ports *kept;

        if (ports.first > ports.last) {
            blob_problem_add(out, blob, BLOB_BAD_PORTS, place,
                             "I/O ports 0x%x-0x%x end before they start; write the lower one first",
                             ports.first, ports.last);
            continue;
        }
        kept = blob_find_kept_ports(kept_ports, ARRAY_SIZE(kept_ports), ports);
        if (kept != NULL)
            blob_problem_add(out, blob, BLOB_KEPT_PORTS, place,
                             "of I/O ports 0x%x-0x%x the hypervisor keeps 0x%x-0x%x: %s; leave "
                             "those out",
                             ports.first, ports.last, kept->first, kept->last, kept->reason);
        check_ports_are_free(blob, index, i, out);
    }
}

// ---- devices ---------------------------------------------------------------------------------

static bool is_same_device(struct blob_device a, struct blob_device b)
{
    return a.segment == b.segment && a.bus == b.bus && a.devfn == b.devfn;
}

// Reports the first entry with this device, if it was before entry `item` of partition `index`.
static void check_device_is_free(const struct blob *blob, unsigned index, unsigned item,
                                 struct blob_problems *out)
{
    struct blob_device device = blob_devices(blob, blob_partition(blob, index))[item];
    struct blob_place place = at_item(index, BLOB_FIELD_DEVICES, item);
    char text[BLOB_DEVICE_TEXT_SIZE];
    char owner[BLOB_LABEL_SIZE];

    blob_device_text(device, text);
    for (unsigned i = 0; i <= index; i++) {
        const struct blob_partition *p = blob_partition(blob, i);

        for (unsigned k = 0; k < p->devices.count && (i < index || k < item); k++) {
            if (!is_same_device(device, blob_devices(blob, p)[k]))
                continue;
            blob_label(blob, i, owner);
            if (i == index)
                blob_problem_add(out, blob, BLOB_DUPLICATE_DEVICE, place,
                                 "it lists device %s twice; list it once", text);
            else
                blob_problem_add(out, blob, BLOB_DUPLICATE_DEVICE, place,
                                 "device %s is already one of %s; a device belongs to one "
                                 "partition",
                                 text, owner);
            return;
        }
    }
}

// A key about devices without devices is an error: a device added later would be trusted by a line
// that was not written for it.
static void check_flag(const struct blob *blob, unsigned index, uint32_t flag,
                       enum blob_field field, const char *key, struct blob_problems *out)
{
    const struct blob_partition *p = blob_partition(blob, index);

    if ((p->flags & flag) != 0 && p->devices.count == 0)
        blob_problem_add(out, blob, BLOB_NO_DEVICES, at(index, field),
                         "%s is about its devices, but it has none; give it devices or leave "
                         "this out",
                         key);
}

static void check_devices(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    uint32_t count = blob_partition(blob, index)->devices.count;

    if (count > BLOB_MAX_PARTITION_DEVICES)
        blob_problem_add(out, blob, BLOB_MANY_DEVICES, at(index, BLOB_FIELD_DEVICES),
                         "%u devices are more than the %u that its PCI bus has room for; give it "
                         "fewer",
                         count, BLOB_MAX_PARTITION_DEVICES);
    for (unsigned i = 0; i < count; i++)
        check_device_is_free(blob, index, i, out);
    check_flag(blob, index, BLOB_TRUST_DMA, BLOB_FIELD_TRUST_DMA, "trust_dma = true", out);
    check_flag(blob, index, BLOB_STOP_ON_DMA_FAULT, BLOB_FIELD_ON_DMA_FAULT,
               "on_dma_fault = \"stop\"", out);
}

// ---- the framebuffer -------------------------------------------------------------------------

static void check_framebuffer(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    char owner[BLOB_LABEL_SIZE];

    if ((blob_partition(blob, index)->flags & BLOB_FRAMEBUFFER) == 0)
        return;
    for (unsigned i = 0; i < index; i++) {
        if ((blob_partition(blob, i)->flags & BLOB_FRAMEBUFFER) == 0)
            continue;
        blob_label(blob, i, owner);
        blob_problem_add(out, blob, BLOB_DUPLICATE_FRAMEBUFFER, at(index, BLOB_FIELD_FRAMEBUFFER),
                         "framebuffer = true is already said of %s; the framebuffer belongs to "
                         "one partition",
                         owner);
        return;
    }
}

// ---- UUIDs -----------------------------------------------------------------------------------

// Systems that identify themselves by it would take two equal ones for the same system.
static void check_uuid(const struct blob *blob, unsigned index, struct blob_problems *out)
{
    static const uint8_t nil[BLOB_UUID_SIZE];
    const uint8_t *uuid = blob_partition(blob, index)->uuid;
    char owner[BLOB_LABEL_SIZE];

    if (memcmp(uuid, nil, BLOB_UUID_SIZE) == 0)
        blob_problem_add(out, blob, BLOB_BAD_UUID, at(index, BLOB_FIELD_UUID),
                         "its uuid is all zeros, which stands for none; leave uuid out to have one "
                         "made from its name");
    for (unsigned i = 0; i < index; i++) {
        const struct blob_partition *other = blob_partition(blob, i);

        // Equal names have their own message, and their UUIDs follow from the names.
        if (memcmp(uuid, other->uuid, BLOB_UUID_SIZE) != 0 ||
            strcmp(blob_name(blob, i), blob_name(blob, index)) == 0)
            continue;
        blob_label(blob, i, owner);
        blob_problem_add(out, blob, BLOB_DUPLICATE_UUID, at(index, BLOB_FIELD_UUID),
                         "its uuid is already that of %s; give each its own", owner);
        return;
    }
}

// ---- the whole check -------------------------------------------------------------------------

static void check_cpu_total(const struct blob *blob, struct blob_problems *out)
{
    unsigned total = 0;

    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        unsigned before = total;
        const struct blob_partition *p = blob_partition(blob, i);

        if (p->cpu_count <= MAX_CPUS) // otherwise it has its own message
            total += p->cpu_count;
        if (before <= MAX_CPUS && total > MAX_CPUS)
            blob_problem_add(out, blob, BLOB_BAD_CPUS, at(i, BLOB_FIELD_CPUS),
                             "with it the partitions have more than the %d CPUs that Bulkhead "
                             "runs on",
                             MAX_CPUS);
    }
}

void blob_check_rules(const struct blob *blob, struct blob_problems *out)
{
    if (blob_partition_count(blob) == 0)
        blob_problem_add(out, NULL, BLOB_NO_PARTITION, (struct blob_place){-1, BLOB_FIELD_NONE, -1},
                         "there is no partition; configure one at least");
    for (unsigned i = 0; i < blob_partition_count(blob); i++) {
        check_name(blob, i, out);
        check_cpus(blob, i, out);
        check_memory(blob, i, out);
        check_files(blob, i, out);
        check_hashes(blob, i, out);
        check_ioports(blob, i, out);
        check_devices(blob, i, out);
        check_framebuffer(blob, i, out);
        check_uuid(blob, i, out);
    }
    check_files_fit(blob, out);
    check_cpu_total(blob, out);
}
