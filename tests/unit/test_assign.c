// SPDX-License-Identifier: Apache-2.0
// hv/device/assign.c: what may be given away, and what is said about the rest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/device/assign.h"
#include "partitions/config.h"

#define MOST_LINES 16

static struct pci_machine pci;
static struct config_device devices[2][4];
static struct config_partition partitions[2];
static struct config config = {.partitions = partitions};
static int owner[PCI_MAX_FUNCTIONS];
static char lines[MOST_LINES][ASSIGN_TEXT_SIZE];
static unsigned line_count;
static const char *iommu_objection;
static struct blob_header *file;
static const struct pci_function *console;

static const struct assign_kept kept[] = {{0xfec00000, 0x1000, "an IOAPIC", NULL},
                                          {0xe0000000, 0x300000, "the screen", "turn it off"},
                                          {0, 0x40000000, "memory", NULL}};
static const struct io_range kept_ports[] = {{0x1600, 0x16ff, "the chipset's"}};

static void report(const char *text)
{
    assert_true(line_count < MOST_LINES);
    snprintf(lines[line_count++], ASSIGN_TEXT_SIZE, "%s", text);
}

static enum status check(const struct pci_machine *m, const struct pci_function *f, char *error,
                         size_t size)
{
    char place[PCI_TEXT_SIZE];
    (void)m;
    if (iommu_objection == NULL)
        return STATUS_OK;
    snprintf(error, size, "%s: %s", pci_text(f->address, place), iommu_objection);
    return ERR_DENIED;
}

static const struct iommu_ops fake_iommu = {.name = "fake", .check = check};

const char *pci_class_name(uint32_t class_code)
{
    return class_code >> 16 == 6 ? "bridge" : "device";
}

// Device n is 00:0n.0, with a BAR of its own.
static struct pci_function *add(unsigned n, uint32_t class_code)
{
    struct pci_function *f = &pci.function[pci.count];
    *f = (struct pci_function){.address = {n << 3}, .class_code = class_code, .group = pci.count};
    f->bar[0] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xf0000000 + n * 0x10000, 0x4000};
    pci.count++;
    return f;
}

static void give(unsigned partition, unsigned n)
{
    struct config_partition *p = &config.partitions[partition];
    p->devices[p->device_count++].device = (struct blob_device){.devfn = (uint8_t)(n << 3)};
}

static int setup(void **state)
{
    (void)state;
    static const char *const names[] = {"alpha", "beta"};
    memset(&pci, 0, sizeof(pci));
    memset(partitions, 0, sizeof(partitions));
    line_count = 0;
    iommu_objection = NULL;
    console = NULL;
    config.partition_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct config_partition *p = &config.partitions[i];
        p->name = names[i];
        p->memory = MIB(64);
        p->image = "image";
        p->initrd = p->cmdline = "";
        p->cpu_count = 1;
        p->devices = devices[i];
    }
    add(0, 0x060000);
    add(3, 0x010802);
    add(4, 0x020000);
    add(5, 0x0c0330);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(file);
    file = NULL;
    return 0;
}

static enum status assign(const struct iommu_ops *ops)
{
    static struct blob_problems problems;
    struct blob blob;
    size_t size;
    file = config_to_blob(&config, &size);
    assert_int_equal(blob_check(file, size, &blob, &problems), STATUS_OK);
    struct assign_input in = {.config = &blob,
                              .pci = &pci,
                              .iommu = ops,
                              .kept = kept,
                              .kept_count = ARRAY_SIZE(kept),
                              .ports = kept_ports,
                              .port_count = ARRAY_SIZE(kept_ports),
                              .console = console};
    return assign_devices(&in, owner, report);
}

// Exactly one line, with all of these words.
static void refused(const char *a, const char *b, const char *c)
{
    assert_int_equal(assign(&fake_iommu), ERR_DENIED);
    assert_int_equal(line_count, 1);
    assert_non_null(strstr(lines[0], a));
    assert_non_null(strstr(lines[0], b));
    assert_non_null(strstr(lines[0], c));
}

static void given(void **state)
{
    (void)state;
    give(0, 3);
    give(1, 4);
    assert_int_equal(assign(&fake_iommu), STATUS_OK);
    assert_int_equal(line_count, 0);
    assert_int_equal(owner[0], BLOB_NOBODY);
    assert_int_equal(owner[1], 0);
    assert_int_equal(owner[2], 1);
    for (unsigned i = 3; i < PCI_MAX_FUNCTIONS; i++)
        assert_int_equal(owner[i], BLOB_NOBODY);
}

static void absent(void **state)
{
    (void)state;
    give(1, 9);
    refused("\"beta\"", "00:09.0 is not there", "00:03.0, 00:04.0, 00:05.0");
}

static void absent_of_many(void **state)
{
    (void)state;
    for (unsigned n = 10; n < 32; n++)
        add(n, 0x020000);
    give(0, 9);
    refused("00:09.0 is not there", "00:03.0", ", ...");
}

static void bridge(void **state)
{
    (void)state;
    give(0, 0);
    refused("\"alpha\"", "00:00.0 is a bridge", "instead");
}

static void bridge_to_a_bus(void **state)
{
    (void)state;
    add(6, 0x020000)->bridge = true;
    give(0, 6);
    refused("\"alpha\"", "00:06.0 is a device", "belongs to the machine");
}

static void iommu_itself(void **state)
{
    (void)state;
    add(6, 0x080600);
    give(0, 6);
    refused("\"alpha\"", "00:06.0", "belongs to the machine");
}

static void without_iommu(void **state)
{
    (void)state;
    give(0, 3);
    assert_int_equal(assign(NULL), ERR_DENIED);
    assert_int_equal(line_count, 1);
    assert_non_null(strstr(lines[0], "there is no IOMMU"));
}

static void trusted(void **state)
{
    (void)state;
    give(0, 3);
    config.partitions[0].flags = BLOB_TRUST_DMA;
    assert_int_equal(assign(NULL), STATUS_OK);
    assert_int_equal(line_count, 1);
    assert_non_null(strstr(lines[0], "00:03.0 can reach all of the machine's memory"));
    assert_int_equal(owner[1], 0);
}

static void trust_is_not_shared(void **state)
{
    (void)state;
    give(0, 3);
    give(1, 4);
    config.partitions[0].flags = BLOB_TRUST_DMA;
    assert_int_equal(assign(NULL), ERR_DENIED);
    assert_int_equal(line_count, 2);
}

static void iommu_says_no(void **state)
{
    (void)state;
    iommu_objection = "needs memory that the firmware reserves";
    give(0, 3);
    refused("\"alpha\"", "00:03.0", iommu_objection);
    assert_string_equal(
        lines[0], "partition \"alpha\": device 00:03.0: needs memory that the firmware reserves");
}

static void groups(void **state)
{
    (void)state;
    pci.function[1].group = pci.function[3].group;
    pci.function[1].group_why = pci.function[3].group_why = "one device without ACS";
    give(0, 3);
    refused("00:03.0 can't be kept apart from 00:05.0", "without ACS", "all of them");
}

static void group_in_two_partitions(void **state)
{
    (void)state;
    pci.function[1].group = pci.function[3].group;
    give(0, 3);
    give(1, 5);
    assert_int_equal(assign(&fake_iommu), ERR_DENIED);
    assert_int_equal(line_count, 2);
}

static void whole_group(void **state)
{
    (void)state;
    pci.function[0].group = pci.function[1].group = pci.function[3].group; // with a bridge in it
    give(0, 3);
    give(0, 5);
    assert_int_equal(assign(&fake_iommu), STATUS_OK);
}

static void console_itself(void **state)
{
    (void)state;
    give(0, 4);
    give(1, 3);
    console = &pci.function[2];
    refused("alpha", "00:04.0 is the serial port of the hypervisor's console", "console=");
}

static void console_in_a_group(void **state)
{
    (void)state;
    give(0, 3);
    console = &pci.function[2];
    pci.function[1].group = pci.function[2].group = 7;
    pci.function[1].group_why = pci.function[2].group_why = "they share a bus";
    refused("00:03.0 can't be kept apart", "console, 00:04.0 (they share a bus)", "console=");
}

static void bar_without_address(void **state)
{
    (void)state;
    pci.function[1].bar[0].address = 0;
    give(0, 3);
    refused("00:03.0 has a BAR 0", "no address", "firmware");
}

static void bar_over_memory(void **state)
{
    (void)state;
    pci.function[1].bar[0].address = 0x3fffc000;
    give(0, 3);
    refused("00:03.0", "BAR 0 at 0x3fffc000", "memory");
}

static void bar_over_ioapic(void **state)
{
    (void)state;
    pci.function[1].bar[0] = (struct pci_bar){PCI_BAR_MEMORY64, true, 0xfec00800, 0x100};
    give(0, 3);
    refused("00:03.0", "over an IOAPIC", "BAR 0");
}

// What the processor maps are whole pages, so two small BARs on one page go together.
static void bars_on_a_page(void **state)
{
    (void)state;
    pci.function[1].bar[0] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xf8000000, 0x100};
    pci.function[2].bar[2] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xf8000800, 0x100};
    give(0, 3);
    refused("00:03.0", "on a page with BAR 2 of 00:04.0", "one partition");
}

static void bars_on_a_page_together(void **state)
{
    (void)state;
    bars_on_a_page(state);
    setup(NULL);
    teardown(NULL);
    pci.function[1].bar[0] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xf8000000, 0x100};
    pci.function[2].bar[2] = (struct pci_bar){PCI_BAR_MEMORY32, false, 0xf8000800, 0x100};
    give(0, 3);
    give(0, 4);
    assert_int_equal(assign(&fake_iommu), STATUS_OK);
}

static void kept_port(void **state)
{
    (void)state;
    pci.function[1].bar[4] = (struct pci_bar){PCI_BAR_IO, false, 0x16e0, 0x20};
    give(0, 3);
    refused("00:03.0", "BAR 4 at I/O port 0x16e0", "the chipset's");
}

static void port_of_every_pc(void **state)
{
    (void)state;
    pci.function[1].bar[4] = (struct pci_bar){PCI_BAR_IO, false, 0x40, 0x20};
    give(0, 3);
    refused("00:03.0", "I/O port 0x40", "timer");
}

static void free_port(void **state)
{
    (void)state;
    pci.function[1].bar[4] = (struct pci_bar){PCI_BAR_IO, false, 0xc000, 0x20};
    give(0, 3);
    assert_int_equal(assign(&fake_iommu), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(given),
        TEST(absent),
        TEST(absent_of_many),
        TEST(bridge),
        TEST(bridge_to_a_bus),
        TEST(iommu_itself),
        TEST(without_iommu),
        TEST(trusted),
        TEST(trust_is_not_shared),
        TEST(iommu_says_no),
        TEST(groups),
        TEST(group_in_two_partitions),
        TEST(whole_group),
        TEST(console_itself),
        TEST(console_in_a_group),
        TEST(bar_without_address),
        TEST(bar_over_memory),
        TEST(bar_over_ioapic),
        TEST(bars_on_a_page),
        TEST(bars_on_a_page_together),
        TEST(kept_port),
        TEST(port_of_every_pc),
        TEST(free_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
