// SPDX-License-Identifier: Apache-2.0
// hv/device/irq.c: a device interrupts only with what was checked, with an IOMMU and without,
// and nothing half-written is ever live.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/ioapic/ioapic.h"
#include "hv/device/passthrough.h"
#include "hv/machine/guest_platform.h"
#include "tests/unit/fake_print.h"
#include "tests/unit/passthrough_fixture.h"

#define MSI      0xd0u
#define MSIX     0xa0u
#define WINDOW   0xfee00000u
#define TO(vcpu) (WINDOW | (vcpu) << 12)
#define FOUR     (PCI_MSI_64 | 2 << PCI_MSI_CAPABLE_SHIFT)

static int with_iommu(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    return 0;
}

static int without_iommu(void **state)
{
    (void)state;
    fix_start(false, PCI_MSI_64);
    return 0;
}

// ---- MSI-X ----------------------------------------------------------------------------------

static gpa_t entry_at(unsigned vector, unsigned word)
{
    return (gpa_t){fix.d->mapped[3] + FIX_TABLE + vector * PCI_MSIX_ENTRY_SIZE + word * 4};
}

static void set_vector(unsigned vector, uint32_t address, uint32_t data, bool masked)
{
    const uint32_t words[4] = {address, 0, data, masked};
    for (unsigned i = 0; i < 4; i++) {
        passthrough_mmio_write(&fix.vcpu[0], entry_at(vector, i), 4, words[i]);
    }
}

static void enable_msix(uint32_t more)
{
    fix_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    fix_config(MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | more);
}

static unsigned device_control(unsigned capability)
{
    return fake_pci_get(fix.device, capability + 2, 2);
}

static void msix_is_translated(void **state)
{
    (void)state;
    enable_msix(0);
    assert_true(device_control(MSIX) & PCI_MSIX_ENABLE);
    for (unsigned i = 0; i < FIX_VECTORS; i++) {
        assert_int_equal(fix_msix(i, 3), PCI_MSIX_ENTRY_MASKED);
    }
    set_vector(2, TO(1), 0x41, false);
    unsigned handle = fix.d->irq_first + 2;
    assert_true(fix.routed[handle]);
    assert_int_equal(fix.route[handle].apic_id, FIX_ID(1));
    assert_int_equal(fix.route[handle].vector, 0x41);
    // The device has the handle, and nothing of what the guest wrote.
    assert_int_equal(fix_msix(2, 0), WINDOW | FIX_MESSAGE | handle << 5);
    assert_int_equal(fix_msix(2, 1), 0);
    assert_int_equal(fix_msix(2, 2), 0);
    assert_int_equal(fix_msix(2, 3), 0);
    // The guest reads back its own.
    assert_int_equal(passthrough_mmio_read(&fix.vcpu[0], entry_at(2, 0), 8), TO(1));
    assert_int_equal(passthrough_mmio_read(&fix.vcpu[0], entry_at(2, 2), 8), 0x41);
    // Another CPU: the same message, another route.
    passthrough_mmio_write(&fix.vcpu[0], entry_at(2, 0), 4, TO(0));
    assert_int_equal(fix.route[handle].apic_id, FIX_ID(0));
    assert_int_equal(fix_msix(2, 3), 0);
}

static void msix_without_iommu(void **state)
{
    (void)state;
    enable_msix(0);
    set_vector(0, TO(1), 0x51, false);
    assert_int_equal(fix_msix(0, 0), WINDOW | FIX_ID(1) << 12);
    assert_int_equal(fix_msix(0, 2), 0x51);
    assert_int_equal(fix_msix(0, 3), 0);
    assert_int_equal(fix.route_changes, 0);
    // IDs that a message can't name, or that mean everybody.
    static const uint32_t beyond[] = {255, 256 + FIX_ID(1)};
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        char text[64];
        fix.vcpu[1].physical_id = beyond[i];
        fake_print_clear();
        set_vector(0, TO(1), 0x52, false);
        assert_int_equal(fix_msix(0, 3), PCI_MSIX_ENTRY_MASKED);
        snprintf(text, sizeof(text), "its messages don't reach APIC ID %u", beyond[i]);
        assert_true(fake_printed(text));
        fix.vcpu[1].physical_id = FIX_ID(1);
        set_vector(0, TO(1), 0x51, false);
        assert_int_equal(fix_msix(0, 3), 0);
    }
}

// A vector is live only while all of it is good; any other state is masked in the device.
static void msix_refused_is_masked(void **state)
{
    (void)state;
    static const struct {
        uint32_t address, data;
        bool told;
    } bad[] = {
        {TO(0), 0x05, true},             // a vector of an exception
        {TO(0), 0x441, true},            // NMI
        {TO(0), 0x541, true},            // INIT
        {0x1000, 0x41, true},            // memory
        {0xfec00000, 0x41, true},        // the IOAPIC
        {WINDOW | 9 << 12, 0x41, false}, // a processor that there is not
    };
    enable_msix(0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_vector(1, TO(0), 0x41, false);
        assert_int_equal(fix_msix(1, 3), 0);
        fake_print_clear();
        set_vector(1, bad[i].address, bad[i].data, false);
        assert_int_equal(fix_msix(1, 3), PCI_MSIX_ENTRY_MASKED);
        assert_int_equal(fake_printed("device 00:03.0, interrupt message 1"), bad[i].told);
    }
}

static void msix_masks(void **state)
{
    (void)state;
    enable_msix(0);
    set_vector(0, TO(0), 0x41, false);
    set_vector(1, TO(0), 0x42, true);
    assert_int_equal(fix_msix(0, 3), 0);
    assert_int_equal(fix_msix(1, 3), PCI_MSIX_ENTRY_MASKED);
    // Of the function as a whole, done by the vectors: the device's own bit stays clear.
    fix_config(MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    assert_int_equal(fix_msix(0, 3), PCI_MSIX_ENTRY_MASKED);
    assert_false(device_control(MSIX) & PCI_MSIX_MASK_ALL);
    fix_config(MSIX + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    assert_int_equal(fix_msix(0, 3), 0);
    assert_int_equal(fix_msix(1, 3), PCI_MSIX_ENTRY_MASKED);
    fix_config(MSIX + PCI_MSIX_CONTROL, 2, 0);
    assert_int_equal(fix_msix(0, 3), PCI_MSIX_ENTRY_MASKED);
    assert_false(device_control(MSIX) & PCI_MSIX_ENABLE);
}

static void lost_device_is_left_alone(void **state)
{
    (void)state;
    enable_msix(0);
    fix.d->lost = true;
    unsigned writes = fake_pci_written, changes = fix.route_changes;
    set_vector(0, TO(0), 0x41, false);
    passthrough_msi(&fix.vcpu[0], fix.d);
    assert_int_equal(fix_msix(0, 3), PCI_MSIX_ENTRY_MASKED);
    assert_int_equal(fake_pci_written, writes);
    assert_int_equal(fix.route_changes, changes);
}

// ---- MSI ------------------------------------------------------------------------------------

static void set_msi(uint32_t address, uint32_t data, uint32_t control)
{
    fix_config(MSI + 4, 4, address);
    fix_config(MSI + 8, 4, 0);
    fix_config(MSI + 12, 2, data);
    fix_config(MSI + 2, 2, control);
}

static bool msi_went_off;

static void watch_msi(const struct fake_pci_write *w)
{
    msi_went_off |= w->offset == MSI + PCI_MSI_CONTROL && (w->value & PCI_MSI_ENABLE) == 0;
}

static void msi_is_translated(void **state)
{
    (void)state;
    set_msi(TO(1), 0x61, PCI_MSI_ENABLE);
    unsigned handle = fix.d->irq_first;
    assert_int_equal(fix.route[handle].apic_id, FIX_ID(1));
    assert_int_equal(fix.route[handle].vector, 0x61);
    assert_int_equal(fake_pci_get(fix.device, MSI + 4, 4), WINDOW | FIX_MESSAGE | handle << 5);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 2), 0);
    assert_true(device_control(MSI) & PCI_MSI_ENABLE);
    // To another CPU and vector: the device is not touched, so no interrupt is lost.
    msi_went_off = false;
    fake_pci_watch = watch_msi;
    fix_config(MSI + 4, 4, TO(0));
    fix_config(MSI + 12, 2, 0x62);
    assert_false(msi_went_off);
    assert_int_equal(fix.route[handle].apic_id, FIX_ID(0));
    assert_int_equal(fix.route[handle].vector, 0x62);
    // What may not be sent ends it.
    fix_config(MSI + 12, 2, 0x462);
    assert_true(msi_went_off);
    assert_false(device_control(MSI) & PCI_MSI_ENABLE);
    assert_true(fake_printed("interrupt message 0"));
}

static void msi_without_iommu(void **state)
{
    (void)state;
    set_msi(TO(1), 0x61, PCI_MSI_ENABLE);
    assert_int_equal(fake_pci_get(fix.device, MSI + 4, 4), WINDOW | FIX_ID(1) << 12);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 2), 0x61);
    msi_went_off = false;
    fake_pci_watch = watch_msi;
    fix_config(MSI + 12, 2, 0x62);
    assert_false(msi_went_off);
    assert_true(device_control(MSI) & PCI_MSI_ENABLE);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 2), 0x62);
    fix_config(MSI + 2, 2, 0);
    assert_false(device_control(MSI) & PCI_MSI_ENABLE);
}

static void several_messages(void **state)
{
    (void)state;
    fix_start(true, FOUR);
    set_msi(TO(0), 0x64, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fix.route[fix.d->irq_first + i].vector, 0x64 + i);
    }
    assert_int_equal(device_control(MSI) & 0x71, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    // Fewer of them again.
    fix_config(MSI + 2, 2, PCI_MSI_ENABLE | 1 << PCI_MSI_ENABLED_SHIFT);
    assert_int_equal(device_control(MSI) & 0x71, PCI_MSI_ENABLE | 1 << PCI_MSI_ENABLED_SHIFT);
    // One of them is no interrupt: none is.
    fix_config(MSI + 2, 2, 0);
    set_msi(TO(0), 0x0e, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    assert_false(device_control(MSI) & PCI_MSI_ENABLE);

    fix_start(false, FOUR);
    set_msi(TO(1), 0x64, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 2), 0x64);
    assert_int_equal(device_control(MSI) & 0x71, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    // Data that does not leave its low bits to the device: the vectors would be others.
    set_msi(TO(1), 0x65, PCI_MSI_ENABLE | 2 << PCI_MSI_ENABLED_SHIFT);
    assert_false(device_control(MSI) & PCI_MSI_ENABLE);
}

static void msi_masks(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_MASKABLE); // 32-bit: data at 8, mask at 12
    fix_config(MSI + 4, 4, TO(0));
    fix_config(MSI + 8, 2, 0x66);
    fix_config(MSI + 12, 4, 1);
    fix_config(MSI + 2, 2, PCI_MSI_ENABLE);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 4), 1);
    msi_went_off = false;
    fake_pci_watch = watch_msi;
    fix_config(MSI + 12, 4, 0);
    assert_int_equal(fake_pci_get(fix.device, MSI + 12, 4), 0);
    assert_false(msi_went_off);
}

static void all_is_taken_away(void **state)
{
    (void)state;
    enable_msix(0);
    set_vector(0, TO(0), 0x41, false);
    set_vector(4, TO(1), 0x45, false);
    passthrough_irq_stop(fix.d);
    for (unsigned i = 0; i < FIX_HANDLES; i++) {
        assert_false(fix.routed[i]);
    }
    assert_false(device_control(MSIX) & PCI_MSIX_ENABLE);
    assert_false(device_control(MSI) & PCI_MSI_ENABLE);
}

// ---- pins -----------------------------------------------------------------------------------

#define PIN (GUEST_PCI_PIN_FIRST + 3u) // device 3, INTA

static void set_pin(uint64_t entry)
{
    struct vioapic_message m;
    struct vioapic *a = &fix.partition.devices.ioapic;
    vioapic_write(a, 0x00, 0x11 + 2 * PIN, &m);
    vioapic_write(a, 0x10, (uint32_t)(entry >> 32), &m);
    vioapic_write(a, 0x00, 0x10 + 2 * PIN, &m);
    vioapic_write(a, 0x10, (uint32_t)entry, &m);
    passthrough_pins(&fix.partition);
}

#define LEVEL_LOW 0xa000u

static void pin_without_iommu(void **state)
{
    (void)state;
    assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
    set_pin(1ull << 56 | LEVEL_LOW | 0x71); // to vCPU 1
    assert_int_equal(fix.pin[FIX_PIN], (uint64_t)FIX_ID(1) << 56 | LEVEL_LOW | 0x71);
    // An IOAPIC that says how it is wired otherwise.
    machine.acpi.override_count = 1;
    machine.acpi.overrides[0] = (struct acpi_override){.irq = 7, .gsi = FIX_PIN, .level = true};
    struct ioapic_input *pin = &fix.partition.passthrough->pin[3];
    assert_int_equal(ioapic_find_pci(&machine.acpi, FIX_PIN, pin), STATUS_OK);
    set_pin(LEVEL_LOW | 0x72);
    assert_int_equal(fix.pin[FIX_PIN], (uint64_t)FIX_ID(0) << 56 | 0x8000 | 0x72);
    // Masked, NMI, a bad vector, nobody: masked, and still level-triggered.
    static const uint64_t off[] = {1 << 16 | LEVEL_LOW | 0x71, LEVEL_LOW | 0x400 | 0x71,
                                   LEVEL_LOW | 0x05, 5ull << 56 | LEVEL_LOW | 0x71};
    for (unsigned i = 0; i < 4; i++) {
        set_pin(LEVEL_LOW | 0x72);
        assert_false(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
        set_pin(off[i]);
        assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
        assert_true(fix.pin[FIX_PIN] & 0x8000);
    }
    // An APIC ID that an entry can't name.
    fix.vcpu[0].physical_id = 0x100;
    set_pin(LEVEL_LOW | 0x72);
    assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
}

static void pin_with_iommu(void **state)
{
    (void)state;
    set_pin(1ull << 56 | LEVEL_LOW | 0x71);
    assert_int_equal(fix.pin[FIX_PIN], 1ull << 48 | (uint64_t)FIX_PIN << 32 | 1u << 13 | 0x71);
    set_pin(LEVEL_LOW | 0xee); // the IOMMU has no entry for it
    assert_true(fix.pin[FIX_PIN] & IOAPIC_ENTRY_MASKED);
}

static void pin_shows_remote_irr(void **state)
{
    (void)state;
    set_pin(LEVEL_LOW | 0x71);
    passthrough_pins_read(&fix.partition);
    assert_int_equal(fix.partition.devices.ioapic.remote_irr, 0);
    fix.pin[FIX_PIN] |= IOAPIC_ENTRY_REMOTE_IRR;
    passthrough_pins_read(&fix.partition);
    assert_int_equal(fix.partition.devices.ioapic.remote_irr, 1u << PIN);
}

#define WITH(test)    cmocka_unit_test_setup(test, with_iommu)
#define WITHOUT(test) cmocka_unit_test_setup(test, without_iommu)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(msix_is_translated),        WITHOUT(msix_without_iommu),
        WITH(msix_refused_is_masked),    WITH(msix_masks),
        WITH(lost_device_is_left_alone), WITH(msi_is_translated),
        WITHOUT(msi_without_iommu),      cmocka_unit_test(several_messages),
        cmocka_unit_test(msi_masks),     WITH(all_is_taken_away),
        WITHOUT(pin_without_iommu),      WITH(pin_with_iommu),
        WITHOUT(pin_shows_remote_irr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
