// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vpic.c against the 8259A's data sheet: initialisation, priorities, each way to end an
// interrupt, cascade, trigger modes, polling.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vpic.h"

static struct vpic pic;

static void out(uint16_t port, uint8_t value)
{
    vpic_write(&pic, port, 1, value);
}

static uint8_t in(uint16_t port)
{
    return (uint8_t)vpic_read(&pic, port, 1);
}

// As an operating system does it: vectors 32 and 40, cascade on 2, nothing masked.
static void initialise(uint8_t icw4)
{
    vpic_reset(&pic);
    out(0x20, 0x11);
    out(0x21, 0x20);
    out(0x21, 0x04);
    out(0x21, icw4);
    out(0xa0, 0x11);
    out(0xa1, 0x28);
    out(0xa1, 0x02);
    out(0xa1, icw4);
    out(0x21, 0);
    out(0xa1, 0);
}

static int setup(void **state)
{
    (void)state;
    initialise(0x01);
    return 0;
}

static void pulse(unsigned input)
{
    vpic_set_line(&pic, input, true);
    vpic_set_line(&pic, input, false);
}

static uint8_t in_service(uint16_t port)
{
    out(port, 0x0b);
    uint8_t value = in(port);
    out(port, 0x0a);
    return value;
}

static void test_handover(void **state)
{
    (void)state;
    vpic_reset(&pic);
    assert_int_equal(in(0x21), 0xff);
    assert_int_equal(in(0xa1), 0xff);
    pulse(0);
    assert_false(vpic_pending(&pic));
    assert_int_equal(pic.programmed, 0);
    out(0x21, 0xfe); // an edge is kept while masked
    assert_true(vpic_pending(&pic));
    assert_int_equal(vpic_acknowledge(&pic), 8);
}

// Linux takes the mask's read-back for the proof that there is one.
static void test_mask(void **state)
{
    (void)state;
    out(0xa1, 0xff);
    out(0x21, 0xfb);
    assert_int_equal(in(0x21), 0xfb);
    assert_int_equal(in(0xa1), 0xff);
    pulse(1);
    pulse(12);
    assert_false(vpic_pending(&pic));
    assert_false(vpic_listens(&pic, 1));
    assert_false(vpic_listens(&pic, 12));
    out(0x21, 0xf9);
    assert_true(vpic_listens(&pic, 1));
    assert_int_equal(vpic_acknowledge(&pic), 0x21);
    out(0xa1, 0xef);
    assert_true(vpic_listens(&pic, 12));
    out(0x21, 0xfd); // the cascade's own mask
    assert_false(vpic_listens(&pic, 12));
}

static void test_initialisation_words(void **state)
{
    static const struct {
        uint8_t icw1;
        unsigned words; // that follow ICW1
    } rows[] = {{0x10, 2}, {0x11, 3}, {0x12, 1}, {0x13, 2}};
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vpic_reset(&pic);
        out(0x20, rows[i].icw1);
        assert_false(vpic_pending(&pic));
        assert_int_equal(pic.programmed, 1);
        for (unsigned n = 0; n < rows[i].words; n++) {
            assert_false(vpic_listens(&pic, 0));
            out(0x21, 0x37); // as ICW2: vectors from 0x30
        }
        assert_int_equal(in(0x21), 0); // ICW1 clears the mask
        out(0x21, 0xa5);               // and now it is the mask
        assert_int_equal(in(0x21), 0xa5);
        assert_int_equal(pic.chip[0].base, 0x30);
    }
}

static void test_priorities(void **state)
{
    (void)state;
    pulse(4);
    pulse(1);
    assert_int_equal(in(0x20), 0x12);
    assert_int_equal(vpic_acknowledge(&pic), 0x21);
    assert_int_equal(in_service(0x20), 0x02);
    assert_int_equal(in(0x20), 0x10);
    assert_false(vpic_pending(&pic)); // 4 waits for the end of 1
    pulse(0);
    assert_true(vpic_pending(&pic)); // 0 does not
    assert_int_equal(vpic_acknowledge(&pic), 0x20);
    out(0x20, 0x20); // ends 0
    assert_int_equal(in_service(0x20), 0x02);
    assert_false(vpic_pending(&pic));
    out(0x20, 0x20); // ends 1
    assert_int_equal(vpic_acknowledge(&pic), 0x24);
    out(0x20, 0x64); // ends 4, by its number
    assert_int_equal(in_service(0x20), 0);
}

static void test_ends(void **state)
{
    // After 3 and then 1 are in service: what a command leaves in service, and the lowest priority.
    static const struct {
        uint8_t command, service, lowest;
    } rows[] = {
        {0x20, 0x08, 7}, // non-specific: the highest
        {0x40, 0x0a, 7}, // nothing
        {0x63, 0x02, 7}, // specific
        {0x66, 0x0a, 7}, // specific, not in service
        {0xa0, 0x08, 1}, // non-specific, rotates
        {0xe3, 0x02, 3}, // specific, rotates
        {0xc5, 0x0a, 5}, // sets the priority
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        initialise(0x01);
        pulse(3);
        assert_int_equal(vpic_acknowledge(&pic), 0x23);
        pulse(1);
        assert_int_equal(vpic_acknowledge(&pic), 0x21);
        out(0x20, rows[i].command);
        assert_int_equal(in_service(0x20), rows[i].service);
        assert_int_equal(pic.chip[0].lowest, rows[i].lowest);
    }
    initialise(0x01);
    out(0x20, 0x20); // nothing in service
    assert_int_equal(in_service(0x20), 0);
}

static void test_rotation(void **state)
{
    (void)state;
    out(0x20, 0xc3); // 3 is the lowest, 4 the highest
    pulse(0);
    pulse(5);
    assert_int_equal(vpic_acknowledge(&pic), 0x25);
    assert_false(vpic_pending(&pic));
    pulse(4);
    assert_int_equal(vpic_acknowledge(&pic), 0x24);
}

static void test_automatic_end(void **state)
{
    (void)state;
    initialise(0x03);
    pulse(6);
    pulse(9);
    assert_int_equal(vpic_acknowledge(&pic), 0x29);
    assert_int_equal(in_service(0x20), 0);
    assert_int_equal(in_service(0xa0), 0);
    assert_int_equal(vpic_acknowledge(&pic), 0x26);
    out(0x20, 0x80); // rotates at each end
    pulse(2 + 1);
    assert_int_equal(vpic_acknowledge(&pic), 0x23);
    assert_int_equal(pic.chip[0].lowest, 3);
    out(0x20, 0x00);
    pulse(5);
    vpic_acknowledge(&pic);
    assert_int_equal(pic.chip[0].lowest, 3);
}

static void test_cascade(void **state)
{
    (void)state;
    pulse(12);
    pulse(8);
    pulse(3);
    assert_int_equal(vpic_acknowledge(&pic), 0x28);
    assert_int_equal(in_service(0x20), 0x04);
    assert_int_equal(in_service(0xa0), 0x01);
    assert_false(vpic_pending(&pic));
    out(0xa0, 0x20);
    assert_false(vpic_pending(&pic)); // the first one still serves its input 2
    out(0x20, 0x20);
    assert_int_equal(vpic_acknowledge(&pic), 0x2c);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    assert_int_equal(vpic_acknowledge(&pic), 0x23);
    vpic_set_line(&pic, VPIC_CASCADE, true); // no device is on it
    vpic_set_line(&pic, 16, true);
    out(0x20, 0x20);
    assert_false(vpic_pending(&pic));
}

static void test_special_nest(void **state)
{
    (void)state;
    initialise(0x11);
    pulse(12);
    assert_int_equal(vpic_acknowledge(&pic), 0x2c);
    pulse(9); // higher, behind the same input of the first
    assert_true(vpic_pending(&pic));
    assert_int_equal(vpic_acknowledge(&pic), 0x29);
}

static void test_special_mask(void **state)
{
    (void)state;
    pulse(1);
    vpic_acknowledge(&pic);
    pulse(4);
    out(0x21, 0x02);
    assert_false(vpic_pending(&pic));
    out(0x20, 0x68);
    assert_int_equal(vpic_acknowledge(&pic), 0x24);
    out(0x20, 0x20); // not 1, which is masked
    assert_int_equal(in_service(0x20), 0x02);
    out(0x20, 0x48);
    pulse(4);
    assert_false(vpic_pending(&pic));
}

static void test_spurious(void **state)
{
    (void)state;
    assert_int_equal(vpic_acknowledge(&pic), 0x27);
    assert_int_equal(in_service(0x20), 0);
    // The second one's went away between the first one's acknowledgement and its own.
    pic.chip[0].requests = 1 << VPIC_CASCADE;
    assert_int_equal(vpic_acknowledge(&pic), 0x2f);
    assert_int_equal(in_service(0x20), 0x04);
    assert_int_equal(in_service(0xa0), 0);
}

static void test_level(void **state)
{
    (void)state;
    out(0x4d0, 0xff);
    out(0x4d1, 0xff);
    assert_int_equal(in(0x4d0), 0xf8);
    assert_int_equal(in(0x4d1), 0xde);
    vpic_set_line(&pic, 5, true);
    assert_int_equal(vpic_acknowledge(&pic), 0x25);
    out(0x20, 0x20);
    assert_true(vpic_pending(&pic)); // still high
    vpic_set_line(&pic, 5, false);
    assert_false(vpic_pending(&pic));
    vpic_set_line(&pic, 11, true);
    assert_int_equal(vpic_acknowledge(&pic), 0x2b);
    out(0x20, 0x11); // a level outlives a new beginning
    out(0xa0, 0x11);
    assert_int_equal(pic.chip[1].requests, 0x08);
    assert_int_equal(vpic_read(&pic, 0x4d0, 4), 0xffffdef8);
    vpic_write(&pic, 0x4d0, 2, 0);
    assert_int_equal(pic.chip[1].requests, 0);
}

static void test_one_edge_one_interrupt(void **state)
{
    (void)state;
    vpic_set_line(&pic, 4, true);
    vpic_set_line(&pic, 4, true);
    assert_true(vpic_waits(&pic, 4));
    assert_int_equal(vpic_acknowledge(&pic), 0x24);
    assert_false(vpic_waits(&pic, 4));
    out(0x20, 0x20);
    assert_false(vpic_pending(&pic));
    vpic_set_line(&pic, 4, false);
    vpic_set_line(&pic, 4, true);
    assert_true(vpic_pending(&pic));
}

static void test_poll(void **state)
{
    (void)state;
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0);
    assert_int_equal(in(0x20), 0); // IRR again
    pulse(10);
    out(0xa0, 0x0c);
    assert_int_equal(in(0xa0), 0x82);
    assert_int_equal(in_service(0xa0), 0x04);
    assert_false(vpic_pending(&pic));
}

static void test_strange_accesses(void **state)
{
    (void)state;
    assert_int_equal(vpic_read(&pic, 0x21, 4), 0xffffff00);
    assert_int_equal(vpic_read(&pic, 0x1e, 4) >> 24, 0);
    assert_int_equal(vpic_read(&pic, 0xffff, 8), 0xffffffff);
    vpic_write(&pic, 0x20, 2, 0x2a0b); // OCW3 and a mask
    assert_int_equal(in(0x21), 0x2a);
    vpic_write(&pic, 0xfffe, 8, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_handover, setup),
        cmocka_unit_test_setup(test_mask, setup),
        cmocka_unit_test_setup(test_initialisation_words, setup),
        cmocka_unit_test_setup(test_priorities, setup),
        cmocka_unit_test_setup(test_ends, setup),
        cmocka_unit_test_setup(test_rotation, setup),
        cmocka_unit_test_setup(test_automatic_end, setup),
        cmocka_unit_test_setup(test_cascade, setup),
        cmocka_unit_test_setup(test_special_nest, setup),
        cmocka_unit_test_setup(test_special_mask, setup),
        cmocka_unit_test_setup(test_spurious, setup),
        cmocka_unit_test_setup(test_level, setup),
        cmocka_unit_test_setup(test_one_edge_one_interrupt, setup),
        cmocka_unit_test_setup(test_poll, setup),
        cmocka_unit_test_setup(test_strange_accesses, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
