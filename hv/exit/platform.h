// SPDX-License-Identifier: Apache-2.0
// The virtual platform of a partition: brings port and device-page accesses to the virtual devices,
// under the partition's device lock, and carries out what they ask for: interrupts, console bytes,
// power-off, reset. All functions run on one of the partition's own CPUs, interrupts off.
#ifndef HV_EXIT_PLATFORM_H
#define HV_EXIT_PLATFORM_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "hv/interrupt/icr.h"
#include "hv/interrupt/vapic.h"
#include "hv/vdev/vdev.h"
#include "hv/vdev/vioapic.h"

struct guest_regs;
struct partition;
struct vcpu;

// One access of 1, 2 or 4 bytes to an I/O port.
uint32_t platform_port_read(struct vcpu *v, uint16_t port, unsigned size);
enum vdev_event platform_port_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);

// A byte from port 0x61: the same, for a caller that knows the port already. Programs poll it while
// they calibrate, and count what fits between two of its changes.
uint8_t platform_port61_read(struct vcpu *v);

// A port written by a string instruction: a power-off or a reset takes effect when that is done
// (vcpu.string_event).
void platform_string_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);

// An access of 1 to 8 bytes where the guest has no RAM. An error: it can't be served.
enum status platform_mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
enum status platform_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);

// Whether the address is in the page of the partition's HPET, if it has one.
bool platform_has_hpet(const struct partition *p, gpa_t address);

// Carries out a power-off, a reset, or a BIOS call. True: the guest goes on behind the instruction.
bool platform_event(struct vcpu *v, enum vdev_event event, struct guest_regs *regs);

// Carries out what a write to the virtual APIC asks for. False: #GP(0) is to be injected.
bool platform_apic_action(struct vcpu *v, enum vapic_action action,
                          const struct icr_verdict *verdict);

#endif
