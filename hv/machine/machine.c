// SPDX-License-Identifier: Apache-2.0
// The physical machine: discovery by ACPI, its clock, its interrupts, its console, its reset.
#include "hv/machine/machine.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/io.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/interrupt/apic_defs.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "arch/memory/window.h"
#include "drivers/clock/hpet.h"
#include "drivers/console/console.h"
#include "drivers/ioapic/ioapic.h"
#include "hv/machine/guest_platform.h"
#include "hv/machine/serial_choice.h"

#define PORT_PIC1_DATA  0x21
#define PORT_PIC2_DATA  0xa1
#define PORT_RESET      0xcf9
#define RESET_FULL      0x0e
#define PORT_KEYBOARD   0x64
#define KEYBOARD_RESET  0xfe
#define PM1_ALTERNATIVE 0x700 // the virtual PM1 block is here if the default is taken

struct machine machine;
struct io_range machine_kept_ports[MACHINE_MAX_KEPT_PORTS];
unsigned machine_kept_port_count;

// Masks the PICs before interrupts are enabled: firmware leaves them on, with exceptions' vectors.
static void mask_pics(void)
{
    outb(PORT_PIC1_DATA, 0xff);
    outb(PORT_PIC2_DATA, 0xff);
}

// Finds this CPU in the list, after CPUs that can't be reached were removed.
static enum status find_boot_cpu(void)
{
    uint32_t me = apic_choose_mode(machine.acpi.lapic_address);
    if (!apic_is_x2apic()) {
        acpi_leave_out_above(&machine.acpi, APIC_XAPIC_LAST_ID);
    }
    for (unsigned i = 0; i < machine.acpi.cpu_count; i++) {
        if (machine.acpi.cpus[i].apic_id == me) {
            machine.boot_cpu = i;
            return STATUS_OK;
        }
    }
    print("the boot CPU (APIC ID %u) is not among the MADT's first %u: update the firmware\n", me,
          MAX_CPUS);
    return ERR_NOT_FOUND;
}

bool machine_is_ram(const struct page_range *r)
{
    for (unsigned i = 0; i < machine.boot.memory_count; i++) {
        const struct boot_memory *m = &machine.boot.memory[i];
        bool apart =
            m->base >= r->base ? m->base - r->base >= r->size : r->base - m->base >= m->size;
        if (m->kind != BOOT_MEMORY_RESERVED && !apart) {
            return true;
        }
    }
    return false;
}

uint64_t machine_usable_memory(void)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < machine.boot.memory_count; i++) {
        const struct boot_memory *m = &machine.boot.memory[i];
        total += m->kind == BOOT_MEMORY_USABLE ? m->size : 0;
    }
    return total;
}

enum status machine_discover(void)
{
    char error[256];
    mask_pics();
    enum status s = acpi_parse(machine.boot.rsdp, &machine.acpi, error, sizeof(error));
    if (s != STATUS_OK) {
        print("%s\n", error);
        return s;
    }
    s = find_boot_cpu();
    if (s != STATUS_OK) {
        return s;
    }
    machine.hpet = hpet_address(&machine.acpi);
    machine_kept_port_count = kept_ports_find(&machine.acpi, machine_kept_ports);
    // The guest uses the physical PM timer, so the virtual PM1 block must not cover its port.
    uint16_t timer = machine.acpi.pm_timer_port;
    uint16_t base = GUEST_PM1_BASE;
    machine.pm1_base = timer >= base && timer < base + 8 ? PM1_ALTERNATIVE : base;
    return STATUS_OK;
}

uint64_t machine_clock_us(void)
{
    return machine.rtc_epoch * 1000000 + tsc_to_hz(rdtsc() - machine.rtc_tsc, 1000000);
}

// ---- interrupts ----------------------------------------------------------------------------

uint32_t machine_console_gsi(void)
{
    struct ioapic_input input;
    return serial_input(&machine.acpi, &machine.serial, &input) ? input.gsi : MACHINE_NO_GSI;
}

enum status machine_map_ioapics(void)
{
    for (unsigned i = 0; i < machine.acpi.ioapic_count; i++) {
        machine.ioapic[i] = mmu_map_device(hpa(machine.acpi.ioapics[i].address), IOAPIC_MMIO_SIZE);
        if (machine.ioapic[i] == NULL) {
            print("no room to map IOAPIC %u\n", i);
            return ERR_NO_MEMORY;
        }
        ioapic_mask_all(machine.ioapic[i]);
    }
    return STATUS_OK;
}

// ---- reset -------------------------------------------------------------------------------

_Noreturn void machine_reset(void)
{
    const struct acpi_reset *reset = &machine.acpi.reset;
    if (reset->kind == ACPI_RESET_IO) {
        outb((uint16_t)reset->address, reset->value);
    } else if (reset->kind == ACPI_RESET_MEMORY) {
        phys_write(hpa(reset->address), &reset->value, 1);
    }
    delay_us(10000);
    outb(PORT_RESET, RESET_FULL);
    delay_us(10000);
    outb(PORT_KEYBOARD, KEYBOARD_RESET);
    cpu_stop();
}
