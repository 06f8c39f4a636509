// SPDX-License-Identifier: Apache-2.0
// hv/vdev/ports.c: the map says what the table says, and nothing else is anybody's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/machine/guest_platform.h"
#include "hv/vdev/ports.h"
#include "hv/vdev/vpm.h"

static unsigned base_of(const struct vdev_port_range *r, unsigned pm_base)
{
    return r->device == VDEV_PORT_PM ? pm_base : 0;
}

static void assert_map_is_the_table(unsigned pm_base)
{
    unsigned owned = 0, listed = 0;
    for (unsigned port = 0; port <= 0xffff; port++)
        owned += vdev_port_lookup((uint16_t)port) != VDEV_PORT_NONE;

    for (size_t i = 0; i < vdev_port_range_count; i++) {
        const struct vdev_port_range *r = &vdev_port_ranges[i];
        unsigned base = base_of(r, pm_base);
        assert_true(r->first <= r->last);
        assert_non_null(r->reason);
        for (unsigned port = base + r->first; port <= base + r->last; port++, listed++)
            assert_int_equal(vdev_port_lookup((uint16_t)port), r->device);
    }
    // As many as the rows have together: so they don't overlap, and there are no others.
    assert_int_equal(owned, listed);
}

static void where_they_are(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum vdev_port device;
    } expected[] = {
        {0x0000, VDEV_PORT_NONE},   {0x0020, VDEV_PORT_PIC},   {0x0021, VDEV_PORT_PIC},
        {0x003f, VDEV_PORT_NONE},   {0x0040, VDEV_PORT_PIT},   {0x0043, VDEV_PORT_PIT},
        {0x0044, VDEV_PORT_NONE},   {0x0060, VDEV_PORT_RESET}, {0x0061, VDEV_PORT_61},
        {0x0062, VDEV_PORT_NONE},   {0x0063, VDEV_PORT_NONE},  {0x0065, VDEV_PORT_NONE},
        {0x0022, VDEV_PORT_NONE},   {0x0081, VDEV_PORT_NONE},  {0x0091, VDEV_PORT_NONE},
        {0x0093, VDEV_PORT_NONE},   {0x009f, VDEV_PORT_NONE},  {0x0064, VDEV_PORT_RESET},
        {0x0070, VDEV_PORT_RTC},    {0x0071, VDEV_PORT_RTC},   {0x0072, VDEV_PORT_NONE},
        {0x0080, VDEV_PORT_SILENT}, {0x0092, VDEV_PORT_RESET}, {0x00a0, VDEV_PORT_PIC},
        {0x00b0, VDEV_PORT_NONE},   {0x00b1, VDEV_PORT_BIOS},  {0x00b2, VDEV_PORT_NONE},
        {0x00a1, VDEV_PORT_PIC},    {0x02f8, VDEV_PORT_NONE},  {0x03f7, VDEV_PORT_NONE},
        {0x03b3, VDEV_PORT_NONE},   {0x03b4, VDEV_PORT_CRTC},  {0x03b5, VDEV_PORT_CRTC},
        {0x03b6, VDEV_PORT_NONE},   {0x03d3, VDEV_PORT_NONE},  {0x03d4, VDEV_PORT_CRTC},
        {0x03d5, VDEV_PORT_CRTC},   {0x03d6, VDEV_PORT_NONE},  {0x03f8, VDEV_PORT_UART},
        {0x03ff, VDEV_PORT_UART},   {0x0400, VDEV_PORT_NONE},  {0x04d0, VDEV_PORT_PIC},
        {0x04d1, VDEV_PORT_PIC},    {0x05ff, VDEV_PORT_NONE},  {0x0600, VDEV_PORT_PM},
        {0x0605, VDEV_PORT_PM},     {0x0606, VDEV_PORT_NONE},  {0x0cf8, VDEV_PORT_PCI},
        {0x0cf9, VDEV_PORT_RESET},  {0x0cfc, VDEV_PORT_PCI},   {0x0cff, VDEV_PORT_PCI},
        {0x0d00, VDEV_PORT_NONE},   {0x1000, VDEV_PORT_NONE},  {0xffff, VDEV_PORT_NONE},
    };
    assert_int_equal(vdev_ports_init(GUEST_PM1_BASE), STATUS_OK);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(vdev_port_lookup(expected[i].port), expected[i].device);
    assert_map_is_the_table(GUEST_PM1_BASE);
}

static void pm_moves(void **state)
{
    (void)state;
    assert_int_equal(vdev_ports_init(0x600), STATUS_OK);
    assert_int_equal(vdev_ports_init(0xff8), STATUS_OK);
    assert_int_equal(vdev_port_lookup(0x600), VDEV_PORT_NONE);
    assert_int_equal(vdev_port_lookup(0xff8), VDEV_PORT_PM);
    assert_map_is_the_table(0xff8);
}

static void pm_has_no_place(void **state)
{
    (void)state;
    static const struct {
        uint16_t base;
        enum status status;
    } bad[] = {
        {0x0601, ERR_INVALID}, {0x0ffc, ERR_INVALID}, {0x1000, ERR_INVALID}, {0xfffc, ERR_INVALID},
        {0x0020, ERR_EXISTS},  {0x003c, ERR_EXISTS},  {0x03f4, ERR_EXISTS},  {0x0cf8, ERR_EXISTS},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(vdev_ports_init(bad[i].base), bad[i].status);
        for (unsigned port = 0; port <= 0xffff; port++)
            assert_int_not_equal(vdev_port_lookup((uint16_t)port), VDEV_PORT_PM);
        // The others are where they were.
        assert_int_equal(vdev_port_lookup(0x3f8), VDEV_PORT_UART);
        assert_int_equal(vdev_port_lookup(0xcf9), VDEV_PORT_RESET);
        assert_int_equal(vdev_port_lookup(0x020), VDEV_PORT_PIC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_they_are),
        cmocka_unit_test(pm_moves),
        cmocka_unit_test(pm_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
