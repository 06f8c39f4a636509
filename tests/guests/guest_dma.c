// SPDX-License-Identifier: Apache-2.0
// dma.elf: a guest that owns PCI devices, QEMU's `edu`, one or more, and perhaps `nvme`.
// `mode=NAME,NAME`: `check` uses them as a driver does; the others attack through them, all after
// one another as `attack`, or make a restart come at a bad time. `seed=` and `count=` as their
// files say. `bare=yes` where no hypervisor guards the machine: what would only crash it is left
// out.

#include "tests/guests/dma/dma.h"

enum {
    LIST_SIZE = 128,
};

struct dma_guest guest;

static const struct mode modes[] = {
    {"check", check_mode, false},    // registers, BAR, DMA, MSI, INTx
    {"memory", memory_attack, true}, // DMA to what isn't its own
    {"forge", forge_attack, true},   // interrupts forged by DMA
    {"msi", message_attack, true},   // MSI to any vector, mode and CPU
    {"bar", bar_attack, true},       // BARs over other things
    {"config", config_attack, true}, // random configuration writes
    {"reset", reset_attack, true},   // resets of buses and functions
    {"sweep", sweep_attack, false},  // DMA by an NVMe controller, which is fast
    {"msix", msix_attack, false},    // an MSI-X table, NVMe's, rewritten by two CPUs
    {"reboot", restart_mode, false}, // restarts with transfers under way
};

uint64_t random_number(void)
{
    return random_next(&guest.random);
}

uint64_t random_less(uint64_t limit)
{
    return random_number() % limit;
}

const char *where_text(pci_where_t where)
{
    static char text[] = "00:00.0";
    const char *digits = "0123456789abcdef";
    text[0] = digits[where >> 12 & 15];
    text[1] = digits[where >> 8 & 15];
    text[3] = digits[where >> 7 & 1];
    text[4] = digits[where >> 3 & 15];
    text[6] = digits[where & 7];
    return text;
}

void save_config(pci_where_t where, struct saved_config *to)
{
    for (unsigned i = 0; i < 64; i++)
        to->word[i] = pci_read(where, 4 * i, 4);
}

void restore_config(pci_where_t where, const struct saved_config *from)
{
    pci_write(where, PCI_COMMAND, 2, 0);
    for (unsigned i = PCI_BAR0 / 4; i < 64; i++)
        pci_write(where, 4 * i, 4, from->word[i]);
    pci_write(where, PCI_CACHE_LINE, 4, from->word[PCI_CACHE_LINE / 4]);
    pci_write(where, PCI_COMMAND, 2, from->word[PCI_COMMAND / 4] & 0xffff);
}

// The length of the word at the front of a list with commas.
static size_t word_length(const char *p)
{
    size_t n = 0;
    while (p[n] && p[n] != ',')
        n++;
    return n;
}

static bool is(const char *p, const char *name)
{
    size_t n = word_length(p);
    return memcmp(p, name, n) == 0 && !name[n];
}

static void run_mode(const struct mode *m)
{
    uint64_t start = rdtsc();
    // Each mode's choices are its own, whatever ran before it.
    guest.random = option_number("seed", 1) * 31 + (uint8_t)m->name[0];
    print("%s begins\n", m->name);
    m->run();
    print("%s is done, %lu ms\n", m->name, (rdtsc() - start) / tsc_khz());
}

static bool run_word(const char *word)
{
    bool found = false;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (!is(word, modes[i].name) && !(is(word, "attack") && modes[i].attack))
            continue;
        found = true;
        run_mode(&modes[i]);
    }
    return found;
}

void run_guest(void)
{
    char list[LIST_SIZE] = "check";
    option("mode", list, sizeof(list));
    guest.bare = option_is("bare", "yes");
    guest.random = option_number("seed", 1);
    interrupts_begin();
    if (option_is("mode", "reboot"))
        check_after_start();
    guest.edus = edu_open(guest.edu, (unsigned)option_number("devices", EDU_MAX));
    print("hello from dma: %u cpus, %u devices, ECAM %s\n", guest.cpus, guest.edus,
          pci_ecam(0, 0) ? "there" : "absent");
    if (!guest.edus) {
        print("FAIL no device %x:%x\n", EDU_VENDOR, EDU_DEVICE);
        return;
    }
    for (const char *p = list; *p;) {
        if (!run_word(p))
            print("FAIL no mode %s\n", p);
        p += word_length(p);
        p += *p == ',';
    }
    print("dma is done\n");
}
