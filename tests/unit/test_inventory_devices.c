// SPDX-License-Identifier: Apache-2.0
// hv/start/inventory_devices.c: which functions are proposed together, and what is said of the
// others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/iommu/iommu.h"
#include "hv/device/assign.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/start/inventory_devices.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_pci_config.h"

#define NETWORK 0x020000u
#define HOST    0x060000u
#define VGA     0x030000u
#define FIRST   0xe0000000u

struct machine_pci machine_pci;
const struct iommu_ops *iommu;
static struct inventory_device out[PCI_MAX_FUNCTIONS];
static unsigned messages; // of each function
static bool pins_free;
static uint16_t objected; // the IOMMU's check refuses this function; 0: none

static enum status check(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size)
{
    (void)pci;
    if (f->address.v != objected)
        return STATUS_OK;
    strncpy(error, "00:01.0: the firmware uses it", size);
    return ERR_DENIED;
}

static const struct iommu_ops ops = {.name = "fake", .check = check};

enum status passthrough_judge(const struct blob *config, const struct iommu_ops *with,
                              int owner[PCI_MAX_FUNCTIONS], void (*tell)(const char *text))
{
    struct assign_input in = {.config = config, .pci = &machine_pci.pci, .iommu = with};
    return assign_devices(&in, owner, tell);
}

unsigned passthrough_messages(const struct vpci_function *f)
{
    (void)f;
    return messages;
}

// Each function's own input, or as many as a bus has wires.
struct pci_pin passthrough_pin_of(const struct vpci_function *f)
{
    return (struct pci_pin){
        .address = f->host->address.v,
        .device = f->devfn / 8,
        .pin = f->host->interrupt_pin,
        .line = pins_free ? 5 : (uint8_t)(16 + f->devfn / 8),
        .has_input = true,
        .messages = f->msi != 0 || f->msix_vectors > 0,
    };
}

uint32_t machine_console_gsi(void)
{
    return UINT32_MAX;
}

// Device n at 00:nn.0, in a group of its own.
static struct pci_function *add(unsigned n, uint32_t class_code)
{
    struct fake_pci *d = fake_pci_add(0, n, 0, 0x1af4, 0x1000, class_code);
    struct pci_machine *pci = &machine_pci.pci;
    struct pci_function *f = &pci->function[pci->count];
    d->function.bar[0] = (struct pci_bar){PCI_BAR_MEMORY32, false, FIRST + n * 0x10000, 0x4000};
    *f = d->function;
    f->bridge = class_code == HOST;
    f->group = pci->count++;
    return f;
}

static int setup(void **state)
{
    (void)state;
    fake_heap_reset();
    fake_pci_init();
    memset(&machine_pci, 0, sizeof(machine_pci));
    iommu = &ops;
    messages = 4;
    pins_free = true;
    objected = 0;
    return 0;
}

static void judge(void)
{
    assert_int_equal(inventory_devices(out), STATUS_OK);
    assert_int_equal(fake_heap_used(), 0);
}

static void expect(unsigned index, enum inventory_verdict verdict, const char *why)
{
    assert_int_equal(out[index].verdict, verdict);
    if (why != NULL)
        assert_non_null(strstr(out[index].why, why));
    else
        assert_string_equal(out[index].why, "");
}

static void test_plain(void **state)
{
    (void)state;
    add(0, HOST);
    add(1, NETWORK);
    add(2, VGA);
    add(3, NETWORK);
    judge();
    expect(0, INVENTORY_MACHINE, NULL);
    expect(1, INVENTORY_GIVEN, NULL);
    expect(2, INVENTORY_LEFT, "screen");
    expect(3, INVENTORY_GIVEN, NULL);
    iommu = NULL; // the same, for a partition that is trusted
    judge();
    expect(1, INVENTORY_GIVEN, NULL);
}

static void test_refused_by_the_rules(void **state)
{
    (void)state;
    add(1, NETWORK);
    add(2, NETWORK)->bar[0].address = 0;
    add(3, NETWORK);
    objected = 1 << 3;
    judge();
    expect(0, INVENTORY_REFUSED, "the firmware uses it");
    expect(1, INVENTORY_REFUSED, "gave no address");
    assert_null(strstr(out[1].why, "partition"));
    expect(2, INVENTORY_GIVEN, NULL);
}

static void test_groups(void **state)
{
    (void)state;
    add(1, NETWORK);
    add(2, NETWORK)->group = 0;
    add(3, NETWORK)->bar[0].size = GIB(1); // fits nowhere
    add(4, NETWORK)->group = 2;
    judge();
    expect(0, INVENTORY_GIVEN, NULL);
    expect(1, INVENTORY_GIVEN, NULL);
    expect(2, INVENTORY_REFUSED, "512 MiB");
    expect(3, INVENTORY_REFUSED, "512 MiB");
}

static void test_room(void **state)
{
    (void)state;
    add(1, NETWORK)->bar[0] = (struct pci_bar){PCI_BAR_MEMORY64, true, 1ull << 40, MIB(256)};
    add(2, NETWORK)->bar[0] = (struct pci_bar){PCI_BAR_MEMORY64, true, 1ull << 41, MIB(512)};
    add(3, NETWORK)->bar[0] = (struct pci_bar){PCI_BAR_MEMORY64, true, 1ull << 42, MIB(256)};
    judge();
    expect(0, INVENTORY_GIVEN, NULL);
    expect(1, INVENTORY_LEFT, "512 MiB"); // alone it could
    expect(2, INVENTORY_GIVEN, NULL);
}

static void test_seventeen(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 17; n++)
        add(n, NETWORK);
    judge();
    expect(15, INVENTORY_GIVEN, NULL);
    expect(16, INVENTORY_LEFT, "at most 16");
    for (unsigned i = 0; i < 17; i++)
        machine_pci.pci.function[i].group = 0;
    judge();
    expect(0, INVENTORY_REFUSED, "more functions go together");
    expect(16, INVENTORY_REFUSED, "more functions go together");
}

static void test_interrupts(void **state)
{
    (void)state;
    messages = 256;
    for (unsigned n = 1; n <= 3; n++)
        add(n, NETWORK);
    judge();
    expect(1, INVENTORY_GIVEN, NULL);
    expect(2, INVENTORY_LEFT, "too few interrupts");
    messages = 512;
    judge();
    expect(0, INVENTORY_REFUSED, "more interrupts than");
}

static void test_pins(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 6; n++)
        add(n, NETWORK)->interrupt_pin = 2;
    judge();
    for (unsigned i = 0; i < 6; i++)
        expect(i, INVENTORY_GIVEN, NULL); // they share it
    pins_free = false;
    fake_pci_msi(&fake_pci[5], 0x40, 0); // the last has better ones
    judge();
    for (unsigned i = 0; i < 4; i++)
        expect(i, INVENTORY_GIVEN, NULL);
    expect(4, INVENTORY_LEFT, "its INTB can't be used: the partition's bus has four interrupts");
    expect(5, INVENTORY_GIVEN, NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    fake_heap_fail_after(0);
    assert_int_equal(inventory_devices(out), ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_plain, setup),
        cmocka_unit_test_setup(test_refused_by_the_rules, setup),
        cmocka_unit_test_setup(test_groups, setup),
        cmocka_unit_test_setup(test_room, setup),
        cmocka_unit_test_setup(test_seventeen, setup),
        cmocka_unit_test_setup(test_interrupts, setup),
        cmocka_unit_test_setup(test_pins, setup),
        cmocka_unit_test_setup(test_no_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
