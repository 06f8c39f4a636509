// SPDX-License-Identifier: Apache-2.0
// The small runtime of the test guests: console, command line, traps, local APIC, further CPUs,
// ACPI tables and the ways to end. Works the same on a bare PC and in a partition.

#ifndef TESTS_GUESTS_GUEST_H
#define TESTS_GUESTS_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAX_GUEST_CPUS = 16,
    COM1 = 0x3f8,
    TIMER_VECTOR = 0x40,
};

// As the interrupt stubs in boot.asm leave it on the stack.
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

// ---- instructions
static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return ((uint64_t)high << 32) | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

// Waits for one interrupt: on between STI and HLT nothing can slip through.
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

// ---- boot.asm: attempts return -1, or the vector of the exception they caused
int try_rdmsr(uint32_t msr, uint64_t *value);
int try_wrmsr(uint32_t msr, uint64_t value);
int try_read8(uint64_t address);
int try_write8(uint64_t address, uint8_t value);
int try_vmrun(uint64_t address);
extern volatile uint64_t recover_rip;
extern volatile uint32_t trap_vector;
extern uint64_t pml4[512];
extern const uint64_t isr_table[256];
extern const uint8_t trap_common[], trap_end[]; // code that all of them share, to its IRET
extern const uint8_t ap_trampoline[], ap_trampoline_end[];
extern volatile uint32_t ap_stack;

// ---- runtime.c
// Each guest's own: what it does.
void run_guest(void);

void guest_main(uint32_t magic, uint64_t info);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
// One line of a check: "ok NAME" or "FAIL NAME".
void check(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_summary(void);
void *memset(void *to, int value, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

// A word `name=value` of the command line. Numbers may be decimal or 0x.
bool option(const char *name, char *value, size_t size);
uint64_t option_number(const char *name, uint64_t otherwise);
bool option_is(const char *name, const char *value);
const char *command_line(void);
const uint8_t *multiboot_info(void);
// End of RAM below 4 GiB, and bytes of RAM in all, by the loader's memory map.
uint64_t ram_end_low(void);
uint64_t ram_total(void);

// ---- trap.c
// Called with interrupts off. Returning from it resumes the interrupted code.
void trap_install(void);
void trap(struct trap_frame *frame);
void set_handler(unsigned vector, void (*handler)(struct trap_frame *frame));

// ---- lapic.c
enum {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_LDR = 0xd0,
    LAPIC_DFR = 0xe0,
    LAPIC_SVR = 0xf0,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_THERMAL = 0x330,
    LAPIC_LVT_PMC = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,

    ICR_FIXED = 0 << 8,
    ICR_LOWEST = 1 << 8,
    ICR_SMI = 2 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_LOGICAL = 1 << 11,
    ICR_ASSERT = 1 << 14,
    ICR_LEVEL = 1 << 15,
    ICR_SELF = 1 << 18,
    ICR_ALL = 2 << 18,
    ICR_OTHERS = 3 << 18,
};

bool x2apic_available(void);
bool x2apic_on(void);
void x2apic_enable(void);
// Software-enables this CPU's APIC with spurious vector 0xff and accepts everything.
void lapic_enable(void);
uint32_t lapic_read(uint32_t reg);
void lapic_write(uint32_t reg, uint32_t value);
void lapic_eoi(void);
uint32_t lapic_id(void);
// destination: APIC ID or logical destination in the mode's own format.
void lapic_ipi(uint32_t destination, uint32_t icr_low);

// ---- time.c
// From CPUID 0x40000010 if there is such a leaf, otherwise measured with PIT channel 2.
uint64_t tsc_khz(void);
// What takes longer has failed: nothing does on an emulator, however busy its machine is.
#define FAILED_MS 20000u
uint64_t tsc_khz_by_pit(void);
void delay_us(uint64_t us);
// Sleeps in HLT, woken by the local APIC timer. The APIC must be enabled, interrupts off.
void sleep_ms(uint64_t ms);

// ---- smp.c
// Starts the CPU with this APIC ID at `entry` by INIT and start-up IPI with `vector`; false if it
// did not come up within three seconds. One at a time.
bool cpu_start(uint32_t apic_id, uint8_t vector, void (*entry)(void));
bool cpu_sipi(uint32_t apic_id, uint8_t vector, void (*entry)(void));
// The halves of cpu_sipi, around the start-up IPI: makes the page ready, waits for the CPU.
bool cpu_prepare(uint32_t apic_id, uint8_t vector, void (*entry)(void));
bool cpu_arrived(void);
void ap_main(void);

// ---- random.c
// Reproducible: `state` is the seed at first. random_kind: one of the kinds that matter, small, a
// bit, all ones, wide.
uint64_t random_next(uint64_t *state);
uint64_t random_kind(uint64_t *state);

// ---- acpi.c
// A table's address by signature, 0 if there is none. rsdp_find: by the scan that old kernels do.
uint64_t acpi_rsdp(void);
uint64_t acpi_table(const char *signature);
bool acpi_checksum(uint64_t address, size_t length);
unsigned acpi_cpus(uint32_t *apic_ids, unsigned max);
uint16_t acpi_pm1a_control(void);
uint16_t acpi_pm_timer(void);
int acpi_s5_type(void);

// ---- finish.c
// `end=` of the command line: poweroff, reboot (0xcf9), kbd, acpireset, triple, fault, halt; and
// `exit=PORT` for QEMU's isa-debug-exit. Does not return.
void finish(void) __attribute__((noreturn));

#endif
