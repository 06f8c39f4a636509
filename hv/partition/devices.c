// SPDX-License-Identifier: Apache-2.0
// Resets the devices and starts their clocks.
#include "hv/partition/devices.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/tsc.h"
#include "arch/cpu/tsc_scale.h"
#include "drivers/console/console.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/partition.h"

void devices_reset(struct partition *p)
{
    struct partition_devices *d = &p->devices;
    vuart_reset(&d->uart);
    vpic_reset(&d->pic);
    d->pic_told = d->pic_window = false;
    vpit_reset(&d->pit);
    vrtc_reset(&d->rtc);
    vpm_reset(&d->pm);
    vcrtc_reset(&d->crtc);
    vreset_reset(&d->reset);
    vioapic_reset(&d->ioapic);
    d->stray.count = 0;
    d->start_tsc = rdtsc();
    d->pit_scale = tsc_scale(VPIT_HZ, tsc_khz() * 1000);
    guest_timers_reset(p);
    p->held_count = 0;
    console_restart(p->console);
}
