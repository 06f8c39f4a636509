// SPDX-License-Identifier: Apache-2.0
// Writes a partition's ACPI tables. Layouts and field names are those of the ACPI Specification
// 5.0, chapter 5.2. Relies on table.c and on the compiled DSDT and SSDT.
#include "hv/guest/acpi.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "dsdt_aml.h" // made by hv/guest/asl.mk
#include "hv/guest/e820.h"
#include "hv/guest/table.h"
#include "hv/memory/guest_mem.h"
#include "hv/vdev/vhpet.h"
#include "pci_aml.h"

struct table_header { // 5.2.6
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct table_header) == 36, "ACPI 5.2.6");

struct rsdp { // 5.2.5.3
    char signature[8];
    uint8_t checksum; // over the first 20 bytes
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum; // over all bytes
    uint8_t reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp) == 36, "ACPI 5.2.5.3");
#define RSDP_V1_SIZE 20u

struct generic_address { // 5.2.3.1
    uint8_t space;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;
    uint64_t address;
} __attribute__((packed));

#define SPACE_MEMORY 0u
#define SPACE_IO     1u
#define ACCESS_BYTE  1u
#define ACCESS_WORD  2u
#define ACCESS_DWORD 3u

struct fadt { // 5.2.9
    struct table_header header;
    uint32_t firmware_ctrl;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable;
    uint8_t acpi_disable;
    uint8_t s4bios_req;
    uint8_t pstate_cnt;
    uint32_t pm1a_evt_blk;
    uint32_t pm1b_evt_blk;
    uint32_t pm1a_cnt_blk;
    uint32_t pm1b_cnt_blk;
    uint32_t pm2_cnt_blk;
    uint32_t pm_tmr_blk;
    uint32_t gpe0_blk;
    uint32_t gpe1_blk;
    uint8_t pm1_evt_len;
    uint8_t pm1_cnt_len;
    uint8_t pm2_cnt_len;
    uint8_t pm_tmr_len;
    uint8_t gpe0_blk_len;
    uint8_t gpe1_blk_len;
    uint8_t gpe1_base;
    uint8_t cst_cnt;
    uint16_t p_lvl2_lat;
    uint16_t p_lvl3_lat;
    uint16_t flush_size;
    uint16_t flush_stride;
    uint8_t duty_offset;
    uint8_t duty_width;
    uint8_t day_alrm;
    uint8_t mon_alrm;
    uint8_t century;
    uint16_t iapc_boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    struct generic_address reset_reg;
    uint8_t reset_value;
    uint8_t reserved2[3];
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    struct generic_address x_pm1a_evt_blk;
    struct generic_address x_pm1b_evt_blk;
    struct generic_address x_pm1a_cnt_blk;
    struct generic_address x_pm1b_cnt_blk;
    struct generic_address x_pm2_cnt_blk;
    struct generic_address x_pm_tmr_blk;
    struct generic_address x_gpe0_blk;
    struct generic_address x_gpe1_blk;
    struct generic_address sleep_control;
    struct generic_address sleep_status;
} __attribute__((packed));
_Static_assert(sizeof(struct fadt) == 268, "ACPI 5.2.9, revision 5");
_Static_assert(offsetof(struct fadt, iapc_boot_arch) == 109, "ACPI 5.2.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI 5.2.9");

// iapc_boot_arch, 5.2.9.3. Not set: 8042 (absent), CMOS RTC not present (it is present).
#define BOOT_LEGACY_DEVICES BIT(0) // COM1 is at its usual place
#define BOOT_VGA_ABSENT     BIT(2)

// flags, 5.2.9. Not set: PWR_BUTTON, because there is a fixed-feature power button (hv/vdev/vpm.h).
#define FADT_WBINVD        BIT(0)  // works, or the CPU has no way to flush
#define FADT_PROC_C1       BIT(2)  // HLT works on every CPU
#define FADT_SLP_BUTTON    BIT(5)  // set: there is no fixed-feature sleep button
#define FADT_FIX_RTC       BIT(6)  // set: no fixed register has the RTC's wake status
#define FADT_TMR_VAL_EXT   BIT(8)  // the PM timer counts 32 bits
#define FADT_RESET_REG_SUP BIT(10) // reset_reg works
#define FADT_HEADLESS      BIT(12) // neither display nor keyboard
#define FADT_APIC_PHYSICAL BIT(19) // use physical destinations: ours are all physical

// Latencies in microseconds; a C-state with a higher latency counts as absent.
#define NO_C2 101u
#define NO_C3 1001u

struct facs { // 5.2.10
    char signature[4];
    uint32_t length;
    uint8_t hardware_signature[4];
    uint32_t waking_vector;
    uint32_t global_lock;
    uint32_t flags;
    uint64_t x_waking_vector;
    uint8_t version;
    uint8_t reserved[31];
} __attribute__((packed));
_Static_assert(sizeof(struct facs) == 64, "ACPI 5.2.10");
#define FACS_ALIGNMENT 64u

struct madt { // 5.2.12
    struct table_header header;
    uint32_t lapic_address;
    uint32_t flags;
} __attribute__((packed));
#define MADT_PCAT_COMPAT 1u // there is a pair of 8259s

struct madt_lapic { // 5.2.12.2
    uint8_t type;
    uint8_t length;
    uint8_t uid;
    uint8_t apic_id;
    uint32_t flags;
} __attribute__((packed));
#define MADT_LAPIC         0u
#define MADT_LAPIC_ENABLED 1u

struct madt_ioapic { // 5.2.12.3
    uint8_t type;
    uint8_t length;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} __attribute__((packed));
#define MADT_IOAPIC 1u

struct madt_override { // 5.2.12.5
    uint8_t type;
    uint8_t length;
    uint8_t bus;
    uint8_t source;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));
#define MADT_OVERRIDE          2u
#define MADT_LEVEL_ACTIVE_HIGH 0x000du

struct madt_lapic_nmi { // 5.2.12.7
    uint8_t type;
    uint8_t length;
    uint8_t uid;
    uint16_t flags;
    uint8_t lint;
} __attribute__((packed));
#define MADT_LAPIC_NMI 4u
#define MADT_ALL_CPUS  0xffu

struct hpet { // IA-PC HPET specification 1.0a, 3.2.4
    struct table_header header;
    uint32_t block_id;
    struct generic_address address;
    uint8_t number;
    uint16_t least_period; // least period in ticks without lost interrupts
    uint8_t page;
} __attribute__((packed));
_Static_assert(sizeof(struct hpet) == 56, "IA-PC HPET 3.2.4");

struct mcfg { // PCI Firmware Specification 3.2, 4.1.2
    struct table_header header;
    uint64_t reserved0;
    uint64_t address; // of bus 0 of the only segment
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus;
    uint32_t reserved1;
} __attribute__((packed));
_Static_assert(sizeof(struct mcfg) == 60, "PCI Firmware 4.1.2");
_Static_assert(GUEST_ECAM_SIZE == 32 * 8 * 4096, "one bus: 4 KiB for each function");

// 8-bit APIC IDs are enough; 0xff is broadcast. More CPUs would need x2APIC structures.
_Static_assert(MAX_CPUS < 255, "the MADT names CPUs by 8-bit APIC IDs");

static const char oem_id[6] = {'B', 'U', 'L', 'K', 'H', 'D'};

// The address of each table, guest-physical, below 1 MiB.
struct places {
    uint32_t facs;
    uint32_t dsdt;
    uint32_t fadt;
    uint32_t madt;
    uint32_t hpet; // 0 if there is none
    uint32_t mcfg; // 0 without a PCI bus
    uint32_t ssdt; // 0 without a PCI bus
    uint32_t rsdt;
    uint32_t xsdt;
};

static struct table_header header(const char *signature, uint8_t revision, size_t length)
{
    struct table_header h = {
        .length = (uint32_t)length,
        .revision = revision,
        .oem_table_id = "GUEST",
        .oem_revision = 1,
        .creator_id = {'B', 'L', 'K', 'H'},
        .creator_revision = 1,
    };

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, oem_id, sizeof(h.oem_id));
    return h;
}

// A register in I/O space. With port 0 there is no register.
static struct generic_address io_register(uint16_t port, uint8_t bits, uint8_t access)
{
    if (port == 0) {
        return (struct generic_address){0};
    }
    return (struct generic_address){
        .space = SPACE_IO, .bit_width = bits, .access_size = access, .address = port};
}

// Begins a table after the one that `t` has written, at the next multiple of `alignment`. Returns
// its address.
static uint32_t begin_next(struct guest_table *t, uint64_t alignment)
{
    const enum status before = t->status;

    guest_table_begin(t, t->ram, align_up(t->next, alignment), t->limit);
    t->status = before;
    return (uint32_t)t->start;
}

static void seal_table(struct guest_table *t)
{
    t->status = guest_table_seal(t, offsetof(struct table_header, checksum));
}

static uint32_t write_facs(struct guest_table *t)
{
    const uint32_t at = begin_next(t, FACS_ALIGNMENT);
    const struct facs facs = {
        .signature = {'F', 'A', 'C', 'S'}, .length = sizeof(facs), .version = 2};

    guest_table_add(t, &facs, sizeof(facs)); // has no checksum
    return at;
}

// Writes a table that iasl compiled, which includes the checksum.
static uint32_t write_aml(struct guest_table *t, const uint8_t *aml, size_t size)
{
    const uint32_t at = begin_next(t, 16);

    guest_table_add(t, aml, size);
    return at;
}

static uint32_t write_fadt(struct guest_table *t, const struct guest_platform *pf,
                           const struct places *at)
{
    const uint32_t start = begin_next(t, 16);
    const uint16_t pm1_cnt = (uint16_t)(pf->pm1_base + 4u);
    // No SMI command: ACPI is always enabled. The 64-bit FACS address stays 0 because the 32-bit
    // one is set; only one of them may be set.
    const struct fadt fadt = {
        .header = header("FACP", 5, sizeof(fadt)),
        .firmware_ctrl = at->facs,
        .dsdt = at->dsdt,
        .sci_int = pf->sci_irq,
        .pm1a_evt_blk = pf->pm1_base,
        .pm1a_cnt_blk = pm1_cnt,
        .pm_tmr_blk = pf->pm_timer_port,
        .pm1_evt_len = 4,
        .pm1_cnt_len = 2,
        .pm_tmr_len = pf->pm_timer_port != 0 ? 4 : 0,
        .p_lvl2_lat = NO_C2,
        .p_lvl3_lat = NO_C3,
        .iapc_boot_arch = BOOT_LEGACY_DEVICES | BOOT_VGA_ABSENT,
        .flags = (uint32_t)(FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC |
                            FADT_HEADLESS | FADT_APIC_PHYSICAL |
                            (pf->pm_timer_port != 0 && pf->pm_timer_32bit ? FADT_TMR_VAL_EXT : 0) |
                            (pf->reset_port != 0 ? FADT_RESET_REG_SUP : 0)),
        .reset_reg = io_register(pf->reset_port, 8, ACCESS_BYTE),
        .reset_value = pf->reset_value,
        .x_dsdt = at->dsdt,
        .x_pm1a_evt_blk = io_register(pf->pm1_base, 32, ACCESS_WORD),
        .x_pm1a_cnt_blk = io_register(pm1_cnt, 16, ACCESS_WORD),
        .x_pm_tmr_blk = io_register(pf->pm_timer_port, 32, ACCESS_DWORD),
    };

    guest_table_add(t, &fadt, sizeof(fadt));
    seal_table(t);
    return start;
}

static uint32_t write_madt(struct guest_table *t, const struct guest_platform *pf)
{
    const uint32_t start = begin_next(t, 16);
    const struct madt_ioapic ioapic = {
        .type = MADT_IOAPIC,
        .length = sizeof(ioapic),
        .id = pf->ioapic_id,
        .address = pf->ioapic_address,
    };
    const struct madt_override overrides[] = {
        // The PIT's interrupt 0, edge-triggered like any ISA interrupt.
        {.type = MADT_OVERRIDE, .length = sizeof(overrides[0]), .gsi = GUEST_PIT_PIN},
        {
            .type = MADT_OVERRIDE,
            .length = sizeof(overrides[0]),
            .source = pf->sci_irq,
            .gsi = pf->sci_irq,
            .flags = MADT_LEVEL_ACTIVE_HIGH,
        },
    };
    const struct madt_lapic_nmi nmi = {
        .type = MADT_LAPIC_NMI, .length = sizeof(nmi), .uid = MADT_ALL_CPUS, .lint = 1};
    const struct madt madt = {
        .header = header("APIC", 3,
                         sizeof(madt) + pf->cpu_count * sizeof(struct madt_lapic) + sizeof(ioapic) +
                             sizeof(overrides) + sizeof(nmi)),
        .lapic_address = pf->lapic_address,
        .flags = MADT_PCAT_COMPAT,
    };

    guest_table_add(t, &madt, sizeof(madt));
    for (unsigned i = 0; i < pf->cpu_count; i++) {
        const struct madt_lapic lapic = {
            .type = MADT_LAPIC,
            .length = sizeof(lapic),
            .uid = (uint8_t)i,
            .apic_id = (uint8_t)i,
            .flags = MADT_LAPIC_ENABLED,
        };

        guest_table_add(t, &lapic, sizeof(lapic));
    }
    guest_table_add(t, &ioapic, sizeof(ioapic));
    guest_table_add(t, overrides, sizeof(overrides));
    guest_table_add(t, &nmi, sizeof(nmi));
    seal_table(t);
    return start;
}

static uint32_t write_mcfg(struct guest_table *t)
{
    const uint32_t start = begin_next(t, 16);
    const struct mcfg mcfg = {
        .header = header("MCFG", 1, sizeof(mcfg)),
        .address = GUEST_ECAM_ADDRESS,
    };

    guest_table_add(t, &mcfg, sizeof(mcfg));
    seal_table(t);
    return start;
}

static uint32_t write_hpet(struct guest_table *t)
{
    const uint32_t start = begin_next(t, 16);
    const struct hpet hpet = {
        .header = header("HPET", 1, sizeof(hpet)),
        .block_id = VHPET_BLOCK_ID,
        .address = {.space = SPACE_MEMORY, .bit_width = 64, .address = GUEST_HPET_ADDRESS},
        .least_period = 0x80,
    };

    guest_table_add(t, &hpet, sizeof(hpet));
    seal_table(t);
    return start;
}

// Writes the RSDT, or the XSDT with entries of twice the size. They list all tables except those
// that the FADT names.
static uint32_t write_root(struct guest_table *t, const char *signature, size_t entry_size,
                           const struct places *at)
{
    const uint32_t start = begin_next(t, 16);
    const uint64_t all[] = {at->fadt, at->madt, at->hpet, at->mcfg, at->ssdt};
    uint64_t entries[ARRAY_SIZE(all)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (all[i] != 0) {
            entries[count++] = all[i];
        }
    }
    const struct table_header h = header(signature, 1, sizeof(h) + count * entry_size);

    guest_table_add(t, &h, sizeof(h));
    for (size_t i = 0; i < count; i++) {
        guest_table_add(t, &entries[i], entry_size); // little endian
    }
    seal_table(t);
    return start;
}

static uint8_t checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
    return (uint8_t)(0u - sum);
}

static struct rsdp make_rsdp(const struct places *at)
{
    struct rsdp r = {
        .signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
        .revision = 2,
        .rsdt = at->rsdt,
        .length = sizeof(r),
        .xsdt = at->xsdt,
    };

    memcpy(r.oem_id, oem_id, sizeof(r.oem_id));
    r.checksum = checksum(&r, RSDP_V1_SIZE);
    r.extended_checksum = checksum(&r, sizeof(r));
    return r;
}

static enum status check_platform(const struct guest_platform *pf, char *error, size_t error_size)
{
    if (pf->cpu_count == 0 || pf->cpu_count > MAX_CPUS) {
        format(error, error_size, "%u CPUs can't be told in the ACPI tables, only 1 to %u",
               pf->cpu_count, (unsigned)MAX_CPUS);
        return ERR_INVALID;
    }
    if (pf->sci_irq == 0 || pf->sci_irq > 15) {
        format(error, error_size, "the ACPI interrupt must be one of 1 to 15, not %u",
               (unsigned)pf->sci_irq);
        return ERR_INVALID;
    }
    if (pf->pm1_base == 0 || pf->pm1_base > 0xffff - 5) {
        format(error, error_size, "the PM1 registers can't lie at I/O port 0x%x",
               (unsigned)pf->pm1_base);
        return ERR_INVALID;
    }
    return STATUS_OK;
}

enum status guest_acpi_write(const struct guest_ram *ram, const struct guest_platform *platform,
                             gpa_t *rsdp, char *error, size_t error_size)
{
    struct guest_table t;
    struct places at = {0};
    struct rsdp root;
    enum status s = check_platform(platform, error, error_size);

    if (s != STATUS_OK) {
        return s;
    }
    guest_table_begin(&t, ram, GUEST_ACPI_TABLES + sizeof(root), GUEST_MP_TABLES);
    at.facs = write_facs(&t);
    at.dsdt = write_aml(&t, dsdt_aml, sizeof(dsdt_aml));
    at.fadt = write_fadt(&t, platform, &at);
    at.madt = write_madt(&t, platform);
    if (platform->has_hpet) {
        at.hpet = write_hpet(&t);
    }
    if (platform->has_pci) {
        at.mcfg = write_mcfg(&t);
        at.ssdt = write_aml(&t, pci_aml, sizeof(pci_aml));
    }
    at.rsdt = write_root(&t, "RSDT", sizeof(uint32_t), &at);
    at.xsdt = write_root(&t, "XSDT", sizeof(uint64_t), &at);

    s = t.status;
    if (s == STATUS_OK) {
        // At the first place where kernels scan.
        root = make_rsdp(&at);
        s = guest_write(ram, gpa(GUEST_ACPI_TABLES), &root, sizeof(root));
    }
    if (s != STATUS_OK) {
        format(error, error_size, "the ACPI tables don't fit at 0x%llx-0x%llx (status %d)",
               GUEST_ACPI_TABLES, GUEST_MP_TABLES - 1, (int)s);
        return s;
    }
    *rsdp = gpa(GUEST_ACPI_TABLES);
    return STATUS_OK;
}
