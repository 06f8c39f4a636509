// SPDX-License-Identifier: Apache-2.0
// The virtual platform of a partition. It takes port and device-page accesses to the virtual
// devices, under the partition's device lock, and does what the devices ask for: interrupts,
// console bytes, power-off, reset. All functions run on one of the partition's own CPUs, interrupts
// off.
#ifndef HV_EXIT_PLATFORM_H
#define HV_EXIT_PLATFORM_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"
#include "hv/interrupt/vapic.h"
#include "hv/vdev/vdev.h"

struct guest_regs;
struct partition;
struct vcpu;

// One access of 1, 2 or 4 bytes to an I/O port.
uint32_t platform_port_read(struct vcpu *v, uint16_t port, unsigned size);
enum vdev_event platform_port_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);

// Reads port 0x61, for a caller that knows the port already. Programs poll this port while they
// calibrate, and count the polls between two changes, so speed matters.
uint8_t platform_port61_read(struct vcpu *v);

// Writes a port for a string instruction. A power-off or a reset takes effect when the instruction
// is done (vcpu.string_event).
void platform_string_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);

// An access of 1 to 8 bytes where the guest has no RAM. Returns an error if it can't be served.
enum status platform_mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
enum status platform_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);

// Whether the address is in the page of the partition's HPET, if it has one.
bool platform_has_hpet(const struct partition *p, gpa_t address);

// Does a power-off, a reset, or a BIOS call. True: the guest continues after the instruction.
bool platform_event(struct vcpu *v, enum vdev_event event, struct guest_regs *regs);

// Does what a write to the virtual APIC asks for. False: #GP(0) is to be injected.
bool platform_apic_action(struct vcpu *v, enum vapic_action action,
                          const struct icr_verdict *verdict);

#endif
