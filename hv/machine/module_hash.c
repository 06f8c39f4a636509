// SPDX-License-Identifier: Apache-2.0
// Refuses boot modules that differ from the files that the configuration was built for. Relies on
// config_load() having found exactly one module for each name in the configuration. Relies also on
// only the hypervisor reaching the modules' memory from then on. So what is loaded, now or at a
// partition's restart, is what was hashed here.
#include "hv/machine/module_hash.h"

#include "arch/cpu/tsc.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "drivers/console/console.h"
#include "hv/machine/machine.h"
#include "hv/memory/guest_mem.h"

static enum status hash_module(const struct boot_module *m, uint8_t *page,
                               uint8_t hash[SHA256_SIZE])
{
    struct sha256 state;
    enum status s = STATUS_OK;
    sha256_init(&state);
    for (uint64_t done = 0; s == STATUS_OK && done < m->size;) {
        uint64_t n = min_u64(PAGE_SIZE, m->size - done);
        s = module_read(m, done, page, n);
        sha256_update(&state, page, n);
        done += n;
    }
    sha256_final(&state, hash);
    return s;
}

// The first bytes of a hash: enough to distinguish files, few enough to compare by eye.
static unsigned long start_of(const uint8_t hash[SHA256_SIZE])
{
    unsigned long start = 0;
    for (unsigned i = 0; i < sizeof(start); i++) {
        start = start << 8 | hash[i];
    }
    return start;
}

static enum status check_module(const struct boot_module *m, uint8_t *page,
                                const uint8_t expected[SHA256_SIZE])
{
    uint8_t found[SHA256_SIZE];
    if (hash_module(m, page, found) != STATUS_OK) {
        print("configuration: module \"%.48s\" can't be read to check its SHA-256\n", m->name);
        return ERR_RANGE;
    }
    if (memcmp(found, expected, SHA256_SIZE) != 0) {
        print("configuration: module \"%.48s\" is not the file that the configuration was built "
              "for: its SHA-256 starts with %016lx, expected is %016lx; load that file, or build "
              "the configuration again\n",
              m->name, start_of(found), start_of(expected));
        return ERR_CHECKSUM;
    }
    return STATUS_OK;
}

static enum status check_modules(uint8_t *page)
{
    uint64_t begin = time_us();
    enum status worst = STATUS_OK;
    unsigned checked = 0;
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        const struct boot_module *m = &machine.boot.modules[i];
        const uint8_t *expected = blob_module_sha256(machine.config, m->name);
        if (expected == NULL) {
            continue;
        }
        enum status s = check_module(m, page, expected);
        if (s != STATUS_OK) {
            worst = s;
        }
        checked++;
    }
    if (checked > 0) {
        print("hashes of %u module%s checked in %lu us\n", checked, checked == 1 ? "" : "s",
              time_us() - begin);
    }
    return worst;
}

enum status module_hashes_check(void)
{
    uint8_t *page = heap_borrow(PAGE_SIZE);
    if (page == NULL) {
        print("configuration: no memory to check the modules' hashes\n");
        return ERR_NO_MEMORY;
    }
    enum status s = check_modules(page);
    heap_return(page, PAGE_SIZE);
    return s;
}
