// SPDX-License-Identifier: Apache-2.0
// Boots with any configuration blob on a machine of any size. What config_load() accepts is read
// the way the hypervisor reads it, and has to keep what the hypervisor relies on: everything lies
// within the blob, no CPU, port or device has two owners, nobody gets a port that is kept, there is
// memory for all, and a module has one hash. These checks share no code with those of the blob.
#include <stdlib.h>
#include <string.h>

#include "arch/heap.h"
#include "arch/percpu.h"
#include "drivers/console.h"
#include "drivers/format.h"
#include "hv/config.h"
#include "hv/guest_mem.h"
#include "hv/guest_platform.h"
#include "hv/machine.h"
#include "hv/vdev/ports.h"
#include "partitions/config.h"
#include "tests/fuzz/fuzz.h"

// ---- what config_load() relies on ------------------------------------------------------------

struct machine machine;
struct io_range machine_kept_ports[MACHINE_MAX_KEPT_PORTS] = {
    {0x608, 0x60b, "the PM timer"}, {0xb000, 0xb03f, "ACPI"}, {0xffff, 0xffff, "the last port"}};
unsigned machine_kept_port_count = 3;
unsigned cpu_count;

static unsigned printed; // lines
static void *allocated;

void *heap_alloc(size_t size)
{
    CHECK(allocated == NULL && size <= BLOB_MAX_SIZE);
    allocated = malloc(size == 0 ? 1 : size);
    return allocated;
}

// The list of problems, and nothing else, is in pages.
hpa_t heap_pages_alloc(unsigned count)
{
    return hpa((uint64_t)(uintptr_t)calloc(count, PAGE_SIZE));
}

void heap_pages_free(hpa_t base, unsigned count)
{
    CHECK(base.v != 0 && count > 0);
    free(heap_ptr(base));
}

void *heap_ptr(hpa_t address)
{
    return (void *)(uintptr_t)address.v;
}

hpa_t heap_pa(const void *pointer)
{
    return hpa((uint64_t)(uintptr_t)pointer);
}

enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size)
{
    if (offset > m->size || size > m->size - offset)
        return ERR_TRUNCATED;
    if (size > 0)
        memcpy(buffer, (const uint8_t *)(uintptr_t)m->base + offset, size);
    return STATUS_OK;
}

void print(const char *fmt, ...)
{
    char text[CONSOLE_PRINT_SIZE];
    va_list args;

    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    CHECK(text[0] != '\0');
    printed++;
}

// ---- the input -------------------------------------------------------------------------------

// The bytes before those of the blob.
struct setting {
    uint8_t mend;   // MEND_*
    uint8_t cpus;   // of the machine
    uint8_t memory; // of the machine: MiB is a power of two
    uint8_t other;  // how the boot modules differ from those that the blob names
};

enum {
    MEND_HEADER = 1,   // magic, version, size and checksum
    MEND_SECTIONS = 2, // and the counts, so that they add up
    MEND_SLICES = 4,   // and each partition's place in the lists, its flags and hashes
};

static void mend_sections(struct blob_header *blob, size_t size)
{
    size_t left = size - sizeof(*blob);

    blob->partition_count %= MAX_PARTITIONS + 1;
    if (blob->partition_count > left / sizeof(struct blob_partition))
        blob->partition_count = (uint32_t)(left / sizeof(struct blob_partition));
    left -= blob->partition_count * sizeof(struct blob_partition);
    blob->module_count %= BLOB_MAX_MODULES + 1;
    if (blob->module_count > left / sizeof(struct blob_module))
        blob->module_count = (uint32_t)(left / sizeof(struct blob_module));
    left -= blob->module_count * sizeof(struct blob_module);
    blob->ioport_count %= BLOB_MAX_IOPORTS + 1;
    if (blob->ioport_count > left / sizeof(struct blob_ioports))
        blob->ioport_count = (uint32_t)(left / sizeof(struct blob_ioports));
    left -= blob->ioport_count * sizeof(struct blob_ioports);
    blob->device_count %= BLOB_MAX_DEVICES + 1;
    if (blob->device_count > left / sizeof(struct blob_device))
        blob->device_count = (uint32_t)(left / sizeof(struct blob_device));
    left -= blob->device_count * sizeof(struct blob_device);
    blob->strings_size = (uint32_t)left;
}

static void mend_hash(struct blob_hash *hash)
{
    hash->is_given &= 1;
    if (!hash->is_given)
        memset(hash, 0, sizeof(*hash));
}

static void mend_slices(struct blob_header *blob)
{
    struct blob_partition *p = (struct blob_partition *)(blob + 1);
    struct blob_module *m = (struct blob_module *)(p + blob->partition_count);
    uint32_t modules = 0, ioports = 0, devices = 0;

    for (uint32_t i = 0; i < blob->partition_count; i++, p++) {
        p->module_first = modules;
        p->ioport_first = ioports;
        p->device_first = devices;
        p->module_count %= blob->module_count - modules + 1;
        p->ioport_count %= blob->ioport_count - ioports + 1;
        p->device_count %=
            (uint32_t)min_u64(BLOB_MAX_PARTITION_DEVICES, blob->device_count - devices) + 1;
        p->flags &= BLOB_FLAGS;
        p->reserved = 0;
        mend_hash(&p->image_hash);
        mend_hash(&p->initrd_hash);
        modules += p->module_count;
        ioports += p->ioport_count;
        devices += p->device_count;
    }
    for (uint32_t i = 0; i < blob->module_count; i++)
        mend_hash(&m[i].hash);
}

static void mend(struct blob_header *blob, size_t size, uint8_t how)
{
    if (!(how & MEND_HEADER) || size < sizeof(*blob))
        return;
    memcpy(blob->magic, BLOB_MAGIC, BLOB_MAGIC_SIZE);
    blob->version = BLOB_VERSION;
    blob->size = (uint32_t)size;
    if (how & MEND_SECTIONS)
        mend_sections(blob, size);
    if ((how & MEND_SECTIONS) && (how & MEND_SLICES))
        mend_slices(blob);
    blob->crc32 =
        blob_crc32(&blob->partition_count, size - offsetof(struct blob_header, partition_count));
}

static void add_module(const void *base, size_t size, const char *name)
{
    struct boot_module *m = &machine.boot.modules[machine.boot.module_count];

    if (machine.boot.module_count == BOOT_MAX_MODULES)
        return;
    *m = (struct boot_module){(uint64_t)(uintptr_t)base, size, name};
    machine.boot.module_count++;
}

static bool has_module(const char *name)
{
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        if (strcmp(machine.boot.modules[i].name, name) == 0)
            return true;
    }
    return false;
}

// A module for each string of the blob that is a name, whatever its fields say: the counts are not
// believed here either.
static void add_modules(const struct blob_header *blob, size_t size, uint8_t other)
{
    const char *text = (const char *)blob;
    unsigned skip = other >> 4;

    machine.boot.module_count = 0;
    add_module(blob, size, "blob");
    if (other & 1)
        add_module(blob, size, "blob again");
    for (size_t i = sizeof(*blob); i + 1 < size; i++) {
        size_t length = strnlen(text + i + 1, size - i - 1);

        if (text[i] != '\0' || length == 0 || length == size - i - 1 || length >= BOOT_TEXT_SIZE)
            continue;
        if (text[i + 1] <= ' ') // a number: there are more of them than modules may be
            continue;
        if ((has_module(text + i + 1) && !(other & 2)) || skip-- == 1)
            continue;
        add_module("", 0, text + i + 1);
    }
}

// ---- what is accepted ------------------------------------------------------------------------

static const struct blob_header *end_checked(const void *thing, size_t size)
{
    const struct blob_header *blob = machine.config;

    CHECK((const char *)thing >= (const char *)blob &&
          (const char *)thing + size <= (const char *)blob + blob->size);
    return blob;
}

static void check_text(uint32_t offset, size_t max)
{
    const char *text = blob_string(machine.config, offset);

    end_checked(text, 1);
    end_checked(text, strlen(text) + 1);
    CHECK(strlen(text) <= max);
}

// Modules of all partitions so far that have a hash.
static struct {
    const char *name;
    const uint8_t *sha256;
} hashes_seen[2 * MAX_PARTITIONS + BLOB_MAX_MODULES];
static unsigned hashes_seen_count;

static void check_hash(const char *name, const struct blob_hash *hash)
{
    static const uint8_t none[SHA256_SIZE];

    end_checked(hash, sizeof(*hash));
    CHECK(hash->is_given <= 1);
    if (!hash->is_given) {
        CHECK(memcmp(hash->sha256, none, sizeof(none)) == 0);
        return;
    }
    CHECK(blob_module_sha256(machine.config, name) != NULL);
    CHECK(memcmp(blob_module_sha256(machine.config, name), hash->sha256, SHA256_SIZE) == 0);
    for (unsigned i = 0; i < hashes_seen_count; i++)
        CHECK(strcmp(hashes_seen[i].name, name) != 0 ||
              memcmp(hashes_seen[i].sha256, hash->sha256, SHA256_SIZE) == 0);
    CHECK(hashes_seen_count < ARRAY_SIZE(hashes_seen));
    hashes_seen[hashes_seen_count].name = name;
    hashes_seen[hashes_seen_count++].sha256 = hash->sha256;
}

static void check_module(uint32_t offset, const struct blob_hash *hash)
{
    const char *name = blob_string(machine.config, offset);

    check_text(offset, BLOB_MAX_MODULE_NAME);
    CHECK(has_module(name));
    check_hash(name, hash);
}

// Ports of all partitions so far.
static uint8_t port_taken[0x10000];

static void check_ports(const struct blob_ioports *range)
{
    end_checked(range, sizeof(*range));
    CHECK(range->first <= range->last);
    for (unsigned port = range->first; port <= range->last; port++) {
        enum vdev_port device = vdev_port_lookup((uint16_t)port);

        CHECK(!port_taken[port]);
        // PM1 is where the machine's own isn't; it is not kept.
        CHECK(device == VDEV_PORT_NONE || device == VDEV_PORT_PM);
        for (unsigned i = 0; i < machine_kept_port_count; i++)
            CHECK(port < machine_kept_ports[i].first || port > machine_kept_ports[i].last);
        port_taken[port] = 1;
    }
}

// Devices of all partitions so far.
static struct blob_device devices_seen[BLOB_MAX_DEVICES];
static unsigned devices_seen_count;

static void check_device(const struct blob_device *d)
{
    end_checked(d, sizeof(*d));
    for (unsigned i = 0; i < devices_seen_count; i++)
        CHECK(memcmp(d, &devices_seen[i], sizeof(*d)) != 0);
    CHECK(devices_seen_count < BLOB_MAX_DEVICES);
    devices_seen[devices_seen_count++] = *d;
}

static void check_cpus(unsigned index, const struct blob_partition *p)
{
    unsigned found = 0;

    CHECK(p->cpu_count > 0);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        const struct blob_cpu_owner *owner = &machine.cpu_owner[cpu];

        if (owner->partition != (int)index)
            continue;
        CHECK(cpu < cpu_count && owner->vcpu < p->cpu_count);
        CHECK(p->cpu_mode != BLOB_CPUS_LISTED || p->cpus[owner->vcpu] == cpu);
        for (unsigned other = 0; other < cpu; other++)
            CHECK(machine.cpu_owner[other].partition != (int)index ||
                  machine.cpu_owner[other].vcpu != owner->vcpu);
        found++;
    }
    CHECK(found == p->cpu_count);
}

static unsigned framebuffers; // partitions so far that are given one

static void check_partition(unsigned index, uint64_t *memory)
{
    const struct blob_partition *p = blob_partition(machine.config, index);

    end_checked(p, sizeof(*p));
    CHECK(p->name[0] != '\0' && memchr(p->name, '\0', sizeof(p->name)) != NULL);
    for (unsigned i = 0; i < index; i++)
        CHECK(strcmp(p->name, blob_partition(machine.config, i)->name) != 0);
    check_cpus(index, p);
    CHECK(p->memory >= MIB(2) && is_aligned(p->memory, PAGE_SIZE) && p->memory <= *memory);
    *memory -= p->memory;
    check_module(p->image, &p->image_hash);
    CHECK(p->image != 0);
    if (p->initrd != 0)
        check_module(p->initrd, &p->initrd_hash);
    CHECK(p->initrd != 0 || !p->initrd_hash.is_given);
    CHECK(p->initrd == 0 || p->module_count == 0);
    check_text(p->cmdline, BLOB_MAX_CMDLINE);
    for (unsigned i = 0; i < p->module_count; i++) {
        const struct blob_module *m = &blob_modules(machine.config, p)[i];

        end_checked(m, sizeof(*m));
        check_module(m->name, &m->hash);
        check_text(m->cmdline, BLOB_MAX_CMDLINE);
    }
    for (unsigned i = 0; i < p->ioport_count; i++)
        check_ports(&blob_ioports(machine.config, p)[i]);
    CHECK(p->device_count <= BLOB_MAX_PARTITION_DEVICES);
    for (unsigned i = 0; i < p->device_count; i++)
        check_device(&blob_devices(machine.config, p)[i]);
    CHECK((p->flags & ~BLOB_FLAGS) == 0);
    CHECK(p->device_count > 0 || (p->flags & (BLOB_TRUST_DMA | BLOB_STOP_ON_DMA_FAULT)) == 0);
    framebuffers += (p->flags & BLOB_FRAMEBUFFER) != 0;
}

static void check_accepted(bool gives_framebuffer)
{
    uint64_t memory = page_alloc_total(&machine.memory);

    CHECK(printed == 0);
    CHECK(machine.config->partition_count > 0);
    memset(port_taken, 0, sizeof(port_taken));
    devices_seen_count = 0;
    hashes_seen_count = 0;
    framebuffers = 0;
    for (unsigned i = 0; i < machine.config->partition_count; i++)
        check_partition(i, &memory);
    CHECK(framebuffers == gives_framebuffer);
    config_show(machine.config);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    CHECK(freopen("/dev/null", "w", stdout) != NULL); // for config_show()
    CHECK(vdev_ports_init(GUEST_PM1_BASE) == STATUS_OK);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setting setting;
    struct blob_header *blob;

    if (size < sizeof(setting))
        return 0;
    memcpy(&setting, data, sizeof(setting));
    data += sizeof(setting);
    size -= sizeof(setting);
    blob = malloc(size == 0 ? 1 : size);
    CHECK(blob != NULL);
    memcpy(blob, data, size);
    mend(blob, size, setting.mend);

    cpu_count = setting.cpus % MAX_CPUS + 1;
    page_alloc_init(&machine.memory);
    CHECK(page_alloc_add(&machine.memory, 0, MIB(1) << setting.memory % 24) == STATUS_OK);
    add_modules(blob, size, setting.other);
    printed = 0;
    machine.config = NULL;
    bool gives = config_gives_framebuffer(); // asked first, and says nothing
    CHECK(printed == 0);
    if (config_load() == STATUS_OK)
        check_accepted(gives);
    else
        CHECK(printed > 0);
    free(allocated);
    allocated = NULL;
    free(blob);
    return 0;
}
