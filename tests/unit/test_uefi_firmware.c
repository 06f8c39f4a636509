// SPDX-License-Identifier: Apache-2.0
// Firmware's tables as the UEFI loader takes them, and firmware that does not let go at once. The
// boot services are a table of functions: here are some.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka last: it needs the headers above
#include <cmocka.h>

#include "arch/lib/types.h"
#include "boot/uefi/firmware.h"
#include "boot/uefi/memory_map.h"

#define STRIDE 48u // firmware's may be longer than the structure
#define MOST   600u

static char text[400];
static const struct boot_error error = {text, sizeof(text)};

// ---- memory map ------------------------------------------------------------------------------

static uint8_t descriptors[MOST * STRIDE];
static struct uefi_map map;

static void start_map(void)
{
    map = (struct uefi_map){descriptors, 0, STRIDE, 1};
}

static void add(uint32_t type, uint64_t base, uint64_t size)
{
    EFI_MEMORY_DESCRIPTOR d = {.Type = type,
                               .PhysicalStart = base,
                               .NumberOfPages = size / PAGE_SIZE,
                               .Attribute = EFI_MEMORY_WB};
    memset(&descriptors[map.size], 0xa5, STRIDE);
    memcpy(&descriptors[map.size], &d, sizeof(d));
    map.size += STRIDE;
}

static void expect(const struct boot_info *info, unsigned index, uint64_t base, uint64_t size,
                   uint32_t kind)
{
    assert_int_equal(info->memory[index].base, base);
    assert_int_equal(info->memory[index].size, size);
    assert_int_equal(info->memory[index].kind, kind);
}

static void map_is_sorted_and_joined(void **state)
{
    static struct boot_info info;
    (void)state;
    start_map();
    add(EfiConventionalMemory, 0x300000, 0x100000);
    add(EfiBootServicesData, 0x0, 0xa0000);
    add(EfiLoaderCode, 0x100000, 0x100000);
    add(EfiLoaderData, 0x200000, 0x100000); // closes the gap
    add(EfiBootServicesCode, 0x400000, 0x1000);
    add(EfiACPIReclaimMemory, 0x401000, 0x2000);
    add(EfiACPIMemoryNVS, 0x403000, 0x1000);
    add(EfiRuntimeServicesData, 0x404000, 0x1000);
    add(EfiRuntimeServicesCode, 0x406000, 0x1000);
    add(77, 0x407000, 0x1000); // a kind of the future
    add(EfiConventionalMemory, 0x500000, 0);
    assert_int_equal(uefi_map_convert(&map, &info, &error), STATUS_OK);
    assert_int_equal(info.memory_count, 5);
    expect(&info, 0, 0, 0xa0000, BOOT_MEMORY_USABLE);
    expect(&info, 1, 0x100000, 0x301000, BOOT_MEMORY_USABLE);
    expect(&info, 2, 0x401000, 0x2000, BOOT_MEMORY_ACPI);
    expect(&info, 3, 0x403000, 0x2000, BOOT_MEMORY_RESERVED);
    expect(&info, 4, 0x406000, 0x2000, BOOT_MEMORY_RESERVED);
}

static void memory_without_caches_is_not_used(void **state)
{
    static struct boot_info info;
    EFI_MEMORY_DESCRIPTOR d;
    (void)state;
    start_map();
    add(EfiConventionalMemory, 0x100000, 0x1000000);
    memcpy(&d, descriptors, sizeof(d));
    d.Attribute = EFI_MEMORY_UC;
    memcpy(descriptors, &d, sizeof(d));
    assert_int_equal(uefi_map_convert(&map, &info, &error), STATUS_OK);
    expect(&info, 0, 0x100000, 0x1000000, BOOT_MEMORY_RESERVED);
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(512)), 0);
}

static void hundreds_of_neighbours_fit(void **state)
{
    static struct boot_info info;
    (void)state;
    start_map();
    for (unsigned i = 0; i < MOST; i++) {
        add(i % 2 ? EfiBootServicesData : EfiConventionalMemory, i * PAGE_SIZE, PAGE_SIZE);
    }
    assert_int_equal(uefi_map_convert(&map, &info, &error), STATUS_OK);
    assert_int_equal(info.memory_count, 1);
    start_map();
    for (unsigned i = 0; i < BOOT_MAX_MEMORY; i++) {
        add(EfiConventionalMemory, i * 2 * PAGE_SIZE, PAGE_SIZE);
    }
    assert_int_equal(uefi_map_convert(&map, &info, &error), STATUS_OK);
    assert_int_equal(info.memory_count, BOOT_MAX_MEMORY);
    add(EfiConventionalMemory, MIB(64), PAGE_SIZE);
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_RANGE);
    assert_non_null(strstr(text, "more than 256 ranges"));
}

static void senseless_maps_are_refused(void **state)
{
    static struct boot_info info;
    (void)state;
    start_map();
    add(EfiConventionalMemory, 0x100000, 0x100000);
    add(EfiReservedMemoryType, 0x1ff000, 0x1000);
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_EXISTS);
    assert_non_null(strstr(text, "0x1ff000"));
    start_map();
    add(EfiReservedMemoryType, 0x1ff000, 0x1000);
    add(EfiConventionalMemory, 0x100000, 0x100000);
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_EXISTS);
    start_map();
    add(EfiConventionalMemory, 0x100800, 0x100000);
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_INVALID);
    start_map();
    add(EfiConventionalMemory, 0xfffffffffffff000, 0x2000);
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_INVALID);
    map.stride = 8;
    assert_int_equal(uefi_map_convert(&map, &info, &error), ERR_INVALID);
}

static void hypervisor_goes_as_high_as_it_may(void **state)
{
    (void)state;
    start_map();
    add(EfiConventionalMemory, 0x100000, 0x7f00000);
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(512)), 0x7e00000);
    add(EfiConventionalMemory, 0x100001000, 0x600000); // above 4 GiB, no end aligned
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(512)), 0x100400000);
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(4)), 0x7e00000);
    assert_int_equal(uefi_map_place(&map, MIB(2), MIB(2)), 0);
    add(EfiBootServicesData, 0x200000000, 0x1000000); // still firmware's
    add(EfiConventionalMemory, GIB(512) - MIB(1), MIB(4));
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(512)), 0x100400000);
    start_map();
    add(EfiConventionalMemory, 0x101000, 0x2fe000); // 2 MiB and more, but not aligned
    assert_int_equal(uefi_map_place(&map, MIB(2), GIB(512)), 0);
}

// ---- tables ----------------------------------------------------------------------------------

static void rsdp_of_acpi_2_goes_first(void **state)
{
    EFI_CONFIGURATION_TABLE tables[] = {
        {{1, 2, 3, {4}}, (void *)0x1000},
        {ACPI_TABLE_GUID, (void *)0x2000},
        {ACPI_20_TABLE_GUID, (void *)0x3000},
    };
    EFI_SYSTEM_TABLE system = {.NumberOfTableEntries = 3, .ConfigurationTable = tables};
    (void)state;
    assert_int_equal(firmware_rsdp(&system), 0x3000);
    system.NumberOfTableEntries = 2;
    assert_int_equal(firmware_rsdp(&system), 0x2000);
    system.NumberOfTableEntries = 1;
    assert_int_equal(firmware_rsdp(&system), 0);
}

static const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION good_mode = {
    .HorizontalResolution = 800,
    .VerticalResolution = 600,
    .PixelFormat = PixelBlueGreenRedReserved8BitPerColor,
    .PixelsPerScanLine = 832,
};

static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE screen_of(EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *m)
{
    return (EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE){
        .Info = m, .FrameBufferBase = 0x80000000, .FrameBufferSize = 832 * 600 * 4};
}

static void assert_refused(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode, const char *why)
{
    struct boot_info info = {0};
    firmware_screen(mode, &info);
    assert_int_equal(info.framebuffer.base, 0);
    assert_non_null(strstr(info.framebuffer_refused, why));
}

static void screen_is_described(void **state)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION m = good_mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode = screen_of(&m);
    struct boot_info info = {0};
    const struct boot_framebuffer *f = &info.framebuffer;
    (void)state;
    firmware_screen(&mode, &info);
    assert_string_equal(info.framebuffer_refused, "");
    assert_int_equal(f->base, 0x80000000);
    assert_int_equal(f->pitch, 3328);
    assert_int_equal(f->width, 800);
    assert_int_equal(f->height, 600);
    assert_int_equal(f->red_shift, 16);
    assert_int_equal(f->blue_shift, 0);
    m.PixelFormat = PixelRedGreenBlueReserved8BitPerColor;
    firmware_screen(&mode, &info);
    assert_int_equal(f->red_shift, 0);
    assert_int_equal(f->blue_shift, 16);
    m.PixelFormat = PixelBitMask;
    m.PixelInformation = (EFI_PIXEL_BITMASK){0xff000000, 0xff0000, 0xff00, 0xff};
    firmware_screen(&mode, &info);
    assert_int_equal(f->red_shift, 24);
    assert_int_equal(f->green_shift, 16);
    assert_string_equal(info.framebuffer_refused, "");
}

static void other_screens_are_refused(void **state)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION m = good_mode;
    EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode = screen_of(&m);
    static const uint32_t green[] = {0x7e0, 0, 0xff01, 0xffffffff, 0x80000000};
    (void)state;
    m.PixelFormat = PixelBitMask;
    for (unsigned i = 0; i < ARRAY_SIZE(green); i++) {
        m.PixelInformation = (EFI_PIXEL_BITMASK){0xff0000, green[i], 0xff, 0};
        assert_refused(&mode, "not 32 bits of direct colour");
    }
    m.PixelFormat = PixelBltOnly;
    assert_refused(&mode, "only the firmware can draw");
    m.PixelFormat = PixelBlueGreenRedReserved8BitPerColor;
    mode.FrameBufferSize--;
    assert_refused(&mode, "larger than the 0x1e77ff bytes");
    mode.FrameBufferSize++;
    m.PixelsPerScanLine = 799;
    assert_refused(&mode, "lines make no sense");
    m.PixelsPerScanLine = 832;
    mode.FrameBufferBase = 1ull << 52;
    assert_refused(&mode, "can lie there");
}

// ---- leaving ---------------------------------------------------------------------------------

static struct {
    unsigned failures; // so many times the map has changed meanwhile
    unsigned maps, attempts;
    bool grows;
} firmware;

static EFI_STATUS EFIAPI get_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *buffer, UINTN *key,
                                 UINTN *stride, UINT32 *version)
{
    if (*size < map.size) {
        *size = map.size;
        return EFI_BUFFER_TOO_SMALL;
    }
    memcpy(buffer, descriptors, map.size);
    *size = map.size;
    *key = ++firmware.maps;
    *stride = STRIDE;
    *version = 1;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI leave(EFI_HANDLE image, UINTN key)
{
    (void)image;
    assert_int_equal(key, firmware.maps); // the newest map's
    firmware.attempts++;
    if (firmware.attempts <= firmware.failures) {
        if (firmware.grows) {
            add(EfiReservedMemoryType, MIB(64) + firmware.attempts * 2 * PAGE_SIZE, PAGE_SIZE);
        }
        return EFI_INVALID_PARAMETER;
    }
    return EFI_SUCCESS;
}

static EFI_BOOT_SERVICES services = {.GetMemoryMap = get_map, .ExitBootServices = leave};
static struct boot_info left;
static bool leaving;

static EFI_STATUS try_to_leave(unsigned failures, bool grows)
{
    static uint8_t buffer[MOST * STRIDE];
    start_map();
    add(EfiConventionalMemory, 0, 0xa0000);
    add(EfiConventionalMemory, 0x100000, 0x1000000);
    memset(&firmware, 0, sizeof(firmware));
    firmware.failures = failures;
    firmware.grows = grows;
    leaving = false;
    text[0] = '\0';
    return firmware_leave(&services, NULL, buffer, sizeof(buffer), &left, &leaving, &error);
}

static void firmware_is_left(void **state)
{
    (void)state;
    assert_int_equal(try_to_leave(0, false), EFI_SUCCESS);
    assert_int_equal(firmware.attempts, 1);
    assert_int_equal(left.memory_count, 2);
    assert_true(leaving);
}

static void stale_map_is_read_again(void **state)
{
    (void)state;
    assert_int_equal(try_to_leave(1, true), EFI_SUCCESS);
    assert_int_equal(firmware.attempts, 2);
    assert_int_equal(left.memory_count, 3); // the map that the machine was left with
    assert_int_equal(left.memory[2].base, MIB(64) + 2 * PAGE_SIZE);
}

static void firmware_that_never_lets_go_ends_it(void **state)
{
    (void)state;
    assert_int_equal(try_to_leave(1000, false), EFI_INVALID_PARAMETER);
    assert_int_equal(firmware.attempts, 8);
    assert_non_null(strstr(text, "does not let go"));
    assert_true(leaving);
}

static void bad_map_is_refused_before_leaving(void **state)
{
    static uint8_t buffer[MOST * STRIDE];
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    leaving = false;
    start_map();
    add(EfiConventionalMemory, 0, 0x4000); // page 0 does not count: 3 pages
    add(EfiReservedMemoryType, 0x4000, 0x9c000);
    add(EfiConventionalMemory, 0x100000, 0x1000000);
    assert_int_equal(
        firmware_leave(&services, NULL, buffer, sizeof(buffer), &left, &leaving, &error),
        EFI_LOAD_ERROR);
    assert_non_null(strstr(text, "below 640 KiB"));
    add(EfiConventionalMemory, 0x200000, 0x1000);
    assert_int_equal(
        firmware_leave(&services, NULL, buffer, sizeof(buffer), &left, &leaving, &error),
        EFI_LOAD_ERROR);
    assert_non_null(strstr(text, "overlap"));
    assert_int_equal(firmware_leave(&services, NULL, buffer, STRIDE, &left, &leaving, &error),
                     EFI_BUFFER_TOO_SMALL);
    assert_non_null(strstr(text, "does not give it"));
    assert_int_equal(firmware.attempts, 0);
    assert_false(leaving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_is_sorted_and_joined),
        cmocka_unit_test(memory_without_caches_is_not_used),
        cmocka_unit_test(hundreds_of_neighbours_fit),
        cmocka_unit_test(senseless_maps_are_refused),
        cmocka_unit_test(hypervisor_goes_as_high_as_it_may),
        cmocka_unit_test(rsdp_of_acpi_2_goes_first),
        cmocka_unit_test(screen_is_described),
        cmocka_unit_test(other_screens_are_refused),
        cmocka_unit_test(firmware_is_left),
        cmocka_unit_test(stale_map_is_read_again),
        cmocka_unit_test(firmware_that_never_lets_go_ends_it),
        cmocka_unit_test(bad_map_is_refused_before_leaving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
