// SPDX-License-Identifier: Apache-2.0
// The virtual local APIC over a fake physical one. The fake fails a test when something is written
// to it that an x2APIC would answer with #GP, or that must never reach the hardware.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/msr.h"
#include "arch/interrupt/apic.h"
#include "hv/interrupt/vapic.h"

// ---- the physical APIC ------------------------------------------------------------------------

static bool host_x2apic;
static uint32_t physical[APIC_REGISTER_COUNT];
static unsigned writes[APIC_REGISTER_COUNT];

bool apic_is_x2apic(void)
{
    return host_x2apic;
}

uint32_t apic_read(unsigned offset)
{
    assert_true(offset < 0x400 && offset % 16 == 0);
    // Write-only, or not there in x2APIC mode; the ICR's shadow is ours.
    assert_int_not_equal(offset, APIC_EOI);
    assert_int_not_equal(offset, APIC_SELF_IPI);
    assert_int_not_equal(offset, APIC_ICR_LOW);
    assert_int_not_equal(offset, APIC_APR);
    assert_int_not_equal(offset, APIC_RRD);
    return physical[offset / 16];
}

void apic_write(unsigned offset, uint32_t value)
{
    assert_true(offset < 0x400 && offset % 16 == 0);
    uint32_t valid;
    switch (offset) {
    case APIC_TPR:
    case APIC_SELF_IPI:
        valid = 0xff;
        break;
    case APIC_EOI:
    case APIC_ESR:
        valid = 0;
        break;
    case APIC_SVR:
        valid = 0x1ff;
        break;
    case APIC_LVT_TIMER:
        valid = 0x700ff;
        break;
    case APIC_LVT_THERMAL:
    case APIC_LVT_PERF:
        valid = 0x107ff;
        break;
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
        valid = 0x1a7ff;
        break;
    case APIC_LVT_ERROR:
        valid = 0x100ff;
        break;
    case APIC_TIMER_INITIAL:
        valid = 0xffffffff;
        break;
    case APIC_TIMER_DIVIDE:
        valid = 0xb;
        break;
    case APIC_LDR:
    case APIC_DFR:
        assert_false(host_x2apic);
        valid = 0xffffffff;
        break;
    default:
        fail_msg("register 0x%x must not be written", offset);
        return;
    }
    assert_int_equal(value & ~valid, 0);
    if (offset >= APIC_LVT_THERMAL && offset <= APIC_LVT_LINT1) {
        uint32_t mode = value & APIC_LVT_MODE;
        assert_true(mode == 0 || mode == APIC_LVT_MODE_NMI ||
                    (mode == APIC_LVT_MODE_EXT && (value & APIC_LVT_MASKED)));
    }
    physical[offset / 16] = value;
    writes[offset / 16]++;
}

#define REG(offset) physical[(offset) / 16]

#define WIDTH 40          // of guest-physical addresses
#define RAM   0x10000000u // below it

static bool page_is_free(const struct vapic *v, uint64_t page)
{
    (void)v;
    return page >= RAM;
}

static struct icr_topology topology;
static struct vapic apics[4];
static struct icr_verdict verdict;

static struct vapic *set_up_as(unsigned id, bool x2apic_host)
{
    host_x2apic = x2apic_host;
    topology = (struct icr_topology){.vcpu_count = 4};
    for (unsigned i = 0; i < APIC_REGISTER_COUNT; i++) {
        physical[i] = 0;
    }
    REG(APIC_ID) = x2apic_host ? 7 : 7u << 24; // the physical ID is another
    REG(APIC_VERSION) = 0x81050014;            // six LVTs, EAS and EOI suppression
    REG(APIC_SVR) = 0x1ff;
    for (unsigned i = 0; i < 4; i++) {
        vapic_init(&apics[i], &topology, i, x2apic_host, false, WIDTH, page_is_free);
    }
    vapic_reset(&apics[id], false);
    for (unsigned i = 0; i < APIC_REGISTER_COUNT; i++) {
        writes[i] = 0;
    }
    verdict = (struct icr_verdict){0};
    return &apics[id];
}

static enum vapic_action wr(struct vapic *v, unsigned offset, uint32_t value)
{
    if (v->mode == APIC_X2APIC) {
        return vapic_msr_write(v, X2APIC_MSR(offset), value, &verdict);
    }
    return vapic_mmio_write(v, offset, value, &verdict);
}

static uint32_t rd(struct vapic *v, unsigned offset)
{
    if (v->mode == APIC_X2APIC) {
        uint64_t value = 0;
        assert_int_equal(vapic_msr_read(v, X2APIC_MSR(offset), &value), STATUS_OK);
        return (uint32_t)value;
    }
    return vapic_mmio_read(v, offset);
}

static enum vapic_action base(struct vapic *v, uint64_t value)
{
    return vapic_msr_write(v, MSR_APIC_BASE, value, &verdict);
}

static uint64_t read_base(struct vapic *v)
{
    uint64_t value = 0;
    assert_int_equal(vapic_msr_read(v, MSR_APIC_BASE, &value), STATUS_OK);
    return value;
}

static void to_x2apic(struct vapic *v)
{
    assert_int_equal(base(v, 0xfee00c00), VAPIC_MODE);
    assert_int_equal(v->mode, APIC_X2APIC);
}

// The three ways in which a guest meets its APIC.
#define WAYS 3
static struct vapic *set_up(unsigned id, unsigned way)
{
    struct vapic *v = set_up_as(id, way != 0);
    if (way == 2) {
        to_x2apic(v);
    }
    return v;
}

// ---- reset --------------------------------------------------------------------------------------

static void power_up(void **state)
{
    (void)state;
    for (int x2 = 0; x2 <= 1; x2++) {
        struct vapic *v = set_up_as(0, x2);
        assert_int_equal(v->mode, APIC_XAPIC);
        assert_int_equal(read_base(v), 0xfee00900);
        assert_int_equal(REG(APIC_SVR), 0xff);
        assert_int_equal(rd(v, APIC_SVR), 0xff);
        static const uint16_t lvts[] = {0x320, 0x330, 0x340, 0x350, 0x360, 0x370};
        for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++) {
            assert_int_equal(physical[lvts[i] / 16], 0x10000);
            assert_int_equal(rd(v, lvts[i]), 0x10000);
        }
        assert_int_equal(rd(v, APIC_LDR), 0);
        assert_int_equal(rd(v, APIC_DFR), 0xffffffff);
        assert_int_equal(rd(v, APIC_ICR_LOW), 0);
        assert_int_equal(topology.vcpu[0].mode, APIC_XAPIC);
        assert_int_equal(topology.vcpu[0].enabled, 0);
    }
    struct vapic *v = set_up_as(2, false);
    assert_int_equal(read_base(v), 0xfee00800); // only vCPU 0 is the boot processor
}

static void init_does_not_touch_the_physical_apic(void **state)
{
    (void)state;
    set_up_as(0, true);
    vapic_init(&apics[1], &topology, 1, true, false, WIDTH, page_is_free);
    for (unsigned i = 0; i < APIC_REGISTER_COUNT; i++) {
        assert_int_equal(writes[i], 0);
    }
    assert_int_equal(apics[1].mode, APIC_XAPIC);
}

static void init_keeps_the_mode(void **state)
{
    (void)state;
    struct vapic *v = set_up(1, 2);
    wr(v, APIC_SVR, 0x1ff);
    wr(v, APIC_LVT_LINT0, 0x700);
    wr(v, APIC_TPR, 0x20);
    vapic_reset(v, true);
    assert_int_equal(v->mode, APIC_X2APIC);
    assert_int_equal(read_base(v), 0xfee00c00);
    assert_int_equal(topology.vcpu[1].mode, APIC_X2APIC);
    assert_int_equal(topology.vcpu[1].enabled, 0);
    assert_int_equal(REG(APIC_SVR), 0xff);
    assert_int_equal(REG(APIC_TPR), 0);
    assert_int_equal(rd(v, APIC_LVT_LINT0), 0x10000);
    vapic_reset(v, false);
    assert_int_equal(v->mode, APIC_XAPIC);
    assert_int_equal(read_base(v), 0xfee00800);
}

// ---- registers
// ------------------------------------------------------------------------------------

static void identity(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(3, way);
        assert_int_equal(rd(v, APIC_ID), way == 2 ? 3 : 3u << 24);
        // Neither CMCI nor extended registers nor EOI suppression.
        assert_int_equal(rd(v, APIC_VERSION), 0x00050014);
        REG(APIC_VERSION) = 0x01060015;
        assert_int_equal(rd(v, APIC_VERSION), 0x00050015);
        REG(APIC_VERSION) = 0x00030010;
        assert_int_equal(rd(v, APIC_VERSION), 0x00030010);
    }
    struct vapic *v = set_up(3, 2);
    assert_int_equal(rd(v, APIC_LDR), 0x8);
    // Cluster 1 begins with vCPU 16.
    struct icr_topology big = {.vcpu_count = 32};
    vapic_init(&apics[0], &big, 17, true, false, WIDTH, page_is_free);
    to_x2apic(&apics[0]);
    assert_int_equal(rd(&apics[0], APIC_LDR), 0x00010002);
}

static void hot_registers(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(0, way);
        assert_int_equal(wr(v, APIC_EOI, 0), VAPIC_DONE);
        assert_int_equal(writes[APIC_EOI / 16], 1);
        assert_int_equal(wr(v, APIC_TPR, 0x31), VAPIC_DONE);
        assert_int_equal(REG(APIC_TPR), 0x31);
        assert_int_equal(rd(v, APIC_TPR), 0x31);
        assert_int_equal(wr(v, APIC_TIMER_INITIAL, 0xfedcba98), VAPIC_DONE);
        assert_int_equal(REG(APIC_TIMER_INITIAL), 0xfedcba98);
    }
    // xAPIC: any value ends an interrupt, and reserved bits are dropped.
    struct vapic *v = set_up(0, 1);
    wr(v, APIC_EOI, 0xdeadbeef);
    wr(v, APIC_TPR, 0xffffff20);
    assert_int_equal(writes[APIC_EOI / 16], 1);
    assert_int_equal(REG(APIC_TPR), 0x20);
    // x2APIC: they fault.
    v = set_up(0, 2);
    assert_int_equal(wr(v, APIC_EOI, 1), VAPIC_FAULT);
    assert_int_equal(wr(v, APIC_TPR, 0x100), VAPIC_FAULT);
    assert_int_equal(writes[APIC_EOI / 16] + writes[APIC_TPR / 16], 0);
}

static void lvt_delivery_modes(void **state)
{
    (void)state;
    static const uint16_t lvts[] = {APIC_LVT_THERMAL, APIC_LVT_PERF, APIC_LVT_LINT0,
                                    APIC_LVT_LINT1};
    for (unsigned way = 0; way < WAYS; way++) {
        for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++) {
            struct vapic *v = set_up(0, way);
            wr(v, APIC_SVR, 0x1ff);
            assert_int_equal(wr(v, lvts[i], 0x0f1), VAPIC_DONE);
            assert_int_equal(physical[lvts[i] / 16], 0x0f1);
            assert_int_equal(wr(v, lvts[i], 0x400), VAPIC_DONE);
            assert_int_equal(physical[lvts[i] / 16], 0x400);
            assert_int_equal(rd(v, lvts[i]), 0x400);

            // ExtINT: reads as written, never delivers what is physical.
            bool lint0 = lvts[i] == APIC_LVT_LINT0;
            assert_int_equal(wr(v, lvts[i], 0x700), lint0 ? VAPIC_EXTINT : VAPIC_DONE);
            assert_int_equal(physical[lvts[i] / 16], 0x10700);
            assert_int_equal(rd(v, lvts[i]), 0x700);
            assert_int_equal(vapic_takes_extint(v), lint0);
            assert_int_equal(wr(v, lvts[i], 0x10700), VAPIC_DONE);
            assert_false(vapic_takes_extint(v));

            static const uint32_t refused[] = {1, 2, 3, 5, 6};
            for (unsigned m = 0; m < ARRAY_SIZE(refused); m++) {
                uint32_t value = refused[m] << 8 | 0x41;
                assert_int_equal(wr(v, lvts[i], value), VAPIC_REFUSED);
                assert_non_null(v->reason);
                assert_int_equal(physical[lvts[i] / 16], 0x10000);
                assert_int_equal(rd(v, lvts[i]), value);
                assert_int_equal(wr(v, lvts[i], value | 0x10000), VAPIC_DONE); // masked: no matter
                assert_int_equal(physical[lvts[i] / 16], 0x10000);
            }
            // And back to the hardware.
            assert_int_equal(wr(v, lvts[i], 0x42), VAPIC_DONE);
            assert_int_equal(physical[lvts[i] / 16], 0x42);
            assert_int_equal(rd(v, lvts[i]), 0x42);
        }
    }
}

static void lvt_bits(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(0, way);
        wr(v, APIC_SVR, 0x1ff);
        // Read-modify-write may carry the read-only status bits.
        assert_int_equal(wr(v, APIC_LVT_LINT1, 0x1f400), VAPIC_DONE);
        assert_int_equal(REG(APIC_LVT_LINT1), 0x1a400);
        // The error entry is always fixed.
        enum vapic_action action = wr(v, APIC_LVT_ERROR, 0x2fe);
        assert_int_equal(action, way == 2 ? VAPIC_FAULT : VAPIC_DONE);
        assert_int_equal(wr(v, APIC_LVT_ERROR, 0xfe), VAPIC_DONE);
        assert_int_equal(REG(APIC_LVT_ERROR), 0xfe);
        // So is the timer's; its deadline mode needs the CPU to have it.
        assert_int_equal(wr(v, APIC_LVT_TIMER, 0x400ec), VAPIC_DONE);
        assert_int_equal(REG(APIC_LVT_TIMER), 0xec);
        v->tsc_deadline = true;
        wr(v, APIC_LVT_TIMER, 0x400ec);
        assert_int_equal(REG(APIC_LVT_TIMER), 0x400ec);
        wr(v, APIC_LVT_TIMER, 0x600ec); // reserved
        assert_int_equal(REG(APIC_LVT_TIMER), 0x200ec);
        if (way == 2) {
            assert_int_equal(wr(v, APIC_LVT_TIMER, 0x5ec), VAPIC_FAULT);
            assert_int_equal(wr(v, APIC_LVT_LINT0, 0x20000), VAPIC_FAULT);
        } else {
            assert_int_equal(wr(v, APIC_LVT_TIMER, 0x5ec), VAPIC_DONE);
            assert_int_equal(REG(APIC_LVT_TIMER), 0xec);
        }
    }
}

static void missing_lvts(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(0, way);
        REG(APIC_VERSION) = 0x00030010; // four entries: no perf, no thermal
        assert_int_equal(wr(v, APIC_LVT_PERF, 0x400), way == 2 ? VAPIC_FAULT : VAPIC_DONE);
        assert_int_equal(wr(v, APIC_LVT_THERMAL, 0x10000), way == 2 ? VAPIC_FAULT : VAPIC_DONE);
        vapic_reset(v, true);
        wr(v, APIC_SVR, 0xff);
        assert_int_equal(rd(v, APIC_LVT_PERF), 0);
        // The reset of set_up wrote them while they were there.
        assert_int_equal(writes[APIC_LVT_PERF / 16] + writes[APIC_LVT_THERMAL / 16], 0);
        assert_int_equal(wr(v, APIC_LVT_CMCI, 0x10000), way == 2 ? VAPIC_FAULT : VAPIC_DONE);
    }
}

// A guest that software-disables its APIC and enables it again finds all entries masked, those too
// that never reached the hardware. The fake, as QEMU, masks nothing by itself.
static void software_disable(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(1, way);
        wr(v, APIC_SVR, 0x1ff);
        assert_int_equal(topology.vcpu[1].enabled, 1);
        wr(v, APIC_LVT_LINT0, 0x700);
        wr(v, APIC_LVT_LINT1, 0x400);
        wr(v, APIC_LVT_TIMER, 0x200ec);
        wr(v, APIC_LVT_ERROR, 0xfe);
        wr(v, APIC_SVR, 0xff);
        assert_int_equal(topology.vcpu[1].enabled, 0);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(rd(v, APIC_LVT_LINT0), 0x10700);
            assert_int_equal(rd(v, APIC_LVT_LINT1), 0x10400);
            assert_int_equal(rd(v, APIC_LVT_TIMER), 0x300ec);
            assert_int_equal(rd(v, APIC_LVT_ERROR), 0x100fe);
            wr(v, APIC_SVR, 0x1ff);
        }
        // While disabled nothing can be unmasked.
        wr(v, APIC_SVR, 0x0ff);
        wr(v, APIC_LVT_LINT0, 0x700);
        wr(v, APIC_LVT_LINT1, 0x400);
        wr(v, APIC_LVT_TIMER, 0xec);
        wr(v, APIC_LVT_ERROR, 0xfe);
        assert_int_equal(rd(v, APIC_LVT_LINT0), 0x10700);
        assert_int_equal(REG(APIC_LVT_LINT1), 0x10400);
        assert_int_equal(REG(APIC_LVT_TIMER), 0x100ec);
        assert_int_equal(REG(APIC_LVT_ERROR), 0x100fe);
    }
}

static void svr_bits(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(0, way);
        assert_int_equal(wr(v, APIC_SVR, 0x3ff), VAPIC_DONE); // focus check: dropped
        assert_int_equal(REG(APIC_SVR), 0x1ff);
        // EOI-broadcast suppression isn't announced.
        assert_int_equal(wr(v, APIC_SVR, 0x11ff), way == 2 ? VAPIC_FAULT : VAPIC_DONE);
        assert_int_equal(REG(APIC_SVR), 0x1ff);
    }
}

static void logical_ids(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        struct vapic *v = set_up(2, way);
        assert_int_equal(wr(v, APIC_LDR, 0x04ffffff), VAPIC_DONE);
        assert_int_equal(wr(v, APIC_DFR, 0xffffffff), VAPIC_DONE);
        assert_int_equal(rd(v, APIC_LDR), 0x04000000);
        assert_int_equal(topology.vcpu[2].ldr, 0x04);
        assert_int_equal(topology.vcpu[2].cluster, 0);
        assert_int_equal(wr(v, APIC_DFR, 0), VAPIC_DONE);
        assert_int_equal(rd(v, APIC_DFR), 0x0fffffff);
        assert_int_equal(topology.vcpu[2].cluster, 1);
        // The physical page shows the same, where there is one.
        assert_int_equal(REG(APIC_LDR), way == 0 ? 0x04000000 : 0);
    }
    struct vapic *v = set_up(2, 2);
    assert_int_equal(wr(v, APIC_LDR, 0x04000000), VAPIC_FAULT); // read-only there
    assert_int_equal(wr(v, APIC_DFR, 0), VAPIC_FAULT);
    assert_int_equal(rd(v, APIC_LDR), 0x4);
}

// ---- ICR ----------------------------------------------------------------------------------------

static void icr_xapic(void **state)
{
    (void)state;
    struct vapic *v = set_up(0, 0);
    assert_int_equal(wr(v, APIC_ICR_HIGH, 0x02ffffff), VAPIC_DONE);
    assert_int_equal(wr(v, APIC_ICR_LOW, 0x5030), VAPIC_IPI);
    assert_int_equal(verdict.kind, ICR_FIXED);
    assert_int_equal(verdict.targets, 0x4);
    assert_int_equal(verdict.vector, 0x30);
    assert_int_equal(rd(v, APIC_ICR_HIGH), 0x02000000);
    assert_int_equal(rd(v, APIC_ICR_LOW), 0x4030); // delivery status reads idle
    // The high half stays latched.
    assert_int_equal(wr(v, APIC_ICR_LOW, 0x4500), VAPIC_IPI);
    assert_int_equal(verdict.kind, ICR_INIT);
    assert_int_equal(verdict.targets, 0x4);
    wr(v, APIC_ICR_HIGH, 0x09000000);
    assert_int_equal(wr(v, APIC_ICR_LOW, 0x4030), VAPIC_DONE); // nobody there
    assert_int_equal(wr(v, APIC_ICR_LOW, 0x4230), VAPIC_REFUSED);
    assert_non_null(v->reason);
}

static void icr_x2apic(void **state)
{
    (void)state;
    struct vapic *v = set_up(1, 2);
    uint64_t value = 0;
    assert_int_equal(vapic_msr_write(v, 0x830, 0x300000031, &verdict), VAPIC_IPI);
    assert_int_equal(verdict.kind, ICR_FIXED);
    assert_int_equal(verdict.targets, 0x8);
    assert_int_equal(vapic_msr_read(v, 0x830, &value), STATUS_OK);
    assert_int_equal(value, 0x300000031);
    assert_int_equal(vapic_icr_write(v, 0xc0400, &verdict), VAPIC_IPI);
    assert_int_equal(verdict.kind, ICR_NMI);
    assert_int_equal(verdict.targets, 0xd);
    // A reserved bit faults and changes nothing.
    assert_int_equal(vapic_icr_write(v, 0x300100031, &verdict), VAPIC_FAULT);
    assert_int_equal(vapic_msr_read(v, 0x830, &value), STATUS_OK);
    assert_int_equal(value, 0xc0400);
    assert_int_equal(vapic_icr_write(v, 0x300000231, &verdict), VAPIC_REFUSED);
    // There is no high half of its own.
    assert_int_equal(vapic_msr_write(v, 0x831, 0, &verdict), VAPIC_FAULT);
}

static void send_error(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(1, way);
        wr(v, APIC_SVR, 0x1ff);
        assert_int_equal(wr(v, APIC_ICR_LOW, 0x0f), VAPIC_DONE); // the error entry is masked
        assert_int_equal(rd(v, APIC_ESR), 0);                    // not before it is latched
        wr(v, APIC_ESR, 0);
        assert_int_equal(rd(v, APIC_ESR), 0x20);
        wr(v, APIC_ESR, 0);
        assert_int_equal(rd(v, APIC_ESR), 0);

        wr(v, APIC_LVT_ERROR, 0xfe);
        assert_int_equal(wr(v, APIC_ICR_LOW, 0x0f), VAPIC_IPI); // the error interrupt
        assert_int_equal(verdict.kind, ICR_FIXED);
        assert_int_equal(verdict.targets, 0x2);
        assert_int_equal(verdict.vector, 0xfe);
        REG(APIC_ESR) = 0x40; // beside what the hardware found
        wr(v, APIC_ESR, 0);
        REG(APIC_ESR) = 0x40;
        assert_int_equal(rd(v, APIC_ESR), 0x60);
    }
}

// ---- accesses that reach nothing ----------------------------------------------------------------

static void absent_registers(void **state)
{
    (void)state;
    struct vapic *v = set_up(0, 1);
    for (unsigned offset = 0; offset < 0x1000; offset += 4) {
        if (offset % 16 != 0) {
            assert_int_equal(vapic_mmio_read(v, offset), 0);
            assert_int_equal(vapic_mmio_write(v, offset, ~0u, &verdict), VAPIC_DONE);
        }
    }
    for (unsigned i = 0; i < APIC_REGISTER_COUNT; i++) {
        assert_int_equal(writes[i], 0);
    }
    static const unsigned absent[] = {0x00, 0x10, 0x40, 0x3f0, 0x400, 0x500, 0xff0};
    for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
        v = set_up(0, 1);
        assert_int_equal(vapic_mmio_read(v, absent[i]), 0);
        wr(v, APIC_ESR, 0);
        assert_int_equal(rd(v, APIC_ESR), 0x80);
        wr(v, APIC_ESR, 0);
        assert_int_equal(vapic_mmio_write(v, absent[i], 1, &verdict), VAPIC_DONE);
        wr(v, APIC_ESR, 0);
        assert_int_equal(rd(v, APIC_ESR), 0x80);
    }
    static const unsigned read_only[] = {APIC_ID,  APIC_VERSION, APIC_PPR,          APIC_ISR,
                                         APIC_TMR, APIC_IRR,     APIC_TIMER_CURRENT};
    for (unsigned i = 0; i < ARRAY_SIZE(read_only); i++) {
        v = set_up(0, 1);
        assert_int_equal(wr(v, read_only[i], 0), VAPIC_DONE);
        assert_int_equal(writes[read_only[i] / 16], 0);
        v = set_up(0, 2);
        assert_int_equal(wr(v, read_only[i], 0), VAPIC_FAULT);
        assert_int_equal(writes[read_only[i] / 16], 0);
    }
    uint64_t value;
    v = set_up(0, 2);
    for (uint32_t msr = 0x840; msr <= 0x8ff; msr++) {
        assert_int_equal(vapic_msr_read(v, msr, &value), ERR_FAULT);
        assert_int_equal(vapic_msr_write(v, msr, 0, &verdict), VAPIC_FAULT);
    }
    assert_int_equal(vapic_msr_read(v, 0x80b, &value), ERR_FAULT); // EOI: write-only
    assert_int_equal(vapic_msr_read(v, 0x83f, &value), ERR_FAULT); // self IPI: write-only
    assert_int_equal(vapic_msr_read(v, 0x80e, &value), ERR_FAULT); // DFR: xAPIC only
    assert_int_equal(vapic_msr_write(v, 0x83f, 0x40, &verdict), VAPIC_DONE);
    assert_int_equal(REG(APIC_SELF_IPI), 0x40);
}

static void the_other_modes_interface(void **state)
{
    (void)state;
    uint64_t value;
    struct vapic *v = set_up(0, 1); // xAPIC mode: no MSRs
    for (uint32_t msr = 0x800; msr <= 0x8ff; msr++) {
        assert_int_equal(vapic_msr_read(v, msr, &value), ERR_FAULT);
        assert_int_equal(vapic_msr_write(v, msr, 0, &verdict), VAPIC_FAULT);
    }
    v = set_up(0, 2); // x2APIC mode: no page
    assert_int_equal(vapic_mmio_read(v, APIC_ID), 0xffffffff);
    assert_int_equal(vapic_mmio_write(v, APIC_TPR, 0x10, &verdict), VAPIC_DONE);
    assert_int_equal(vapic_mmio_write(v, APIC_ICR_LOW, 0x80030, &verdict), VAPIC_DONE);
    assert_int_equal(base(v, 0xfee00000), VAPIC_MODE); // disabled: neither
    assert_int_equal(vapic_mmio_read(v, APIC_ID), 0xffffffff);
    assert_int_equal(vapic_mmio_write(v, APIC_TPR, 0x10, &verdict), VAPIC_DONE);
    assert_int_equal(vapic_msr_read(v, 0x802, &value), ERR_FAULT);
    assert_int_equal(REG(APIC_TPR), 0);
}

// ---- IA32_APIC_BASE -----------------------------------------------------------------------------

static void mode_steps(void **state)
{
    (void)state;
    static const uint64_t bits[] = {
        [APIC_DISABLED] = 0x000, [APIC_XAPIC] = 0x800, [APIC_X2APIC] = 0xc00};
    static const bool legal[3][3] = {{1, 1, 0}, {1, 1, 1}, {1, 0, 1}};
    for (unsigned from = 0; from < 3; from++) {
        for (unsigned to = 0; to < 3; to++) {
            struct vapic *v = set_up(2, 1);
            if (from != APIC_XAPIC) {
                assert_int_equal(base(v, 0xfee00000 | bits[from]), VAPIC_MODE);
            }
            uint64_t before = read_base(v);
            enum vapic_action action = base(v, 0xfee00000 | bits[to]);
            if (!legal[from][to]) {
                assert_int_equal(action, VAPIC_FAULT);
                assert_int_equal(v->mode, from);
                assert_int_equal(read_base(v), before);
            } else {
                assert_int_equal(action, from == to ? VAPIC_DONE : VAPIC_MODE);
                assert_int_equal(v->mode, to);
                assert_int_equal(topology.vcpu[2].mode, to);
                assert_int_equal(read_base(v), 0xfee00000 | bits[to]);
            }
        }
        struct vapic *v = set_up(2, 1);
        base(v, 0xfee00000 | bits[from]);
        assert_int_equal(base(v, 0xfee00400), VAPIC_FAULT); // EXTD alone
    }
}

static void base_refusals(void **state)
{
    (void)state;
    struct vapic *v = set_up(1, 1);
    static const uint64_t bad[] = {0x100fee00800, 0x80000fee00800, 0x80000000fee00800,
                                   0xfee00801,    0xfee00a00,      0xfed00800 | 1ull << WIDTH};
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        v->reason = NULL;
        assert_int_equal(base(v, bad[i]), VAPIC_FAULT);
        assert_non_null(v->reason);
        assert_int_equal(read_base(v), 0xfee00800);
    }
    assert_int_equal(base(v, 0x800), VAPIC_FAULT_TOLD); // where memory is
    assert_non_null(strstr(v->reason, "over memory"));
    assert_int_equal(read_base(v), 0xfee00800);
    assert_int_equal(v->page, 0xfee00000);
    assert_int_equal(base(v, 0xfee00900), VAPIC_DONE); // BSP is read-only
    assert_int_equal(read_base(v), 0xfee00800);
    v = set_up(0, 1);
    assert_int_equal(base(v, 0xfee00800), VAPIC_DONE);
    assert_int_equal(read_base(v), 0xfee00900);
    v = set_up(1, 0); // no x2APIC on the host
    assert_int_equal(base(v, 0xfee00c00), VAPIC_FAULT);
    assert_int_equal(v->mode, APIC_XAPIC);
}

// The page moves with the base. Only where there is one must its place be free.
static void moving(void **state)
{
    (void)state;
    struct vapic *v = set_up(1, 1);
    assert_int_equal(base(v, 0xfed00800), VAPIC_MOVED);
    assert_int_equal(v->page, 0xfed00000);
    assert_int_equal(base(v, 0xfed00800), VAPIC_DONE);
    assert_int_equal(base(v, 0x8000000800), VAPIC_MOVED); // the highest bit that there is
    assert_int_equal(read_base(v), 0x8000000800);
    assert_int_equal(vapic_mmio_read(v, APIC_ID), 1u << 24);
    assert_int_equal(base(v, 0xfed00c00), VAPIC_MODE); // both at once
    assert_int_equal(v->page, 0xfed00000);
    assert_int_equal(base(v, 0x1000c00), VAPIC_MOVED); // no page
    assert_int_equal(base(v, 0x1000000), VAPIC_MODE);
    assert_int_equal(base(v, 0x1000800), VAPIC_FAULT_TOLD); // here it would be one
    assert_int_equal(v->mode, APIC_DISABLED);
    assert_int_equal(base(v, 0xfec00800), VAPIC_MODE);
    assert_int_equal(v->page, 0xfec00000);
    vapic_reset(v, true); // an INIT keeps the base (SDM vol. 3, 11.4.7.3)
    assert_int_equal(read_base(v), 0xfec00800);
    assert_int_equal(v->page, 0xfec00000);
    vapic_reset(v, false);
    assert_int_equal(read_base(v), 0xfee00800);
    assert_int_equal(v->page, 0xfee00000);
}

static void global_disable(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct vapic *v = set_up(1, way);
        wr(v, APIC_SVR, 0x1ff);
        wr(v, APIC_LVT_TIMER, 0x200ec);
        wr(v, APIC_LVT_LINT0, 0x700);
        wr(v, APIC_TIMER_INITIAL, 1000);
        assert_int_equal(base(v, 0xfee00000), VAPIC_MODE);
        assert_int_equal(topology.vcpu[1].mode, APIC_DISABLED);
        assert_int_equal(REG(APIC_SVR), 0xff); // enabled globally, disabled by software
        assert_int_equal(REG(APIC_LVT_TIMER), 0x10000);
        assert_int_equal(REG(APIC_TIMER_INITIAL), 0);
        assert_int_equal(base(v, 0xfee00800), VAPIC_MODE);
        assert_int_equal(rd(v, APIC_SVR), 0xff);
        assert_int_equal(rd(v, APIC_LVT_LINT0), 0x10000);
        assert_int_equal(rd(v, APIC_ID), 1u << 24);
    }
}

static void registers_survive_the_switch_to_x2apic(void **state)
{
    (void)state;
    struct vapic *v = set_up(2, 1);
    wr(v, APIC_SVR, 0x1f0);
    wr(v, APIC_LVT_LINT0, 0x700);
    wr(v, APIC_LVT_TIMER, 0x200ec);
    wr(v, APIC_LDR, 0x80000000);
    wr(v, APIC_ICR_HIGH, 0x03000000);
    wr(v, APIC_ICR_LOW, 0x4030);
    to_x2apic(v);
    assert_int_equal(rd(v, APIC_SVR), 0x1f0);
    assert_int_equal(rd(v, APIC_LVT_LINT0), 0x700);
    assert_int_equal(rd(v, APIC_LVT_TIMER), 0x200ec);
    assert_int_equal(rd(v, APIC_LDR), 0x4);
    uint64_t value = 1;
    assert_int_equal(vapic_msr_read(v, 0x830, &value), STATUS_OK);
    assert_int_equal(value, 0x4030);
    assert_int_equal(topology.vcpu[2].enabled, 1);
}

// ---- the table ----------------------------------------------------------------------------------

static void rules_are_complete(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 0x1000; offset++) {
        const struct apic_reg_rule *rule = vapic_rule(offset);
        assert_non_null(rule);
        assert_non_null(rule->name);
        assert_true(rule->reason != NULL && rule->reason[0] != 0);
        if (rule->modes == 0) {
            assert_int_equal(rule->read, APIC_ABSENT);
            assert_int_equal(rule->write, APIC_ABSENT);
        } else {
            assert_true(rule->read != APIC_ABSENT || rule->write != APIC_ABSENT);
            assert_int_equal(offset % 16, 0);
        }
    }
}

// What may go past the hypervisor in x2APIC mode, by number: a changed row must change this list.
static void what_passes(void **state)
{
    (void)state;
    for (uint32_t msr = 0x7ff; msr <= 0x900; msr++) {
        bool read = msr == 0x808 || msr == 0x80a || msr == 0x80f ||
                    (msr >= 0x810 && msr <= 0x827) || msr == 0x832 ||
                    (msr >= 0x837 && msr <= 0x839) || msr == 0x83e;
        bool write = msr == 0x808 || msr == 0x80b || msr == 0x832 || msr == 0x838 || msr == 0x83e ||
                     msr == 0x83f;
        assert_int_equal(vapic_msr_passes(msr, false), read);
        assert_int_equal(vapic_msr_passes(msr, true), write);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_up),
        cmocka_unit_test(init_does_not_touch_the_physical_apic),
        cmocka_unit_test(init_keeps_the_mode),
        cmocka_unit_test(identity),
        cmocka_unit_test(hot_registers),
        cmocka_unit_test(lvt_delivery_modes),
        cmocka_unit_test(lvt_bits),
        cmocka_unit_test(missing_lvts),
        cmocka_unit_test(software_disable),
        cmocka_unit_test(svr_bits),
        cmocka_unit_test(logical_ids),
        cmocka_unit_test(icr_xapic),
        cmocka_unit_test(icr_x2apic),
        cmocka_unit_test(send_error),
        cmocka_unit_test(absent_registers),
        cmocka_unit_test(the_other_modes_interface),
        cmocka_unit_test(mode_steps),
        cmocka_unit_test(base_refusals),
        cmocka_unit_test(moving),
        cmocka_unit_test(global_disable),
        cmocka_unit_test(registers_survive_the_switch_to_x2apic),
        cmocka_unit_test(rules_are_complete),
        cmocka_unit_test(what_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
