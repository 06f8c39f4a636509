// SPDX-License-Identifier: Apache-2.0
// Sizes, ranges of I/O ports and addresses of PCI functions as a configuration file writes them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "partitions/config_value.h"

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        uint64_t bytes;
    } cases[] = {
        {"512M", STATUS_OK, MIB(512)},
        {"512m", STATUS_OK, MIB(512)},
        {"4K", STATUS_OK, 4096},
        {"2G", STATUS_OK, GIB(2)},
        {"1024G", STATUS_OK, GIB(1024)},
        {"4831838208", STATUS_OK, 4831838208},
        {"0", STATUS_OK, 0},
        {"010M", STATUS_OK, MIB(10)}, // nobody means octal
        {"18446744073709551615", STATUS_OK, UINT64_MAX},
        {"18446744073709551616", ERR_RANGE, 0},
        {"17179869183G", STATUS_OK, GIB(17179869183)},
        {"17179869184G", ERR_RANGE, 0},
        {"99999999999999999999999999G", ERR_RANGE, 0},
        {"99999999999999999999999999x", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
        {"M", ERR_INVALID, 0},
        {"-1M", ERR_INVALID, 0},
        {"+1M", ERR_INVALID, 0},
        {" 1M", ERR_INVALID, 0},
        {"1M ", ERR_INVALID, 0},
        {"1 M", ERR_INVALID, 0},
        {"1MB", ERR_INVALID, 0},
        {"1T", ERR_INVALID, 0},
        {"1.5G", ERR_INVALID, 0},
        {"0x10M", ERR_INVALID, 0},
        {"aM", ERR_INVALID, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes = 0;
        enum status status = config_parse_size(cases[i].text, &bytes);

        if (status != cases[i].status || bytes != cases[i].bytes)
            fail_msg("\"%s\": status %d, %llu bytes", cases[i].text, (int)status,
                     (unsigned long long)bytes);
    }
}

static void test_ports(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        uint16_t first;
        uint16_t last;
    } cases[] = {
        {"0xf4-0xf7", STATUS_OK, 0xf4, 0xf7},
        {"0XF4-0Xf7", STATUS_OK, 0xf4, 0xf7},
        {"0xf4", STATUS_OK, 0xf4, 0xf4},
        {"244-247", STATUS_OK, 244, 247},
        {"0x0-0xffff", STATUS_OK, 0, 0xffff},
        {"0xf7-0xf4", STATUS_OK, 0xf7, 0xf4}, // blob_check() judges the order
        {"0x10000", ERR_RANGE, 0, 0},
        {"0-65536", ERR_RANGE, 0, 0},
        {"0x10000-0x10", ERR_RANGE, 0, 0},
        {"0xffffffffffffffffff", ERR_RANGE, 0, 0},
        {"0xffffffffffffffffff-0x1", ERR_RANGE, 0, 0},
        {"0xffffffffffffffffff-", ERR_INVALID, 0, 0},
        {"", ERR_INVALID, 0, 0},
        {"-", ERR_INVALID, 0, 0},
        {"0xf4-", ERR_INVALID, 0, 0},
        {"-0xf4", ERR_INVALID, 0, 0},
        {"0x", ERR_INVALID, 0, 0},
        {"0x-0x1", ERR_INVALID, 0, 0},
        {"f4", ERR_INVALID, 0, 0},
        {"0xf4 - 0xf7", ERR_INVALID, 0, 0},
        {"0xf4-0xf7-0xf9", ERR_INVALID, 0, 0},
        {"0xf4,0xf7", ERR_INVALID, 0, 0},
        {"0x-1", ERR_INVALID, 0, 0},
        {"0x0x1", ERR_INVALID, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct blob_ioports ports = {0, 0};
        enum status status = config_parse_ports(cases[i].text, &ports);

        if (status != cases[i].status || ports.first != cases[i].first ||
            ports.last != cases[i].last)
            fail_msg("\"%s\": status %d, 0x%x-0x%x", cases[i].text, (int)status, ports.first,
                     ports.last);
    }
}

static void test_pci(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        struct blob_device device;
    } cases[] = {
        {"00:03.0", STATUS_OK, {0, 0, 0x18}},
        {"0000:00:03.0", STATUS_OK, {0, 0, 0x18}},
        {"ff:1f.7", STATUS_OK, {0, 0xff, 0xff}},
        {"aBcD:eF:1F.1", STATUS_OK, {0xabcd, 0xef, 0xf9}},
        {"00:20.0", ERR_RANGE, {0, 0, 0}},
        {"00:1f.8", ERR_RANGE, {0, 0, 0}},
        {"ffff:ff:ff.f", ERR_RANGE, {0, 0, 0}},
        {"", ERR_INVALID, {0, 0, 0}},
        {"00:03", ERR_INVALID, {0, 0, 0}},
        {"00:03.", ERR_INVALID, {0, 0, 0}},
        {"00:03.00", ERR_INVALID, {0, 0, 0}},
        {"0:3.0", ERR_INVALID, {0, 0, 0}},
        {"00:3.0", ERR_INVALID, {0, 0, 0}},
        {"000:00:03.0", ERR_INVALID, {0, 0, 0}},
        {"00000:00:03.0", ERR_INVALID, {0, 0, 0}},
        {"0000:00:00:03.0", ERR_INVALID, {0, 0, 0}},
        {"0000:", ERR_INVALID, {0, 0, 0}},
        {"0000:00", ERR_INVALID, {0, 0, 0}},
        {"00:03.0 ", ERR_INVALID, {0, 0, 0}},
        {" 00:03.0", ERR_INVALID, {0, 0, 0}},
        {"00:03:0", ERR_INVALID, {0, 0, 0}},
        {"00.03.0", ERR_INVALID, {0, 0, 0}},
        {"0g:03.0", ERR_INVALID, {0, 0, 0}},
        {"0x:03.0", ERR_INVALID, {0, 0, 0}},
        {"-1:03.0", ERR_INVALID, {0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct blob_device d = {0, 0, 0};
        enum status status = config_parse_pci(cases[i].text, &d);

        if (status != cases[i].status || d.segment != cases[i].device.segment ||
            d.bus != cases[i].device.bus || d.devfn != cases[i].device.devfn)
            fail_msg("\"%s\": status %d, %04x:%02x:%02x", cases[i].text, (int)status, d.segment,
                     d.bus, d.devfn);
    }
}

#define SIXTEEN_DIGITS "0123456789aBcDeF"

static void test_sha256(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS, STATUS_OK},
        {"", ERR_RANGE},
        {"00", ERR_RANGE},
        {SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS "0123456789aBcDe", ERR_RANGE},
        {SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS "0", ERR_RANGE},
        {SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS " ", ERR_INVALID},
        {" " SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS, ERR_INVALID},
        {SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS "0123456789aBcDeg", ERR_INVALID},
        {"0x" SIXTEEN_DIGITS SIXTEEN_DIGITS SIXTEEN_DIGITS "23456789aBcDeF", ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t hash[SHA256_SIZE] = {0};
        enum status status = config_parse_sha256(cases[i].text, hash);

        if (status != cases[i].status)
            fail_msg("\"%s\": status %d", cases[i].text, (int)status);
        if (status != STATUS_OK)
            continue;
        for (unsigned k = 0; k < SHA256_SIZE; k++)
            assert_int_equal(hash[k], 0x01 + 0x22 * (k % 8));
    }
}

static void test_uuid(void **state)
{
    static const uint8_t right[BLOB_UUID_SIZE] = {0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0,
                                                  0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6};
    static const char *const wrong[] = {
        "",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ",
        " f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
        "f81d4fae-7dec-11d0-a76500-a0c91e6bf6",
        "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-",
    };
    uint8_t uuid[BLOB_UUID_SIZE];
    char text[BLOB_UUID_TEXT_SIZE];

    (void)state;
    assert_int_equal(config_parse_uuid("f81d4fae-7dec-11D0-A765-00a0c91e6bf6", uuid), STATUS_OK);
    assert_memory_equal(uuid, right, BLOB_UUID_SIZE);
    assert_string_equal(blob_uuid_text(uuid, text), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(config_parse_uuid(wrong[i], uuid), ERR_INVALID);
}

// As `printf 'bulkhead partition NAME' | sha256sum` and the two fixed fields give it: a name keeps
// its UUID in later releases too.
static void test_uuid_of_name(void **state)
{
    uint8_t uuid[BLOB_UUID_SIZE];
    char text[BLOB_UUID_TEXT_SIZE];

    (void)state;
    config_uuid_of_name("alpha", uuid);
    assert_string_equal(blob_uuid_text(uuid, text), "5f83a66f-c933-8baa-adca-822d50d46807");
    config_uuid_of_name("beta", uuid);
    assert_string_equal(blob_uuid_text(uuid, text), "5012932a-8b25-8aa6-9bc7-34c4457117a3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_ports),
        cmocka_unit_test(test_pci),   cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_uuid),  cmocka_unit_test(test_uuid_of_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
