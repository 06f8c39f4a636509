// SPDX-License-Identifier: Apache-2.0
// The configuration in the form that the hypervisor loads: a small binary file with the partitions,
// their modules, I/O ports and devices. bulkhead-config writes it, the hypervisor reads it, and
// both run the checks declared here. Numbers are little endian and every field has a fixed width.
//
//     struct blob_header
//     struct blob_section [section_count]
//     the sections' records, in the order of that table, each section from a multiple of 8 bytes
//
// A section is an array of records of one type. A new kind of section needs a record type, a line
// in BLOB_SECTIONS, lines for its references in blob.c, and its rules in blob_rules.c. If a record
// changes, its section gets another version. A Bulkhead that doesn't know a section or its version
// refuses the file and names the section, so no configured item is ignored silently. A section
// without records may be missing.
#ifndef PARTITIONS_BLOB_H
#define PARTITIONS_BLOB_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "partitions/sha256.h"

#define BLOB_MAGIC      "BULKHEAD" // 8 bytes, without NUL
#define BLOB_MAGIC_SIZE 8
#define BLOB_VERSION    5 // of the header and the table of sections; each section has its own
#define BLOB_TYPE_SIZE  16
#define BLOB_ALIGNMENT  8u // bytes, of each section's start

// The limits. The format has none; these are limits of its readers, and the same as in
// `bulkhead-config limits` and docs/configuration.md. MAX_PARTITIONS and MAX_CPUS are two more.
#define BLOB_MAX_SIZE    MIB(4) // the heap holds it twice during the start
#define BLOB_MAX_MODULES 1024u  // `modules` entries of all partitions; each is compared with all
#define BLOB_MAX_IOPORTS 4096u  // `ioports` entries of all partitions; each is compared with all
#define BLOB_MAX_DEVICES 1024u  // `devices` entries of all partitions; each is compared with all
// Functions on one partition's virtual PCI bus (VPCI_MAX_FUNCTIONS).
#define BLOB_MAX_PARTITION_DEVICES 16u
#define BLOB_MAX_FILES             127u   // different module names: BOOT_MAX_MODULES less the blob
#define BLOB_MAX_FILE_NAMES        7168   // bytes of all names with their NULs: BOOT_NAMES_SIZE
#define BLOB_MAX_MODULE_NAME       255    // bytes, without NUL: BOOT_TEXT_SIZE
#define BLOB_MAX_CMDLINE           2047   // bytes, without NUL: the limit of Linux
#define BLOB_MAX_NAME              31     // bytes; it is printed before each console line
#define BLOB_MIN_MEMORY            MIB(2) // bytes: 1 MiB for firmware, and an image above it
#define BLOB_MAX_MEMORY            GIB(1024) // bytes; a larger number is a mistake in the unit

struct blob_header {
    uint8_t magic[BLOB_MAGIC_SIZE];
    uint32_t version;
    uint32_t size;  // bytes of the whole file
    uint32_t crc32; // of everything after this field
    uint32_t section_count;
};

struct blob_section {
    char type[BLOB_TYPE_SIZE]; // lower-case letters, digits and '-'; padded with NULs
    uint16_t version;          // of the section's records
    uint16_t flags;            // 0: no flag is defined yet
    uint32_t record_size;      // bytes
    uint32_t offset;           // bytes from the start of the file
    uint32_t size;             // bytes: a whole number of records
};

// Every section that this Bulkhead knows: id, type, version, record, most records.
#define BLOB_SECTIONS(SECTION)                                                                     \
    SECTION(STRINGS, "strings", 1, char, BLOB_MAX_SIZE)                                            \
    SECTION(PARTITIONS, "partitions", 1, struct blob_partition, MAX_PARTITIONS)                    \
    SECTION(CPUS, "cpus", 1, struct blob_cpu, MAX_CPUS)                                            \
    SECTION(MODULES, "modules", 1, struct blob_module, BLOB_MAX_MODULES)                           \
    SECTION(IOPORTS, "ioports", 1, struct blob_ioports, BLOB_MAX_IOPORTS)                          \
    SECTION(DEVICES, "devices", 1, struct blob_device, BLOB_MAX_DEVICES)

// A line of BLOB_SECTIONS.
struct blob_kind {
    char type[BLOB_TYPE_SIZE];
    uint16_t version;
    uint32_t record_size; // bytes
    uint32_t most;        // records
};

enum blob_section_id {
#define BLOB_SECTION_ID(id, type, version, record, most) BLOB_##id,
    BLOB_SECTIONS(BLOB_SECTION_ID) BLOB_SECTION_COUNT
#undef BLOB_SECTION_ID
};

// ---- records -------------------------------------------------------------------------------

// A text is an offset into the section "strings", which holds NUL-terminated strings. The first
// string is empty, so 0 is the empty text; it means that there is none.
typedef uint32_t blob_text;

// A partition's records in another section. Partition 0 has the first ones, then partition 1, and
// so on without gaps, so that each record has one owner.
struct blob_slice {
    uint32_t first; // index of the first record
    uint32_t count;
};

// Bits of blob_partition.flags.
#define BLOB_TRUST_DMA         0x1u  // its devices may do DMA if no IOMMU confines them
#define BLOB_STOP_ON_DMA_FAULT 0x2u  // refused DMA stops it; otherwise it is only reported
#define BLOB_FRAMEBUFFER       0x4u  // it owns the framebuffer; one partition at most
#define BLOB_STOP_ON_STRAY     0x8u  // an access where a PC has nothing stops it
#define BLOB_HPET              0x10u // it has an HPET
#define BLOB_NO_IMAGE_NAME     0x20u // Multiboot command lines begin without the image's name
#define BLOB_FLAGS                                                                                 \
    (BLOB_TRUST_DMA | BLOB_STOP_ON_DMA_FAULT | BLOB_FRAMEBUFFER | BLOB_STOP_ON_STRAY | BLOB_HPET | \
     BLOB_NO_IMAGE_NAME)

#define BLOB_UUID_SIZE 16 // bytes, in the order of a written UUID (RFC 9562, 4)

// The hash that a boot module must have, if one is given.
struct blob_hash {
    uint32_t is_given; // 1, or 0: then all other fields are 0
    uint8_t sha256[SHA256_SIZE];
};

struct blob_partition {
    uint64_t memory; // bytes
    blob_text name;
    blob_text image;
    blob_text initrd;
    blob_text cmdline;
    uint32_t flags; // BLOB_TRUST_DMA, ...
    uint32_t cpu_count;
    struct blob_slice cpus; // virtual CPU n runs on the n-th of them; empty: any cpu_count CPUs
    struct blob_slice modules;
    struct blob_slice ioports;
    struct blob_slice devices;
    uint8_t uuid[BLOB_UUID_SIZE];
    struct blob_hash image_hash;
    struct blob_hash initrd_hash;
};

struct blob_cpu {
    uint32_t number;
};

struct blob_module {
    blob_text name;
    blob_text cmdline;
    struct blob_hash hash;
};

// A range of host I/O ports that the partition may use directly; both ends are included.
struct blob_ioports {
    uint16_t first;
    uint16_t last;
};

// A PCI function of the machine.
struct blob_device {
    uint16_t segment;
    uint8_t bus;
    uint8_t devfn; // device 7:3, function 2:0
};

_Static_assert(sizeof(struct blob_header) == 24, "part of the format");
_Static_assert(sizeof(struct blob_section) == 32, "part of the format");
_Static_assert(sizeof(struct blob_hash) == 36, "part of the format");
_Static_assert(sizeof(struct blob_partition) == 152, "another size is another version");
_Static_assert(sizeof(struct blob_cpu) == 4, "another size is another version");
_Static_assert(sizeof(struct blob_module) == 44, "another size is another version");
_Static_assert(sizeof(struct blob_ioports) == 4, "another size is another version");
_Static_assert(sizeof(struct blob_device) == 4, "another size is another version");

extern const struct blob_kind blob_kinds[BLOB_SECTION_COUNT];

// ---- a blob as its readers see it ----------------------------------------------------------

struct blob_records {
    const void *list;
    uint32_t count;
};

// Filled by blob_check(); points into the file. A section that the file doesn't have is empty.
struct blob {
    struct blob_records section[BLOB_SECTION_COUNT];
};

// ---- what the checks find ------------------------------------------------------------------

enum blob_problem_kind {
    // The file itself.
    BLOB_BAD_SIZE, // truncated, or longer than its header says
    BLOB_BAD_MAGIC,
    BLOB_BAD_VERSION,
    BLOB_BAD_CHECKSUM,
    BLOB_BAD_LAYOUT,      // an invalid count, offset or flag
    BLOB_UNKNOWN_SECTION, // a section, or a version of one, that this Bulkhead doesn't know
    // Its contents.
    BLOB_NO_PARTITION,
    BLOB_BAD_NAME,
    BLOB_DUPLICATE_NAME,
    BLOB_BAD_CPUS,
    BLOB_DUPLICATE_CPU,
    BLOB_BAD_MEMORY,
    BLOB_NO_IMAGE,
    BLOB_BAD_TEXT,   // a module name or a command line
    BLOB_MANY_FILES, // too many different modules, or their names are too long in total
    BLOB_INITRD_AND_MODULES,
    BLOB_NO_HASHED_MODULE, // a hash without a module
    BLOB_DIFFERENT_HASHES, // two hashes for one module
    BLOB_BAD_PORTS,        // a range whose end is before its start
    BLOB_OVERLAPPING_PORTS,
    BLOB_KEPT_PORTS,   // ports that the hypervisor keeps
    BLOB_MANY_DEVICES, // too many for one partition
    BLOB_DUPLICATE_DEVICE,
    BLOB_NO_DEVICES, // a key about devices, but no devices
    BLOB_DUPLICATE_FRAMEBUFFER,
    BLOB_BAD_UUID,
    BLOB_DUPLICATE_UUID,
    // Compared with the machine.
    BLOB_NO_SUCH_CPU,
    BLOB_TOO_FEW_CPUS,
    BLOB_TOO_LITTLE_MEMORY,
    BLOB_NO_MODULE,
    BLOB_AMBIGUOUS_MODULE,
};

// The part of a partition that a problem is about: a key of the configuration file.
enum blob_field {
    BLOB_FIELD_NONE,
    BLOB_FIELD_NAME,
    BLOB_FIELD_CPUS,
    BLOB_FIELD_MEMORY,
    BLOB_FIELD_IMAGE,
    BLOB_FIELD_IMAGE_SHA256,
    BLOB_FIELD_INITRD,
    BLOB_FIELD_INITRD_SHA256,
    BLOB_FIELD_CMDLINE,
    BLOB_FIELD_MODULES,
    BLOB_FIELD_IOPORTS,
    BLOB_FIELD_DEVICES,
    BLOB_FIELD_TRUST_DMA,
    BLOB_FIELD_ON_DMA_FAULT,
    BLOB_FIELD_FRAMEBUFFER,
    BLOB_FIELD_UUID,
    BLOB_FIELD_ON_STRAY_ACCESS,
    BLOB_FIELD_HPET,
    BLOB_FIELD_MULTIBOOT_NAME,
    BLOB_FIELD_COUNT,
};

#define BLOB_MAX_PROBLEMS 32

struct blob_problem {
    enum blob_problem_kind kind;
    enum blob_field field;
    int partition;  // index, or -1 for the whole blob
    int item;       // index into the partition's CPUs, modules, I/O ports or devices, or -1
    char text[288]; // names the partition; without a newline
};

// Too large for the hypervisor's stack.
struct blob_problems {
    unsigned count; // number found; the first BLOB_MAX_PROBLEMS of them are in list[]
    struct blob_problem list[BLOB_MAX_PROBLEMS];
};

// How many of the problems are in list[].
unsigned blob_problems_kept(const struct blob_problems *problems);

// ---- the checks ----------------------------------------------------------------------------

// Whether the module that starts with these `size` bytes claims to be a configuration.
bool blob_has_magic(const void *data, size_t size);

// CRC-32 (IEEE 802.3) of `size` bytes.
uint32_t blob_crc32(const void *data, size_t size);

// Checks the form of a file and, if that is valid, all that can be judged without knowing the
// machine. `file` is 8-byte aligned, `size` is its size in bytes. Fills `blob`, which is valid only
// if STATUS_OK is returned, and which needs the file as long as it is used. Writes all problems
// found to `out`, which needs no initialization. Returns STATUS_OK if there is none, else the
// status of the first: ERR_TRUNCATED, ERR_VERSION, ERR_CHECKSUM, ERR_EXISTS (a name, UUID, CPU,
// port, device, the framebuffer or a module's hash given twice), ERR_DENIED (ports that the
// hypervisor keeps) or ERR_INVALID.
enum status blob_check(const void *file, size_t size, struct blob *blob, struct blob_problems *out);

// Host I/O ports that no partition may have, and why.
struct blob_kept_ports {
    uint16_t first;
    uint16_t last;
    const char *reason;
};

// What the machine has for partitions.
struct machine_limits {
    unsigned cpu_count;     // CPUs are numbered from 0
    uint64_t usable_memory; // bytes
    const char *const *module_names;
    unsigned module_count;
    // Ports that are kept on this machine, in addition to those kept on all; may be NULL if there
    // are none.
    const struct blob_kept_ports *kept_ports;
    unsigned kept_port_count;
};

// Checks a blob that passed blob_check() against the machine: it must have enough CPUs and memory,
// every listed CPU and every named module. Returns STATUS_OK, or the status of the first problem:
// ERR_RANGE (CPUs), ERR_NO_MEMORY, ERR_NOT_FOUND or ERR_EXISTS (modules), ERR_DENIED (ports).
enum status blob_check_machine(const struct blob *blob, const struct machine_limits *machine,
                               struct blob_problems *out);

// ---- reading a blob that passed blob_check() ------------------------------------------------

#define BLOB_NOBODY (-1)

// The owner of a CPU, and which of the owner's virtual CPUs runs there.
struct blob_cpu_owner {
    int16_t partition; // index, or BLOB_NOBODY
    uint16_t vcpu;
};

// Assigns the machine's CPUs. Lists get exactly their CPUs. Then each partition with a count takes
// the lowest CPUs still free, in the order of the partitions. Fills owner[] for all MAX_CPUS. Fails
// like blob_check_machine(): ERR_RANGE if a CPU does not exist or too few are left, ERR_EXISTS if
// one is listed twice; owner[] is then invalid.
enum status blob_assign_cpus(const struct blob *blob, unsigned cpu_count,
                             struct blob_cpu_owner owner[MAX_CPUS]);

// A section's records, and their number.
static inline const void *blob_records(const struct blob *blob, enum blob_section_id id)
{
    return blob->section[id].list;
}

static inline uint32_t blob_count(const struct blob *blob, enum blob_section_id id)
{
    return blob->section[id].count;
}

static inline uint32_t blob_partition_count(const struct blob *blob)
{
    return blob_count(blob, BLOB_PARTITIONS);
}

// The string of a text.
static inline const char *blob_string(const struct blob *blob, blob_text text)
{
    return (const char *)blob_records(blob, BLOB_STRINGS) + text;
}

// Partition `index`, which must be below blob_partition_count().
static inline const struct blob_partition *blob_partition(const struct blob *blob, unsigned index)
{
    return (const struct blob_partition *)blob_records(blob, BLOB_PARTITIONS) + index;
}

static inline const char *blob_name(const struct blob *blob, unsigned index)
{
    return blob_string(blob, blob_partition(blob, index)->name);
}

// The first of the partition's cpus.count, modules.count, ioports.count or devices.count records.
static inline const struct blob_cpu *blob_cpus(const struct blob *blob,
                                               const struct blob_partition *p)
{
    return (const struct blob_cpu *)blob_records(blob, BLOB_CPUS) + p->cpus.first;
}

static inline const struct blob_module *blob_modules(const struct blob *blob,
                                                     const struct blob_partition *p)
{
    return (const struct blob_module *)blob_records(blob, BLOB_MODULES) + p->modules.first;
}

static inline const struct blob_ioports *blob_ioports(const struct blob *blob,
                                                      const struct blob_partition *p)
{
    return (const struct blob_ioports *)blob_records(blob, BLOB_IOPORTS) + p->ioports.first;
}

static inline const struct blob_device *blob_devices(const struct blob *blob,
                                                     const struct blob_partition *p)
{
    return (const struct blob_device *)blob_records(blob, BLOB_DEVICES) + p->devices.first;
}

// A boot module as a partition uses it.
struct blob_use {
    const char *name;
    const uint8_t *sha256; // the hash that it must have; NULL if any is allowed
    enum blob_field field; // the keys with its name and its hash
    enum blob_field hash_field;
    int item; // index into the partition's modules, or -1: its image or initrd
};

// The `n`-th use of a module by the partition, from 0: its image, its initrd if it has one, then
// its modules. False if there are no more.
bool blob_use(const struct blob *blob, const struct blob_partition *partition, unsigned n,
              struct blob_use *use);

// The hash that a partition demands of the module with this name; NULL if none does.
const uint8_t *blob_module_sha256(const struct blob *blob, const char *name);

#define BLOB_DEVICE_TEXT_SIZE 16

// "00:03.0", preceded by the segment if that isn't 0, as in the configuration. Returns `text`.
const char *blob_device_text(struct blob_device device, char text[BLOB_DEVICE_TEXT_SIZE]);

#define BLOB_UUID_TEXT_SIZE 37

// "f81d4fae-7dec-11d0-a765-00a0c91e6bf6". Returns `text`.
const char *blob_uuid_text(const uint8_t uuid[BLOB_UUID_SIZE], char text[BLOB_UUID_TEXT_SIZE]);

#endif
