// SPDX-License-Identifier: Apache-2.0
// The usual slips in a configuration's syntax, each with its line and what is said of it; and what
// is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/lib/types.h"
#include "partitions/config_scan.h"
#include "partitions/config_syntax.h"

#define MAX_SLIPS 8

static struct config_slip slips[MAX_SLIPS];
static unsigned slip_count;

static void note(void *context, const struct config_slip *slip)
{
    assert_ptr_equal(context, slips);
    assert_true(slip_count < MAX_SLIPS);
    slips[slip_count++] = *slip;
}

static bool check(const char *text)
{
    slip_count = 0;
    return config_syntax_check(text, note, slips);
}

// One slip on this line, of which `part` is said.
static void expect(const char *text, unsigned line, const char *part)
{
    bool good = check(text);

    if (good || slip_count != 1 || slips[0].line != line || strstr(slips[0].text, part) == NULL)
        fail_msg("%s\n%u slips, the first on line %u: %s\nexpected on line %u: %s", text,
                 slip_count, slips[0].line, slip_count == 0 ? "" : slips[0].text, line, part);
}

static void test_good(void **state)
{
    static const char *const texts[] = {
        "",
        "\n# only a comment",
        "a = 1",
        "a = 1 b = 2",
        "a : 1, b : 2,",
        "a=1;b=2;",
        "\ta\t=\t1\t;\r\n",
        "partitions = ( { name = \"a\"; cpus = [3, 4]; }, { x = { y = (); z = []; }; } );",
        "t = \"a \\\" // # /* b\" /* \" \n*/ \" joined\"; // \xe2\x80\x9c fine here\n",
        "t = ( TRUE, False, 1, 1L, -1, 0x7FFFFFFF, 1.5, \"x\", ( ), [ ], { } );",
        "t = [ true, FALSE ]; u = [ 1.5, .5, 5., -1.5e3, 1.E-2 ]; v = [ 1L, 2LL ];",
        "g = { a = 1; }; h = { a = 1; };",
        "a-b_c*9 = \"two\\\\\"",
        "n = [ 2147483647, -2147483648, +0 ]; m = [ 9223372036854775807L, -1L ];",
        "m = 0x7fffffffffffffffL",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!check(texts[i]))
            fail_msg("%s\nline %u: %s", texts[i], slips[0].line, slips[0].text);
        assert_int_equal(slip_count, 0);
    }
}

static void test_slips(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *part;
    } cases[] = {
        // values without quotes, or with wrong ones
        {"a = 1;\nmemory = 512M;", 2, "512M needs quotes: \"512M\""},
        {"memory = 512 MB;", 1, "MB stands behind a value; put all of the value in quotes"},
        {"image = vmlinuz;", 1, "vmlinuz needs quotes: \"vmlinuz\""},
        {"image = build/vmlinuz.gz;", 1, "build/vmlinuz.gz needs quotes"},
        {"ioports = ( 0xf4-0xf7 );", 1, "0xf4-0xf7 needs quotes: \"0xf4-0xf7\""},
        {"pci = 00:03.0;", 1, "00:03.0 needs quotes: \"00:03.0\""},
        {"uuid = f81d4fae-7dec;", 1, "f81d4fae-7dec needs quotes"},
        {"a = vm//comment\n;", 1, "vm needs quotes: \"vm\""},
        {"a = 1.5.2", 1, "1.5.2 needs quotes"},
        {"a = 1.e+", 1, "1.e+ needs quotes"},
        {"a = 1.x", 1, "1.x needs quotes"},
        {"a = 1Lx", 1, "1Lx needs quotes"},
        {"a = 0xL", 1, "0xL needs quotes"},
        {"hpet = yes;", 1, "yes is no value; write true"},
        {"hpet = off;", 1, "off is no value; write false"},
        {"a = null;", 1, "null is no value; leave the key out"},
        {"a = 'x';", 1, "in double quotes, not in single ones"},
        {"a = \xe2\x80\x9cx\xe2\x80\x9d;", 1, "typographic"},
        {"a = \x93x\x94;", 1, "typographic"},
        {"\n\na = \"x;\nb = \"y\";\n", 3, "no closing quote on its line; add the \""},
        {"a = \"x\\", 1, "no closing quote"},
        {"a = \"x\\\ny\"", 1, "no closing quote"},
        {"name = \"alpha; image = \"k\";", 1, "k stands behind a value; put"},
        {"a = x\";", 1, "x needs quotes: \"x\""},
        // keys
        {"cpus 2;", 1, "there is no = after cpus; write cpus = VALUE;"},
        {"a = 1;\ncpus\n= 2; b;", 3, "there is no = after b"},
        {"\"name\" = \"a\";", 1, "a key has no quotes: name = ...; not \"name\""},
        {"1a = 2;", 1, "a key begins with a letter, not as 1a does"},
        {"a.b = 2;", 1, "a key has letters, digits, - and _ only"},
        {"a += 2;", 1, "there is no +=; write a ="},
        {"a == 2;", 1, "there is an = too many"},
        {"a = ;", 1, "there is no value after a ="},
        {"a =\nb = 1;", 2, "b needs quotes"},
        {"a =", 1, "there is no value after a ="},
        {"a = 1;\na = 2;", 2, "duplicate key a"},
        {"g = { a = 1; b = { a = 1; }; a = 3; };", 1, "duplicate key a"},
        {"include \"x\"", 1, "written @include \"FILE\""},
        {"a = @include", 1, "on a line of its own"},
        {"true\na = 1", 1, "a key must stand before true"},
        {"{ \"partitions\": [] }", 1, "a key must stand before this {, as in partitions = ("},
        {"[alpha]\ncpus = 1", 1, "a key must stand before this ["},
        {"= 3;", 1, "a key must stand before this ="},
        {"a = 1;;", 1, "there is a ; too many"},
        {"a = 1,;", 1, "there is a ; too many"},
        {"p = ( { a = 1,, } );", 1, "there is a , too many"},
        // lists
        {"p:\n  - a: 1", 2, "a list has no dashes"},
        {"p = [ { a = 1; } ];", 1, "a list of groups stands in round brackets"},
        {"p = [ (1) ];", 1, "[ ] holds only numbers"},
        {"p = [ 1, \"x\" ];", 1, "all of one kind"},
        {"p = [ 1, 2L ];", 1, "all of one kind"},
        {"p = [ 1, ; ];", 1, "an entry of [ ] is missing before ;"},
        {"p = ( 1,\n ; );", 2, "an entry is missing before ;"},
        {"p = ( 1,\n\n );", 1, "a comma too many before )"},
        {"p = [ 1, ];", 1, "a comma too many before ]"},
        {"p = ( 1,, 2 );", 1, "a comma too many; remove"},
        {"p = ( , 2 );", 1, "a comma too many; remove"},
        {"p = ( \"a\"\n\"b\" );", 1, "a comma is missing between this entry and the next"},
        {"p = [ \"a\" \"b\" ];", 1, "a comma is missing"},
        {"p = ( { a = 1; }\n{ a = 2; } );", 1, "a comma is missing"},
        {"p = ( { a = 1; };\n{ a = 2; } );", 1, "a comma, not a ;, stands between"},
        {"p = ( \"a\" = 1 );", 1, "the entries of a list have no keys"},
        {"p = ( a = 1 );", 1, "a needs quotes"},
        {"p = ( 1 'x' );", 1, "in double quotes"},
        // brackets
        {"p = (\n\n", 1, "the ( that stands here is not closed; add )"},
        {"p = ( { a = 1;\n", 1, "the { that stands here is not closed; add }"},
        {"p = [ 1", 1, "the [ that stands here is not closed; add ]"},
        {"p = ( 1,", 1, "the ( that stands here is not closed"},
        {"p = ( 1 ];", 1, "a ( is closed by ), not by ]"},
        {"p = ( }", 1, "a ( is closed by ), not by }"},
        {"p = (\n{ a = 1; )", 2, "a { is closed by }, not by )"},
        {"a = 1; )", 1, "no bracket is open that this ) closes"},
        // comments and bytes
        {"a = 1;\n/* x\ny", 2, "is not closed; add */"},
        {"a = 1; -- x", 1, "a list has no dashes"},
        {"a = 1; % x", 1, "the character % has no meaning here"},
        {"a = 1; / x", 1, "a comment begins with //"},
        {"a = 1; \x01", 1, "the byte 0x01 has no meaning here"},
        {"a = 1; \xc3\xa4", 1, "the byte 0xc3"},
        // numbers
        {"a = 010;", 1, "the number 010 begins with 0"},
        {"\na = 2147483648;", 2, "the number 2147483648 does not fit"},
        {"a = -2147483649;", 1, "does not fit"},
        {"a = 0x80000000;", 1, "does not fit"},
        {"a = 0x100000001;", 1, "does not fit"},
        {"a = 9223372036854775808L;", 1, "does not fit"},
        {"a = 0x8000000000000000L;", 1, "does not fit"},
        {"a = 99999999999999999999999;", 1, "does not fit"},
        {"a = 18446744073709551617;", 1, "does not fit"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect(cases[i].text, cases[i].line, cases[i].part);
}

// Each number is told, and then the first slip.
static void test_all_numbers(void **state)
{
    static const unsigned lines[] = {1, 2, 4, 5};

    (void)state;
    assert_false(
        check("a = 4294967297; // 4294967297\nb = [ 1, 4294967298 ]; /* 4294967299\n*/ c = "
              "\"4294967297\";\nd = -4294967297;\ne = x;\nf = 4294967297;"));
    assert_int_equal(slip_count, ARRAY_SIZE(lines));
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_int_equal(slips[i].line, lines[i]);
}

static void test_line_of_bracket(void **state)
{
    (void)state;
    expect("p =\n(\n{\n}\n]", 5, "closed by )");
    assert_int_equal(slips[0].opened, 2);
    expect("p = (\n\n", 1, "not closed");
    assert_int_equal(slips[0].opened, 0);
}

static void test_depth(void **state)
{
    char text[2 * CONFIG_MAX_DEPTH + 16] = "p = ";

    (void)state;
    for (int i = 0; i < CONFIG_MAX_DEPTH; i++)
        strcat(text, "(");
    for (int i = 0; i < CONFIG_MAX_DEPTH; i++)
        strcat(text, ")");
    assert_true(check(text));
    text[3] = '(';
    text[2] = '=';
    text[1] = ' ';
    expect(text, 1, "more than 32 brackets");
}

// A long word is shown in part, whatever its length.
static void test_long_word(void **state)
{
    char text[3000] = "sha256 = ";

    (void)state;
    memset(text + 9, 'a', sizeof(text) - 10);
    expect(text, 1, " needs quotes: \"aaa");
    assert_true(strlen(slips[0].text) < 200);
}

static void test_many_keys(void **state)
{
    static char text[4000];
    size_t used = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "key%d = %d;\n", i, i);
    assert_true(check(text));
    snprintf(text + used, sizeof(text) - used, "key99 = 1;");
    expect(text, 101, "duplicate key key99");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_slips),
        cmocka_unit_test(test_all_numbers), cmocka_unit_test(test_line_of_bracket),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_long_word),
        cmocka_unit_test(test_many_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
