// SPDX-License-Identifier: Apache-2.0
// Connects the partition's virtual UART with the console's ring.
#include "hv/console/guest_console.h"

#include "drivers/console/console.h"
#include "hv/console/service.h"
#include "hv/machine/guest_platform.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"

#define UART_PIN 4 // COM1's pin on every PC, at the IOAPIC and the 8259s

// Sends output that the console had no room for. While some waits, the UART shows a busy
// transmitter; at most one FIFO's worth of a driver's output is under way.
static void flush_held(struct partition *p)
{
    unsigned sent = 0;
    while (sent < p->held_count && console_put(p->console, p->held[sent])) {
        sent++;
    }
    p->held_count -= sent;
    for (unsigned i = 0; i < p->held_count; i++) {
        p->held[i] = p->held[i + sent];
    }
    vuart_set_tx_ready(&p->devices.uart, p->held_count == 0);
}

static void transmit(struct partition *p, uint8_t byte)
{
    if (p->held_count > 0 || !console_put(p->console, byte)) {
        if (p->held_count < HELD_OUTPUT) {
            p->held[p->held_count++] = byte;
        }
        vuart_set_tx_ready(&p->devices.uart, false);
    }
}

static void receive(struct partition *p)
{
    uint8_t byte;
    while (vuart_rx_room(&p->devices.uart) > 0 && console_get(p->console, &byte)) {
        vuart_rx(&p->devices.uart, byte);
    }
}

static void update_uart_line(struct partition *p)
{
    guest_interrupt_line(p, UART_PIN, vuart_irq(&p->devices.uart));
    if (vuart_take_gated(&p->devices.uart)) {
        log_guest(p->vcpus[0],
                  "COM1 has an interrupt that it can't send, because MCR.OUT2 (bit 3 of "
                  "port 0x3fc) is not set: some emulators send it, a PC doesn't");
    }
}

void guest_console_work(struct partition *p)
{
    spin_lock(&p->device_lock);
    receive(p);
    flush_held(p);
    update_uart_line(p);
    spin_unlock(&p->device_lock);
    console_drain();
    console_service_tell_unstalled();
}

uint8_t guest_console_read(struct partition *p, unsigned reg)
{
    if (p->held_count > 0) {
        flush_held(p); // a driver that polls for room sees it at once
    }
    uint8_t value = vuart_read(&p->devices.uart, reg);
    receive(p);
    update_uart_line(p);
    return value;
}

void guest_console_write(struct partition *p, unsigned reg, uint8_t value)
{
    uint8_t byte;
    if (vuart_write(&p->devices.uart, reg, value, &byte)) {
        transmit(p, byte);
        // The byte has left at once, but the driver waits for an edge on the line. This makes it.
        guest_interrupt_line(p, UART_PIN, false);
    }
    receive(p);
    update_uart_line(p);
}

void guest_console_power_button(struct partition *p)
{
    spin_lock(&p->device_lock);
    bool seen = vpm_press_power_button(&p->devices.pm);
    guest_interrupt_line(p, GUEST_SCI_IRQ, vpm_sci(&p->devices.pm));
    spin_unlock(&p->device_lock);
    print("%s: its power button is pressed%s\n", p->name,
          seen ? "" : ", but its system has not enabled that button (ACPI) and won't react");
}
