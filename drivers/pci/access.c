// SPDX-License-Identifier: Apache-2.0
// Accesses to configuration space and to device registers (PCI Local Bus Specification 3.0, section
// 3.2.2.3.2; PCI Express Base Specification, section 7.2.2). Not for host tests.
#include "arch/cpu/io_sized.h"
#include "arch/lib/spinlock.h"
#include "arch/memory/mmu.h"
#include "arch/memory/window_slot.h"
#include "drivers/pci/raw.h"

#define PORT_ADDRESS   0xcf8
#define PORT_DATA      0xcfc
#define ADDRESS_ENABLE 0x80000000u

#define PTE_UNCACHED (BIT(4) | BIT(3)) // PCD and PWT: the fourth PAT entry, which is UC

// Makes an access one step, because address and data are two ports. The holder is never interrupted
// by code that takes the lock: interrupts are off in the hypervisor, and the NMI handler does not
// use it.
static struct spinlock ports;

static void select(pci_address_t a, unsigned offset)
{
    io_write(PORT_ADDRESS, 4, ADDRESS_ENABLE | (a.v & 0xffff) << 8 | (offset & 0xfc));
}

uint32_t pci_port_read(pci_address_t a, unsigned offset, unsigned size)
{
    uint16_t port = (uint16_t)(PORT_DATA + (offset & 3));
    spin_lock(&ports);
    select(a, offset);
    uint32_t value = io_read(port, size);
    spin_unlock(&ports);
    return value;
}

void pci_port_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    uint16_t port = (uint16_t)(PORT_DATA + (offset & 3));
    spin_lock(&ports);
    select(a, offset);
    io_write(port, size, value);
    spin_unlock(&ports);
}

volatile void *pci_page_map(hpa_t page)
{
    return mmu_map_device(page, PAGE_SIZE);
}

// For memory-mapped configuration space AMD's processors accept only MOV to or from AL, AX and EAX
// (BKDG for Family 10h, section 2.11.1), so the instructions are written out.
uint32_t pci_page_read(volatile void *page, unsigned offset, unsigned size)
{
    volatile uint8_t *p = (volatile uint8_t *)page + offset;
    uint32_t value = 0;
    if (size == 1) {
        __asm__ volatile("movb (%1), %b0" : "+a"(value) : "r"(p) : "memory");
    } else if (size == 2) {
        __asm__ volatile("movw (%1), %w0" : "+a"(value) : "r"(p) : "memory");
    } else {
        __asm__ volatile("movl (%1), %0" : "+a"(value) : "r"(p) : "memory");
    }
    return value;
}

void pci_page_write(volatile void *page, unsigned offset, unsigned size, uint32_t value)
{
    volatile uint8_t *p = (volatile uint8_t *)page + offset;
    if (size == 1) {
        __asm__ volatile("movb %b0, (%1)" : : "a"(value), "r"(p) : "memory");
    } else if (size == 2) {
        __asm__ volatile("movw %w0, (%1)" : : "a"(value), "r"(p) : "memory");
    } else {
        __asm__ volatile("movl %0, (%1)" : : "a"(value), "r"(p) : "memory");
    }
}

static volatile uint32_t *open_device(hpa_t address)
{
    this_cpu()->window[SLOT_TO] = (address.v & ~PAGE_MASK) | PTE_WINDOW | PTE_UNCACHED;
    return (volatile uint32_t *)(PERCPU_WINDOW + SLOT_TO * PAGE_SIZE + (address.v & PAGE_MASK));
}

uint32_t pci_device_read(hpa_t address)
{
    uint32_t value = *open_device(address);
    window_close(SLOT_TO);
    return value;
}

void pci_device_write(hpa_t address, uint32_t value)
{
    *open_device(address) = value;
    window_close(SLOT_TO);
}
