// SPDX-License-Identifier: Apache-2.0
// Boots with any configuration blob on a machine of any size. What config_load() accepts is read
// the way the hypervisor reads it, and has to keep what the hypervisor relies on: everything lies
// within the blob, no CPU, port or device has two owners, nobody gets a port that is kept, there is
// memory for all, and a module has one hash. These checks share no code with those of the blob.
#include <stdlib.h>
#include <string.h>

#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/machine/config.h"
#include "hv/machine/guest_platform.h"
#include "hv/machine/machine.h"
#include "hv/memory/guest_mem.h"
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
    MEND_SECTIONS = 2, // and the table of sections, so that they fill the file
    MEND_RECORDS = 4,  // and what records refer to, their flags and hashes
};

// The sections as the mended table has them.
struct mended {
    uint8_t *bytes[BLOB_SECTION_COUNT];
    uint32_t count[BLOB_SECTION_COUNT];
};

// All that there are, in their order and with as many records as the table says and the file has
// room for; the last one gets what is left.
static struct mended mend_sections(struct blob_header *file, size_t size)
{
    struct blob_section *s = (struct blob_section *)(file + 1);
    struct mended m = {0};
    size_t end;

    file->section_count %= BLOB_SECTION_COUNT + 1;
    file->section_count =
        (uint32_t)min_u64(file->section_count, (size - sizeof(*file)) / sizeof(*s));
    end = sizeof(*file) + file->section_count * sizeof(*s);
    for (uint32_t id = 0; id < file->section_count; id++, s++) {
        size_t start = min_u64(align_up(end, BLOB_ALIGNMENT), size);
        size_t room = (size - start) / blob_kinds[id].record_size;
        uint32_t count = s->size / blob_kinds[id].record_size;

        if (id + 1 == file->section_count)
            count = UINT32_MAX;
        m.count[id] = (uint32_t)min_u64(count, min_u64(room, blob_kinds[id].most));
        memset((uint8_t *)file + end, 0, start - end);
        *s = (struct blob_section){.version = 1,
                                   .record_size = blob_kinds[id].record_size,
                                   .offset = (uint32_t)start,
                                   .size = m.count[id] * blob_kinds[id].record_size};
        memcpy(s->type, blob_kinds[id].type, BLOB_TYPE_SIZE);
        m.bytes[id] = (uint8_t *)file + start;
        end = start + s->size;
    }
    file->size = (uint32_t)end; // what the last one has no use for is cut off
    return m;
}

static void mend_hash(struct blob_hash *hash)
{
    hash->is_given &= 1;
    if (!hash->is_given)
        memset(hash, 0, sizeof(*hash));
}

static void mend_text(const struct mended *m, blob_text *text)
{
    if (m->count[BLOB_STRINGS] > 0)
        *text %= m->count[BLOB_STRINGS];
}

static void mend_slice(const struct mended *m, enum blob_section_id id, struct blob_slice *slice,
                       uint32_t next[])
{
    slice->first = next[id];
    slice->count %= m->count[id] - next[id] + 1;
    next[id] += slice->count;
}

static void mend_records(const struct mended *m)
{
    struct blob_partition *p = (struct blob_partition *)(void *)m->bytes[BLOB_PARTITIONS];
    struct blob_module *module = (struct blob_module *)(void *)m->bytes[BLOB_MODULES];
    uint32_t next[BLOB_SECTION_COUNT] = {0}; // record that has no owner yet

    if (m->count[BLOB_STRINGS] > 0) {
        m->bytes[BLOB_STRINGS][0] = 0;
        m->bytes[BLOB_STRINGS][m->count[BLOB_STRINGS] - 1] = 0;
    }
    for (uint32_t i = 0; i < m->count[BLOB_PARTITIONS]; i++, p++) {
        mend_text(m, &p->name);
        mend_text(m, &p->image);
        mend_text(m, &p->initrd);
        mend_text(m, &p->cmdline);
        mend_hash(&p->image_hash);
        mend_hash(&p->initrd_hash);
        mend_slice(m, BLOB_CPUS, &p->cpus, next);
        mend_slice(m, BLOB_MODULES, &p->modules, next);
        mend_slice(m, BLOB_IOPORTS, &p->ioports, next);
        mend_slice(m, BLOB_DEVICES, &p->devices, next);
        if (p->cpus.count != 0)
            p->cpu_count = p->cpus.count;
        p->flags &= BLOB_FLAGS;
    }
    for (uint32_t i = 0; i < m->count[BLOB_MODULES]; i++, module++) {
        mend_text(m, &module->name);
        mend_text(m, &module->cmdline);
        mend_hash(&module->hash);
    }
}

// Returns the size, which may have become less.
static size_t mend(struct blob_header *file, size_t size, uint8_t how)
{
    if (!(how & MEND_HEADER) || size < sizeof(*file))
        return size;
    memcpy(file->magic, BLOB_MAGIC, BLOB_MAGIC_SIZE);
    file->version = BLOB_VERSION;
    file->size = (uint32_t)size;
    if (how & MEND_SECTIONS) {
        struct mended m = mend_sections(file, size);
        if (how & MEND_RECORDS)
            mend_records(&m);
    }
    file->crc32 =
        blob_crc32(&file->section_count, file->size - offsetof(struct blob_header, section_count));
    return file->size;
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
static void add_modules(const struct blob_header *file, size_t size, uint8_t other)
{
    const char *text = (const char *)file;
    unsigned skip = other >> 4;

    machine.boot.module_count = 0;
    add_module(file, size, "blob");
    if (other & 1)
        add_module(file, size, "blob again");
    for (size_t i = sizeof(*file); i + 1 < size; i++) {
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

static void end_checked(const void *thing, size_t size)
{
    const struct blob_header *file = allocated; // where config_load() has put it

    CHECK((const char *)thing >= (const char *)file &&
          (const char *)thing + size <= (const char *)file + file->size);
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
        CHECK(p->cpus.count == 0 || blob_cpus(machine.config, p)[owner->vcpu].number == cpu);
        for (unsigned other = 0; other < cpu; other++)
            CHECK(machine.cpu_owner[other].partition != (int)index ||
                  machine.cpu_owner[other].vcpu != owner->vcpu);
        found++;
    }
    CHECK(found == p->cpu_count);
    for (unsigned i = 0; i < p->cpus.count; i++)
        end_checked(&blob_cpus(machine.config, p)[i], sizeof(struct blob_cpu));
}

static unsigned framebuffers; // partitions so far that are given one

static void check_partition(unsigned index, uint64_t *memory)
{
    const struct blob_partition *p = blob_partition(machine.config, index);

    end_checked(p, sizeof(*p));
    check_text(p->name, BLOB_MAX_NAME);
    CHECK(blob_name(machine.config, index)[0] != '\0');
    for (unsigned i = 0; i < index; i++)
        CHECK(strcmp(blob_name(machine.config, index), blob_name(machine.config, i)) != 0);
    check_cpus(index, p);
    CHECK(p->memory >= MIB(2) && is_aligned(p->memory, PAGE_SIZE) && p->memory <= *memory);
    *memory -= p->memory;
    check_module(p->image, &p->image_hash);
    CHECK(p->image != 0);
    if (p->initrd != 0)
        check_module(p->initrd, &p->initrd_hash);
    CHECK(p->initrd != 0 || !p->initrd_hash.is_given);
    CHECK(p->initrd == 0 || p->modules.count == 0);
    check_text(p->cmdline, BLOB_MAX_CMDLINE);
    for (unsigned i = 0; i < p->modules.count; i++) {
        const struct blob_module *m = &blob_modules(machine.config, p)[i];

        end_checked(m, sizeof(*m));
        check_module(m->name, &m->hash);
        check_text(m->cmdline, BLOB_MAX_CMDLINE);
    }
    for (unsigned i = 0; i < p->ioports.count; i++)
        check_ports(&blob_ioports(machine.config, p)[i]);
    CHECK(p->devices.count <= BLOB_MAX_PARTITION_DEVICES);
    for (unsigned i = 0; i < p->devices.count; i++)
        check_device(&blob_devices(machine.config, p)[i]);
    CHECK((p->flags & ~BLOB_FLAGS) == 0);
    CHECK(p->devices.count > 0 || (p->flags & (BLOB_TRUST_DMA | BLOB_STOP_ON_DMA_FAULT)) == 0);
    framebuffers += (p->flags & BLOB_FRAMEBUFFER) != 0;
}

static void check_accepted(bool gives_framebuffer)
{
    uint64_t memory = page_alloc_total(&machine.memory);

    CHECK(printed == 0);
    CHECK(blob_partition_count(machine.config) > 0);
    memset(port_taken, 0, sizeof(port_taken));
    devices_seen_count = 0;
    hashes_seen_count = 0;
    framebuffers = 0;
    for (unsigned i = 0; i < blob_partition_count(machine.config); i++)
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
    struct blob_header *file;

    if (size < sizeof(setting))
        return 0;
    memcpy(&setting, data, sizeof(setting));
    data += sizeof(setting);
    size -= sizeof(setting);
    file = malloc(size == 0 ? 1 : size);
    CHECK(file != NULL);
    memcpy(file, data, size);
    size = mend(file, size, setting.mend);

    cpu_count = setting.cpus % MAX_CPUS + 1;
    machine.memory.count = 0;
    CHECK(page_alloc_add(&machine.memory, 0, MIB(1) << setting.memory % 24) == STATUS_OK);
    add_modules(file, size, setting.other);
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
    free(file);
    return 0;
}
