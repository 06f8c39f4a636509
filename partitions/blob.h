// SPDX-License-Identifier: Apache-2.0
// The configuration in the form that the hypervisor loads: a small binary file with the partitions,
// their modules, I/O ports and devices. bulkhead-config writes it, the hypervisor reads it, and
// both run the checks declared here. Numbers are little endian and every field has a fixed width.
//
// The sections follow one another without a gap, so the counts in the header give every place:
//     struct blob_header
//     struct blob_partition [partition_count]
//     struct blob_module    [module_count]     those of the first partition, of the second, ...
//     struct blob_ioports   [ioport_count]     likewise
//     struct blob_device    [device_count]     likewise
//     char                  [strings_size]     NUL-terminated strings; the first one is empty
#ifndef PARTITIONS_BLOB_H
#define PARTITIONS_BLOB_H

#include "arch/status.h"
#include "arch/types.h"
#include "partitions/sha256.h"

#define BLOB_MAGIC      "BULKHEAD" // 8 bytes, without its NUL
#define BLOB_MAGIC_SIZE 8
#define BLOB_VERSION    4

#define BLOB_MAX_SIZE              KIB(64)
#define BLOB_MAX_MODULES           64   // `modules` entries of all partitions together
#define BLOB_MAX_IOPORTS           256  // `ioports` entries of all partitions together
#define BLOB_MAX_DEVICES           64   // `devices` entries of all partitions together
#define BLOB_MAX_PARTITION_DEVICES 16   // and of one partition
#define BLOB_NAME_SIZE             32   // of a partition, with its NUL
#define BLOB_MAX_MODULE_NAME       255  // bytes of a module's name, without its NUL
#define BLOB_MAX_NAMES             7168 // bytes of all module names, each once, with their NULs
#define BLOB_MAX_CMDLINE           2047 // bytes of a command line, without its NUL: what Linux takes

#define BLOB_MIN_MEMORY MIB(2) // bytes of a partition
#define BLOB_MAX_MEMORY GIB(1024)

struct blob_header {
    uint8_t magic[BLOB_MAGIC_SIZE];
    uint32_t version;
    uint32_t size;  // bytes of the whole blob
    uint32_t crc32; // of everything after this field
    uint32_t partition_count;
    uint32_t module_count;
    uint32_t ioport_count;
    uint32_t device_count;
    uint32_t strings_size; // bytes
};

enum blob_cpu_mode {
    BLOB_CPUS_ANY = 0,    // any cpu_count CPUs
    BLOB_CPUS_LISTED = 1, // exactly those in cpus[]; virtual CPU n runs on cpus[n]
};

// Bits of blob_partition.flags.
#define BLOB_TRUST_DMA         0x1u  // its devices may do DMA where no IOMMU confines them
#define BLOB_STOP_ON_DMA_FAULT 0x2u  // refused DMA stops it; else it is only reported
#define BLOB_FRAMEBUFFER       0x4u  // the framebuffer is its own; one partition at most
#define BLOB_STOP_ON_STRAY     0x8u  // an access where a PC has nothing stops it
#define BLOB_HPET              0x10u // it has an HPET
#define BLOB_NO_IMAGE_NAME     0x20u // a Multiboot command line does not begin with the image's name
#define BLOB_FLAGS                                                                                 \
    (BLOB_TRUST_DMA | BLOB_STOP_ON_DMA_FAULT | BLOB_FRAMEBUFFER | BLOB_STOP_ON_STRAY | BLOB_HPET | \
     BLOB_NO_IMAGE_NAME)

#define BLOB_UUID_SIZE 16 // bytes, in the order in which a UUID is written (RFC 9562, 4)

// What a boot module must give, if anything is asked of it.
struct blob_hash {
    uint32_t is_given; // 1, or 0: then the rest is 0
    uint8_t sha256[SHA256_SIZE];
};

// `image`, `initrd` and `cmdline` are offsets into the strings; 0 is the empty string and means
// that there is none.
struct blob_partition {
    char name[BLOB_NAME_SIZE]; // padded with NULs
    uint64_t memory;           // bytes
    uint32_t image;
    uint32_t initrd;
    uint32_t cmdline;
    uint32_t module_first; // index into the modules
    uint32_t module_count;
    uint32_t ioport_first; // index into the I/O ports
    uint32_t ioport_count;
    uint32_t device_first; // index into the devices
    uint32_t device_count;
    uint32_t flags; // BLOB_TRUST_DMA, ...
    uint8_t uuid[BLOB_UUID_SIZE];
    uint32_t reserved; // 0
    uint16_t cpu_mode; // enum blob_cpu_mode
    uint16_t cpu_count;
    uint16_t cpus[MAX_CPUS]; // the first cpu_count of them, if listed; 0 elsewhere
    struct blob_hash image_hash;
    struct blob_hash initrd_hash;
};

struct blob_module {
    uint32_t name; // offset into the strings
    uint32_t cmdline;
    struct blob_hash hash;
};

// A range of host I/O ports that the partition may use directly; both ends belong to it.
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

_Static_assert(sizeof(struct blob_header) == 40, "part of the format");
_Static_assert(sizeof(struct blob_hash) == 36, "part of the format");
_Static_assert(sizeof(struct blob_partition) == 104 + 2 * MAX_CPUS + 72, "part of the format");
_Static_assert(sizeof(struct blob_partition) % 8 == 0, "what follows stays aligned");
_Static_assert(sizeof(struct blob_module) == 44, "part of the format");
_Static_assert(sizeof(struct blob_ioports) == 4, "part of the format");
_Static_assert(sizeof(struct blob_device) == 4, "part of the format");
_Static_assert(MAX_CPUS == 64, "another number is another format: raise BLOB_VERSION");

// ---- what the checks find ------------------------------------------------------------------

enum blob_problem_kind {
    // The file itself.
    BLOB_BAD_SIZE, // truncated, or longer than it says
    BLOB_BAD_MAGIC,
    BLOB_BAD_VERSION,
    BLOB_BAD_CHECKSUM,
    BLOB_BAD_LAYOUT, // a count, offset or reserved field that makes no sense
    // What it says.
    BLOB_NO_PARTITION,
    BLOB_BAD_NAME,
    BLOB_DUPLICATE_NAME,
    BLOB_BAD_CPUS,
    BLOB_DUPLICATE_CPU,
    BLOB_BAD_MEMORY,
    BLOB_NO_IMAGE,
    BLOB_BAD_TEXT,   // a module name or a command line
    BLOB_LONG_NAMES, // of all modules together
    BLOB_INITRD_AND_MODULES,
    BLOB_NO_HASHED_MODULE, // a hash, but of nothing
    BLOB_DIFFERENT_HASHES, // of one module
    BLOB_BAD_PORTS,        // a range that ends before it starts
    BLOB_OVERLAPPING_PORTS,
    BLOB_KEPT_PORTS, // ports that the hypervisor keeps
    BLOB_DUPLICATE_DEVICE,
    BLOB_NO_DEVICES, // a key about devices, but no devices
    BLOB_DUPLICATE_FRAMEBUFFER,
    BLOB_BAD_UUID,
    BLOB_DUPLICATE_UUID,
    // Against the machine.
    BLOB_NO_SUCH_CPU,
    BLOB_TOO_FEW_CPUS,
    BLOB_TOO_LITTLE_MEMORY,
    BLOB_NO_MODULE,
    BLOB_AMBIGUOUS_MODULE,
};

// The part of a partition that a problem is about: the keys of the configuration file.
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
    int partition;  // index, or -1: the blob as a whole
    int item;       // index into the partition's CPUs, modules, I/O ports or devices, or -1
    char text[288]; // names the partition; without a newline
};

// Large: not for the hypervisor's stack.
struct blob_problems {
    unsigned count; // all that were found; the first BLOB_MAX_PROBLEMS of them are in list[]
    struct blob_problem list[BLOB_MAX_PROBLEMS];
};

// How many of the problems are in list[].
unsigned blob_problems_kept(const struct blob_problems *problems);

// ---- the checks ----------------------------------------------------------------------------

// Does the module that starts with these `size` bytes claim to be a configuration?
bool blob_has_magic(const void *data, size_t size);

// CRC-32 (IEEE 802.3) of `size` bytes.
uint32_t blob_crc32(const void *data, size_t size);

// Checks the form of a blob and, if that is sound, all that can be judged without knowing the
// machine. `blob` is 8-byte aligned and `size` is the size of the file. All problems found are
// written to `out`, which needs no initialization. Returns STATUS_OK if there is none, else the
// status of the first: ERR_TRUNCATED, ERR_VERSION, ERR_CHECKSUM, ERR_EXISTS (a name, UUID, CPU,
// port, device or the framebuffer given twice, or a module's hash), ERR_DENIED (ports that the
// hypervisor keeps) or ERR_INVALID.
enum status blob_check(const void *blob, size_t size, struct blob_problems *out);

// Host I/O ports that no partition gets, and why.
struct blob_kept_ports {
    uint16_t first;
    uint16_t last;
    const char *reason;
};

// What there is to share out.
struct machine_limits {
    unsigned cpu_count;     // CPUs are numbered from 0
    uint64_t usable_memory; // bytes
    const char *const *module_names;
    unsigned module_count;
    // Ports that are kept on this machine beside those that are kept on all; may be NULL with 0.
    const struct blob_kept_ports *kept_ports;
    unsigned kept_port_count;
};

// Checks a blob that passed blob_check() against the machine: enough CPUs and memory, every listed
// CPU and every named module there. Returns STATUS_OK, or the status of the first problem:
// ERR_RANGE (CPUs), ERR_NO_MEMORY, ERR_NOT_FOUND or ERR_EXISTS (modules), ERR_DENIED (ports).
enum status blob_check_machine(const struct blob_header *blob, const struct machine_limits *machine,
                               struct blob_problems *out);

// ---- reading a blob that passed blob_check() ------------------------------------------------

#define BLOB_NOBODY (-1)

// Whose CPU it is, and which of its owner's virtual CPUs runs there.
struct blob_cpu_owner {
    int16_t partition; // index, or BLOB_NOBODY
    uint16_t vcpu;
};

// Shares out the machine's CPUs: lists are taken literally; then each partition with a count takes
// the lowest CPUs still free, in the order of the partitions. Fills owner[] for all MAX_CPUS.
// Fails as blob_check_machine() would: ERR_RANGE if a CPU does not exist or too few are left,
// ERR_EXISTS if one is listed twice; owner[] is then of no use.
enum status blob_assign_cpus(const struct blob_header *blob, unsigned cpu_count,
                             struct blob_cpu_owner owner[MAX_CPUS]);

// Partition `index` < partition_count.
const struct blob_partition *blob_partition(const struct blob_header *blob, unsigned index);

// The first of the partition's module_count modules.
const struct blob_module *blob_modules(const struct blob_header *blob,
                                       const struct blob_partition *partition);

// The first of the partition's ioport_count ranges.
const struct blob_ioports *blob_ioports(const struct blob_header *blob,
                                        const struct blob_partition *partition);

// The first of the partition's device_count devices.
const struct blob_device *blob_devices(const struct blob_header *blob,
                                       const struct blob_partition *partition);

// A boot module as a partition uses it.
struct blob_use {
    const char *name;
    const uint8_t *sha256; // what it must give; NULL: nothing is asked of it
    enum blob_field field; // the keys that name it and its hash
    enum blob_field hash_field;
    int item; // index into the partition's modules, or -1: its image or initrd
};

// The `n`-th use of a module by the partition, from 0: its image, its initrd if it has one, then
// its modules. False: there are no more.
bool blob_use(const struct blob_header *blob, const struct blob_partition *partition, unsigned n,
              struct blob_use *use);

// The hash that some partition asks of the module with this name; NULL if none does.
const uint8_t *blob_module_sha256(const struct blob_header *blob, const char *name);

#define BLOB_DEVICE_TEXT_SIZE 16

// "00:03.0", with the segment in front if it isn't 0, as the configuration names it. Returns
// `text`.
const char *blob_device_text(struct blob_device device, char text[BLOB_DEVICE_TEXT_SIZE]);

#define BLOB_UUID_TEXT_SIZE 37

// "f81d4fae-7dec-11d0-a765-00a0c91e6bf6". Returns `text`.
const char *blob_uuid_text(const uint8_t uuid[BLOB_UUID_SIZE], char text[BLOB_UUID_TEXT_SIZE]);

// The string at an offset that a blob_partition or blob_module holds; "" at 0.
const char *blob_string(const struct blob_header *blob, uint32_t offset);

#endif
