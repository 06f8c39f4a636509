// SPDX-License-Identifier: Apache-2.0
// docs/emulation.md: which instructions may access a trapped page.
#include "docs/tables/emulation_gaps.h"
#include "docs/tables/page.h"

void page_emulation(FILE *out)
{
    unsigned count;
    page_begin(
        out, "Instructions that access a device page",
        "The pages of the xAPIC, the IOAPIC, PCI configuration space and MSI-X tables are trapped: "
        "an access to them exits, and the hypervisor executes the instruction in the guest's "
        "stead. This is which ones it can. tests/unit/test_emulate_zydis.c compares both lists "
        "with all instructions that Zydis knows, in 16-, 32- and 64-bit mode.");
    fprintf(out, "\n## Executed\n\n");
    write_text(
        out, 0,
        "In every mode and size, with every address. What the processor computes (products, "
        "quotients, shifts, bit counts) it computes for the guest too, so that all flags are those "
        "of the processor. Accesses of more than 8 bytes go to the device in parts of 8.");
    HEADER(out, "kind", "instructions");
    const struct emulation_executed *executed = emulation_executed(&count);
    for (unsigned i = 0; i < count; i++) {
        ROW(out, executed[i].title, executed[i].names);
    }
    fprintf(out, "\n## Not executed\n\n");
    write_text(out, 0,
               "A guest that tries one of these is stopped: \"an instruction that can't be "
               "emulated\". Names "
               "are those of Zydis: of an instruction, or of a set of them.");
    HEADER(out, "kind", "names", "why not");
    const struct emulation_gap *gaps = emulation_gaps(&count);
    for (unsigned i = 0; i < count; i++) {
        ROW(out, gaps[i].title, gaps[i].names, gaps[i].reason);
    }
}
