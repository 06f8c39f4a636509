// SPDX-License-Identifier: Apache-2.0
// Fuzzes everything that reads PCI configuration space. The input is a few functions, each with an
// address, the bytes of its configuration space that are not 0, and bits that take what is written;
// where it ends, registers change by themselves. Whatever it says, the scan ends, its result makes
// sense, and each function can be stopped and reset in bounded time.
#include <string.h>

#include "arch/cpu/tsc.h"
#include "drivers/pci/pci.h"
#include "drivers/pci/raw.h"
#include "tests/fuzz/fuzz.h"

#define MODELS 12
#define ECAM   0xe0000000u

static struct model {
    uint32_t address;
    uint8_t config[4096];
    bool writable, changing, mapped;
} models[MODELS];
static unsigned model_count;
static uint8_t numbers[0x10000]; // of the model at an address, from 1
static uint64_t now;
static unsigned accesses;
static uint8_t noise;

// ---- the machine -----------------------------------------------------------------------------

uint64_t time_us(void)
{
    return now++;
}

void delay_us(uint64_t us)
{
    now += us;
}

static struct model *find(uint32_t address)
{
    uint8_t number = address <= 0xffff ? numbers[address] : 0;
    return number > 0 ? &models[number - 1] : NULL;
}

static uint32_t get(struct model *m, unsigned offset, unsigned size, unsigned space)
{
    uint32_t value = 0;
    accesses++;
    CHECK((size == 1 || size == 2 || size == 4) && offset % size == 0 && offset + size <= space);
    if (m == NULL) {
        return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    }
    if (m->changing) {
        m->config[offset] = (uint8_t)(m->config[offset] + noise++);
    }
    memcpy(&value, m->config + offset, size);
    return value;
}

static void put(struct model *m, unsigned offset, unsigned size, unsigned space, uint32_t value)
{
    accesses++;
    CHECK((size == 1 || size == 2 || size == 4) && offset % size == 0 && offset + size <= space);
    if (m == NULL) {
        return;
    }
    if (m->writable) {
        memcpy(m->config + offset, &value, size);
    } else if (offset >= PCI_BAR0 && offset < PCI_BAR0 + 24 && value == UINT32_MAX) {
        m->config[offset + 2] ^= 0xf0;
    }
}

uint32_t pci_port_read(pci_address_t a, unsigned offset, unsigned size)
{
    CHECK(a.v <= 0xffff);
    return get(find(a.v), offset, size, 256);
}

void pci_port_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    CHECK(a.v <= 0xffff);
    put(find(a.v), offset, size, 256, value);
}

volatile void *pci_page_map(hpa_t page)
{
    static struct model none;
    struct model *m = find((uint32_t)((page.v - ECAM) >> PAGE_SHIFT));
    CHECK(is_aligned(page.v, PAGE_SIZE));
    return m != NULL && m->mapped ? m : &none;
}

uint32_t pci_page_read(volatile void *page, unsigned offset, unsigned size)
{
    return get((struct model *)page, offset, size, 4096);
}

void pci_page_write(volatile void *page, unsigned offset, unsigned size, uint32_t value)
{
    put((struct model *)page, offset, size, 4096, value);
}

// Device registers: the bytes of the first model, over and over.
uint32_t pci_device_read(hpa_t address)
{
    uint32_t value;
    memcpy(&value, models[0].config + (address.v & 0xffc), sizeof(value));
    return value;
}

void pci_device_write(hpa_t address, uint32_t value)
{
    if (models[0].writable) {
        memcpy(models[0].config + (address.v & 0xffc), &value, sizeof(value));
    }
}

// ---- the input -------------------------------------------------------------------------------

// Per function: address (2 bytes), flags, number of pairs; then pairs of a position and a byte,
// three bytes each.
static void build(const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < model_count; i++) {
        numbers[models[i].address] = 0;
    }
    memset(models, 0, sizeof(models));
    model_count = 0;
    while (size >= 4 && model_count < MODELS) {
        struct model *m = &models[model_count];
        uint32_t address = (uint32_t)(data[0] | data[1] << 8);
        unsigned flags = data[2], pairs = data[3];
        m->address = address;
        m->writable = flags & 1;
        m->changing = flags & 2;
        m->mapped = flags & 4;
        data += 4;
        size -= 4;
        for (; pairs > 0 && size >= 3; pairs--, data += 3, size -= 3) {
            m->config[(data[0] | data[1] << 8) & 0xfff] = data[2];
        }
        if (numbers[address] == 0) {
            numbers[address] = (uint8_t)++model_count;
        }
    }
}

// ---- what has to hold ------------------------------------------------------------------------

static void check_bars(const struct pci_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *b = &f->bar[i];
        if (b->kind == PCI_BAR_NONE) {
            continue;
        }
        CHECK(b->size >= 4 && (b->size & (b->size - 1)) == 0);
        CHECK(is_aligned(b->address, b->size) && b->address + b->size >= b->address);
        CHECK(b->kind != PCI_BAR_MEMORY64 ||
              (i + 1 < PCI_BARS && f->bar[i + 1].kind == PCI_BAR_NONE));
    }
}

static void check_function(const struct pci_machine *pci, unsigned i)
{
    const struct pci_function *f = &pci->function[i];
    char text[PCI_TEXT_SIZE];
    CHECK(i == 0 || pci->function[i - 1].address.v < f->address.v);
    CHECK(f->parent >= PCI_NO_PARENT && f->parent < (int)i);
    CHECK(f->interrupt_pin <= 4);
    CHECK(f->pm + 8 <= 256 && f->msi + 10 <= 256 && f->msix + 12 <= 256 && f->pcie + 20 <= 256 &&
          f->af + 6 <= 256);
    CHECK((f->pm == 0 || f->pm >= 64) && (f->msi == 0 || f->msi >= 64) &&
          (f->msix == 0 || f->msix >= 64) && (f->pcie == 0 || f->pcie >= 64));
    CHECK(f->group <= i && pci->function[f->group].group == f->group);
    CHECK(strlen(pci_text(f->address, text)) == 7 && pci_class_name(f->class_code) != NULL);
    if (f->parent != PCI_NO_PARENT) {
        const struct pci_function *bridge = &pci->function[f->parent];
        CHECK(bridge->bridge && bridge->secondary == PCI_BUS(f->address));
        CHECK(bridge->secondary > PCI_BUS(bridge->address));
    }
    check_bars(f);
}

static void check_groups(const struct pci_machine *pci)
{
    for (unsigned i = 0; i < pci->count; i++) {
        unsigned members = 0;
        for (unsigned j = 0; j < pci->count; j++) {
            const struct pci_function *a = &pci->function[i], *b = &pci->function[j];
            members += a->group == b->group;
            CHECK(a->requester != b->requester || a->group == b->group);
        }
        CHECK((members > 1) == (pci->function[i].group_why != NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pci_machine pci;
    struct acpi_info acpi = {.mcfg_count = 0};
    pci.count = 0;
    pci_map_config(&pci, &acpi);
    build(data, size);
    now = 0;
    accesses = 0;
    noise = 0;
    pci_scan(&pci);
    acpi.mcfg_count = 1;
    acpi.mcfg[0] = (struct acpi_mcfg){.base = ECAM, .bus_last = 255};
    CHECK(pci_map_config(&pci, &acpi) == STATUS_OK);
    pci_find_groups(&pci);
    for (unsigned i = 0; i < pci.count; i++) {
        check_function(&pci, i);
    }
    check_groups(&pci);
    pci_quiesce(&pci);
    for (unsigned i = 0; i < pci.count; i++) {
        uint64_t begin = now;
        pci_open_bridges(&pci, &pci.function[i]);
        (void)pci_reset_function(&pci, &pci.function[i]);
        CHECK(now - begin < 20000000);
    }
    CHECK(accesses < 2000000);
    return 0;
}
