// SPDX-License-Identifier: Apache-2.0
// The inventory's configuration file, in the language of docs/configuration.md. Each line must stay
// below CONSOLE_PRINT_SIZE.
#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "drivers/iommu/iommu.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/memory/guest_layout.h"
#include "hv/start/inventory.h"

#define CPUS_SIZE (MAX_CPUS * 4) // each takes "63, "

static const char *const names[INVENTORY_PARTITIONS] = {"alpha", "beta"};

static const char *list_cpus(const struct inventory_plan *plan, unsigned p, char text[CPUS_SIZE])
{
    size_t used = 0;
    for (unsigned i = 0; i < plan->cpu_count[p]; i++) {
        used += format(text + used, CPUS_SIZE - used, "%s%u", i > 0 ? ", " : "", plan->cpus[p][i]);
    }
    return text;
}

// ---- devices -------------------------------------------------------------------------------

static unsigned count_devices(const struct inventory *v, enum inventory_verdict verdict)
{
    unsigned count = 0;
    for (unsigned i = 0; i < machine_pci.pci.count; i++) {
        count += v->device[i].verdict == verdict ? 1 : 0;
    }
    return count;
}

// Prints the proposed devices, separated by commas; then the others, as comments. `off` turns a
// whole line into a comment, or is "".
static void print_devices(const struct inventory *v, const char *off)
{
    const struct pci_machine *pci = &machine_pci.pci;
    unsigned left = count_devices(v, INVENTORY_GIVEN);
    char place[PCI_TEXT_SIZE], list[INVENTORY_LIST_SIZE];
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *f = &pci->function[i];
        if (v->device[i].verdict == INVENTORY_GIVEN) {
            left--;
            inventory_list_group(pci, i, list);
            print("    %s  { pci = \"%s\"; }%s // %s%s%s\n", off, pci_text(f->address, place),
                  left > 0 ? "," : " ", pci_class_name(f->class_code),
                  list[0] != '\0' ? ", goes together with " : "", list);
        }
    }
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *f = &pci->function[i];
        if (v->device[i].verdict == INVENTORY_LEFT) {
            print("    //  { pci = \"%s\"; }  %s, left out: %s\n", pci_text(f->address, place),
                  pci_class_name(f->class_code), v->device[i].why);
        }
    }
}

static void print_owner(const struct inventory *v)
{
    unsigned given = count_devices(v, INVENTORY_GIVEN);
    if (given + count_devices(v, INVENTORY_LEFT) == 0) {
        print("    // devices = ( { pci = \"00:03.0\"; } ); // PCI functions of its own: this "
              "machine has none to give\n");
        return;
    }
    const char *off = iommu != NULL && given > 0 ? "" : "// ";
    print("    // PCI functions of its own, which it drives with its own drivers.\n");
    print("    %sdevices = (\n", off);
    print_devices(v, off);
    print("    %s);\n", off);
    if (iommu != NULL) {
        print("    // on_dma_fault = \"stop\";   // what the IOMMU refuses stops it; \"log\": is "
              "only reported\n");
        return;
    }
    print(
        "    // Without an IOMMU they reach all of the machine's memory, so the partition must be "
        "trusted with\n"
        "    // everything. Its memory is one piece below 3 GiB then: without boot modules %lu MiB "
        "at most.\n",
        guest_ram_direct_most(&machine.memory) >> 20);
    print("    // trust_dma = true;\n");
}

// ---- the configuration ---------------------------------------------------------------------

static void print_partition(const struct inventory *v, unsigned p)
{
    const struct inventory_plan *plan = &v->plan;
    char cpus[CPUS_SIZE];
    bool first = p == 0; // explains lines that the others have too
    print("  { name = \"%s\";%s\n", names[p],
          first ? " // stands before each line of its console" : "");
    char any[48] = "";
    if (first) {
        format(any, sizeof(any), " // these; or any, by a count: cpus = %u;", plan->cpu_count[p]);
    }
    print("    cpus = [%s];%s\n", list_cpus(plan, p, cpus), any);
    print("    memory = \"%luM\";\n", plan->memory >> 20);
    print("    image = \"vmlinuz\";%s\n"
          "    initrd = \"initrd.gz\";%s\n"
          "    cmdline = \"console=ttyS0\";%s\n",
          first ? " // boot modules by their names: the kernel," : "",
          first ? " // and its initial RAM disk" : "",
          first ? " // ttyS0 is a serial port of its own, which shows here" : "");
    if (first) {
        print("    // modules = ( \"data.img\" ); // of a Multiboot kernel, instead of initrd\n"
              "    // ioports = ( \"0x2f8-0x2ff\" ); // ports of the machine, used directly\n");
        if (machine.framebuffer.size != 0) {
            print(
                "    // framebuffer = true; // the screen, which the hypervisor then stays off\n");
        }
        print_owner(v);
    }
    print("  }%s\n", p + 1 < plan->partition_count ? "," : "");
}

void inventory_print_config(const struct inventory *v)
{
    print("---- configuration: copy from here ----\n");
    console_set_bare(true);
    print("// What this machine has, cut into partitions: edit it down. docs/configuration.md "
          "describes every key.\n"
          "// build/bulkhead-config build FILE -o BLOB compiles it; have the loader load BLOB and "
          "the files that\n"
          "// are named here. Of %lu MiB that are free, what is left is for these files.\n",
          page_alloc_total(&machine.memory) >> 20);
    print("partitions = (\n");
    for (unsigned p = 0; p < v->plan.partition_count; p++) {
        print_partition(v, p);
    }
    print(");\n");
    console_set_bare(false);
    print("---- configuration: copy to here ----\n");
}
