// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vuart.c, driven as serial drivers drive a 16550A: Linux's 8250 driver above all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vuart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCRATCH, FCR = IIR, DLL = DATA, DLM = IER, EFR = IIR };

static struct vuart uart;
static unsigned sent_count;
static uint8_t sent[64];

static void out(unsigned reg, uint8_t value)
{
    uint8_t tx = 0;
    if (vuart_write(&uart, reg, value, &tx)) {
        assert_true(sent_count < sizeof(sent));
        sent[sent_count++] = tx;
    }
}

static uint8_t in(unsigned reg)
{
    return vuart_read(&uart, reg);
}

static int setup(void **state)
{
    (void)state;
    // Reset does not rely on what was there.
    for (size_t i = 0; i < sizeof(uart); i++)
        ((uint8_t *)&uart)[i] = 1;
    vuart_reset(&uart);
    sent_count = 0;
    return 0;
}

static void after_reset(void **state)
{
    (void)state;
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(IIR), 0x01);
    assert_int_equal(in(LCR), 0);
    assert_int_equal(in(MCR), 0);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(MSR), 0xb0);
    assert_int_equal(in(DATA), 0);
    assert_int_equal(vuart_rx_room(&uart), 1);
    assert_false(vuart_irq(&uart));
}

// What Linux's autoconfig() does to find out what is there, in its order.
static void linux_autoconfig(void **state)
{
    (void)state;
    // Something that keeps only the interrupt enables?
    out(IER, 0);
    assert_int_equal(in(IER), 0);
    out(IER, 0x0f);
    assert_int_equal(in(IER), 0x0f);
    out(IER, 0);

    // Loopback: RTS and OUT2 come back as CTS and DCD.
    out(MCR, 0x1a);
    assert_int_equal(in(MSR)&0xf0, 0x90);
    out(MCR, 0);

    // No enhanced features register shows up; FIFOs are found.
    out(LCR, 0xbf);
    out(EFR, 0);
    out(LCR, 0);
    out(FCR, 0x01);
    assert_int_equal(in(IIR) >> 6, 3);

    // Not a 16650: with DLAB set, register 2 is still IIR.
    out(LCR, 0x80);
    assert_int_not_equal(in(EFR), 0);
    out(LCR, 0xbf);
    assert_int_not_equal(in(EFR), 0);

    // Not a National part with banks: bit 4 of register 2 doesn't follow MCR's loop bit.
    out(LCR, 0);
    uint8_t mcr = in(MCR);
    out(LCR, 0xe0);
    uint8_t bank = in(2);
    assert_int_equal((bank ^ mcr) & 0x10, 0);
    out(LCR, 0);
    out(MCR, mcr ^ 0x10);
    out(LCR, 0xe0);
    bank = in(2);
    out(LCR, 0);
    out(MCR, mcr);
    assert_int_equal((bank ^ mcr) & 0x10, 0);

    // Not a 16750: the 64-byte mode never takes, with or without DLAB.
    out(FCR, 0x01 | 0x20);
    assert_int_equal(in(IIR) >> 5, 6);
    out(FCR, 0x01);
    out(LCR, 0x80);
    out(FCR, 0x01 | 0x20);
    assert_int_equal(in(IIR) >> 5, 6);
    out(FCR, 0x01);
    out(LCR, 0);

    // Not an XScale: its unit enable bit isn't there.
    out(IER, 0x40);
    assert_int_equal(in(IER)&0x40, 0);
    out(IER, 0);
    assert_int_equal(sent_count, 0);
}

// serial8250_do_startup(): the LSR safety check, the THRE test and the TXEN test.
static void linux_startup(void **state)
{
    (void)state;
    out(FCR, 0x01);
    out(FCR, 0x07);
    out(FCR, 0x00);
    in(LSR);
    in(DATA);
    in(IIR);
    in(MSR);
    assert_int_not_equal(in(LSR), 0xff);

    assert_int_equal(in(LSR)&0x20, 0x20);
    out(IER, 0x02);
    assert_int_equal(in(IIR)&0x0f, 0x02);
    out(IER, 0);
    out(IER, 0x02);
    assert_int_equal(in(IIR)&0x0f, 0x02);
    out(IER, 0);

    out(LCR, 0x03);
    out(MCR, 0x0b);
    out(IER, 0x02);
    assert_true(vuart_irq(&uart));
    assert_int_equal(in(LSR)&0x40, 0x40);
    assert_int_equal(in(IIR)&0x0f, 0x02);
    out(IER, 0);
    assert_false(vuart_irq(&uart));
    assert_false(vuart_take_gated(&uart));
}

// An interrupt-driven transmitter: each burst is answered by exactly one interrupt.
static void transmit_interrupts(void **state)
{
    (void)state;
    out(FCR, 0x01);
    out(MCR, 0x08);
    out(IER, 0x02);
    assert_true(vuart_irq(&uart));
    out(DATA, 'a');
    out(DATA, 'b');
    assert_true(vuart_irq(&uart));
    assert_int_equal(in(IIR), 0xc2);
    // Reported once; reading again finds nothing.
    assert_false(vuart_irq(&uart));
    assert_int_equal(in(IIR), 0xc1);
    // Writing the same enables again is no edge.
    out(IER, 0x02);
    assert_false(vuart_irq(&uart));
    out(DATA, 'c');
    assert_true(vuart_irq(&uart));
    // Disabling drops what was pending, and it comes back with the next enable only.
    out(IER, 0x00);
    assert_false(vuart_irq(&uart));
    out(DATA, 'd');
    assert_false(vuart_irq(&uart));
    assert_int_equal(sent_count, 4);
    assert_memory_equal(sent, "abcd", 4);
}

static void console_full(void **state)
{
    (void)state;
    out(FCR, 0x01);
    out(MCR, 0x08);
    out(IER, 0x02);
    out(DATA, 'x');
    assert_true(vuart_irq(&uart));

    vuart_set_tx_ready(&uart, false);
    assert_false(vuart_irq(&uart));
    assert_int_equal(in(LSR)&0x60, 0);
    assert_int_equal(in(IIR), 0xc1);
    // The rest of a burst that the driver had begun.
    out(DATA, 'y');
    assert_int_equal(sent_count, 2);
    assert_false(vuart_irq(&uart));
    // Enabling has nothing to report either while the transmitter is full.
    out(IER, 0);
    out(IER, 0x02);
    assert_false(vuart_irq(&uart));

    vuart_set_tx_ready(&uart, true);
    assert_true(vuart_irq(&uart));
    assert_int_equal(in(LSR)&0x60, 0x60);
    assert_int_equal(in(IIR), 0xc2);
    // Being told again is no event.
    vuart_set_tx_ready(&uart, true);
    assert_false(vuart_irq(&uart));
    // With the interrupt disabled, becoming ready leaves nothing behind.
    out(IER, 0);
    vuart_set_tx_ready(&uart, false);
    vuart_set_tx_ready(&uart, true);
    assert_int_equal(in(IIR), 0xc1);
}

static void receive_without_fifo(void **state)
{
    (void)state;
    out(IER, 0x05);
    out(MCR, 0x08);
    vuart_rx(&uart, 'a');
    assert_int_equal(vuart_rx_room(&uart), 0);
    assert_true(vuart_irq(&uart));
    assert_int_equal(in(IIR), 0x04);
    assert_int_equal(in(LSR), 0x61);

    // The second byte takes the first one's place.
    vuart_rx(&uart, 'b');
    assert_int_equal(in(IIR), 0x06);
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(IIR), 0x04);
    assert_int_equal(in(DATA), 'b');
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(vuart_rx_room(&uart), 1);
    assert_false(vuart_irq(&uart));
}

static void receive_fifo(void **state)
{
    (void)state;
    static const struct {
        uint8_t fcr;
        unsigned level;
    } triggers[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xc1, 14}};

    out(MCR, 0x08);
    out(IER, 0x01);
    for (size_t t = 0; t < 4; t++) {
        out(FCR, triggers[t].fcr | 0x02);
        assert_int_equal(vuart_rx_room(&uart), 16);
        for (unsigned i = 1; i <= 16; i++) {
            vuart_rx(&uart, (uint8_t)i);
            assert_true(vuart_irq(&uart));
            assert_int_equal(in(IIR), i < triggers[t].level ? 0xcc : 0xc4);
            assert_int_equal(vuart_rx_room(&uart), 16 - i);
        }
        // The seventeenth is lost, and only it.
        vuart_rx(&uart, 17);
        for (unsigned i = 1; i <= 16; i++) {
            assert_int_equal(in(LSR), i == 1 ? 0x63 : 0x61);
            assert_int_equal(in(DATA), i);
        }
        assert_int_equal(in(LSR), 0x60);
        assert_false(vuart_irq(&uart));
    }
}

static void fifo_wraps(void **state)
{
    (void)state;
    uint8_t next_in = 0, next_out = 0;
    out(FCR, 0x01);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned k = 0; k < 1 + i % 16; k++)
            vuart_rx(&uart, next_in++);
        while (in(LSR)&1)
            assert_int_equal(in(DATA), next_out++);
        assert_int_equal(next_in, next_out);
    }
}

static void fifo_control(void **state)
{
    (void)state;
    out(FCR, 0x01);
    vuart_rx(&uart, 'a');
    vuart_rx(&uart, 'b');
    // The same mode again keeps the bytes, the reset bit doesn't, a change of mode doesn't.
    out(FCR, 0xc1);
    assert_int_equal(in(LSR)&1, 1);
    out(FCR, 0xc3);
    assert_int_equal(in(LSR)&1, 0);
    vuart_rx(&uart, 'c');
    out(FCR, 0xc0);
    assert_int_equal(in(LSR)&1, 0);
    assert_int_equal(in(IIR), 0x01);
    vuart_rx(&uart, 'd');
    out(FCR, 0x01);
    assert_int_equal(in(LSR)&1, 0);
    // The trigger level given without the enable bit did not stick.
    out(IER, 0x01);
    vuart_rx(&uart, 'e');
    assert_int_equal(in(IIR), 0xc4);
    // Resetting the transmitter's FIFO leaves the receiver's alone.
    out(FCR, 0x05);
    assert_int_equal(in(DATA), 'e');
}

static void priorities(void **state)
{
    (void)state;
    out(FCR, 0x01);
    out(IER, 0x0f);
    for (unsigned i = 0; i < 17; i++)
        vuart_rx(&uart, 'x');
    out(MCR, 0x10); // all modem lines fall
    assert_int_equal(in(IIR), 0xc6);
    in(LSR);
    assert_int_equal(in(IIR), 0xc4);
    // Reading an identification of something else doesn't acknowledge the transmitter.
    for (unsigned i = 0; i < 16; i++)
        in(DATA);
    assert_int_equal(in(IIR), 0xc2);
    assert_int_equal(in(IIR), 0xc0);
    assert_int_equal(in(MSR), 0x0b);
    assert_int_equal(in(IIR), 0xc1);
    assert_int_equal(in(MSR), 0x00);
}

static void out2_gates_the_interrupt(void **state)
{
    (void)state;
    out(IER, 0x01);
    vuart_rx(&uart, 'x');
    assert_int_equal(in(IIR), 0x04);
    assert_false(vuart_irq(&uart));
    out(MCR, 0x08);
    assert_true(vuart_irq(&uart));
    out(MCR, 0x18); // in loopback the pin is inactive
    assert_false(vuart_irq(&uart));
    out(MCR, 0xff);
    assert_int_equal(in(MCR), 0x1f);
}

// A driver that waits for an interrupt without OUT2 is told of once; one that only probes is not.
static void a_gated_interrupt_is_noticed(void **state)
{
    (void)state;
    out(IER, 0x0f);
    in(IIR);
    assert_false(vuart_take_gated(&uart));
    out(IER, 0x01);
    out(DATA, 'x'); // the transmitter's interrupt is not enabled
    assert_false(vuart_take_gated(&uart));
    out(MCR, 0x1b); // loopback
    out(DATA, 'x');
    out(MCR, 0x08);
    vuart_rx(&uart, 'x');
    assert_false(vuart_take_gated(&uart));
    out(MCR, 0x03);
    vuart_rx(&uart, 'x');
    assert_true(vuart_take_gated(&uart));
    vuart_rx(&uart, 'x');
    assert_false(vuart_take_gated(&uart));
    vuart_reset(&uart); // the next life
    out(IER, 0x02);
    assert_false(vuart_take_gated(&uart));
    out(DATA, 'x');
    assert_true(vuart_take_gated(&uart));
    out(DATA, 'x');
    assert_false(vuart_take_gated(&uart));
}

// Linux's size_fifo(): send 256 bytes in loopback and count what comes back.
static void loopback_data(void **state)
{
    (void)state;
    vuart_set_tx_ready(&uart, false);
    out(FCR, 0x07);
    out(MCR, 0x10);
    assert_int_equal(in(LSR), 0x60); // what is looped back needs no room on the console
    for (unsigned i = 0; i < 256; i++)
        out(DATA, (uint8_t)i);
    assert_int_equal(sent_count, 0);
    unsigned count = 0;
    while (in(LSR)&1)
        assert_int_equal(in(DATA), count++);
    assert_int_equal(count, 16);

    // The line is cut off meanwhile.
    assert_int_equal(vuart_rx_room(&uart), 0);
    vuart_rx(&uart, 'x');
    assert_int_equal(in(LSR), 0x60);

    out(MCR, 0);
    assert_int_equal(in(LSR), 0x00);
    assert_int_equal(vuart_rx_room(&uart), 16);
}

static void loopback_modem(void **state)
{
    (void)state;
    static const struct {
        uint8_t mcr;
        uint8_t msr;
    } lines[] = {
        {0x10, 0x0b},        // CTS, DSR and DCD fall
        {0x11, 0x20 | 0x02}, // DTR is DSR
        {0x13, 0x30 | 0x01}, // RTS is CTS
        {0x17, 0x70},        // OUT1 is RI: its beginning is no event
        {0x13, 0x30 | 0x04}, // its end is
        {0x1b, 0xb0 | 0x08}, // OUT2 is DCD
        {0x1b, 0xb0},        // nothing changed
        {0x03, 0xb0},        // the real lines, which are the same
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        out(MCR, lines[i].mcr);
        assert_int_equal(in(MSR), lines[i].msr);
    }
    // Deltas add up until they are read.
    out(MCR, 0x13);
    out(MCR, 0x11);
    assert_int_equal(in(MSR), 0x20 | 0x08 | 0x01);
}

static void registers(void **state)
{
    (void)state;
    out(SCRATCH, 0x5a);
    assert_int_equal(in(SCRATCH), 0x5a);
    out(LCR, 0x83);
    out(DLL, 0x01);
    out(DLM, 0xfe);
    assert_int_equal(in(DLL), 0x01);
    assert_int_equal(in(DLM), 0xfe);
    assert_int_equal(sent_count, 0);
    out(LCR, 0x03);
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(LCR), 0x03);
    // Writes of the status registers do nothing.
    out(LSR, 0xff);
    out(MSR, 0xff);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(MSR), 0xb0);
    // Beyond the last register.
    out(8, 0x12);
    out(0xffffffff, 0x12);
    assert_int_equal(in(8), 0xff);
    assert_int_equal(in(0xffffffff), 0xff);
    assert_int_equal(sent_count, 0);
}

// A driver that drops RTS but not DTR has no room; one that never raised it, or dropped both, has
// no flow control.
static void rts_holds_the_sender_back(void **state)
{
    (void)state;
    out(FCR, 0x01);
    assert_int_equal(vuart_rx_room(&uart), 16);
    out(MCR, 0x09); // DTR and OUT2: RTS was never used
    assert_int_equal(vuart_rx_room(&uart), 16);
    out(MCR, 0x0b);
    assert_int_equal(vuart_rx_room(&uart), 16);
    out(MCR, 0x09);
    assert_int_equal(vuart_rx_room(&uart), 0);
    out(MCR, 0x0b);
    assert_int_equal(vuart_rx_room(&uart), 16);
    out(MCR, 0x08);
    assert_int_equal(vuart_rx_room(&uart), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_reset, setup),
        cmocka_unit_test_setup(linux_autoconfig, setup),
        cmocka_unit_test_setup(linux_startup, setup),
        cmocka_unit_test_setup(transmit_interrupts, setup),
        cmocka_unit_test_setup(console_full, setup),
        cmocka_unit_test_setup(receive_without_fifo, setup),
        cmocka_unit_test_setup(receive_fifo, setup),
        cmocka_unit_test_setup(fifo_wraps, setup),
        cmocka_unit_test_setup(fifo_control, setup),
        cmocka_unit_test_setup(priorities, setup),
        cmocka_unit_test_setup(out2_gates_the_interrupt, setup),
        cmocka_unit_test_setup(a_gated_interrupt_is_noticed, setup),
        cmocka_unit_test_setup(loopback_data, setup),
        cmocka_unit_test_setup(loopback_modem, setup),
        cmocka_unit_test_setup(registers, setup),
        cmocka_unit_test_setup(rts_holds_the_sender_back, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
