// SPDX-License-Identifier: Apache-2.0
// See fake_exits.h.
#include "tests/unit/fake_exits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/mca.h"
#include "hv/exit/exits.h"
#include "hv/exit/next_rip.h"
#include "hv/exit/platform.h"
#include "hv/life/end.h"
#include "hv/life/machine_check.h"
#include "hv/life/vcpu_work.h"
#include "hv/partition/guest_interrupt.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/partition.h"

const char *fake_called;

static bool called(const char *name, bool result)
{
    fake_called = name;
    return result;
}

bool exit_cpuid(struct vcpu *v, struct guest_regs *regs, uint64_t cr4)
{
    (void)v, (void)regs, (void)cr4;
    return called("cpuid", true);
}

bool exit_rdmsr(struct vcpu *v, struct guest_regs *regs)
{
    (void)v, (void)regs;
    return called("rdmsr", true);
}

bool exit_wrmsr(struct vcpu *v, struct guest_regs *regs)
{
    (void)v, (void)regs;
    return called("wrmsr", true);
}

bool exit_port(struct vcpu *v, struct guest_regs *regs, uint16_t port, unsigned size, bool in)
{
    (void)v, (void)regs, (void)port, (void)size, (void)in;
    return called("port", true);
}

uint64_t exit_port_breakpoints(uint64_t dr7, uint64_t cr4, uint16_t port, unsigned size)
{
    (void)dr7, (void)cr4, (void)port, (void)size;
    return 0;
}

bool exit_port_string(struct vcpu *v, struct guest_regs *regs)
{
    (void)v, (void)regs;
    return called("port_string", true);
}

bool exit_memory(struct vcpu *v, struct guest_regs *regs, gpa_t address, bool write)
{
    (void)v, (void)regs, (void)address, (void)write;
    return called("memory", true);
}

bool exit_undefined(struct vcpu *v)
{
    (void)v;
    return called("undefined", false);
}

bool exit_protected(struct vcpu *v)
{
    (void)v;
    return called("protected", false);
}

bool exit_fault(struct vcpu *v, struct guest_regs *regs, const char *what, uint64_t detail)
{
    (void)v, (void)regs, (void)detail;
    return called(what, false);
}

bool next_rip_decode(struct vcpu *v, struct guest_regs *regs, uint64_t linear, uint64_t cr3,
                     uint64_t *next)
{
    (void)v, (void)regs, (void)linear, (void)cr3, (void)next;
    fail_msg("the processor says where the next instruction is");
    return false;
}

void partition_end(struct vcpu *v, enum partition_end end, const char *why, struct guest_regs *regs)
{
    (void)v, (void)end, (void)why, (void)regs;
    called("end", false);
}

void machine_check_exit(struct vcpu *v, struct guest_regs *regs, bool can_go_on)
{
    (void)v, (void)regs, (void)can_go_on;
    called("machine check", false);
}

bool mca_in_progress(void)
{
    return false;
}

void vcpu_after_nmi(struct vcpu *v, struct guest_regs *regs)
{
    (void)v, (void)regs;
    called("nmi", false);
}

uint8_t platform_port61_read(struct vcpu *v)
{
    (void)v;
    return called("port 0x61", true);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

void expect_what_row_says(const struct sensitive_row *row, bool moved)
{
    const char *is = fake_called != NULL ? fake_called : "";
    bool good = !begins(is, "an exit that was not asked for");
    if (begins(row->sees, "#UD")) {
        good = !moved && strcmp(is, "undefined") == 0;
    } else if (begins(row->sees, "#GP(0)")) {
        good = !moved && strcmp(is, "protected") == 0;
    } else if (begins(row->sees, "nothing happens")) {
        good = moved && *is == '\0';
    }
    if (!good) {
        fail_msg("%s: the guest sees \"%s\", but it came to \"%s\"", row->id, row->sees, is);
    }
}

void guest_interrupt_window(struct vcpu *v)
{
    (void)v;
    called("interrupt_window", true);
}

void guest_timers_work(struct vcpu *v)
{
    (void)v;
    called("timers", true);
}
