// SPDX-License-Identifier: Apache-2.0
// The physical machine as found at boot: its memory, clock, console and reset. Filled by the boot
// CPU before any guest runs, constant afterwards.
#ifndef HV_MACHINE_MACHINE_H
#define HV_MACHINE_MACHINE_H

#include "arch/lib/types.h"
#include "boot/boot_info.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/machine/kept_ports.h"
#include "hv/memory/page_alloc.h"
#include "partitions/blob.h"

struct machine {
    struct boot_info boot;
    struct acpi_info acpi;
    struct page_alloc memory;
    struct page_range framebuffer; // its pages; empty if there is no usable framebuffer
    struct page_range screen;      // the same pages while the console is shown there; else empty
    struct acpi_serial serial;     // the console's port, found or not
    const struct pci_function *serial_function; // the function whose BAR it is in; NULL if none
    bool serial_polled; // no interrupt works, and the console's CPU is unowned, so it polls
    uint64_t hpet;      // host-physical address of its registers; 0 if there is none
    const struct blob *config;
    struct blob_cpu_owner cpu_owner[MAX_CPUS];
    uint16_t pm1_base;    // base of the virtual PM1 block, not over the physical PM timer
    uint64_t rtc_epoch;   // physical RTC at boot, seconds since 1970
    uint64_t rtc_tsc;     // TSC at that moment
    unsigned boot_cpu;    // index in acpi.cpus and cpus[]
    unsigned console_cpu; // takes the console's interrupt as NMI
    volatile uint32_t *ioapic[ACPI_MAX_IOAPICS]; // registers, by the index in acpi.ioapics
};

extern struct machine machine;

// Host ports that are kept on this machine, in addition to those kept on every PC.
extern struct io_range machine_kept_ports[MACHINE_MAX_KEPT_PORTS];
extern unsigned machine_kept_port_count;

// The machine's time of day in microseconds since 1970. Any CPU.
uint64_t machine_clock_us(void);

// Finds CPUs, memory and clocks in the firmware's tables. Prints errors.
enum status machine_discover(void);

// Maps the IOAPICs and masks all their pins. Prints errors.
enum status machine_map_ioapics(void);

// The global system interrupt of the console's serial port; MACHINE_NO_GSI if it has none.
#define MACHINE_NO_GSI UINT32_MAX
uint32_t machine_console_gsi(void);

// Bytes of memory that the loader calls usable.
uint64_t machine_usable_memory(void);

// Whether the loader reports some of these pages as memory that is free to use.
bool machine_is_ram(const struct page_range *r);

// The pages that a framebuffer covers.
static inline struct page_range screen_range(const struct boot_framebuffer *fb)
{
    uint64_t base = align_down(fb->base, PAGE_SIZE);
    return (struct page_range){
        base, align_up(fb->base + (uint64_t)fb->pitch * fb->height, PAGE_SIZE) - base};
}

// The pages with a serial port's memory-mapped registers.
static inline struct page_range serial_pages(const struct acpi_serial *serial)
{
    uint64_t base = align_down(serial->address, PAGE_SIZE);
    return (struct page_range){base,
                               align_up(serial->address + (8u << serial->shift), PAGE_SIZE) - base};
}

// Restarts the machine by the firmware's reset register; if that fails, by the ways every PC has.
_Noreturn void machine_reset(void);

#endif
