// SPDX-License-Identifier: Apache-2.0
// What `bulkhead-config show` prints, whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config_fixture.h"

// What is printed: config_show(), or the limits if there is no configuration. To be freed.
static char *shown(const struct config *config)
{
    FILE *terminal = stdout;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    assert_non_null(memory);
    stdout = memory; // a variable in the GNU library
    if (config != NULL)
        config_show(checked_blob(config));
    else
        config_show_limits();
    stdout = terminal;
    assert_int_equal(fclose(memory), 0);
    return text;
}

#define ALPHA                                                                                      \
    "PARTITION  CPUS    MEMORY  IMAGE\n"                                                           \
    "alpha      any 2  512 MiB  vmlinuz\n"                                                         \
    "    initrd   initrd.gz\n"                                                                     \
    "    cmdline  console=ttyS0\n"
#define BETA                                                                                       \
    "beta       3      256 MiB  bench.elf\n"                                                       \
    "    cmdline  n=1000\n"                                                                        \
    "    ioports  0xf4-0xf7\n"                                                                     \
    "    device   00:03.0\n"
#define ALPHA_UUID "    uuid     5f83a66f-c933-8baa-adca-822d50d46807\n"
#define BETA_UUID  "    uuid     5012932a-8b25-8aa6-9bc7-34c4457117a3\n"
#define GAMMA_UUID "    uuid     c2fd20f1-7b8c-8637-bb9b-e17d508d3739\n"
#define TRUSTED    "    trusted: its devices may do DMA where no IOMMU confines them\n"
#define GAMMA                                                                                      \
    "gamma      5,4      2 MiB  mb.elf\n"                                                          \
    "    module   one: a b\n"                                                                      \
    "    module   two\n"                                                                           \
    "    ioports  0x500-0x50f\n"                                                                   \
    "    ioports  0x600-0x600\n"                                                                   \
    "    device   0001:02:1f.7\n"                                                                  \
    "    device   00:04.1\n" GAMMA_UUID "    stopped if the DMA of its devices is refused\n"

static void test_all(void **state)
{
    (void)state;
    char *text = shown(good_config());
    assert_string_equal(text, ALPHA ALPHA_UUID BETA BETA_UUID TRUSTED GAMMA);
    free(text);
}

static void test_hash_and_flags(void **state)
{
    (void)state;
    struct config *config = good_config();
    struct config_partition *alpha = &config->partitions[0];
    alpha->flags = BLOB_FRAMEBUFFER | BLOB_HPET | BLOB_NO_IMAGE_NAME | BLOB_STOP_ON_STRAY;
    alpha->image_hash.is_given = 1;
    for (unsigned i = 0; i < SHA256_SIZE; i++) {
        alpha->image_hash.sha256[i] = (uint8_t)(i * 8 + 1);
    }
    char *text = shown(config);
    assert_string_equal(text, ALPHA "    sha256   0109111921293139414951596169717981899199"
                                    "a1a9b1b9c1c9d1d9e1e9f1f9  vmlinuz\n" ALPHA_UUID "    hpet\n"
                                    "    the image's name is left out of a Multiboot command line\n"
                                    "    stopped if it accesses addresses where a PC has nothing\n"
                                    "    framebuffer\n" BETA BETA_UUID TRUSTED GAMMA);
    free(text);
}

// A list of CPUs is as long as it is.
static void test_many_cpus(void **state)
{
    (void)state;
    struct config *config = good_config();
    config->partitions[2].cpu_count = MAX_CPUS - 4;
    for (unsigned i = 0; i < MAX_CPUS - 4; i++) {
        config->partitions[2].cpus[i].number = (uint16_t)(i + 4);
    }
    char *text = shown(config);
    assert_non_null(strstr(text, "\ngamma      4,5,6,7,"));
    assert_non_null(strstr(text, ",61,62,63    2 MiB  mb.elf\n"));
    free(text);
}

static void test_limits(void **state)
{
    (void)state;
    char *text = shown(NULL);
    assert_non_null(strstr(text, "\nCPUs of all partitions                            64  the "));
    assert_non_null(strstr(text, "\nmemory of a partition                       1024 GiB  more "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_hash_and_flags),
        cmocka_unit_test(test_many_cpus),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
