// SPDX-License-Identifier: Apache-2.0
// A guest that makes any access to any virtual device, as bytes from libFuzzer. The sanitizers
// watch for undefined behaviour; what must hold of the answers whatever a guest does is checked
// here.
#include <string.h>

#include "hv/machine/guest_platform.h"
#include "hv/vdev/ports.h"
#include "hv/vdev/vcrtc.h"
#include "hv/vdev/vdev.h"
#include "hv/vdev/vhpet.h"
#include "hv/vdev/vioapic.h"
#include "hv/vdev/vpic.h"
#include "hv/vdev/vpit.h"
#include "hv/vdev/vpm.h"
#include "hv/vdev/vreset.h"
#include "hv/vdev/vrtc.h"
#include "hv/vdev/vuart.h"
#include "hv/vpci/vpci.h"
#include "tests/fuzz/fuzz.h"

static struct vuart uart;
static struct vpit pit;
static struct vpic pic;
static struct vhpet hpet;
static struct vrtc rtc;
static struct vpm pm;
static struct vreset reset;
static struct vioapic ioapic;
static struct vcrtc crtc;
static struct vpci pci;
static uint64_t ticks;
static uint64_t seconds;
static uint32_t microseconds;

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_vdev: %s\n", what);
        abort();
    }
}

struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t take8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static uint32_t take32(struct input *in)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value = value << 8 | take8(in);
    return value;
}

static uint32_t port_read(uint16_t port, unsigned size)
{
    uint32_t value = 0;

    switch (vdev_port_lookup(port)) {
    case VDEV_PORT_PIC:
        return vpic_read(&pic, port, size);
    case VDEV_PORT_PIT:
        return vpit_read(&pit, port, size, ticks);
    case VDEV_PORT_61:
        return vpit_port61_read(&pit, ticks);
    case VDEV_PORT_RTC:
        return vrtc_read(&rtc, port, size, seconds, microseconds);
    case VDEV_PORT_RESET:
        return vreset_read(&reset, port, size);
    case VDEV_PORT_CRTC:
        return vcrtc_read(&crtc, port, size);
    case VDEV_PORT_UART:
        for (unsigned i = 0; i < size; i++)
            value |= vdev_byte_at(vuart_read(&uart, port + i - VDEV_UART_BASE), i);
        return value;
    case VDEV_PORT_PCI:
        return vpci_read(&pci, port, size);
    case VDEV_PORT_PM:
        return vpm_read(&pm, (unsigned)port - GUEST_PM1_BASE, size);
    default:
        return vdev_all_ones(size);
    }
}

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
    enum vdev_event event = VDEV_NONE;
    uint8_t tx = 0;

    switch (vdev_port_lookup(port)) {
    case VDEV_PORT_PIC:
        vpic_write(&pic, port, size, value);
        break;
    case VDEV_PORT_PIT:
        vpit_write(&pit, port, size, value, ticks);
        break;
    case VDEV_PORT_61:
        vpit_port61_write(&pit, (uint8_t)value, ticks);
        break;
    case VDEV_PORT_RTC:
        vrtc_write(&rtc, port, size, value, seconds);
        break;
    case VDEV_PORT_RESET:
        event = vreset_write(&reset, port, size, value);
        check(event != VDEV_POWER_OFF, "a reset port powers off");
        break;
    case VDEV_PORT_UART:
        for (unsigned i = 0; i < size; i++) {
            bool sent =
                vuart_write(&uart, port + i - VDEV_UART_BASE, (uint8_t)(value >> 8 * i), &tx);
            check(!sent || port + i == VDEV_UART_BASE, "a byte is sent by another register");
        }
        break;
    case VDEV_PORT_CRTC:
        vcrtc_write(&crtc, port, size, value);
        break;
    case VDEV_PORT_PCI:
        vpci_write(&pci, port, size, value);
        break;
    case VDEV_PORT_PM:
        event = vpm_write(&pm, (unsigned)port - GUEST_PM1_BASE, size, value);
        check(event != VDEV_RESET, "PM1 resets");
        break;
    default:
        break;
    }
}

static void check_message(bool sent, const struct vioapic_message *m)
{
    if (!sent)
        return;
    check(m->delivery == VIOAPIC_FIXED || m->delivery == VIOAPIC_LOWEST ||
              m->delivery == VIOAPIC_NMI,
          "a delivery mode that must never be sent");
    check(m->delivery == VIOAPIC_NMI ? !m->level : m->vector >= 16,
          "a vector that must never be sent");
}

static void check_state(void)
{
    check(uart.rx_count <= VUART_FIFO_SIZE && uart.rx_first < VUART_FIFO_SIZE, "FIFO");
    check(vuart_rx_room(&uart) <= VUART_FIFO_SIZE, "room in the FIFO");
    check(pic.chip[0].lowest < 8 && pic.chip[1].lowest < 8, "priority");
    if (vpic_pending(&pic)) {
        uint8_t vector = vpic_acknowledge(&pic);
        check((vector & 0xf8) == pic.chip[0].base || (vector & 0xf8) == pic.chip[1].base, "vector");
    }
    struct vpit_edge pit_edge;
    if (vpit_next_edge(&pit, ticks, &pit_edge))
        check(pit_edge.at > ticks, "an edge that has passed");
    for (unsigned i = 0; i < VHPET_COMPARATORS; i++) {
        struct vhpet_edge edge;
        vhpet_settle(&hpet, i, ticks);
        if (vhpet_next_edge(&hpet, i, ticks, &edge))
            check(edge.at > ticks, "a match that has passed");
        check((VHPET_GSIS >> vhpet_gsi(&hpet, i) & 1) || vhpet_gsi(&hpet, i) == 0, "route");
    }
    check((pm.control & 1) == 1, "ACPI mode is off");
    check((pm.status & ~0x0100) == 0, "an event that never happens");
    check(crtc.index < VCRTC_REGISTERS, "index of the CRT controller");
    for (unsigned i = 0; i < VPIT_CHANNELS; i++) {
        const struct vpit_channel *c = &pit.channel[i];
        check(c->mode <= 5 && c->count <= 0x10000, "channel");
        check(!c->loaded || c->count > 0, "a count of 0");
    }
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
        check((ioapic.entry[pin] & 0x00fffffffffe5000) == 0, "read-only bits of an entry");
    // A copy: status reads have effects.
    struct vpit copy = pit;
    bool quick = (vpit_port61_read(&copy, ticks) & 0x20) != 0;
    copy.channel[2].status_latched = false;
    vpit_write(&copy, 0x43, 1, 0xe8, ticks);
    check(quick == ((vpit_read(&copy, 0x42, 1, ticks) & 0x80) != 0), "two outputs of channel 2");
}

static void reset_all(void)
{
    vuart_reset(&uart);
    vpit_reset(&pit);
    vrtc_reset(&rtc);
    vpm_reset(&pm);
    vreset_reset(&reset);
    vcrtc_reset(&crtc);
    vioapic_reset(&ioapic);
    vpic_reset(&pic);
    vhpet_reset(&hpet);
    vpci_reset(&pci);
    ticks = 0;
    seconds = 1700000000;
    microseconds = 0;
}

// Ports that are something, so that not all of the input goes to the nobody ports.
static uint16_t interesting_port(uint8_t choice)
{
    const struct vdev_port_range *r = &vdev_port_ranges[choice % vdev_port_range_count];
    unsigned base = r->device == VDEV_PORT_PM ? GUEST_PM1_BASE : 0;
    unsigned ports = r->last - r->first + 1u;
    return (uint16_t)(base + r->first + choice / vdev_port_range_count % ports);
}

static void one_access(struct input *in)
{
    static const uint8_t sizes[4] = {1, 1, 2, 4};
    static const uint32_t offsets[4] = {0x00, 0x10, 0x10, 0x40};
    uint8_t op = take8(in);
    unsigned size = sizes[op >> 6];
    struct vioapic_message m;
    uint32_t value;

    switch (op & 15) {
    case 0:
    case 1:
    case 2:
        value = port_read(interesting_port(take8(in)), size);
        check((value & ~vdev_all_ones(size)) == 0, "a read is wider than its size");
        break;
    case 3:
    case 4:
    case 5:
    case 6: {
        uint16_t port = interesting_port(take8(in));
        port_write(port, size, size == 1 ? take8(in) : take32(in));
        break;
    }
    case 7: {
        uint16_t port = (uint16_t)take32(in);
        port_write(port, size, take32(in));
        port_read(port, size);
        break;
    }
    case 8:
        vuart_rx(&uart, take8(in));
        break;
    case 9:
        vuart_set_tx_ready(&uart, (op & 16) != 0);
        vuart_irq(&uart);
        vuart_take_gated(&uart);
        if (op & 32)
            check(vpm_press_power_button(&pm) == vpm_sci(&pm), "the button's own answer");
        break;
    case 10:
    case 11:
        value = op & 16 ? take32(in) : take8(in);
        check_message(vioapic_write(&ioapic, offsets[op >> 6], value, &m), &m);
        vioapic_read(&ioapic, offsets[op >> 6]);
        break;
    case 12:
        check_message(vioapic_set_line(&ioapic, take8(in), (op & 16) != 0, &m), &m);
        break;
    case 13:
        ticks += op & 16 ? take32(in) : take8(in);
        break;
    case 14:
        seconds = op & 16 ? (uint64_t)take32(in) << (op >> 5) * 4 : seconds + take8(in);
        microseconds = take32(in) % 1000000;
        break;
    default: { // registers with numbers that no port has
        uint32_t offset = take32(in);
        value = take32(in);
        uint8_t tx;
        vuart_write(&uart, offset, (uint8_t)value, &tx);
        vuart_read(&uart, offset);
        vpm_write(&pm, offset, size, value);
        vpm_read(&pm, offset, size);
        check_message(vioapic_write(&ioapic, offset, value, &m), &m);
        vioapic_read(&ioapic, offset);
        vpit_write(&pit, (uint16_t)offset, value % 6, value, ticks);
        vpit_read(&pit, (uint16_t)offset, value % 6, ticks);
        vrtc_write(&rtc, (uint16_t)offset, value % 6, value, seconds);
        vrtc_read(&rtc, (uint16_t)offset, value % 6, seconds, microseconds);
        vpic_write(&pic, (uint16_t)offset, value % 6, value);
        vpic_read(&pic, (uint16_t)offset, value % 6);
        vpic_set_line(&pic, value % 20, offset & 1);
        vhpet_write(&hpet, offset % VHPET_BYTES, size, value, ticks);
        vhpet_write(&hpet, offset % VHPET_BYTES & ~7u, 8, (uint64_t)value << 16 | value, ticks);
        vhpet_read(&hpet, offset, size, ticks);
        vreset_write(&reset, (uint16_t)offset, value % 6, value);
        vreset_read(&reset, (uint16_t)offset, value % 6);
        vpci_write(&pci, (uint16_t)offset, value % 6, value);
        vpci_read(&pci, (uint16_t)offset, value % 6);
        check_message(vioapic_set_line(&ioapic, offset, value & 1, &m), &m);
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    check(vdev_ports_init(GUEST_PM1_BASE) == STATUS_OK, "PM1 has no place");
    reset_all();
    while (in.left > 0) {
        one_access(&in);
        check_state();
    }
    return 0;
}
