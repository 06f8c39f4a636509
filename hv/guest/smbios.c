// SPDX-License-Identifier: Apache-2.0
// Writes the tables. Layouts and values are those of the System Management BIOS Reference
// Specification (DMTF DSP0134) 2.8, chapters 5 to 7. More guests know its 32-bit entry point than
// the 64-bit one of 3.0, and all tables are below 1 MiB. Relies on table.c.
#include "hv/guest/smbios.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "hv/guest/e820.h"
#include "hv/guest/table.h"
#include "hv/memory/guest_mem.h"

struct entry_point { // 5.2.1
    char anchor[4];
    uint8_t checksum; // over all bytes
    uint8_t length;
    uint8_t major;
    uint8_t minor;
    uint16_t max_size; // largest size of a structure with its texts
    uint8_t revision;
    uint8_t formatted[5];
    char dmi_anchor[5];
    uint8_t dmi_checksum; // from dmi_anchor on
    uint16_t table_length;
    uint32_t table;
    uint16_t count;
    uint8_t bcd_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct entry_point) == 0x1f, "SMBIOS 5.2.1");
#define DMI_PART offsetof(struct entry_point, dmi_anchor)

struct header { // 6.1.2
    uint8_t type;
    uint8_t length; // without the texts
    uint16_t handle;
} __attribute__((packed));

// In a structure a text is a number: 1 is the first text after the structure, 0 means none.

struct firmware { // 7.1, type 0
    struct header header;
    uint8_t vendor;
    uint8_t version;
    uint16_t segment; // where the ROM begins
    uint8_t date;
    uint8_t rom_size; // in units of 64 KiB, less one
    uint64_t characteristics;
    uint8_t extension[2];
    uint8_t release[2];
    uint8_t controller_release[2]; // 0xff if there is none
} __attribute__((packed));
_Static_assert(sizeof(struct firmware) == 0x18, "SMBIOS 7.1");
#define CHARACTERISTICS_NOT_GIVEN BIT(3)
#define EXTENSION1_ACPI           BIT(0)
#define EXTENSION2_VIRTUAL        BIT(4)

// The same in every build. Kernels enable workarounds for firmware from before about 2010.
#define FIRMWARE_DATE "01/01/2026"

struct system { // 7.2, type 1
    struct header header;
    uint8_t manufacturer;
    uint8_t product;
    uint8_t version;
    uint8_t serial;
    uint8_t uuid[GUEST_UUID_SIZE];
    uint8_t wake_up;
    uint8_t sku;
    uint8_t family;
} __attribute__((packed));
_Static_assert(sizeof(struct system) == 0x1b, "SMBIOS 7.2");
#define WAKE_UP_POWER_SWITCH 6u

struct chassis { // 7.4, type 3
    struct header header;
    uint8_t manufacturer;
    uint8_t type;
    uint8_t version;
    uint8_t serial;
    uint8_t asset_tag;
    uint8_t states[3]; // boot-up, power supply, thermal
    uint8_t security;
    uint32_t oem;
    uint8_t height;
    uint8_t power_cords;
    uint8_t elements;
    uint8_t element_size;
    uint8_t sku;
} __attribute__((packed));
_Static_assert(sizeof(struct chassis) == 0x16, "SMBIOS 7.4");
#define STATE_SAFE    3u
#define SECURITY_NONE 3u

struct processor { // 7.5, type 4
    struct header header;
    uint8_t socket;
    uint8_t type;
    uint8_t family;
    uint8_t manufacturer;
    uint32_t signature; // CPUID.1:EAX
    uint32_t features;  // CPUID.1:EDX
    uint8_t version;
    uint8_t voltage;
    uint16_t external_clock; // MHz; 0 if unknown
    uint16_t max_speed;
    uint16_t speed;
    uint8_t status;
    uint8_t upgrade;
    uint16_t caches[3]; // handles of its caches
    uint8_t serial;
    uint8_t asset_tag;
    uint8_t part;
    uint8_t cores;
    uint8_t enabled_cores;
    uint8_t threads;
    uint16_t characteristics;
    uint16_t family2;
} __attribute__((packed));
_Static_assert(sizeof(struct processor) == 0x2a, "SMBIOS 7.5");
#define PROCESSOR_CENTRAL     3u
#define PROCESSOR_POPULATED   0x41u // populated and enabled
#define PROCESSOR_64BIT       BIT(2)
#define PROCESSOR_HAS_NO_MORE 0xffffu // no further caches

struct memory_array { // 7.17, type 16
    struct header header;
    uint8_t location;
    uint8_t use;
    uint8_t correction;
    uint32_t capacity; // KiB
    uint16_t error_handle;
    uint16_t devices;
    uint64_t extended_capacity; // bytes
} __attribute__((packed));
_Static_assert(sizeof(struct memory_array) == 0x17, "SMBIOS 7.17");
#define USE_SYSTEM_MEMORY  3u
#define CAPACITY_EXTENDED  0x80000000u // see extended_capacity
#define ERROR_NOT_PROVIDED 0xfffeu

struct memory_device { // 7.18, type 17
    struct header header;
    uint16_t array;
    uint16_t error_handle;
    uint16_t total_width; // bits
    uint16_t data_width;
    uint16_t size; // MiB, or KiB with bit 15
    uint8_t form_factor;
    uint8_t set;
    uint8_t locator;
    uint8_t bank;
    uint8_t type;
    uint16_t detail;
    uint16_t speed;
    uint8_t manufacturer;
    uint8_t serial;
    uint8_t asset_tag;
    uint8_t part;
    uint8_t attributes;
    uint32_t extended_size; // MiB
    uint16_t configured_speed;
    uint16_t voltages[3];
} __attribute__((packed));
_Static_assert(sizeof(struct memory_device) == 0x28, "SMBIOS 7.18");
#define WIDTH_UNKNOWN 0xffffu
#define SIZE_EXTENDED 0x7fffu // see extended_size
#define SIZE_IN_KIB   0x8000u
#define TYPE_RAM      7u
#define DETAIL_OTHER  BIT(1)

#define OTHER   1u // the same number in all lists of kinds
#define UNKNOWN 2u

enum structure {
    FIRMWARE = 0,
    SYSTEM = 1,
    CHASSIS = 3,
    PROCESSOR = 4,
    MEMORY_ARRAY = 16,
    MEMORY_DEVICE = 17,
    END = 127,
};

// `n` counts structures of one type.
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))
_Static_assert(MAX_CPUS <= 256, "a handle holds a CPU's number in 8 bits");

static const char manufacturer[] = "Bulkhead";

// What was written so far.
struct written {
    struct guest_table table;
    uint16_t count;
    uint16_t max_size;
};

// Adds a structure and its texts. The list of texts ends with NULL.
static void add(struct written *w, const void *structure, size_t size, const char *const texts[])
{
    const uint64_t start = w->table.next;

    guest_table_add(&w->table, structure, size);
    for (unsigned i = 0; texts[i] != NULL; i++) {
        guest_table_add(&w->table, texts[i], strlen(texts[i]) + 1);
    }
    // Two zero bytes if there are no texts.
    guest_table_add(&w->table, "\0", texts[0] == NULL ? 2 : 1);
    w->count++;
    w->max_size = (uint16_t)max_u64(w->max_size, w->table.next - start);
}

static void add_firmware(struct written *w, const struct guest_identity *id)
{
    const struct firmware s = {
        .header = {FIRMWARE, sizeof(s), HANDLE(FIRMWARE, 0)},
        .vendor = 1,
        .version = 2,
        .segment = GUEST_ACPI_TABLES >> 4,
        .date = 3,
        .rom_size = (GUEST_FIRMWARE_END - GUEST_ACPI_TABLES) / KIB(64) - 1,
        .characteristics = CHARACTERISTICS_NOT_GIVEN,
        .extension = {EXTENSION1_ACPI, EXTENSION2_VIRTUAL},
        .controller_release = {0xff, 0xff},
    };

    add(w, &s, sizeof(s), (const char *const[]){manufacturer, id->version, FIRMWARE_DATE, NULL});
}

// The first three fields of a UUID are little-endian numbers here (7.2.1), otherwise big-endian.
static void put_uuid(uint8_t to[GUEST_UUID_SIZE], const uint8_t *uuid)
{
    static const uint8_t order[GUEST_UUID_SIZE] = {3, 2, 1,  0,  5,  4,  7,  6,
                                                   8, 9, 10, 11, 12, 13, 14, 15};

    for (unsigned i = 0; i < GUEST_UUID_SIZE; i++) {
        to[i] = uuid[order[i]];
    }
}

static void add_system(struct written *w, const struct guest_identity *id)
{
    struct system s = {
        .header = {SYSTEM, sizeof(s), HANDLE(SYSTEM, 0)},
        .manufacturer = 1,
        .product = 1,
        .version = 2,
        .serial = 3,
        .wake_up = WAKE_UP_POWER_SWITCH,
        .family = 1,
    };

    put_uuid(s.uuid, id->uuid);
    add(w, &s, sizeof(s), (const char *const[]){manufacturer, id->version, id->name, NULL});
}

// Guests show the asset tag to everyone, the serial number only to root.
static void add_chassis(struct written *w, const struct guest_identity *id)
{
    const struct chassis s = {
        .header = {CHASSIS, sizeof(s), HANDLE(CHASSIS, 0)},
        .manufacturer = 1,
        .type = OTHER,
        .version = 2,
        .asset_tag = 3,
        .states = {STATE_SAFE, STATE_SAFE, STATE_SAFE},
        .security = SECURITY_NONE,
    };

    add(w, &s, sizeof(s), (const char *const[]){manufacturer, id->version, id->name, NULL});
}

static void add_processor(struct written *w, const struct guest_platform *pf, unsigned n)
{
    const struct processor s = {
        .header = {PROCESSOR, sizeof(s), HANDLE(PROCESSOR, n)},
        .socket = 1,
        .type = PROCESSOR_CENTRAL,
        .family = UNKNOWN,
        .manufacturer = 2,
        .signature = pf->cpu_signature,
        .features = pf->cpu_features,
        .status = PROCESSOR_POPULATED,
        .upgrade = OTHER,
        .caches = {PROCESSOR_HAS_NO_MORE, PROCESSOR_HAS_NO_MORE, PROCESSOR_HAS_NO_MORE},
        .cores = 1,
        .enabled_cores = 1,
        .threads = 1,
        .characteristics = PROCESSOR_64BIT,
        .family2 = UNKNOWN,
    };
    char socket[16];

    format(socket, sizeof(socket), "CPU %u", n);
    add(w, &s, sizeof(s), (const char *const[]){socket, manufacturer, NULL});
}

static void add_memory(struct written *w, uint64_t memory)
{
    const bool extended = memory >= (uint64_t)CAPACITY_EXTENDED << 10;
    const bool whole = is_aligned(memory, MIB(1));
    const uint64_t mib = memory >> 20;
    const uint64_t kib = memory >> 10;
    const struct memory_array array = {
        .header = {MEMORY_ARRAY, sizeof(array), HANDLE(MEMORY_ARRAY, 0)},
        .location = OTHER,
        .use = USE_SYSTEM_MEMORY,
        .correction = UNKNOWN,
        .capacity = extended ? CAPACITY_EXTENDED : (uint32_t)kib,
        .error_handle = ERROR_NOT_PROVIDED,
        .devices = 1,
        .extended_capacity = extended ? memory : 0,
    };
    struct memory_device device = {
        .header = {MEMORY_DEVICE, sizeof(device), HANDLE(MEMORY_DEVICE, 0)},
        .array = HANDLE(MEMORY_ARRAY, 0),
        .error_handle = ERROR_NOT_PROVIDED,
        .total_width = WIDTH_UNKNOWN,
        .data_width = WIDTH_UNKNOWN,
        .form_factor = OTHER,
        .locator = 1,
        .type = TYPE_RAM,
        .detail = DETAIL_OTHER,
        .manufacturer = 2,
    };

    if (!whole && kib < SIZE_EXTENDED) {
        device.size = (uint16_t)(SIZE_IN_KIB | kib);
    } else if (mib < SIZE_EXTENDED) {
        device.size = (uint16_t)mib;
    } else {
        device.size = SIZE_EXTENDED;
        device.extended_size = (uint32_t)mib;
    }
    add(w, &array, sizeof(array), (const char *const[]){NULL});
    add(w, &device, sizeof(device), (const char *const[]){"RAM", manufacturer, NULL});
}

static uint8_t checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
    return (uint8_t)(0u - sum);
}

static enum status write_entry_point(const struct written *w)
{
    struct entry_point e = {
        .anchor = {'_', 'S', 'M', '_'},
        .length = sizeof(e),
        .major = 2,
        .minor = 8,
        .max_size = w->max_size,
        .dmi_anchor = {'_', 'D', 'M', 'I', '_'},
        .table_length = (uint16_t)(w->table.next - w->table.start),
        .table = (uint32_t)w->table.start,
        .count = w->count,
        .bcd_revision = 0x28,
    };

    e.dmi_checksum = checksum(e.dmi_anchor, sizeof(e) - DMI_PART);
    e.checksum = checksum(&e, sizeof(e));
    return guest_write(w->table.ram, gpa(GUEST_SMBIOS), &e, sizeof(e));
}

enum status guest_smbios_write(const struct guest_ram *ram, const struct guest_platform *platform,
                               const struct guest_identity *identity, char *error,
                               size_t error_size)
{
    const struct header end = {END, sizeof(end), HANDLE(END, 0)};
    struct written w = {0};
    enum status s;

    guest_table_begin(&w.table, ram, GUEST_SMBIOS + align_up(sizeof(struct entry_point), 16),
                      GUEST_SMBIOS_END);
    add_firmware(&w, identity);
    add_system(&w, identity);
    add_chassis(&w, identity);
    for (unsigned i = 0; i < platform->cpu_count; i++) {
        add_processor(&w, platform, i);
    }
    add_memory(&w, identity->memory);
    add(&w, &end, sizeof(end), (const char *const[]){NULL});
    s = w.table.status == STATUS_OK ? write_entry_point(&w) : w.table.status;
    if (s != STATUS_OK) {
        format(error, error_size, "the SMBIOS tables don't fit at 0x%llx-0x%llx (status %d)",
               GUEST_SMBIOS, GUEST_SMBIOS_END - 1, (int)s);
    }
    return s;
}
