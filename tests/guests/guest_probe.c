// SPDX-License-Identifier: Apache-2.0
// probe.elf: looks at the machine from inside, as an operating system would, and at what a guest
// must not reach. One line per check. With env=bare on its command line it leaves out what only
// holds in a partition.

#include "tests/guests/guest.h"

enum {
    UD = 6,
    GP = 13,
    UART_VECTOR = 0x61,
    ERROR_VECTOR = 0x62,
    MSR_EFER = 0xc0000080,
    MSR_VM_CR = 0xc0010114,
    MSR_VM_HSAVE_PA = 0xc0010117,
    MSR_SMM_BASE = 0xc0010111,
    MSR_MICROCODE_LOADER = 0xc0010020,
    MSR_NOT_THERE = 0x4321,
    EFER_SVME = 1 << 12,
    TRIES = 40, // of a measurement, on a machine that is busy with others
};

static volatile uint64_t uart_interrupts;

static bool near(uint64_t a, uint64_t b, unsigned percent)
{
    uint64_t difference = a > b ? a - b : b - a;
    return difference * 100 <= a * percent;
}

static uint32_t load32(uint64_t address)
{
    uint32_t value;
    memcpy(&value, (const void *)address, sizeof(value));
    return value;
}

static uint16_t load16(uint64_t address)
{
    uint16_t value;
    memcpy(&value, (const void *)address, sizeof(value));
    return value;
}

static void test_cpuid(bool partition)
{
    if (!partition)
        return;
    struct cpuid r = cpuid(0x40000000, 0);
    check(cpuid(1, 0).ecx >> 31, "cpuid says there is a hypervisor");
    check(r.eax >= 0x40000010 && r.eax < 0x40000100, "hypervisor leaves reach 0x40000010: 0x%x",
          r.eax);
    check(r.ebx && r.ecx && r.edx && r.ebx != 0x4b4d564b, "hypervisor signature of our own");
    uint64_t by_pit = 0;
    for (unsigned i = 0; i < TRIES && !near(by_pit, cpuid(0x40000010, 0).eax, 10); i++)
        by_pit = tsc_khz_by_pit();
    check(near(by_pit, cpuid(0x40000010, 0).eax, 10),
          "TSC frequency in cpuid (%u kHz) is what the PIT says", cpuid(0x40000010, 0).eax);
    r = cpuid(0x40000100, 0);
    check(r.ebx == 0x4b4d564b && r.ecx == 0x564b4d56 && r.edx == 0x4d, "KVM signature beside it");
    check(cpuid(0x40000101, 0).eax == 0, "without feature bits");
    check(!(cpuid(0x80000001, 0).ecx & 4) && !(cpuid(1, 0).ecx & (1 << 5)),
          "cpuid offers no virtualization");
}

static void test_msrs(bool partition)
{
    static const struct {
        uint32_t msr;
        const char *name;
    } denied[] = {
        {MSR_VM_CR, "VM_CR"},
        {MSR_VM_HSAVE_PA, "VM_HSAVE_PA"},
        {MSR_SMM_BASE, "SMM_BASE"},
        {MSR_MICROCODE_LOADER, "microcode loader"},
        {MSR_NOT_THERE, "not there"},
        {0x480, "VMX capabilities"},
        {0xc0002000, "last of no range"},
        {0x40000000, "Hyper-V guest OS ID"},
    };
    uint64_t value;

    if (!partition)
        return;
    for (unsigned i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
        if (denied[i].msr != MSR_VM_CR) // its reading harms nobody
            check(try_rdmsr(denied[i].msr, &value) == GP, "RDMSR 0x%x (%s) gives #GP",
                  denied[i].msr, denied[i].name);
        check(try_wrmsr(denied[i].msr, 0x1000) == GP, "WRMSR 0x%x (%s) gives #GP", denied[i].msr,
              denied[i].name);
    }
    uint64_t efer = rdmsr(MSR_EFER);
    check(!(efer & EFER_SVME), "EFER.SVME reads 0");
    int vector = try_wrmsr(MSR_EFER, efer | EFER_SVME);
    check(vector == GP && rdmsr(MSR_EFER) == efer, "setting EFER.SVME gives #GP");
    check(try_wrmsr(MSR_EFER, efer | 1ull << 20) == GP, "reserved bit of EFER gives #GP");
    check(try_wrmsr(MSR_EFER, efer | 1) == -1 && rdmsr(MSR_EFER) == (efer | 1),
          "EFER.SCE can be set");
    check(try_vmrun(0x1000) == UD, "VMRUN gives #UD");
    check(try_rdmsr(0xc0000103, &value) == -1 || value == 0, "TSC_AUX can be read");
}

static void test_first_mib(void)
{
    // The page of the IVT and BIOS data stays as it is; AP start-up tests use the rest.
    bool good = true;
    for (uint64_t at = 0x1000; at < 0x9f000; at += 0x1000) {
        volatile uint32_t *word = (volatile uint32_t *)at;
        uint32_t before = *word;
        *word = 0x5a5a0000u ^ (uint32_t)at;
        good &= *word == (0x5a5a0000u ^ (uint32_t)at);
        *word = before;
    }
    check(good, "RAM below 636 KiB");
    check(ram_end_low() > 0x100000, "memory map of the loader: RAM to 0x%lx", ram_end_low());
    volatile uint32_t *last = (volatile uint32_t *)(ram_end_low() - 4);
    *last = 0x12345678;
    check(*last == 0x12345678, "the last word of RAM below 4 GiB");
}

static void test_acpi(void)
{
    uint64_t rsdp = acpi_rsdp();
    check(rsdp, "RSDP found by the scan of old kernels, at 0x%lx", rsdp);
    if (!rsdp)
        return;
    uint8_t revision = *(const uint8_t *)(rsdp + 15);
    check(revision < 2 || acpi_checksum(rsdp, 36), "checksum of the RSDP, revision %u", revision);
    uint64_t root = load32(rsdp + 16);
    if (root) {
        check(acpi_checksum(root, load32(root + 4)), "checksum of the RSDT");
        for (uint64_t at = root + 36; at < root + load32(root + 4); at += 4)
            check(acpi_checksum(load32(at), load32(load32(at) + 4)), "checksum of %c%c%c%c",
                  *(const char *)(uintptr_t)load32(at), *(const char *)(uintptr_t)(load32(at) + 1),
                  *(const char *)(uintptr_t)(load32(at) + 2),
                  *(const char *)(uintptr_t)(load32(at) + 3));
    }
    uint64_t fadt = acpi_table("FACP"), madt = acpi_table("APIC");
    check(fadt && acpi_checksum(fadt, load32(fadt + 4)), "FADT");
    check(madt && acpi_checksum(madt, load32(madt + 4)), "MADT");
    if (!fadt || !madt)
        return;
    uint64_t dsdt = load32(fadt + 40);
    check(dsdt && memcmp((const void *)dsdt, "DSDT", 4) == 0 &&
              acpi_checksum(dsdt, load32(dsdt + 4)),
          "DSDT and its checksum");
    check(acpi_s5_type() >= 0, "_S5_ in the DSDT: type %d", acpi_s5_type());
    check(load32(madt + 36) == 0xfee00000, "MADT: address of the local APIC");
    uint32_t ids[MAX_GUEST_CPUS];
    unsigned cpus = acpi_cpus(ids, MAX_GUEST_CPUS);
    bool in_order = cpus > 0;
    for (unsigned i = 0; i < cpus; i++)
        in_order &= ids[i] == i;
    check(in_order, "MADT: %u cpus numbered from 0", cpus);
}

static void test_mp_table(bool partition)
{
    uint64_t found = 0;
    uint64_t ebda_pointer = 0x40e;
    __asm__("" : "+r"(ebda_pointer));
    uint64_t ebda = (uint64_t)load16(ebda_pointer) << 4;
    const uint64_t areas[][2] = {{ebda, ebda + 1024}, {0x9fc00, 0xa0000}, {0xf0000, 0x100000}};
    for (unsigned i = 0; i < 3 && !found; i++) {
        for (uint64_t at = areas[i][0]; at && at < areas[i][1] && !found; at += 16) {
            if (memcmp((const void *)at, "_MP_", 4) == 0 && acpi_checksum(at, 16))
                found = at;
        }
    }
    check(found, "MP pointer found by the scan of old kernels, at 0x%lx", found);
    if (!found)
        return;
    uint64_t table = load32(found + 4);
    check(table && memcmp((const void *)table, "PCMP", 4) == 0 &&
              acpi_checksum(table, load16(table + 4)),
          "MP table and its checksum");
    unsigned cpus = 0, ioapics = 0, entries = load16(table + 34);
    uint64_t at = table + 44;
    for (unsigned i = 0; i < entries && at < table + load16(table + 4); i++) {
        uint8_t type = *(const uint8_t *)at;
        cpus += type == 0 && (*(const uint8_t *)(at + 3) & 1);
        ioapics += type == 2;
        at += type == 0 ? 20 : 8;
    }
    uint32_t ids[MAX_GUEST_CPUS];
    // The firmware of a bare PC lists one cpu of each package.
    check(!partition || cpus == acpi_cpus(ids, MAX_GUEST_CPUS),
          "MP table: as many cpus as in the MADT (%u)", cpus);
    check(ioapics == 1 && at == table + load16(table + 4), "MP table: one IOAPIC, sound length");
}

// Over 10 ms; 0 if the timer stands still.
static uint64_t tsc_khz_by_pm_timer(uint16_t port)
{
    uint32_t start = inl(port) & 0xffffff, ticks;
    uint64_t tsc = rdtsc(), passed;
    do {
        ticks = ((inl(port) & 0xffffff) - start) & 0xffffff;
        passed = rdtsc() - tsc;
    } while (ticks < 35795 && passed < 1000 * tsc_khz());
    return ticks < 35795 ? 0 : passed * 3579545 / ticks / 1000;
}

static void test_time(void)
{
    // An emulated CPU may stand still in the middle of a measurement: one good one will do.
    uint64_t by_pit = 0, by_pm_timer = 0;
    for (unsigned i = 0; i < TRIES && !near(by_pit, tsc_khz(), 10); i++)
        by_pit = tsc_khz_by_pit();
    check(near(by_pit, tsc_khz(), 10), "PIT calibration: %lu kHz", by_pit);
    uint16_t port = acpi_pm_timer();
    for (unsigned i = 0; port && i < TRIES && !near(by_pm_timer, tsc_khz(), 10); i++)
        by_pm_timer = tsc_khz_by_pm_timer(port);
    check(near(by_pm_timer, tsc_khz(), 10), "PM timer: %lu kHz", by_pm_timer);

    outb(0x70, 0x0d);
    check(inb(0x71) & 0x80, "RTC: valid time and RAM");
    outb(0x70, 0x0b);
    bool binary = inb(0x71) & 4;
    uint8_t values[3];
    static const uint8_t registers[3] = {0x00, 0x08, 0x09}, low[3] = {0, 1, 20},
                         high[3] = {59, 12, 99};
    static const char *const names[3] = {"seconds", "month", "year"};
    for (int i = 0; i < 3; i++) {
        outb(0x70, registers[i]);
        values[i] = inb(0x71);
        unsigned value = binary ? values[i] : (values[i] >> 4) * 10u + (values[i] & 15);
        check(value >= low[i] && value <= high[i], "RTC: %s %u", names[i], value);
    }
}

static void uart_handler(struct trap_frame *frame)
{
    (void)frame;
    uart_interrupts++;
    (void)inb(COM1 + 2); // takes the transmitter's interrupt back
    lapic_eoi();
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)0xfec00000 = reg;
    *(volatile uint32_t *)0xfec00010 = value;
}

static uint32_t ioapic_read(uint32_t reg)
{
    *(volatile uint32_t *)0xfec00000 = reg;
    return *(volatile uint32_t *)0xfec00010;
}

static void test_uart(void)
{
    outb(COM1 + 7, 0x5a);
    check(inb(COM1 + 7) == 0x5a, "UART: scratch register");
    while (!(inb(COM1 + 5) & 0x40))
        pause();
    outb(COM1 + 4, 0x1b); // loopback
    outb(COM1, 0xa7);
    for (unsigned i = 0; i < 100000 && !(inb(COM1 + 5) & 1); i++)
        pause();
    uint8_t echoed = inb(COM1);
    uint8_t status = inb(COM1 + 6);
    outb(COM1 + 4, 0x0b);
    check(echoed == 0xa7, "UART: loopback gives 0x%x", echoed);
    check((status & 0xf0) == 0xb0, "UART: modem lines in loopback 0x%x", status);

    check((ioapic_read(1) >> 16 & 0xff) == 23, "IOAPIC: 24 pins");
    set_handler(UART_VECTOR, uart_handler);
    ioapic_write(0x10 + 2 * 4 + 1, lapic_id() << 24);
    ioapic_write(0x10 + 2 * 4, UART_VECTOR);
    check((ioapic_read(0x10 + 2 * 4) & 0x1ffff) == UART_VECTOR, "IOAPIC: entry reads back");
    uart_interrupts = 0;
    outb(COM1 + 1, 0x02); // transmitter empty: at once
    interrupts_on();
    delay_us(20000);
    interrupts_off();
    outb(COM1 + 1, 0);
    uint64_t seen = uart_interrupts;
    check(seen >= 1 && seen < 4, "UART: transmitter interrupt through IOAPIC pin 4 (%lu)", seen);
    ioapic_write(0x10 + 2 * 4, 0x10000 | UART_VECTOR);
    uart_interrupts = 0;
    outb(COM1 + 1, 0x02);
    interrupts_on();
    delay_us(5000);
    interrupts_off();
    outb(COM1 + 1, 0);
    check(uart_interrupts == 0, "IOAPIC: a masked pin is silent");
}

static void test_ports(bool partition)
{
    static const uint16_t unclaimed[] = {0x80, 0x1f7, 0x2f8, 0x300, 0x3e8, 0x3f6, 0x5658, 0xffff};
    if (!partition)
        return;
    for (unsigned i = 0; i < sizeof(unclaimed) / sizeof(unclaimed[0]); i++) {
        uint16_t port = unclaimed[i];
        outb(port, 0);
        check(inb(port) == 0xff, "port 0x%x reads all ones", port);
    }
    outl(0x300, 0);
    check(inw(0x300) == 0xffff && inl(0x300) == UINT32_MAX, "in 16 and in 32 bits too");
    outb(0x21, 0xa5);
    outb(0xa1, 0x5a);
    check(inb(0x21) == 0xa5 && inb(0xa1) == 0x5a, "8259s keep their masks");
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    check(inb(0x21) == 0xff && inb(0xa1) == 0xff, "and mask everything");

    outl(0xcf8, 0x80000000);
    check(inl(0xcf8) == 0x80000000, "PCI: address register reads back");
    bool empty = true;
    for (uint32_t function = 0; function < 256; function++) {
        outl(0xcf8, 0x80000000 | function << 8);
        empty &= inl(0xcfc) == UINT32_MAX && inw(0xcfe) == 0xffff && inb(0xcfd) == 0xff;
    }
    check(empty, "PCI: the bus is empty");
    outl(0xcf8, 0);
}

static void test_string_io(void)
{
    static const char text[] = "string output\r\n";
    const char *from = text;
    uint64_t n = sizeof(text) - 1;
    // Before it, room in the transmitter; the text is shorter than its FIFO.
    while (!(inb(COM1 + 5) & 0x40))
        pause();
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"((uint16_t)COM1) : "memory");
    check(n == 0 && from == text + sizeof(text) - 1, "REP OUTSB");

    uint8_t into[4] = {0};
    uint8_t *to = into;
    n = 4;
    outb(COM1 + 7, 0x69);
    __asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"((uint16_t)(COM1 + 7)) : "memory");
    check(n == 0 && into[0] == 0x69 && into[3] == 0x69, "REP INSB");
}

// Delivery modes that the hardware must never see from a guest: SMI and INIT reset or stop the CPU.
static void test_lvt(bool partition, const char *mode)
{
    static const uint32_t lvts[] = {LAPIC_LVT_THERMAL, LAPIC_LVT_PMC, LAPIC_LVT_LINT0,
                                    LAPIC_LVT_LINT1};
    static const uint32_t modes[] = {ICR_SMI, ICR_INIT, ICR_STARTUP};
    if (!partition)
        return;
    for (unsigned l = 0; l < 4; l++) {
        for (unsigned m = 0; m < 3; m++) {
            int vector = -1;
            if (x2apic_on())
                vector = try_wrmsr(0x800 + lvts[l] / 16, modes[m]);
            else
                lapic_write(lvts[l], modes[m]);
            check(vector == -1 || vector == GP, "%s LVT 0x%x with delivery mode %u harms nobody",
                  mode, lvts[l], modes[m] >> 8);
            lapic_write(lvts[l], 0x10000);
        }
    }
    int vector = -1;
    if (x2apic_on())
        vector = try_wrmsr(0x830, ICR_SELF | ICR_SMI | ICR_ASSERT);
    else
        lapic_write(LAPIC_ICR, ICR_SELF | ICR_SMI | ICR_ASSERT);
    check(vector == -1 || vector == GP, "%s SMI to itself harms nobody", mode);
    if (x2apic_on())
        vector = try_wrmsr(0x830, ICR_ALL | ICR_INIT | ICR_ASSERT);
    check(vector == -1 || vector == GP, "%s INIT to all including itself is refused", mode);
}

// Woken by the timer after 20 ms: not before, and not long after in one of some tries.
static bool slept_well(void)
{
    for (int i = 0; i < 8; i++) {
        uint64_t before = rdtsc();
        sleep_ms(20);
        uint64_t ms = (rdtsc() - before) / tsc_khz();
        if (ms < 20)
            return false;
        if (ms < 30)
            return true;
    }
    return false;
}

static void test_apic(bool partition)
{
    lapic_enable();
    if (!x2apic_on()) {
        check(lapic_id() == 0, "xapic: ID 0");
        check((lapic_read(LAPIC_VERSION) & 0xff) >= 0x10, "xapic: version 0x%x",
              lapic_read(LAPIC_VERSION));
        lapic_write(LAPIC_TPR, 0x30);
        check(lapic_read(LAPIC_TPR) == 0x30, "xapic: TPR reads back");
        lapic_write(LAPIC_TPR, 0);
        lapic_write(LAPIC_LVT_LINT0, 0x10000);
        lapic_write(LAPIC_SVR, 0xff);
        check(lapic_read(LAPIC_LVT_LINT0) & 0x10000, "xapic: LINT0 stays masked when disabled");
        lapic_enable();
        test_lvt(partition, "xapic");
    }
    check(slept_well(), "timer wakes from HLT");
    if (!x2apic_available())
        return;
    x2apic_enable();
    lapic_enable();
    check(x2apic_on() && lapic_id() == 0, "x2apic: ID 0");
    check(lapic_read(LAPIC_LDR) == 1, "x2apic: logical ID 0x%x", lapic_read(LAPIC_LDR));
    check(try_wrmsr(0x802, 5) == GP, "x2apic: the ID can't be written");
    check(try_wrmsr(0x80d, 5) == GP, "x2apic: the logical ID can't be written");
    test_lvt(partition, "x2apic");
    check(slept_well(), "x2apic: timer wakes from HLT");
}

void run_guest(void)
{
    bool partition = !option_is("env", "bare");
    print("hello from probe\n");
    test_first_mib();
    test_acpi();
    test_mp_table(partition);
    test_time();
    test_uart();
    test_string_io();
    test_ports(partition);
    test_cpuid(partition);
    test_msrs(partition);
    test_apic(partition);
    check_summary();
}
