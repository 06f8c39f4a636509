// SPDX-License-Identifier: Apache-2.0
// The physical local APIC. The mode is chosen once for the machine. In xAPIC mode the register page
// is mapped uncached for all CPUs, and each CPU sees its own APIC there.
#include "arch/interrupt/apic.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/mca.h"
#include "arch/cpu/msr.h"
#include "arch/interrupt/apic_base.h"
#include "arch/interrupt/apic_defs.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/mmu.h"

#define CPUID_1_ECX_X2APIC BIT(21)

#define ICR_MODE(mode) ((mode) << APIC_ICR_MODE_POS)

#define TIMER_VECTOR      0xf0u // any from 32 on: every such gate ends in apic_drain_vector()
#define TIMER_DIVIDE_BY_1 0xbu

static bool x2apic;
static uint64_t page_address;
static volatile uint32_t *page;

static void set_mode(void)
{
    struct apic_steps s = apic_base_steps(rdmsr(MSR_APIC_BASE), x2apic, page_address);
    for (unsigned i = 0; i < s.count; i++) {
        wrmsr(MSR_APIC_BASE, s.value[i]);
    }
}

uint32_t apic_choose_mode(uint64_t mmio_address)
{
    uint32_t leaf[4];
    page_address = mmio_address;
    set_mode(); // CPUID may hide a globally disabled APIC (SDM vol. 3, 11.4.3)
    cpuid(1, 0, leaf);
    x2apic = (leaf[2] & CPUID_1_ECX_X2APIC) != 0;
    set_mode();
    return x2apic ? apic_read(APIC_ID) : leaf[1] >> 24;
}

enum status apic_init(void)
{
    if (x2apic) {
        return STATUS_OK;
    }
    page = mmu_map_device(hpa(page_address), PAGE_SIZE);
    return page != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

// The error LVT is masked first: while it is open, a vector of 0 in another LVT is an error. The
// highest index in the version register says how many LVTs there are; CMCI is the seventh.
static void mask_lvts(void)
{
    static const uint16_t lvts[] = {APIC_LVT_ERROR, APIC_LVT_TIMER, APIC_LVT_LINT0,
                                    APIC_LVT_LINT1, APIC_LVT_PERF,  APIC_LVT_THERMAL,
                                    APIC_LVT_CMCI};
    unsigned highest = (apic_read(APIC_VERSION) & APIC_VERSION_MAXLVT) >> APIC_VERSION_MAXLVT_POS;
    for (unsigned i = 0; i < ARRAY_SIZE(lvts) && i <= highest; i++) {
        // Corrected errors that raise SMIs belong to the firmware.
        if (lvts[i] != APIC_LVT_CMCI ||
            (apic_read(APIC_LVT_CMCI) & APIC_LVT_MODE) != APIC_LVT_MODE_SMI) {
            apic_write(lvts[i], APIC_LVT_MASKED);
        }
    }
}

void apic_cpu_init(void)
{
    set_mode();
    apic_write(APIC_SVR, APIC_SVR_ENABLE | APIC_SVR_VECTOR);
    mask_lvts(); // masking the timer's LVT also leaves deadline mode, which disarms it (SDM vol.
                 // 3, 11.5.4.1)
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_ESR, 0);
}

bool apic_is_x2apic(void)
{
    return x2apic;
}

hpa_t apic_page(void)
{
    return hpa(page_address);
}

uint32_t apic_read(unsigned offset)
{
    if (x2apic) {
        return (uint32_t)rdmsr(X2APIC_MSR(offset));
    }
    return page[offset / 4];
}

void apic_write(unsigned offset, uint32_t value)
{
    if (x2apic) {
        wrmsr(X2APIC_MSR(offset), value);
    } else {
        page[offset / 4] = value;
    }
}

uint32_t apic_id(void)
{
    if (!x2apic && page == NULL) {
        return 0;
    }
    uint32_t id = apic_read(APIC_ID);
    return x2apic ? id : id >> 24;
}

static void send(uint32_t id, uint32_t mode_and_vector)
{
    uint32_t low = mode_and_vector | (uint32_t)APIC_ICR_ASSERT;
    if (x2apic) {
        // WRMSR to the x2APIC range does not wait for earlier stores (SDM vol. 3, 11.12.3), but the
        // receiver must see them.
        __asm__ volatile("mfence; lfence" : : : "memory");
        wrmsr(X2APIC_MSR(APIC_ICR_LOW), (uint64_t)id << APIC_ICR_DEST_POS | low);
        return;
    }
    while (page[APIC_ICR_LOW / 4] & APIC_ICR_BUSY) {
        cpu_relax();
    }
    page[APIC_ICR_HIGH / 4] = id << 24;
    page[APIC_ICR_LOW / 4] = low;
}

void apic_send_fixed(uint32_t id, uint8_t vector)
{
    send(id, ICR_MODE(APIC_MODE_FIXED) | vector);
}

void apic_send_nmi(uint32_t id)
{
    send(id, ICR_MODE(APIC_MODE_NMI));
}

void apic_send_init(uint32_t id)
{
    send(id, ICR_MODE(APIC_MODE_INIT));
}

void apic_send_startup(uint32_t id, uint8_t page_number)
{
    send(id, ICR_MODE(APIC_MODE_STARTUP) | page_number);
}

void apic_timer_start(uint32_t count)
{
    apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, count > 0 ? TIMER_VECTOR : APIC_LVT_MASKED);
    apic_write(APIC_TIMER_INITIAL, count);
}

bool apic_is_pending(uint8_t vector)
{
    unsigned offset = APIC_IRR + vector / 32u * APIC_REGISTER_STEP;
    return (apic_read(offset) >> (vector % 32) & 1) != 0;
}

bool apic_timer_pending(void)
{
    return apic_is_pending(TIMER_VECTOR);
}

void apic_drain_vector(void)
{
    apic_write(APIC_EOI, 0);
}

static bool any_set(unsigned offset)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        bits |= apic_read(offset + i * APIC_REGISTER_STEP);
    }
    return bits != 0;
}

void apic_drain(void)
{
    uint32_t svr = apic_read(APIC_SVR);
    apic_write(APIC_SVR, APIC_SVR_ENABLE | APIC_SVR_VECTOR);
    apic_write(APIC_TPR, 0);
    // Each EOI ends one vector in service; each STI takes the requested ones. Both loops are
    // bounded by the number of vectors. Only its own partition's CPUs can send new interrupts to a
    // CPU that has been reset, and they can't send 256 in every round for ever.
    for (unsigned i = 0; i < 256 && any_set(APIC_ISR); i++) {
        apic_write(APIC_EOI, 0);
    }
    for (unsigned i = 0; i < 256 && any_set(APIC_IRR); i++) {
        exceptions_drain(true);
        __asm__ volatile("sti; nop; nop; cli" : : : "memory");
        exceptions_drain(false);
    }
    if (mca_in_progress()) {
        exceptions_machine_check(0); // one that arrived meanwhile was drained like an interrupt
    }
    apic_write(APIC_SVR, svr);
}
