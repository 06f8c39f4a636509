// SPDX-License-Identifier: Apache-2.0
// Model-specific registers: what they read, and what they read after a write. The names say what is
// expected: "own" registers are the guest's and behave as the machine's; "shown" ones have a value
// that the hypervisor makes; "denied" ones do not exist in a partition, "missing" ones nowhere;
// "reserved" values no register takes.

#include "tests/guests/equiv/cpu.h"

enum {
    MSR_READ = 1,
    MSR_WRITE = 2, // and read back
};

static const struct {
    const char *name;
    uint32_t number;
    unsigned what;
    uint64_t value;
} rows[] = {
    {"msr.own.apic-base", 0x1b, MSR_READ, 0},
    {"msr.reserved.apic-base", 0x1b, MSR_WRITE, 0xfee00902},
    {"msr.reserved.apic-base-wide", 0x1b, MSR_WRITE, 1ull << 60 | 0xfee00900},
    {"msr.own.sysenter-cs", 0x174, MSR_READ | MSR_WRITE, 0x18},
    {"msr.own.sysenter-esp", 0x175, MSR_READ | MSR_WRITE, 0x123456789abc},
    {"msr.own.sysenter-esp-noncanonical", 0x175, MSR_WRITE, 0x8000000000000000},
    {"msr.own.sysenter-eip", 0x176, MSR_READ | MSR_WRITE, 0xffff8000deadbeef},
    {"msr.own.sysenter-eip-noncanonical", 0x176, MSR_WRITE, 0x8000000000000000},
    {"msr.own.pat", 0x277, MSR_READ | MSR_WRITE, 0x0001040600070406},
    {"msr.own.pat-bad", 0x277, MSR_WRITE, 0x0007040600070402},
    {"msr.own.pat-bad-high", 0x277, MSR_WRITE, 0xff07040600070406},
    {"msr.own.star", 0xc0000081, MSR_READ | MSR_WRITE, 0x0028001812345678},
    {"msr.own.lstar", 0xc0000082, MSR_READ | MSR_WRITE, 0xffff8000deadbeef},
    {"msr.own.lstar-noncanonical", 0xc0000082, MSR_WRITE, 0x8000000000000000},
    {"msr.own.cstar", 0xc0000083, MSR_READ | MSR_WRITE, 0x123456789abc},
    {"msr.own.sfmask", 0xc0000084, MSR_WRITE, 0x47700},
    {"msr.own.fs-base", 0xc0000100, MSR_READ | MSR_WRITE, 0x7fffffffffff},
    {"msr.own.fs-base-noncanonical", 0xc0000100, MSR_WRITE, 0x8000000000000000},
    {"msr.own.gs-base", 0xc0000101, MSR_READ | MSR_WRITE, 0xffff800000000000},
    {"msr.own.gs-base-noncanonical", 0xc0000101, MSR_WRITE, 0x1000000000000},
    {"msr.own.kernel-gs-base", 0xc0000102, MSR_READ | MSR_WRITE, 0x123456},
    {"msr.own.kernel-gs-base-noncanonical", 0xc0000102, MSR_WRITE, 0x1000000000000},
    {"msr.own.tsc-aux", 0xc0000103, MSR_READ | MSR_WRITE, 0x77},
    {"msr.own.tsc-aux-wide", 0xc0000103, MSR_WRITE, 0x100000000},
    {"msr.own.efer", 0xc0000080, MSR_READ, 0},
    {"msr.own.efer-sce", 0xc0000080, MSR_WRITE, 0xd01},
    {"msr.own.efer-nxe-off", 0xc0000080, MSR_WRITE, 0x500},
    {"msr.reserved.efer-lme-off", 0xc0000080, MSR_WRITE, 0xc00},
    {"msr.own.efer-lma-off", 0xc0000080, MSR_WRITE, 0x900},
    {"msr.reserved.efer", 0xc0000080, MSR_WRITE, 0xd02},
    {"msr.reserved.efer-high", 0xc0000080, MSR_WRITE, 1ull << 40 | 0xd00},
    {"msr.denied.efer-svme", 0xc0000080, MSR_WRITE, 0x1d00},
    {"msr.denied.efer-ffxsr", 0xc0000080, MSR_WRITE, 0x4d00},
    {"msr.denied.efer-tce", 0xc0000080, MSR_WRITE, 0x8d00},
    {"msr.shown.platform-id", 0x17, MSR_READ, 0},
    {"msr.shown.feature-control", 0x3a, MSR_READ, 0},
    {"msr.shown.platform-info", 0xce, MSR_READ, 0},
    {"msr.shown.mtrrcap", 0xfe, MSR_READ, 0},
    {"msr.shown.mtrr-def-type", 0x2ff, MSR_READ, 0},
    {"msr.shown.mcg-cap", 0x179, MSR_READ, 0},
    {"msr.shown.mcg-status", 0x17a, MSR_READ | MSR_WRITE, 0},
    {"msr.shown.misc-enable", 0x1a0, MSR_READ, 0},
    {"msr.shown.debugctl", 0x1d9, MSR_READ, 0},
    {"msr.shown.xss", 0xda0, MSR_READ | MSR_WRITE, 0},
    {"msr.denied.xss-pt", 0xda0, MSR_WRITE, 0x100},
    {"msr.shown.perf-counter", 0xc1, MSR_READ | MSR_WRITE, 0x123},
    {"msr.shown.perf-counter-amd", 0xc0010004, MSR_READ | MSR_WRITE, 0x123},
    {"msr.shown.mtrr-fix64k", 0x250, MSR_READ, 0},
    {"msr.shown.syscfg", 0xc0010010, MSR_READ, 0},
    {"msr.shown.hwcr", 0xc0010015, MSR_READ, 0},
    {"msr.shown.osvw-length", 0xc0010140, MSR_READ, 0},
    {"msr.shown.de-cfg", 0xc0011029, MSR_READ, 0},
    {"msr.own.spec-ctrl", 0x48, MSR_READ | MSR_WRITE, 0},
    {"msr.own.spec-ctrl-reserved", 0x48, MSR_WRITE, 1ull << 40},
    {"msr.missing.pred-cmd-read", 0x49, MSR_READ, 0},
    {"msr.own.dr0-mask", 0xc0011027, MSR_READ, 0},
    {"msr.own.tsc-deadline", 0x6e0, MSR_READ, 0},
    {"msr.missing.x2apic-in-xapic-mode", 0x808, MSR_READ | MSR_WRITE, 0},
    {"msr.denied.tsc-adjust", 0x3b, MSR_READ, 0},
    {"msr.denied.smm-base-intel", 0x9b, MSR_READ, 0},
    {"msr.denied.perf-caps", 0x345, MSR_READ, 0},
    {"msr.denied.mtrr-base0", 0x200, MSR_READ, 0},
    {"msr.denied.vmx-basic", 0x480, MSR_READ, 0},
    {"msr.denied.arch-caps", 0x10a, MSR_READ, 0},
    {"msr.denied.mc0-ctl", 0x400, MSR_READ, 0},
    {"msr.denied.vm-cr", 0xc0010114, MSR_READ, 0},
    {"msr.denied.hsave-pa", 0xc0010117, MSR_READ, 0},
    {"msr.denied.top-mem", 0xc001001a, MSR_READ, 0},
    {"msr.denied.pstate", 0xc0010062, MSR_READ, 0},
    {"msr.denied.tsc-ratio", 0xc0000104, MSR_READ, 0},
    {"msr.missing.0x12345678", 0x12345678, MSR_READ | MSR_WRITE, 0},
    {"msr.missing.0xffffffff", 0xffffffff, MSR_READ | MSR_WRITE, 0},
    {"msr.missing.0x40000000", 0x40000000, MSR_READ, 0},
    {"msr.missing.0xc0000fff", 0xc0000fff, MSR_READ, 0},
    {"msr.missing.0xc0011fff", 0xc0011fff, MSR_READ, 0},
    {"msr.missing.0x2000", 0x2000, MSR_READ, 0},
};

static bool read_one(uint32_t number, struct run *r)
{
    run_init(r, L64_0);
    r->r[RCX] = number;
    run_bytes(r, CODE("\x0f\x32"));
    return r->ended;
}

static void add_value(struct text *t, const struct run *r)
{
    describe(t, r, 0);
    if (r->ended)
        text_item(t, "value", r->r[RDX] << 32 | r->r[RAX]);
}

static void write_one(uint32_t number, uint64_t value, struct run *r)
{
    run_init(r, L64_0);
    r->r[RCX] = number;
    r->r[RAX] = (uint32_t)value;
    r->r[RDX] = value >> 32;
    run_bytes(r, CODE("\x0f\x30\x0f\x32"));
}

void checks_msrs(void)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct text t = {0};
        struct run before, r;
        bool readable = read_one(rows[i].number, &before);
        if (rows[i].what & MSR_READ) {
            text_add(&t, "read ");
            add_value(&t, &before);
        }
        if (rows[i].what & MSR_WRITE) {
            text_add(&t, rows[i].what & MSR_READ ? ", written " : "written ");
            write_one(rows[i].number, rows[i].value, &r);
            add_value(&t, &r);
            if (readable && r.ended)
                wrmsr(rows[i].number, before.r[RDX] << 32 | before.r[RAX]);
        }
        outcome(rows[i].name, "%s", t.s);
    }
}
