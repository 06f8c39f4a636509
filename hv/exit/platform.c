// SPDX-License-Identifier: Apache-2.0
// The virtual platform. Relies on the devices' state machines (hv/vdev/), the console, and the
// physical APIC for interrupts.
#include "hv/exit/platform.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/tsc_scale.h"
#include "arch/interrupt/apic.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "hv/console/guest_console.h"
#include "hv/console/service.h"
#include "hv/device/passthrough.h"
#include "hv/exit/bios_call.h"
#include "hv/exit/stray_access.h"
#include "hv/life/apic_page.h"
#include "hv/life/end.h"
#include "hv/machine/machine.h"
#include "hv/partition/deliver.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"
#include "hv/vdev/ports.h"

// ---- interrupts ----------------------------------------------------------------------------

bool platform_apic_action(struct vcpu *v, enum vapic_action action,
                          const struct icr_verdict *verdict)
{
    switch (action) {
    case VAPIC_DONE:
        return true;
    case VAPIC_IPI:
        deliver_verdict(v->partition, verdict);
        return true;
    case VAPIC_MOVED:
        apic_page_moved(v);
        return true;
    case VAPIC_MODE:
        apic_page_moved(v);
        virt->set_x2apic(v, v->apic.mode == APIC_X2APIC);
        if (v->apic.mode == APIC_DISABLED) {
            virt->nmi_open();
            apic_drain();
            virt->nmi_close();
        }
        guest_interrupt_opened(v);
        return true;
    case VAPIC_EXTINT:
        guest_interrupt_opened(v);
        return true;
    case VAPIC_REFUSED:
        log_guest(v, "APIC: %s", v->apic.reason);
        return true;
    case VAPIC_FAULT_TOLD:
        log_guest(v, "APIC: %s", v->apic.reason);
        return false;
    case VAPIC_FAULT:
    default:
        return false;
    }
}

// ---- ports ---------------------------------------------------------------------------------

static uint64_t pit_ticks(const struct partition *p)
{
    return tsc_scaled(rdtsc() - p->devices.start_tsc, p->devices.pit_scale);
}

uint8_t platform_port61_read(struct vcpu *v)
{
    struct partition *p = v->partition;
    spin_lock(&p->device_lock);
    uint8_t value = vpit_port61_read(&p->devices.pit, pit_ticks(p));
    spin_unlock(&p->device_lock);
    return value;
}

static uint32_t read_pic(struct partition *p, uint16_t port, unsigned size)
{
    guest_timers_settle(p);
    uint32_t value = vpic_read(&p->devices.pic, port, size);
    guest_timers_update(p); // the read was a poll, which acknowledges an interrupt
    guest_interrupt_changed(p);
    return value;
}

static void write_pic(struct partition *p, uint16_t port, unsigned size, uint32_t value)
{
    guest_timers_settle(p);
    vpic_write(&p->devices.pic, port, size, value);
    guest_timers_update(p);
    guest_interrupt_changed(p);
}

static uint32_t read_device(struct partition *p, enum vdev_port device, uint16_t port,
                            unsigned size)
{
    struct partition_devices *d = &p->devices;
    uint64_t now;
    switch (device) {
    case VDEV_PORT_61:
        return vpit_port61_read(&d->pit, pit_ticks(p)) | (vdev_all_ones(size) & ~0xffu);
    case VDEV_PORT_PIC:
        return read_pic(p, port, size);
    case VDEV_PORT_PIT:
        return vpit_read(&d->pit, port, size, pit_ticks(p));
    case VDEV_PORT_RTC:
        now = machine_clock_us();
        return vrtc_read(&d->rtc, port, size, now / 1000000, (uint32_t)(now % 1000000));
    case VDEV_PORT_UART: {
        uint32_t value = 0;
        for (unsigned i = 0; i < size; i++) {
            value |= vdev_byte_at(guest_console_read(p, port - VDEV_UART_BASE + i), i);
        }
        return value;
    }
    case VDEV_PORT_RESET:
        return vreset_read(&d->reset, port, size);
    case VDEV_PORT_PM:
        return vpm_read(&d->pm, port - machine.pm1_base, size);
    case VDEV_PORT_CRTC:
        return vcrtc_read(&d->crtc, port, size);
    case VDEV_PORT_PCI:
        return vpci_read(&d->pci, port, size);
    default:
        return vdev_all_ones(size);
    }
}

uint32_t platform_port_read(struct vcpu *v, uint16_t port, unsigned size)
{
    enum vdev_port device = vdev_port_lookup(port);
    struct partition *p = v->partition;
    uint32_t value = vdev_all_ones(size);
    if (device == VDEV_PORT_SILENT || (device == VDEV_PORT_NONE && p->passthrough == NULL)) {
        return value;
    }
    spin_lock(&p->device_lock);
    if (device != VDEV_PORT_NONE) {
        value = read_device(p, device, port, size);
    } else {
        passthrough_port_read(p, port, size, &value);
    }
    spin_unlock(&p->device_lock);
    return value;
}

static enum vdev_event write_pm(struct partition *p, uint16_t port, unsigned size, uint32_t value)
{
    enum vdev_event event = vpm_write(&p->devices.pm, port - machine.pm1_base, size, value);
    guest_interrupt_line(p, GUEST_SCI_IRQ, vpm_sci(&p->devices.pm));
    return event;
}

static enum vdev_event write_device(struct vcpu *v, enum vdev_port device, uint16_t port,
                                    unsigned size, uint32_t value)
{
    struct partition *p = v->partition;
    struct partition_devices *d = &p->devices;
    switch (device) {
    case VDEV_PORT_61:
        vpit_port61_write(&d->pit, (uint8_t)value, pit_ticks(p));
        return VDEV_NONE;
    case VDEV_PORT_PIC:
        write_pic(p, port, size, value);
        return VDEV_NONE;
    case VDEV_PORT_PIT:
        guest_timers_pit_write(p, port, size, value);
        return VDEV_NONE;
    case VDEV_PORT_RTC:
        vrtc_write(&d->rtc, port, size, value, machine_clock_us() / 1000000);
        return VDEV_NONE;
    case VDEV_PORT_UART:
        for (unsigned i = 0; i < size; i++) {
            guest_console_write(p, port - VDEV_UART_BASE + i, (uint8_t)(value >> (8 * i)));
        }
        return VDEV_NONE;
    case VDEV_PORT_RESET:
        return vreset_write(&d->reset, port, size, value);
    case VDEV_PORT_BIOS:
        return VDEV_BIOS_CALL;
    case VDEV_PORT_PM:
        return write_pm(p, port, size, value);
    case VDEV_PORT_CRTC:
        vcrtc_write(&d->crtc, port, size, value);
        return VDEV_NONE;
    case VDEV_PORT_PCI:
        passthrough_effect(v, vpci_write(&d->pci, port, size, value));
        return VDEV_NONE;
    default:
        return VDEV_NONE;
    }
}

enum vdev_event platform_port_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
    enum vdev_port device = vdev_port_lookup(port);
    struct partition *p = v->partition;
    enum vdev_event event = VDEV_NONE;
    if (device == VDEV_PORT_SILENT || (device == VDEV_PORT_NONE && p->passthrough == NULL)) {
        return event;
    }
    spin_lock(&p->device_lock);
    if (device != VDEV_PORT_NONE) {
        event = write_device(v, device, port, size, value);
    } else {
        passthrough_port_write(p, port, size, value);
    }
    spin_unlock(&p->device_lock);
    if (device == VDEV_PORT_UART) {
        console_drain();
        console_service_tell_unstalled();
    }
    return event;
}

bool platform_event(struct vcpu *v, enum vdev_event event, struct guest_regs *regs)
{
    if (event == VDEV_BIOS_CALL) {
        return bios_call(v, regs);
    }
    if (event == VDEV_POWER_OFF) {
        partition_end(v, PARTITION_POWER_OFF, "powered off", regs);
    } else if (event == VDEV_RESET) {
        partition_end(v, PARTITION_REBOOT, "reboot", regs);
    }
    return false;
}

void platform_string_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value)
{
    enum vdev_event event = platform_port_write(v, port, size, value);
    if (event != VDEV_NONE && event != VDEV_BIOS_CALL) { // no BIOS stub has a string instruction
        v->string_event = event;
    }
}

// ---- device pages --------------------------------------------------------------------------

static bool in_page(gpa_t address, uint64_t page)
{
    return address.v - page < PAGE_SIZE;
}

bool platform_has_hpet(const struct partition *p, gpa_t address)
{
    return (p->config->flags & BLOB_HPET) != 0 && in_page(address, GUEST_HPET_ADDRESS);
}

// Registers have a size that is a power of two. Other sizes are parts of an operand that is split
// between two pages.
static bool is_register_size(unsigned size)
{
    return (size & (size - 1)) == 0;
}

enum status platform_mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value)
{
    unsigned offset = address.v & PAGE_MASK;
    if (in_page(address, v->apic.page)) {
        // Narrow and wide reads are undefined on hardware. Here they read from the aligned
        // register.
        *value = vapic_mmio_read(&v->apic, offset & ~3u) >> (8 * (offset & 3));
    } else if (in_page(address, GUEST_IOAPIC_ADDRESS)) {
        struct partition *p = v->partition;
        spin_lock(&p->device_lock);
        passthrough_pins_read(p);
        *value = vioapic_read(&p->devices.ioapic, offset);
        spin_unlock(&p->device_lock);
    } else if (platform_has_hpet(v->partition, address)) {
        spin_lock(&v->partition->device_lock);
        *value = guest_timers_hpet_read(v->partition, offset, size);
        spin_unlock(&v->partition->device_lock);
    } else if (passthrough_owns(v->partition, address)) {
        if (!is_register_size(size)) {
            return ERR_UNSUPPORTED;
        }
        spin_lock(&v->partition->device_lock);
        *value = passthrough_mmio_read(v, address, size);
        spin_unlock(&v->partition->device_lock);
    } else {
        return stray_read(v, address, size, value);
    }
    *value &= size_mask(size);
    return STATUS_OK;
}

static void write_ioapic(struct partition *p, unsigned offset, uint32_t value)
{
    struct vioapic_message message;
    spin_lock(&p->device_lock);
    guest_timers_settle(p);
    if (vioapic_write(&p->devices.ioapic, offset, value, &message)) {
        deliver_message(p, &message);
    }
    guest_timers_update(p);
    guest_interrupt_changed(p);
    passthrough_pins(p);
    spin_unlock(&p->device_lock);
}

// Writes to all pages except the APIC's, whose registers are written far more often.
static __attribute__((noinline)) enum status write_other_page(struct vcpu *v, gpa_t address,
                                                              unsigned size, uint64_t value)
{
    struct partition *p = v->partition;
    if (in_page(address, GUEST_IOAPIC_ADDRESS)) {
        write_ioapic(p, address.v & PAGE_MASK, (uint32_t)value);
        return STATUS_OK;
    }
    if (platform_has_hpet(p, address)) {
        spin_lock(&p->device_lock);
        guest_timers_hpet_write(p, address.v & PAGE_MASK, size, value);
        spin_unlock(&p->device_lock);
        return STATUS_OK;
    }
    if (!passthrough_owns(p, address)) {
        return stray_write(v, address);
    }
    if (!is_register_size(size)) {
        return ERR_UNSUPPORTED;
    }
    spin_lock(&p->device_lock);
    passthrough_mmio_write(v, address, size, value);
    spin_unlock(&p->device_lock);
    return STATUS_OK;
}

enum status platform_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value)
{
    if (!in_page(address, v->apic.page)) {
        return write_other_page(v, address, size, value);
    }
    if (size != 4) {
        return STATUS_OK; // only 32-bit writes act (SDM vol. 3, 11.4.1)
    }
    struct icr_verdict verdict;
    enum vapic_action action =
        vapic_mmio_write(&v->apic, address.v & PAGE_MASK, (uint32_t)value, &verdict);
    if (action != VAPIC_DONE) { // rare
        platform_apic_action(v, action, &verdict);
    }
    return STATUS_OK;
}
