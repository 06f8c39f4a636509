// SPDX-License-Identifier: Apache-2.0
// Configuration spaces in memory.
#include "tests/unit/fake_pci_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_pci fake_pci[FAKE_PCI_MAX];
unsigned fake_pci_count;
struct fake_pci_write fake_pci_writes[FAKE_PCI_WRITES];
unsigned fake_pci_written;
void (*fake_pci_watch)(const struct fake_pci_write *write);

void fake_pci_init(void)
{
    memset(fake_pci, 0, sizeof(fake_pci));
    fake_pci_count = 0;
    fake_pci_written = 0;
    fake_pci_watch = NULL;
}

static struct fake_pci *find(pci_address_t a, unsigned offset, unsigned size)
{
    bool sized = size == 1 || size == 2 || size == 4;
    for (unsigned i = 0; sized && offset % size == 0 && offset < 256 && i < fake_pci_count; i++) {
        if (fake_pci[i].function.address.v == a.v) {
            return &fake_pci[i];
        }
    }
    fprintf(stderr, "fake_pci: %x, offset 0x%x, %u bytes\n", a.v, offset, size);
    abort();
}

void fake_pci_set(struct fake_pci *d, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(&d->config[offset], &value, size);
}

uint32_t fake_pci_get(const struct fake_pci *d, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    memcpy(&value, &d->config[offset], size);
    return value;
}

uint32_t pci_config_read(pci_address_t a, unsigned offset, unsigned size)
{
    return fake_pci_get(find(a, offset, size), offset, size);
}

void pci_config_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    struct fake_pci *d = find(a, offset, size);
    struct fake_pci_write w = {.address = a, .offset = offset, .size = size, .value = value};
    w.before = fake_pci_get(d, offset, size);
    for (unsigned i = offset; i < offset + size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (i - offset));
        uint8_t kept = d->config[i] & (uint8_t)~d->writable[i] & (uint8_t) ~(d->cleared[i] & byte);
        d->config[i] = kept | (byte & d->writable[i]);
    }
    w.after = fake_pci_get(d, offset, size);
    fake_pci_writes[fake_pci_written++ % FAKE_PCI_WRITES] = w;
    if (fake_pci_watch != NULL) {
        fake_pci_watch(&w);
    }
}

static void set_mask(uint8_t *mask, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(&mask[offset], &value, size);
}

struct fake_pci *fake_pci_add(unsigned bus, unsigned device, unsigned function, uint16_t vendor,
                              uint16_t id, uint32_t class_code)
{
    struct fake_pci *d = &fake_pci[fake_pci_count++];
    memset(d, 0, sizeof(*d));
    d->function.address.v = bus << 8 | device << 3 | function;
    d->function.vendor = vendor;
    d->function.device = id;
    d->function.class_code = class_code;
    d->function.parent = PCI_NO_PARENT;
    fake_pci_set(d, PCI_VENDOR, 2, vendor);
    fake_pci_set(d, PCI_DEVICE, 2, id);
    fake_pci_set(d, PCI_CLASS, 4, class_code << 8 | 0x02);
    set_mask(d->writable, PCI_COMMAND, 2, 0x0557);
    set_mask(d->cleared, PCI_STATUS, 2, 0xf900);
    set_mask(d->writable, PCI_CACHE_LINE, 2, 0xffff);
    for (unsigned i = PCI_BAR0; i < 0x28; i++) {
        d->writable[i] = 0xff; // so that a write there would be seen
    }
    return d;
}

void fake_pci_bar(struct fake_pci *d, unsigned bar, enum pci_bar_kind kind, uint64_t address,
                  uint64_t size)
{
    d->function.bar[bar] = (struct pci_bar){.kind = kind, .address = address, .size = size};
    fake_pci_set(d, PCI_BAR0 + 4 * bar, 4, (uint32_t)address);
}

void fake_pci_capability(struct fake_pci *d, unsigned at, uint8_t id)
{
    fake_pci_set(d, at, 1, id);
    fake_pci_set(d, at + 1, 1, fake_pci_get(d, PCI_CAPABILITIES, 1));
    fake_pci_set(d, PCI_CAPABILITIES, 1, at);
    fake_pci_set(d, PCI_STATUS, 2, fake_pci_get(d, PCI_STATUS, 2) | PCI_STATUS_CAPABILITIES);
}

void fake_pci_pm(struct fake_pci *d, unsigned at, uint16_t control)
{
    fake_pci_capability(d, at, PCI_CAP_PM);
    fake_pci_set(d, at + 2, 2, 0xfe03); // version 3; wake-up from everywhere, D1 and D2
    fake_pci_set(d, at + 4, 2, control);
    set_mask(d->writable, at + 4, 2, 0x0103);
    set_mask(d->cleared, at + 4, 2, 0x8000);
    d->function.pm = (uint8_t)at;
}

void fake_pci_msi(struct fake_pci *d, unsigned at, uint16_t control)
{
    fake_pci_capability(d, at, PCI_CAP_MSI);
    fake_pci_set(d, at + 2, 2, control);
    memset(&d->writable[at + 4], 0xff, 16);
    set_mask(d->writable, at + 2, 2, 0x71);
    d->function.msi = (uint8_t)at;
}

void fake_pci_msix(struct fake_pci *d, unsigned at, unsigned vectors, uint32_t table, uint32_t pba)
{
    fake_pci_capability(d, at, PCI_CAP_MSIX);
    fake_pci_set(d, at + 2, 2, vectors - 1);
    fake_pci_set(d, at + 4, 4, table);
    fake_pci_set(d, at + 8, 4, pba);
    set_mask(d->writable, at + 2, 2, 0xc000);
    d->function.msix = (uint8_t)at;
}

void fake_pci_express(struct fake_pci *d, unsigned at, uint16_t capabilities)
{
    fake_pci_capability(d, at, PCI_CAP_PCIE);
    fake_pci_set(d, at + 2, 2, capabilities);
    fake_pci_set(d, at + 4, 4, 0x10008fe1);    // with function-level reset
    fake_pci_set(d, at + 8, 2, 0x2810);        // as after a reset
    fake_pci_set(d, at + 0x0a, 2, 0x0009);     // errors: unsupported request, correctable
    fake_pci_set(d, at + 0x0c, 4, 0x00036c11); // link
    fake_pci_set(d, at + 0x10, 4, 0x10110040);
    set_mask(d->writable, at + 8, 2, 0x7fff);
    set_mask(d->cleared, at + 0x0a, 2, 0x000f);
    set_mask(d->writable, at + 0x10, 2, 0xffff);
    d->function.pcie = (uint8_t)at;
}

void fake_pci_virtio(struct fake_pci *d, unsigned at, uint8_t type, uint8_t length)
{
    fake_pci_capability(d, at, PCI_CAP_VENDOR);
    fake_pci_set(d, at + 2, 1, length);
    fake_pci_set(d, at + 3, 1, type);
    fake_pci_set(d, at + 4, 4, 4);
    fake_pci_set(d, at + 8, 4, 0x1000u * type);
    fake_pci_set(d, at + 12, 4, 0x1000);
    memset(&d->writable[at + 4], 0xff, 16);
}

struct fake_pci *fake_pci_network(void)
{
    struct fake_pci *d = fake_pci_add(0, 3, 0, 0x8086, 0x10d3, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfeb80000, 0x20000);
    fake_pci_bar(d, 1, PCI_BAR_MEMORY32, 0xfeba0000, 0x20000);
    fake_pci_bar(d, 2, PCI_BAR_IO, 0xc040, 0x20);
    fake_pci_bar(d, 3, PCI_BAR_MEMORY32, 0xfebd0000, 0x4000);
    fake_pci_set(d, PCI_SUBSYSTEM, 4, 0x00008086);
    fake_pci_set(d, PCI_ROM, 4, 0xfeb40000);
    fake_pci_set(d, PCI_INTERRUPT_LINE, 2, 0x010b);
    fake_pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    d->function.interrupt_pin = 1;
    fake_pci_msix(d, 0xa0, 5, 3, 0x2000 | 3);
    fake_pci_express(d, 0xe0, 0x0001);
    fake_pci_msi(d, 0xd0, PCI_MSI_64);
    fake_pci_pm(d, 0xc8, 0);
    return d;
}
