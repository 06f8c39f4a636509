// SPDX-License-Identifier: Apache-2.0
// Judges functions that can't be isolated from each other together, as a set; the sets come one
// after the other. A set must pass the rules of hv/device/assign.c, and must fit on a partition's
// virtual bus and into the IOMMU.
#include "hv/start/inventory_devices.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "hv/device/assign.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"

#define CLASS_DISPLAY 0x03u

// Most IOMMU interrupts for one function, and for all together. One function may use as many as the
// smallest IOMMU has. All together may use half of VT-d's table, which IOAPIC pins and other
// partitions share.
#define MESSAGES_FUNCTION 256u
#define MESSAGES_ALL      512u

// A configuration with one partition without a name.
struct draft {
    struct blob blob;
    struct blob_partition partition;
    struct blob_device device[BLOB_MAX_PARTITION_DEVICES];
};

struct search {
    struct inventory_device *out;
    struct draft draft;
    int owner[PCI_MAX_FUNCTIONS];
    struct vpci bus;
    struct pci_pin pin[VPCI_MAX_FUNCTIONS];
};

static const char *refusal; // the first text that report() got; "" before that
static char refusal_text[ASSIGN_TEXT_SIZE];

static void report(const char *text)
{
    static const char prefix[] = "partition \"\": ";
    if (refusal[0] == '\0') {
        bool named = strncmp(text, prefix, sizeof(prefix) - 1) == 0;
        format(refusal_text, sizeof(refusal_text), "%s", named ? text + sizeof(prefix) - 1 : text);
        refusal = refusal_text;
    }
}

static bool in_set(unsigned index, unsigned group)
{
    const struct pci_function *f = &machine_pci.pci.function[index];
    return f->group == group && assign_possible(f);
}

// ---- the rules -----------------------------------------------------------------------------

// If there is no IOMMU, everything else is judged as if there were one.
static enum status allow(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size)
{
    (void)pci, (void)f, (void)error, (void)size;
    return STATUS_OK;
}

static const struct iommu_ops no_iommu = {.name = "none", .check = allow};

// Why a set can't be assigned; NULL if it can.
static const char *refused(struct search *s, unsigned group)
{
    struct draft *d = &s->draft;
    memset(d, 0, sizeof(*d));
    for (unsigned i = 0; i < machine_pci.pci.count; i++) {
        pci_address_t a = machine_pci.pci.function[i].address;
        if (!in_set(i, group)) {
            continue;
        }
        if (d->partition.devices.count == BLOB_MAX_PARTITION_DEVICES) {
            return "more functions go together than a partition may have";
        }
        d->device[d->partition.devices.count++] = (struct blob_device){
            (uint16_t)PCI_SEGMENT(a), (uint8_t)PCI_BUS(a), (uint8_t)(a.v & 0xff)};
    }
    d->blob.section[BLOB_STRINGS] = (struct blob_records){"", 1};
    d->blob.section[BLOB_PARTITIONS] = (struct blob_records){&d->partition, 1};
    d->blob.section[BLOB_DEVICES] = (struct blob_records){d->device, d->partition.devices.count};
    refusal = "";
    enum status r =
        passthrough_judge(&d->blob, iommu != NULL ? iommu : &no_iommu, s->owner, report);
    return r == STATUS_OK ? NULL : refusal;
}

// ---- the room ------------------------------------------------------------------------------

static const char *check_messages(const struct vpci *bus)
{
    unsigned all = 0;
    for (unsigned i = 0; i < bus->count; i++) {
        unsigned count = passthrough_messages(&bus->function[i]);
        all += count;
        if (count > MESSAGES_FUNCTION) {
            return "it has more interrupts than an IOMMU has for one device";
        }
    }
    return all > MESSAGES_ALL ? "there are too few interrupts for it beside the others'" : NULL;
}

static const char *check_pins(struct search *s)
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->bus.count; i++) {
        if (s->bus.function[i].host->interrupt_pin != 0) {
            s->pin[count++] = passthrough_pin_of(&s->bus.function[i]);
        }
    }
    pci_pins_choose(s->pin, count, machine_console_gsi());
    const struct pci_pin *bad = pci_pins_refused(s->pin, count);
    if (bad == NULL) {
        return NULL;
    }
    char why[PCI_PINS_TEXT_SIZE];
    pci_pins_describe(s->pin, bad, why);
    format(refusal_text, sizeof(refusal_text),
           "it has neither MSI nor MSI-X, and its INT%c can't be used: %s", 'A' + bad->pin - 1,
           why);
    return refusal_text;
}

// Why a partition has no room for this set, or for it and all proposed before (`others`).
static const char *no_room(struct search *s, unsigned group, bool others)
{
    const struct pci_machine *pci = &machine_pci.pci;
    vpci_init(&s->bus);
    for (unsigned i = 0; i < pci->count; i++) {
        bool wanted = in_set(i, group) || (others && s->out[i].verdict == INVENTORY_GIVEN);
        if (wanted && vpci_add(&s->bus, &pci->function[i], false) < 0) {
            return s->bus.count == VPCI_MAX_FUNCTIONS ? "a partition has at most 16 functions"
                                                      : "its header is of no known type";
        }
    }
    if (vpci_place_bars(&s->bus) != STATUS_OK) {
        return "BARs of more than 512 MiB together";
    }
    const char *why = check_messages(&s->bus);
    return why != NULL ? why : check_pins(s);
}

// ---- all -----------------------------------------------------------------------------------

static bool has_display(unsigned group)
{
    for (unsigned i = 0; i < machine_pci.pci.count; i++) {
        if (in_set(i, group) &&
            PCI_CLASS_BASE(machine_pci.pci.function[i].class_code) == CLASS_DISPLAY) {
            return true;
        }
    }
    return false;
}

static void set_verdict(struct search *s, unsigned group, enum inventory_verdict verdict,
                        const char *why)
{
    for (unsigned i = 0; i < machine_pci.pci.count; i++) {
        if (in_set(i, group)) {
            s->out[i].verdict = verdict;
            format(s->out[i].why, sizeof(s->out[i].why), "%s", why != NULL ? why : "");
        }
    }
}

static void judge(struct search *s, unsigned group)
{
    const char *why = refused(s, group);
    if (why == NULL) {
        why = no_room(s, group, false);
    }
    if (why != NULL) {
        set_verdict(s, group, INVENTORY_REFUSED, why);
    } else if (has_display(group)) {
        set_verdict(s, group, INVENTORY_LEFT, "it shows the machine's screen");
    } else {
        why = no_room(s, group, true);
        set_verdict(s, group, why != NULL ? INVENTORY_LEFT : INVENTORY_GIVEN, why);
    }
}

enum status inventory_devices(struct inventory_device out[PCI_MAX_FUNCTIONS])
{
    const struct pci_machine *pci = &machine_pci.pci;
    struct search *s = heap_borrow(sizeof(*s));
    if (s == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(s, 0, sizeof(*s));
    memset(out, 0, PCI_MAX_FUNCTIONS * sizeof(out[0]));
    s->out = out;
    for (unsigned i = 0; i < pci->count; i++) {
        bool first = assign_possible(&pci->function[i]);
        for (unsigned before = 0; before < i; before++) {
            first &= !in_set(before, pci->function[i].group);
        }
        if (first) {
            judge(s, pci->function[i].group);
        }
    }
    heap_return(s, sizeof(*s));
    return STATUS_OK;
}
