// SPDX-License-Identifier: Apache-2.0
// hv/device/passthrough.c and hv/device/faults.c: what a partition with a device is given, its
// pins, the order of start and stop, and what becomes of refused DMA.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/ioapic/ioapic.h"
#include "hv/device/passthrough.h"
#include "hv/machine/guest_platform.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_print.h"
#include "tests/unit/passthrough_fixture.h"

static void finding_and_assigning(void **state)
{
    (void)state;
    fix_machine(false, PCI_MSI_64);
    assert_int_equal(passthrough_discover(), STATUS_OK);
    assert_null(iommu); // neither back end found its tables
    unsigned used = fake_heap_used();
    assert_int_equal(passthrough_assign(), STATUS_OK);
    assert_true(fake_printed("assigned\n"));
    assert_int_equal(fake_heap_used(), used); // what was taken for it is back
    assert_true(passthrough_heap_size() > 0);
    passthrough_scan();
    assert_int_equal(machine_pci.pci.count, 0);
}

static void iommu_is_found(void **state)
{
    (void)state;
    fix_machine(false, PCI_MSI_64);
    fix.probe_status = STATUS_OK;
    assert_int_equal(passthrough_discover(), STATUS_OK);
    assert_ptr_equal(iommu, &vtd_ops);
    assert_int_equal(passthrough_assign(), STATUS_OK);
}

// Each is said, and nothing goes on.
static void what_fails_before_the_partitions(void **state)
{
    (void)state;
    fix_machine(false, PCI_MSI_64);
    fix.map_status = ERR_NO_MEMORY;
    assert_int_equal(passthrough_discover(), ERR_NO_MEMORY);
    assert_true(fake_printed("no memory to map the configuration space of PCI"));
    fix_machine(false, PCI_MSI_64);
    fix.probe_status = ERR_UNSUPPORTED;
    assert_int_equal(passthrough_discover(), ERR_UNSUPPORTED);
    assert_true(fake_printed("VT-d: its probe"));
    assert_null(iommu);
    fix_machine(true, PCI_MSI_64);
    fix.enable_status = ERR_DENIED;
    assert_int_equal(passthrough_assign(), ERR_DENIED);
    assert_true(fake_printed("VT-d: its enabling"));
    fix_machine(true, PCI_MSI_64);
    fake_heap_fail_after(0);
    assert_int_equal(passthrough_assign(), ERR_NO_MEMORY);
    assert_true(fake_printed("no memory to give devices away"));
}

static void assert_kept(unsigned index, uint64_t base, uint64_t size, const char *remedy)
{
    assert_true(index < fix.kept_count);
    assert_int_equal(fix.kept[index].base, base);
    assert_int_equal(fix.kept[index].size, size);
    if (remedy == NULL) {
        assert_null(fix.kept[index].remedy);
    } else {
        assert_non_null(strstr(fix.kept[index].remedy, remedy));
    }
}

// What no device's registers may lie over: APICs, memory, and what the console has.
static void what_is_kept(void **state)
{
    (void)state;
    fix_machine(false, PCI_MSI_64);
    machine.acpi.lapic_address = 0xfee00000;
    machine.boot.memory_count = 2;
    machine.boot.memory[0] = (struct boot_memory){0xf0000, 0x10000, BOOT_MEMORY_RESERVED};
    machine.boot.memory[1] = (struct boot_memory){MIB(1), MIB(63), BOOT_MEMORY_USABLE};
    machine.screen = (struct page_range){0xe0000000, MIB(3)};
    machine.serial = (struct acpi_serial){
        .found = true, .memory = true, .shift = 2, .width = 4, .address = 0xfedc8ff0};
    machine.serial_function = &machine_pci.pci.function[0];
    assert_int_equal(passthrough_assign(), STATUS_OK);
    assert_int_equal(fix.kept_count, 5);
    assert_kept(0, 0xfee00000, PAGE_SIZE, NULL);
    assert_kept(1, 0xfec00000, PAGE_SIZE, NULL);
    assert_kept(2, MIB(1), MIB(63), NULL);
    assert_kept(3, 0xe0000000, MIB(3), "framebuffer=off");
    assert_kept(4, 0xfedc8000, 2 * PAGE_SIZE, "console="); // to 0xfedc900f
}

static void partition_without_devices(void **state)
{
    (void)state;
    fix_machine(true, PCI_MSI_64);
    struct partition *p = &fix.partition;
    fix.config.devices.count = 0;
    assert_int_equal(passthrough_create(p), STATUS_OK);
    assert_null(p->passthrough);
    passthrough_start(p);
    passthrough_stop(p);
    passthrough_print(p);
    assert_int_equal(passthrough_fault_count(p), 0);
    assert_int_equal(fix.resets + fix.attached + fix.detached, 0);
    assert_int_equal(fake_print_count(), 0);
}

static void creating(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64 | 3 << PCI_MSI_CAPABLE_SHIFT);
    struct pt_leaf leaf;
    struct page_table *dma = &fix.partition.passthrough->domain.tables;
    // DMA reaches the partition's memory, and only that.
    assert_true(pt_lookup(dma, 0x3ff000, &leaf));
    assert_int_equal(leaf.pa.v, 0x403ff000);
    assert_false(pt_lookup(dma, 0x400000, &leaf));
    assert_false(pt_lookup(dma, GUEST_LAPIC_ADDRESS, &leaf));
    assert_false(pt_lookup(dma, GUEST_PCI_WINDOW, &leaf));
    // The most of MSI's 8 and MSI-X's 5, a power of two.
    assert_int_equal(fix.d->irq_count, 8);
    assert_int_equal(fix.d->msix.count, FIX_VECTORS);
    assert_int_equal(fix.d->msix_first, FIX_TABLE);
    passthrough_print(&fix.partition);
    assert_true(
        fake_printed("partition alpha: device 00:03.0 (Ethernet controller, 8086:10d3) as its "
                     "00:03.0, 5 MSI-X vectors, MSI, INTx\n"));
}

// Whatever is short of memory: a status and a line, no half-made device.
static void creating_without_memory(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (long after = 0; after < 64; after++) {
        fix_machine(true, PCI_MSI_64);
        fake_heap_fail_after(after);
        enum status s = passthrough_create(&fix.partition);
        if (s == STATUS_OK) {
            break;
        }
        assert_int_equal(s, ERR_NO_MEMORY);
        failed++;
    }
    assert_in_range(failed, 3, 20);
    fix_machine(true, PCI_MSI_64);
    machine_pci.pci.function[0].bar[0].size = MIB(1024);
    assert_int_equal(passthrough_create(&fix.partition), ERR_RANGE);
    assert_true(fake_printed("their BARs are too large together"));
}

// ---- pins -----------------------------------------------------------------------------------

static enum status create_with_line(unsigned line, bool messages)
{
    fix_machine(true, PCI_MSI_64);
    struct pci_function *f = &machine_pci.pci.function[0];
    f->interrupt_line = (uint8_t)line;
    if (!messages) {
        fake_pci_set(fix.device, PCI_CAPABILITIES, 1, 0xe0); // PCI Express only, and behind it
        fake_pci_set(fix.device, 0xe1, 1, 0);
        f->msi = 0;
        f->msix = 0;
    }
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    return passthrough_wire_pins();
}

static void pin_is_granted(void **state)
{
    (void)state;
    assert_int_equal(create_with_line(FIX_PIN, false), STATUS_OK);
    assert_true(fix.partition.passthrough->device[0].virt->intx);
    assert_int_equal(fix.partition.passthrough->pin[3].gsi, FIX_PIN);
    assert_int_equal(fix.partition.passthrough->pins, 1u << 3);
}

// A pin that can't be: fatal only for a device that has nothing else.
static void pin_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned line;
        const char *why;
    } bad[] = {{0, "connected it to no interrupt"},
               {0xff, "connected it to no interrupt"},
               {24, "connected it to no interrupt"},
               {4, "with the serial port"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(create_with_line(bad[i].line, true), STATUS_OK);
        assert_false(fix.partition.passthrough->device[0].virt->intx);
        assert_int_equal(fix.partition.passthrough->pins, 0);
        assert_int_equal(create_with_line(bad[i].line, false), ERR_DENIED);
        assert_true(fake_printed("partition \"alpha\": device 00:03.0 has neither MSI nor MSI-X"));
        assert_true(fake_printed(bad[i].why));
    }
}

static void pin_without_ioapic(void **state)
{
    (void)state;
    fix_machine(true, PCI_MSI_64);
    machine.acpi.ioapics[0].gsi_base = FIX_PIN + 1;
    fake_pci_set(fix.device, PCI_CAPABILITIES, 1, 0xe0);
    fake_pci_set(fix.device, 0xe1, 1, 0);
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    assert_int_equal(passthrough_wire_pins(), ERR_DENIED);
    assert_true(fake_printed("no IOAPIC has its interrupt"));
    assert_int_equal(fix.partition.passthrough->pins, 0);
}

static void pin_of_another_partition(void **state)
{
    (void)state;
    static struct passthrough others;
    static struct vpci_function virt = {.devfn = 0x40};
    static struct pci_function nic = {
        .address = {0x40}, .interrupt_pin = 1, .interrupt_line = FIX_PIN};
    static struct partition other = {.name = "beta", .passthrough = &others};
    virt.host = &nic;
    others = (struct passthrough){.count = 1, .device = {{.pci = &nic, .virt = &virt}}};
    // Whoever has messages goes without, the other gets it.
    fix_machine(true, PCI_MSI_64);
    partitions[1] = &other;
    partition_count = 2;
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    assert_int_equal(passthrough_wire_pins(), STATUS_OK);
    assert_int_equal(fix.partition.passthrough->pins, 0);
    assert_int_equal(others.pins, 1u << 0);
    // Both need it.
    fix_machine(true, PCI_MSI_64);
    partitions[1] = &other;
    partition_count = 2;
    fake_pci_set(fix.device, PCI_CAPABILITIES, 1, 0xe0);
    fake_pci_set(fix.device, 0xe1, 1, 0);
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    assert_int_equal(passthrough_wire_pins(), ERR_DENIED);
    assert_true(fake_printed("partition \"beta\": device 00:08.0 has neither MSI nor MSI-X"));
    assert_true(fake_printed("shares its interrupt 7 with device 00:03.0 of partition \"alpha\""));
}

static void pins_without_memory(void **state)
{
    (void)state;
    fix_machine(true, PCI_MSI_64);
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    fake_heap_fail_after(0);
    assert_int_equal(passthrough_wire_pins(), ERR_NO_MEMORY);
    assert_true(fake_printed("no memory to give devices their interrupts"));
}

// ---- start and stop -------------------------------------------------------------------------

static void starting(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    assert_int_equal(fix.resets, 1);
    assert_int_equal(fix.attached, 1);
    uint32_t command = fake_pci_get(fix.device, PCI_COMMAND, 2);
    assert_false(command & PCI_COMMAND_MASTER);
    assert_true(command & PCI_COMMAND_MEMORY);
    assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);

    fix_machine(true, PCI_MSI_64);
    fix.reset_status = ERR_NOT_FOUND; // it is gone: its DMA stays closed
    assert_int_equal(passthrough_create(&fix.partition), STATUS_OK);
    passthrough_start(&fix.partition);
    assert_true(fix.partition.passthrough->device[0].lost);
    assert_int_equal(fix.attached, 0);
    // And back again at the next start.
    fix.reset_status = ERR_UNSUPPORTED;
    passthrough_stop(&fix.partition);
    passthrough_start(&fix.partition);
    assert_false(fix.partition.passthrough->device[0].lost);
    assert_int_equal(fix.attached, 1);
    fix.attach_status = ERR_NO_MEMORY;
    passthrough_start(&fix.partition);
    assert_true(fix.partition.passthrough->device[0].lost);
}

static unsigned detached_at_master_off;

static void watch_master(const struct fake_pci_write *w)
{
    if (w->offset == PCI_COMMAND && (w->before & ~w->after & PCI_COMMAND_MASTER)) {
        detached_at_master_off = fix.detached;
    }
}

static void stopping(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    fix_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    fix_config(0xa2, 2, PCI_MSIX_ENABLE);
    passthrough_mmio_write(&fix.vcpu[0], (gpa_t){fix.d->mapped[3] + FIX_TABLE}, 4, 0xfee00000);
    passthrough_mmio_write(&fix.vcpu[0], (gpa_t){fix.d->mapped[3] + FIX_TABLE + 8}, 8, 0x41);
    assert_true(fix.routed[fix.d->irq_first]);
    assert_int_not_equal(fix.d->mapped[0], 0);
    detached_at_master_off = 99;
    fake_pci_watch = watch_master;
    passthrough_stop(&fix.partition);
    assert_int_equal(detached_at_master_off, 0); // the device stops before its way is closed
    assert_int_equal(fix.detached, 1);
    assert_false(fake_pci_get(fix.device, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
    assert_false(fix.routed[fix.d->irq_first]);
    assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
    struct pt_leaf leaf;
    assert_int_equal(fix.d->mapped[0], 0);
    assert_false(pt_lookup(&fix.partition.second_level, GUEST_PCI_WINDOW, &leaf));
    // The vectors of the guest that was are masked for the one that comes.
    passthrough_start(&fix.partition);
    assert_false(vmsix_live(&fix.d->msix, 0).live);
    assert_int_equal(fix.d->msix.control, 0);
}

// ---- faults ---------------------------------------------------------------------------------

static void faults(void **state)
{
    (void)state;
    static const struct iommu_fault seen[] = {
        {.requester = 0x18, .address = 0x7000, .write = true, .why = "no write permission"},
        {.requester = 0x18, .address = 0x8000, .why = "not present"},
        {.requester = 0x18, .address = 3, .interrupt = true, .why = "entry not present"},
        {.requester = 0x55, .address = 0x9000, .why = "not present"},
    };
    fix_start(true, PCI_MSI_64);
    machine_pci.pci.function[0].requester = 0x18;
    passthrough_faults();
    assert_int_equal(passthrough_fault_count(&fix.partition), 0);
    fix.faults = seen;
    fix.fault_count = 4;
    passthrough_faults();
    assert_true(
        fake_printed("alpha: device 00:03.0: DMA write to 0x7000 refused: no write permission"));
    assert_true(fake_printed("alpha: device 00:03.0: DMA read of 0x8000 refused"));
    assert_true(fake_printed("alpha: device 00:03.0: an interrupt request, entry 0x3 refused"));
    assert_true(fake_printed("nobody: device 00:0a.5: DMA read of 0x9000 refused"));
    assert_int_equal(passthrough_fault_count(&fix.partition), 3);
    assert_int_equal(fix.posted[0], 0);
    // On request they end the partition.
    fix.config.flags = BLOB_STOP_ON_DMA_FAULT;
    fix.faults = seen;
    fix.fault_count = 1;
    passthrough_faults();
    assert_int_equal(fix.posted[0], WORK_DMA_FAULT);
}

static unsigned take(unsigned count)
{
    static struct iommu_fault many[2000];
    for (unsigned i = 0; i < count; i++) {
        many[i] = (struct iommu_fault){.requester = 0x18, .address = i, .why = "not present"};
    }
    fix.faults = many;
    fix.fault_count = count;
    passthrough_faults();
    return count - fix.fault_count;
}

// A flood is taken a bounded number in a time. Then the one that makes it pauses, and nothing is
// announced until it has.
static void flood(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    machine.console_cpu = 0;
    fix.vcpu[0].cpu = 0;
    fix.vcpu[1].cpu = 1;
    fix.time += 1000000;
    assert_int_equal(take(15), 15);
    assert_false(fix.faults_held);
    assert_int_equal(take(100), 1);
    assert_true(fix.faults_held);
    assert_int_equal(fix.posted[0], 0); // the console's CPU has other things to do
    assert_int_equal(fix.posted[1], WORK_FAULT_PAUSE);
    uint64_t before = fix.delayed;
    passthrough_fault_pause();
    assert_int_equal(fix.delayed - before, 10000);
    assert_int_equal(fix.nmi_to, FIX_ID(0));
    assert_int_equal(take(10), 10);
    assert_false(fix.faults_held);
    assert_int_equal(passthrough_fault_count(&fix.partition), 26);
}

// Whose accesses are refused again and again is recorded no more, until it starts again.
static void quiet(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    unsigned before = fake_print_count();
    for (unsigned i = 1; i < 150; i++) {
        fix.time += 10000;
        assert_int_equal(take(1), 1);
        assert_int_equal(fix.quieted, i >= 100);
    }
    assert_in_range(fake_print_count() - before, 1, LOG_LINES + 4);
    passthrough_start(&fix.partition);
    for (unsigned i = 1; i < 150; i++) {
        fix.time += 10000;
        assert_int_equal(take(1), 1);
        assert_int_equal(fix.quieted, i >= 100 ? 2 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_and_assigning),
        cmocka_unit_test(iommu_is_found),
        cmocka_unit_test(what_fails_before_the_partitions),
        cmocka_unit_test(what_is_kept),
        cmocka_unit_test(partition_without_devices),
        cmocka_unit_test(creating),
        cmocka_unit_test(creating_without_memory),
        cmocka_unit_test(pin_is_granted),
        cmocka_unit_test(pin_is_refused),
        cmocka_unit_test(pin_without_ioapic),
        cmocka_unit_test(pin_of_another_partition),
        cmocka_unit_test(pins_without_memory),
        cmocka_unit_test(starting),
        cmocka_unit_test(stopping),
        cmocka_unit_test(faults),
        cmocka_unit_test(flood),
        cmocka_unit_test(quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
