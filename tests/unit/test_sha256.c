// SPDX-License-Identifier: Apache-2.0
// SHA-256 against the examples that NIST published with FIPS 180, and against itself with the data
// cut into pieces at every place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "partitions/sha256.h"

static void assert_hash(struct sha256 *s, const char *expected)
{
    uint8_t hash[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];

    sha256_final(s, hash);
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    assert_string_equal(text, expected);
}

static void assert_hash_of(const void *data, size_t size, const char *expected)
{
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, data, size);
    assert_hash(&s, expected);
}

static void test_examples(void **state)
{
    (void)state;
    assert_hash_of("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash_of("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // 448 bits: the length no longer fits the block of the data.
    assert_hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    // 896 bits.
    assert_hash_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnop"
                   "jklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                   112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void test_a_million(void **state)
{
    static char data[1000];
    struct sha256 s;

    (void)state;
    memset(data, 'a', sizeof(data));
    sha256_init(&s);
    for (int i = 0; i < 1000; i++)
        sha256_update(&s, data, sizeof(data));
    assert_hash(&s, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// More than 2^32 bits: the length needs its upper half. That many bytes would take long, so only
// the count says that they were there; the padding, written out, must give the same.
static void test_length_above_32_bits(void **state)
{
    static const uint8_t zeroes[SHA256_BLOCK_SIZE];
    static const uint8_t padding[SHA256_BLOCK_SIZE] = {
        [0] = 0x80, [SHA256_BLOCK_SIZE - 5] = 1, [SHA256_BLOCK_SIZE - 2] = 2};
    struct sha256 counted, written;
    uint8_t hash[SHA256_SIZE];

    (void)state;
    sha256_init(&counted);
    sha256_update(&counted, zeroes, sizeof(zeroes));
    written = counted;
    counted.size += MIB(512);
    sha256_final(&counted, hash);
    sha256_update(&written, padding, sizeof(padding));
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        assert_int_equal(hash[i], written.state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
}

// Every size up to three blocks, cut at every two places, each piece with nothing behind its end
// that ASan would let pass.
static void test_pieces(void **state)
{
    uint8_t data[3 * SHA256_BLOCK_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + 1);
    for (size_t size = 0; size <= sizeof(data); size++) {
        uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];
        struct sha256 s;

        sha256_init(&s);
        sha256_update(&s, data, size);
        sha256_final(&s, whole);
        for (size_t first = 0; first <= size; first++) {
            for (size_t second = first; second <= size; second += 1 + size / 16) {
                sha256_init(&s);
                sha256_update(&s, data, first);
                sha256_update(&s, data + first, second - first);
                sha256_update(&s, data + second, size - second);
                sha256_final(&s, pieces);
                assert_memory_equal(pieces, whole, SHA256_SIZE);
            }
        }
    }
}

static void test_byte_by_byte(void **state)
{
    uint8_t data[300];
    struct sha256 s;

    (void)state;
    memset(data, 'a', sizeof(data));
    for (size_t size = 0; size <= sizeof(data); size++) {
        uint8_t whole[SHA256_SIZE], bytes[SHA256_SIZE];

        sha256_init(&s);
        sha256_update(&s, data, size);
        sha256_final(&s, whole);
        sha256_init(&s);
        for (size_t i = 0; i < size; i++)
            sha256_update(&s, data + i, 1);
        sha256_final(&s, bytes);
        assert_memory_equal(bytes, whole, SHA256_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_a_million),
        cmocka_unit_test(test_length_above_32_bits),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
