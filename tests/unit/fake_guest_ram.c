// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fake_guest_ram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/guest/e820.h"

const uint8_t fake_uuid[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                               0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

void fake_ram_init(struct fake_ram *p, uint64_t memory)
{
    memset(p, 0, sizeof(*p));
    p->memory = memory;
    p->bytes = mmap(NULL, memory, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->bytes == MAP_FAILED) {
        perror("mmap");
        abort();
    }
}

void fake_ram_free(struct fake_ram *p)
{
    munmap(p->bytes, p->memory);
}

static uint8_t *find(const struct fake_ram *p, uint64_t address, uint64_t size)
{
    const uint64_t low = guest_low_end(p->memory, p->dma_floor);
    const uint64_t high = guest_high_ram(p->memory, p->dma_floor);

    if (p->dma_floor != 0 && address >= p->dma_floor) {
        return address <= low && size <= low - address
                   ? p->bytes + GUEST_FIRMWARE_END + (address - p->dma_floor)
                   : NULL;
    }
    if (p->dma_floor != 0) {
        return address <= GUEST_FIRMWARE_END && size <= GUEST_FIRMWARE_END - address
                   ? p->bytes + address
                   : NULL;
    }
    if (address <= low && size <= low - address) {
        return p->bytes + address;
    }
    if (address >= GUEST_RAM_HIGH && address - GUEST_RAM_HIGH <= high &&
        size <= high - (address - GUEST_RAM_HIGH)) {
        return p->bytes + low + (address - GUEST_RAM_HIGH);
    }
    return NULL;
}

uint8_t *fake_ram_at(const struct fake_ram *p, uint64_t address, uint64_t size)
{
    uint8_t *at = find(p, address, size);

    if (at == NULL) {
        fprintf(stderr, "0x%llx+0x%llx is not RAM\n", (unsigned long long)address,
                (unsigned long long)size);
        abort();
    }
    return at;
}

uint16_t fake_ram_u16(const struct fake_ram *p, uint64_t address)
{
    uint16_t v;

    memcpy(&v, fake_ram_at(p, address, sizeof(v)), sizeof(v));
    return v;
}

uint32_t fake_ram_u32(const struct fake_ram *p, uint64_t address)
{
    uint32_t v;

    memcpy(&v, fake_ram_at(p, address, sizeof(v)), sizeof(v));
    return v;
}

uint64_t fake_ram_u64(const struct fake_ram *p, uint64_t address)
{
    uint64_t v;

    memcpy(&v, fake_ram_at(p, address, sizeof(v)), sizeof(v));
    return v;
}

struct boot_module fake_module(const char *name, const void *data, uint64_t size)
{
    return (struct boot_module){(uint64_t)(uintptr_t)data, size, name};
}

static const struct fake_ram *fake_of(const struct guest_ram *ram)
{
    return (const struct fake_ram *)((const char *)ram - offsetof(struct fake_ram, ram));
}

bool guest_ram_contains(const struct guest_ram *ram, gpa_t address, uint64_t size)
{
    return find(fake_of(ram), address.v, size) != NULL;
}

enum status guest_read(const struct guest_ram *ram, gpa_t address, void *buffer, size_t size)
{
    const uint8_t *at = find(fake_of(ram), address.v, size);

    if (at == NULL) {
        return ERR_RANGE;
    }
    memcpy(buffer, at, size);
    return STATUS_OK;
}

// Where a write goes; NULL if it fails.
static uint8_t *find_for_write(const struct guest_ram *ram, uint64_t address, uint64_t size)
{
    struct fake_ram *p = (struct fake_ram *)(uintptr_t)fake_of(ram);

    p->writes++;
    if (p->fail_after != 0 && p->writes > p->fail_after) {
        return NULL;
    }
    return find(p, address, size);
}

enum status guest_write(const struct guest_ram *ram, gpa_t address, const void *buffer, size_t size)
{
    uint8_t *at = find_for_write(ram, address.v, size);

    if (at == NULL) {
        return ERR_RANGE;
    }
    memcpy(at, buffer, size);
    return STATUS_OK;
}

enum status guest_fill(const struct guest_ram *ram, gpa_t address, uint8_t value, uint64_t size)
{
    uint8_t *at = find_for_write(ram, address.v, size);

    if (at == NULL) {
        return ERR_RANGE;
    }
    memset(at, value, size);
    return STATUS_OK;
}

enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size)
{
    if (offset > m->size || size > m->size - offset) {
        return ERR_TRUNCATED;
    }
    memcpy(buffer, (const uint8_t *)(uintptr_t)m->base + offset, size);
    return STATUS_OK;
}

enum status guest_copy_module(const struct guest_ram *ram, gpa_t address,
                              const struct boot_module *m, uint64_t offset, uint64_t size)
{
    uint8_t *at = find_for_write(ram, address.v, size);

    if (at == NULL) {
        return ERR_RANGE;
    }
    return module_read(m, offset, at, size);
}
