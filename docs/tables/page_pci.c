// SPDX-License-Identifier: Apache-2.0
// docs/pci.md: the rows of hv/vpci/rules.c.
#include <string.h>

#include "docs/tables/page.h"
#include "hv/vpci/rules.h"

static const struct {
    enum pci_place place;
    const char *title, *text;
} parts[] = {
    {PCI_PLACE_HEADER, "Header", NULL},
    {PCI_PLACE_PM, "Power management (capability 0x01)", NULL},
    {PCI_PLACE_MSI, "MSI (capability 0x05)", NULL},
    {PCI_PLACE_MSI_32, NULL, NULL},
    {PCI_PLACE_MSI_32_MASK, NULL, NULL},
    {PCI_PLACE_MSI_64, NULL, NULL},
    {PCI_PLACE_MSI_64_MASK, NULL, NULL},
    {PCI_PLACE_VIRTIO, "Vendor-specific, of virtio devices (capability 0x09)",
     "Those of other vendors are hidden."},
    {PCI_PLACE_VIRTIO_NOTIFY, NULL, NULL},
    {PCI_PLACE_VIRTIO_SHARED, NULL, NULL},
    {PCI_PLACE_PCIE, "PCI Express (capability 0x10)",
     "Of endpoints only; version 1 of an integrated one ends before the link's registers."},
    {PCI_PLACE_PCIE_LINK, NULL, NULL},
    {PCI_PLACE_PCIE_2, NULL, NULL},
    {PCI_PLACE_MSIX, "MSI-X (capability 0x11)",
     "Shown if table and pending bits lie in a memory BAR of the device."},
};

static uint32_t all_bits(const struct pci_rule *r)
{
    return r->size == 4 ? UINT32_MAX : (1u << 8 * r->size) - 1;
}

// "the device's", "the device's 0x2f", and more than one of them.
static void add_bits(char *text, size_t size, const struct pci_rule *r, const char *what,
                     uint32_t bits)
{
    size_t at = strlen(text);
    if (bits == 0) {
        return;
    }
    const char *comma = at != 0 ? "; " : "";
    if (bits == all_bits(r)) {
        snprintf(text + at, size - at, "%s%s", comma, what);
    } else {
        snprintf(text + at, size - at, "%s%s 0x%x", comma, what, bits);
    }
}

static const char *read_text(const struct pci_rule *r)
{
    char text[256] = "";
    if (r->kind == PCI_RULE_BAR) {
        return "virtual";
    }
    add_bits(text, sizeof(text), r, "the device's", r->device);
    add_bits(text, sizeof(text), r, "the device's at boot", r->copied);
    add_bits(text, sizeof(text), r, "virtual", r->own & ~r->copied);
    return text[0] != '\0' ? cell("%s", text) : "0";
}

static const char *write_text_of(const struct pci_rule *r)
{
    static const char *const more[] = {
        [PCI_RULE_PLAIN] = "",
        [PCI_RULE_COMMAND] = "; SERR is kept off",
        [PCI_RULE_BAR] = "virtual, from the size up",
        [PCI_RULE_POWER] = "; PME is kept off",
        [PCI_RULE_MSI] = "",
        [PCI_RULE_MSIX] = "",
        [PCI_RULE_DEVICE_CONTROL] = "; no-snoop is kept off; 0x8000 resets the function",
    };
    char text[256] = "";
    add_bits(text, sizeof(text), r, "virtual", r->writable);
    add_bits(text, sizeof(text), r, "passes", r->passed);
    add_bits(text, sizeof(text), r, "a one clears", r->cleared);
    strncat(text, more[r->kind], sizeof(text) - strlen(text) - 1);
    return text[0] != '\0' ? cell("%s", text) : "ignored";
}

static void write_rows(FILE *out, enum pci_place place)
{
    unsigned count;
    const struct pci_rule *r = pci_rules(&count);
    for (unsigned i = 1; i < count; i++) {
        if (r[i].place == place) {
            ROW(out, cell("%s0x%02x", place == PCI_PLACE_HEADER ? "" : "+", r[i].offset),
                cell("%u", r[i].size), r[i].name, read_text(&r[i]), write_text_of(&r[i]), r[i].why);
        }
    }
}

static void write_bridge(FILE *out)
{
    unsigned count;
    const struct pci_bridge_rule *r = pci_bridge_rules(&count);
    HEADER(out, "offset", "name", "reads", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("0x%02x", r[i].offset), r[i].name, cell("0x%08x", r[i].value), r[i].why);
    }
    ROW(out, "all others", "", "0", "writes are ignored everywhere");
}

void page_pci(FILE *out)
{
    page_begin(out, "PCI configuration space",
               "What a guest finds in the configuration space of a PCI function that its partition "
               "owns, through the ports 0xcf8 and 0xcfc or memory-mapped. Bits of a register that "
               "no cell names read 0 and take no writes. Virtual bits are the partition's own; "
               "what they bring about, the hypervisor does after its checks. Functions that the "
               "partition does not own, and all buses but 0, read as ones. A partition without "
               "devices has an empty bus.");
    fprintf(out, "\nRegisters of a capability are given from its start. Capabilities that are not "
                 "here are hidden: the\nlist skips them, their registers read 0. So does extended "
                 "configuration space, from 0x100 on.\n");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].title != NULL) {
            fprintf(out, "\n## %s\n", parts[i].title);
            if (parts[i].text != NULL) {
                fprintf(out, "\n%s\n", parts[i].text);
            }
            HEADER(out, "offset", "bytes", "name", "read", "write", "why it is safe");
        }
        write_rows(out, parts[i].place);
    }
    fprintf(out, "\n## The host bridge at 00:00.0\n");
    write_bridge(out);
}
