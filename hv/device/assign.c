// SPDX-License-Identifier: Apache-2.0
// The rules by which PCI functions are assigned. Relies on the scan (drivers/pci/pci.h) and on the
// blob's own checks, which have refused a device that is listed twice.
#include "hv/device/assign.h"

#include "arch/lib/format.h"

#define CLASS_BRIDGE    0x06u
#define CLASS_IOMMU     0x0806u
#define LIST_SIZE       96
#define ADDRESS_BITS(d) ((uint32_t)(d)->segment << 16 | (uint32_t)(d)->bus << 8 | (d)->devfn)

struct assignment {
    const struct assign_input *in;
    int *owner;
    void (*report)(const char *text);
    bool failed;
};

static const char *name_of(const struct assignment *a, int partition)
{
    return blob_name(a->in->config, (unsigned)partition);
}

// `what` is the text that follows the device's address.
static void tell(struct assignment *a, int partition, pci_address_t address, const char *what)
{
    char text[ASSIGN_TEXT_SIZE], place[PCI_TEXT_SIZE];
    format(text, sizeof(text), "partition \"%s\": device %s %s", name_of(a, partition),
           pci_text(address, place), what);
    a->report(text);
}

static void refuse(struct assignment *a, int partition, pci_address_t address, const char *what)
{
    tell(a, partition, address, what);
    a->failed = true;
}

// Lists the functions of a set for a message, as many as fit: "00:03.0, 00:03.1".
static void list_functions(const struct assignment *a,
                           bool (*in_set)(const struct assignment *, unsigned, unsigned),
                           unsigned argument, char list[LIST_SIZE])
{
    size_t used = 0;
    list[0] = '\0';
    for (unsigned i = 0; i < a->in->pci->count; i++) {
        char place[PCI_TEXT_SIZE];
        if (!in_set(a, i, argument)) {
            continue;
        }
        if (used + PCI_TEXT_SIZE + sizeof(", ...") > LIST_SIZE) {
            format(list + used, LIST_SIZE - used, ", ...");
            return;
        }
        used += format(list + used, LIST_SIZE - used, "%s%s", used == 0 ? "" : ", ",
                       pci_text(a->in->pci->function[i].address, place));
    }
}

bool assign_possible(const struct pci_function *f)
{
    return !f->bridge && f->class_code >> 16 != CLASS_BRIDGE && f->class_code >> 8 != CLASS_IOMMU;
}

static bool can_be_given(const struct assignment *a, unsigned index, unsigned unused)
{
    (void)unused;
    return assign_possible(&a->in->pci->function[index]);
}

static bool missing_in_group(const struct assignment *a, unsigned index, unsigned member)
{
    const struct pci_function *f = a->in->pci->function;
    return f[index].group == f[member].group && a->owner[index] != a->owner[member] &&
           can_be_given(a, index, 0);
}

// ---- one device -----------------------------------------------------------------------------

static void claim(struct assignment *a, unsigned partition, const struct blob_device *device)
{
    pci_address_t address = {ADDRESS_BITS(device)};
    int index = pci_find(a->in->pci, address);
    char text[ASSIGN_TEXT_SIZE];
    if (index < 0) {
        char list[LIST_SIZE];
        list_functions(a, can_be_given, 0, list);
        format(text, sizeof(text),
               "is not there (this machine's are %s): take it out of its devices, or correct it",
               list[0] != '\0' ? list : "none");
        refuse(a, (int)partition, address, text);
    } else if (!can_be_given(a, (unsigned)index, 0)) {
        format(text, sizeof(text),
               "is a %s, which belongs to the machine: list the device behind "
               "it instead",
               pci_class_name(a->in->pci->function[index].class_code));
        refuse(a, (int)partition, address, text);
    } else if (a->in->console == &a->in->pci->function[index]) {
        refuse(a, (int)partition, address,
               "is the serial port of the hypervisor's console: take it out of its devices, or say "
               "console= with another one on the hypervisor's command line");
    } else {
        a->owner[index] = (int)partition;
    }
}

static bool is_trusted(const struct assignment *a, unsigned index)
{
    const struct blob_partition *p = blob_partition(a->in->config, (unsigned)a->owner[index]);
    return (p->flags & BLOB_TRUST_DMA) != 0;
}

static void check_dma(struct assignment *a, unsigned index)
{
    const struct pci_function *f = &a->in->pci->function[index];
    char text[IOMMU_TEXT_SIZE];
    if (a->in->iommu == NULL && is_trusted(a, index)) {
        tell(a, a->owner[index], f->address,
             "can reach all of the machine's memory: there is no IOMMU, and trust_dma allows it");
    } else if (a->in->iommu == NULL) {
        refuse(
            a, a->owner[index], f->address,
            "can reach all of the machine's memory, because there is no IOMMU: turn it on in the "
            "firmware's setup (VT-d, AMD-Vi)");
    } else if (a->in->iommu->check(a->in->pci, f, text, sizeof(text)) != STATUS_OK) {
        // the text already names the device
        char line[ASSIGN_TEXT_SIZE];
        format(line, sizeof(line), "partition \"%s\": device %s", name_of(a, a->owner[index]),
               text);
        a->report(line);
        a->failed = true;
    }
}

static void check_group(struct assignment *a, unsigned index)
{
    const struct pci_function *f = &a->in->pci->function[index];
    char list[LIST_SIZE], text[ASSIGN_TEXT_SIZE];
    list_functions(a, missing_in_group, index, list);
    if (a->in->console != NULL && a->in->console->group == f->group) {
        char place[PCI_TEXT_SIZE];
        format(text, sizeof(text),
               "can't be kept apart from the hypervisor's console, %s (%s): take it out of its "
               "devices, or say console= with another one on the hypervisor's command line",
               pci_text(a->in->console->address, place),
               f->group_why != NULL ? f->group_why : "one group");
        refuse(a, a->owner[index], f->address, text);
    } else if (list[0] != '\0') {
        format(text, sizeof(text),
               "can't be kept apart from %s (%s): give all of them to this partition, or none",
               list, f->group_why != NULL ? f->group_why : "one group");
        refuse(a, a->owner[index], f->address, text);
    }
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

// The whole pages that hold a BAR: what the partition's CPUs will reach.
static uint64_t page_base(const struct pci_bar *bar)
{
    return align_down(bar->address, PAGE_SIZE);
}

static uint64_t page_bytes(const struct pci_bar *bar)
{
    return align_up(bar->address + bar->size, PAGE_SIZE) - page_base(bar);
}

static void check_bar_alone(struct assignment *a, unsigned index, unsigned n)
{
    const struct pci_function *f = &a->in->pci->function[index];
    const struct pci_bar *bar = &f->bar[n];
    char text[ASSIGN_TEXT_SIZE], place[PCI_TEXT_SIZE];
    for (unsigned i = 0; i < a->in->kept_count; i++) {
        const struct assign_kept *k = &a->in->kept[i];
        if (overlap(page_base(bar), page_bytes(bar), k->base, k->size)) {
            format(text, sizeof(text), "has its BAR %u at 0x%lx, over %s: %s", n, bar->address,
                   k->why, k->remedy != NULL ? k->remedy : "the firmware placed it wrongly");
            refuse(a, a->owner[index], f->address, text);
            return;
        }
    }
    for (unsigned i = 0; i < a->in->pci->count; i++) {
        const struct pci_function *other = &a->in->pci->function[i];
        for (unsigned k = 0; k < PCI_BARS; k++) {
            const struct pci_bar *b = &other->bar[k];
            if (!pci_bar_is_memory(b->kind) || b->address == 0 || a->owner[i] == a->owner[index] ||
                !overlap(page_base(bar), page_bytes(bar), b->address, b->size)) {
                continue;
            }
            format(text, sizeof(text),
                   "has its BAR %u at 0x%lx on a page with BAR %u of %s: give "
                   "both to one partition",
                   n, bar->address, k, pci_text(other->address, place));
            refuse(a, a->owner[index], f->address, text);
            return;
        }
    }
}

static void check_ports(struct assignment *a, unsigned index, unsigned n)
{
    const struct pci_function *f = &a->in->pci->function[index];
    const struct pci_bar *bar = &f->bar[n];
    struct io_range range = {(uint16_t)bar->address, (uint16_t)(bar->address + bar->size - 1), ""};
    struct io_refusal refusal;
    char text[ASSIGN_TEXT_SIZE];
    if (io_policy_check(&range, a->in->ports, a->in->port_count, &refusal) != STATUS_OK) {
        format(text, sizeof(text), "has its BAR %u at I/O port 0x%lx, where it can't be: %s", n,
               bar->address, refusal.kept != NULL ? refusal.kept->reason : "there is no such port");
        refuse(a, a->owner[index], f->address, text);
    }
}

static void check_bars(struct assignment *a, unsigned index)
{
    const struct pci_function *f = &a->in->pci->function[index];
    char text[ASSIGN_TEXT_SIZE];
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *bar = &f->bar[n];
        if (bar->kind == PCI_BAR_IO && bar->address != 0) {
            check_ports(a, index, n);
        }
        if (!pci_bar_is_memory(bar->kind)) {
            continue;
        }
        if (bar->address == 0) {
            format(text, sizeof(text),
                   "has a BAR %u of 0x%lx bytes that the firmware gave no "
                   "address: let the firmware set up all devices (\"PnP OS: no\")",
                   n, bar->size);
            refuse(a, a->owner[index], f->address, text);
        } else {
            check_bar_alone(a, index, n);
        }
    }
}

enum status assign_devices(const struct assign_input *in, int owner[PCI_MAX_FUNCTIONS],
                           void (*report)(const char *text))
{
    struct assignment a = {.in = in, .owner = owner, .report = report};
    for (unsigned i = 0; i < PCI_MAX_FUNCTIONS; i++) {
        owner[i] = BLOB_NOBODY;
    }
    for (unsigned p = 0; p < blob_partition_count(in->config); p++) {
        const struct blob_partition *partition = blob_partition(in->config, p);
        const struct blob_device *devices = blob_devices(in->config, partition);
        for (unsigned d = 0; d < partition->devices.count; d++) {
            claim(&a, p, &devices[d]);
        }
    }
    for (unsigned i = 0; i < in->pci->count; i++) {
        if (owner[i] != BLOB_NOBODY) {
            check_dma(&a, i);
            check_group(&a, i);
            check_bars(&a, i);
        }
    }
    return a.failed ? ERR_DENIED : STATUS_OK;
}
