// SPDX-License-Identifier: Apache-2.0
// Connects partitions' devices to their interrupt pins, as hv/device/pci_pins.h decides.
#include "arch/memory/heap.h"
#include "drivers/console/console.h"
#include "drivers/ioapic/ioapic.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/partition/partition.h"

struct pci_pin passthrough_pin_of(const struct vpci_function *f)
{
    const struct pci_function *host = f->host;
    struct ioapic_input input;
    return (struct pci_pin){
        .address = host->address.v,
        .device = (uint8_t)(f->devfn / 8),
        .pin = host->interrupt_pin,
        .line = host->interrupt_line,
        .has_input = ioapic_find_pci(&machine.acpi, host->interrupt_line, &input) == STATUS_OK,
        .messages = f->msi != 0 || f->msix_vectors > 0,
    };
}

#define MOST_PINS PCI_MAX_FUNCTIONS // each function belongs to one partition

// Lists all functions with a pin, of all partitions, in the order of apply().
static unsigned list_pins(struct pci_pin list[MOST_PINS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < partition_count; i++) {
        const struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned k = 0; pt != NULL && k < pt->count; k++) {
            if (pt->device[k].pci->interrupt_pin != 0) {
                list[count] = passthrough_pin_of(pt->device[k].virt);
                list[count].partition = i;
                list[count++].partition_name = partitions[i]->name;
            }
        }
    }
    return count;
}

static void apply_to(struct passthrough *pt, struct passthrough_device *d, const struct pci_pin *p)
{
    vpci_set_intx(d->virt, p->granted ? pci_pins_shown(p) : 0);
    if (p->granted) {
        pt->pins |= 1u << p->wire;
        ioapic_find_pci(&machine.acpi, p->line, &pt->pin[p->wire]);
    }
}

static void apply(const struct pci_pin *next)
{
    for (unsigned i = 0; i < partition_count; i++) {
        struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned k = 0; pt != NULL && k < pt->count; k++) {
            if (pt->device[k].pci->interrupt_pin != 0) {
                apply_to(pt, &pt->device[k], next++);
            }
        }
    }
}

static enum status choose(struct pci_pin list[MOST_PINS])
{
    unsigned count = list_pins(list);
    pci_pins_choose(list, count, machine_console_gsi());
    const struct pci_pin *bad = pci_pins_refused(list, count);
    if (bad != NULL) {
        char why[PCI_PINS_TEXT_SIZE], place[PCI_TEXT_SIZE];
        pci_pins_describe(list, bad, why);
        print("partition \"%s\": device %s has neither MSI nor MSI-X, and its INT%c can't be used: "
              "%s\n",
              bad->partition_name, pci_text((pci_address_t){bad->address}, place),
              'A' + bad->pin - 1, why);
        return ERR_DENIED;
    }
    apply(list);
    return STATUS_OK;
}

enum status passthrough_wire_pins(void)
{
    struct pci_pin *list = heap_borrow(MOST_PINS * sizeof(*list));
    if (list == NULL) {
        print("no memory to give devices their interrupts\n");
        return ERR_NO_MEMORY;
    }
    enum status s = choose(list);
    heap_return(list, MOST_PINS * sizeof(*list));
    return s;
}
