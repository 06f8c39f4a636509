// SPDX-License-Identifier: Apache-2.0
// Prints the inventory: the machine as lines of text. Everything was discovered before; decisions
// are made in hv/start/inventory_plan.c and hv/start/inventory_devices.c.
#include "hv/start/inventory.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/cpuid.h"
#include "arch/interrupt/apic.h"
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "drivers/iommu/iommu.h"
#include "hv/device/assign.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/start/virt_choice.h"

#define LEAF_BRAND      0x80000002u // and the two leaves after it
#define LEAF_BRAND_LAST 0x80000004u
#define BRAND_SIZE      48

// Fields of CPUID 1 EAX (SDM vol. 2, CPUID, figure 3-6).
#define STEPPING(eax)     ((eax)&0xfu)
#define FAMILY_BASE(eax)  ((eax) >> 8 & 0xfu)
#define FAMILY_MORE(eax)  (FAMILY_BASE(eax) == 0xf ? (eax) >> 20 & 0xffu : 0)
#define FAMILY(eax)       (FAMILY_BASE(eax) + FAMILY_MORE(eax))
#define MODEL(eax)        (((eax) >> 4 & 0xfu) | ((eax) >> 12 & 0xf0u))
#define INTEL(ebx)        ((ebx) == CPUID_INTEL_EBX)
#define AMD_OR_HYGON(ebx) ((ebx) == CPUID_AMD_EBX || (ebx) == CPUID_HYGON_EBX)

#define SIZE_TEXT 24

// "16 KiB": an exact size, in the largest possible unit.
static const char *size_text(uint64_t size, char text[SIZE_TEXT])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    while (unit + 1 < ARRAY_SIZE(units) && size != 0 && size % 1024 == 0) {
        size /= 1024;
        unit++;
    }
    format(text, SIZE_TEXT, "%lu %s", size, units[unit]);
    return text;
}

// ---- CPUs ----------------------------------------------------------------------------------

static void read_leaf(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    cpuid(leaf, subleaf, out);
}

static void print_model(void)
{
    uint32_t leaf[4], vendor[4];
    char text[BRAND_SIZE + 1] = "";
    cpuid(0, 0, vendor);
    cpuid(0x80000000, 0, leaf);
    for (uint32_t n = LEAF_BRAND; n <= LEAF_BRAND_LAST && leaf[0] >= LEAF_BRAND_LAST; n++) {
        uint32_t part[4];
        cpuid(n, 0, part);
        memcpy(text + (n - LEAF_BRAND) * sizeof(part), part, sizeof(part));
    }
    const char *name = text;
    while (*name == ' ') {
        name++;
    }
    cpuid(1, 0, leaf);
    print("CPUs: %u of %.4s%.4s%.4s, family 0x%x, model 0x%x, stepping %u, \"%s\"\n",
          machine.acpi.cpu_count, (const char *)&vendor[1], (const char *)&vendor[3],
          (const char *)&vendor[2], FAMILY(leaf[0]), MODEL(leaf[0]), STEPPING(leaf[0]), name);
    if (machine.acpi.cpus_ignored > 0) {
        print("  %u more are left out\n", machine.acpi.cpus_ignored);
    }
    if (machine.acpi.cpus_disabled > 0) {
        print("  %u more entries of ACPI's MADT are disabled\n", machine.acpi.cpus_disabled);
    }
}

static void print_cpus(struct inventory *v)
{
    struct topology topology = topology_find(read_leaf);
    print_model();
    for (unsigned i = 0; i < machine.acpi.cpu_count; i++) {
        uint32_t id = machine.acpi.cpus[i].apic_id;
        v->place[i] = topology_of(topology, id);
        print("  CPU %u: APIC ID %u, package %u, core %u, thread %u\n", i, id, v->place[i].package,
              v->place[i].core, v->place[i].thread);
    }
    if (apic_is_x2apic()) {
        print("  x2APIC: yes\n");
    } else {
        print("  x2APIC: no, so guests' timers and interrupts need exits: if the processor has it, "
              "turn on \"x2APIC\" (\"Local APIC Mode\") in the firmware's setup\n");
    }
}

static const char *virtualization_option(void)
{
    uint32_t leaf[4];
    cpuid(0, 0, leaf);
    return INTEL(leaf[1])          ? "\"Intel Virtualization Technology (VT-x)\""
           : AMD_OR_HYGON(leaf[1]) ? "\"SVM Mode\""
                                   : "virtualization";
}

// Prints the virtualization features. True if the machine has what guests need.
static bool print_virtualization(void)
{
    char text[VIRT_TEXT_SIZE];
    const struct virt_ops *found = virt_choose(text);
    if (found != NULL) {
        found->describe(text, sizeof(text));
        print("  virtualization: %s; %s\n", found->name, text);
        return true;
    }
    if (text[0] != '\0') {
        print("  virtualization: missing: %s\n", text);
        return false;
    }
    print("  virtualization: missing, neither VT-x nor AMD-V: turn on %s in the firmware's setup, "
          "or use a processor that has it\n",
          virtualization_option());
    return false;
}

// ---- memory --------------------------------------------------------------------------------

static void print_memory(void)
{
    static const char *const kinds[] = {[BOOT_MEMORY_USABLE] = "usable",
                                        [BOOT_MEMORY_RESERVED] = "reserved by the firmware",
                                        [BOOT_MEMORY_ACPI] = "ACPI tables"};
    print("memory: %lu MiB usable, %lu MiB of it free for partitions and boot modules\n",
          machine_usable_memory() >> 20, page_alloc_total(&machine.memory) >> 20);
    for (unsigned i = 0; i < machine.boot.memory_count; i++) {
        const struct boot_memory *m = &machine.boot.memory[i];
        char size[SIZE_TEXT];
        print("  0x%lx-0x%lx: %s, %s\n", m->base, m->base + (m->size - 1), size_text(m->size, size),
              m->kind < ARRAY_SIZE(kinds) && kinds[m->kind] != NULL ? kinds[m->kind] : "reserved");
    }
}

// ---- IOMMUs --------------------------------------------------------------------------------

static void print_line(const char *text)
{
    print("  %s\n", text);
}

static void print_iommus(bool known)
{
    if (iommu != NULL) {
        print("IOMMUs: %s\n", iommu->name);
        iommu->describe(print_line);
    } else if (!known) {
        print("IOMMUs: there are some, but they can't be used (see above)\n");
    } else {
        print("IOMMUs: missing, so a device that masters the bus reaches all memory: turn on "
              "\"VT-d\" (Intel) or \"IOMMU\", also called \"AMD-Vi\" (AMD), in the firmware's "
              "setup\n");
    }
}

// ---- PCI -----------------------------------------------------------------------------------

const char *inventory_list_group(const struct pci_machine *pci, unsigned member,
                                 char list[INVENTORY_LIST_SIZE])
{
    size_t used = 0;
    list[0] = '\0';
    for (unsigned i = 0; i < pci->count; i++) {
        char place[PCI_TEXT_SIZE];
        const struct pci_function *f = &pci->function[i];
        if (i == member || f->group != pci->function[member].group || !assign_possible(f)) {
            continue;
        }
        if (used + PCI_TEXT_SIZE + sizeof(", ...") > INVENTORY_LIST_SIZE) {
            format(list + used, INVENTORY_LIST_SIZE - used, ", ...");
            break;
        }
        used += format(list + used, INVENTORY_LIST_SIZE - used, "%s%s", used == 0 ? "" : ", ",
                       pci_text(f->address, place));
    }
    return list;
}

static void print_interrupts(const struct pci_function *f, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    if (f->interrupt_pin != 0) {
        used += format(text + used, size - used, ", INT%c (line %u)", 'A' + f->interrupt_pin - 1,
                       f->interrupt_line);
    }
    if (f->msi != 0) {
        uint32_t control = pci_config_read(f->address, f->msi + PCI_MSI_CONTROL, 2);
        used += format(text + used, size - used, ", MSI (%u)",
                       1u << (control >> PCI_MSI_CAPABLE_SHIFT & 7));
    }
    if (f->msix != 0) {
        uint32_t control = pci_config_read(f->address, f->msix + PCI_MSIX_CONTROL, 2);
        format(text + used, size - used, ", MSI-X (%u)", (control & PCI_MSIX_SIZE_MASK) + 1);
    }
}

static void print_bars(const struct pci_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bar[i];
        char size[SIZE_TEXT];
        if (bar->kind == PCI_BAR_IO) {
            print("    BAR %u: ports 0x%lx-0x%lx\n", i, bar->address,
                  bar->address + (bar->size - 1));
        } else if (pci_bar_is_memory(bar->kind)) {
            bool is_64 = bar->kind == PCI_BAR_MEMORY64;
            print("    BAR %u: memory 0x%lx, %s, %u bits%s%s\n", i, bar->address,
                  size_text(bar->size, size), is_64 ? 64 : 32,
                  bar->prefetchable ? ", prefetchable" : "",
                  bar->address != 0 ? ""
                  : is_64 ? ": no address: turn on \"Above 4G Decoding\" in the firmware's setup"
                          : ": no address: let the firmware set up all devices (\"PnP OS: no\")");
        }
    }
}

static void print_function(const struct inventory *v, unsigned index)
{
    const struct pci_machine *pci = &machine_pci.pci;
    const struct pci_function *f = &pci->function[index];
    const struct inventory_device *d = &v->device[index];
    char place[PCI_TEXT_SIZE], interrupts[64], list[INVENTORY_LIST_SIZE];
    print_interrupts(f, interrupts, sizeof(interrupts));
    print("  %s: %04x:%04x %s%s, reset: %s\n", pci_text(f->address, place), f->vendor, f->device,
          pci_class_name(f->class_code), interrupts, pci_reset_name(pci, f));
    print_bars(f);
    if (d->verdict == INVENTORY_MACHINE) {
        print("    the machine's own\n");
        return;
    }
    if (inventory_list_group(pci, index, list)[0] != '\0') {
        print("    goes together with %s: %s\n", list,
              f->group_why != NULL ? f->group_why : "one group");
    }
    if (d->verdict == INVENTORY_REFUSED) {
        print("    can't be a partition's: %s\n", d->why);
    } else if (iommu == NULL) {
        print("    can be a partition's that is trusted (trust_dma), for want of an IOMMU\n");
    } else {
        print("    can be a partition's\n");
    }
}

static void print_pci(const struct inventory *v)
{
    const struct pci_machine *pci = &machine_pci.pci;
    print("PCI: %u functions\n", pci->count);
    for (unsigned i = 0; i < pci->count; i++) {
        print_function(v, i);
    }
}

// ---- the inventory -------------------------------------------------------------------------

static void show(struct inventory *v, bool devices_known)
{
    print("no configuration among the %u modules: this is what the machine has\n",
          machine.boot.module_count);
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        print("  module \"%s\": %lu KiB\n", machine.boot.modules[i].name,
              machine.boot.modules[i].size >> 10);
    }
    print_cpus(v);
    bool can = print_virtualization() && devices_known;
    print_memory();
    print_iommus(devices_known);
    if (inventory_devices(v->device) != STATUS_OK) {
        print("no memory to judge the devices\n");
        can = false;
    }
    print_pci(v);
    if (inventory_plan(v->place, machine.acpi.cpu_count, &machine.memory, &v->plan) != STATUS_OK) {
        print("there is too little memory for a partition\n");
        can = false;
    }
    if (can) {
        inventory_print_config(v);
    } else {
        print("no configuration is proposed: this machine can't run one before what is missing is "
              "put right\n");
    }
}

void inventory_show(bool devices_known)
{
    struct inventory *v = heap_borrow(sizeof(*v));
    if (v == NULL) {
        print("no configuration, and no memory for an inventory\n");
        return;
    }
    memset(v, 0, sizeof(*v));
    show(v, devices_known);
    heap_return(v, sizeof(*v));
}
