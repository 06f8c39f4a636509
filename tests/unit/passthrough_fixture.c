// SPDX-License-Identifier: Apache-2.0
// What stands in for the hardware around hv/device/*.c; see passthrough_fixture.h.
#include "tests/unit/passthrough_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu/io_sized.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/exceptions.h"
#include "arch/lib/format.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "drivers/ioapic/ioapic.h"
#include "hv/device/assign.h"
#include "hv/device/passthrough.h"
#include "hv/machine/guest_platform.h"
#include "hv/partition/deliver.h"
#include "hv/partition/log.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_print.h"

struct fixture fix;
struct machine machine;
struct partition *partitions[MAX_PARTITIONS];
unsigned partition_count;
struct io_range machine_kept_ports[MACHINE_MAX_KEPT_PORTS];
unsigned machine_kept_port_count;
struct cpu *cpus[MAX_CPUS];
static struct cpu first_cpu = {.apic_id = FIX_ID(0)};
static volatile uint32_t ioapic_registers[8];

// ---- the IOMMU ------------------------------------------------------------------------------

static enum status probe(const struct acpi_info *acpi, const struct pci_machine *pci, char *error,
                         size_t size)
{
    (void)acpi;
    (void)pci;
    format(error, size, "its probe");
    return fix.probe_status;
}

static enum status probe_nothing(const struct acpi_info *acpi, const struct pci_machine *pci,
                                 char *error, size_t size)
{
    (void)acpi;
    (void)pci;
    (void)error;
    (void)size;
    return ERR_NOT_FOUND;
}

static enum status enable(char *error, size_t size)
{
    format(error, size, "its enabling");
    return fix.enable_status;
}

static enum status domain_create(struct iommu_domain *d, uint16_t id)
{
    d->id = id;
    d->created = true;
    return pt_create(&d->tables, &pt_format_vtd, 1);
}

static void domain_flush(struct iommu_domain *d)
{
    assert(d->created);
    fix.domain_flushes++;
}

static enum status attach(uint16_t requester, struct iommu_domain *d)
{
    assert(requester == fix.device->function.requester && d->created);
    fix.attached++;
    return fix.attach_status;
}

static void detach(uint16_t requester)
{
    assert(requester == fix.device->function.requester);
    fix.detached++;
}

static enum status irq_alloc(uint16_t requester, unsigned count, unsigned *first)
{
    assert(requester == fix.device->function.requester && (count & (count - 1)) == 0);
    *first = count;
    return 2 * count <= FIX_HANDLES ? STATUS_OK : ERR_NO_MEMORY;
}

static void irq_set(uint16_t requester, unsigned handle, const struct irq_route *route)
{
    assert(requester == fix.device->function.requester && handle < FIX_HANDLES);
    fix.routed[handle] = route != NULL;
    fix.route[handle] = route != NULL ? *route : (struct irq_route){0};
    fix.route_changes++;
}

static void irq_message(uint16_t requester, unsigned first, struct msi_message *out)
{
    assert(requester == fix.device->function.requester && first < FIX_HANDLES);
    *out = (struct msi_message){0xfee00000u | FIX_MESSAGE | first << 5, 0};
}

static enum status ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                                bool active_low, uint64_t *entry)
{
    assert(ioapic == 1);
    *entry = 1ull << 48 | (uint64_t)pin << 32 | (uint64_t)active_low << 13 | route->vector;
    return route->vector == 0xee ? ERR_NO_MEMORY : STATUS_OK;
}

static bool take_fault(struct iommu_fault *out, bool *lost)
{
    *lost = false;
    if (fix.fault_count == 0) {
        return false;
    }
    *out = *fix.faults++;
    fix.fault_count--;
    return true;
}

static void quiet(uint16_t requester)
{
    assert(requester == fix.device->function.requester);
    fix.quieted++;
}

static void fault_hold(bool hold)
{
    fix.faults_held = hold;
}

const struct iommu_ops vtd_ops = {
    .name = "VT-d",
    .probe = probe,
    .enable = enable,
    .domain_create = domain_create,
    .domain_flush = domain_flush,
    .attach = attach,
    .detach = detach,
    .irq_alloc = irq_alloc,
    .irq_set = irq_set,
    .irq_message = irq_message,
    .ioapic_entry = ioapic_entry,
    .take_fault = take_fault,
    .quiet = quiet,
    .fault_hold = fault_hold,
};
const struct iommu_ops amdvi_ops = {.name = "AMD-Vi", .probe = probe_nothing};

// ---- the IOAPIC, in place of the register pair ----------------------------------------------

void __wrap_ioapic_put(volatile uint32_t *regs, unsigned pin, uint64_t entry);
enum status __wrap_ioapic_set(volatile uint32_t *regs, unsigned pin,
                              const struct ioapic_route *route);
uint64_t __wrap_ioapic_get(volatile uint32_t *regs, unsigned pin);

void __wrap_ioapic_put(volatile uint32_t *regs, unsigned pin, uint64_t entry)
{
    assert(regs == ioapic_registers && pin < 24);
    fix.pin[pin] = entry;
}

// What the real one refuses is no route of ours.
enum status __wrap_ioapic_set(volatile uint32_t *regs, unsigned pin,
                              const struct ioapic_route *route)
{
    assert(route->vector >= 16 && route->mode == IOAPIC_MODE_FIXED && route->apic_id != 0xff);
    __wrap_ioapic_put(regs, pin, ioapic_encode(route));
    return STATUS_OK;
}

uint64_t __wrap_ioapic_get(volatile uint32_t *regs, unsigned pin)
{
    assert(regs == ioapic_registers && pin < 24);
    return fix.pin[pin];
}

void deliver_judge(const struct partition *p, const struct vioapic_message *m,
                   struct icr_verdict *verdict)
{
    icr_check(&p->topology, 0, (uint64_t)m->destination << 56 | 1u << 14 | m->vector, false,
              verdict);
}

// ---- PCI ------------------------------------------------------------------------------------

void pci_scan(struct pci_machine *pci)
{
    pci->count = 0;
}

enum status pci_map_config(struct pci_machine *pci, const struct acpi_info *acpi)
{
    (void)pci;
    (void)acpi;
    return fix.map_status;
}

void pci_find_groups(struct pci_machine *pci)
{
    (void)pci;
}

void pci_quiesce(const struct pci_machine *pci)
{
    (void)pci;
}

void pci_open_bridges(const struct pci_machine *pci, const struct pci_function *f)
{
    (void)pci;
    (void)f;
}

const char *pci_class_name(uint32_t class_code)
{
    return class_code == 0x020000 ? "Ethernet controller" : "device";
}

enum status pci_reset_function(const struct pci_machine *pci, const struct pci_function *f)
{
    assert(pci == &machine_pci.pci && f == &pci->function[0]);
    fix.resets++;
    fake_pci_set(fix.device, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    return fix.reset_status;
}

void pci_restore_bars(const struct pci_function *f)
{
    assert(f == &machine_pci.pci.function[0]);
    fix.restores++;
}

enum status assign_devices(const struct assign_input *in, int owner[PCI_MAX_FUNCTIONS],
                           void (*report)(const char *text))
{
    assert(in->pci == &machine_pci.pci);
    assert(in->console == machine.serial_function);
    assert(in->kept_count <= ARRAY_SIZE(fix.kept));
    fix.kept_count = in->kept_count;
    memcpy(fix.kept, in->kept, in->kept_count * sizeof(fix.kept[0]));
    owner[0] = 0;
    report("assigned");
    return STATUS_OK;
}

// ---- the rest -------------------------------------------------------------------------------

volatile uint32_t *mmu_map_device(hpa_t address, uint64_t size)
{
    uint64_t offset = address.v - fix.device->function.bar[3].address;
    assert(offset + size <= FIX_BAR3_SIZE);
    return fix.bar3 + offset / 4;
}

uint32_t io_read(uint16_t port, unsigned size)
{
    fix.port = port;
    fix.port_accesses++;
    return size == 4 ? fix.port_value : fix.port_value & ((1u << 8 * size) - 1);
}

void io_write(uint16_t port, unsigned size, uint32_t value)
{
    (void)size;
    fix.port = port;
    fix.port_value = value;
    fix.port_accesses++;
}

static void flush(struct vcpu *v)
{
    assert(v == &fix.vcpu[0]);
    fix.flushes++;
}

static const struct virt_ops ops = {.name = "fake", .flush = flush};
const struct virt_ops *virt = &ops;

void vcpu_post(struct vcpu *v, uint64_t work)
{
    fix.posted[v->index] |= work;
}

void apic_send_nmi(uint32_t id)
{
    fix.nmi_to = id;
}

uint64_t time_us(void)
{
    return fix.time;
}

void delay_us(uint64_t us)
{
    fix.delayed += us;
    fix.time += us;
}

uint32_t machine_console_gsi(void)
{
    return 4;
}

bool log_allows(struct partition *p, unsigned lines)
{
    uint32_t hidden;
    return log_share_take(&p->log, time_us(), lines, &hidden);
}

void log_guest(struct vcpu *v, const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    print("%s/%u: %s\n", v->partition->name, v->index, text);
}

_Noreturn void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

// ---- setting up -----------------------------------------------------------------------------

static void make_device(uint16_t msi_control)
{
    fake_pci_init();
    fix.device = fake_pci_network();
    fake_pci_set(fix.device, 0xa4, 4, FIX_TABLE | 3); // its MSI-X table
    fake_pci_set(fix.device, 0xa8, 4, (FIX_TABLE + 0x800) | 3);
    fake_pci_set(fix.device, 0xd2, 2, msi_control);
    fix.device->function.requester = 0x18;
    fix.device->function.interrupt_line = FIX_PIN;
    machine_pci.pci.count = 1;
    machine_pci.pci.function[0] = fix.device->function;
    machine_pci.owner[0] = 0;
}

void fix_machine(bool remapping, uint16_t msi_control)
{
    uint64_t now = fix.time; // never runs backwards: the fault share remembers
    memset(&fix, 0, sizeof(fix));
    fix.time = now + 1000000;
    fix.probe_status = ERR_NOT_FOUND;
    cpus[0] = &first_cpu;
    memset(&machine, 0, sizeof(machine));
    memset(&machine_pci, 0, sizeof(machine_pci));
    fake_heap_reset();
    fake_print_clear();
    make_device(msi_control);
    iommu = remapping ? &vtd_ops : NULL;
    machine.acpi.ioapic_count = 1;
    machine.acpi.ioapics[0] = (struct acpi_ioapic){.id = 1, .address = 0xfec00000};
    machine.ioapic[0] = ioapic_registers;

    struct partition *p = &fix.partition;
    p->name = "alpha";
    p->config = &fix.config;
    fix.config.devices.count = 1;
    p->vcpu_count = 2;
    p->topology.vcpu_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        fix.vcpu[i].partition = p;
        fix.vcpu[i].index = i;
        fix.vcpu[i].physical_id = FIX_ID(i);
        p->vcpus[i] = &fix.vcpu[i];
        p->topology.vcpu[i] = (struct icr_target){APIC_XAPIC, 1, 1u << i, 0};
    }
    p->ram.count = 1;
    p->ram.region[0] = (struct guest_ram_region){.gpa = 0, .hpa = 0x40000000, .size = MIB(4)};
    partitions[0] = p;
    partition_count = 1;
    assert(pt_create(&p->second_level, &pt_format_npt, 1) == STATUS_OK);
}

void fix_start(bool remapping, uint16_t msi_control)
{
    fix_machine(remapping, msi_control);
    struct partition *p = &fix.partition;
    enum status s = passthrough_create(p);
    s = s == STATUS_OK ? passthrough_wire_pins() : s;
    assert(s == STATUS_OK);
    fix.d = &p->passthrough->device[0];
    fix.virt = fix.d->virt;
    passthrough_start(p);
}

void fix_config(unsigned offset, unsigned size, uint32_t value)
{
    uint32_t at = (uint32_t)fix.virt->devfn << 12 | offset;
    passthrough_mmio_write(&fix.vcpu[0], (gpa_t){GUEST_ECAM_ADDRESS + at}, size, value);
}

uint32_t fix_config_read(unsigned offset, unsigned size)
{
    uint32_t at = (uint32_t)fix.virt->devfn << 12 | offset;
    return (uint32_t)passthrough_mmio_read(&fix.vcpu[0], (gpa_t){GUEST_ECAM_ADDRESS + at}, size);
}

uint32_t fix_msix(unsigned vector, unsigned word)
{
    return fix.bar3[FIX_TABLE / 4 + vector * 4 + word];
}
