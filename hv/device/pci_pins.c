// SPDX-License-Identifier: Apache-2.0
// Chooses who gets an interrupt pin, those with the greatest need first.
#include "hv/device/pci_pins.h"

#include "arch/lib/format.h"
#include "drivers/pci/pci.h"
#include "hv/machine/guest_platform.h"

#define LINE_NONE  0xff // interrupt line register: not connected (PCI 3.0, 6.2.4)
#define LINE_COUNT 24

struct choice {
    struct pci_pin *list;
    unsigned count;
    uint32_t console;
};

static void refuse(struct pci_pin *p, const char *why, int other)
{
    p->why = why;
    p->other = other;
}

// The index of a function that has the same input already; -1 if there is none.
static int holder_of_line(const struct choice *c, unsigned line)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (c->list[i].granted && c->list[i].line == line) {
            return (int)i;
        }
    }
    return -1;
}

static int holder_of_wire(const struct choice *c, unsigned partition, unsigned wire)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct pci_pin *p = &c->list[i];
        if (p->granted && p->partition == partition && p->wire == wire) {
            return (int)i;
        }
    }
    return -1;
}

static void grant(struct pci_pin *p, unsigned wire)
{
    p->granted = true;
    p->wire = (uint8_t)wire;
}

// Gives the function an input that is free. Its wire is the one that its pin has on a bus without a
// router, or else a free one.
static void take_wire(const struct choice *c, struct pci_pin *p)
{
    unsigned own = guest_pci_pin(p->device, p->pin);
    for (unsigned i = 0; i < GUEST_PCI_PINS; i++) {
        unsigned wire = (own + i) % GUEST_PCI_PINS;
        if (holder_of_wire(c, p->partition, wire) < 0) {
            grant(p, wire);
            return;
        }
    }
    refuse(p, "the partition's bus has four interrupts, and other devices have them all",
           holder_of_wire(c, p->partition, own));
}

static void choose(const struct choice *c, struct pci_pin *p)
{
    int other = holder_of_line(c, p->line);
    if (p->line == 0 || p->line == LINE_NONE || p->line >= LINE_COUNT) {
        refuse(p, "the firmware connected it to no interrupt", -1);
    } else if (p->line == c->console) {
        refuse(p, "it shares its interrupt with the serial port of the hypervisor's console", -1);
    } else if (!p->has_input) {
        refuse(p, "no IOAPIC has its interrupt", -1);
    } else if (other < 0) {
        take_wire(c, p);
    } else if (c->list[other].partition == p->partition) {
        grant(p, c->list[other].wire);
    } else {
        refuse(p, "it shares its interrupt", other);
    }
}

void pci_pins_choose(struct pci_pin *list, unsigned count, uint32_t console)
{
    struct choice c = {list, count, console};
    for (unsigned i = 0; i < count; i++) {
        list[i].granted = false;
        list[i].why = NULL;
        list[i].other = -1;
    }
    for (unsigned messages = 0; messages < 2; messages++) {
        for (unsigned i = 0; i < count; i++) {
            if (list[i].messages == (messages != 0)) {
                choose(&c, &list[i]);
            }
        }
    }
}

const struct pci_pin *pci_pins_refused(const struct pci_pin *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!list[i].granted && !list[i].messages) {
            return &list[i];
        }
    }
    return NULL;
}

void pci_pins_describe(const struct pci_pin *list, const struct pci_pin *p,
                       char text[PCI_PINS_TEXT_SIZE])
{
    char place[PCI_TEXT_SIZE];
    if (p->other < 0) {
        format(text, PCI_PINS_TEXT_SIZE, "%s", p->why);
        return;
    }
    const struct pci_pin *other = &list[p->other];
    pci_text((pci_address_t){other->address}, place);
    if (other->partition == p->partition) {
        format(text, PCI_PINS_TEXT_SIZE, "%s (one of them %s)", p->why, place);
    } else {
        format(text, PCI_PINS_TEXT_SIZE,
               "%s %u with device %s of partition \"%s\": give both to one partition", p->why,
               p->line, place, other->partition_name);
    }
}

uint8_t pci_pins_shown(const struct pci_pin *p)
{
    unsigned pin = 1;
    while (guest_pci_pin(p->device, pin) != p->wire) {
        pin++;
    }
    return (uint8_t)pin;
}
