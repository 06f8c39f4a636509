// SPDX-License-Identifier: Apache-2.0
// USB host controllers: ends the firmware's legacy support, which makes a USB keyboard look like a
// PS/2 one, so that system management code no longer drives the controller. UHCI Design Guide 1.1,
// section 5.2; OHCI 1.0a, section 5.1.1.3.3; EHCI 1.0, sections 2.1.7 and 5.1; xHCI 1.2, section
// 7.1.
#include "arch/cpu/tsc.h"
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/pci/parts.h"
#include "drivers/pci/raw.h"

#define HANDOFF_US   1000000u
#define HANDOFF_STEP 1000u

#define UHCI_LEGACY     0xc0
#define UHCI_LEGACY_OFF 0x8f00u // no traps, no SMI; ones clear the bits that report them

#define OHCI_CONTROL   0x04
#define OHCI_STATUS    0x08
#define OHCI_ROUTED    BIT(8) // interrupts go to system management mode
#define OHCI_REQUESTED BIT(3)

#define EHCI_PARAMETERS  0x08
#define EHCI_EECP(p)     ((p) >> 8 & 0xffu)
#define XHCI_PARAMETERS  0x10
#define XHCI_XECP(p)     ((p) >> 16) // in doublewords
#define LEGACY_ID        1u
#define LEGACY_FIRMWARE  BIT(16)
#define LEGACY_SYSTEM    BIT(24)
#define LEGACY_CONTROL   4
#define EHCI_CONTROL_OFF 0xe0000000u // no SMI; ones clear what is pending
#define XHCI_CONTROL_OFF 0xe0000000u
#define MAX_CAPABILITIES 64u

// A register of the legacy support: in configuration space for EHCI, in BAR 0 for xHCI and OHCI.
struct usb_register {
    const struct pci_function *f;
    bool in_bar;
    uint64_t offset;
};

static uint32_t get(struct usb_register r)
{
    return r.in_bar ? pci_device_read(hpa(r.f->bar[0].address + r.offset))
                    : pci_config_read(r.f->address, (unsigned)r.offset, 4);
}

static void put(struct usb_register r, uint32_t value)
{
    if (r.in_bar) {
        pci_device_write(hpa(r.f->bar[0].address + r.offset), value);
    } else {
        pci_config_write(r.f->address, (unsigned)r.offset, 4, value);
    }
}

static bool wait_clear(struct usb_register r, uint32_t bits)
{
    uint64_t begin = time_us();
    while (get(r) & bits) {
        if (time_us() - begin >= HANDOFF_US) {
            return false;
        }
        delay_us(HANDOFF_STEP);
    }
    return true;
}

static void tell_refusal(const struct pci_function *f)
{
    char text[PCI_TEXT_SIZE];
    print("device %s: the firmware doesn't give up the USB controller; it was taken\n",
          pci_text(f->address, text));
}

// Requests ownership through the capability at `r`, and takes it if the firmware does not give it
// up.
static void take(struct usb_register r, uint32_t off)
{
    uint32_t value = get(r);
    if (value & LEGACY_FIRMWARE) {
        put(r, value | (uint32_t)LEGACY_SYSTEM);
        if (!wait_clear(r, (uint32_t)LEGACY_FIRMWARE)) {
            tell_refusal(r.f);
            put(r, (get(r) & ~(uint32_t)LEGACY_FIRMWARE) | (uint32_t)LEGACY_SYSTEM);
        }
    }
    r.offset += LEGACY_CONTROL;
    put(r, off);
}

// Whether registers in the first `size` bytes of BAR 0 can be reached. Firmware that left memory
// decoding off does not use the controller.
static bool reachable(const struct pci_function *f, uint64_t size)
{
    return pci_bar_is_memory(f->bar[0].kind) && f->bar[0].address != 0 && f->bar[0].size >= size &&
           (pci_config_read(f->address, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
}

static void take_ohci(const struct pci_function *f)
{
    struct usb_register control = {f, true, OHCI_CONTROL};
    struct usb_register status = {f, true, OHCI_STATUS};
    if (!reachable(f, OHCI_STATUS + 4) || !(get(control) & OHCI_ROUTED)) {
        return;
    }
    put(status, OHCI_REQUESTED);
    if (!wait_clear(control, OHCI_ROUTED)) {
        tell_refusal(f);
        put(control, get(control) & ~(uint32_t)OHCI_ROUTED);
    }
}

static void take_ehci(const struct pci_function *f)
{
    if (!reachable(f, EHCI_PARAMETERS + 4)) {
        return;
    }
    struct usb_register at = {f, true, EHCI_PARAMETERS};
    uint32_t offset = EHCI_EECP(get(at));
    at.in_bar = false;
    for (unsigned i = 0; i < MAX_CAPABILITIES; i++) {
        at.offset = offset & ~3u;
        if (at.offset < PCI_CAP_FIRST || at.offset + LEGACY_CONTROL + 4 > 256) {
            return;
        }
        uint32_t value = get(at);
        if ((value & 0xff) == LEGACY_ID) {
            take(at, EHCI_CONTROL_OFF);
            return;
        }
        offset = value >> 8 & 0xff;
    }
}

static void take_xhci(const struct pci_function *f)
{
    if (!reachable(f, XHCI_PARAMETERS + 4)) {
        return;
    }
    struct usb_register at = {f, true, XHCI_PARAMETERS};
    uint64_t step = XHCI_XECP(get(at));
    at.offset = 0;
    for (unsigned i = 0; i < MAX_CAPABILITIES && step != 0; i++) {
        at.offset += step * 4;
        if (at.offset + LEGACY_CONTROL + 4 > f->bar[0].size) {
            return;
        }
        uint32_t value = get(at);
        if ((value & 0xff) == LEGACY_ID) {
            take(at, XHCI_CONTROL_OFF);
            return;
        }
        step = value >> 8 & 0xff;
    }
}

void pci_take_usb(const struct pci_function *f)
{
    switch (f->class_code) {
    case PCI_CLASS_UHCI:
        pci_config_write(f->address, UHCI_LEGACY, 2, UHCI_LEGACY_OFF);
        break;
    case PCI_CLASS_OHCI:
        take_ohci(f);
        break;
    case PCI_CLASS_EHCI:
        take_ehci(f);
        break;
    case PCI_CLASS_XHCI:
        take_xhci(f);
        break;
    default:
        break;
    }
}
