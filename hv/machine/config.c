// SPDX-License-Identifier: Apache-2.0
// The configuration blob at boot. The checks are in partitions/blob.c; bulkhead-config runs the
// same ones.
#include "hv/machine/config.h"

#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/machine/machine.h"
#include "hv/machine/screen_place.h"
#include "hv/memory/guest_mem.h"

static void print_problems(const struct blob_problems *problems)
{
    for (unsigned i = 0; i < blob_problems_kept(problems); i++) {
        print("configuration: %s\n", problems->list[i].text);
    }
    if (problems->count > blob_problems_kept(problems)) {
        print("configuration: and %u more\n", problems->count - blob_problems_kept(problems));
    }
}

static bool is_blob(const struct boot_module *m)
{
    uint8_t magic[BLOB_MAGIC_SIZE];
    return module_read(m, 0, magic, sizeof(magic)) == STATUS_OK &&
           blob_has_magic(magic, sizeof(magic));
}

bool config_is_there(void)
{
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        if (is_blob(&machine.boot.modules[i])) {
            return true;
        }
    }
    return false;
}

// Bytes of heap for each byte of the largest blob. The blob is loaded once for
// config_gives_framebuffer() and once for good; if there are several, none is used. Records grow
// most for port ranges: 4 bytes in the blob, 16 in hv/life/create.c.
#define HEAP_PER_BYTE 6u

uint64_t config_heap_size(void)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        const struct boot_module *m = &machine.boot.modules[i];
        if (m->size <= BLOB_MAX_SIZE && is_blob(m)) {
            size = max_u64(size, align_up(m->size, PAGE_SIZE));
        }
    }
    return HEAP_PER_BYTE * size;
}

static bool gives_framebuffer(const struct boot_module *m, struct blob_problems *problems)
{
    void *file = m->size <= BLOB_MAX_SIZE ? heap_borrow(m->size) : NULL;
    if (file == NULL) {
        return false;
    }
    struct blob blob;
    bool gives = module_read(m, 0, file, m->size) == STATUS_OK &&
                 blob_check(file, m->size, &blob, problems) == STATUS_OK &&
                 screen_owner(&blob) != BLOB_NOBODY;
    heap_return(file, m->size);
    return gives;
}

bool config_gives_framebuffer(void)
{
    struct blob_problems *problems = heap_borrow(sizeof(*problems));
    bool gives = false;
    for (unsigned i = 0; problems != NULL && !gives && i < machine.boot.module_count; i++) {
        const struct boot_module *m = &machine.boot.modules[i];
        gives = is_blob(m) && gives_framebuffer(m, problems);
    }
    if (problems != NULL) {
        heap_return(problems, sizeof(*problems));
    }
    return gives;
}

// The one module that is a configuration. NULL if there isn't exactly one; prints why.
static const struct boot_module *find_blob(void)
{
    const struct boot_module *found = NULL;
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        const struct boot_module *m = &machine.boot.modules[i];
        if (!is_blob(m)) {
            continue;
        }
        if (found != NULL) {
            print("configuration: modules \"%s\" and \"%s\" both are one: load only one\n",
                  found->name, m->name);
            return NULL;
        }
        found = m;
    }
    if (found == NULL) {
        print("no configuration among the %u modules: build one with bulkhead-config and load it "
              "as a module\n",
              machine.boot.module_count);
    }
    return found;
}

static enum status read_blob(const struct boot_module *m, struct blob_problems *problems)
{
    static struct blob config;
    // blob_check() refuses a blob that is too short for a header.
    if (m->size > BLOB_MAX_SIZE) {
        print("configuration: module \"%s\" has %lu bytes, a configuration at most %lu: build it "
              "again\n",
              m->name, m->size, (uint64_t)BLOB_MAX_SIZE);
        return ERR_INVALID;
    }
    void *file = heap_alloc(m->size);
    if (file == NULL) {
        print("configuration: no memory for it\n");
        return ERR_NO_MEMORY;
    }
    enum status s = module_read(m, 0, file, m->size);
    if (s == STATUS_OK) {
        s = blob_check(file, m->size, &config, problems);
    }
    machine.config = &config;
    return s;
}

static enum status check_machine(struct blob_problems *problems)
{
    // The loader has room for all files that a configuration can name, and for the configuration.
    _Static_assert(BLOB_MAX_FILES + 1 <= BOOT_MAX_MODULES, "boot_info.h");
    _Static_assert(BLOB_MAX_FILE_NAMES + BOOT_TEXT_SIZE <= BOOT_NAMES_SIZE, "boot_info.h");
    _Static_assert(BLOB_MAX_MODULE_NAME < BOOT_TEXT_SIZE, "boot_info.h");
    const char *names[BOOT_MAX_MODULES];
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        names[i] = machine.boot.modules[i].name;
    }
    struct blob_kept_ports kept[MACHINE_MAX_KEPT_PORTS];
    for (unsigned i = 0; i < machine_kept_port_count; i++) {
        kept[i] = (struct blob_kept_ports){machine_kept_ports[i].first, machine_kept_ports[i].last,
                                           machine_kept_ports[i].reason};
    }
    struct machine_limits limits = {
        .cpu_count = cpu_count,
        .usable_memory = page_alloc_total(&machine.memory),
        .module_names = names,
        .module_count = machine.boot.module_count,
        .kept_ports = kept,
        .kept_port_count = machine_kept_port_count,
    };
    return blob_check_machine(machine.config, &limits, problems);
}

static enum status load(const struct boot_module *m, struct blob_problems *problems)
{
    enum status s = read_blob(m, problems);
    if (s == STATUS_OK) {
        s = check_machine(problems);
    }
    if (s == STATUS_OK) {
        s = blob_assign_cpus(machine.config, cpu_count, machine.cpu_owner);
    }
    if (s != STATUS_OK) {
        print_problems(problems);
    }
    return s;
}

enum status config_load(void)
{
    const struct boot_module *m = find_blob();
    if (m == NULL) {
        return ERR_NOT_FOUND;
    }
    struct blob_problems *problems = heap_borrow(sizeof(*problems));
    if (problems == NULL) {
        print("configuration: no memory to check it\n");
        return ERR_NO_MEMORY;
    }
    enum status s = load(m, problems);
    heap_return(problems, sizeof(*problems));
    return s;
}
