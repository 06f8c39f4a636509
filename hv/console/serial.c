// SPDX-License-Identifier: Apache-2.0
// Opens the console's serial port and protects it: hv/console/serial.h. The choice is made with
// hv/machine/serial_choice.c. I/O ports of the console are among the machine's kept ports. Its
// register page is withheld from devices that are given away (hv/device/give.c), and the audit
// looks for it (hv/start/audit_input.c). Its PCI function belongs to no partition
// (hv/device/assign.c).
#include "hv/console/serial.h"

#include "arch/cpu/tsc.h"
#include "arch/lib/format.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "boot/options.h"
#include "drivers/console/console.h"
#include "drivers/uart/uart.h"
#include "hv/machine/ioapic_pin.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/machine/serial_choice.h"

#define TEXT_SIZE 64

// A full FIFO at 9600 baud takes 17 ms to drain. Only then the transmitter's interrupt comes.
#define INTERRUPT_WAIT_US 30000u

static struct serial_wish wish;
static char wish_text[TEXT_SIZE]; // as written on the command line
static bool settled;

// ---- opening ---------------------------------------------------------------------------------

static const char *text_of(const struct acpi_serial *serial, char text[TEXT_SIZE])
{
    for (unsigned i = 0; i < UART_COMS; i++) {
        if (!serial->memory && serial->address == uart_coms[i].port) {
            format(text, TEXT_SIZE, "COM%u", i + 1);
            return text;
        }
    }
    format(text, TEXT_SIZE, "the serial port at %s0x%lx", serial->memory ? "" : "I/O port ",
           serial->address);
    return text;
}

static void keep_ports(uint64_t first, uint64_t count)
{
    machine_kept_ports[machine_kept_port_count++] = (struct io_range){
        (uint16_t)first, (uint16_t)(first + count - 1),
        "the hypervisor's console (console= on its command line chooses another)"};
}

static void take(const struct acpi_serial *serial)
{
    machine.serial = *serial;
    if (!serial->memory) {
        keep_ports(serial->address, serial_size(serial));
    }
    settled = true;
}

static void let_through(const struct pci_function *f, bool memory)
{
    uint32_t command = pci_config_read(f->address, PCI_COMMAND, 2);

    pci_open_bridges(&machine_pci.pci, f);
    pci_config_write(f->address, PCI_COMMAND, 2,
                     command | (memory ? PCI_COMMAND_MEMORY : PCI_COMMAND_IO));
}

// Opens the port. Returns NULL, or why it can't be used.
static const char *open(const struct acpi_serial *serial)
{
    struct uart_place place = {
        .port = (uint16_t)serial->address, .shift = serial->shift, .width = serial->width};
    struct page_range pages = serial_pages(serial);

    if (serial->memory && machine_is_ram(&pages)) {
        return "its registers lie in memory that is free to use, says the loader";
    }
    if (serial->memory) {
        place.regs = (volatile uint8_t *)mmu_map_device(hpa(serial->address), serial_size(serial));
        if (place.regs == NULL) {
            return "there is no memory to map its registers";
        }
    }
    if (!console_open_uart(&place, wish.has_divisor ? wish.divisor : serial->divisor)) {
        return "no 16550 answers there";
    }
    take(serial);
    return NULL;
}

// ---- choosing --------------------------------------------------------------------------------

// Finds the port that was asked for. Returns NULL, or why there is none.
static const char *find(struct acpi_serial *serial)
{
    const struct acpi_info *acpi = &machine.acpi;
    int index;

    *serial = (struct acpi_serial){0};
    switch (wish.kind) {
    case SERIAL_PORT:
        *serial = serial_at_port(wish.port);
        return NULL;
    case SERIAL_ACPI:
        *serial = acpi->spcr;
        if (!serial->found && acpi->dbg2.found) {
            *serial = serial_of_debug_port(&acpi->dbg2);
        }
        return serial->found ? NULL : "neither ACPI's SPCR nor DBG2 names one like a 16550";
    case SERIAL_PCI:
        index = pci_find(&machine_pci.pci, wish.function);
        return index < 0 ? "there is no such PCI function"
                         : serial_of_function(&machine_pci.pci.function[index], serial);
    default:
        *serial = acpi->spcr;
        return serial->found ? NULL : "";
    }
}

// Opens a port that every PC has, or at least an emulator.
static void open_usual(void)
{
    unsigned com = console_open_com();

    if (com != 0) {
        struct acpi_serial serial = serial_at_port(uart_coms[com - 1].port);

        take(&serial);
        return;
    }
    print("no serial port at 0x%x, 0x%x, 0x%x or 0x%x: there is no keyboard, and this shows on "
          "port 0xe9 if the machine is an emulator that has it\n",
          uart_coms[0].port, uart_coms[1].port, uart_coms[2].port, uart_coms[3].port);
    if (console_open_debug_port()) {
        keep_ports(CONSOLE_DEBUG_PORT, 1);
    } else {
        console_open_none();
    }
    settled = true;
}

static bool is_late(const struct acpi_serial *serial)
{
    return serial->memory || serial->pci;
}

static void choose(bool late)
{
    struct acpi_serial serial;
    char text[TEXT_SIZE];

    if (wish.kind == SERIAL_NONE) {
        console_open_none();
        settled = true;
        return;
    }
    if (wish.kind == SERIAL_PCI && !late) {
        return;
    }
    const char *why = find(&serial);

    if (why == NULL && is_late(&serial) && !late) {
        return;
    }
    const struct pci_function *f =
        why == NULL && late ? serial_owner(&machine_pci.pci, &serial) : NULL;

    if (f != NULL) {
        let_through(f, serial.memory);
    }
    if (why == NULL) {
        why = open(&serial);
    }
    if (why == NULL) {
        if (serial.address != uart_coms[0].port) {
            print("the console is %s%s\n", text_of(&serial, text),
                  wish.kind == SERIAL_DEFAULT ? ", says ACPI's SPCR" : "");
        }
    } else if (wish.kind != SERIAL_DEFAULT) {
        print("console=%s on the command line can't be had: %s; the default is used instead\n",
              wish_text, why);
        wish = (struct serial_wish){.kind = SERIAL_DEFAULT};
        choose(late);
    } else {
        if (why[0] != '\0') {
            print("the console is not %s, as ACPI's SPCR says: %s\n", text_of(&serial, text), why);
        }
        open_usual();
    }
}

void serial_choose(void)
{
    if (boot_option(machine.boot.cmdline, "console", wish_text, sizeof(wish_text)) &&
        !serial_parse(wish_text, &wish)) {
        print("console=%s on the command line is none of com1 to com4, 0xPORT, acpi, pci:BB:DD.F "
              "and none, perhaps with a comma and the speed; the default is used instead\n",
              wish_text);
    }
    choose(false);
}

void serial_choose_late(void)
{
    if (!settled) {
        choose(true);
    }
    if (machine.serial.found) {
        machine.serial_function = serial_owner(&machine_pci.pci, &machine.serial);
    }
}

// ---- the interrupt ---------------------------------------------------------------------------

// Whether the port's interrupt reaches this CPU as an NMI; the empty transmitter raises it for this
// test. The test is needed because what firmware says about the interrupt, or leaves in a PCI
// function's register, may not be the IOAPIC input that is really wired.
static bool arrives(const struct ioapic_input *input)
{
    struct irq_route route = {.apic_id = this_cpu()->apic_id, .nmi = true};
    volatile uint8_t *taken = &this_cpu()->nmi_taken;

    if (ioapic_pin_route(input, &route) != STATUS_OK) {
        return false;
    }
    *taken = 0;
    uart_enable_interrupts(false, true);
    for (uint64_t begin = time_us(); *taken == 0 && time_us() - begin < INTERRUPT_WAIT_US;) {
        __builtin_ia32_pause();
    }
    bool came = *taken != 0;

    uart_enable_interrupts(false, false);
    (void)uart_interrupt_pending(); // the read acknowledges it
    *taken = 0;
    return came;
}

static bool route(void)
{
    struct irq_route to_console = {.apic_id = cpus[machine.console_cpu]->apic_id, .nmi = true};
    const struct pci_function *f = machine.serial_function;
    struct ioapic_input input;
    uint32_t command = f != NULL ? pci_config_read(f->address, PCI_COMMAND, 2) : 0;

    if (!serial_input(&machine.acpi, &machine.serial, &input)) {
        return false;
    }
    // Edge-triggered, whatever the line is. A level-triggered NMI would come again and again while
    // a device holds the line. console_poll() therefore polls until the line has been low.
    if (f != NULL) {
        pci_config_write(f->address, PCI_COMMAND, 2, command & ~PCI_COMMAND_INTX_DISABLE);
    }
    if (arrives(&input) && ioapic_pin_route(&input, &to_console) == STATUS_OK) {
        return true;
    }
    ioapic_pin_route(&input, NULL);
    if (f != NULL) {
        pci_config_write(f->address, PCI_COMMAND, 2, command);
    }
    return false;
}

void serial_route(void)
{
    char text[TEXT_SIZE];

    if (!machine.serial.found || route()) {
        return;
    }
    bool nobodys = machine.cpu_owner[machine.console_cpu].partition == BLOB_NOBODY;

    console_set_interrupt(false);
    machine.serial_polled = nobodys;
    if (nobodys) {
        print("no interrupt of %s arrives: CPU %u looks at it by the clock\n",
              text_of(&machine.serial, text), machine.console_cpu);
    } else {
        print("no interrupt of %s arrives, and no CPU is free to look at it: the console has no "
              "keyboard\n",
              text_of(&machine.serial, text));
    }
}
